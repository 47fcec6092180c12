"""What all answers share: they are frozen dataclasses, with one way to JSON and one to a JSON schema.

The fields of an answer are the keys that callers see. A field with the default None may be absent: JSON leaves it out
while it is None, and the schema does not require it. Every other field is always there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN: Final = frozenset({str, int, float, bool})


def as_json(value: Any) -> Any:
    """Return an answer, or a part of one, as JSON values: objects, arrays, texts, numbers, null."""
    kind: type[Any] = type(value)
    if kind in _PLAIN or value is None:
        return value
    if is_dataclass(kind):
        shown: dict[str, Any] = {}
        for name, may_lack in _keys(kind):  # a loop, and plain values taken at once: each recall does this 200 times
            one = getattr(value, name)
            if one is not None or not may_lack:
                shown[name] = one if type(one) in _PLAIN else as_json(one)
        return shown
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [as_json(one) for one in value]
    return value


def display_time(instant: str) -> str:
    """Return a stored instant to the second: nobody reads microseconds, and each digit is a token."""
    return f"{instant[:19]}Z"


def schema_of(answer: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of an answer. Raises `TypeError` for a type that no answer may hold.

    It names every field, and under `required` the plain values of the answer itself that are always there, leaves room
    for fields to come and holds no references. Hosts pay for each word of it in every conversation: a plain value is
    named without a type, a part of an answer is known as an object by its properties and a list of parts by its items.
    """
    hints = get_type_hints(answer)
    always = [name for name, may_lack in _keys(answer) if not may_lack and _is_plain(hints[name])]
    return {"type": "object", **_members(answer), **({"required": always} if always else {})}


def _members(answer: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(answer)
    return {"properties": {name: _schema(hints[name]) for name, _ in _keys(answer)}}


def _schema(hint: Any) -> dict[str, Any]:
    origin, parts = get_origin(hint), [one for one in get_args(hint) if one is not NoneType]
    if isinstance(hint, type) and is_dataclass(hint):
        return _members(hint)
    if origin is Literal:
        return {"enum": parts}
    if origin in (Union, UnionType) and len(parts) == 1:
        return _schema(parts[0])
    if origin is tuple and parts[1:] == [...]:
        items = _schema(parts[0])
        return {"items": items} if items else {"type": "array"}
    if origin is Mapping and parts[0] is str:
        return {"type": "object"}
    if _is_plain(hint):
        return {}
    raise TypeError(f"{hint} is no type of an answer")


def _is_plain(hint: Any) -> bool:
    return hint is Any or hint in _PLAIN or get_origin(hint) is Literal


@cache
def _keys(answer: type[Any]) -> tuple[tuple[str, bool], ...]:
    """Return the keys of an answer in order, and which of them may be absent."""
    return tuple((one.name, _may_lack(one)) for one in fields(answer))


def _may_lack(one: "Field[Any]") -> bool:
    return one.default is None
