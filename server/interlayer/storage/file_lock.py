"""Locks on a file that processes share: one waited for without blocking the event loop, one that a thread waits for."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
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


class Turns:
    """Turns at something that processes share, taken by threads that may wait: in a queue of the kernel's.

    A process that is killed leaves the queue. Where there are no such locks nobody waits here: it is for what has a
    lock of its own as well, and only a poor way of waiting for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def taken(self) -> Generator[None]:
        """Wait for one's turn, have it, and wake the next one."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        if self._descriptor is None:
            self._descriptor = _descriptor(str(self._path))
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release everything; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
