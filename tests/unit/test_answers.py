"""What all answers share: one way to JSON, one to a schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from interlayer.answers import as_json, display_time, schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    kind: Literal["one", "two"]
    value: Any
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    name: str
    parts: tuple[Part, ...]
    words: tuple[str, ...] | None = None
    counts: Mapping[str, int]
    first: Part | None = None
    until: str | None


def test_what_may_be_absent_is_left_out_while_it_is_none_and_nothing_else() -> None:
    whole = Whole(
        name="a", parts=(Part(kind="one", value=None), Part(kind="two", value=[1, {"b": (2,)}])), counts={}, until=None
    )
    assert as_json(whole) == {
        "name": "a",
        "parts": [{"kind": "one", "value": None}, {"kind": "two", "value": [1, {"b": [2]}]}],
        "counts": {},
        "until": None,
    }
    assert list(as_json(Whole(name="a", parts=(), words=(), counts={"x": 1}, until="b"))) == [
        "name",
        "parts",
        "words",
        "counts",
        "until",
    ]


def test_a_schema_names_every_field_and_what_the_answer_itself_always_holds() -> None:
    part = {"properties": {"kind": {"enum": ["one", "two"]}, "value": {}, "score": {}}}
    assert schema_of(Whole) == {
        "type": "object",
        "properties": {
            "name": {},
            "parts": {"items": part},
            "words": {"type": "array"},
            "counts": {"type": "object"},
            "first": part,
            "until": {},
        },
        "required": ["name"],
    }


def test_a_type_that_no_answer_may_hold_is_refused() -> None:
    @dataclass(frozen=True)
    class Loose:
        either: str | int

    @dataclass(frozen=True)
    class Listed:
        many: list[str]

    for kind in (Loose, Listed):
        with pytest.raises(TypeError, match="no type of an answer"):
            schema_of(kind)


def test_a_shown_time_ends_with_the_second() -> None:
    assert display_time("2026-03-01T09:00:05.123456Z") == "2026-03-01T09:00:05Z"
