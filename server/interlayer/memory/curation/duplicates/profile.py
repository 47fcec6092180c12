"""What can tell that two entities are one: the words of their names, their identifiers, the values of properties."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interlayer.memory.log.identifiers import GENERIC, fold_name
from interlayer.memory.log.naming.called import LOOK_ALIKE
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import EntitySchema
from interlayer.text.confusables import look_alike, skeleton, without_accents
from interlayer.text.mail_domains import is_private_mailbox

NAME: Final = "name"
MAIL_NAME: Final = "mailbox"
MAIL_DOMAIN: Final = "domain"
PHONE: Final = "phone"
_DIGITS: Final = 7
"""Digits at the end of a phone number that stay the same, however the rest is dialled."""

_WORD: Final = re.compile(r"[^\W_]+")
_IDENTIFIERS_MAX: Final = 20
_COMPARED_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class Profile:
    """An entity as duplicates are sought by.

    `words` are those of its name; letters that look alike are one. `marks` are values by field, each of which two may
    share; of a `steady` field another value says more against a pair than of one that changes. `is_named` says that it
    has an identifier, `absorbed` which entities are a part of it.
    """

    entity: EntityId
    name: str
    updated_at: str
    words: tuple[str, ...]
    marks: Mapping[str, frozenset[str]]
    steady: frozenset[str]
    is_named: bool = False
    absorbed: tuple[EntityId, ...] = ()

    @classmethod
    def of(cls, head: Head, schema: EntitySchema) -> "Profile":
        """Read the profile of an entity."""
        marks: dict[str, set[str]] = {}
        for field, value in (*_identifier_marks(head), *_property_marks(head)):
            marks.setdefault(field, set()).add(value[:_COMPARED_CHARACTERS])
        steady = {name for name, declared in schema.current.items() if declared.update == "keep_first"}
        return cls(
            entity=head.entity,
            name=head.name,
            updated_at=head.updated_at,
            words=_words(head),
            marks={field: frozenset(values) for field, values in marks.items()},
            steady=frozenset(steady | {kind for kind in head.identifiers if kind not in _SHARED_KINDS}),
            is_named=bool(head.identifiers),
            absorbed=head.absorbed,
        )

    def imitates(self, other: "Profile") -> bool:
        """Tell whether two differ in nothing but characters that look alike, in their names or mail domains."""
        mine, theirs = self.marks.get(MAIL_DOMAIN, ()), other.marks.get(MAIL_DOMAIN, ())
        same_name = bool(self.words) and sorted(self.words) == sorted(other.words)
        if same_name and any(look_alike(one, another) for one in mine for another in theirs):
            return True
        return same_name and sorted(_spoken(self.name)) != sorted(_spoken(other.name))

    def shown(self, field: str) -> str:
        """Return what the entity has in a field, as people read it."""
        return self.name if field in {NAME, LOOK_ALIKE} else ", ".join(sorted(self.marks.get(field, ())))


_SHARED_KINDS: Final = frozenset({"email", "phone", "domain", GENERIC})
"""Kinds of identifier of which one entity may well have several."""


def _words(head: Head) -> tuple[str, ...]:
    """Return the words of the display name; of an entity that is called by an identifier there are none."""
    known = {value for values in head.identifiers.values() for value in values}
    folded = fold_name(head.name)
    return () if folded in known else tuple(_WORD.findall(skeleton(folded)))


def _spoken(name: str) -> list[str]:
    return _WORD.findall(without_accents(fold_name(name)))


def _identifier_marks(head: Head) -> Iterator[tuple[str, str]]:
    for kind, values in head.identifiers.items():
        for value in values[:_IDENTIFIERS_MAX]:
            if kind == "email":
                yield from _mail(value)
            elif kind == "phone":
                yield PHONE, value[-_DIGITS:]
            else:
                yield kind, value


def _property_marks(head: Head) -> Iterator[tuple[str, str]]:
    for name, value in head.properties.items():
        for one in value if isinstance(value, list) else [value]:
            text = _text(one)
            if "@" in text and " " not in text:
                yield from _mail(text)
            elif text:
                yield name, text


def _mail(address: str) -> Iterator[tuple[str, str]]:
    local, _, domain = address.partition("@")
    yield MAIL_NAME, local
    if not is_private_mailbox(domain):
        yield MAIL_DOMAIN, domain


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values())
    return fold_name(str(value))
