"""forget: an entity, a fact or one memorize call, gone from log, heads, indexes, answers kept for replay, and vectors.

What another memory says on its own is kept: a fact that a surviving memory confirms goes on in that memory's words.
The audit record says that something was erased, by whom and why, and nothing of what it was. What took effect is never
told as a failure: what could not be cleared yet is named as pending, and made up for.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import anyio

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Corrupt, InvalidInput, NotFound, Unavailable
from interlayer.ids import Clock, timestamp
from interlayer.memory.entities.log_revision import LogRevisions
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.answer import ErasedCounts, ForgetAnswer, StillNamed
from interlayer.memory.erasure.grace import ErasureGrace, SetAside
from interlayer.memory.erasure.holds import LegalHolds
from interlayer.memory.erasure.plan import Erasure, event_body, largest_that_fits, transaction, unique
from interlayer.memory.erasure.quota import ErasureQuota
from interlayer.memory.erasure.reasons import CODES, Reason, read_reason
from interlayer.memory.erasure.references import References
from interlayer.memory.log import identifiers, keys, outbox
from interlayer.memory.log.change import EntityChange
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import fold_name, parse_entity
from interlayer.memory.log.records import EntityId, FactId, Head, LogEntry
from interlayer.memory.log.revision import later_readings, list_shared_facts, without_fact, without_memories
from interlayer.memory.memorize.in_flight import InFlightCalls
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Delete, ItemStore, Operation
from interlayer.storage.optimistic import optimistically

_ANSWERS_MAX: Final = 20  # kept for replay and rewritten; more than these are deleted
_LOOKING_S: Final = 2.0  # for other entities that name what was forgotten

logger = logging.getLogger(__name__)


class Elsewhere(Protocol):
    """Finds the entities whose facts name one that is forgotten, as far as the caller may see them."""

    async def still_named(self, principal: Principal, head: Head) -> tuple[StillNamed, ...]:
        """Return those that a search finds, with how many facts each."""
        ...


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What stands between a caller and an erasure: legal holds, a quota a day, and a time to take it back."""

    holds: LegalHolds
    quota: ErasureQuota
    grace: ErasureGrace


@dataclass(slots=True)
class _Course:
    """How far an erasure has come, of the entity of a head. `unfinished` says why portions are left."""

    erasure: Erasure
    case: SetAside | None
    head: Head | None = None
    kept: int = 0
    portions: int = 0
    unfinished: str = ""

    def take(self, head: Head, portion: Erasure, kept: int) -> None:
        """Count a portion that is in force."""
        self.head = self.head or head
        self.erasure.counts.update(portion.counts)
        self.erasure.rows.extend(portion.rows)
        self.portions += 1
        self.kept = kept


