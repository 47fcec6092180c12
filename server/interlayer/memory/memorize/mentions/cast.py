"""Who plays a part in a content: those it names and the organization knows, and those it brings in.

A name counts as that of somebody known only where the content does not say that he belongs elsewhere. What several
bear, and nothing beside it tells apart, is nobody's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.language.terms import STOP_WORDS
from interlayer.memory.entities.resolution import EntityReference, Resolution
from interlayer.memory.log.identifiers import EntityString, fold_name
from interlayer.memory.log.name_index import without_legal_form
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.mentions.known import Identifier, Known
from interlayer.memory.memorize.mentions.people import Introduction
from interlayer.memory.memorize.mentions.told import AmbiguousMention, Subject
from interlayer.memory.memorize.mentions.words import HOUSES, NO_NAMES
from interlayer.memory.schema.schema import Schema
from interlayer.text.mailboxes import is_private_mailbox

_WORD: Final = re.compile(r"[^\W_]+")
_SHORT_NAME: Final = 4  # letters that the first word of a company's name needs to stand for it
_ALIKE: Final = 2  # letters that a first name and its short form begin with alike


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


@dataclass
class Cast:
    """All who play a part in one content."""

    types: Types
    known: Known
    resolution: Resolution
    own_domain: str = ""
    actors: list[Actor] = field(default_factory=list[Actor])
    ambiguous: dict[str, AmbiguousMention] = field(default_factory=dict[str, AmbiguousMention])
    main: Actor | None = None

    def of_head(self, head: Head) -> Actor:
        """Return the actor of an entity that is known."""
        for actor in self.actors:
            if actor.head and actor.head.entity == head.entity:
                return actor
        actor = Actor(head.entity.type, head.name, list(dict.fromkeys([head.name, *head.names])), head)
        self.actors.append(actor)
        return actor

    def set_main(self, reference: EntityReference | None) -> None:
        """Take in whom the call names."""
        if reference is None:
            return
        if self.known.main:
            self.main = self.of_head(self.known.main)
        else:
            name = reference.display_name or reference.entity.key
            self.main = Actor(reference.entity.type, name, [name])
            self.actors.append(self.main)
        self.main.given = reference
        emails = {**reference.key_identifiers, **reference.identifiers}
        self.main.address = reference.identifiers.get("email") or ("" if self.main.head else emails.get("email", ""))
        self.main.names = list(dict.fromkeys([*self.main.names, *reference.display_names]))

    def new(self, kind: str, name: str, address: str = "") -> Actor | None:
        """Add somebody who is new; None where nobody can be called so."""
        try:
            self.resolution.parse(f"{kind}:{address or name}")
        except InvalidInput:
            return None
        actor = Actor(kind, name, [name], address=address)
        self.actors.append(actor)
        return actor

    def holder(self, kind: str, of: str, value: str) -> Actor | None:
        """Return who bears an identifier."""
        head = self.known.held.get((kind, of, value))
        return self.of_head(head) if head else None

    def house_of(self, actor: Actor) -> Actor | None:
        """Return where a person works: as the content says, or by the own domain of his newest address."""
        if actor.company or actor.type != self.types.person:
            return actor.company
        for address in actor.addresses:
            domain = domain_of(address)
            company = self.at_domain(domain)
            if company:
                actor.company = company
                return company
        told = actor.head.properties.get("company") if actor.head else None
        named = self.known.named.get(fold_name(told), []) if isinstance(told, str) else []
        houses = [one for one in named if one.entity.type == self.types.company]
        if len(houses) == 1:
            actor.company = self.of_head(houses[0])
        return actor.company

    def at_domain(self, domain: str) -> Actor | None:
        """Return the company whose own a domain is: one that is known, or the one that the call names."""
        given = self.main.given if self.main and self.main.type == self.types.company else None
        if given and domain and domain in {*given.key_identifiers.values(), *given.identifiers.values()}:
            return self.main
        return self.holder(self.types.company, "domain", domain) if domain else None

    def named(self, form: str, mention: str, at: Sequence[Actor]) -> Actor | None:
        """Return who is meant by a whole name; `at` are the houses that the content is of.

        Raises `LookupError` where nobody, or more than one, may be meant.
        """
        own = [one for one in self.actors if one.bears(form)]
        if self.main in own:
            return self.main
        heads = self.known.named.get(form, [])
        candidates = list(dict.fromkeys([*own, *(self.of_head(head) for head in heads)]))
        houses = [one for one in candidates if one.type == self.types.company]
        if len(houses) == 1:
            return houses[0]
        fitting = [one for one in candidates if self._fits(one, at)]
        if len(fitting) > 1:
            here = [one for one in fitting if self.house_of(one) in at]
            fitting = here or fitting
        if len(fitting) == 1:
            return fitting[0]
        if candidates:
            refs = tuple(one.entity.ref for one in candidates if one.entity)
            if refs:
                self.ambiguous[form] = AmbiguousMention(mention, refs)
            raise LookupError(form)
        return None

    def _fits(self, actor: Actor, at: Sequence[Actor]) -> bool:
        """Whether nothing speaks against that somebody is meant: he works at none but the houses of the content."""
        house = self.house_of(actor)
        return actor.type != self.types.person or house is None or not at or house in at

    def short(self, form: str, *, titled: bool) -> Actor | None:
        """Return whom a part of a name means: a first name, a surname, or the beginning of a company's name.

        Raises `LookupError` where it may be several.
        """
        if " " not in form:
            people = [one for one in self.actors if one.type == self.types.person and one.has_word(form)]
            if len(people) == 1:
                return people[0]
            if people:
                raise LookupError(form)
        if titled or len(form) < _SHORT_NAME or form in STOP_WORDS | NO_NAMES | HOUSES:
            return None
        houses = [one for one in self.actors if one.type == self.types.company and one.begins_with(form)]
        if len(houses) > 1:
            raise LookupError(form)
        return houses[0] if houses else None

    def meet(self, one: Introduction, at: Sequence[Actor]) -> Actor | None:
        """Return somebody who is brought in: who is known by the address or the name, or somebody new.

        Raises `LookupError` where several may be meant.
        """
        form = fold_name(one.name)
        if one.address and (held := self.holder(self.types.person, "email", one.address)):
            return held
        try:
            found = self.named(form, one.name, at)
        except LookupError:
            if not one.address:
                raise
            found = None
        if found and (not one.address or found.address == one.address or self.is_same(found, one.address)):
            return found
        if not one.address and (guessed := self.by_address(one.name, at)):
            guessed.names.append(one.name)
            return guessed
        return self.new(self.types.person, one.name, one.address)

    def is_same(self, actor: Actor, address: str) -> bool:
        """Whether an address may be another one of somebody: his house has a new domain, and he the same place there."""
        house, local = self.house_of(actor), address.partition("@")[0]
        domain = domain_of(address)
        other = self.at_domain(domain)
        known = [one for one in actor.addresses if one != address]
        if not known:
            return True
        return house is not None and house is other and any(one.partition("@")[0] == local for one in known)

    def by_address(self, name: str, at: Iterable[Actor]) -> Actor | None:
        """Return who has the address at a house that somebody of this name would have, if he may be called so."""
        for house in at:
            for address in addresses_at(name, house):
                actor = self.holder(self.types.person, "email", address)
                if actor and any(_may_be_called(name, one) for one in actor.names):
                    return actor
        return None

    def subject(self, actor: Actor | None) -> Subject | None:
        """Return an actor as a subject, None for the main one."""
        if actor is None or actor is self.main:
            return None
        actor.subject = actor.subject or self._subject(actor)
        return actor.subject

    def main_subject(self) -> Subject | None:
        """Return the main actor as a subject."""
        return self._subject(self.main) if self.main else None

    def _subject(self, actor: Actor) -> Subject:
        names = tuple(dict.fromkeys([actor.name, *actor.names]))
        if actor.head:
            entity = EntityString(actor.head.entity.type, actor.head.entity.id)
            given = self.identifiers_of(actor)
            return Subject(EntityReference(entity, given, None, {}), actor.head.entity, actor.name, names)
        key = actor.address or actor.name
        name = actor.name if actor.address and actor.name != actor.address else None
        return Subject(self.resolution.parse(f"{actor.type}:{key}", None, name), None, actor.name, names)

    def identifiers_of(self, actor: Actor) -> Mapping[str, str]:
        """Return what a known actor is recognised by from now on: the address that the content gives him."""
        known = actor.head.identifiers.get("email", ()) if actor.head else ()
        is_new = actor.address and actor.address not in known and known
        return {"email": actor.address} if is_new and actor.type == self.types.person else {}


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


def _may_be_called(name: str, known: str) -> bool:
    """Whether two names may be one person's: the same surname, and a first name or a short form of it."""
    one, other = fold_name(name).split(), fold_name(known).split()
    return bool(one and other) and one[-1] == other[-1] and one[0][:_ALIKE] == other[0][:_ALIKE]


def wanted_of(
    cast: Cast, introduced: Sequence[Introduction], heads: Iterable[Head]
) -> tuple[set[Identifier], set[str]]:
    """Return what has still to be looked up once people are known: the domains and companies of those people.

    And, of those who are brought in under names that nobody bears, the addresses that they are likely to have.
    """
    person, company = cast.types.person, cast.types.company
    identifiers: set[Identifier] = set()
    names: set[str] = set()
    houses: list[Actor] = []
    for head in heads:
        if head.entity.type == person:
            for address in head.identifiers.get("email", ()):
                if domain := domain_of(address):
                    identifiers.add((company, "domain", domain))
            if isinstance(told := head.properties.get("company"), str):
                names.add(fold_name(told))
        elif head.entity.type == company:
            houses.append(Actor(company, head.name, [head.name], head))
    for one in introduced:
        if not one.address and fold_name(one.name) not in cast.known.named:
            identifiers |= {(person, "email", address) for house in houses for address in addresses_at(one.name, house)}
    return identifiers - set(cast.known.held), names - set(cast.known.named)
