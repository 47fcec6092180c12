"""memorize: candidates -> gates -> reconcile -> one transaction -> projection.

Before a model is asked the call itself is kept, so that its content outlives the process. The transaction holds
everything or nothing. A race with another writer of the same entity is lost without harm: the view is brought up to
date and the candidates are reconciled again; nothing is extracted or embedded twice.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import anyio.to_thread
import numpy as np

from interlayer.audit.receipts import ReceiptBook
from interlayer.errors import InterlayerError, InvalidInput
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import Naming
from interlayer.memory.entities.vectors import comparable, of_statements
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.extractor import NO_MODEL, Extractors
from interlayer.memory.gates.rejected import KEPT_FOR, RejectionRecord
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.records import EntityId, LogEntry, Memorized, Relation
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.memorize.backlog import note
from interlayer.memory.memorize.commit import Change, Plan, creation, plan
from interlayer.memory.memorize.content import Reader, worked
from interlayer.memory.memorize.in_flight import Call, InFlightCalls
from interlayer.memory.memorize.intake import PreparedCall, admitted, check_limits, gate, relation_type
from interlayer.memory.memorize.outcomes import answer_body, memorize_answer, nothing_remembered, read_answer
from interlayer.memory.memorize.receipt import memory_receipt
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Pending, Projector
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.reconciliation.reconcile import Decision, reconcile
from interlayer.memory.reconciliation.statements import confirmations_of, facts_of
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.schema import Schema
from interlayer.models.embedder import Vectors
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, Delete, ItemStore, Operation, Put, VersionConflict
from interlayer.storage.optimistic import apply_if_unchanged, optimistically
from interlayer.storage.vectors import Row

_INLINE_FACTS: Final = 200

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
        self._naming = Naming(store, entities, schema)
        self._reader = Reader(entities, self._naming, schema, spaces, extractors)
        self.underway = InFlightCalls(store, clock)

    async def memorize(self, principal: Principal, request: MemorizeRequest) -> MemorizeAnswer:
        """Return the answer of the contract, after everything it says is durable."""
        check_limits(request)
        call = Call(new_id("m", self._clock()), principal, request)
        try:
            return await self.remember(call)
        except InterlayerError:
            await self.underway.abandon(call)
            raise

    async def remember(self, call: Call) -> MemorizeAnswer:
        """Return the answer to a call, which stays kept, if it is, when it fails."""
        replayed = await self._seen(call.principal, call.request)
        return replayed or await self._committed(call.principal, await self._checked(call), self._store.transact)

    async def admit(self, principal: Principal, request: MemorizeRequest, commit: Commit) -> MemorizeAnswer:
        """Return the answer for candidates that an operator lets through although a gate turned them down.

        Raises `Refused` for what may never be remembered.
        """
        check_limits(request)
        call = Call(new_id("m", self._clock()), principal, request)
        return await self._committed(principal, await self._checked(call, admit=True), commit)

    async def _committed(self, principal: Principal, checked: PreparedCall, commit: Commit) -> MemorizeAnswer:
        first = True

        async def attempt() -> MemorizeAnswer:
            nonlocal checked, first
            if not first:
                # Either the entity moved on, or this very call ran twice at once and the other one was first.
                replayed = await self._seen(principal, checked.request)
                if replayed:
                    return replayed
                checked = replace(checked, bearer=None)
            first = False
            return await self._attempt(principal, checked, commit)

        busy = "entity: too many agents write to it at once. Nothing was stored; send the same call again."
        return await optimistically(attempt, busy)

    async def _seen(self, principal: Principal, request: MemorizeRequest) -> MemorizeAnswer | None:
        if not request.idempotency_key:
            return None
        item = await self._store.get(keys.idempotency(principal.organization, principal.agent, request.idempotency_key))
        if item is None:
            return None
        answer = read_answer(item.body["answer"])
        if self._entities.is_due(answer.entity.type, answer.memory_id):
            await apply_if_unchanged(self._store, [Delete(item.key, item.version)])  # else another call has settled it
            return None
        return replace(answer, replayed=True)

    async def _checked(self, call: Call, *, admit: bool = False) -> PreparedCall:
        principal, request = call.principal, call.request
        subject = self._naming.subject(request.entity, request.identifiers, request.name)
        relations = tuple(
            (relation_type(kind), self._naming.subject(target, field="relations.target"))
            for kind, target in request.relations
        )
        observed_at = request.observed_at or self._clock()
        keep = partial(self.underway.keep, call)
        read = self._reader.read(principal.organization, request, subject, observed_at, keep)
        request, occasion, reading, bearer = await read
        judge = partial(admitted, request, occasion) if admit else partial(gate, request, occasion, reading)
        gated = await worked(request, judge)
        space = await self._spaces.of(principal.organization)
        vectors, degraded = await of_statements(space, [fact.text for fact in gated.facts])
        return PreparedCall(
            call=call,
            request=request,
            subject=subject,
            observed_at=timestamp(observed_at),
            space=space,
            vectors=vectors,
            relations=relations,
            gated=gated,
            bearer=bearer,
            degraded=degraded,
        )

    async def _attempt(self, principal: Principal, checked: PreparedCall, commit: Commit) -> MemorizeAnswer:
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        bearer = checked.bearer or await self._naming.bearer(organization, checked.subject)
        known, claims = bearer.entity, bearer.claims
        if checked.is_all_rejected:
            return await self._turned_down(principal, checked, known, commit)
        entity = known or EntityId(checked.subject.entity.type, new_id("e", self._clock()))
        async with self._entities.lock(organization, entity):
            dossier = await self._entities.dossier(organization, entity, bearer.dossier) if known else None
            stored = dossier.stored if dossier else None
            if known and (stored is None or stored.head.merged_into):
                raise VersionConflict([keys.head(organization, entity)])  # erased or merged since it was resolved
            targets, creations = await self._targets(organization, checked, entity)
            viewed = self._entities.view(organization, stored.head, checked.space, dossier) if stored else None
            view = await viewed if viewed else self._entities.blank(entity, checked.space)
            names = (checked.subject.display_name or "", *((stored.head.name, *stored.head.names) if stored else ()))
            decisions = await self._decided(checked, view, names)
            memory = self._memory(principal, checked, decisions, targets, view.revision + 1)
            change = Change(
                organization,
                entity,
                stored,
                memory,
                checked.subject,
                claims,
                checked.request.content,
                timestamp(self._clock()),
            )
            planned = plan(change, view, self._schema)
            answer = memorize_answer(checked, decisions, memory, planned, claims, created=known is None)
            operations = [
                *planned.operations,
                *creations,
                *self._first_answer(principal, checked, answer),
                *self._rejected(principal, checked, entity),
                await memory_receipt(self._receipts, principal, checked, entity, decisions, planned),
                *checked.call.taken(),
            ]
            if checked.gated.pending:  # a model has still to read the content
                operations.append(note(organization, checked.memory_id, checked.gated.pending, self._clock()))
            if len(operations) > TRANSACT_OPERATIONS_MAX:
                raise InvalidInput("relations", "this call changes too much at once.", "Split it into several calls.")
            await commit(operations)
            self._remember(organization, planned, memory, view, checked, decisions)
        return answer

    async def _decided(self, checked: PreparedCall, view: EntityView, names: Sequence[str]) -> list[Decision]:
        facts = checked.gated.facts
        texts = [fact.text for fact in facts]
        vectors, known, scale = await comparable(self._spaces, checked.space, texts, checked.vectors, view)
        decide = partial(reconcile, facts, vectors, view, known, scale, names, checked.observed_at)
        return decide() if len(facts) <= _INLINE_FACTS else await anyio.to_thread.run_sync(decide)

    async def _targets(
        self, organization: str, checked: PreparedCall, entity: EntityId
    ) -> tuple[tuple[Relation, ...], list[Operation]]:
        """Return the relations of a call, and what creates those of their targets that are not known yet."""
        relations: dict[Relation, None] = {}
        created = {checked.subject.identity: entity}
        operations: list[Operation] = []
        for kind, subject in checked.relations:
            target = created.get(subject.identity)
            if target is None:
                target, is_new = await self._naming.target(organization, subject, self._clock())
                if is_new:
                    created[subject.identity] = target
                    schema = self._schema.entities[target.type]
                    operations += creation(organization, target, subject, schema, timestamp(self._clock()))
            relations[Relation(kind, target)] = None
        return tuple(relations), operations

    def _memory(
        self,
        principal: Principal,
        checked: PreparedCall,
        decisions: Sequence[Decision],
        relations: tuple[Relation, ...],
        revision: int,
    ) -> Memorized:
        request = checked.request
        beside = bool(request.content)
        return Memorized(
            id=checked.memory_id,
            revision=revision,
            agent=principal.agent,
            recorded_at=timestamp(self._clock()),
            observed_at=checked.observed_at,
            source=request.source,
            has_content=beside,
            extractor=checked.gated.extractor,
            facts=facts_of(decisions, checked.memory_id, checked.observed_at, beside=beside),
            confirms=tuple(confirmations_of(decisions, checked.observed_at, beside=beside)),
            properties=checked.gated.properties,
            relations=relations,
            idempotency=request.idempotency_key,
            pending=checked.gated.pending,
        )

    async def _turned_down(
        self, principal: Principal, checked: PreparedCall, known: EntityId | None, commit: Commit
    ) -> MemorizeAnswer:
        """Keep what a call proposed for review, and nothing else of it."""
        stored = await self._entities.head(principal.organization, known) if known else None
        answer = nothing_remembered(checked, stored.head if stored else None)
        expires_at = int((self._clock() + self._kept_for(checked.subject.entity.type)).timestamp())
        first = self._first_answer(principal, checked, answer, expires_at)
        receipt = await memory_receipt(self._receipts, principal, checked, known)
        await commit([*first, *self._rejected(principal, checked, known), receipt, *checked.call.taken()])
        return answer

    def _rejected(self, principal: Principal, checked: PreparedCall, entity: EntityId | None) -> Iterator[Operation]:
        request, named = checked.request, checked.subject.entity
        yield from RejectionRecord(
            organization=principal.organization,
            memory_id=checked.memory_id,
            entity=entity,
            named=f"{named.type}:{named.key}",
            who=entity.id if entity else checked.subject.identity[1],
            agent=principal.agent,
            source=request.source,
            observed_at=checked.observed_at,
            idempotency=request.idempotency_key,
            candidates=checked.gated.rejected,
            counts=checked.gated.gates.rejected,
            kept_for=self._kept_for(named.type),
        ).operations(self._clock())

    def _kept_for(self, entity_type: str) -> timedelta:
        """Return how long what was turned down is kept: no longer than what is remembered of the type."""
        retention = self._schema.entities[entity_type].retention
        now = self._clock()
        return min(KEPT_FOR, now - before(now, retention)) if retention else KEPT_FOR

    def _first_answer(
        self, principal: Principal, checked: PreparedCall, answer: MemorizeAnswer, expires_at: int | None = None
    ) -> list[Operation]:
        key = checked.request.idempotency_key
        if not key:
            return []
        place = keys.idempotency(principal.organization, principal.agent, key)
        return [Put(place, {"answer": answer_body(answer)}, expires_at=expires_at)]

    def _remember(
        self,
        organization: str,
        planned: Plan,
        memory: LogEntry,
        view: EntityView,
        checked: PreparedCall,
        decisions: Sequence[Decision],
    ) -> None:
        """Bring this process's view and the index up to what was just committed."""
        vectors = None if checked.vectors is None else _added(decisions, checked.vectors)
        by_id = {} if vectors is None else {fact.id: one for fact, one in zip(memory.facts, vectors, strict=True)}
        self._entities.committed(organization, planned.head, view, memory, by_id, checked.space)
        entity = planned.head.entity
        rows = tuple(Row(fact.id, entity.ref, entity.type, fact.text) for fact in memory.facts)
        place = outbox.entry_key(organization, memory.id)
        space_id = "" if vectors is None else checked.space.id
        self._projector.offer(Pending(organization, place, rows, space_id, vectors))


def _added(decisions: Sequence[Decision], vectors: Vectors) -> Vectors:
    return vectors[np.array([one.outcome == "added" for one in decisions], dtype=bool)] if len(decisions) else vectors
