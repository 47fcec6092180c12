"""From a decided memory to the one transaction that makes it true: log, head, names, index, claims, content."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from interlayer.memory.entities.resolution import EntityReference, IdentifierConflict
from interlayer.memory.entities.sight import ORGANIZATION
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.change import EntityChange
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.properties import Outcome, PropertyState, folded, with_values
from interlayer.memory.log.records import EntityId, Head, Labels, Memorized, Relation
from interlayer.memory.memorize.call import PreparedCall, PreparedPart
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.reconciliation.related import Related
from interlayer.memory.schema.schema import EntitySchema
from interlayer.storage.items import Operation, Put

SOURCE_PART: Final = 80_000  # characters: at most 320 kB of UTF-8, under the limit of an item


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """A part of a prepared call as decided against its entity: the memory that it adds, and the head that follows.

    `before` is the head of the entity as it was read, None for an entity that it creates. `view` is the entity as the
    call found it, `told` as much of it as the caller may see, `properties` what the memory makes of that. `related` are
    known facts near to what it adds. `pointers` make the targets of its relations know of them, and `notes` say what is
    to be told of their types.
    """

    prepared: PreparedCall
    part: PreparedPart
    schema: EntitySchema
    before: StoredHead | None
    after: Head
    view: EntityView
    memory: Memorized
    decisions: Sequence[Decision]
    properties: Mapping[str, PropertyState]
    outcomes: Mapping[str, Outcome]
    conflicts: tuple[IdentifierConflict, ...]
    told: EntityView
    related: Sequence[Related] = ()
    conflicts_told: tuple[IdentifierConflict, ...] = ()
    created: bool = False
    name: str = ""
    pointers: Sequence[Operation] = ()
    notes: Mapping[Relation, str] = field(default_factory=dict[Relation, str])

    @property
    def entity(self) -> EntityId:
        """The entity that remembers it."""
        return self.after.entity

    def operations(self) -> list[Operation]:
        """List what makes the change, all or none."""
        organization = self.prepared.call.principal.organization
        change = EntityChange(
            organization=organization,
            schema=self.schema,
            stored=self.before,
            after=self.after,
            appended=(self.memory,),
            relations=self.pointers,
        )
        claims = _claims(organization, self.part.reference, self.before.head if self.before else None, self.after)
        return [
            *change.operations(),
            *claims,
            *self._content(organization),
            *self._conflicts(organization),
        ]

    def _content(self, organization: str) -> Iterator[Operation]:
        """Keep the content with whom it is mainly about, once for all whom it tells of."""
        content = "" if self.memory.part_of else self.prepared.request.content or ""
        for number, start in enumerate(range(0, len(content), SOURCE_PART)):
            part = {"text": content[start : start + SOURCE_PART]}
            yield Put(keys.source(organization, self.memory.id, number), part)

    def _conflicts(self, organization: str) -> Iterator[Operation]:
        """Keep each identifier that belongs to somebody else, for an operator to settle."""
        for one in self.conflicts:
            body = {
                "entity": keys.entity_body(self.entity),
                "owner": keys.entity_body(one.owner),
                "kind": one.kind,
                "value": one.value,
                "memory_id": self.memory.id,
                "at": self.memory.recorded_at,
            }
            yield Put(keys.conflict(organization, self.memory.id, one.kind), body)


def change_of(
    prepared: PreparedCall,
    part: PreparedPart,
    before: StoredHead | None,
    view: EntityView,
    memory: Memorized,
    decisions: Sequence[Decision],
    conflicts: tuple[IdentifierConflict, ...],
    schema: EntitySchema,
    told: EntityView,
) -> MemoryChange:
    """Fold a memory into what is known, and derive the head that follows."""
    states, _ = folded(view.states, memory, schema)
    head = _head(part.reference, before.head if before else None, view.entity, memory, conflicts)
    after = with_values(head, states)
    properties, outcomes = folded(told.states, memory, schema)
    return MemoryChange(
        prepared, part, schema, before, after, view, memory, decisions, properties, outcomes, conflicts, told
    )


def label_of(reference: EntityReference) -> Labels:
    """Return what a reference alone calls an entity."""
    known = {kind: (value,) for kind, value in reference.key_identifiers.items()}
    return Labels(reference.display_name or reference.entity.key, reference.display_names, known)


def creation(
    organization: str, entity: EntityId, reference: EntityReference, schema: EntitySchema, now: str, visibility: str
) -> list[Operation]:
    """List what creates an entity of which only the name is known yet, to those who may see a visibility."""
    label = label_of(reference)
    head = Head(
        entity=entity,
        name=label.name,
        names=label.names,
        identifiers=label.identifiers,
        labels={visibility: label} if visibility else {},
        revision=0,
        created_at=now,
        updated_at=now,
        properties={},
    )
    made = EntityChange(organization=organization, schema=schema, stored=None, after=head)
    return [*made.operations(), *_claims(organization, reference, None, head)]


def _head(
    reference: EntityReference,
    old: Head | None,
    entity: EntityId,
    memory: Memorized,
    conflicts: Iterable[IdentifierConflict],
) -> Head:
    names = tuple(dict.fromkeys([*(old.names if old else ()), *reference.display_names]))
    known: dict[str, tuple[str, ...]] = dict(old.identifiers) if old else {}
    taken = {(one.kind, one.value) for one in conflicts}
    given = [*reference.key_identifiers.items(), *reference.identifiers.items()]
    for kind, value in dict.fromkeys(given):
        if (kind, value) not in taken:
            known[kind] = tuple(dict.fromkeys([*known.get(kind, ()), value]))
    fallback = old.name if old else reference.display_name or reference.entity.key
    return Head(
        entity=entity,
        name=reference.name or fallback,
        names=names,
        identifiers=known,
        revision=memory.revision,
        created_at=old.created_at if old else memory.recorded_at,
        updated_at=memory.recorded_at,
        properties={},
        facts=(old.facts if old else 0) + len(memory.facts),
        epoch=old.epoch if old else 0,
        absorbed=old.absorbed if old else (),
        oldest=old.since if old and old.revision else memory.recorded_at,
        observed=old.observed if old else (),
        labels=_labels(reference, old, memory, taken),
    )


def _labels(
    reference: EntityReference, old: Head | None, memory: Memorized, taken: Collection[tuple[str, str]]
) -> Mapping[str, Labels]:
    """Return what an entity is called by whom, once a memory is not the whole organization's."""
    known = dict(old.labels) if old else {}
    if not memory.visibility and not known:
        return {}
    if old and not known:
        known[ORGANIZATION] = Labels(old.name, old.names, old.identifiers)
    own = known.get(memory.visibility) or replace(label_of(reference), since=memory.revision)
    called = dict(own.identifiers)
    for kind, value in (*reference.key_identifiers.items(), *reference.identifiers.items()):
        if (kind, value) not in taken:
            called[kind] = tuple(dict.fromkeys([*called.get(kind, ()), value]))
    known[memory.visibility] = Labels(
        reference.name or own.name,
        tuple(dict.fromkeys([*own.names, *reference.display_names])),
        called,
        (*own.revisions, *((memory.revision,) if memory.visibility else ())),
        own.since,
        memory.revision if reference.name else own.named,
    )
    return known


def _claims(organization: str, reference: EntityReference, before: Head | None, after: Head) -> Iterator[Operation]:
    """Claim the identifiers that nobody holds yet, and the name of a new entity that has nothing else.

    The claim of a name keeps two agents that create the same named entity at once from creating two.
    """
    entity, known = after.entity, before.identifiers if before else {}
    if before is None and not reference.key_identifiers and not reference.entity.is_id:
        form = identifiers.fold_name(reference.entity.key)
        yield Put(keys.identifier(organization, entity.type, form, identifiers.NAME), {"id": entity.id})
    for kind, values in after.identifiers.items():
        for value in values:
            if value not in known.get(kind, ()):
                yield Put(keys.identifier(organization, entity.type, value, kind), {"id": entity.id})
