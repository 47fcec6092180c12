"""The projection: facts reach the vector index through an outbox, in batches, and nothing is ever only in one place.

A commit leaves an outbox entry in its own transaction. This process projects its own entries within milliseconds;
what a crash or an unreachable index leaves behind is projected at the next start, by `interlayer reconcile`, and
before any search across entities. Projecting an entry twice is harmless.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import anyio
import numpy as np

from interlayer.errors import InterlayerError
from interlayer.memory import keys
from interlayer.memory.records import EntityId, read_head
from interlayer.models.embedder import Embedder, Vectors
from interlayer.storage.items import Delete, Item, ItemStore, Key, Span, VersionConflict
from interlayer.storage.vectors import Row, VectorIndex

_BATCH_ROWS: Final = 512
_DELETES: Final = 100
_PAUSE_S: Final = 0.25  # how long a burst of writes is gathered: only search needs the index, and it drains first
_RETRY_S: Final = 5.0
_FIRST_VERSION: Final = 1
PURGE: Final = "purge"
"""Name in an outbox entry of the [partition, sort] keys that an erasure still has to delete."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pending:
    """An outbox entry with what it takes to project it."""

    organization: str
    key: Key
    rows: tuple[Row, ...]
    vectors: Vectors
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: facts in the log, and rows that it added to and removed from the index."""

    facts: int
    added: int
    removed: int


class Projector:
    """Carries outbox entries into the vector index."""

    def __init__(self, store: ItemStore, index: VectorIndex, embedder: Embedder) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._queue: list[Pending] = []
        self._wake = anyio.Event()
        self._projecting = anyio.Lock()

    def offer(self, pending: Pending) -> None:
        """Take an entry that this process has just committed."""
        self._queue.append(pending)
        self._wake.set()

    async def run(self, organization: str) -> None:
        """Project until cancelled: first what was left behind, then what is offered."""
        while True:
            try:
                await self.drain(organization)
                await self._wait()
            except InterlayerError as error:
                logger.warning("vector index: %s Trying again in %.0f s; recall goes on without it.", error, _RETRY_S)
                await anyio.sleep(_RETRY_S)

    async def drain(self, organization: str) -> int:
        """Project everything that is in the outbox now; return how many entries there were.

        Raises `Unavailable` when the index or the embedder cannot be reached; nothing is lost by that.
        """
        async with self._projecting:
            offered = await self._project_offered()
            page = await self._store.query("memory", keys.outbox(organization).partition)
            await self._purge([item for item in page.items if PURGE in item.body])
            rows = [item for item in page.items if PURGE not in item.body]
            for first in range(0, len(rows), _DELETES):
                batch = [await self._loaded(organization, item) for item in rows[first : first + _DELETES]]
                await self._project(batch)
            return offered + len(page.items)

    async def _purge(self, entries: Sequence[Item]) -> None:
        """Delete what an erasure that is already in force left behind in the item store."""
        for entry in entries:
            named = [Key("memory", partition, sort) for partition, sort in entry.body[PURGE]]
            for first in range(0, len(named), _DELETES):
                await self._store.transact([Delete(key) for key in named[first : first + _DELETES]])
        if entries:
            await self._store.scrub()  # before the entries go: a process killed until then has it done by the next
            for first in range(0, len(entries), _DELETES):
                await self._store.transact([Delete(entry.key) for entry in entries[first : first + _DELETES]])
        if any(entry.body[PURGE] for entry in entries):
            await self._store.scrub()

    async def rebuild(
        self, organization: str, entity_types: Sequence[str], progress: Callable[[int], None] = lambda _: None
    ) -> Rebuilt:
        """Make the index agree with the log: add every fact that it lacks, remove every row that no fact has.

        `progress` is told the number of facts looked at.
        """
        await self.drain(organization)
        async with self._projecting:
            before = await self._index.ids(organization)
            living: set[str] = set()
            for entity_type in entity_types:
                listed = await self._store.query("memory", keys.listing(organization, entity_type, "").partition)
                for item in listed.items:
                    rows = await all_rows(self._store, organization, EntityId(entity_type, item.key.sort))
                    living |= {row.id for row in rows}
                    missing = [row for row in rows if row.id not in before]
                    if missing:
                        vectors = await self._embedder.embed([row.text for row in missing])
                        await self._index.add(organization, missing, vectors)
                    progress(len(living))
            surplus = sorted(before - living)
            if surplus:
                await self._index.remove(organization, surplus)
            await self._index.optimize(organization)
            return Rebuilt(len(living), len(living - before), len(surplus))

    async def _wait(self) -> None:
        while True:
            await self._wake.wait()
            await anyio.sleep(_PAUSE_S)
            async with self._projecting:
                await self._project_offered()

    async def _project_offered(self) -> int:
        done = 0
        self._wake = anyio.Event()
        while self._queue:
            batch: list[Pending] = []
            rows = 0
            for pending in self._queue:
                if pending.organization != self._queue[0].organization or len(batch) >= _DELETES or rows > _BATCH_ROWS:
                    break
                batch.append(pending)
                rows += len(pending.rows)
            # Leaves the queue only when it is in the index: a failure leaves it here and in the outbox.
            await self._project(batch)
            del self._queue[: len(batch)]
            done += len(batch)
        return done

    async def _project(self, batch: Sequence[Pending]) -> None:
        if not batch:
            return
        organization = batch[0].organization
        removed = [row_id for pending in batch for row_id in pending.removed]
        if removed:  # first: a fact that goes on in other words is added again by the same entry
            await self._index.remove(organization, removed)
        rows = [row for pending in batch for row in pending.rows]
        if rows:
            vectors = np.concatenate([pending.vectors for pending in batch if pending.rows])
            await self._index.add(organization, rows, vectors)
        try:
            await self._store.transact([Delete(pending.key, _FIRST_VERSION) for pending in batch])
        except VersionConflict as conflict:
            await self._settle(organization, batch, set(conflict.keys))
        await self._index.optimize(organization)

    async def _settle(self, organization: str, batch: Sequence[Pending], gone: set[Key]) -> None:
        """Close a batch of which some entries are gone: another process projected them, or they were erased.

        An erased row that this batch has put back is taken out again.
        """
        suspect = [row for pending in batch if pending.key in gone for row in pending.rows]
        living = await self._living(organization, suspect)
        stale = [row.id for row in suspect if row.id not in living]
        if stale:  # removing rewrites the index
            await self._index.remove(organization, stale)
        await self._store.transact([Delete(pending.key) for pending in batch])

    async def _living(self, organization: str, rows: Sequence[Row]) -> set[str]:
        """Return the ids of those rows that the log still holds."""
        found: set[str] = set()
        for owner in {row.owner for row in rows}:
            living = await rows_of(self._store, organization, EntityId(*owner.split(":", 1)), keys.memories_after(0))
            found |= {row.id for row in living}
        return found

    async def _loaded(self, organization: str, item: Item) -> Pending:
        """Return an entry with its rows read from the log; facts erased in the meantime are not there any more."""
        removed = tuple(item.body.get("remove", ()))
        if "entity" not in item.body:
            return Pending(organization, item.key, (), await self._embedder.embed([]), removed)
        entity = EntityId(**item.body["entity"])
        rows = await rows_of(self._store, organization, entity, keys.one_memory(item.body["revision"]))
        return Pending(organization, item.key, rows, await self._embedder.embed([row.text for row in rows]), removed)


async def rows_of(store: ItemStore, organization: str, entity: EntityId, span: Span) -> tuple[Row, ...]:
    """Return the rows of the facts in a part of an entity's own log."""
    log = await store.query("memory", keys.head(organization, entity).partition, span)
    return tuple(
        Row(fact["id"], entity.ref, entity.type, fact["text"])
        for item in log.items
        for fact in item.body.get("facts", ())
    )


async def all_rows(store: ItemStore, organization: str, entity: EntityId) -> tuple[Row, ...]:
    """Return the rows of an entity and of everything that was merged into it."""
    rows = await rows_of(store, organization, entity, keys.memories_after(0))
    stored = await store.get(keys.head(organization, entity))
    for absorbed in read_head(stored.body).absorbed if stored else ():
        rows += await all_rows(store, organization, absorbed)
    return rows
