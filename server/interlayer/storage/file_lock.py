"""A lock on a file that processes share, waited for without blocking the event loop."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import anyio

from interlayer.errors import Unavailable

FILE_LOCKS: Final = sys.platform != "win32"
_LOCK_TIMEOUT_S: Final = 30.0
_LOCK_POLL_S: Final = 0.005


async def hold(stack: ExitStack, path: str, *, exclusive: bool) -> None:
    """Take the lock and let go of it when the stack ends."""
    descriptor = _descriptor(path)
    stack.callback(os.close, descriptor)
    deadline = anyio.current_time() + _LOCK_TIMEOUT_S
    while not _try_lock(descriptor, exclusive=exclusive):
        if anyio.current_time() > deadline:
            raise Unavailable(f"{path}: another process has held this lock for {_LOCK_TIMEOUT_S:.0f} s. Try again.")
        await anyio.sleep(_LOCK_POLL_S)


def _descriptor(path: str) -> int:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int, *, exclusive: bool) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
