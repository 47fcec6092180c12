"""The item store in memory: sorted partitions in a dictionary, for one event loop.

It keeps every promise of the port but durability. Bodies are held as the JSON that other stores write, so that a
reader never shares an object with a writer, and what is no JSON is refused here too.
"""

import json
import time
from bisect import bisect_left, insort
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import anyio.lowlevel

from interlayer.errors import Unavailable
from interlayer.storage.encoding import encode, fits
from interlayer.storage.items import (
    EVERYTHING,
    Check,
    Delete,
    Item,
    Key,
    Operation,
    Page,
    Put,
    Span,
    Table,
    VersionConflict,
)
from interlayer.storage.validation import check_unicode


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What is held of an item; `expires_at` in seconds since 1970."""

    version: int
    body: bytes
    expires_at: int | None


@dataclass(slots=True)
class Partition:
    """The items of one partition; `sorts` holds their keys in order, which in Python is that of their UTF-8 bytes."""

    items: dict[str, StoredItem] = field(default_factory=dict[str, StoredItem])
    sorts: list[str] = field(default_factory=list[str])

    def put(self, sort: str, item: StoredItem) -> None:
        """Hold the item in place of whatever was there."""
        if sort not in self.items:
            insort(self.sorts, sort)
        self.items[sort] = item

    def delete(self, sort: str) -> None:
        """Let go of the item, if there is one."""
        if self.items.pop(sort, None):
            del self.sorts[bisect_left(self.sorts, sort)]


class Partitions:
    """The contents that several stores share, as several processes share a file."""

    def __init__(self) -> None:
        self._held: dict[tuple[Table, str], Partition] = {}

    def find(self, table: Table, partition: str) -> Partition:
        """Return a partition, an empty one if there is none."""
        return self._held.get((table, partition)) or Partition()

    def make(self, key: Key) -> Partition:
        """Return the partition of a key, which is there from now on."""
        return self._held.setdefault((key.table, key.partition), Partition())

    def walk(self) -> Iterator[tuple[Key, StoredItem]]:
        """Yield every item in the order of table, partition and sort key."""
        for (table, name), partition in sorted(self._held.items()):
            for sort in partition.sorts:
                yield Key(table, name, sort), partition.items[sort]


class InMemoryItems:
    """`ItemStore` on partitions, its own or shared ones. `now_s` gives seconds since 1970, for expiry."""

    def __init__(self, partitions: Partitions | None = None, now_s: Callable[[], float] = time.time) -> None:
        self._partitions = partitions or Partitions()
        self._now_s = now_s
        self._closed = False

    async def get(self, key: Key) -> Item | None:
        """Return the item, or None."""
        return (await self.get_many([key])).get(key)

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return those of the items that exist."""
        await self._enter()
        found = [(key, self._live(key)) for key in keys if fits(key)]
        return {key: _item(key, stored) for key, stored in found if stored}

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
        """Return items of a partition in sort order."""
        await self._enter()
        check_unicode("key", partition, span.start, span.end)
        sorts = self._partitions.find(table, partition).sorts
        within = sorts[bisect_left(sorts, span.start) : bisect_left(sorts, span.end)]
        if reverse:
            within.reverse()
        items: list[Item] = []
        for sort in within:
            key = Key(table, partition, sort)
            passed = cursor is not None and (sort >= cursor if reverse else sort <= cursor)
            if passed or not (stored := self._live(key)):
                continue
            if len(items) == limit:
                return Page(items, items[-1].key.sort if items else None)
            items.append(_item(key, stored))
        return Page(items)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        """Yield every item of every partition that begins with `prefix`, as they all were at one moment."""
        await self._enter()
        held = [
            (key, stored)
            for key, stored in self._partitions.walk()
            if key.table == table and key.partition.startswith(prefix) and self._live(key)
        ]
        for key, stored in held:
            yield _item(key, stored, stored.expires_at)

    async def transact(self, operations: Sequence[Operation]) -> None:
        """Apply all operations or none."""
        bodies = encode(operations)
        await self._enter()
        versions = [self._version(operation.key) for operation in operations]
        failed = [
            operation.key
            for operation, version in zip(operations, versions, strict=True)
            if operation.expect is not None and operation.expect != version
        ]
        if failed:
            raise VersionConflict(failed)
        for operation, version, body in zip(operations, versions, bodies, strict=True):
            self._apply(operation, version, body or b"")

    async def note(self, put: Put) -> None:
        """Write one item."""
        await self.transact([put])

    async def purge(self, until_s: float | None = None) -> int:
        """Remove items that have expired; return how many."""
        await self._enter()
        until = self._now_s() if until_s is None else min(until_s, self._now_s())
        found = self._partitions.walk()
        expired = [key for key, stored in found if stored.expires_at is not None and stored.expires_at <= until]
        for key in expired:
            self._partitions.make(key).delete(key.sort)
        return len(expired)

    async def scrub(self) -> None:
        """Do nothing: there are no files."""
        await self._enter()

    async def close(self) -> None:
        """Refuse what comes later; idempotent."""
        self._closed = True

    async def _enter(self) -> None:
        """Let others go first, as a store elsewhere does. Raises `Unavailable` once closed."""
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise Unavailable("items in memory: closed")

    def _live(self, key: Key) -> StoredItem | None:
        stored = self._partitions.find(key.table, key.partition).items.get(key.sort)
        expired = stored and stored.expires_at is not None and stored.expires_at <= self._now_s()
        return None if expired else stored

    def _version(self, key: Key) -> int:
        stored = self._live(key)
        return stored.version if stored else 0

    def _apply(self, operation: Operation, version: int, body: bytes) -> None:
        partition = self._partitions.make(operation.key)
        match operation:
            case Put():
                partition.put(operation.key.sort, StoredItem(version + 1, body, operation.expires_at))
            case Delete():
                partition.delete(operation.key.sort)
            case Check():
                pass


def _item(key: Key, stored: StoredItem, expires_at: int | None = None) -> Item:
    return Item(key, stored.version, json.loads(stored.body), expires_at)
