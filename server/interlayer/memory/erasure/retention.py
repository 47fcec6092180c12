"""Retention: what a type keeps for a time only is erased for good when that is over.

Readers leave out what was kept long enough at once (`Entities.view`, `Entities.shown`); the sweep here takes it out of
every layer, as forget does, and deletes items of the store that have expired.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Any, Final

from interlayer.audit.trail import Event
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Safeguards
from interlayer.memory.erasure.plan import Erasure, event_body, largest_that_fits
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.log.entity_read import StoredHead, listed
from interlayer.memory.log.records import EntityId, LogEntry
from interlayer.memory.log.revision import expired, is_structure, without_memories
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer.storage.optimistic import optimistically

_PORTION: Final = 40  # memories of one entity that are erased together, if they fit
_PAGE: Final = 500


class Expirer:
    """Erases what was kept long enough."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        planner: ErasurePlanner,
        schema: Schema,
        safeguards: Safeguards,
    ) -> None:
        self._safeguards = safeguards
        self._store = store
        self._entities = entities
        self._projector = projector
        self._planner = planner
        self._schema = schema

    async def expire(
        self,
        principal: Principal,
        *,
        until: datetime | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> dict[str, int]:
        """Return how many entities were erased whole, and how many memories and facts in all.

        What is under legal hold stays, `held` says of how many entities where there are any. What was forgotten and can
        be taken back no longer is erased for good.

        `until` is up to when retention may count, for a clock may be wrong (`RetentionClock`); without it, up to now.
        With `dry_run`, what would be. Raises `Refused` under a schema that is not the one on record, and `Unavailable`
        when vectors cannot be cleared just now; that is made up for when the outbox is drained next.
        """
        await ensure_in_force(self._store, principal.organization, self._schema)
        counts = Counter[str](entities=0, memories=0, facts=0)
        ended = 0 if dry_run else await self._safeguards.grace.end(principal, until)
        for entity_type, declared in self._schema.entities.items():
            if declared.retention:
                async for found in self._of_type(principal, entity_type, until, dry_run):
                    counts.update(found)
                    progress(counts["memories"])
        if not dry_run:
            purged = await self._store.purge(until.timestamp() if until else None)
            await self._projector.erase(principal.organization)
            if purged or ended or any(counts.values()):
                await self._store.scrub()
        told = {name: counts[name] for name in ("entities", "memories", "facts")}
        return {**told, "held": counts["held"]} if counts["held"] else told

    async def _of_type(
        self, principal: Principal, entity_type: str, until: datetime | None, dry_run: bool
    ) -> AsyncGenerator[Counter[str]]:
        cutoff = self._entities.cutoff(entity_type, until)
        async with aclosing(listed(self._store, principal.organization, entity_type, _PAGE)) as entities:
            async for entity in entities:
                while found := await self._step(principal, entity, cutoff, dry_run):
                    yield found
                    if dry_run or found["held"]:
                        break

    async def _step(self, principal: Principal, entity: EntityId, cutoff: str, dry_run: bool) -> Counter[str] | None:
        """Erase a portion of what was kept long enough; None when there is nothing of that."""
        busy = f"{entity.ref}: too many agents write to it at once. Run interlayer memory expire again."
        return await optimistically(partial(self._try_step, principal, entity, cutoff, dry_run), busy)

    async def _try_step(
        self, principal: Principal, entity: EntityId, cutoff: str, dry_run: bool
    ) -> Counter[str] | None:
        organization = principal.organization
        async with self._entities.lock(organization, entity):
            stored = await self._entities.head(organization, entity)
            if stored is None or stored.head.since >= cutoff:
                return None
            log = await self._entities.log(organization, stored.head)
            gone = expired(log, cutoff)
            kept = [memory for memory in log if memory.id not in gone and not is_structure(memory)]
            if not gone and (kept or await self._is_needed(organization, stored)):
                return None
            holds = self._safeguards.holds
            if await holds.on(organization, [stored.head.entity, *stored.head.absorbed]):
                return Counter(held=1)
            erasure = await self._plan(organization, stored, log, gone, whole=not kept, portion=not dry_run)
            if dry_run:
                return erasure.counts
            erasure.decisive.extend(await holds.guard(organization, stored.head))
            retention = self._schema.entities[entity.type].retention
            detail: dict[str, Any] = {"retention": retention, **event_body(erasure)}
            await self._planner.commit(principal, Event("memory.expired", erasure.subject, detail), erasure)
            return erasure.counts

    async def _is_needed(self, organization: str, stored: StoredHead) -> bool:
        """Tell whether an entity that nothing was ever said of is still what a relation points at."""
        return not stored.head.revision and await self._entities.is_target(organization, stored.head.entity)

    async def _plan(
        self,
        organization: str,
        stored: StoredHead,
        log: Sequence[LogEntry],
        gone: AbstractSet[str],
        *,
        whole: bool,
        portion: bool,
    ) -> Erasure:
        """Plan the erasure of the oldest that fit into one transaction, or the whole entity when nothing is left."""
        if whole:
            return await self._planner.whole(organization, stored, log)
        oldest = [memory.id for memory in log if memory.id in gone]

        async def plan(parts: Sequence[str]) -> Erasure:
            revised = without_memories(log, set(parts))
            return await self._planner.rewrite(organization, stored, log, revised, stored.head.entity.ref)

        if not portion:
            return await plan(oldest)
        erasure = await largest_that_fits(oldest[:_PORTION], plan)
        if erasure.fits:
            return erasure
        return await self._planner.memory_erasure(organization, stored, log, oldest[0])
