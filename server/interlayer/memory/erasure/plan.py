"""An erasure as it is planned: what puts it into force, and portions where one transaction does not hold it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from interlayer.memory.log import outbox
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, Operation

_BATCH: Final = TRANSACT_OPERATIONS_MAX - 1  # one place is for the audit event
_IDS_MAX: Final = 2_000  # of each kind in an audit event: within the size of an item
_OUTBOX_ENTRIES: Final = 20
_REMOVED_ROWS: Final = 5_000  # ids an outbox entry: within the size of an item
_PURGED_KEYS: Final = 1_500  # an outbox entry: within the size of an item


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure comes to. `decisive` puts it into force; `hidden` is what nothing leads to after that."""

    subject: str
    decisive: list[Operation]
    hidden: list[Operation]
    rows: list[str]
    counts: Counter[str]
    replaced: frozenset[str] = frozenset()  # rows that what goes on replaces
    is_last: bool = True  # whether nothing is left to be erased after it
    memories: tuple[str, ...] = ()  # ids of those that are erased whole

    @property
    def fits(self) -> bool:
        """Whether one transaction can put it into force, with room for what it leaves to the outbox."""
        return len(self.decisive) <= _BATCH - _OUTBOX_ENTRIES


def event_body(erasure: Erasure) -> dict[str, Any]:
    """Build the detail of its audit event: counts, and the ids of what is erased, which tell nothing of it."""
    facts = [row for row in erasure.rows if row not in erasure.replaced]
    ids = {"memories": list(erasure.memories[:_IDS_MAX]), "facts": facts[:_IDS_MAX]}
    return {"counts": dict(erasure.counts), "ids": {kind: named for kind, named in ids.items() if named}}


async def largest_that_fits(parts: Sequence[str], plan: Callable[[Sequence[str]], Awaitable[Erasure]]) -> Erasure:
    """Return the erasure of all the parts, or of the first of them, as many as one transaction holds."""
    size = len(parts)
    while True:
        erasure = await plan(parts[:size])
        if erasure.fits or size <= 1:
            return replace(erasure, is_last=size == len(parts))
        size //= 2


def transaction(erasure: Erasure, new_key: outbox.NewKey) -> list[Operation]:
    """Build the operations that put an erasure into force; `new_key` names the outbox entries that it leaves.

    What does not fit into it can no longer be reached by then; an outbox entry names it, so that it is deleted even if
    this process is killed now.
    """
    now = list(erasure.decisive)
    rows = [row for row in erasure.rows if row not in erasure.replaced]
    portions = range(0, len(rows), _REMOVED_ROWS)
    now += [outbox.removal(new_key(), rows[first : first + _REMOVED_ROWS]) for first in portions]
    taken = {one.key for one in now}
    later = [one for one in unique(erasure.hidden) if one.key not in taken]
    if len(now) + len(later) < _BATCH:
        return [*now, *later, outbox.purge(new_key(), [])]  # have the files cleared
    for first in range(0, len(later), _PURGED_KEYS):
        now.append(outbox.purge(new_key(), [one.key for one in later[first : first + _PURGED_KEYS]]))
    return now


def replacement(erasure: Erasure, new_key: outbox.NewKey) -> list[Operation]:
    """Build the operations that put a revised log in the place of the one that is, where nothing has to be cleared."""
    operations = [*erasure.decisive, *erasure.hidden]
    if removed := [row for row in erasure.rows if row not in erasure.replaced]:
        operations.append(outbox.removal(new_key(), removed))
    return unique(operations)


def unique(operations: Iterable[Operation]) -> list[Operation]:
    """Return the last operation of each key."""
    return list({operation.key: operation for operation in operations}.values())
