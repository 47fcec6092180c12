"""The log of an entity as it lies in the store, with the logs of what was merged into it."""

from interlayer.memory import keys
from interlayer.memory.records import EntityId, Head, read_head
from interlayer.storage.items import Item, ItemStore


async def whole_log(store: ItemStore, organization: str, head: Head) -> list[Item]:
    """Return the items of an entity's log in order, those of each absorbed entity where it was merged."""
    whole: list[Item] = []
    place = keys.head(organization, head.entity)
    for one in (await store.query("memory", place.partition, keys.memories_after(-1))).items:
        whole.append(one)
        absorbed = EntityId(**one.body["absorbs"]) if one.body.get("absorbs") else None
        other = await store.get(keys.head(organization, absorbed)) if absorbed in head.absorbed else None
        whole += await whole_log(store, organization, read_head(other.body)) if other else []
    return whole
