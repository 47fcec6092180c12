"""From a decided memory to the one transaction that makes it true: log, head, names, indexes, outbox."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Final, TypeVar

from interlayer.memory.entities.resolution import Claim, EntityReference
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import folded_name
from interlayer.memory.log.properties import Outcome, PropertyState, folded
from interlayer.memory.log.records import (
    Confirmation,
    EntityId,
    FactRecord,
    Head,
    Memory,
    head_body,
    memory_body,
    part_body,
)
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.storage.items import ABSENT, Delete, Operation, Put

SOURCE_PART: Final = 80_000  # characters: at most 320 kB of UTF-8, under the limit of an item
_CHUNK_BYTES: Final = 120_000
_STATEMENT_OVERHEAD: Final = 200  # its id, confidence, time and place beside the words


@dataclass(frozen=True, slots=True)
class Change:
    """A memory about to be added to an entity; `stored` is None for an entity that it creates."""

    organization: str
    entity: EntityId
    stored: StoredHead | None
    memory: Memory
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
    operations: list[Operation] = [
        Put(keys.head(change.organization, change.entity), head_body(head), _version(change)),
        *_log(change),
        *_names(change, head),
        *_index(change, head, entity_schema),
        *_relations(change, view),
        *_conflicts(change),
        Put(keys.outbox(change.organization, change.memory.id), _address(change)),
    ]
    previous = {name: state.value for name, state in view.properties.items()}
    return Plan(head, states, previous, outcomes, operations)


def creation(organization: str, entity: EntityId, subject: EntityReference, now: str) -> list[Operation]:
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
    return [
        Put(keys.head(organization, entity), head_body(head)),
        Put(keys.listing(organization, entity.type, entity.id), {}),
        *_identifier_puts(organization, entity, subject.key_identifiers.items()),
        *_name_puts(organization, entity, head.names),
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


def _log(change: Change) -> Iterator[Operation]:
    yield from log_puts(change.organization, change.entity, change.memory)
    content = change.content or ""
    for number, start in enumerate(range(0, len(content), SOURCE_PART)):
        part = {"text": content[start : start + SOURCE_PART]}
        yield Put(keys.source(change.organization, change.memory.id, number), part)
    yield Put(keys.memory_place(change.organization, change.memory.id), _address(change))


def log_puts(organization: str, entity: EntityId, memory: Memory) -> Iterator[Put]:
    """Yield the items of one memory: the first holds all but the statements that do not fit, further ones those."""
    parts = zip_longest(_chunks(memory.facts), _chunks(memory.confirms), fillvalue=())
    for number, (facts, confirms) in enumerate(parts):
        if number == 0:
            first = replace(memory, facts=facts, confirms=confirms)
            yield Put(keys.memory(organization, entity, memory.revision), memory_body(first))
        else:
            yield Put(keys.memory(organization, entity, memory.revision, number), part_body(facts, confirms))


Statement = TypeVar("Statement", FactRecord, Confirmation)


def _chunks(statements: Sequence[Statement]) -> Iterator[tuple[Statement, ...]]:
    """Yield the statements in portions of which two fit into an item; at least one portion, empty or not."""
    chunk: list[Statement] = []
    size = 0
    for statement in statements:
        needed = len(json.dumps(statement.text, ensure_ascii=False).encode()) + _STATEMENT_OVERHEAD
        if chunk and size + needed > _CHUNK_BYTES:
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(statement)
        size += needed
    yield tuple(chunk)


def _names(change: Change, head: Head) -> Iterator[Operation]:
    organization, entity, old = change.organization, change.entity, change.stored.head if change.stored else None
    if old is None:
        yield Put(keys.listing(organization, entity.type, entity.id), {})
        yield from _name_claim(organization, entity, change.subject)
    known = old.identifiers if old else {}
    fresh = [(kind, value) for kind, value in _learned(change) if value not in known.get(kind, ())]
    yield from _identifier_puts(organization, entity, fresh)
    before = {folded_name(name) for name in (old.names if old else ())}
    yield from _name_puts(organization, entity, [name for name in head.names if folded_name(name) not in before])


def _identifier_puts(organization: str, entity: EntityId, pairs: Iterable[tuple[str, str]]) -> Iterator[Operation]:
    for kind, value in pairs:
        yield Put(keys.identifier(organization, entity.type, value, kind), {"id": entity.id})


def _name_puts(organization: str, entity: EntityId, names: Sequence[str]) -> Iterator[Operation]:
    for form in dict.fromkeys(folded_name(name) for name in names):
        yield Put(keys.name(organization, entity.type, form, entity.id), {})


def _name_claim(organization: str, entity: EntityId, subject: EntityReference) -> Iterator[Operation]:
    """Keep two agents that create the same named entity at once from creating two."""
    if not subject.key_identifiers and not subject.entity.is_id:
        folded = folded_name(subject.entity.key)
        yield Put(keys.identifier(organization, entity.type, folded, identifiers.NAME), {"id": entity.id})


def _index(change: Change, head: Head, schema: EntitySchema) -> Iterator[Operation]:
    old = change.stored.head.properties if change.stored else {}
    yield from index_changes(change.organization, change.entity, old, head.properties, schema)


def index_changes(
    organization: str, entity: EntityId, old: Mapping[str, Any], new: Mapping[str, Any], schema: EntitySchema
) -> Iterator[Operation]:
    """Yield what moves an entity from its old to its new place in the index of every property that changed."""
    for name, declared in schema.current.items():
        if not declared.indexed or old.get(name) == new.get(name):
            continue
        before = keys.index(organization, entity.type, name, old[name], entity.id) if name in old else None
        after = keys.index(organization, entity.type, name, new[name], entity.id) if name in new else None
        if before == after:
            continue
        if before:
            yield Delete(before)
        if after:
            yield Put(after, {}, ABSENT)


def _relations(change: Change, view: EntityView) -> Iterator[Operation]:
    for relation in change.memory.relations:
        if relation in view.stated:
            continue
        place = keys.relation(change.organization, relation.target, relation.type, change.entity)
        yield Put(place, {"memory_id": change.memory.id, "recorded_at": change.memory.recorded_at})


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


def _address(change: Change) -> dict[str, Any]:
    entity = {"type": change.entity.type, "id": change.entity.id}
    return {"entity": entity, "revision": change.memory.revision}


def _version(change: Change) -> int:
    return change.stored.version if change.stored else ABSENT
