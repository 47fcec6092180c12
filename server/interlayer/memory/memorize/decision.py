"""What a part of a call adds to its entity as that stands now: decided against what those see who will see the call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import anyio.to_thread
import numpy as np

from interlayer.ids import Clock, timestamp
from interlayer.language.change import announces_change
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution, ResolvedEntity
from interlayer.memory.entities.sight import ORGANIZATION, Sight, audience_of
from interlayer.memory.entities.vectors import comparable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import keys
from interlayer.memory.log.change import head_put
from interlayer.memory.log.entity_read import EntityRead, StoredHead
from interlayer.memory.log.records import EntityId, Memorized, Relation, RelationRecord
from interlayer.memory.memorize.call import PreparedCall, PreparedPart
from interlayer.memory.memorize.commit import MemoryChange, change_of, creation, label_of
from interlayer.memory.memorize.look_alikes import NewEntity
from interlayer.memory.memorize.reading.context import context_of
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.reconciliation.displacement import facts_displaced, follow_facts
from interlayer.memory.reconciliation.links import Linking, Links
from interlayer.memory.reconciliation.reconcile import Decision, closed_by, confirmations_of, facts_of, reconcile
from interlayer.memory.reconciliation.related import Related, related_to
from interlayer.memory.reconciliation.replacing import follow
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.principal import Principal
from interlayer.storage.items import Operation, VersionConflict

_INLINE_FACTS: Final = 200

T = TypeVar("T")


class Targets:
    """The entities that the relations of one call point at; `made` creates those that are not known yet.

    They are also listed in `created`. `reached` are the entities of its parts, which the call changes anyway.
    """

    def __init__(
        self,
        entities: Entities,
        resolution: Resolution,
        schema: Schema,
        clock: Clock,
        reached: Sequence[tuple[EntityReference, EntityId]],
    ) -> None:
        self.made: list[Operation] = []
        self.created: list[NewEntity] = []
        self._entities = entities
        self._resolution = resolution
        self._schema = schema
        self._clock = clock
        self._known = {reference.identity: entity for reference, entity in reached}
        self._claimed = {claim: entity for one, entity in reached for claim in resolution.claims(one)}
        self._own = {entity for _, entity in reached}

    async def find(self, principal: Principal, reference: EntityReference, visibility: str) -> EntityId:
        """Return the entity that a relation points at; it is created, or made known to those who see the call."""
        claims = self._resolution.claims(reference)
        met = (self._claimed[claim] for claim in claims if claim in self._claimed)
        target = self._known.get(reference.identity) or next(met, None)
        if target is not None:
            return target
        organization, sight = principal.organization, self._entities.sight(principal)
        target, is_new = await self._resolution.target(organization, reference, self._clock(), sight)
        self._known[reference.identity] = target
        self._claimed |= dict.fromkeys(claims, target)
        if is_new:
            schema, now = self._schema.entities[target.type], timestamp(self._clock())
            self.made += creation(organization, target, reference, schema, now, visibility)
            self.created.append(NewEntity(target, reference))
        elif target not in self._own:
            self.made += await self._introduced(organization, target, reference, visibility)
        return target

    async def _introduced(
        self, organization: str, target: EntityId, reference: EntityReference, visibility: str
    ) -> list[Operation]:
        """List what makes a known entity one to those who see this call and could not see it before."""
        stored = await self._entities.head(organization, target)
        if stored is None or not stored.head.labels:
            return []
        if any(audience_of(visibility).sees(known) for known in stored.head.labels):
            return []
        labels = {**stored.head.labels, visibility: label_of(reference)}
        self._own.add(target)  # once, whatever else it is called
        return [head_put(organization, replace(stored.head, labels=labels), stored.version)]


@dataclass(frozen=True, slots=True)
class PartAsRead:
    """A part of a call, with its entity as it was read, and whom its relations point at.

    `called` is what the call names those by, `made` are those that it creates, `notes` what the caller is to be told of
    the types.
    """

    part: PreparedPart
    resolved: ResolvedEntity
    entity: EntityId
    read: EntityRead | None
    relations: tuple[RelationRecord, ...]
    called: Mapping[EntityId, str]
    made: frozenset[EntityId]
    notes: Mapping[Relation, str]


class Decider:
    """Decides the parts of calls. Raises `VersionConflict` where an entity is not there any more."""

    def __init__(
        self, entities: Entities, resolution: Resolution, spaces: Spaces, schema: Schema, clock: Clock
    ) -> None:
        self._entities = entities
        self._resolution = resolution
        self._spaces = spaces
        self._schema = schema
        self._clock = clock
        self._links = Links(entities, schema)

    def targets(self, reached: Sequence[tuple[EntityReference, EntityId]]) -> Targets:
        """Begin the list of entities that the relations of one call point at."""
        return Targets(self._entities, self._resolution, self._schema, self._clock, reached)

    async def read(
        self, prepared: PreparedCall, part: PreparedPart, resolved: ResolvedEntity, entity: EntityId, targets: Targets
    ) -> PartAsRead:
        """Read the entity of a part of a call, and find whom its relations point at."""
        organization, visibility = prepared.call.principal.organization, prepared.request.visibility
        read = await self._entities.read(organization, entity, resolved.read) if resolved.entity else None
        if resolved.entity and (read is None or read.stored.head.merged_into):
            raise VersionConflict([keys.head(organization, entity)])  # erased or merged since it was resolved
        relations: dict[tuple[Relation, bool], RelationRecord] = {}
        called: dict[EntityId, str] = {}
        notes: dict[Relation, str] = {}
        for one in part.relations:
            target, said = await targets.find(prepared.call.principal, one.target, visibility), one.said
            at = "" if said.observed_at == prepared.observed_at else said.observed_at or ""
            made = RelationRecord(said.type, target, at, said.confidence, said.ended, said.span)
            relations.setdefault((made.relation, made.ended), made)
            called.setdefault(target, label_of(one.target).name)
            notes.setdefault(made.relation, one.note)
        new = frozenset(one.entity for one in targets.created if not one.is_known)
        return PartAsRead(part, resolved, entity, read, tuple(relations.values()), called, new, notes)

    async def decide(
        self, prepared: PreparedCall, at: PartAsRead, now: str, parts: Sequence[PartAsRead]
    ) -> MemoryChange:
        """Decide what a part of a call, one of `parts`, adds to an entity as it was read.

        `now` is after everything was read that the call is decided by: later than all that was committed before.
        """
        organization, visibility = prepared.call.principal.organization, prepared.request.visibility
        sight = self._entities.sight(prepared.call.principal)
        part, entity, read, resolved = at.part, at.entity, at.read, at.resolved
        stored = read.stored if read else None
        viewed = self._entities.view(organization, stored.head, prepared.space, read) if stored else None
        view = await viewed if viewed else self._entities.blank(entity, prepared.space)
        known = await self._seen(organization, stored, view, audience_of(visibility), prepared.space)
        shown = await self._entities.shown(organization, stored.head, audience_of(visibility)) if stored else None
        names = (part.reference.display_name or "", *((shown.name, *shown.names) if shown else ()))
        # Others than see this call's memory must not be told of what it was decided by: so all who see it do.
        decisions, related = await self._compare(prepared, part, known, names)
        schema = self._schema.entities[entity.type]
        told = await self._seen(organization, stored, view, sight.within((ORGANIZATION, visibility)), prepared.space)
        valued = await aside(len(decisions), lambda: _with_values(prepared, part, decisions, known, schema))
        valued, relations = await self._linked(prepared, valued, at, stored, told, parts)

        def change() -> MemoryChange:
            memory = _memory(prepared, valued, decisions, relations, view.revision + 1, now)
            displaced = facts_displaced(known, memory, schema, names)
            memory = replace(memory, closes=tuple(dict.fromkeys((*memory.closes, *displaced))))
            for fact in memory.facts:
                announces_change(fact.text)  # the view will ask, where others wait for it
            conflicts = resolved.conflicts
            return change_of(prepared, valued, stored, view, memory, decisions, conflicts, schema, told)

        changed = await aside(len(decisions), change)
        named = await self._entities.shown(organization, stored.head, sight) if stored else None
        name = part.reference.name or (named.name if named else label_of(part.reference).name)
        return replace(
            changed,
            related=[one for one in related if told.fact(one.fact.record.id)],
            notes=at.notes,
            pointers=self._entities.pointers(organization, view, changed.memory),
            created=named is None,
            name=name,
            conflicts_told=await self._resolution.known_to(organization, resolved.conflicts, sight),
        )

    async def _linked(
        self,
        prepared: PreparedCall,
        part: PreparedPart,
        at: PartAsRead,
        stored: StoredHead | None,
        view: EntityView,
        parts: Sequence[PartAsRead],
    ) -> tuple[PreparedPart, tuple[RelationRecord, ...]]:
        """Add what follows from the relations of a part, and from its values and identifiers.

        It goes by what both the caller and all who will see the call may know: either is told of it.
        """
        organization = prepared.call.principal.organization
        sight = self._entities.sight(prepared.call.principal)
        audience = sight.within((ORGANIZATION, prepared.request.visibility))
        linking = Linking(
            organization=organization,
            reference=part.reference,
            head=await self._entities.shown(organization, stored.head, audience) if stored else None,
            view=view,
            audience=audience,
            called={one.entity: label_of(one.part.reference).name for one in parts if one.read is None}
            | dict(at.called),
            made=at.made | {one.entity for one in parts if one.read is None},
            reached={one.part.reference.identity: one.entity for one in parts},
            heads={one.entity: one.read.stored.head for one in parts if one.read},
            observed_at=prepared.observed_at,
            beside=bool(prepared.request.content),
        )
        linked = await self._links.follow(linking, at.relations, part.gated.properties)
        return replace(part, gated=replace(part.gated, properties=linked.values)), linked.relations

    async def _seen(
        self, organization: str, stored: StoredHead | None, view: EntityView, sight: Sight, space: ActiveSpace
    ) -> EntityView:
        """Return as much of a view as may be seen."""
        return await self._entities.view(organization, stored.head, space, sight=sight) if stored else view

    async def _compare(
        self, prepared: PreparedCall, part: PreparedPart, view: EntityView, names: Sequence[str]
    ) -> tuple[list[Decision], list[Related]]:
        """Decide every candidate, and find the known facts that are near to what is added."""
        facts, naming = part.gated.facts, part.naming
        texts = [*(fact.text for fact in facts), *naming]
        given = part.vectors
        if given is not None and part.naming_vectors is not None:
            given = np.concatenate([given, part.naming_vectors])
        vectors, known, scale = await comparable(self._spaces, prepared.space, texts, given, view)
        said, named = vectors[: len(facts)], vectors[len(facts) :]

        def compared() -> tuple[list[Decision], list[Related]]:
            decisions = reconcile(facts, said, view, known, scale, names, prepared.observed_at)
            meaning = dict(zip(naming, scale.read(named @ known.T), strict=True)) if naming else {}
            decisions = follow(decisions, view, names, meaning)
            return decisions, related_to(decisions, said, view, known, scale, names)

        return await aside(len(facts), compared)


async def aside(facts: int, work: Callable[[], T]) -> T:
    """Do work on the facts of a call; over many of them it is done in a thread, so that others are served."""
    return work() if facts <= _INLINE_FACTS else await anyio.to_thread.run_sync(work)


def _with_values(
    prepared: PreparedCall, part: PreparedPart, decisions: Sequence[Decision], view: EntityView, schema: EntitySchema
) -> PreparedPart:
    """Add the values that facts state which take the place of those that stated the current ones."""
    gated = part.gated
    given = [one.name for one in gated.properties]
    beside = bool(prepared.request.content)
    values = follow_facts(decisions, view, schema, given, prepared.observed_at, beside=beside)
    return replace(part, gated=replace(gated, properties=(*gated.properties, *values))) if values else part


def _memory(
    prepared: PreparedCall,
    part: PreparedPart,
    decisions: Sequence[Decision],
    relations: tuple[RelationRecord, ...],
    revision: int,
    now: str,
) -> Memorized:
    call, request, memory_id = prepared.call, prepared.request, part.memory_id
    is_main = memory_id == call.memory_id
    beside = bool(request.content)
    told = (fact for one in prepared.parts for fact in one.gated.facts)  # what is said of others is no context
    spans = [fact.span for fact in told if fact.span]
    return Memorized(
        id=memory_id,
        revision=revision,
        agent=call.principal.agent,
        recorded_at=now,
        observed_at=prepared.observed_at,
        source=request.source,
        has_content=beside,
        extractor=part.gated.extractor,
        facts=facts_of(decisions, memory_id, prepared.observed_at, beside=beside),
        confirms=tuple(confirmations_of(decisions, prepared.observed_at, beside=beside, memory_id=memory_id)),
        closes=closed_by(decisions),
        context=context_of(request.content or "", spans) if is_main else (),
        properties=part.gated.properties,
        relations=relations,
        idempotency=request.idempotency_key,
        pending=part.gated.pending,
        visibility=request.visibility,
        part_of="" if is_main else call.memory_id,
    )
