"""Those who play a part in a content, and what of an organization's schema they are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interlayer.memory.entities.resolution import EntityReference
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.name_index import without_legal_form
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.mentions.told import Subject
from interlayer.memory.schema.schema import Schema
from interlayer.text.mailboxes import is_private_mailbox

_WORD: Final = re.compile(r"[^\W_]+")
_LEFT_OUT: Final = 3  # letters that a short form of a first name leaves out at least


@dataclass(eq=False, slots=True)
class Actor:
    """Somebody who plays a part in a content. `company` is where a person works, as far as that is known.

    `given` is whom the call names. `linked` says that the content itself ties a person to a company.
    """

    type: str
    name: str
    names: list[str]
    head: Head | None = None
    given: EntityReference | None = None
    address: str = ""
    company: "Actor | None" = None
    is_linked: bool = False
    is_own: bool = False
    subject: Subject | None = None

    @property
    def entity(self) -> EntityId | None:
        """Who it is, None for somebody new."""
        return self.head.entity if self.head else None

    @property
    def addresses(self) -> list[str]:
        """The e-mail addresses, that of this content first, then the newest."""
        known = list(reversed(self.head.identifiers.get("email", ()))) if self.head else []
        return list(dict.fromkeys(one for one in (self.address, *known) if one))

    def bears(self, form: str) -> bool:
        """Tell whether it is called so, in full."""
        return any(form in {fold_name(name), without_legal_form(fold_name(name))} for name in self.names)

    def has_word(self, word: str) -> bool:
        """Tell whether a word is its first name or its surname."""
        return any(word in {said[0], said[-1]} for name in self.names if (said := fold_name(name).split()))

    def begins_with(self, form: str) -> bool:
        """Tell whether its name goes on behind some words."""
        return any(fold_name(name).startswith(f"{form} ") for name in self.names)


@dataclass(frozen=True, slots=True)
class Types:
    """The entity types that play parts: people, houses, and what bears a number."""

    person: str
    company: str
    numbered: Mapping[str, str]
    shapes: Mapping[str, Any]

    @classmethod
    def of(cls, schema: Schema) -> "Types":
        """Find them in a schema, empty where it has none."""
        person = next((kind for kind, one in schema.entities.items() if "he" in one.pronouns), "")
        company = next(
            (kind for kind, one in schema.entities.items() if "domain" in one.identifiers and kind != person), ""
        )
        numbered = {
            identifier: kind
            for kind, one in schema.entities.items()
            for identifier in one.identifiers
            if kind not in {person, company} and schema.identifiers[identifier].shape is not None
        }
        shapes = {identifier: schema.identifiers[identifier].shape for identifier in numbered}
        return cls(person, company, numbered, shapes)


def domain_of(address: str) -> str:
    """Return the domain of an address that is a house's own, empty for one that anybody may have."""
    domain = address.rpartition("@")[2]
    return "" if is_private_mailbox(domain) else domain


def addresses_at(name: str, house: Actor) -> Iterator[str]:
    """Yield the addresses that somebody is likely to have at a house."""
    said = _WORD.findall(fold_name(name))
    if len(said) < 2 or not house.head:
        return
    first, last = said[0], said[-1]
    for domain in house.head.identifiers.get("domain", ()):
        for local in (
            f"{first}.{last}",
            f"{first[0]}.{last}",
            f"{first}{last}",
            f"{first}_{last}",
            f"{first[0]}{last}",
        ):
            yield f"{local}@{domain}"


def may_be_called(name: str, known: str) -> bool:
    """Whether two names may be one person's: the same surname, and a first name or a short form of it.

    Paul and Paula are two: a short form leaves out more than an ending.
    """
    one, other = fold_name(name).split(), fold_name(known).split()
    if not one or not other or one[-1] != other[-1]:
        return False
    short, long = sorted((one[0].rstrip("."), other[0].rstrip(".")), key=len)
    return short == long or (long.startswith(short) and len(long) - len(short) >= _LEFT_OUT)
