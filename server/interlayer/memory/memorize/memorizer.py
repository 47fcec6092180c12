"""memorize: prepare the call, reconcile it with what is known, commit, answer.

Before a model is asked the call itself is kept, so that its content outlives the process. The transaction holds
everything or nothing. A race with another writer of the same entity is lost without harm: the view is brought up to
date and the candidates are reconciled again; nothing is extracted or embedded twice.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread
import numpy as np

from interlayer.audit.receipts import ReceiptBook
from interlayer.errors import InterlayerError, InvalidInput
from interlayer.ids import Clock, new_id, timestamp
from interlayer.language.change import announces_change
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution, ResolvedEntity
from interlayer.memory.entities.sight import ORGANIZATION, Sight, audience_of, visibility_of
from interlayer.memory.entities.vectors import comparable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.extractor import NO_MODEL, Extractors
from interlayer.memory.gates.labels import as_seen, check_labels
from interlayer.memory.gates.rejected import KEPT_FOR, RejectionRecord
from interlayer.memory.log import keys
from interlayer.memory.log.change import head_put
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.records import EntityId, Memorized, Relation
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.memorize.backlog import note
from interlayer.memory.memorize.call import Call, PreparedCall, fingerprint_of
from interlayer.memory.memorize.commit import MemoryChange, change_of, creation, label_of
from interlayer.memory.memorize.context import context_of
from interlayer.memory.memorize.in_flight import InFlightCalls
from interlayer.memory.memorize.intake import check_limits, check_times
from interlayer.memory.memorize.outcomes import answer_body, memorize_answer, nothing_remembered, read_answer
from interlayer.memory.memorize.preparation import Preparation
from interlayer.memory.memorize.receipt import memory_receipt
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.reconciliation.displacement import facts_displaced, follow_facts
from interlayer.memory.reconciliation.reconcile import Decision, closed_by, confirmations_of, facts_of, reconcile
from interlayer.memory.reconciliation.related import Related, related_to
from interlayer.memory.reconciliation.replacing import follow
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, Delete, ItemStore, Key, Operation, Put, VersionConflict
from interlayer.storage.optimistic import apply_if_unchanged, optimistically

_INLINE_FACTS: Final = 200

T = TypeVar("T")
Commit = Callable[[Sequence[Operation]], Awaitable[None]]
"""Applies the operations of a call, all or none. Raises `VersionConflict`."""


class Memorizer:
    """Remembers. Raises `InvalidInput`, `Ambiguous`, `Conflict` or `Unavailable`; then nothing was stored."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        spaces: Spaces,
        schema: Schema,
        clock: Clock,
        receipts: ReceiptBook,
        extractors: Extractors = NO_MODEL,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._spaces = spaces
        self._schema = schema
        self._clock = clock
        self._receipts = receipts
        self._resolution = Resolution(store, entities, schema)
        self._preparation = Preparation(entities, self._resolution, schema, spaces, extractors, clock)
        self.in_flight = InFlightCalls(store, clock)

    async def memorize(self, principal: Principal, request: MemorizeRequest) -> MemorizeAnswer:
        """Remember what a caller sends; when it returns, everything that the answer says is durable."""
        asked = fingerprint_of(principal, request)
        request = as_seen(request)
        check_limits(request)
        check_labels(request)
        check_times(request, self._clock())
        request = replace(request, visibility=visibility_of(principal, request.visibility))
        call = Call(new_id("m", self._clock()), principal, request, asked=asked)
        try:
            return await self.remember(call)
        except InterlayerError:
            await self.in_flight.abandon(call)
            raise

    async def remember(self, call: Call) -> MemorizeAnswer:
        """Remember a call, which stays kept, if it is, when this fails."""
        if replayed := await self._first_answer(call):
            return replayed
        prepared = await self._preparation.prepare(call, partial(self.in_flight.keep, call))
        return await self._write(prepared, self._store.transact)

    async def admit(self, principal: Principal, request: MemorizeRequest, commit: Commit) -> MemorizeAnswer:
        """Remember candidates that an operator lets through although a gate turned them down.

        Raises `Refused` for what may never be remembered.
        """
        request = as_seen(request)
        check_limits(request)
        call = Call(new_id("m", self._clock()), principal, request)
        prepared = await self._preparation.prepare(call, partial(self.in_flight.keep, call), by_operator=True)
        return await self._write(prepared, commit)

    async def _first_answer(self, call: Call) -> MemorizeAnswer | None:
        """Return the answer that the idempotency key of a call was given first, None if there is none."""
        if not call.request.idempotency_key:
            return None
        item = await self._store.get(_answer_key(call))
        if item is None:
            return None
        if call.asked not in ("", item.body.get("request", call.asked)):
            problem = "was given to another call of this agent."
            raise InvalidInput("idempotency_key", problem, "Send the same call again, or another key.")
        answer = read_answer(item.body["answer"])
        if self._entities.is_due(answer.entity.type, answer.memory_id):
            await apply_if_unchanged(self._store, [Delete(item.key, item.version)])  # else another call has settled it
            return None
        return replace(answer, replayed=True)

    async def _write(self, prepared: PreparedCall, commit: Commit) -> MemorizeAnswer:
        """Reconcile and commit, anew when another writer was first."""
        attempts = 0

        async def attempt() -> MemorizeAnswer:
            nonlocal attempts, prepared
            attempts += 1
            if attempts > 1:  # the entity moved on, or this very call ran twice at once and the other one was first
                if replayed := await self._first_answer(prepared.call):
                    return replayed
                prepared = replace(prepared, resolved=None)
            return await self._attempt(prepared, commit)

        busy = "entity: too many agents write to it at once. Nothing was stored; send the same call again."
        return await optimistically(attempt, busy)

    async def _attempt(self, prepared: PreparedCall, commit: Commit) -> MemorizeAnswer:
        organization = prepared.call.principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        sight = self._entities.sight(prepared.call.principal)
        resolved = prepared.resolved or await self._resolution.resolve(organization, prepared.reference, sight)
        if prepared.is_all_rejected:
            return await self._keep_rejections(prepared, resolved.entity, commit)
        entity = resolved.entity or EntityId(prepared.reference.entity.type, new_id("e", self._clock()))
        async with self._entities.lock(organization, entity):
            change = await self._reconcile(prepared, resolved, entity)
            answer, made = await _aside(len(change.decisions), lambda: (memorize_answer(change), change.operations()))
            operations = [*made, *await self._beside(change, answer, made)]
            if len(operations) > TRANSACT_OPERATIONS_MAX:
                raise InvalidInput("relations", "this call changes too much at once.", "Split it into several calls.")
            await commit(operations)
            await self._follow(change)
        return answer

    async def _reconcile(self, prepared: PreparedCall, resolved: ResolvedEntity, entity: EntityId) -> MemoryChange:
        """Decide what a call adds to an entity as it stands now."""
        organization = prepared.call.principal.organization
        read = await self._entities.read(organization, entity, resolved.read) if resolved.entity else None
        stored = read.stored if read else None
        if resolved.entity and (stored is None or stored.head.merged_into):
            raise VersionConflict([keys.head(organization, entity)])  # erased or merged since it was resolved
        visibility, sight = prepared.request.visibility, self._entities.sight(prepared.call.principal)
        relations, targets = await self._relations(prepared, entity)
        viewed = self._entities.view(organization, stored.head, prepared.space, read) if stored else None
        view = await viewed if viewed else self._entities.blank(entity, prepared.space)
        known = await self._seen(organization, stored, view, audience_of(visibility), prepared.space)
        shown = await self._entities.shown(organization, stored.head, audience_of(visibility)) if stored else None
        names = (prepared.reference.display_name or "", *((shown.name, *shown.names) if shown else ()))
        # Others than see this call's memory must not be told of what it was decided by: so all who see it do.
        decisions, related = await self._decide(prepared, known, names)
        schema = self._schema.entities[entity.type]
        told = await self._seen(organization, stored, view, sight.within((ORGANIZATION, visibility)), prepared.space)

        def change() -> MemoryChange:
            valued = _with_values(prepared, decisions, known, schema)
            # Recorded when everything has been read: later than all that was committed before.
            memory = _memory(valued, decisions, relations, view.revision + 1, timestamp(self._clock()))
            displaced = facts_displaced(known, memory, schema, names)
            memory = replace(memory, closes=tuple(dict.fromkeys((*memory.closes, *displaced))))
            for fact in memory.facts:
                announces_change(fact.text)  # the view will ask, where others wait for it
            return change_of(valued, stored, view, memory, decisions, resolved.conflicts, targets, schema, told)

        changed = await _aside(len(decisions), change)
        named = await self._entities.shown(organization, stored.head, sight) if stored else None
        name = prepared.request.name or (named.name if named else label_of(prepared.reference).name)
        return replace(
            changed,
            related=[one for one in related if told.fact(one.fact.record.id)],
            created=named is None,
            name=name,
            conflicts_told=await self._resolution.known_to(organization, resolved.conflicts, sight),
        )

    async def _seen(
        self, organization: str, stored: StoredHead | None, view: EntityView, sight: Sight, space: ActiveSpace
    ) -> EntityView:
        """Return as much of a view as may be seen."""
        return await self._entities.view(organization, stored.head, space, sight=sight) if stored else view

    async def _decide(
        self, prepared: PreparedCall, view: EntityView, names: Sequence[str]
    ) -> tuple[list[Decision], list[Related]]:
        """Decide every candidate, and find the known facts that are near to what is added."""
        facts, naming = prepared.gated.facts, prepared.naming
        texts = [*(fact.text for fact in facts), *naming]
        given = prepared.vectors
        if given is not None and prepared.naming_vectors is not None:
            given = np.concatenate([given, prepared.naming_vectors])
        vectors, known, scale = await comparable(self._spaces, prepared.space, texts, given, view)
        said, named = vectors[: len(facts)], vectors[len(facts) :]

        def decide() -> tuple[list[Decision], list[Related]]:
            decisions = reconcile(facts, said, view, known, scale, names, prepared.observed_at)
            meaning = dict(zip(naming, scale.read(named @ known.T), strict=True)) if naming else {}
            decisions = follow(decisions, view, names, meaning)
            return decisions, related_to(decisions, said, view, known, scale, names)

        return await _aside(len(facts), decide)

    async def _relations(
        self, prepared: PreparedCall, entity: EntityId
    ) -> tuple[tuple[Relation, ...], list[Operation]]:
        """Return the relations of a call, and what creates those of their targets that are not known yet."""
        organization = prepared.call.principal.organization
        sight = self._entities.sight(prepared.call.principal)
        relations: dict[Relation, None] = {}
        known, visibility = {prepared.reference.identity: entity}, prepared.request.visibility
        operations: list[Operation] = []
        for kind, reference in prepared.relations:
            target = known.get(reference.identity)
            if target is None:
                target, is_new = await self._resolution.target(organization, reference, self._clock(), sight)
                known[reference.identity] = target
                if is_new:
                    schema, now = self._schema.entities[target.type], timestamp(self._clock())
                    operations += creation(organization, target, reference, schema, now, visibility)
                elif target != entity:
                    operations += await self._introduced(organization, target, reference, visibility)
            relations[Relation(kind, target)] = None
        return tuple(relations), operations

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
        return [head_put(organization, replace(stored.head, labels=labels), stored.version)]

    async def _beside(self, change: MemoryChange, answer: MemorizeAnswer, made: Sequence[Operation]) -> list[Operation]:
        """List what is written with a memory: its first answer, what was turned down, its receipt, its open reading."""
        prepared = change.prepared
        operations: list[Operation] = [
            *_answer_puts(prepared.call, answer),
            *self._rejections(prepared, change.entity),
            await memory_receipt(self._receipts, prepared, change.entity, change, made),
            *prepared.call.removal(),
        ]
        if prepared.gated.pending:  # a model has still to read the content
            call = prepared.call
            operations.append(note(call.principal.organization, call.memory_id, prepared.gated.pending, self._clock()))
        return operations

    async def _keep_rejections(self, prepared: PreparedCall, known: EntityId | None, commit: Commit) -> MemorizeAnswer:
        """Keep what a call proposed for review, and nothing else of it."""
        organization, sight = prepared.call.principal.organization, self._entities.sight(prepared.call.principal)
        stored = await self._entities.head(organization, known) if known else None
        shown = await self._entities.shown(organization, stored.head, sight) if stored else None
        answer = nothing_remembered(prepared, shown)
        expires_at = int((self._clock() + self._keeping_time(prepared.reference.entity.type)).timestamp())
        receipt = await memory_receipt(self._receipts, prepared, known)
        first = _answer_puts(prepared.call, answer, expires_at)
        await commit([*first, *self._rejections(prepared, known), receipt, *prepared.call.removal()])
        return answer

    def _rejections(self, prepared: PreparedCall, entity: EntityId | None) -> Iterator[Operation]:
        if not prepared.gated.rejected:
            return
        request, named, call = prepared.request, prepared.reference.entity, prepared.call
        yield from RejectionRecord(
            organization=call.principal.organization,
            memory_id=call.memory_id,
            entity=entity,
            named=f"{named.type}:{named.key}",
            who=entity.id if entity else prepared.reference.identity[1],
            agent=call.principal.agent,
            source=request.source,
            observed_at=prepared.observed_at,
            idempotency=request.idempotency_key,
            candidates=prepared.gated.rejected,
            counts=prepared.gated.gates.rejected,
            kept_for=self._keeping_time(named.type),
            visibility=request.visibility,
        ).operations(self._clock())

    def _keeping_time(self, entity_type: str) -> timedelta:
        """Return how long what was turned down is kept: no longer than what is remembered of the type."""
        retention = self._schema.entities[entity_type].retention
        now = self._clock()
        return min(KEPT_FOR, now - before(now, retention)) if retention else KEPT_FOR

    async def _follow(self, change: MemoryChange) -> None:
        """Bring this process's view and the index up to what was just committed."""
        prepared, memory = change.prepared, change.memory
        organization, vectors = prepared.call.principal.organization, prepared.vectors
        if vectors is not None and len(change.decisions):
            vectors = vectors[[one.outcome == "added" for one in change.decisions]]
        by_id = {} if vectors is None else {fact.id: one for fact, one in zip(memory.facts, vectors, strict=True)}
        self._projector.offer(organization, change.entity, memory, prepared.space, vectors)
        await self._entities.committed(organization, change.after, change.view, memory, by_id, prepared.space)


