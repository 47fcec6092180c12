"""Relations and the properties that say the same are one truth: what a call says of the one, it says of the other.

A value that names a known entity makes the relation; a relation sets the value, and one that is over takes it away.
Whoever bears a mail address of a known company's own domain is taken to belong to it, unless something else is known.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from interlayer.errors import Ambiguous, InvalidInput
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, identity_of
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.identifiers import EntityString, parse_entity
from interlayer.memory.log.properties import CONFIDENCE_LEAST
from interlayer.memory.log.records import EntityId, Head, Observation, RelationRecord
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.memory.schema.types import ValueProblem
from interlayer.text.mail_domains import is_private_mailbox

DOMAIN_CONFIDENCE: Final = 0.45  # of what nobody says: it displaces nothing that anybody does


@dataclass(frozen=True, slots=True)
class Linked:
    """What a call says of an entity, relations and values, with what follows from either."""

    relations: tuple[RelationRecord, ...]
    values: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """An entity of which a call tells, as those know it who will see the memory, its caller too: the `audience`.

    `called` is what the call names the targets of its relations by, `made` whom it creates, `reached` whom it tells of,
    by what names them (`EntityReference.identity`), and `heads` those of them that were known, as they were read.
    `observed_at` is the time of the call, and `beside` says that there is content beside what the caller states.
    """

    organization: str
    reference: EntityReference
    head: Head | None
    view: EntityView
    audience: Sight
    called: Mapping[EntityId, str]
    made: frozenset[EntityId]
    reached: Mapping[tuple[str, ...], EntityId]
    heads: Mapping[EntityId, Head]
    observed_at: str
    beside: bool


class Links:
    """Finds what follows from the relations, the values and the identifiers of an entity."""

    def __init__(self, entities: Entities, schema: Schema) -> None:
        self._entities = entities
        self._schema = schema

    async def follow(self, at: Linking, relations: Sequence[RelationRecord], values: Sequence[Observation]) -> Linked:
        """Add the relations that values and mail addresses stand for, and the values that relations stand for."""
        schema = self._schema.entities[at.reference.entity.type]
        mirrored = schema.mirrored
        if not mirrored:
            return Linked(tuple(relations), tuple(values))
        named: dict[EntityId, str] = {}
        found = [*relations, *[one async for one in self._of_values(at, schema, relations, values, named)]]
        taken = {one.type for one in found} | {mirrored[one.name] for one in values if one.name in mirrored}
        found += [one async for one in self._of_addresses(at, schema, taken, named)]
        linked = [one for one in found if one.type in mirrored.values()]
        given = {one.name for one in values}
        if not linked or mirrored.keys() <= given:
            return Linked(tuple(found), tuple(values))
        names = {
            **at.called,
            **await self._names(at, [one.target for one in linked if one.target not in named]),
            **named,
        }
        return Linked(tuple(found), (*values, *_values_of(at, schema, linked, names, given)))

    async def _of_values(
        self,
        at: Linking,
        schema: EntitySchema,
        stated: Sequence[RelationRecord],
        values: Sequence[Observation],
        named: dict[EntityId, str],
    ) -> AsyncGenerator[RelationRecord]:
        """Yield the relations to known entities that values name, beside those that are stated."""
        types = {one.type for one in stated if not one.ended}
        for seen in values:
            kind = schema.mirrored.get(seen.name)
            if seen.remove or kind is None or kind in types:
                continue
            declared = schema.current[seen.name]
            is_reference = declared.type == "reference"
            names = [seen.value] if is_reference else [f"{target}:{seen.value}" for target in declared.target]
            if target := await self._first_known(at, names, named):
                span = None if seen.given else seen.span
                when = "" if seen.observed_at == at.observed_at else seen.observed_at
                yield RelationRecord(kind, target, when, seen.confidence, span=span)

    async def _of_addresses(
        self, at: Linking, schema: EntitySchema, taken: Collection[str], named: dict[EntityId, str]
    ) -> AsyncGenerator[RelationRecord]:
        """Yield the relation to a company whose domain is in a mail address that the entity did not bear before."""
        domains = list(_domains(at.reference, at.head)) if at.audience.places else []
        for name, kind in schema.mirrored.items() if domains else ():
            if kind in taken or name in at.view.properties or _is_stated(kind, at.view):
                continue
            targets = schema.current[name].target
            kinds = [one for one in targets if "domain" in self._schema.entities[one].identifiers]
            names = [f"{one}:{domain}" for domain in domains for one in kinds]
            if target := await self._first_known(at, names, named):
                yield RelationRecord(kind, target, confidence=DOMAIN_CONFIDENCE)

    async def _first_known(self, at: Linking, names: Iterable[str], named: dict[EntityId, str]) -> EntityId | None:
        """Return the first entity of some names, if all who will see the call may know it by that."""
        for name in names:
            with suppress(InvalidInput, Ambiguous):
                parsed = parse_entity(name, self._schema)
                entity = at.reached.get(identity_of(parsed, self._schema))
                entity = entity or await self._entities.resolve(at.organization, parsed, at.audience)
                shown = await self._shown(at, head, parsed) if (head := await self._head(at, entity)) else None
                if shown:
                    named[shown.entity] = shown.name
                    return shown.entity
        return None

    async def _head(self, at: Linking, entity: EntityId | None) -> Head | None:
        if entity is None or entity in at.heads:
            return at.heads.get(entity) if entity else None
        stored = await self._entities.head(at.organization, entity)
        return stored.head if stored else None

    async def _names(self, at: Linking, targets: Sequence[EntityId]) -> dict[EntityId, str]:
        heads = [at.heads[one] for one in targets if one in at.heads]
        unread = [one for one in targets if one not in at.heads and one not in at.made]
        heads += await self._entities.heads(at.organization, unread) if unread else []
        shown = [await self._shown(at, head) for head in heads]
        return {head.entity: head.name for head in shown if head}

    async def _shown(self, at: Linking, head: Head, parsed: EntityString | None = None) -> Head | None:
        return await self._entities.shown(at.organization, head, at.audience, parsed)


def _values_of(
    at: Linking,
    schema: EntitySchema,
    relations: Sequence[RelationRecord],
    names: Mapping[EntityId, str],
    given: Collection[str],
) -> Iterator[Observation]:
    """Yield the values of properties that relations say as well, but for the properties that are given."""
    for name, kind in schema.mirrored.items():
        declared = schema.current[name]
        least = max(declared.minimum_confidence, CONFIDENCE_LEAST)  # an address alone tells no value
        of_kind = [one for one in relations if one.type == kind and one.confidence >= least]
        if name in given:
            continue
        for one in sorted(of_kind, key=lambda said: not said.ended):  # what goes makes room for what comes
            called = one.target.ref if declared.type == "reference" else names.get(one.target, "")
            known = at.view.linked.value_of(one.relation) if one.ended else None
            with suppress(ValueProblem):
                yield Observation(
                    name,
                    declared.normal(known or called),
                    one.confidence,
                    one.observed_at or at.observed_at,
                    one.span,
                    given=at.beside,  # it stays as long as the relation, which a later reading leaves alone
                    remove=one.ended,
                    derived=True,
                )


def _is_stated(kind: str, view: EntityView) -> bool:
    return any(one.relation.type == kind and one.status == "current" for one in view.relations.values())


def _domains(reference: EntityReference, head: Head | None) -> Iterator[str]:
    """Yield the domains of mail addresses that are new of an entity, but for those that give mailboxes to anybody."""
    known = head.identifiers.get("email", ()) if head else ()
    for given in (reference.key_identifiers, reference.identifiers):
        address = given.get("email", "")
        domain = address.rpartition("@")[2]
        if domain and address not in known and not is_private_mailbox(domain):
            yield domain
