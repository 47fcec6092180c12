"""The rows that the vector index has to hold, as the log says: read in stretches, which can be read again.

Whoever adds rows looks for them in the log again afterwards. Reading the stretches anew that they came from costs as
much as reading them did, however long the rest of the log is.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, read_head
from interlayer.storage.items import Item, ItemStore, Span
from interlayer.storage.vectors import Row

_STRETCH_ITEMS: Final = 100  # each up to 350 KB


@dataclass(frozen=True, slots=True)
class LogRange:
    """A part of one entity's own log, and the rows of its facts."""

    entity: EntityId
    span: Span
    rows: Sequence[Row]


async def rows_of(store: ItemStore, organization: str, entity: EntityId, span: Span) -> tuple[Row, ...]:
    """Return the rows of the facts in a part of an entity's own log."""
    log = await store.query("memory", keys.head(organization, entity).partition, span)
    return _rows(entity, log.items)


async def stretches(store: ItemStore, organization: str, entity: EntityId) -> AsyncGenerator[LogRange]:
    """Yield the log of an entity and of everything that was merged into it."""
    place = keys.head(organization, entity)
    cursor: str | None = None
    while True:
        page = await store.query("memory", place.partition, keys.memories_after(0), limit=_STRETCH_ITEMS, cursor=cursor)
        if page.items:
            span = keys.memory_items(page.items[0].key.sort, page.items[-1].key.sort)
            yield LogRange(entity, span, _rows(entity, page.items))
        cursor = page.cursor
        if cursor is None:
            break
    stored = await store.get(place)
    for absorbed in read_head(stored.body).absorbed if stored else ():
        async with aclosing(stretches(store, organization, absorbed)) as found:
            async for stretch in found:
                yield stretch


async def living_rows(store: ItemStore, organization: str, rows: Sequence[Row]) -> dict[str, Row]:
    """Return by id, as they are now, those of the rows that the log still holds. Reads their owners' whole logs."""
    found: dict[str, Row] = {}
    for owner in {row.owner for row in rows}:
        living = await rows_of(store, organization, EntityId(*owner.split(":", 1)), keys.memories_after(0))
        found |= {row.id: row for row in living}
    return {row.id: found[row.id] for row in rows if row.id in found}


def _rows(entity: EntityId, items: Sequence[Item]) -> tuple[Row, ...]:
    return tuple(
        Row(fact["id"], entity.ref, entity.type, fact["text"]) for item in items for fact in item.body.get("facts", ())
    )
