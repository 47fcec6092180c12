"""The index of properties: which entities of a type have which value, for `where` in list and search."""

from collections.abc import Iterator, Mapping
from typing import Any

from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.memory.schema.schema import EntitySchema
from interlayer.storage.items import ABSENT, Delete, ItemStore, Operation, Put


def index_changes(
    organization: str, entity: EntityId, old: Mapping[str, Any], new: Mapping[str, Any], schema: EntitySchema
) -> Iterator[Operation]:
    """Move an entity from its old to its new place in the index of every property that changed."""
    for name, declared in schema.current.items():
        if not declared.indexed or old.get(name) == new.get(name):
            continue
        before = keys.index(organization, entity.type, name, old[name], entity.id) if name in old else None
        after = keys.index(organization, entity.type, name, new[name], entity.id) if name in new else None
        if before == after:
            continue
        if before:
            yield Delete(before)
        if after:
            yield Put(after, {}, ABSENT)


async def index_repairs(
    store: ItemStore,
    organization: str,
    entity: EntityId,
    held: Mapping[str, Any],
    wanted: Mapping[str, Any],
    schema: EntitySchema,
) -> tuple[list[Delete], list[Put]]:
    """Read the index and build the operations that bring it to the wanted values, under whatever schema it was written.

    `held` are the values that the head shows.
    """
    possible = {
        keys.index(organization, entity.type, name, value, entity.id)
        for values in (held, wanted)
        for name, value in values.items()
    }
    right = {
        keys.index(organization, entity.type, name, value, entity.id)
        for name, value in wanted.items()
        if schema.current[name].indexed
    }
    ordered = sorted(possible, key=lambda key: (key.partition, key.sort))
    present = await store.get_many(ordered)
    removed = [Delete(key) for key in ordered if key in present and key not in right]
    written = [Put(key, {}) for key in ordered if key in right and key not in present]
    return removed, written
