"""Any answer as lines: its plain values in one line, each part in one of its own; what is empty is left out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

Answer = Mapping[str, Any]
"""A structured answer, or a part of one, as JSON values."""

_SEPARATOR: Final = "; "


def outline(answer: Answer, skip: Collection[str] = ()) -> str:
    """Return an answer as lines; fields of `skip` are told by the caller."""
    plain = {name: value for name, value in answer.items() if name not in skip and not _is_part(value)}
    lines = [pairs(plain)] if any(_says(value) for value in plain.values()) else []
    for name, value in answer.items():
        if name not in skip and _is_part(value) and value:
            lines += part(name, value)
    return "\n".join(lines)


def part(name: str, value: Any) -> list[str]:
    """Return a part of an answer under its name; nothing for one that is empty."""
    if not value:
        return []
    if isinstance(value, Mapping):
        return [f"{words(name)}: {pairs(value)}"]
    return [f"{words(name)}:", *(f"- {said(one)}" for one in value)]


def pairs(value: Answer, skip: Collection[str] = ()) -> str:
    """Return the fields of an object with their names, in one line."""
    told = (f"{words(name)} {said(one)}" for name, one in value.items() if name not in skip and _says(one))
    return _SEPARATOR.join(told)


def said(value: Any) -> str:
    """Return a value in one line; an object with the names of its fields."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return pairs(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(f"({said(one)})" if isinstance(one, Mapping) else said(one) for one in value)
    return str(value)


def words(name: str) -> str:
    """Return the name of a field as words."""
    return name.replace("_", " ")


def _is_part(value: Any) -> bool:
    """Whether a value has lines of its own: objects and lists of them, and texts by name."""
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(one, Mapping) for one in value))


def _says(value: Any) -> bool:
    """Whether a value says anything: no, 0 and none do."""
    return value not in ("", [], {})
