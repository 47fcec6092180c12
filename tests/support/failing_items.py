"""A store that dies at a chosen write, as a process does that is killed: before the write, or right after it."""

from collections.abc import Sequence
from typing import Any

from interlayer.storage.items import ItemStore, Operation


class Killed(Exception):
    """The process is gone; nothing that follows in it happens."""


class DyingItems:
    """Passes everything on to a store, until the n-th `transact` (from 0)."""

    def __init__(self, store: ItemStore, at: int, *, after: bool) -> None:
        self._store = store
        self._left = at
        self._after = after
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def transact(self, operations: Sequence[Operation]) -> None:
        if self._left == 0 and not self._after:
            raise Killed
        await self._store.transact(operations)
        self.written += 1
        if self._left == 0:
            raise Killed
        self._left -= 1
