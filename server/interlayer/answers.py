"""What all answers share: they are frozen dataclasses, with one way to JSON and one to a JSON schema.

The fields of an answer are the keys that callers see. A field with the default None may be absent: JSON leaves it out
while it is None, and the schema does not require it. Every other field is always there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

_NAMES: Final[Mapping[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def as_json(value: Any) -> Any:
    """Return an answer, or a part of one, as JSON values: objects, arrays, texts, numbers, null."""
    kind: type[Any] = type(value)
    if kind in _NAMES or value is None:
        return value
    if is_dataclass(kind):
        given = ((name, getattr(value, name), may_lack) for name, may_lack in _keys(kind))
        return {name: as_json(one) for name, one, may_lack in given if one is not None or not may_lack}
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [as_json(one) for one in value]
    return value


def schema_of(answer: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of an answer: every field by name and type, without references.

    It leaves room for keys to come. Raises `TypeError` for a type that no answer may hold.
    """
    hints = get_type_hints(answer)
    named = {one.name: _schema(hints[one.name]) for one in fields(answer)}
    return {
        "type": "object",
        "properties": named,
        "required": [one.name for one in fields(answer) if not _may_lack(one)],
    }


def _schema(hint: Any) -> dict[str, Any]:
    if hint is Any:
        return {}
    if hint in _NAMES:
        return {"type": _NAMES[hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        return schema_of(hint)
    return _composed(hint, get_origin(hint), [one for one in get_args(hint) if one is not NoneType])


def _composed(hint: Any, origin: Any, parts: list[Any]) -> dict[str, Any]:
    if origin is Literal:
        return {"type": "string", "enum": parts}
    if origin in (Union, UnionType) and len(parts) == 1:
        return _schema(parts[0])
    if origin is tuple and parts[1:] == [...]:
        return {"type": "array", "items": _schema(parts[0])}
    if origin is Mapping and parts[0] is str:
        return {"type": "object", "additionalProperties": _schema(parts[1]) or True}
    raise TypeError(f"{hint} is no type of an answer")


@cache
def _keys(answer: type[Any]) -> tuple[tuple[str, bool], ...]:
    """Return the keys of an answer in order, and which of them may be absent."""
    return tuple((one.name, _may_lack(one)) for one in fields(answer))


def _may_lack(one: "Field[Any]") -> bool:
    return one.default is None
