"""Making the index of a space agree with the log: what `reconcile --rebuild` and `reembed` have in common.

While others write. A row is looked for in the log again after it was added, so that a fact which is erased meanwhile
does not come back; a row is only taken out when two readings of the whole log lack it, because an entity that is
merged while the log is read may be in neither place of one reading.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import anyio

from interlayer.memory import keys
from interlayer.memory.projecting import all_rows, living_rows
from interlayer.memory.records import EntityId
from interlayer.memory.spaces import ActiveSpace, Spaces
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import Row
from interlayer.text.budget import text_tokens

_BATCH: Final = 256
_OPTIMIZED_EVERY: Final = 10_000  # rows: merging as often as a server does would cost more than the work itself

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was found: facts in the log, and rows that were added to and removed from the index."""

    facts: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to embed; tokens are estimated."""

    facts: int
    tokens: int


class Filler:
    """Fills indexes from the log of an organization."""

    def __init__(self, store: ItemStore, spaces: Spaces, entity_types: Sequence[str]) -> None:
        self._store = store
        self._spaces = spaces
        self._types = entity_types

    async def fill(
        self, organization: str, space: ActiveSpace, progress: Progress = lambda _: None, rate: float | None = None
    ) -> Filled:
        """Add every fact that a space lacks and remove every row that no fact has.

        `progress` is told the number of facts looked at, those that were there already included; `rate` is the
        highest number of facts to embed a second. Raises `Unavailable`; what was done until then is kept.
        """
        before = await space.index.ids(organization)
        pace = _Pace(rate)
        living: set[str] = set()
        missing: list[Row] = []
        added = unmerged = 0
        async with aclosing(self.rows(organization)) as found:
            async for rows in found:
                living.update(row.id for row in rows)
                missing += [row for row in rows if row.id not in before]
                while len(missing) >= _BATCH:
                    added += await self._add(organization, space, missing[:_BATCH])
                    await pace.keep(added)
                    del missing[:_BATCH]
                    if added - unmerged >= _OPTIMIZED_EVERY:
                        await space.index.optimize(organization)
                        unmerged = added
                progress(len(living) - len(missing))
        added += await self._add(organization, space, missing)
        progress(len(living))
        surplus = before - living
        if surplus:
            async with aclosing(self.rows(organization)) as found:
                async for rows in found:
                    surplus.difference_update(row.id for row in rows)
        if surplus:
            await space.index.remove(organization, sorted(surplus))
        await space.index.optimize(organization)
        return Filled(len(living), added, len(surplus))

    async def extent(self, organization: str) -> Extent:
        """Return how much a space of the organization holds."""
        facts = tokens = 0
        async with aclosing(self.rows(organization)) as found:
            async for rows in found:
                facts += len(rows)
                tokens += sum(text_tokens(row.text) for row in rows)
        return Extent(facts, tokens)

    async def rows(self, organization: str) -> AsyncGenerator[Sequence[Row]]:
        """Yield the rows of every entity, with those of what was merged into it."""
        for entity_type in self._types:
            listed = await self._store.query("memory", keys.listing(organization, entity_type, "").partition)
            for item in listed.items:
                yield await all_rows(self._store, organization, EntityId(entity_type, item.key.sort))

    async def _add(self, organization: str, space: ActiveSpace, rows: Sequence[Row]) -> int:
        """Add rows, and mend those whose fact was erased or put in other words meanwhile."""
        if not rows:
            return 0
        await space.index.add(organization, rows, await space.embedder.embed([row.text for row in rows]))
        living = await living_rows(self._store, organization, rows)
        gone = [row.id for row in rows if living.get(row.id) != row]
        if gone:
            await space.index.remove(organization, gone)  # from every space, so what goes on is put back into every one
            changed = [living[row_id] for row_id in gone if row_id in living]
            record = await self._spaces.claim(organization)
            for entry in filter(None, (record.current, record.beside)):
                await self._add(organization, self._spaces.active(entry), changed)
        return len(rows)


class _Pace:
    """Holds work to so many facts a second, counted from the beginning."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._begun = anyio.current_time()

    async def keep(self, done: int) -> None:
        """Sleep until that much may have been done."""
        if self._rate:
            await anyio.sleep(max(self._begun + done / self._rate - anyio.current_time(), 0))
