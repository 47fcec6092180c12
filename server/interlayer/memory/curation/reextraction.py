"""Reading content again: what a model could not read when it was memorized, or reads better now.

What was read of it before gives way to the new reading in one transaction: nothing is there twice, and what the caller
stated, and what other memories say, is untouched. The new reading is a memory of its own that names the content, with
the agent, source and time of the call that brought it.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, NotFound, Refused, Unavailable
from interlayer.ids import Clock, first_id, new_id, parse_instant
from interlayer.memory.curation.reextraction_diff import Change, Reread, compared, event_of
from interlayer.memory.entities.repository import Entities, StoredHead
from interlayer.memory.entities.resolution import Resolution
from interlayer.memory.entities.sight import audience_of
from interlayer.memory.entities.vectors import comparable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.erasure.plan import Erasure, largest_that_fits, replacement, transaction, unique
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.extraction.extractor import Extractor, Extractors
from interlayer.memory.gates.rejected import RejectionRecord
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.entity_read import listed
from interlayer.memory.log.records import EntityId, LogEntry, Memorized, Reextracted
from interlayer.memory.log.revision import (
    expired,
    is_structure,
    keep_ids,
    later_readings,
    list_shared_facts,
    readings_of,
    unread,
    with_reading,
    without_memories,
)
from interlayer.memory.memorize.intake import gate, read_plainly
from interlayer.memory.memorize.preparation import gate_context, run_over
from interlayer.memory.memorize.reading.content import read_with_model
from interlayer.memory.memorize.waiting.backlog import Backlog, Unread, done, postponed
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.reconciliation.displacement import facts_displaced, follow_facts
from interlayer.memory.reconciliation.reconcile import Decision, closed_by, confirmations_of, facts_of, reconcile
from interlayer.memory.reconciliation.replacing import follow
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, ItemStore, Operation, VersionConflict
from interlayer.storage.optimistic import apply_if_unchanged, optimistically

PATIENCE: Final = 10.0
"""How many times longer than a call the work in the background waits for a model; shorter than a claim holds."""

_READ_IN_PART_MAX: Final = 8  # attempts: over an hour, as each comes after twice the wait of the one before
_ID_OF_TIME: Final = len("m_") + 9  # what ids of one millisecond have in common
_PAGE: Final = 200
_OF_OTHERS: Final = "it is about another entity than the one whose content was read again"


class Rereader:
    """Reads kept content again. Raises `NotFound`, `Conflict`, `Refused`, and `Unavailable` when no model answers."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        planner: ErasurePlanner,
        trail: Trail,
        spaces: Spaces,
        schema: Schema,
        clock: Clock,
        extractors: Extractors,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._planner = planner
        self._trail = trail
        self._spaces = spaces
        self._schema = schema
        self._clock = clock
        self._extractors = extractors
        self._resolution = Resolution(store, entities, schema)
        self.backlog = Backlog(store, clock)

    async def work_off(self, principal: Principal, *, early: bool = False) -> AsyncGenerator[Change | str]:
        """Read what a model has still to read and is due (`early`: all of it); yield what each reading came to.

        Yields in words why content could not be read; it stays in the backlog. What others work on is passed over.
        """
        organization = principal.organization
        notes = await self.backlog.notes(organization)
        model = await self._extractors.current(organization) if notes else None
        if model is None:
            return
        for item in notes:
            claimed = await self.backlog.claimed(item, early=early)
            if claimed is None:
                continue
            try:
                change = await self._settle(principal, claimed, model)
            except (Unavailable, Conflict, Refused) as error:
                await self.backlog.failed(organization, claimed, str(error))
                yield f"{claimed.memory_id}: {error}"
            else:
                if change:
                    yield change

    async def _settle(self, principal: Principal, claimed: Unread, model: Extractor) -> Change | None:
        """Read the content of a claimed note and take the note away; None if it is forgotten or another was first.

        What was read in part is read again later, but not for ever: a model that is asked so often has no more to say.
        """
        try:
            reread = await self.read(principal, claimed.memory_id, model)
            if reread.gated.pending and claimed.attempts >= _READ_IN_PART_MAX:
                by = f"{reread.by.partition('+pending (')[0]}+plain"
                reread = replace(reread, by=by, gated=replace(reread.gated, pending=""))
            elif reread.gated.pending and (await self.change(principal, reread)).is_empty:
                raise Unavailable(f"{model.name}: {reread.gated.pending}")
            return await self.apply(principal, reread, claimed)
        except NotFound:
            await apply_if_unchanged(self._store, [done(principal.organization, claimed)])
            return None

    async def sources(self, organization: str, since: datetime) -> AsyncGenerator[LogEntry]:
        """Yield the memories with content that were recorded since an instant, entity by entity."""
        first = first_id("m", since)
        for entity_type in self._schema.entities:
            async with aclosing(listed(self._store, organization, entity_type, _PAGE)) as entities:
                async for entity in entities:
                    stored = await self._entities.head(organization, entity)
                    if stored is None or stored.head.merged_into:
                        continue
                    log = await self._entities.log(organization, stored.head)
                    for memory in self._living(log, entity_type):
                        if isinstance(memory, Memorized) and memory.content_of == memory.id and memory.id >= first:
                            yield memory

    async def read(self, principal: Principal, memory_id: str, model: Extractor) -> Reread:
        """Return the content of a memory as a model reads it now; nothing is written.

        A reading in part is only taken for content that is still to be read: it never displaces a whole one.
        """
        organization = principal.organization
        stored, log = await self._log(organization, memory_id)
        memory = next(one for one in log if one.id == memory_id)
        parts = await self._store.query("memory", keys.source(organization, memory_id, 0).partition)
        content = "".join(part.body["text"] for part in parts.items)
        if not content:
            raise NotFound(f"memory_id: {memory_id} has no content that is kept.")
        entity = stored.head.entity
        space = await self._spaces.of(organization)
        known = _audience(unread(log, memory_id), memory)
        view = await self._view(organization, entity, known, space)
        observed_at = parse_instant(memory.observed_at, "observed_at")
        reference = self._resolution.parse(entity.ref)
        context = gate_context(self._schema, reference, stored.head, observed_at)
        # Nothing is blotted out of it any more: that was done before it was stored.
        stored_reading = replace(
            await run_over(len(content), partial(read_plainly, content, observed_at)), redacted=True
        )
        reading = await read_with_model(model, stored_reading, entity.ref, context, self._schema, view, space, PATIENCE)
        if reading.extracted is None:
            raise Unavailable(reading.failed or "the model said nothing.")
        given = {one.name for one in memory.properties if one.given}
        own = reading.extracted.without(set(reading.extracted.named), _OF_OTHERS)
        extracted = replace(own, properties=tuple(one for one in own.properties if one.name not in given))
        request = MemorizeRequest(entity=entity.ref, content=content, source=memory.source, observed_at=observed_at)
        judge = partial(gate, request, context, replace(reading, extracted=extracted))
        gated = await run_over(len(content), judge)
        if gated.pending and not (isinstance(memory, Memorized) and memory.pending):
            raise Unavailable(f"{model.name}: {gated.pending}")
        vectors = await space.embedder.embed([fact.text for fact in gated.facts])
        return Reread(memory, content, gated.extractor, gated, space, vectors)

    async def change(self, principal: Principal, reread: Reread) -> Change:
        """Compare a reading with what it would replace."""
        stored, log = await self._log(principal.organization, reread.memory.id)
        return (await self._plan(principal, reread, stored, log)).change

    async def apply(self, principal: Principal, reread: Reread, claimed: Unread | None = None) -> Change | None:
        """Put a reading in the place of the former ones; return what changed, None if another process was first."""
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)

        async def attempt() -> Change | None:
            stored, log = await self._log(organization, reread.memory.id)
            async with self._entities.lock(organization, stored.head.entity):
                planned = await self._plan(principal, reread, stored, log)
                operations = [*planned.operations, *self._settling(organization, reread, claimed)]
                if len(operations) >= TRANSACT_OPERATIONS_MAX:
                    await self._hand_over(principal, stored, log, reread.memory.id)
                    return None
                await self._trail.commit(principal, event_of(planned.change), operations)
                return planned.change

        def is_still_ours(conflict: VersionConflict) -> bool:
            return claimed is None or keys.pending(organization, claimed.memory_id) not in conflict.keys

        busy = "entity: too many agents write to it at once. It is read again later."
        try:
            while (change := await optimistically(attempt, busy, retries=is_still_ours)) is None:
                pass  # a part was handed over first; that ends, or is refused
        except VersionConflict:
            return None
        await self._projector.drain(organization)
        return change

    def _settling(self, organization: str, reread: Reread, claimed: Unread | None) -> Sequence[Operation]:
        """List what becomes of the note on content that was claimed to be read."""
        if claimed is None:
            return []
        pending = reread.gated.pending
        return [postponed(organization, claimed, pending, self._clock()) if pending else done(organization, claimed)]

    async def _hand_over(
        self, principal: Principal, stored: StoredHead, log: Sequence[LogEntry], memory_id: str
    ) -> None:
        """Have facts that others confirm go on in their words, as many as one transaction holds.

        What is known stays as it is by that. Raises `Refused` when there is nothing to hand over.
        """
        organization = principal.organization
        gone = {memory_id, *later_readings(log, memory_id)}
        given = {fact.id for one in log if one.id == memory_id for fact in one.facts if fact.given}

        async def plan(parts: Sequence[str]) -> Erasure:
            revised = without_memories(log, gone, frozenset(parts))
            return await self._planner.rewrite(organization, stored, log, revised, memory_id)

        shared = [fact for fact in list_shared_facts(log, gone) if fact not in given]
        erasure = await largest_that_fits(shared, plan)
        if not shared or not erasure.fits:
            raise Refused(f"{memory_id}: its content yields more than can be replaced at once.")
        event = Event("memory.handed_over", stored.head.entity.ref, {"content": memory_id, "facts": len(shared)})
        await self._trail.commit(principal, event, transaction(erasure, outbox.new_keys(organization, self._clock)))

    async def _log(self, organization: str, memory_id: str) -> tuple[StoredHead, list[LogEntry]]:
        stored = await self._entities.holder(organization, memory_id)
        log = await self._entities.log(organization, stored.head) if stored else []
        if stored is None or memory_id not in {one.id for one in self._living(log, stored.head.entity.type)}:
            raise NotFound(f"memory_id: {memory_id[:60]!r} is not known. Take it from recall_entity.")
        return stored, log

    def _living(self, log: Sequence[LogEntry], entity_type: str) -> list[LogEntry]:
        """Drop entries that were kept long enough."""
        return without_memories(log, expired(log, self._entities.cutoff(entity_type)))

    async def _view(
        self, organization: str, entity: EntityId, log: Sequence[LogEntry], space: ActiveSpace
    ) -> EntityView:
        """Fold a log, with vectors of a space."""
        living = self._living(log, entity.type)
        texts = {fact.id: fact.text for memory in living for fact in memory.facts}
        vectors = await self._entities.vectors(organization, entity, texts, space)
        view = self._entities.blank(entity, space)
        for memory in living:
            view.apply(memory, vectors)
        return view

    async def _plan(
        self, principal: Principal, reread: Reread, stored: StoredHead, log: Sequence[LogEntry]
    ) -> "_Planned":
        organization, entity = principal.organization, stored.head.entity
        rest = unread(log, reread.memory.id)
        rest = [_mark_read(one, reread) if one.id == reread.memory.id else one for one in rest]
        view = await self._view(organization, entity, _audience(rest, reread.memory), reread.space)
        names = (stored.head.name, *stored.head.names)
        facts = reread.gated.facts
        texts = [fact.text for fact in facts]
        vectors, known, scale = await comparable(self._spaces, reread.space, texts, reread.vectors, view)
        decisions = reconcile(facts, vectors, view, known, scale, names, reread.memory.observed_at)
        decisions = follow(decisions, view, names, {})
        origin = next(one for one in log if one.id == reread.memory.id)  # it may have been merged or split since
        place = await self._place(organization, stored, origin)
        made = self._memory(reread, decisions, stored.head.revision + 1)
        made = keep_ids(made, rest, readings_of(log, reread.memory.id))
        schema, given = self._schema.stored(entity.type), [one.name for one in made.properties]
        values = follow_facts(decisions, view, schema, given, made.observed_at, beside=False)
        made = replace(made, properties=(*made.properties, *values))
        displaced = facts_displaced(view, made, schema, names)
        made = replace(made, closes=tuple(dict.fromkeys((*made.closes, *displaced))))
        says_something = bool(made.facts or made.confirms or made.properties)
        revised = with_reading(rest, made, origin, place) if says_something else rest
        erasure = await self._planner.rewrite(organization, stored, log, revised, entity.ref)
        operations = replacement(erasure, outbox.new_keys(organization, self._clock))
        operations += self._rejections(principal, reread, made, entity)
        former = readings_of(log, reread.memory.id)
        change = await compared(reread.space, entity.ref, former, decisions, reread.gated, reread.by)
        return _Planned(unique(operations), change)

    async def _place(self, organization: str, stored: StoredHead, origin: LogEntry) -> tuple[EntityId, int]:
        """Return whose log a reading belongs to, and under which revision: with its content, if that was merged."""
        if origin.home is None:
            return stored.head.entity, stored.head.revision + 1
        held = await self._entities.head(organization, origin.home[0])
        if held is None:
            raise Conflict(f"{origin.home[0].ref}: it was forgotten meanwhile.")
        return held.head.entity, held.head.revision + 1

    def _memory(self, reread: Reread, decisions: Sequence[Decision], revision: int) -> Reextracted:
        """Return the new reading as a memory: recorded when the content was, so that it is kept as long."""
        origin = reread.memory
        memory_id = origin.id[:_ID_OF_TIME] + new_id("m", self._clock())[_ID_OF_TIME:]
        return Reextracted(
            id=memory_id,
            revision=revision,
            agent=origin.agent,
            recorded_at=origin.recorded_at,
            observed_at=origin.observed_at,
            extractor=reread.by,
            source=origin.source,
            facts=facts_of(decisions, memory_id, origin.observed_at, beside=False),
            confirms=tuple(confirmations_of(decisions, origin.observed_at, beside=False, memory_id=memory_id)),
            closes=closed_by(decisions),
            properties=reread.gated.properties,
            visibility=origin.visibility,
            extracts=origin.id,
        )

    def _rejections(
        self, principal: Principal, reread: Reread, made: LogEntry, entity: EntityId
    ) -> Sequence[Operation]:
        turned_down = RejectionRecord(
            organization=principal.organization,
            memory_id=made.id,
            entity=entity,
            named=entity.ref,
            who=entity.id,
            agent=made.agent,
            source=made.source,
            observed_at=made.observed_at,
            idempotency=None,
            candidates=reread.gated.rejected,
            counts=reread.gated.gates.rejected,
            visibility=made.visibility,
        )
        return list(turned_down.operations(self._clock()))


def _audience(log: Sequence[LogEntry], memory: LogEntry) -> list[LogEntry]:
    """Return what everybody sees of a log who sees a memory: what is read of it is decided by nothing else."""
    sight = audience_of(memory.visibility)
    return [one for one in log if is_structure(one) or sight.sees(one.visibility)]


@dataclass(frozen=True, slots=True)
class _Planned:
    operations: list[Operation]
    change: Change


def _mark_read(memory: LogEntry, reread: Reread) -> LogEntry:
    """Note on a call who has read it: its caller, if that stated anything, and the model that reads the content now."""
    given = any(one.given for one in (*memory.facts, *memory.confirms, *memory.properties))
    extractor = f"caller+{reread.by}" if given else reread.by
    assert isinstance(memory, Memorized)  # noqa: S101 - only what came with content is read
    return replace(memory, extractor=extractor, pending=reread.gated.pending)
