"""The vector index on LanceDB: a folder an organization, in it one append-only table an embedding space.

Rows are appended and never upserted (5 ms, not 50); two processes may append one row at once, so every read collapses
by id. Vectors are compared by brute force: within one organization that is exact and fast enough to 50,000 rows,
while an approximate index drops rows under a filter. LanceDB takes 1.3 s to import, so it is imported at first use.
"""

import hashlib
import importlib
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.models.embedder import Space, Vectors
from interlayer.storage import lance_table
from interlayer.storage.file_lock import FILE_LOCKS, hold
from interlayer.storage.vectors import Hit, Row

if TYPE_CHECKING:
    from lancedb import AsyncConnection
    from lancedb.table import AsyncTable

T = TypeVar("T")

_NAME_MAX: Final = 200
_ATTEMPTS: Final = 4
_OPEN_TABLES_MAX: Final = 512
_WORD: Final = re.compile(r"[^\s!-/:-@\[-`{-~\ud800-\udfff]{1,40}")  # LanceDB splits further; longer ones it leaves out
_QUERY_WORDS_MAX: Final = 64  # full-text search of 20,000 words takes a minute and a half
_UNREADABLE: Final = re.compile(
    r"invalid magic|too small|fill whole buffer|not found|corrupt|decode|not aligned|invalid range", re.IGNORECASE
)


