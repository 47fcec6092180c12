"""Optimistic concurrency: read, decide, write on the condition that nothing has changed, and try again if it has."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from interlayer.errors import Conflict
from interlayer.storage.items import ItemStore, Operation, VersionConflict

_ATTEMPTS: Final = 60

T = TypeVar("T")


async def optimistically(
    attempt: Callable[[], Awaitable[T]],
    busy: str,
    *,
    retries: Callable[[VersionConflict], bool] | None = None,
    attempts: int = _ATTEMPTS,
) -> T:
    """Make an attempt, from its reading on, until no other writer was first.

    `retries` tells which conflicts are tried again, without it all of them; others are raised. Raises `Conflict` with
    `busy`, which says what was not done and what to do, when all attempts have failed.
    """
    for _ in range(attempts):
        try:
            return await attempt()
        except VersionConflict as conflict:
            if retries and not retries(conflict):
                raise
    raise Conflict(busy)


async def apply_if_unchanged(store: ItemStore, operations: Sequence[Operation]) -> bool:
    """Apply all operations unless another writer was first; tell whether they were applied."""
    try:
        await store.transact(operations)
    except VersionConflict:
        return False
    return True
