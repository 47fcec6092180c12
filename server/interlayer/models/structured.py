"""JSON from a model: how it is asked for in each form of response, and how it is got out of what came back."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from interlayer.models.vendor import Message

_SHOWN: Final = 4_000
_UNREADABLE_MAX: Final = 400  # braces among words, or of an answer that is cut: each is tried
_AGAIN: Final = "Answer again with the whole corrected JSON object and nothing else."


FORMS: Final = ("bounded", "json_schema", "json_object", "text")
"""How an answer is asked for, the strictest first: by a schema with every bound, by one without, as JSON, as text.

What decodes under a grammar keeps bounds (llama.cpp, Ollama, vLLM), and a small model that goes round in circles then
comes to an end; some hosted strict modes refuse a schema that has any.
"""

_BOUNDS: Final = {"maxItems", "maxLength"}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, in which lists under a key that is said twice stand together."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        known = made.get(key)
        made[key] = [*known, *value] if isinstance(known, list) and isinstance(value, list) else value
    return made


# A line break inside a string has one meaning.
_DECODER: Final = json.JSONDecoder(strict=False, object_pairs_hook=_object)


class NotInForm(ValueError):
    """What is wrong with an answer, in words that the model that gave it can act on.

    `usable` is what there is without the parts that are wrong, None if that is nothing.
    """

    def __init__(self, mistake: str, usable: Any = None) -> None:
        super().__init__(mistake)
        self.usable = usable


def response_format(name: str, schema: Mapping[str, Any], form: str) -> Mapping[str, Any] | None:
    """Return the response format of a call in one of the forms."""
    if form in {"bounded", "json_schema"}:
        asked = schema if form == "bounded" else unbounded(schema)
        return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(asked), "strict": True}}
    return {"type": "json_object"} if form == "json_object" else None


def unbounded(schema: Any) -> Any:
    """Return a JSON schema without what bounds the length of an answer and without lists of numbers."""
    if isinstance(schema, list):
        return [unbounded(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    left_out = _BOUNDS | ({"enum"} if schema.get("type") == "number" else set())
    return {name: unbounded(value) for name, value in schema.items() if name not in left_out}


def told(user: str, schema: Mapping[str, Any], form: str) -> str:
    """Return the user's message; where the provider does not know the schema, the model is told it."""
    if form in {"bounded", "json_schema"}:
        return user
    shape = json.dumps(unbounded(schema), ensure_ascii=False)
    return f"{user}\n\nAnswer with one JSON object and nothing else. It has to follow this JSON schema:\n{shape}"


def parsed(text: str) -> Any:
    """Return the JSON value of an answer, which may stand in a fence, among words or in a string of JSON.

    Of several objects the longest is the answer, the last of those as long: a model that thinks aloud writes drafts.
    Raises `NotInForm`.
    """
    bare = text.strip()
    if bare.startswith('"'):  # a whole answer that was made a string once more
        with suppress(ValueError):
            inner = json.loads(bare, strict=False)
            text = inner if isinstance(inner, str) else text
    if "{" not in text:
        raise NotInForm("there is no JSON object in it")
    found = list(_values(text, "[{" if bare[:1] == "[" else "{"))
    if not found:
        raise NotInForm(f"it is no JSON: {_why(text)}")
    return max(reversed(found), key=lambda one: one[0])[1]


def whole_objects(text: str) -> list[Any]:
    """Return the whole parts of an answer that is no JSON itself: each object in it that can be read by itself."""
    try:
        return [value for _, value in _values(text, "{")]
    except NotInForm:
        return []


def _values(text: str, openings: str) -> Iterator[tuple[int, Any]]:
    """Yield the length and value of each piece of JSON, the outermost ones that can be read. Raises `NotInForm`."""
    place, unreadable = 0, 0
    while unreadable < _UNREADABLE_MAX:
        place = min((at for at in (text.find(one, place) for one in openings) if at >= 0), default=-1)
        if place < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, place)
        except ValueError:  # no JSON, or a number of too many digits
            place, unreadable = place + 1, unreadable + 1
        except RecursionError as error:
            raise NotInForm("it is nested too deep") from error
        else:
            yield end - place, value
            place = end


def _why(text: str) -> str:
    try:
        _DECODER.raw_decode(text, text.find("{"))
    except ValueError as error:
        return str(error)
    return "no object in it can be read"


def repair(answer: str, mistake: str) -> list[Message]:
    """Write to a model what its answer and its mistake were."""
    return [
        {"role": "assistant", "content": answer[:_SHOWN]},
        {"role": "user", "content": f"That cannot be used: {mistake}. {_AGAIN}"},
    ]
