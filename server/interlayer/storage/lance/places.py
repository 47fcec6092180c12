"""Where a vector index lies: a local folder, or an object store. What differs between the two is here and in `s3`.

A `folder` is the name of an organization's part of it. Locally, processes keep each other out by file locks.
"""

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

import anyio.to_thread

from interlayer.storage.file_lock import FILE_LOCKS, hold

Purpose = Literal["add", "merge", "alone"]
"""What a lock is for: appending rows, merging fragments, or what nobody may write or merge beside."""


class Place(Protocol):
    """A location of an index. Raises `Unavailable` when it cannot be reached."""

    name: str
    """What errors call it."""
    remedy: str
    """What to check when it fails."""
    keeps_writers_out: bool
    """Whether nobody at all writes beside a holder of `alone`."""
    read_s: float | None
    """How long a search may take."""
    write_s: float | None
    """How long an addition may take."""
    fragments_max: int
    """How many small fragments a search may have to look through; more are merged."""

    def uri(self, folder: str) -> str:
        """Return where LanceDB finds a folder."""
        ...

    async def options(self) -> dict[str, str]:
        """Give LanceDB what it needs to get there."""
        ...

    async def verify(self) -> None:
        """Raise `Refused` where several writers could overwrite each other."""
        ...

    def absent(self, folder: str) -> bool:
        """Tell whether there is certainly nothing of a folder, without asking anybody."""
        ...

    def lock(self, folder: str, purpose: Purpose) -> AbstractAsyncContextManager[None]:
        """Keep others out, as far as the purpose asks for it."""
        ...

    async def files(self, folder: str) -> Sequence[str]:
        """List what is in a folder before an erasure, for `bury`."""
        ...

    async def bury(self, folder: str, before: Sequence[str], ids: Sequence[str]) -> None:
        """Delete what an erasure of these ids could not reach through LanceDB. Raises `Unavailable` if that fails."""
        ...

    async def discard(self, folder: str, table: str) -> None:
        """Delete a table, readable or not."""
        ...


class LocalPlace:
    """A folder on this machine, shared by its processes."""

    remedy = "Check that it can be written and the disk has room."
    keeps_writers_out = FILE_LOCKS
    read_s: float | None = None
    write_s: float | None = None
    fragments_max: int = 50  # each costs a search 0.11 ms

    def __init__(self, folder: str) -> None:
        self.name = str(Path(folder).resolve())

    def uri(self, folder: str) -> str:
        """Return the path of a folder."""
        return f"{self.name}/{folder}"

    async def options(self) -> dict[str, str]:
        """Return nothing: a path is enough."""
        return {}

    async def verify(self) -> None:
        """Do nothing: a local file system decides every race."""

    def absent(self, folder: str) -> bool:
        """Tell whether the folder is not there."""
        return not Path(self.uri(folder)).exists()

    @asynccontextmanager
    async def lock(self, folder: str, purpose: Purpose) -> AsyncGenerator[None]:
        """Keep writers of other processes out of what has to be alone: it deletes files they have not committed yet."""
        with ExitStack() as held:
            if FILE_LOCKS:
                with ExitStack() as queue:
                    await hold(queue, f"{self.uri(folder)}/.queue", exclusive=True)  # whoever waits is next
                    await hold(held, f"{self.uri(folder)}/.writers", exclusive=purpose == "alone")
            yield

    async def files(self, folder: str) -> Sequence[str]:  # noqa: ARG002
        """Return nothing: LanceDB reaches every file, as nobody else writes meanwhile."""
        return ()

    async def bury(self, folder: str, before: Sequence[str], ids: Sequence[str]) -> None:
        """Do nothing, for the same reason."""

    async def discard(self, folder: str, table: str) -> None:
        """Delete the table's folder, or whatever lies in its place."""
        path = Path(self.uri(folder)) / f"{table}.lance"
        await anyio.to_thread.run_sync(_delete, path)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
