"""Those who play a part in a content, and what of an organization's schema they are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from interlayer.memory.entities.resolution import EntityReference
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.naming.name_index import without_legal_form
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.mentions.told import Subject
from interlayer.memory.schema.schema import Schema
from interlayer.text.mail_domains import is_private_mailbox

ABOUT: Final = "about"
"""The type of relation from what somebody has raised to him and his house."""

_WORD: Final = re.compile(r"[^\W_]+")
_CALLED_LIKE: Final = 4  # letters of a name that a domain has to have
_MAILBOXES: Final = 5  # that are looked up of each stranger: those that name him in full
_LEFT_OUT: Final = 3  # letters that a short form of a first name leaves out at least


@dataclass(eq=False, slots=True)
class Actor:
    """Somebody who plays a part in a content. `company` is where a person works, as far as that is known.

    `given` is whom the call names, `words` its first names and surnames, folded. `linked` says that the content itself
    ties a person to a company, `is_guessed` that a house is known by nothing but the domain of somebody's address.
    """

    type: str
    name: str
    names: list[str]
    head: Head | None = None
    given: EntityReference | None = None
    address: str = ""
    company: "Actor | None" = None
    is_linked: bool = False
    is_guessed: bool = False
    subject: Subject | None = None
    words: set[str] = field(default_factory=set[str])
    _forms: set[str] = field(default_factory=set[str])
    _said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Fold its names."""
        names, self.names = self.names, []
        self.call(*names)

    def call(self, *names: str) -> None:
        """Note what it is called too."""
        for name in names:
            if name not in self.names:
                self.names.append(name)
                folded = fold_name(name)
                self._said.append(folded)
                self._forms |= {folded, without_legal_form(folded)}
                said = folded.split()
                self.words |= {*said[:1], *said[-1:]}

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
        return form in self._forms

    def begins_with(self, form: str) -> bool:
        """Tell whether its name goes on behind some words."""
        return any(name.startswith(f"{form} ") for name in self._said)


@dataclass(frozen=True, slots=True)
class Types:
    """The entity types that play parts: people, houses, and what bears a number.

    `raised` are those of what somebody raises, as tickets are.
    """

    person: str
    company: str
    numbered: Mapping[str, str]
    shapes: Mapping[str, Any]
    raised: frozenset[str]

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
        about = schema.relations.get(ABOUT)
        raised = frozenset(about.sources if about and about.sources else numbered.values())
        return cls(person, company, numbered, shapes, raised)


def domain_of(address: str) -> str:
    """Return the domain of an address that is a house's own, empty for one that anybody may have."""
    domain = address.rpartition("@")[2]
    return "" if is_private_mailbox(domain) else domain


def mailboxes_of(name: str) -> Sequence[str]:
    """Return the mailbox names that somebody's address may have, the likeliest first."""
    said = _WORD.findall(fold_name(name))
    if len(said) < 2:
        return ()
    first, last = said[0], said[-1]
    full = (f"{first}.{last}", f"{first[0]}.{last}", f"{first}{last}", f"{first}_{last}", f"{first[0]}{last}")
    return (*full, f"{last}.{first}", f"{first}-{last}", first, last)


def addresses_at(name: str, house: Actor) -> Iterator[str]:
    """Yield the addresses that somebody is likely to have at a house."""
    for domain in house.head.identifiers.get("domain", ()) if house.head else ():
        for local in mailboxes_of(name)[:_MAILBOXES]:
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


def may_be_of(domain: str, house: Actor) -> bool:
    """Whether a domain that no company bears may be a house's own: it has none, and the domain is called like it."""
    if house.head and house.head.identifiers.get("domain"):
        return False
    return any(is_called_like(domain, name) for name in house.names)


def is_called_like(domain: str, name: str) -> bool:
    """Whether a domain has the first word of a name in it, or is within it."""
    label = "".join(_WORD.findall(domain.rpartition(".")[0]))
    first = "".join(_WORD.findall(next(iter(fold_name(name).split()), "")))
    return len(first) >= _CALLED_LIKE and bool(label) and (first in label or label in first)