class LanceIndex:
    """`VectorIndex` in a local folder or under an object-store uri, for vectors of one space."""

    def __init__(self, location: str, space: Space) -> None:
        self._local = "://" not in location
        self._location = str(Path(location).resolve()) if self._local else location.rstrip("/")
        self._lockable = self._local and FILE_LOCKS
        self._space = space
        self._name = lance_table.TABLES + space.id
        self._tables: dict[str, AsyncTable] = {}  # handles by organization; each follows the writes of all others
        self._prepared: set[str] = set()  # organizations whose table is known to have its indexes
        self._locks: dict[str, anyio.Lock] = {}
        self._loaded = self._closed = False

    def preload(self) -> None:
        """Import LanceDB (1.3 s); safe from any thread."""
        os.environ.setdefault("LANCEDB_LOG", "error")  # read at import; without it, warnings flood stderr
        for module in ("lancedb.expr", "lancedb.index"):
            importlib.import_module(module)
        self._loaded = True

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append those of the rows whose id is not there yet; `vectors` is (len(rows), dims)."""
        _check_vectors(vectors, len(rows), self._space.dims)
        for row in rows:
            _check_unicode("rows", row.id, row.owner, row.kind, row.text)

        async def append(table: "AsyncTable") -> None:
            if organization not in self._prepared:
                await lance_table.make_indexes(table, replace=False)
                self._prepared.add(organization)
            present = await lance_table.present(table, [row.id for row in rows])
            fresh = list({row.id: number for number, row in enumerate(rows) if row.id not in present}.values())
            if fresh:
                await table.add(lance_table.arrow([rows[number] for number in fresh], vectors[fresh]))

        if rows:
            async with self._writing(organization, exclusive=organization not in self._prepared):
                await self._run(organization, append, None, create=True)

    async def vectors_of(self, organization: str, owner: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vector of every row of an owner, by row id."""
        _check_unicode("owner", owner)

        async def read(table: "AsyncTable") -> dict[str, NDArray[np.float32]]:
            found = await table.query().where(lance_table.one_of("owner", [owner])).select(["id", "vector"]).to_arrow()
            flat = [chunk.flatten().to_numpy() for chunk in found["vector"].chunks]
            matrix = np.concatenate(flat).reshape(-1, self._space.dims) if flat else ()
            return dict(zip(found["id"].to_pylist(), matrix, strict=True))

        return await self._run(organization, read, {})

    async def search(
        self,
        organization: str,
        vector: NDArray[np.float32],
        text: str,
        *,
        kind: str | None = None,
        owners: Sequence[str] | None = None,
        limit: int,
    ) -> list[Hit]:
        """Return up to `limit` rows nearest to the vector and up to `limit` best by full text, collapsed by id.

        A zero vector and a text without a word each leave their leg out. Of a text, the first 64 different words count.
        """
        _check_vectors(vector[np.newaxis], 1, self._space.dims)
        _check_unicode("kind", kind or "")
        _check_unicode("owners", *(owners or ()))
        words = " ".join(list(dict.fromkeys(_WORD.findall(text)))[:_QUERY_WORDS_MAX])

        if owners is not None and not owners:
            return []

        async def read(table: "AsyncTable") -> list[Hit]:
            only = lance_table.narrowed(kind, owners)
            queries: list[Any] = []
            if vector.any():
                nearest = table.query().nearest_to(vector).distance_type("cosine").bypass_vector_index()
                queries.append(nearest.select([*lance_table.COLUMNS, "_distance"]))
            if words:
                queries.append(
                    table.query().nearest_to_text(words, columns="text").select([*lance_table.COLUMNS, "_score"])
                )
            if only is not None:
                queries = [query.where(only) for query in queries]
            return lance_table.collapsed(await lance_table.run_all([query.limit(limit) for query in queries]))

        return await self._run(organization, read, []) if limit > 0 else []

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        """Erase rows by id, from the tables of earlier spaces too; return how many ids there were.

        The files are rewritten even if no row is found: an earlier attempt may have died after it hid the rows.
        """
        _check_unicode("ids", *ids)
        with _translated(self._folder(organization)):
            if not ids or self._absent(organization):
                return 0
        removed: set[str] = set()
        async with self._writing(organization, exclusive=True):
            connection = await self._connect(self._folder(organization))
            for name in await lance_table.table_names(connection):
                table = await connection.open_table(name)
                removed |= await lance_table.present(table, ids)
                await lance_table.erase(table, ids, alone=self._lockable)
        return len(removed)

    async def ids(self, organization: str) -> set[str]:
        """Return the id of every row."""

        async def read(table: "AsyncTable") -> set[str]:
            return set((await table.query().select(["id"]).to_arrow())["id"].to_pylist())

        return await self._run(organization, read, set[str]())

    async def drop(self, organization: str) -> None:
        """Erase every row of this space; other spaces keep theirs."""
        if self._absent(organization):
            return
        async with self._writing(organization, exclusive=True):
            connection = await self._connect(self._folder(organization))
            if self._name in await lance_table.table_names(connection):
                await connection.drop_table(self._name)
            self._tables.pop(organization, None)
            self._prepared.discard(organization)

    async def optimize(self, organization: str) -> None:
        """Merge small fragments and index new rows, if there are enough of them; a millisecond if not."""
        if await self._run(organization, lance_table.is_scattered, False):
            # Shared, because additions need not wait; LanceDB orders them, and a lost race for a commit is run again.
            async with self._file_lock(organization, exclusive=False):
                with anyio.CancelScope(shield=True):
                    await self._run(organization, lance_table.merge, None)

    async def ping(self) -> None:
        """Raise `Unavailable` unless the index can be read."""
        with _translated(self._location):
            await (await self._connect(self._location)).list_tables(limit=1)

    async def close(self) -> None:
        """Release everything; idempotent."""
        self._closed = True
        for table in self._tables.values():
            table.close()
        self._tables.clear()

    def _folder(self, organization: str) -> str:
        return f"{self._location}/{_safe(organization)}"

    def _absent(self, organization: str) -> bool:
        return self._local and not Path(self._folder(organization)).exists()

    async def _connect(self, uri: str) -> "AsyncConnection":
        if self._closed:
            raise Unavailable(f"{self._location}: this index is closed.")
        if not self._loaded:
            await anyio.to_thread.run_sync(self.preload)
        import lancedb

        # Every read looks for a newer version first: it sees every write that has returned, of any process.
        return await lancedb.connect_async(uri, read_consistency_interval=timedelta(0))

    async def _table(self, organization: str, *, create: bool) -> "AsyncTable | None":
        """Return the organization's table, or None. Reads must not leave folders behind, so only `create` makes one."""
        if organization not in self._tables and (create or not self._absent(organization)):
            connection = await self._connect(self._folder(organization))
            if self._name in await lance_table.table_names(connection):
                table = await connection.open_table(self._name)
            elif create:  # unless another process just has
                table = await connection.create_table(
                    self._name, schema=lance_table.schema(self._space.dims), exist_ok=True
                )
            else:
                return None
            _check_width(self._folder(organization), await table.schema(), self._space.dims)
            while len(self._tables) >= _OPEN_TABLES_MAX:
                del self._tables[next(iter(self._tables))]
            self._tables[organization] = table
        return self._tables.get(organization)

    async def _run(
        self, organization: str, action: Callable[["AsyncTable"], Awaitable[T]], missing: T, *, create: bool = False
    ) -> T:
        """Run the action on the table (`missing` without one); if it fails, again on a fresh handle.

        Another process may have erased the version being read, won the race for a commit, or deleted the folder.
        """
        with _translated(self._folder(organization)):
            for attempt in range(1, _ATTEMPTS + 1):
                table = await self._table(organization, create=create)
                try:
                    return missing if table is None else await action(table)
                except lance_table.VENDOR_ERRORS:
                    self._tables.pop(organization, None)
                    self._prepared.discard(organization)
                    if attempt == _ATTEMPTS or self._closed:
                        raise
        raise AssertionError  # the last attempt has returned or raised

    @asynccontextmanager
    async def _writing(self, organization: str, *, exclusive: bool) -> AsyncGenerator[None]:
        """Hold the organization's writer lock. What is begun is finished: a cancelled write would go on unlocked."""
        lock = self._locks.setdefault(organization, anyio.Lock())
        async with lock, self._file_lock(organization, exclusive=exclusive):
            with anyio.CancelScope(shield=True), _translated(self._folder(organization)):
                yield

    @asynccontextmanager
    async def _file_lock(self, organization: str, *, exclusive: bool) -> AsyncGenerator[None]:
        """Keep writers of other processes out of an erasure: it deletes files that they have not committed yet."""
        folder = self._folder(organization)
        with ExitStack() as held:
            if self._lockable:
                with _translated(folder), ExitStack() as queue:
                    await hold(queue, f"{folder}/.queue", exclusive=True)  # whoever waits is next
                    await hold(held, f"{folder}/.writers", exclusive=exclusive)
            yield


