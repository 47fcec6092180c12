"""Filling the index of names from the heads: what was written before there was one is found again."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import listed
from interlayer.memory.log.naming.name_index import forms_of, name_changes
from interlayer.memory.log.records import EntityId, read_head
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import Check, Item, ItemStore, Operation
from interlayer.storage.optimistic import optimistically

_BATCH: Final = 50


async def fill_names(store: ItemStore, organization: str, schema: Schema) -> int:
    """Add what the index of names lacks, while others write; return how many entities lacked anything.

    Raises `Conflict` where one is written to all the time.
    """
    filled = 0
    for entity_type in schema.entities:
        async with aclosing(_batches(store, organization, entity_type)) as batches:
            async for batch in batches:
                lacking = await _lacking(store, organization, schema, batch)
                for entity in lacking:
                    busy = f"{entity.ref}: too many agents write to it at once. Run the same command again."

                    async def add(entity: EntityId = entity) -> None:
                        await store.transact((await _lacking(store, organization, schema, [entity])).get(entity, []))

                    await optimistically(add, busy)
                filled += len(lacking)
    return filled


async def _batches(store: ItemStore, organization: str, entity_type: str) -> AsyncGenerator[list[EntityId]]:
    batch: list[EntityId] = []
    async with aclosing(listed(store, organization, entity_type, _BATCH)) as entities:
        async for entity in entities:
            batch.append(entity)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


async def _lacking(
    store: ItemStore, organization: str, schema: Schema, entities: Sequence[EntityId]
) -> dict[EntityId, list[Operation]]:
    """Return what adds the names that the index lacks, of each entity that lacks any, unless it changes meanwhile."""
    heads = await store.get_many([keys.head(organization, entity) for entity in entities])
    wanted: dict[EntityId, tuple[Item, list[Operation]]] = {}
    for item in heads.values():
        head = read_head(item.body)
        if head.merged_into is None:
            forms = forms_of(head, schema.stored(head.entity.type))
            wanted[head.entity] = item, [*name_changes(organization, head.entity, [], forms)]
    found = await store.get_many([one.key for _, puts in wanted.values() for one in puts])
    lacking: dict[EntityId, list[Operation]] = {}
    for entity, (item, puts) in wanted.items():
        if missing := [one for one in puts if one.key not in found]:
            lacking[entity] = [Check(item.key, item.version), *missing]
    return lacking
