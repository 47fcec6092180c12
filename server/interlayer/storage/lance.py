"""The vector index on LanceDB: a folder an organization, in it one append-only table an embedding space.

Rows are appended and never upserted (5 ms, not 50); two processes may append one row at once, so every read collapses
by id. Vectors are compared by brute force: within one organization that is exact and fast enough to 50,000 rows,
while an approximate index drops rows under a filter. LanceDB takes 1.3 s to import, so it is imported at first use.

Erasure needs more than `delete`: LanceDB hides deleted rows and its compaction leaves them in place below a tenth of
a fragment, and old versions and the full-text index keep them too. `remove` therefore rewrites the table, makes its
indexes anew and deletes every older file, alone in the folder by a file lock. Where there is none (object stores,
Windows), leftovers of interrupted writes stay until LanceDB itself lets go of them, after seven days.
"""

import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.models.embedder import Space, Vectors
from interlayer.storage.vectors import Hit, Row

T = TypeVar("T")

_COLUMNS: Final = ["id", "owner", "kind", "text"]
_TABLES: Final = "facts-"
_BATCH_IDS: Final = 500
_ATTEMPTS: Final = 4
_OPEN_TABLES_MAX: Final = 512
_QUERY_WORDS_MAX: Final = 64  # full-text search of 20,000 words takes a minute and a half
_SMALL_FRAGMENTS: Final = 50  # each costs a search 0.11 ms
_UNINDEXED_ROWS: Final = 2_000
_KEEP_VERSIONS: Final = timedelta(minutes=10)  # longer than any read
_KEEP_NOTHING: Final = timedelta(milliseconds=1)  # zero would warn
_LOCK_TIMEOUT_S: Final = 30.0
_LOCK_POLL_S: Final = 0.005
_VENDOR_ERRORS: Final = (OSError, RuntimeError, ValueError)  # LanceDB has no classes of its own
_UNREADABLE: Final = re.compile(
    r"invalid magic|too small|fill whole buffer|not found|corrupt|decode|not aligned|out of range", re.IGNORECASE
)

if sys.platform == "win32":  # pragma: no cover
    _FILE_LOCKS = False

    def _try_lock(descriptor: int, *, exclusive: bool) -> bool:  # noqa: ARG001
        return True
