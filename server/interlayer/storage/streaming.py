"""A partition of any length, item by item: read page by page, never all of it at once."""

from collections.abc import AsyncGenerator
from typing import Final

from interlayer.storage.items import EVERYTHING, Item, ItemStore, Span, Table

_PAGE: Final = 500


async def stream(
    store: ItemStore,
    table: Table,
    partition: str,
    span: Span = EVERYTHING,
    *,
    reverse: bool = False,
    page: int = _PAGE,
) -> AsyncGenerator[Item]:
    """Yield the items of a partition in order; `page` of them are asked for at a time."""
    cursor: str | None = None
    while True:
        found = await store.query(table, partition, span, reverse=reverse, limit=page, cursor=cursor)
        for item in found.items:
            yield item
        cursor = found.cursor
        if cursor is None:
            return
