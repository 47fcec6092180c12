"""The log of an entity, with the logs of what was merged into it.

An absorbed entity keeps its own log, and nobody adds to it as long as it is absorbed. So a merge copies nothing, and a
split only stops reading there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, LogEntry, Merged, Split, read_entry, with_part
from interlayer.storage.items import Item, ItemStore


async def read_log(
    store: ItemStore,
    organization: str,
    entity: EntityId,
    *,
    after: int = -1,
    upto: int | None = None,
    as_of: str | None = None,
    items: Sequence[Item] | None = None,
) -> list[LogEntry]:
    """Return the memories of an entity in the order in which they are folded, those of what it absorbed with `home`.

    They are what lies after one revision and up to another, or what had been recorded at an instant. What an absorbed
    entity remembers follows the record of the merge that holds, unless it was split off again later. `items` are
    those of the entity's own log where they have been read already.
    """
    if items is None:
        place = keys.head(organization, entity)
        items = (await store.query("memory", place.partition, keys.memories_after(after))).items
    log = [
        memory
        for memory in _join(items)
        if memory.revision > after
        and (upto is None or memory.revision <= upto)
        and (as_of is None or memory.recorded_at <= as_of)
    ]
    merged = _find_merges(log)
    whole: list[LogEntry] = []
    for memory in log:
        if not isinstance(memory, Merged):
            whole.append(memory)
        elif merged.get(memory.absorbs) != memory.revision:
            whole.append(
                replace(memory, same=(), opposed=(), likely=(), alike=())
            )  # it was taken back, and says nothing any more
        else:
            whole.append(memory)
            whole += [
                replace(one, home=one.home or (memory.absorbs, one.revision), revision=memory.revision)
                for one in await read_log(store, organization, memory.absorbs, as_of=as_of)
            ]
    return whole


def parts(log: Iterable[LogEntry]) -> tuple[EntityId, ...]:
    """Return the entities that are part of one at the end of its whole log, also those within others."""
    inside: dict[EntityId, None] = {}
    for memory in log:
        if isinstance(memory, Merged):
            inside[memory.absorbs] = None
        elif isinstance(memory, Split):
            inside.pop(memory.releases, None)
    return tuple(inside)


def _find_merges(log: Sequence[LogEntry]) -> dict[EntityId, int]:
    """Return the entities that are absorbed at the end of a log, with the revision of the record that says so."""
    merged: dict[EntityId, int] = {}
    for memory in log:
        if isinstance(memory, Merged):
            merged[memory.absorbs] = memory.revision
        elif isinstance(memory, Split):
            merged.pop(memory.releases, None)
    return merged


def _join(items: Sequence[Item]) -> list[LogEntry]:
    """Return the memories of log items, with further parts put together."""
    memories: list[LogEntry] = []
    for item in items:
        if item.key.sort.count("#") == 1:
            memories.append(read_entry(item.body))
        else:
            memories[-1] = with_part(memories[-1], item.body)
    return memories
