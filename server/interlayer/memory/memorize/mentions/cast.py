"""Who plays a part in a content: those it names and the organization knows, and those it brings in.

A name counts as that of somebody known only where the content does not say that he belongs elsewhere. What several
bear, and nothing beside it tells apart, is nobody's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.memory.entities.resolution import EntityReference, Resolution
from interlayer.memory.log.identifiers import EntityString, fold_name
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.mentions.actors import (
    Actor,
    Types,
    addresses_at,
    domain_of,
    mailboxes_of,
    may_be_called,
    may_be_of,
)
from interlayer.memory.memorize.mentions.known import Known
from interlayer.memory.memorize.mentions.people import Introduction
from interlayer.memory.memorize.mentions.told import AmbiguousMention, Subject
from interlayer.memory.memorize.mentions.words import NOT_NAMES

_SHORT_NAME: Final = 4  # letters that the first word of a company's name needs to stand for it


@dataclass
class Cast:
    """All who play a part in one content; those `present` write, get or are brought in by it."""

    types: Types
    known: Known
    resolution: Resolution
    own_domain: str = ""
    actors: list[Actor] = field(default_factory=list[Actor])
    ambiguous: dict[str, AmbiguousMention] = field(default_factory=dict[str, AmbiguousMention])
    main: Actor | None = None
    present: list[Actor] = field(default_factory=list[Actor])
    learned: str = ""
    """The name of the main person, who had none yet."""

    def of_head(self, head: Head) -> Actor:
        """Return the actor of an entity that is known."""
        for actor in self.actors:
            if actor.head and actor.head.entity == head.entity:
                return actor
        actor = Actor(head.entity.type, head.name, [head.name, *head.names], head)
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
        self.main.call(*reference.display_names)

    def learn(self, name: str) -> None:
        """Note how the main person is called, if nobody has said so before."""
        main = self.main
        is_nameless = main and main.given and not main.given.display_name and not (main.head and main.head.names)
        if main and is_nameless and " " in name.strip() and "@" not in name:
            self.learned = self.learned or name.strip()
            main.call(self.learned)

    def is_main(self, name: str) -> bool:
        """Tell whether a name may be that of the main person, of whom only an address is known."""
        main = self.main
        if not main or main.type != self.types.person or not main.given or main.given.display_name:
            return False
        if main.head and main.head.names:
            return False
        return any(one.partition("@")[0] in mailboxes_of(name) for one in main.addresses)

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
        if isinstance(told, str):
            heads = [one for one in self.known.heads if one.entity.type == self.types.company]
            houses = [one for one in map(self.of_head, heads) if one.bears(fold_name(told))]
            actor.company = houses[0] if len(houses) == 1 else None
        return actor.company

    def at_domain(self, domain: str) -> Actor | None:
        """Return the company whose own a domain is: one that is known, or the one that the call names."""
        given = self.main.given if self.main and self.main.type == self.types.company else None
        if given and domain and domain in {*given.key_identifiers.values(), *given.identifiers.values()}:
            return self.main
        met = (one for one in self.actors if one.type == self.types.company and one.address == domain)
        return (self.holder(self.types.company, "domain", domain) or next(met, None)) if domain else None

    def named(self, form: str, mention: str, at: Sequence[Actor]) -> Actor | None:
        """Return who is meant by a whole name; `at` are the houses that the content is of.

        Raises `LookupError` where nobody, or more than one, may be meant.
        """
        own = [one for one in self.actors if one.bears(form)]
        if self.main in own:
            return self.main
        present = list(dict.fromkeys(one for one in own if one in self.present))
        if len(present) == 1:
            return present[0]
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
        if actor.type != self.types.person or not at or house in at:
            return True
        domains = list(filter(None, map(domain_of, actor.addresses)))
        return house is None and (not domains or any(may_be_of(domain, one) for domain in domains for one in at))

    def short(self, form: str, *, titled: bool) -> Actor | None:
        """Return whom a part of a name means: a first name, a surname, or the beginning of a company's name.

        Raises `LookupError` where it may be several.
        """
        if " " not in form:
            people = [one for one in self.actors if one.type == self.types.person and form in one.words]
            houses = [one for one in self.actors if one.type == self.types.company and one.begins_with(form)]
            if len(people) == 1 and (titled or not houses):
                return people[0]
            if people:
                raise LookupError(form)
        if titled or len(form) < _SHORT_NAME or form in NOT_NAMES:
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
        if not one.address and (guessed := self.by_address(one.name, at) or self._in_short(one.name)):
            guessed.call(one.name)
            return guessed
        if not one.address and (house := self.short(form, titled=bool(one.title))) and house.type == self.types.company:
            return house  # the beginning of a company's name is nobody's
        return self.new(self.types.person, one.name, one.address)

    def _in_short(self, name: str) -> Actor | None:
        """Return who of the content is called so in short, or in full: Jen Lee and Jennifer Lee."""
        people = [one for one in self.actors if one.type == self.types.person]
        alike = [one for one in people if any(may_be_called(name, known) for known in one.names)]
        return alike[0] if len(alike) == 1 else None

    def is_same(self, actor: Actor, address: str) -> bool:
        """Whether an address may be another one of somebody: the same at a new domain of his house."""
        house, local = self.house_of(actor), address.partition("@")[0]
        domain = domain_of(address)
        other = self.at_domain(domain)
        known = [one for one in actor.addresses if one != address]
        if not known:
            return house is None or house is other
        return house is not None and house is other and any(one.partition("@")[0] == local for one in known)

    def by_address(self, name: str, at: Iterable[Actor]) -> Actor | None:
        """Return who has the address at a house that somebody of this name would have, if he may be called so."""
        for house in at:
            for address in addresses_at(name, house):
                actor = self.holder(self.types.person, "email", address)
                if actor and any(may_be_called(name, one) for one in actor.names):
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
