"""Making the index of a space agree with the log: what `reconcile --rebuild` and `reembed` have in common.

While others write. A row is looked for in the log again after it was added, so that a fact which is erased meanwhile
does not come back; a row is only taken out when two readings of the whole log lack it, because an entity that is
merged while the log is read may be in neither place of one reading.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

import anyio

from interlayer.memory.log.entity_read import listed
from interlayer.memory.projection.rows import LogRange, living_rows, rows_of, stretches
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import Row
from interlayer.text.budget import text_tokens

_BATCH: Final = 256
_LISTED: Final = 500
_MERGED_EVERY_S: Final = 15.0  # as often as a server merges would cost more than the work itself

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What was found: facts in the log, and rows that were added to and removed from the index."""

    facts: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to embed; tokens are estimated."""

    facts: int
    tokens: int


class Backfill:
    """Fills indexes from the log of an organization."""

    def __init__(self, store: ItemStore, spaces: Spaces, entity_types: Sequence[str]) -> None:
        self._store = store
        self._spaces = spaces
        self._types = entity_types

    async def fill(
        self, organization: str, space: ActiveSpace, progress: Progress = lambda _: None, rate: float | None = None
    ) -> BackfillReport:
        """Add every fact that a space lacks and remove every row that no fact has.

        `progress` is told the number of facts looked at, those that were there already included; `rate` is the
        highest number of facts to embed a second. Raises `Unavailable`; what was done until then is kept.
        """
        before = await space.index.ids(organization)
        pace = _Pace(rate)
        living: set[str] = set()
        lacking: list[LogRange] = []
        waiting = added = 0
        merging = anyio.current_time()  # at once: servers write small pieces, also while nobody fills
        async with aclosing(self.stretches(organization)) as found:
            async for stretch in found:
                living.update(row.id for row in stretch.rows)
                missing = [row for row in stretch.rows if row.id not in before]
                if missing:
                    lacking.append(replace(stretch, rows=missing))
                    waiting += len(missing)
                if waiting >= _BATCH:
                    await self._add(organization, space, lacking, pace)
                    added += waiting
                    waiting = 0
                    lacking.clear()
                if anyio.current_time() >= merging:
                    await space.index.optimize(organization)
                    merging = anyio.current_time() + _MERGED_EVERY_S
                progress(len(living) - waiting)
        await self._add(organization, space, lacking, pace)
        progress(len(living))
        surplus = before - living
        if surplus:
            async with aclosing(self.stretches(organization)) as found:
                async for stretch in found:
                    surplus.difference_update(row.id for row in stretch.rows)
        if surplus:
            await space.index.remove(organization, sorted(surplus))
        await space.index.optimize(organization)
        return BackfillReport(len(living), added + waiting, len(surplus))

    async def extent(self, organization: str) -> Extent:
        """Return how much a space of the organization holds."""
        facts = tokens = 0
        async with aclosing(self.stretches(organization)) as found:
            async for stretch in found:
                facts += len(stretch.rows)
                tokens += sum(text_tokens(row.text) for row in stretch.rows)
        return Extent(facts, tokens)

    async def stretches(self, organization: str) -> AsyncGenerator[LogRange]:
        """Yield the log of every entity, with those of what was merged into it."""
        for entity_type in self._types:
            async with aclosing(listed(self._store, organization, entity_type, _LISTED)) as entities:
                async for entity in entities:
                    async with aclosing(stretches(self._store, organization, entity)) as found:
                        async for stretch in found:
                            yield stretch

    async def _add(self, organization: str, space: ActiveSpace, lacking: Sequence[LogRange], pace: "_Pace") -> None:
        """Add the rows of stretches, and mend those whose fact was erased or put in other words meanwhile."""
        rows = [row for stretch in lacking for row in stretch.rows]
        for first in range(0, len(rows), _BATCH):
            batch = rows[first : first + _BATCH]
            await pace.keep(len(batch))
            await _put(organization, space, batch)
        now: set[Row] = set()
        for stretch in lacking:
            now.update(await rows_of(self._store, organization, stretch.entity, stretch.span))
        await self._mend(organization, space, [row for row in rows if row not in now])

    async def _mend(self, organization: str, space: ActiveSpace, rows: Sequence[Row]) -> None:
        """Take out those of the rows that are not in the log as they are; put back what goes on in other words."""
        while rows:
            living = await living_rows(self._store, organization, rows)
            stale = [row.id for row in rows if living.get(row.id) != row]
            # It is taken out of every space, so what goes on is put back into every one.
            await space.index.remove(organization, stale)
            rows = [living[row_id] for row_id in stale if row_id in living]
            record = await self._spaces.claim(organization)
            for entry in filter(None, (record.current, record.beside)):
                await _put(organization, self._spaces.active(entry), rows)


async def _put(organization: str, space: ActiveSpace, rows: Sequence[Row]) -> None:
    await space.index.add(organization, rows, await space.embedder.embed([row.text for row in rows]))


class _Pace:
    """Holds work to so many facts a second. Time that was lost is not made up for: that would be a burst."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._free_at = 0.0

    async def keep(self, facts: int) -> None:
        """Return when so many facts may be embedded."""
        if self._rate:
            now = anyio.current_time()
            await anyio.sleep(max(self._free_at - now, 0))
            self._free_at = max(self._free_at, now) + facts / self._rate
