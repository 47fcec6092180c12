"""The item store on one SQLite file: WAL, any number of processes, every commit on disk before it is acknowledged.

Reads run where they are called (microseconds each, never blocked by a writer). Writes run one at a time in a worker
thread, because they wait for the disk and, at times, for another process.
"""

import json
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.storage.encoding import encoded
from interlayer.storage.items import (
    EVERYTHING,
    LAST,
    Check,
    Delete,
    Item,
    Key,
    Operation,
    Page,
    Put,
    Span,
    Table,
    VersionConflict,
)

_BUSY_TIMEOUT_S: Final = 15.0
_GET_MANY_ROWS: Final = 250  # keys a statement: three parameters each, under SQLite's limit of 999
_SCANNED_ROWS: Final = 500
_PURGED_ROWS: Final = 1_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS items (
    tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL,
    version INTEGER NOT NULL, body BLOB NOT NULL, expires_at INTEGER,
    PRIMARY KEY (tbl, partition, sort)
) WITHOUT ROWID
"""
_LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"


class SqliteItems:
    """`ItemStore` on a file. `now_s` gives seconds since 1970, for expiry."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now_s = now_s
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(path)
            self._reader = _connect(path)
        self._writing = anyio.CapacityLimiter(1)
        self._closed = False

    async def get(self, key: Key) -> Item | None:
        """Return the item, or None."""
        found = await self.get_many([key])
        return found.get(key)

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return those of the items that exist."""
        found: dict[Key, Item] = {}
        for first in range(0, len(keys), _GET_MANY_ROWS):
            batch = keys[first : first + _GET_MANY_ROWS]
            places = ",".join(["(?,?,?)"] * len(batch))
            sql = (
                "SELECT tbl, partition, sort, version, body FROM items "
                f"WHERE (tbl, partition, sort) IN (VALUES {places}) AND {_LIVE}"
            )
            parameters = [part for key in batch for part in (key.table, key.partition, key.sort)]
            with _translated(self._path):
                rows = self._reader.execute(sql, [*parameters, self._now_s()]).fetchall()
                for table, partition, sort, version, body in rows:
                    key = Key(table, partition, sort)
                    found[key] = Item(key, version, json.loads(body))
        return found

    async def query(
        self,
        table: Table,
        partition: str,
        span: Span = EVERYTHING,
        *,
        reverse: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """Return items of a partition in sort order."""
        # The cursor takes the place of a bound: beside it, SQLite would seek to that one and step over all between.
        start, end, after = span.start, span.end, ">="
        if cursor is not None and reverse:
            end = min(end, cursor)
        elif cursor is not None and cursor >= start:
            start, after = cursor, ">"
        sql = (
            "SELECT sort, version, body FROM items WHERE tbl = ? AND partition = ? "
            f"AND sort {after} ? AND sort < ? AND {_LIVE} "
            f"ORDER BY sort {'DESC' if reverse else 'ASC'} LIMIT ?"
        )
        parameters = [table, partition, start, end, self._now_s()]
        with _translated(self._path):
            rows = self._reader.execute(sql, [*parameters, -1 if limit is None else limit + 1]).fetchall()
            more = limit is not None and len(rows) > limit
            items = [
                Item(Key(table, partition, sort), version, json.loads(body))
                for sort, version, body in (rows[:limit] if more else rows)
            ]
        return Page(items, items[-1].key.sort if more and items else None)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        """Yield every item of every partition that begins with `prefix`, as they all were at one moment."""
        with _translated(self._path):
            reader = _connect(self._path)  # of its own: a long read must not hold up the others
        try:
            reader.execute("BEGIN")
            rows = reader.execute(
                "SELECT partition, sort, version, body, expires_at FROM items "
                f"WHERE tbl = ? AND partition >= ? AND partition < ? AND {_LIVE} ORDER BY partition, sort",
                (table, prefix, prefix + LAST, self._now_s()),
            )
            while batch := rows.fetchmany(_SCANNED_ROWS):
                for partition, sort, version, body, expires_at in batch:
                    yield Item(Key(table, partition, sort), version, json.loads(body), expires_at)
        finally:
            reader.close()

    async def transact(self, operations: Sequence[Operation]) -> None:
        """Apply all operations or none."""
        bodies = encoded(operations)
        # Not abandoned on cancellation: a caller that goes away must not leave the connection inside a transaction.
        await anyio.to_thread.run_sync(self._apply, operations, bodies, limiter=self._writing)

    async def purge(self) -> int:
        """Remove items that have expired, some at a time; return how many."""
        removed = 0
        while batch := await anyio.to_thread.run_sync(self._remove_expired, limiter=self._writing):
            removed += batch
        return removed

    async def scrub(self) -> None:
        """Write the file anew and empty the write-ahead log.

        `secure_delete` alone is not enough: when a page splits, a copy of what moved stays in the old page's free
        space, where a later delete does not find it (some 15 of 1,500 deleted items).
        """
        await anyio.to_thread.run_sync(self._rewrite, limiter=self._writing)

    async def close(self) -> None:
        """Close both connections; idempotent."""
        if not self._closed:
            self._closed = True
            self._reader.close()
            await anyio.to_thread.run_sync(self._writer.close, limiter=self._writing)

    def _apply(self, operations: Sequence[Operation], bodies: Sequence[bytes | None]) -> None:
        with _translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                versions = [self._version(operation.key) for operation in operations]
                failed = [
                    operation.key
                    for operation, version in zip(operations, versions, strict=True)
                    if operation.expect is not None and operation.expect != version
                ]
                if failed:
                    raise VersionConflict(failed)
                for operation, version, body in zip(operations, versions, bodies, strict=True):
                    self._write(operation, version, body)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _version(self, key: Key) -> int:
        row = self._writer.execute(
            f"SELECT version FROM items WHERE tbl = ? AND partition = ? AND sort = ? AND {_LIVE}",
            (key.table, key.partition, key.sort, self._now_s()),
        ).fetchone()
        return int(row[0]) if row else 0

    def _write(self, operation: Operation, version: int, body: bytes | None) -> None:
        key = operation.key
        address = (key.table, key.partition, key.sort)
        match operation:
            case Put():
                self._writer.execute(
                    "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)",
                    (*address, version + 1, body, operation.expires_at),
                )
            case Delete():
                self._writer.execute("DELETE FROM items WHERE tbl = ? AND partition = ? AND sort = ?", address)
            case Check():
                pass

    def _remove_expired(self) -> int:
        places = "SELECT tbl, partition, sort FROM items WHERE expires_at <= ? LIMIT ?"
        with _translated(self._path):
            done = self._writer.execute(
                f"DELETE FROM items WHERE (tbl, partition, sort) IN ({places})", (self._now_s(), _PURGED_ROWS)
            )
            return done.rowcount

    def _rewrite(self) -> None:
        with _translated(self._path):
            self._writer.execute("VACUUM")
            # Readers of other processes can hold a part of the log for an instant.
            deadline = time.monotonic() + _BUSY_TIMEOUT_S
            while self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise Unavailable(f"{self._path}: another process keeps reading; try the erasure again")
                time.sleep(0.02)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an acknowledged write survives power loss
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten with zeros
        connection.execute(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _translated(path: Path) -> Generator[None]:
    """Turn SQLite's errors into ours, with the file and the remedy named."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput("key", "half of a surrogate pair.", "Send valid Unicode.") from error
    except sqlite3.ProgrammingError as error:
        raise Unavailable(f"{path}: {error}") from error  # closed
    except (sqlite3.OperationalError, OSError) as error:
        raise Unavailable(f"{path}: {error}. Check that the folder is writable and the disk has room.") from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise Corrupt(f"{path}: {error}. Move the file away and restore a backup or an export.") from error
