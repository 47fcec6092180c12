"""A clock that tests set, and faults that they switch on and off: of a store, an embedder, a memory."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from interlayer.errors import Corrupt, Unavailable
from interlayer.models.embedder import Space, Vectors
from interlayer.principal import Principal
from interlayer.storage.items import EVERYTHING, Item, ItemStore, Key, Operation, Page, Put, Span, Table
from interlayer_policies.governance import RememberedEntity


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 15, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


class FaultyStore:
    """A store that is out of reach for what `away` names: `read`, `write`, or a table; `hangs` does not even say so."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store
        self.away: set[str] = set()
        self.hangs = False

    async def _reach(self, *names: str) -> None:
        if self.hangs:
            await anyio.sleep_forever()
        if self.away & set(names):
            raise Unavailable("the store is out of reach")

    async def get(self, key: Key) -> Item | None:
        await self._reach("read", key.table)
        return await self._store.get(key)

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        await self._reach("read", *(key.table for key in keys))
        return await self._store.get_many(keys)

    async def query(
        self,
        table: Table,
        partition: str,
        span: Span = EVERYTHING,
        *,
        reverse: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        await self._reach("read", table)
        return await self._store.query(table, partition, span, reverse=reverse, limit=limit, cursor=cursor)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        await self._reach("read", table)
        async for item in self._store.scan(table, prefix):
            yield item

    async def transact(self, operations: Sequence[Operation]) -> None:
        await self._reach("write", *(operation.key.table for operation in operations))
        await self._store.transact(operations)

    async def note(self, put: Put) -> None:
        await self._reach("write", put.key.table)
        await self._store.note(put)

    async def purge(self, until_s: float | None = None) -> int:
        return await self._store.purge(until_s)

    async def scrub(self) -> None:
        await self._store.scrub()

    async def close(self) -> None:
        await self._store.close()


class FaultyEmbedder:
    """An embedder that is late or out of reach when told to be."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self.away = False
        self.late = False

    @property
    def space(self) -> Space:
        return self._embedder.space

    @property
    def at_hand(self) -> bool:
        return True

    @property
    def trouble(self) -> str:
        return "the model is out of reach" if self.away else ""

    def preload(self) -> None:
        """Nothing is left to load."""

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:
        if self.away:
            raise Unavailable("the model is out of reach")
        while self.late:  # noqa: ASYNC110 - a flag is what tests set
            await anyio.sleep(0.01)
        return await self._embedder.embed(texts, query=query, waiting=waiting)


class FaultyEntities:
    """A memory that knows one thing of every entity, unless it fails."""

    def __init__(self) -> None:
        self.fault: type[Unavailable | Corrupt] | None = None

    async def governance_facts(self, principal: Principal, entity: str) -> RememberedEntity:
        assert principal.organization
        if self.fault:
            raise self.fault("memory is out of reach")
        return RememberedEntity(entity.partition(":")[0], {"stage": "open"})