async def _aside(facts: int, work: Callable[[], T]) -> T:
    """Do work on the facts of a call; over many of them it is done in a thread, so that others are served."""
    return work() if facts <= _INLINE_FACTS else await anyio.to_thread.run_sync(work)


def _with_values(
    prepared: PreparedCall, decisions: Sequence[Decision], view: EntityView, schema: EntitySchema
) -> PreparedCall:
    """Add the values that facts state which take the place of those that stated the current ones."""
    gated = prepared.gated
    given = [one.name for one in gated.properties]
    beside = bool(prepared.request.content)
    values = follow_facts(decisions, view, schema, given, prepared.observed_at, beside=beside)
    return replace(prepared, gated=replace(gated, properties=(*gated.properties, *values))) if values else prepared


def _memory(
    prepared: PreparedCall, decisions: Sequence[Decision], relations: tuple[Relation, ...], revision: int, now: str
) -> Memorized:
    call, request = prepared.call, prepared.request
    beside = bool(request.content)
    return Memorized(
        id=call.memory_id,
        revision=revision,
        agent=call.principal.agent,
        recorded_at=now,
        observed_at=prepared.observed_at,
        source=request.source,
        has_content=beside,
        extractor=prepared.gated.extractor,
        facts=facts_of(decisions, call.memory_id, prepared.observed_at, beside=beside),
        confirms=tuple(confirmations_of(decisions, prepared.observed_at, beside=beside, memory_id=call.memory_id)),
        closes=closed_by(decisions),
        context=context_of(request.content or "", [one.candidate.span for one in decisions if one.candidate.span]),
        properties=prepared.gated.properties,
        relations=relations,
        idempotency=request.idempotency_key,
        pending=prepared.gated.pending,
        visibility=request.visibility,
    )


def _answer_key(call: Call) -> Key:
    return keys.idempotency(call.principal.organization, call.principal.agent, call.request.idempotency_key or "")


def _answer_puts(call: Call, answer: MemorizeAnswer, expires_at: int | None = None) -> list[Operation]:
    """List what keeps the answer for replay, if the call has a key.

    The words of facts that other calls brought are not kept with it: those may be forgotten.
    """
    if not call.request.idempotency_key:
        return []
    body = {"answer": answer_body(replace(answer, related=None)), "request": call.asked}
    return [Put(_answer_key(call), body, expires_at=expires_at)]
