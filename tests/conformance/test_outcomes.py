"""Every tool in every situation: an answer holds what the tool announces, all of that and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from interlayer.answers import schema_of
from interlayer_tools import TOOLS
from interlayer_tools.renderings.outline import words
from situations import Told, every_situation

pytestmark = pytest.mark.anyio

SCHEMAS: dict[str, dict[str, Any]] = {tool.name: schema_of(tool.output) for tool in TOOLS}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """Return the answers of all situations."""
    return anyio.run(every_situation)


def unnamed(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    """Yield the keys of a value that its schema does not name; an object without properties is a map."""
    if isinstance(value, dict) and "properties" in schema:
        yield from (f"{place}.{key}" for key in value.keys() - schema["properties"].keys())
        for key in value.keys() & schema["properties"].keys():
            yield from unnamed(value[key], schema["properties"][key], f"{place}.{key}")
    for one in value if isinstance(value, list) else ():
        yield from unnamed(one, schema.get("items", {}), place)


def places(schema: dict[str, Any], place: str) -> Iterator[str]:
    """Yield every field that a schema names, and every word that one of them may be."""
    for key, part in schema.get("properties", {}).items():
        yield f"{place}.{key}"
        yield from places(part, f"{place}.{key}")
    yield from places(schema["items"], place) if "items" in schema else ()
    yield from (f"{place}={word}" for word in schema.get("enum", ()))


def seen(value: Any, place: str) -> Iterator[str]:
    """Yield every field that an answer holds, and every text as a word that it may be."""
    for key, part in value.items() if isinstance(value, dict) else ():
        yield f"{place}.{key}"
        yield from seen(part, f"{place}.{key}")
    for one in value if isinstance(value, list) else ():
        yield from seen(one, place)
    if isinstance(value, str):
        yield f"{place}={value}"


def test_every_answer_fits_its_schema_and_holds_nothing_else(told: list[Told]) -> None:
    for one in told:
        VALIDATORS[one.tool].validate(one.answer)
        assert not list(unnamed(one.answer, SCHEMAS[one.tool], one.tool)), one.situation


def test_the_text_of_an_answer_says_what_the_structured_answer_says(told: list[Told]) -> None:
    for one in told:
        lost = [leaf for leaf in leaves(one.answer) if leaf not in one.text and json.dumps(leaf)[1:-1] not in one.text]
        assert not lost, (one.situation, lost, one.text)
        assert not one.text.lstrip().startswith("{"), "lines, not JSON"


def leaves(value: Any) -> Iterator[str]:
    """Yield each text and number of an answer as it is written, codes as words; yes, no and none are left out."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in _NOT_ALWAYS_SAID:
                yield from (words(leaf) if name in _CODES else leaf for leaf in leaves(one))
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


_CODES = {"level", "outcome"}
_NOT_ALWAYS_SAID = {"status", "start", "end", "more", "score"}
"""What the text says only where it is not as usual, or in fewer digits."""


def test_every_field_and_outcome_that_is_announced_is_answered_in_some_situation(told: list[Told]) -> None:
    announced = {place for name, schema in SCHEMAS.items() for place in places(schema, name)}
    answered = {place for one in told for place in seen(one.answer, one.tool)}
    assert sorted(announced - answered) == []