class Forgetter:
    """Erases. Raises `NotFound` when there is nothing of that name, `InvalidInput` unless exactly one is named."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        trail: Trail,
        schema: Schema,
        clock: Clock,
        safeguards: Safeguards,
        elsewhere: Elsewhere,
    ) -> None:
        self._safeguards = safeguards
        self._elsewhere = elsewhere
        self._store = store
        self._entities = entities
        self._projector = projector
        self._trail = trail
        self._schema = schema
        self._clock = clock
        self._references = References(store, entities, InFlightCalls(store, clock), schema)
        self._revisions = LogRevisions(store, entities, schema)

    async def forget(
        self,
        principal: Principal,
        reason: str,
        *,
        reference: str | None = None,
        entity: str | None = None,
        fact_id: str | None = None,
        memory_id: str | None = None,
        counted: bool = False,
    ) -> ForgetAnswer:
        """Erase, and return the counts after no layer holds it any more.

        `counted` says that it counts toward what the caller may erase on a day. Raises `Refused` when that is used up,
        and for what is under legal hold.
        """
        given = [name for name in (entity, fact_id, memory_id) if name]
        if len(given) != 1:
            problem = f"{len(given)} of entity, fact_id and memory_id were given."
            raise InvalidInput("entity", problem, "Give exactly one.")
        why = read_reason(reason, reference)
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        owner = await self._owner(principal, entity, fact_id, memory_id)
        done = await self._erase(principal, why, owner, fact_id, memory_id, counted=counted)
        pending = " ".join(filter(None, (done.unfinished, await self._clear(organization))))
        counts = ErasedCounts(**done.erasure.counts, vectors=len(done.erasure.rows))
        return ForgetAnswer(
            erased=counts,
            pending=pending or None,
            recorded_as=_recorded(why),
            still_named=await self._still_named(principal, done.head) if entity and done.head else None,
            restorable=_restorable(done.case),
        )

    async def _clear(self, organization: str) -> str:
        """Clear index and files of what is erased; say which could not be, empty where nothing is left."""
        try:
            await self._projector.erase(organization)  # which clears the files of the item store as well
        except Exception as error:  # noqa: BLE001 - it is erased: whatever hinders, the caller must not be told otherwise
            logger.warning("forget: %s It is tried again.", error)
            told = error if isinstance(error, Unavailable | Corrupt) else type(error).__name__
            return f"vectors and files: {told} They are cleared as soon as that is possible; nothing recalls it."
        return ""

    async def _still_named(self, principal: Principal, head: Head) -> tuple[StillNamed, ...] | None:
        found: tuple[StillNamed, ...] = ()
        try:
            with anyio.move_on_after(_LOOKING_S):
                found = await self._elsewhere.still_named(principal, head)
        except Exception as error:  # noqa: BLE001 - it is erased, and this only an addition to the answer
            logger.warning("forget: nobody could look who else names it: %s", error)
        return found or None

    async def _erase(
        self,
        principal: Principal,
        reason: Reason,
        owner: EntityId,
        fact_id: str | None,
        memory_id: str | None,
        *,
        counted: bool,
    ) -> _Course:
        """Erase, on whatever others have added meanwhile; what one transaction does not hold, portion by portion.

        After each portion nothing is half there: what is left stands on the voices that are left.
        """
        organization, guards = principal.organization, self._safeguards
        case = guards.grace.open(principal, owner, fact_id or memory_id or owner.ref) if guards.grace.is_set else None
        course = _Course(Erasure(owner.ref, [], [], [], Counter()), case)

        async def portion() -> bool:
            async with self._entities.lock(organization, owner):
                stored = await self._entities.head(organization, owner)
                if stored is None:
                    raise NotFound(f"{owner.ref}: nothing of that name is remembered.")
                erasure = await self._plan(organization, stored, fact_id, memory_id)
                joined = await guards.holds.guard(organization, stored.head)
                if counted and not course.portions:
                    joined += await guards.quota.one_more(principal)
                kept = course.kept
                if case:
                    keeping, kept = await guards.grace.keep(organization, case, erasure, course.kept)
                    joined += keeping
                erasure.decisive.extend(joined)
                detail = {**reason.record, "entity": owner.ref, **event_body(erasure)}
                detail |= {"case": case.id, "due": case.due} if case else {}
                await self.commit(principal, Event("memory.erased", erasure.subject, detail), erasure)
            course.take(stored.head, erasure, kept)
            return erasure.is_last

        busy = "entity: too many agents write to it at once. Not all of it was erased; send the same call again."
        try:
            while not await optimistically(portion, busy):
                pass
        except (Unavailable, Conflict, Corrupt) as error:
            if not course.portions:
                raise
            course.unfinished = f"Not all of it is erased yet: {error} Send the same call again."
        return course

    async def _owner(
        self, principal: Principal, entity: str | None, fact_id: str | None, memory_id: str | None
    ) -> EntityId:
        """Return whom a caller names; what he may not see is as unknown to him as what there is not."""
        reader = replace(principal, roles=principal.roles | {"reader"})
        organization, sight = principal.organization, self._entities.sight(reader)
        if entity:
            parsed = parse_entity(entity, self._schema)
            found = await self._entities.resolve(organization, parsed, sight)
            head = await self._entities.head(organization, found) if found else None
            if head and head.head.labels and not await self._entities.shown(organization, head.head, sight, parsed):
                found = None
            if found is None:
                near = await self._entities.near(organization, parsed, sight)
                raise NotFound(f"entity: {entity!r} is not known." + (f" Near: {', '.join(near)}." if near else ""))
            return found
        memory = memory_id or FactId.parse(fact_id or "").memory
        stored = await self._entities.holder(organization, memory)
        if stored and stored.head.labels:
            view = await self._entities.view(organization, stored.head, sight=sight)
            if memory not in view.memories or (fact_id and not view.fact(fact_id)):
                stored = None
        if stored is None:
            field = "memory_id" if memory_id else "fact_id"
            raise NotFound(f"{field}: {(memory_id or fact_id or '')[:60]!r} is not known. Take it from recall_entity.")
        return stored.head.entity

    async def _plan(self, organization: str, stored: StoredHead, fact_id: str | None, memory_id: str | None) -> Erasure:
        log = await self._entities.log(organization, stored.head)
        if memory_id:
            if all(memory.id != memory_id for memory in log):
                raise NotFound(f"memory_id: {memory_id[:60]!r} is not known. Take it from recall_entity.")
            return await self.memory_erasure(organization, stored, log, memory_id)
        if fact_id:
            return await self._fact_erasure(organization, stored, log, fact_id)
        return await self.whole(organization, stored, log)

    async def memory_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[LogEntry], memory_id: str
    ) -> Erasure:
        """Plan the erasure of a memory with what was read of its content later; what others confirm is handed over.

        Where that is too much at once, the handing over comes first.
        """
        gone = {memory_id, *later_readings(log, memory_id)}

        async def plan(parts: Sequence[str]) -> Erasure:
            only = None if memory_id in parts else frozenset(parts)
            return await self.rewrite(organization, stored, log, without_memories(log, gone, only), memory_id)

        return await largest_that_fits([*list_shared_facts(log, gone), memory_id], plan)

    async def _fact_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[LogEntry], fact_id: str
    ) -> Erasure:
        """Plan the erasure of a fact with all its voices, the last of them first, so that it keeps its id meanwhile."""
        fact = self._entities.fold(stored.head.entity, log).fact(fact_id)
        if fact is None:
            raise NotFound(f"fact_id: {fact_id!r} is not known. Take it from recall_entity.")
        said_as = frozenset(fact.said_as)

        async def plan(parts: Sequence[str]) -> Erasure:
            chosen = [memory for memory in log if memory.id in parts]
            revised = [without_fact(memory, said_as) if memory.id in parts else memory for memory in log]
            erasure = await self.rewrite(organization, stored, log, revised, fact_id)
            erasure.decisive.extend(await self._references.redactions(organization, chosen, said_as))
            return erasure

        voices = [memory.id for memory in log if without_fact(memory, said_as) is not memory]
        return await largest_that_fits(voices[::-1], plan)

    async def whole(self, organization: str, stored: StoredHead, log: Sequence[LogEntry]) -> Erasure:
        """Plan the erasure of an entity with everything that leads to it or came from it."""
        head = stored.head
        entity = head.entity
        rows = [fact.id for memory in log for fact in memory.facts]
        listed = await self._store.query("memory", keys.head(organization, entity).partition)
        own = [item.key for item in listed.items if item.key != keys.head(organization, entity)]
        own += await self._references.absorbed(organization, head)
        own += await self._references.rejected(organization, head)
        own += await self._references.claims(organization, {head.entity, *head.absorbed})
        own += await self._references.unread(organization, entity)
        hidden = [*own, *await self._references.traces(organization, entity, log)]
        gone = EntityChange(
            organization=organization, schema=self._schema.stored(entity.type), stored=stored, after=None
        )
        forms = dict.fromkeys(fold_name(name) for name in (*head.names, head.name))
        last = [
            *gone.operations(),
            Delete(keys.name(organization, entity.type, fold_name(head.name), entity.id)),
            *(Delete(keys.identifier(organization, entity.type, form, identifiers.NAME)) for form in forms),
            *(
                Delete(keys.identifier(organization, entity.type, value, kind))
                for kind, values in head.identifiers.items()
                for value in values
            ),
        ]
        counts = Counter(
            entities=1,
            memories=len(log),
            facts=len(rows),
            properties=len(head.properties),
            relations=sum(len(memory.relations) for memory in log),
        )
        ids = tuple(memory.id for memory in log)
        return Erasure(entity.ref, unique(last), [Delete(key) for key in hidden], rows, counts, memories=ids)

    async def rewrite(
        self,
        organization: str,
        stored: StoredHead,
        log: Sequence[LogEntry],
        revised: Sequence[LogEntry],
        subject: str,
        rename: Callable[[Head], Head] = lambda head: head,
    ) -> Erasure:
        """Plan the turn of a log into its revision, with everything that follows from it.

        `rename` changes what the entity is called by; claims to what it is not called by any more are the caller's.
        """
        entity, kept = stored.head.entity, {memory.id: memory for memory in revised}
        now = timestamp(self._clock())
        changes = await self._revisions.changes(organization, stored, log, revised, now)
        changes[0] = replace(changes[0], after=rename(changes[0].after) if changes[0].after else None)
        new_key = outbox.new_keys(organization, self._clock)
        operations = [operation for change in changes for operation in change.operations(new_key)]
        rows: list[str] = []
        for memory in log:
            left = kept.get(memory.id)
            texts = {fact.id: fact.text for fact in (left.facts if left else ())}
            rows += [fact.id for fact in memory.facts if texts.get(fact.id) != fact.text]
        gone = [memory for memory in log if memory.id not in kept]
        stated = {relation for memory in revised for relation in memory.relations}
        lost = {relation for memory in gone for relation in memory.relations} - stated
        holders = {entity, *(memory.home[0] for memory in gone if memory.home)}
        operations += [
            Delete(keys.relation(organization, one.target, one.type, holder)) for one in lost for holder in holders
        ]
        operations += await self._references.rested(organization, entity, gone, revised)
        names = {one.name for memory in gone for one in memory.properties}
        answers = await self._references.answers(organization, revised, names)
        operations += answers if len(answers) <= _ANSWERS_MAX else []
        traces = await self._references.traces(organization, entity, gone, relations=False)
        traces += [one.key for one in answers] if len(answers) > _ANSWERS_MAX else []
        after = changes[0].after
        counts = Counter(
            memories=len(gone),
            facts=sum(len(memory.facts) for memory in log) - (after.facts if after else 0),
            properties=sum(len(memory.properties) for memory in gone),
            relations=len(lost),
        )
        hidden: list[Operation] = [Delete(key) for key in traces]
        replaced = frozenset(fact.id for memory in revised for fact in memory.facts)
        ids = tuple(memory.id for memory in gone)
        return Erasure(subject, unique(operations), hidden, rows, counts, replaced, memories=ids)

    async def commit(self, principal: Principal, event: Event, erasure: Erasure) -> None:
        """Put the erasure into force in one transaction, with its audit event."""
        new_key = outbox.new_keys(principal.organization, self._clock)
        await self._trail.commit(principal, event, transaction(erasure, new_key))


def _recorded(reason: Reason) -> str | None:
    """Say what became of words that the audit trail does not take."""
    if not reason.reworded:
        return None
    return f"{reason.code}; the words of the reason are not kept. Codes: {', '.join(CODES)}."


def _restorable(case: SetAside | None) -> str | None:
    return f"until {case.due[:16]}Z: interlayer memory restore-forgotten {case.id}" if case else None
