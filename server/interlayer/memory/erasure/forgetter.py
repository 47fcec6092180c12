"""forget: an entity, a fact or one memorize call, gone from log, heads, indexes, answers kept for replay, and vectors.

What another memory says on its own is kept: a fact that a surviving memory confirms goes on in that memory's words.
The audit record says that something was erased, by whom and why, and nothing of what it was. What took effect is never
told as a failure: what could not be cleared yet is named as pending, and made up for.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final, Protocol

import anyio

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Corrupt, InvalidInput, NotFound, Unavailable
from interlayer.ids import Clock
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.answer import ErasedCounts, ForgetAnswer, StillNamed
from interlayer.memory.erasure.grace import ErasureGrace, SetAside
from interlayer.memory.erasure.holds import LegalHolds
from interlayer.memory.erasure.plan import Erasure, event_body
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.erasure.quota import ErasureQuota
from interlayer.memory.erasure.reasons import CODES, Reason, read_reason
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.log.records import EntityId, FactId, Head, interaction_of
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer.storage.optimistic import optimistically

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

    @classmethod
    def over(cls, store: ItemStore, trail: Trail, clock: Clock, a_day: int, grace: timedelta) -> "Safeguards":
        """Put them together, for so many erasures a day and so much time to take one back."""
        holds, quota = LegalHolds(store, trail, clock), ErasureQuota(store, clock, a_day)
        return cls(holds, quota, ErasureGrace(store, trail, clock, grace))


@dataclass(frozen=True, slots=True)
class _Owner:
    """An entity of which something is erased: a memory, or else what the caller names."""

    entity: EntityId
    memory_id: str | None = None


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
        planner: ErasurePlanner,
        schema: Schema,
        safeguards: Safeguards,
        elsewhere: Elsewhere,
    ) -> None:
        self._safeguards = safeguards
        self._elsewhere = elsewhere
        self._store = store
        self._entities = entities
        self._projector = projector
        self._planner = planner
        self._schema = schema

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
        owners = await self._owners(principal, entity, fact_id, memory_id)
        done = await self._erase(principal, why, owners, fact_id, counted=counted)
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
        self, principal: Principal, reason: Reason, owners: Sequence[_Owner], fact_id: str | None, *, counted: bool
    ) -> _Course:
        """Erase, on whatever others have added meanwhile; what one transaction does not hold, portion by portion.

        After each portion nothing is half there: what is left stands on the voices that are left.
        """
        guards = self._safeguards
        first = owners[-1]
        what = fact_id or interaction_of(first.memory_id or "") or first.entity.ref
        case = guards.grace.open(principal, first.entity, what) if guards.grace.is_set else None
        course = _Course(Erasure(first.entity.ref, [], [], [], Counter()), case)

        busy = "entity: too many agents write to it at once. Not all of it was erased; send the same call again."
        try:
            for one in owners:
                while not await optimistically(
                    partial(self._portion, principal, reason, one, fact_id, course, counted=counted), busy
                ):
                    pass
        except (Unavailable, Conflict, Corrupt) as error:
            if not course.portions:
                raise
            course.unfinished = f"Not all of it is erased yet: {error} Send the same call again."
        return course

    async def _portion(
        self, principal: Principal, reason: Reason, one: _Owner, fact_id: str | None, course: _Course, *, counted: bool
    ) -> bool:
        """Erase as much as one transaction holds; return whether that was all."""
        organization, guards, case, owner = principal.organization, self._safeguards, course.case, one.entity
        async with self._entities.lock(organization, owner):
            stored = await self._entities.head(organization, owner)
            if stored is None:
                raise NotFound(f"{owner.ref}: nothing of that name is remembered.")
            erasure = await self._plan(organization, stored, fact_id, one.memory_id)
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
            await self._planner.commit(principal, Event("memory.erased", erasure.subject, detail), erasure)
        course.take(stored.head, erasure, kept)
        return erasure.is_last

    async def _owners(
        self, principal: Principal, entity: str | None, fact_id: str | None, memory_id: str | None
    ) -> list[_Owner]:
        """Return what is erased: an interaction with all of whom it tells, whom it is mainly about last.

        So what is left of an erasure that was cut off is found by the same call again.
        """
        if not memory_id:
            return [_Owner(await self._owner(principal, entity, fact_id, None))]
        parts = await self._entities.parts_of(principal.organization, memory_id)
        return [_Owner(await self._owner(principal, None, None, one), one) for one in reversed(parts)] or [
            _Owner(await self._owner(principal, None, None, memory_id), memory_id)
        ]

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
            return await self._planner.memory_erasure(organization, stored, log, memory_id)
        if fact_id:
            return await self._planner.fact_erasure(organization, stored, log, fact_id)
        return await self._planner.whole(organization, stored, log)


def _recorded(reason: Reason) -> str | None:
    """Say what became of words that the audit trail does not take."""
    if not reason.reworded:
        return None
    return f"{reason.code}; the words of the reason are not kept. Codes: {', '.join(CODES)}."


def _restorable(case: SetAside | None) -> str | None:
    return f"until {case.due[:16]}Z: interlayer memory restore-forgotten {case.id}" if case else None
