"""The one that writes to a SQLite file: a thread, because it waits for the disk and for other processes.

Transactions that wait when its turn comes are committed together: one wait for the disk serves all of them, and yet
each is all or nothing on its own. Processes queue at a file lock, where the kernel wakes the next one at once; SQLite
alone has them look again in steps of up to 100 ms. What is true is decided by the database's own lock.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from interlayer.errors import Unavailable
from interlayer.storage.file_lock import Turns
from interlayer.storage.items import Check, Delete, Operation, Put, VersionConflict
from interlayer.storage.sqlite.file import connect, translate

_GROUP_MAX: Final = 64  # transactions a commit: others wait for it
_TURN_TIMEOUT_S: Final = 30.0
_VERSION: Final = (
    "SELECT version FROM items WHERE tbl = ? AND partition = ? AND sort = ? AND (expires_at IS NULL OR expires_at > ?)"
)


@dataclass(eq=False, slots=True, kw_only=True)
class _Job:
    done: anyio.Event = field(default_factory=anyio.Event)
    result: Any = None
    error: BaseException | None = None


@dataclass(eq=False, slots=True)
class _Transaction(_Job):
    operations: Sequence[Operation]
    bodies: Sequence[bytes | None]


@dataclass(eq=False, slots=True)
class _Note(_Transaction):
    """A transaction that does not wait for the disk."""


@dataclass(eq=False, slots=True)
class _Work(_Job):
    """What is done by itself, outside of transactions."""

    run: Callable[[sqlite3.Connection], Any]


class Writer:
    """Writes what it is given in the order in which it comes. `now_s` gives seconds since 1970, for expiry."""

    def __init__(self, path: Path, now_s: Callable[[], float]) -> None:
        self._path = path
        self._now_s = now_s
        self._connection = connect(path)
        self._turns = Turns(path.with_name(f"{path.name}-queue"))
        self._waiting: deque[_Job] = deque()
        self._given = threading.Condition()  # guards what waits
        self._thread: threading.Thread | None = None
        self._closing = False
        self._waits = True

    async def transact(
        self, operations: Sequence[Operation], bodies: Sequence[bytes | None], *, waits: bool = True
    ) -> None:
        """Return when all operations are on disk. Raises `VersionConflict`, `Unavailable`; then none of them is.

        Unless it `waits` for the disk, the operating system has them by then: they outlive the process, and are on
        disk with the next transaction that waits.

        A caller that is cancelled takes its transaction back, unless that is being committed at this moment.
        """
        await self._outcome((_Transaction if waits else _Note)(operations, bodies))

    async def alone(self, run: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call the function with the connection, while no transaction is open on it."""
        return await self._outcome(_Work(run))

    async def close(self) -> None:
        """Close the connection, after what was given before; idempotent."""
        with self._given:
            first, self._closing = not self._closing, True
            self._given.notify()
        if self._thread is None:
            self._connection.close()
        elif first:
            await anyio.to_thread.run_sync(self._thread.join, abandon_on_cancel=True)

    async def _outcome(self, job: _Job) -> Any:
        self._give(job)
        try:
            with anyio.move_on_after(_TURN_TIMEOUT_S):
                await job.done.wait()
        finally:
            withdrawn = not job.done.is_set() and self._withdraw(job)
        if withdrawn:
            told = f"another process has held this file for {_TURN_TIMEOUT_S:.0f} s. Nothing was written; try again."
            raise Unavailable(f"{self._path}: {told}")
        await job.done.wait()  # what was not withdrawn is being done
        if job.error is not None:
            raise job.error
        return job.result

    def _give(self, job: _Job) -> None:
        with self._given:
            if self._closing:
                raise Unavailable(f"{self._path}: closed")
            self._waiting.append(job)
            self._given.notify()
        if self._thread is None:
            token = anyio.lowlevel.current_token()
            name = f"writer of {self._path}"
            self._thread = threading.Thread(target=self._write, args=[token], name=name, daemon=True)
            self._thread.start()

    def _withdraw(self, job: _Job) -> bool:
        """Take a job back, unless its turn has come."""
        with self._given, suppress(ValueError):
            self._waiting.remove(job)
            return True
        return False

    # In the thread

    def _write(self, token: anyio.lowlevel.EventLoopToken) -> None:
        with suppress(anyio.RunFinishedError):  # nobody is there any more to be told
            while job := self._next():
                done = self._commit() if isinstance(job, _Transaction) else self._do()
                anyio.from_thread.run_sync(_tell, done, token=token)
        self._connection.close()
        self._turns.close()

    def _next(self) -> _Job | None:
        with self._given:
            self._given.wait_for(lambda: self._waiting or self._closing)
            return self._waiting[0] if self._waiting else None

    def _take(self, kind: type[_Job], most: int) -> list[Any]:
        """Return the jobs of a kind whose turn it is; they can no longer be withdrawn."""
        taken: list[_Job] = []
        with self._given:
            while self._waiting and isinstance(self._waiting[0], kind) and len(taken) < most:
                taken.append(self._waiting.popleft())
        return taken

    def _do(self) -> Sequence[_Job]:
        """Do the work that waits, without letting others write meanwhile."""
        work: list[_Work] = []
        try:
            with translate(self._path), self._turns.taken():
                work = self._take(_Work, 1)
                for one in work:
                    one.result = one.run(self._connection)
        except BaseException as error:  # noqa: BLE001 - it belongs to who has given the work
            for one in work:
                one.error = error
        return work

    def _commit(self) -> Sequence[_Job]:
        """Commit those that wait once it is this process's turn: who comes until then comes along."""
        group: list[_Transaction] = []
        try:
            with translate(self._path), self._turns.taken():
                kind = self._kind()
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    group = self._take(kind, _GROUP_MAX)
                    for one in group:
                        one.error = self._applied(one)
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except BaseException as error:  # noqa: BLE001 - it belongs to who has given the transactions
            group = group or self._take(_Transaction, _GROUP_MAX)
            for one in group:
                one.error = error
        return group

    def _kind(self) -> type[_Transaction]:
        """Tell what is committed now: transactions of any kind together, or notes alone, without waiting for the disk.

        SQLite takes another way to commit only between transactions, so it is chosen by who waits by then.
        """
        with self._given:
            waits = any(not isinstance(one, _Note) for one in self._waiting)
        if waits != self._waits:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")
            self._waits = waits
        return _Transaction if waits else _Note

    def _applied(self, one: _Transaction) -> Exception | None:
        """Apply a transaction of a group; return what it failed with, after which nothing of it is there."""
        self._connection.execute("SAVEPOINT one")
        try:
            with translate(self._path):
                self._apply(one)
        except Exception as error:
            if not self._connection.in_transaction:  # SQLite has taken back the whole group
                raise
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
            return error
        self._connection.execute("RELEASE one")
        return None

    def _apply(self, one: _Transaction) -> None:
        versions = [self._version(operation) for operation in one.operations]
        failed = [
            operation.key
            for operation, version in zip(one.operations, versions, strict=True)
            if operation.expect is not None and operation.expect != version
        ]
        if failed:
            raise VersionConflict(failed)
        for operation, version, body in zip(one.operations, versions, one.bodies, strict=True):
            self._put_or_delete(operation, version, body)

    def _version(self, operation: Operation) -> int:
        key = operation.key
        address = (key.table, key.partition, key.sort, self._now_s())
        row = self._connection.execute(_VERSION, address).fetchone()
        return int(row[0]) if row else 0

    def _put_or_delete(self, operation: Operation, version: int, body: bytes | None) -> None:
        key = operation.key
        address = (key.table, key.partition, key.sort)
        match operation:
            case Put():
                self._connection.execute(
                    "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)",
                    (*address, version + 1, body, operation.expires_at),
                )
            case Delete():
                self._connection.execute("DELETE FROM items WHERE tbl = ? AND partition = ? AND sort = ?", address)
            case Check():
                pass


def _tell(done: Sequence[_Job]) -> None:
    for one in done:
        one.done.set()