def _safe(organization: str) -> str:
    """Return a folder name of its own for every name, on file systems that fold case too: `A/b` is `=41=2fb`."""
    _check_unicode("organization", organization)
    keep = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
    name = "".join(chr(byte) if byte in keep else f"={byte:02x}" for byte in organization.encode()) or "="
    return name if len(name) <= _NAME_MAX else f"{name[:80]}=={hashlib.sha256(organization.encode()).hexdigest()}"


def _check_unicode(field: str, *values: str) -> None:
    try:
        "".join(values).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(field, "half of a surrogate pair.", "Send valid Unicode.") from error


def _check_vectors(vectors: Vectors, count: int, dims: int) -> None:
    if vectors.shape != (count, dims) or not np.isfinite(vectors).all():
        raise InvalidInput("vectors", f"{vectors.shape}, expected {(count, dims)} finite numbers.")


def _check_width(folder: str, schema: lance_table.Arrow, dims: int) -> None:
    width = getattr(schema.field("vector").type, "list_size", None)
    if width != dims:
        raise Corrupt(f"{folder}: holds vectors of {width} dims, the model makes {dims}. Move the folder away.")


@contextmanager
def _translated(location: str) -> Generator[None]:
    """Turn LanceDB's errors into ours, with the place and the remedy named."""
    try:
        yield
    except lance_table.VENDOR_ERRORS as error:
        reason = str(error).partition("\n")[0][:200]
        if not isinstance(error, OSError) and _UNREADABLE.search(reason):
            raise Corrupt(
                f"{location}: {reason}. Move the folder away: the index is made again from the items."
            ) from error
        raise Unavailable(f"{location}: {reason}. Check that it can be written and the disk has room.") from error
