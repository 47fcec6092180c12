"""Every adapter of the item-store port, by name. A new adapter is one more line in `STORES`."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from interlayer.storage.items import ItemStore
from interlayer.storage.sqlite import SqliteItems


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


STORES: Final[dict[str, OpenStore]] = {"sqlite": open_sqlite}
