"""What all answers share: they are frozen dataclasses, with one way to JSON and one to a JSON schema.

The fields of an answer are the keys that callers see. A field with the default None may be absent: JSON leaves it out
while it is None, and the schema does not require it. Every other field is always there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN: Final = frozenset({str, int, float, bool})


def as_json(value: Any) -> Any:
    """Return an answer, or a part of one, as JSON values: objects, arrays, texts, numbers, null."""
    kind: type[Any] = type(value)
    if kind in _PLAIN or value is None:
        return value
    reading = _reading(kind)
    if reading:
        return reading.members(value)
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, tuple | list) or (isinstance(value, Sequence) and not isinstance(value, str | bytes)):
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a kind of answer is read: each recall reads 200 parts of one, so all values of a part are taken at once.

    `lacking` are the names that JSON may leave out, `nested` those whose values are no plain ones.
    """

    values: Callable[[Any], dict[str, Any]]
    lacking: tuple[str, ...]
    nested: tuple[str, ...]

    def members(self, value: Any) -> dict[str, Any]:
        """Return the members of the JSON object."""
        shown = self.values(value)
        for name in self.lacking:
            if shown[name] is None:
                del shown[name]
        for name in self.nested:
            if name in shown:
                shown[name] = as_json(shown[name])
        return shown


@cache
def _reading(kind: type[Any]) -> _Reading | None:
    """Return how a kind of value is read, None if it is no dataclass."""
    if not is_dataclass(kind):
        return None
    hints = get_type_hints(kind)
    names = tuple(name for name, _ in _keys(kind))
    lacking = tuple(name for name, may_lack in _keys(kind) if may_lack)
    nested = tuple(name for name in names if hints[name] is Any or not _is_plain(_without_none(hints[name])))

    def values(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names}

    return _Reading(values if hasattr(kind, "__slots__") else _attributes, lacking, nested)


def _attributes(value: Any) -> dict[str, Any]:
    return vars(value).copy()


def _without_none(hint: Any) -> Any:
    parts = [one for one in get_args(hint) if one is not NoneType]
    return parts[0] if get_origin(hint) in (Union, UnionType) and len(parts) == 1 else hint


@cache
def _keys(answer: type[Any]) -> tuple[tuple[str, bool], ...]:
    """Return the keys of an answer in order, and which of them may be absent."""
    return tuple((one.name, _may_lack(one)) for one in fields(answer))


def _may_lack(one: "Field[Any]") -> bool:
    return one.default is None
