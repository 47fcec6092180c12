"""Every adapter of the item-store port, by name. A new adapter is one more line in `STORES`.

What is in memory is shared by the place that it is opened at, within one process: a place stands for a file.

DynamoDB is tested against an emulator over HTTP, and against a second one of the user's choice, such as AWS's own, at
`INTERLAYER_TEST_DYNAMODB_LOCAL`. Its three tables are made once a process of tests: what tells places apart is the
beginning of each partition.
"""

import os
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from emulators import REGION
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.items import DynamoItems
from interlayer.storage.dynamodb.tables import Wish, create_tables
from interlayer.storage.in_memory.items import InMemoryItems, Partitions
from interlayer.storage.items import (
    EVERYTHING,
    Item,
    ItemStore,
    Key,
    Operation,
    Page,
    Put,
    Span,
    Table,
    VersionConflict,
)
from interlayer.storage.sqlite.items import SqliteItems


class OpenStore(Protocol):
    """Opens a store at a place; two opened at one place share their items."""

    def __call__(self, place: Path, now_s: Callable[[], float] = ...) -> AbstractAsyncContextManager[ItemStore]: ...


@asynccontextmanager
async def open_sqlite(place: Path, now_s: Callable[[], float] = time.time) -> AsyncGenerator[ItemStore]:
    store = SqliteItems(place / "items.db", now_s)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_in_memory(place: Path, now_s: Callable[[], float] = time.time) -> AsyncGenerator[ItemStore]:
    store = InMemoryItems(_contents[place], now_s)
    try:
        yield store
    finally:
        await store.close()


class Apart:
    """A store whose partitions all begin with a name of their own, so that many share the tables."""

    def __init__(self, store: ItemStore, name: str) -> None:
        self._store = store
        self._name = name

    def _inner(self, key: Key) -> Key:
        return key._replace(partition=f"{self._name}{key.partition}") if key.partition else key

    def _outer(self, item: Item) -> Item:
        return replace(item, key=item.key._replace(partition=item.key.partition.removeprefix(self._name)))

    async def purge(self, until_s: float | None = None) -> int:
        return await self._store.purge(until_s)

    async def scrub(self) -> None:
        await self._store.scrub()

    async def close(self) -> None:
        await self._store.close()

    async def get(self, key: Key) -> Item | None:
        item = await self._store.get(self._inner(key))
        return self._outer(item) if item else None

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        found = await self._store.get_many([self._inner(key) for key in keys])
        return {outer.key: outer for outer in map(self._outer, found.values())}

    async def query(self, table: Table, partition: str, span: Span = EVERYTHING, **how: Any) -> Page:
        page = await self._store.query(table, self._name + partition if partition else "", span, **how)
        return Page([self._outer(item) for item in page.items], page.cursor)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        async with aclosing(self._store.scan(table, self._name + prefix)) as items:
            async for item in items:
                yield self._outer(item)

    async def transact(self, operations: Sequence[Operation]) -> None:
        try:
            await self._store.transact([replace(one, key=self._inner(one.key)) for one in operations])
        except VersionConflict as conflict:
            raise VersionConflict(
                [key._replace(partition=key.partition.removeprefix(self._name)) for key in conflict.keys]
            ) from conflict

    async def note(self, put: Put) -> None:
        await self.transact([put])


@asynccontextmanager
async def open_dynamodb(place: Path, now_s: Callable[[], float] = time.time) -> AsyncGenerator[ItemStore]:
    async with _opened(os.environ[EMULATOR], place, now_s) as store:
        yield store


@asynccontextmanager
async def open_dynamodb_local(place: Path, now_s: Callable[[], float] = time.time) -> AsyncGenerator[ItemStore]:
    async with _opened(os.environ[LOCAL], place, now_s) as store:
        yield store


@asynccontextmanager
async def _opened(url: str, place: Path, now_s: Callable[[], float]) -> AsyncGenerator[ItemStore]:
    tables = Place("contract", REGION, url)
    if url not in _made:
        await create_tables(tables, Wish(), lambda _: None)
        _made.add(url)
    store = DynamoItems(tables, now_s)
    try:
        yield Apart(store, f"{place}#")
    finally:
        await store.close()


EMULATOR: Final = "INTERLAYER_TEST_DYNAMODB"
LOCAL: Final = "INTERLAYER_TEST_DYNAMODB_LOCAL"
_made: Final[set[str]] = set()
_contents: Final[defaultdict[Path, Partitions]] = defaultdict(Partitions)
STORES: Final[dict[str, OpenStore]] = {"memory": open_in_memory, "sqlite": open_sqlite, "dynamodb": open_dynamodb}
if LOCAL in os.environ:
    STORES["dynamodb-local"] = open_dynamodb_local
BETWEEN_PROCESSES: Final = [name for name in STORES if name != "memory"]
"""Adapters whose items other processes see."""
