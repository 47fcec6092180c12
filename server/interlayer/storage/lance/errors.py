"""LanceDB's errors: which of them pass by themselves, and what the others are called here."""

import random
import re
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from interlayer.errors import Corrupt, InterlayerError, Unavailable

VENDOR_ERRORS: Final = (OSError, RuntimeError, ValueError)  # LanceDB has no classes of its own
_ATTEMPTS: Final = 4
_CROWDED_ATTEMPTS: Final = 10
_CROWDED_S: Final = 0.05
_CROWDED: Final = re.compile(r"concurrent writers|commit conflict|retryable", re.IGNORECASE)
_UNREADABLE: Final = re.compile(
    r"invalid magic|too small|fill whole buffer|not found|corrupt|decode|not aligned|invalid range", re.IGNORECASE
)


def attempts_for(error: Exception) -> int:
    """Return how often in all to try: when several processes commit at once, each in turn comes through."""
    return _CROWDED_ATTEMPTS if _CROWDED.search(str(error)) else _ATTEMPTS


async def wait_a_turn(error: Exception, attempt: int) -> None:
    """Wait for a random while where others were in the way."""
    if _CROWDED.search(str(error)):
        await anyio.sleep(random.uniform(0, _CROWDED_S * 2 ** min(attempt, 5)))  # noqa: S311 (spreads attempts)


async def again_if_crowded(action: Callable[[], Awaitable[None]]) -> None:
    """Run the action, and again where others were in the way of its commits."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return await action()
        except VENDOR_ERRORS as error:
            if not _CROWDED.search(str(error)):
                raise
            await wait_a_turn(error, attempt)
    return await action()


def translate(error: Exception, location: str, remedy: str) -> InterlayerError:
    """Return the error as one of ours, with the place and the remedy named."""
    reason = str(error).partition("\n")[0][:200]
    if not isinstance(error, OSError) and _UNREADABLE.search(reason):
        return Corrupt(f"{location}: {reason}. Run `interlayer reconcile --rebuild`: it is made again from the items.")
    return Unavailable(f"{location}: {reason}. {remedy}")
