"""Entries of the outbox: what a change leaves for the vector index to follow. `Projector` carries them there.

An entry is written in the transaction of the change, so that neither is there without the other. Its body names a
place in a log whose rows are to be projected (`entity`, `revision`), rows that are to be taken out (`remove`), or keys
of the item store that an erasure still has to delete (`purge`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from interlayer.ids import Clock, new_id
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.storage.items import Key, Put

PURGE: Final = "purge"

NewKey = Callable[[], Key]
"""Names an entry that no memory is the reason of, each time another one."""


def queue(organization: str) -> str:
    """Name the partition of an organization's entries."""
    return keys.outbox(organization).partition


def owner_of(key: Key) -> str | None:
    """Return the organization whose entry a key is of, None for what is no entry."""
    return keys.outbox_owner(key.partition) if key.table == "memory" else None


def entry_key(organization: str, memory_id: str) -> Key:
    """Name the entry that a memory leaves when it is added."""
    return keys.outbox(organization, memory_id)


def new_keys(organization: str, clock: Clock) -> NewKey:
    """Make a function that names further entries."""
    return partial(_new_key, organization, clock)


def addition(key: Key, entity: EntityId, revision: int, removed: Sequence[str] = ()) -> Put:
    """Have the facts at a place of a log projected, after rows that they stand in for have been taken out."""
    body = keys.address_body(entity, revision)
    return Put(key, {**body, "remove": list(removed)} if removed else body)


def removal(key: Key, rows: Sequence[str]) -> Put:
    """Have rows taken out of the index."""
    return Put(key, {"remove": list(rows)})


def purge(key: Key, hidden: Sequence[Key]) -> Put:
    """Have items deleted that nothing leads to any more, and the files cleared of what they held."""
    named: list[Any] = [[one.partition, one.sort] for one in hidden]
    return Put(key, {PURGE: named})


def _new_key(organization: str, clock: Clock) -> Key:
    return keys.outbox(organization, new_id("o", clock()))
