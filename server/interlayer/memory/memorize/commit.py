"""From a decided memory to the one transaction that makes it true: log, head, names, indexes, outbox."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interlayer.memory.entities.resolution import Claim, EntityReference
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.change import EntityChange
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import folded_name
from interlayer.memory.log.properties import Outcome, PropertyState, folded
from interlayer.memory.log.records import EntityId, Head, Memorized
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.storage.items import Operation, Put

SOURCE_PART: Final = 80_000  # characters: at most 320 kB of UTF-8, under the limit of an item


@dataclass(frozen=True, slots=True)
class Change:
    """A memory about to be added to an entity; `stored` is None for an entity that it creates."""

    organization: str
    entity: EntityId
    stored: StoredHead | None
    memory: Memorized
    subject: EntityReference
    claims: tuple[Claim, ...]
    content: str | None
    now: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change comes to: the new head, what became of each property, and the operations."""

    head: Head
    properties: Mapping[str, PropertyState]
    previous: Mapping[str, Any]
    outcomes: Mapping[str, Outcome]
    operations: list[Operation]


def plan(change: Change, view: EntityView, schema: Schema) -> Plan:
    """Return the transaction of a change; `view` is the entity as the change found it."""
    entity_schema = schema.entities[change.entity.type]
    states, outcomes = folded(view.properties, change.memory, entity_schema)
    head = _head(change, {name: state.value for name, state in states.items()})
    made = EntityChange(
        organization=change.organization,
        schema=entity_schema,
        stored=change.stored,
        after=head,
        appended=(change.memory,),
        stated=view.stated,
    )
    operations = [*made.operations(), *_content(change), *_claims(change), *_conflicts(change)]
    previous = {name: state.value for name, state in view.properties.items()}
    return Plan(head, states, previous, outcomes, operations)


def creation(
    organization: str, entity: EntityId, subject: EntityReference, schema: EntitySchema, now: str
) -> list[Operation]:
    """Return the operations that create an entity of which only the name is known yet."""
    head = Head(
        entity=entity,
        name=subject.display_name or subject.entity.key,
        names=subject.display_names,
        identifiers={kind: (value,) for kind, value in subject.key_identifiers.items()},
        revision=0,
        created_at=now,
        updated_at=now,
        properties={},
    )
    made = EntityChange(organization=organization, schema=schema, stored=None, after=head)
    return [
        *made.operations(),
        *_identifier_puts(organization, entity, subject.key_identifiers.items()),
        *_name_claim(organization, entity, subject),
    ]


def _head(change: Change, properties: Mapping[str, Any]) -> Head:
    subject, old = change.subject, change.stored.head if change.stored else None
    names = tuple(dict.fromkeys([*(old.names if old else ()), *subject.display_names]))
    known: dict[str, tuple[str, ...]] = dict(old.identifiers) if old else {}
    for kind, value in _learned(change):
        known[kind] = tuple(dict.fromkeys([*known.get(kind, ()), value]))
    fallback = old.name if old else subject.display_name or subject.entity.key
    return Head(
        entity=change.entity,
        name=subject.name or fallback,
        names=names,
        identifiers=known,
        revision=change.memory.revision,
        created_at=old.created_at if old else change.now,
        updated_at=change.now,
        properties=properties,
        facts=(old.facts if old else 0) + len(change.memory.facts),
        epoch=old.epoch if old else 0,
        absorbed=old.absorbed if old else (),
        oldest=old.since if old and old.revision else change.memory.recorded_at,
    )


def _learned(change: Change) -> list[tuple[str, str]]:
    """Return the identifiers of the call that are not somebody else's."""
    taken = {(claim.kind, claim.value) for claim in change.claims}
    given = [*change.subject.key_identifiers.items(), *change.subject.identifiers.items()]
    return [pair for pair in dict.fromkeys(given) if pair not in taken]


def _content(change: Change) -> Iterator[Operation]:
    content = change.content or ""
    for number, start in enumerate(range(0, len(content), SOURCE_PART)):
        part = {"text": content[start : start + SOURCE_PART]}
        yield Put(keys.source(change.organization, change.memory.id, number), part)


def _claims(change: Change) -> Iterator[Operation]:
    """Claim the identifiers that nobody holds yet."""
    organization, entity, old = change.organization, change.entity, change.stored.head if change.stored else None
    if old is None:
        yield from _name_claim(organization, entity, change.subject)
    known = old.identifiers if old else {}
    fresh = [(kind, value) for kind, value in _learned(change) if value not in known.get(kind, ())]
    yield from _identifier_puts(organization, entity, fresh)


def _identifier_puts(organization: str, entity: EntityId, pairs: Iterable[tuple[str, str]]) -> Iterator[Operation]:
    for kind, value in pairs:
        yield Put(keys.identifier(organization, entity.type, value, kind), {"id": entity.id})


def _name_claim(organization: str, entity: EntityId, subject: EntityReference) -> Iterator[Operation]:
    """Keep two agents that create the same named entity at once from creating two."""
    if not subject.key_identifiers and not subject.entity.is_id:
        folded = folded_name(subject.entity.key)
        yield Put(keys.identifier(organization, entity.type, folded, identifiers.NAME), {"id": entity.id})


def _conflicts(change: Change) -> Iterator[Operation]:
    """Keep each identifier that belongs to somebody else, for an operator to settle."""
    for claim in change.claims:
        body = {
            "entity": {"type": change.entity.type, "id": change.entity.id},
            "owner": {"type": claim.owner.type, "id": claim.owner.id},
            "kind": claim.kind,
            "value": claim.value,
            "memory_id": change.memory.id,
            "at": change.memory.recorded_at,
        }
        yield Put(keys.conflict(change.organization, change.memory.id, claim.kind), body)
