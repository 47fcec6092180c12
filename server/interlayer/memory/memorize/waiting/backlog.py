"""The backlog: content that is stored and that a model has still to read.

A note joins the transaction of the memory, so that neither is there without the other. Whoever reads the content claims
the note for a while first; a process that is killed meanwhile leaves a claim that ends by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from interlayer.ids import Clock, timestamp
from interlayer.memory.log import keys
from interlayer.storage.items import Delete, Item, ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged

FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(days=1)
_DOUBLINGS: Final = 12
CLAIM: Final = timedelta(minutes=15)
"""Longer than a reading may take, so that two processes never read the same content."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A note of the backlog that this process may work on; `version` is what the store has to hold until it is done."""

    memory_id: str
    attempts: int
    reason: str
    since: str
    version: int


def note(organization: str, memory_id: str, reason: str, now: datetime) -> Put:
    """Build the operation that puts content into the backlog."""
    body = {"attempts": 1, "reason": reason, "due": timestamp(now + FIRST_WAIT), "since": timestamp(now)}
    return Put(keys.pending(organization, memory_id), body)


def done(organization: str, unread: Unread) -> Delete:
    """Build the operation that takes content out of the backlog, unless somebody else has claimed it since."""
    return Delete(keys.pending(organization, unread.memory_id), unread.version)


def postponed(organization: str, unread: Unread, reason: str, now: datetime) -> Put:
    """Build the operation that has content read again later, each time after twice as long, once a day in the end."""
    wait = min(FIRST_WAIT * 2 ** min(unread.attempts, _DOUBLINGS), _LONGEST_WAIT)
    body = {"attempts": unread.attempts + 1, "reason": reason, "due": timestamp(now + wait), "since": unread.since}
    return Put(keys.pending(organization, unread.memory_id), body, unread.version)


class Backlog:
    """The notes of all organizations."""

    def __init__(self, store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def notes(self, organization: str) -> Sequence[Item]:
        """Return all notes, oldest content first."""
        return (await self._store.query("memory", keys.pending(organization, "").partition)).items

    async def claimed(self, item: Item, *, early: bool = False) -> Unread | None:
        """Return a note after claiming it; None if it is not due (unless `early`), claimed by another, or gone."""
        now = timestamp(self._clock())
        body = item.body
        if now < body.get("claimed_until", "") or (now < body["due"] and not early):
            return None
        until = timestamp(self._clock() + CLAIM)
        if not await apply_if_unchanged(self._store, [Put(item.key, {**body, "claimed_until": until}, item.version)]):
            return None
        return Unread(item.key.sort, body["attempts"], body["reason"], body["since"], item.version + 1)

    async def failed(self, organization: str, unread: Unread, reason: str) -> None:
        """Have it tried again later, unless it was forgotten or claimed by another since."""
        await apply_if_unchanged(self._store, [postponed(organization, unread, reason, self._clock())])
