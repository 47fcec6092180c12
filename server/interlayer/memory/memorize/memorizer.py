"""memorize: prepare the call, reconcile it with what is known, commit, answer.

Before a model is asked the call itself is kept, so that its content outlives the process. The transaction holds
everything or nothing. A race with another writer of the same entity is lost without harm: the view is brought up to
date and the candidates are reconciled again; nothing is extracted or embedded twice.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

from interlayer.audit.receipts import ReceiptBook
from interlayer.errors import InterlayerError, InvalidInput
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import Claim, Resolution, ResolvedEntity
from interlayer.memory.entities.sight import visibility_of
from interlayer.memory.extraction.extractor import NO_MODEL, Extractors
from interlayer.memory.gates.labels import as_seen, check_labels
from interlayer.memory.gates.rejected import KEPT_FOR, RejectionRecord
from interlayer.memory.log import keys
from interlayer.memory.log.naming.name_index import once_each
from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.memorize.call import Call, PreparedCall, PreparedPart, fingerprint_of, joined, with_fewer_parts
from interlayer.memory.memorize.commit import MemoryChange
from interlayer.memory.memorize.decision import Decider, Targets, aside
from interlayer.memory.memorize.intake import check_limits, check_times
from interlayer.memory.memorize.look_alikes import LookAlikes, NewEntity, notes
from interlayer.memory.memorize.outcomes import answer_body, memorize_answer, nothing_remembered, read_answer
from interlayer.memory.memorize.preparation import Preparation
from interlayer.memory.memorize.receipt import memory_receipt
from interlayer.memory.memorize.waiting.backlog import note
from interlayer.memory.memorize.waiting.in_flight import InFlightCalls
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, Delete, ItemStore, Key, Operation, Put
from interlayer.storage.optimistic import apply_if_unchanged, optimistically

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
        self._look_alikes = LookAlikes(store, entities)
        self._decider = Decider(entities, self._resolution, spaces, schema, clock)
        self._preparation = Preparation(store, entities, self._resolution, schema, spaces, extractors, clock)
        self.in_flight = InFlightCalls(store, clock)

    async def memorize(
        self, principal: Principal, request: MemorizeRequest, commit: Commit | None = None
    ) -> MemorizeAnswer:
        """Remember what a caller sends; when it returns, everything that the answer says is durable.

        `commit` is handed what is to be written, for whoever adds to it or only looks at it.
        """
        asked = fingerprint_of(principal, request)
        request = as_seen(request)
        check_limits(request)
        check_labels(request)
        check_times(request, self._clock())
        request = replace(request, visibility=visibility_of(principal, request.visibility))
        call = Call(new_id("m", self._clock()), principal, request, asked=asked)
        try:
            return await self.remember(call, commit)
        except InterlayerError:
            await self.in_flight.abandon(call)
            raise

    async def remember(self, call: Call, commit: Commit | None = None) -> MemorizeAnswer:
        """Remember a call, which stays kept, if it is, when this fails."""
        if replayed := await self._first_answer(call):
            return replayed
        prepared = await self._preparation.prepare(call, partial(self.in_flight.keep, call))
        return await self._write(prepared, commit or self._store.transact)

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
                prepared = replace(prepared, parts=tuple(replace(one, resolved=None) for one in prepared.parts))
            return await self._attempt(prepared, commit)

        busy = "entity: too many agents write to it at once. Nothing was stored; send the same call again."
        return await optimistically(attempt, busy)

    async def _attempt(self, prepared: PreparedCall, commit: Commit) -> MemorizeAnswer:
        principal = prepared.call.principal
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        sight = self._entities.sight(principal)
        prepared, found = await self._resolve(prepared)
        if prepared.is_all_rejected:
            return await self._keep_rejections(prepared, found[0].entity, commit)
        told = [(part, one, self._entity_of(part, one)) for part, one in zip(prepared.parts, found, strict=True)]
        reached = [(part, one, entity) for part, one, entity in told if part is prepared.main or not part.is_empty]
        targets = self._decider.targets([(part.reference, entity) for part, _, entity in reached])
        async with AsyncExitStack() as held:
            for entity in sorted({entity for _, _, entity in reached}):  # in one order: nobody waits in a circle
                await held.enter_async_context(self._entities.lock(organization, entity))
            read = [await self._decider.read(prepared, *one, targets) for one in reached]
            now = timestamp(self._clock())  # one for all: at no instant is only a part of the call known
            changes = [await self._decider.decide(prepared, one, now, read) for one in read]
            alike = await self._look_alikes.find(organization, _made(changes, targets), _reached(changes), sight)
            decided = sum(len(one.decisions) for one in changes)
            answer, made = await aside(decided, lambda: (memorize_answer(changes), _operations(changes, targets.made)))
            answer = replace(answer, looks_like=tuple(one.told for one in alike) or None)
            made += notes(organization, alike, now)
            left_out = [(part, one.entity) for part, one, _ in told if part is not prepared.main and part.is_empty]
            operations = [*made, *await self._beside(changes, answer, made, left_out)]
            if len(operations) <= TRANSACT_OPERATIONS_MAX:
                await commit(operations)
                for one in changes:
                    await self._follow(one)
                return answer
        if (fewer := with_fewer_parts(prepared)) is None:
            problem = f"this call changes too much at once, {len(reached)} entities with what they are related to."
            raise InvalidInput("relations", problem, "Split it into several calls.")
        return await self._attempt(fewer, commit)

    async def _resolve(self, prepared: PreparedCall) -> tuple[PreparedCall, list[ResolvedEntity]]:
        """Find whom the parts of a call name; parts that turn out to be of one entity become one."""
        principal = prepared.call.principal
        sight = self._entities.sight(principal)
        parts: list[PreparedPart] = []
        found: list[ResolvedEntity] = []
        taken: list[set[Claim]] = []
        unresolved = [part.reference for part in prepared.parts if part.resolved is None]
        resolved = iter(await self._resolution.resolve_all(principal.organization, unresolved, sight))
        for prior in prepared.parts:
            one = prior.resolved or next(resolved)
            part = replace(prior, reference=one.reference or prior.reference)
            own, shared = (self._resolution.claims(part.reference, shared=is_shared) for is_shared in (False, True))
            places = [
                place
                for place, other in enumerate(found)
                if (one.entity and one.entity == other.entity)
                or (one.entity is None and not own.isdisjoint(taken[place]))
            ]
            if places:
                parts[places[0]] = joined(parts[places[0]], part)
                taken[places[0]] |= own | shared
                continue
            # Of a number that several give only the first one has it.
            others = {claim[1] for claim in shared if any(claim in some for some in taken)}
            identifiers = {kind: value for kind, value in part.reference.identifiers.items() if kind not in others}
            parts.append(replace(part, reference=replace(part.reference, identifiers=identifiers)))
            found.append(one)
            taken.append(own | shared)
        return replace(prepared, parts=tuple(parts)), found

    def _entity_of(self, part: PreparedPart, found: ResolvedEntity) -> EntityId:
        return found.entity or EntityId(part.reference.entity.type, new_id("e", self._clock()))

    async def _beside(
        self,
        changes: Sequence[MemoryChange],
        answer: MemorizeAnswer,
        made: Sequence[Operation],
        left_out: Sequence[tuple[PreparedPart, EntityId | None]],
    ) -> list[Operation]:
        """List what is written with a memory: its first answer, what was turned down, its receipt, its open reading.

        Of those who are `left_out` all was turned down.
        """
        prepared = changes[0].prepared
        operations: list[Operation] = [
            *_answer_puts(prepared.call, answer),
            *(one for change in changes for one in self._rejections(prepared, change.part, change.entity)),
            *(one for part, entity in left_out for one in self._rejections(prepared, part, entity)),
            await memory_receipt(self._receipts, prepared, changes[0].entity, changes, made),
            *prepared.call.removal(),
        ]
        if prepared.main.gated.pending:  # a model has still to read the content
            call = prepared.call
            pending = prepared.main.gated.pending
            operations.append(note(call.principal.organization, call.memory_id, pending, self._clock()))
        return operations

    async def _keep_rejections(self, prepared: PreparedCall, known: EntityId | None, commit: Commit) -> MemorizeAnswer:
        """Keep what a call proposed for review, and nothing else of it."""
        organization, sight = prepared.call.principal.organization, self._entities.sight(prepared.call.principal)
        stored = await self._entities.head(organization, known) if known else None
        shown = await self._entities.shown(organization, stored.head, sight) if stored else None
        answer = nothing_remembered(prepared, shown)
        expires_at = int((self._clock() + self._keeping_time(prepared.main.reference.entity.type)).timestamp())
        receipt = await memory_receipt(self._receipts, prepared, known)
        first = _answer_puts(prepared.call, answer, expires_at)
        rejections = [
            one
            for part in prepared.parts
            for one in self._rejections(prepared, part, known if part is prepared.main else None)
        ]
        await commit([*first, *rejections, receipt, *prepared.call.removal()])
        return answer

    def _rejections(self, prepared: PreparedCall, part: PreparedPart, entity: EntityId | None) -> Iterator[Operation]:
        if not part.gated.rejected:
            return
        request, named, call = prepared.request, part.reference.entity, prepared.call
        yield from RejectionRecord(
            organization=call.principal.organization,
            memory_id=part.memory_id,
            entity=entity,
            named=f"{named.type}:{named.key}",
            who=entity.id if entity else part.reference.identity[1],
            agent=call.principal.agent,
            source=request.source,
            observed_at=prepared.observed_at,
            idempotency=request.idempotency_key,
            candidates=part.gated.rejected,
            counts=part.gated.gates.rejected,
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
        organization, vectors = prepared.call.principal.organization, change.part.vectors
        if vectors is not None and len(change.decisions):
            vectors = vectors[[one.outcome == "added" for one in change.decisions]]
        by_id = {} if vectors is None else {fact.id: one for fact, one in zip(memory.facts, vectors, strict=True)}
        self._projector.offer(organization, change.entity, memory, prepared.space, vectors)
        await self._entities.committed(organization, change.after, change.view, memory, by_id, prepared.space)


def _made(changes: Sequence[MemoryChange], targets: Targets) -> list[NewEntity]:
    """Return whom a call makes, or makes known to its caller."""
    told = [
        NewEntity(one.entity, one.part.reference, one.conflicts_told, is_known=one.before is not None)
        for one in changes
        if one.created
    ]
    return [*told, *targets.created]


def _reached(changes: Sequence[MemoryChange]) -> set[EntityId]:
    """Return everybody of whom a call tells."""
    targets = {relation.target for one in changes for relation in one.memory.relations}
    return {*(one.entity for one in changes), *targets}


def _operations(changes: Sequence[MemoryChange], targets: Sequence[Operation]) -> list[Operation]:
    """List what makes the changes of a call, all or none."""
    return once_each([*(one for change in changes for one in change.operations()), *targets])


def _answer_key(call: Call) -> Key:
    return keys.idempotency(call.principal.organization, call.principal.agent, call.request.idempotency_key or "")


def _answer_puts(call: Call, answer: MemorizeAnswer, expires_at: int | None = None) -> list[Operation]:
    """List what keeps the answer for replay, if the call has a key.

    The words of facts that other calls brought, and names of others, are not kept with it: those may be forgotten.
    """
    if not call.request.idempotency_key:
        return []
    body = {"answer": answer_body(replace(answer, related=None, looks_like=None)), "request": call.asked}
    return [Put(_answer_key(call), body, expires_at=expires_at)]
