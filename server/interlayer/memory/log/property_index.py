"""The index of properties: which entities of a type have which value, for `where` in list and search."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.memory.schema.schema import EntitySchema
from interlayer.storage.items import ABSENT, Delete, ItemStore, Key, Operation, Put

Values = Mapping[str, Sequence[Any]]
"""Property -> the values by which an entity is found."""


def index_changes(
    organization: str, entity: EntityId, old: Values, new: Values, schema: EntitySchema
) -> Iterator[Operation]:
    """Move an entity from its old to its new places in the index of every property that changed."""

    def places(name: str, values: Values) -> dict[Key, None]:
        found = values.get(name, ())
        return dict.fromkeys(keys.index(organization, entity.type, name, value, entity.id) for value in found)

    for name, declared in schema.current.items():
        if not declared.indexed or old.get(name) == new.get(name):
            continue
        before, after = places(name, old), places(name, new)
        for place in before:
            if place not in after:
                yield Delete(place)
        for place in after:
            if place not in before:
                yield Put(place, {}, ABSENT)


async def index_repairs(
    store: ItemStore, organization: str, entity: EntityId, held: Values, wanted: Values, schema: EntitySchema
) -> tuple[list[Delete], list[Put]]:
    """Read the index and build the operations that bring it to the wanted values, under whatever schema it was written.

    `held` are the values that the head shows.
    """
    possible = {
        keys.index(organization, entity.type, name, value, entity.id)
        for found in (held, wanted)
        for name, values in found.items()
        for value in values
    }
    right = {
        keys.index(organization, entity.type, name, value, entity.id)
        for name, values in wanted.items()
        for value in values
        if schema.current[name].indexed
    }
    ordered = sorted(possible, key=lambda key: (key.partition, key.sort))
    present = await store.get_many(ordered)
    removed = [Delete(key) for key in ordered if key in present and key not in right]
    written = [Put(key, {}) for key in ordered if key in right and key not in present]
    return removed, written
