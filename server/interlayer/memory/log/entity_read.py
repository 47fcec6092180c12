"""All that lies with an entity, read at once: what is new in its log, its head, and the relations that point at it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head, read_head
from interlayer.storage.items import Item, ItemStore
from interlayer.storage.streaming import stream

_PAGE: Final = 300
RELATIONS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head and the item version that a change of it has to expect."""

    head: Head
    version: int


@dataclass(frozen=True, slots=True)
class EntityRead:
    """What one read found. The head may be newer than the log: a commit can come between the two."""

    stored: StoredHead
    after: int
    log: Sequence[Item]
    incoming: Sequence[Item]

    def covers(self, after: int, upto: int) -> bool:
        """Tell whether the log holds everything after a revision up to another."""
        last = int(self.log[-1].key.sort.split("#")[1]) if self.log else self.after
        return self.after <= after and (upto <= after or upto <= last)


async def read_entity(store: ItemStore, organization: str, entity: EntityId, after: int) -> EntityRead | None:
    """Return the head, the log after a revision, and no more relations than are ever shown; None without head.

    It takes one query unless there is a long log to read.
    """
    place = keys.head(organization, entity)
    span, first_relation = keys.entity_after(after), keys.incoming().start
    items: list[Item] = []
    cursor: str | None = None
    while True:
        page = await store.query("memory", place.partition, span, limit=_PAGE, cursor=cursor)
        items += page.items
        cursor = page.cursor
        incoming = [item for item in items if item.key.sort >= first_relation]
        if cursor is None or len(incoming) >= RELATIONS_MAX:
            break
    head = next((item for item in items if item.key == place), None)
    if head is None:
        return None
    log = [item for item in items if item.key.sort < place.sort]
    return EntityRead(StoredHead(read_head(head.body), head.version), after, log, incoming[:RELATIONS_MAX])


async def listed(store: ItemStore, organization: str, entity_type: str, page: int) -> AsyncGenerator[EntityId]:
    """Yield the listed entities of a type, oldest first; `page` of them are asked for at a time."""
    place = keys.listing(organization, entity_type, "")
    async with aclosing(stream(store, "memory", place.partition, page=page)) as found:
        async for item in found:
            yield EntityId(entity_type, item.key.sort)
