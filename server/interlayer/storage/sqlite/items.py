"""The item store on one SQLite file: WAL, any number of processes, every commit on disk before it is acknowledged.

Reads run where they are called (microseconds each, never blocked by a writer). What writes is `sqlite_writer`.
"""

import json
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from interlayer.errors import Unavailable
from interlayer.storage.encoding import encode
from interlayer.storage.items import (
    EVERYTHING,
    LAST,
    Item,
    Key,
    Operation,
    Page,
    Put,
    Span,
    Table,
)
from interlayer.storage.sqlite.file import BUSY_TIMEOUT_S, LIVE, connect, translate
from interlayer.storage.sqlite.writer import Writer

_GET_MANY_ROWS: Final = 250  # keys a statement: three parameters each, under SQLite's limit of 999
_SCANNED_ROWS: Final = 500
_PURGED_ROWS: Final = 1_000


class SqliteItems:
    """`ItemStore` on a file. `now_s` gives seconds since 1970, for expiry."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now_s = now_s
        with translate(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = Writer(path, now_s)
            self._reader = connect(path)

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
            sql = (  # `IN (VALUES ...)` would read the whole table for two keys or more; CROSS JOIN keeps the order
                f"WITH wanted(t, p, s) AS (VALUES {places}) "
                "SELECT tbl, partition, sort, version, body FROM wanted CROSS JOIN items "
                f"ON tbl = t AND partition = p AND sort = s WHERE {LIVE}"
            )
            parameters = [part for key in batch for part in (key.table, key.partition, key.sort)]
            with translate(self._path):
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
            f"AND sort {after} ? AND sort < ? AND {LIVE} "
            f"ORDER BY sort {'DESC' if reverse else 'ASC'} LIMIT ?"
        )
        parameters = [table, partition, start, end, self._now_s()]
        with translate(self._path):
            rows = self._reader.execute(sql, [*parameters, -1 if limit is None else limit + 1]).fetchall()
            more = limit is not None and len(rows) > limit
            items = [
                Item(Key(table, partition, sort), version, json.loads(body))
                for sort, version, body in (rows[:limit] if more else rows)
            ]
        return Page(items, items[-1].key.sort if more and items else None)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        """Yield every item of every partition that begins with `prefix`, as they all were at one moment."""
        with translate(self._path):
            reader = connect(self._path)  # of its own: a long read must not hold up the others
        try:
            reader.execute("BEGIN")
            rows = reader.execute(
                "SELECT partition, sort, version, body, expires_at FROM items "
                f"WHERE tbl = ? AND partition >= ? AND partition < ? AND {LIVE} ORDER BY partition, sort",
                (table, prefix, prefix + LAST, self._now_s()),
            )
            while batch := rows.fetchmany(_SCANNED_ROWS):
                for partition, sort, version, body, expires_at in batch:
                    yield Item(Key(table, partition, sort), version, json.loads(body), expires_at)
        finally:
            reader.close()

    async def transact(self, operations: Sequence[Operation]) -> None:
        """Apply all operations or none."""
        await self._writer.transact(operations, encode(operations))

    async def note(self, put: Put) -> None:
        """Write one item; the system has it when this returns, and the disk with the next transaction at the latest."""
        await self._writer.transact([put], encode([put]), waits=False)

    async def purge(self, until_s: float | None = None) -> int:
        """Remove items that have expired, some at a time; return how many."""
        removed = 0
        while batch := await self._writer.alone(partial(self._remove_expired, until_s)):
            removed += batch
        return removed

    async def scrub(self) -> None:
        """Write the file anew and empty the write-ahead log.

        `secure_delete` alone is not enough: when a page splits, a copy of what moved stays in the old page's free
        space, where a later delete does not find it (some 15 of 1,500 deleted items).
        """
        await self._writer.alone(self._rewrite)

    async def close(self) -> None:
        """Close both connections; idempotent."""
        self._reader.close()
        await self._writer.close()

    def _remove_expired(self, until_s: float | None, connection: sqlite3.Connection) -> int:
        until = self._now_s() if until_s is None else min(until_s, self._now_s())
        places = "SELECT tbl, partition, sort FROM items WHERE expires_at <= ? LIMIT ?"
        sql = f"DELETE FROM items WHERE (tbl, partition, sort) IN ({places})"
        return connection.execute(sql, (until, _PURGED_ROWS)).rowcount

    def _rewrite(self, connection: sqlite3.Connection) -> None:
        connection.execute("VACUUM")
        # Readers of other processes can hold a part of the log for an instant.
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._path}: another process keeps reading; try the erasure again")
            time.sleep(0.02)
