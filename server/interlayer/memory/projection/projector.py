"""The projection: facts reach the vector index through an outbox, in batches, and nothing is ever only in one place.

A commit leaves an outbox entry in its own transaction. This process projects its own entries within milliseconds;
what a crash, an unreachable index or a dead embedding model leaves behind is projected by a running server, which tries
every few seconds, at the next start, by `interlayer reconcile`, and before any search across entities. Projecting an
entry twice is harmless. What was erased is taken out of the index also while nothing can be embedded.

Each batch reads the record of the embedding spaces after its facts are in the log and writes to every space in it. So
whoever puts another space on record and then reads the log has every fact: from there, or by this way. A space beside
the current one that cannot be written is marked in the transaction that closes the entries (`gaps`), and filled later.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
import numpy as np

from interlayer.errors import InterlayerError, Unavailable
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.outbox import PURGE
from interlayer.memory.log.records import EntityId, LogEntry
from interlayer.memory.projection.rows import living_rows, rows_of
from interlayer.memory.projection.spaces import ActiveSpace, SpaceRecord, Spaces, with_gaps
from interlayer.models.embedder import Vectors
from interlayer.storage.items import Check, Delete, Item, ItemStore, Key, Operation, VersionConflict
from interlayer.storage.vectors import Row

_BATCH_ROWS: Final = 512
_DELETES: Final = 99  # and the record of the spaces
_PAUSE_S: Final = 0.25  # how long a burst of writes is gathered: only search needs the index, and it drains first
_RETRY_S: Final = 5.0
_DRAINING_S: Final = 5.0  # for an erasure, before it goes by the entries that add rows
_ERASING_S: Final = 20.0
_MERGED_EVERY_S: Final = 60.0
_FIRST_VERSION: Final = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pending:
    """An outbox entry with what it takes to project it; `vectors` are those of its rows in `space`, if at hand."""

    organization: str
    key: Key
    rows: tuple[Row, ...]
    space: str = ""
    vectors: Vectors | None = None
    removed: tuple[str, ...] = ()


class NotEmbedded(Unavailable):
    """What was erased is out of the index; what was added is not in it, because it could not be embedded."""


class Projector:
    """Carries outbox entries into the vector index."""

    def __init__(self, store: ItemStore, spaces: Spaces) -> None:
        self._store = store
        self._spaces = spaces
        self._queue: list[Pending] = []
        self._wake = anyio.Event()
        self._is_behind = False
        self._merging = 0.0  # when the space beside the current one is due
        self._projecting = anyio.Lock()

    def offer(
        self, organization: str, entity: EntityId, memory: LogEntry, space: ActiveSpace, vectors: Vectors | None
    ) -> None:
        """Take a memory that this process has just committed.

        `vectors` is (len(memory.facts), dims) of `space`, None when they could not be had.
        """
        rows = tuple(Row(fact.id, entity.ref, entity.type, fact.text) for fact in memory.facts)
        key = outbox.entry_key(organization, memory.id)
        self._queue.append(Pending(organization, key, rows, "" if vectors is None else space.id, vectors))
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

        Raises `Unavailable` when the index cannot be reached, `NotEmbedded` when it is only the model of the vectors;
        nothing is lost by that.
        """
        async with self._projecting:
            self._is_behind = False
            try:
                return await self._drain(organization)
            except BaseException:  # a caller may have run out of time
                self._fall_behind()
                raise

    async def erase(self, organization: str) -> None:
        """Take what was erased out of the index, in bounded time: no model of vectors is waited for.

        Raises `Unavailable` when the index cannot be reached; then it is taken out as soon as it can be.
        """
        with anyio.move_on_after(_DRAINING_S) as draining, suppress(NotEmbedded):
            await self.drain(organization)
        if not draining.cancelled_caught:
            return
        self._fall_behind()  # what is projected meanwhile may put back a row, so the entries stay
        try:
            with anyio.fail_after(_ERASING_S):
                page = await self._store.query("memory", outbox.queue(organization))
                await self._purge([item for item in page.items if PURGE in item.body])
                await self._take_out(organization, page.items)
        except TimeoutError:
            raise Unavailable(f"no answer within {_ERASING_S:.0f} s.") from None

    def _fall_behind(self) -> None:
        """Have the background drain the outbox."""
        self._is_behind = True
        self._wake.set()

    async def _take_out(self, organization: str, entries: Sequence[Item]) -> None:
        erased = [row_id for item in entries for row_id in item.body.get("remove", ())]
        if erased:
            await (await self._spaces.of(organization)).index.remove(organization, erased)

    async def _drain(self, organization: str) -> int:
        page = await self._store.query("memory", outbox.queue(organization))
        await self._purge([item for item in page.items if PURGE in item.body])
        here = {pending.key for pending in self._queue}
        rows = [item for item in page.items if PURGE not in item.body and item.key not in here]
        try:
            await self._project_offered()
            for first in range(0, len(rows), _DELETES):
                batch = [await self._load(organization, item) for item in rows[first : first + _DELETES]]
                await self._project(batch)
        except Unavailable as error:
            self._queue.clear()  # read from the outbox the next time, without what is erased by then
            await self._take_out(organization, page.items)
            raise NotEmbedded(str(error)) from error
        return len(here | {item.key for item in page.items})

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

    async def _wait(self) -> None:
        """Project what is offered until something was left behind."""
        while not self._is_behind:
            self._wake = anyio.Event()
            if not self._queue:
                await self._wake.wait()
            await anyio.sleep(_PAUSE_S)
            async with self._projecting:
                await self._project_offered()

    async def _project_offered(self) -> None:
        """Project what is offered by now: beside writers there is always more, and somebody may wait for his turn."""
        left = len(self._queue)
        while left > 0 and self._queue:
            batch: list[Pending] = []
            rows = 0
            for pending in self._queue[:left]:
                if pending.organization != self._queue[0].organization or len(batch) >= _DELETES or rows > _BATCH_ROWS:
                    break
                batch.append(pending)
                rows += len(pending.rows)
            # Leaves the queue only when it is in the index: a failure leaves it here and in the outbox.
            await self._project(batch)
            del self._queue[: len(batch)]
            left -= len(batch)

    async def _project(self, batch: Sequence[Pending]) -> None:
        if not batch:
            return
        organization = batch[0].organization
        record = await self._spaces.claim(organization)
        current = self._spaces.active(record.current)
        removed = [row_id for pending in batch for row_id in pending.removed]
        if removed:  # first: a fact that goes on in other words is added again by the same entry
            await current.index.remove(organization, removed)
        await _add(organization, batch, current)
        closing: list[Operation] = []
        if record.beside:
            try:
                await _add(organization, batch, self._spaces.active(record.beside))
            except Unavailable as error:
                logger.warning("embedding space %s: %s It is filled later.", record.beside.space.id, error)
                place = self._spaces.put(organization, with_gaps(record))
                closing = [Check(place.key, record.version) if record.gaps else place]
        try:
            await self._store.transact([*closing, *(Delete(pending.key, _FIRST_VERSION) for pending in batch)])
        except VersionConflict as conflict:
            if keys.space(organization) in conflict.keys:  # the spaces have changed meanwhile
                await self._project(batch)
                return
            await self._settle(organization, batch, set(conflict.keys), closing)
        await self._merge(organization, record)

    async def _merge(self, organization: str, record: SpaceRecord) -> None:
        """Merge the small pieces that additions leave; of a space that is being built seldom: its builder does, too."""
        for entry in filter(None, (record.current, record.former)):
            await self._spaces.index(entry.space).optimize(organization)
        if record.following and anyio.current_time() >= self._merging:
            self._merging = anyio.current_time() + _MERGED_EVERY_S
            with suppress(Unavailable):
                await self._spaces.index(record.following.space).optimize(organization)

    async def _settle(
        self, organization: str, batch: Sequence[Pending], gone: set[Key], closing: Sequence[Operation]
    ) -> None:
        """Close a batch of which some entries are gone: another process projected them, or they were erased.

        An erased row that this batch has put back is taken out again.
        """
        suspect = [row for pending in batch if pending.key in gone for row in pending.rows]
        living = await living_rows(self._store, organization, suspect)
        stale = [row.id for row in suspect if row.id not in living]
        if stale:  # removing rewrites the index
            await (await self._spaces.of(organization)).index.remove(organization, stale)
        try:
            await self._store.transact([*closing, *(Delete(pending.key) for pending in batch)])
        except VersionConflict:  # the spaces have changed meanwhile
            await self._project(batch)

    async def _load(self, organization: str, item: Item) -> Pending:
        """Return an entry with its rows read from the log; facts erased in the meantime are not there any more."""
        removed = tuple(item.body.get("remove", ()))
        if "entity" not in item.body:
            return Pending(organization, item.key, (), removed=removed)
        entity = EntityId(**item.body["entity"])
        rows = await rows_of(self._store, organization, entity, keys.one_memory(item.body["revision"]))
        return Pending(organization, item.key, rows, removed=removed)


async def _add(organization: str, batch: Sequence[Pending], space: ActiveSpace) -> None:
    """Add the rows of a batch to a space; those whose vectors are of another one, or of none, are embedded."""
    rows = [row for pending in batch for row in pending.rows]
    if not rows:
        return
    texts = [row.text for pending in batch if pending.space != space.id for row in pending.rows]
    embedded = iter(await space.embedder.embed(texts))
    made = [
        vector
        for pending in batch
        if pending.rows
        for vector in (
            pending.vectors
            if pending.space == space.id and pending.vectors is not None
            else [next(embedded) for _ in pending.rows]
        )
    ]
    await space.index.add(organization, rows, np.stack(made))