else:
    import fcntl

    _FILE_LOCKS = True

    def _try_lock(descriptor: int, *, exclusive: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(slots=True)
class _Open:
    """A table handle that follows other handles' writes; `prepared` once its indexes are known to be there."""

    table: Any
    prepared: bool = False


class LanceIndex:
    """`VectorIndex` in a local folder or under an object-store uri, for vectors of one space."""

    def __init__(self, location: str, space: Space) -> None:
        self._local = "://" not in location
        self._location = os.path.abspath(location) if self._local else location.rstrip("/")  # noqa: PTH100 - a string
        self._space = space
        self._name = _TABLES + space.id
        self._open_tables: dict[str, _Open] = {}
        self._locks: dict[str, anyio.Lock] = {}
        self._loaded = self._closed = False

    def preload(self) -> None:
        """Import LanceDB (1.3 s); safe from any thread."""
        os.environ.setdefault("LANCEDB_LOG", "error")  # read at import; without it, warnings flood stderr
        import lancedb.expr
        import lancedb.index
        import pyarrow as pa  # noqa: F401

        self._loaded = True

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append those of the rows whose id is not there yet; `vectors` is (len(rows), dims)."""
        _check_rows(rows, vectors, self._space.dims)
        if not rows:
            return

        async def append(opened: _Open) -> None:
            if not opened.prepared:
                await _make_indexes(opened.table, replace=False)
                opened.prepared = True
            present = await _present(opened.table, list(dict.fromkeys(row.id for row in rows)))
            fresh = {row.id: number for number, row in enumerate(rows) if row.id not in present}
            if fresh:
                numbers = list(fresh.values())
                await opened.table.add(_arrow([rows[number] for number in numbers], vectors[numbers]))

        async with self._writing(organization, exclusive=organization not in self._open_tables):
            await self._retried(organization, append, create=True)

    async def vectors_of(self, organization: str, owner: str) -> dict[str, NDArray[np.float32]]:
        """Return the vector of every row of an owner, by row id."""
        _check_unicode("owner", owner)

        async def read(opened: _Open) -> dict[str, NDArray[np.float32]]:
            from lancedb.expr import col, lit

            found = await opened.table.query().where(col("owner") == lit(owner)).select(["id", "vector"]).to_arrow()
            flat = [chunk.flatten().to_numpy() for chunk in found["vector"].chunks]
            matrix = np.concatenate(flat).reshape(-1, self._space.dims) if flat else ()
            return dict(zip(found["id"].to_pylist(), matrix, strict=True))

        return await self._retried(organization, read) or {}

    async def search(
        self, organization: str, vector: NDArray[np.float32], text: str, *, kind: str | None = None, limit: int
    ) -> list[Hit]:
        """Return up to `limit` rows nearest to the vector and up to `limit` best by full text, collapsed by id.

        A zero vector and a text without a word each leave their leg out. Of a text, the first 64 different words count.
        """
        if vector.shape != (self._space.dims,) or not np.isfinite(vector).all():
            raise InvalidInput("vector", f"{vector.shape}, expected {self._space.dims} finite numbers.")
        _check_unicode("kind", kind or "")
        words = " ".join(list(dict.fromkeys(re.findall(r"\w+", text.lower())))[:_QUERY_WORDS_MAX])

        async def read(opened: _Open) -> list[Hit]:
            from lancedb.expr import col, lit

            queries: list[Any] = []
            if vector.any():
                nearest = opened.table.query().nearest_to(vector).distance_type("cosine").bypass_vector_index()
                queries.append(nearest.select([*_COLUMNS, "_distance"]))
            if words:
                lexical = opened.table.query().nearest_to_text(words, columns="text")
                queries.append(lexical.select([*_COLUMNS, "_score"]))
            if kind is not None:
                queries = [query.where(col("kind") == lit(kind)) for query in queries]
            return _collapsed(await _all([query.limit(limit) for query in queries]))

        return await self._retried(organization, read) or [] if limit > 0 else []

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        """Erase rows by id, from the tables of earlier spaces too; return how many ids there were.

        The files are rewritten even if no row is found: an earlier attempt may have died after it hid the rows.
        """
        _check_unicode("ids", *ids)
        if not ids or self._absent(organization):
            return 0
        removed: set[str] = set()
        async with self._writing(organization, exclusive=True):
            connection = await self._connected(organization)
            for name in await _table_names(connection):
                for last in _attempts():
                    table = await connection.open_table(name)
                    removed |= await _present(table, ids)
                    try:
                        await _erase(table, ids, alone=self._local and _FILE_LOCKS)
                    except RuntimeError as error:
                        if last or "conflict" not in str(error):
                            raise
                    else:
                        break
        return len(removed)

    async def ids(self, organization: str) -> set[str]:
        """Return the id of every row."""

        async def read(opened: _Open) -> set[str]:
            return set((await opened.table.query().select(["id"]).to_arrow())["id"].to_pylist())

        return await self._retried(organization, read) or set()

    async def optimize(self, organization: str) -> None:
        """Merge small fragments and index new rows, if there are enough of them; under a millisecond if not."""

        async def merge(opened: _Open) -> None:
            await opened.table.checkout_latest()  # on a handle that lags behind it would do nothing
            await opened.table.optimize(cleanup_older_than=_KEEP_VERSIONS)

        if await self._retried(organization, _is_scattered):
            # Shared, because additions need not wait; LanceDB orders them, and a lost race for a commit is run again.
            async with self._file_lock(organization, exclusive=False):
                await self._retried(organization, merge)

    async def ping(self) -> None:
        """Raise `Unavailable` unless the index can be read."""
        with _translated(self._location):
            await (await self._connect(self._location)).list_tables(limit=1)

    async def close(self) -> None:
        """Release everything; idempotent."""
        self._closed = True
        for opened in self._open_tables.values():
            opened.table.close()
        self._open_tables.clear()

    def _folder(self, organization: str) -> str:
        return f"{self._location}/{_safe(organization)}"

    def _absent(self, organization: str) -> bool:
        return self._local and not Path(self._folder(organization)).exists()

    async def _connect(self, uri: str) -> Any:  # noqa: ANN401 - a vendor object
        if self._closed:
            raise Unavailable(f"{self._location}: this index is closed")
        if not self._loaded:
            await anyio.to_thread.run_sync(self.preload)
        import lancedb

        # Every read sees every returned write, of any process: a look at one file locally.
        return await lancedb.connect_async(uri, read_consistency_interval=timedelta(0))

    async def _connected(self, organization: str) -> Any:  # noqa: ANN401 - a vendor object
        return await self._connect(self._folder(organization))

    async def _opened(self, organization: str, *, create: bool) -> _Open | None:
        """Return the organization's table, or None; makes no folder unless told to `create`."""
        if organization not in self._open_tables:
            if not create and self._absent(organization):
                return None
            connection = await self._connected(organization)
            table = await _existing(connection, self._name)
            if table is None and create:
                try:
                    table = await connection.create_table(self._name, schema=_schema(self._space.dims))
                except ValueError as error:
                    if "already exists" not in str(error):
                        raise
                    table = await connection.open_table(self._name)
            if table is None:
                return None
            _check_width(self._folder(organization), await table.schema(), self._space.dims)
            while len(self._open_tables) >= _OPEN_TABLES_MAX:
                del self._open_tables[next(iter(self._open_tables))]
            self._open_tables[organization] = _Open(table)
        return self._open_tables[organization]

    async def _retried(
        self, organization: str, action: Callable[[_Open], Awaitable[T]], *, create: bool = False
    ) -> T | None:
        """Run the action on the table (None without one), again on a fresh handle when it fails.

        Another process may have erased the version that was being read, or deleted the folder. Actions repeat safely.
        """
        with _translated(self._folder(organization)):
            for last in _attempts():
                opened = await self._opened(organization, create=create)
                if opened is None:
                    return None
                try:
                    return await action(opened)
                except _VENDOR_ERRORS:
                    self._open_tables.pop(organization, None)
                    if last or self._closed:
                        raise
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    @asynccontextmanager
    async def _writing(self, organization: str, *, exclusive: bool) -> AsyncIterator[None]:
        """Hold the organization's writer lock. What is begun is finished: a cancelled write would go on unlocked."""
        lock = self._locks.setdefault(organization, anyio.Lock())
        async with lock, self._file_lock(organization, exclusive=exclusive):
            with anyio.CancelScope(shield=True), _translated(self._folder(organization)):
                yield

    @asynccontextmanager
    async def _file_lock(self, organization: str, *, exclusive: bool) -> AsyncIterator[None]:
        """Keep writers of other processes out of an erasure: it deletes files that they have not committed yet."""
        with ExitStack() as held:
            if self._local and _FILE_LOCKS:
                folder = self._folder(organization)
                with _translated(folder), ExitStack() as queue:
                    await _lock(queue, folder + "/.queue", exclusive=True)  # who waits is next: no starving
                    await _lock(held, folder + "/.writers", exclusive=exclusive)
            yield


async def _lock(stack: ExitStack, path: str, *, exclusive: bool) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    stack.callback(os.close, descriptor)
    deadline = anyio.current_time() + _LOCK_TIMEOUT_S
    while not _try_lock(descriptor, exclusive=exclusive):
        if anyio.current_time() > deadline:
            raise Unavailable(f"{path}: another process has held this lock for {_LOCK_TIMEOUT_S:.0f} s. Try again.")
        await anyio.sleep(_LOCK_POLL_S)
