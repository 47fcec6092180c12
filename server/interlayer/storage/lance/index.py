"""The vector index on LanceDB, in a local folder or on S3: a folder an organization, a table an embedding space.

Rows are appended and never upserted (5 ms, not 50); two processes may append one row at once, so every read collapses
by id. Vectors are compared by brute force: within one organization that is exact and fast enough to 50,000 rows,
while an approximate index drops rows under a filter. LanceDB takes 0.7 s to import, so it is imported at first use.
Its caches are bounded: its own defaults are 7 GB for every connection.
"""

import itertools
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.models.embedder import Space, Vectors
from interlayer.storage.lance import table as lance_table
from interlayer.storage.lance.errors import VENDOR_ERRORS, again_if_crowded, attempts_for, translate, wait_a_turn
from interlayer.storage.lance.lease import Busy
from interlayer.storage.lance.places import LocalPlace, Place, Purpose
from interlayer.storage.lance.rows import check_width, folder_name
from interlayer.storage.lance.s3 import S3Place
from interlayer.storage.lance.vendor import import_lancedb
from interlayer.storage.validation import check_unicode, check_vectors
from interlayer.storage.vectors import Hit, Row

if TYPE_CHECKING:
    from lancedb import AsyncConnection, Session
    from lancedb.table import AsyncTable

T = TypeVar("T")

_INDEX_CACHE: Final = 128 << 20  # bytes, of all organizations together
_METADATA_CACHE: Final = 32 << 20
_OPEN_TABLES_MAX: Final = 512
_WORD: Final = re.compile(r"[^\s!-/:-@\[-`{-~\ud800-\udfff]{1,40}")  # LanceDB splits further; longer ones it leaves out
_QUERY_WORDS_MAX: Final = 64  # full-text search of 20,000 words takes a minute and a half


class LanceIndex:
    """`VectorIndex` in a local folder, or at an `s3://` or `s3+ddb://` location, for vectors of one space."""

    def __init__(self, location: str, space: Space) -> None:
        self._place: Place = S3Place(location) if "://" in location else LocalPlace(location)
        self._space = space
        self._session: Session | None = None
        self._name = lance_table.TABLES + space.id
        self._tables: dict[str, AsyncTable] = {}  # handles by organization; each follows the writes of all others
        self._prepared: set[str] = set()  # organizations whose table is known to have its indexes
        self._locks: dict[str, anyio.Lock] = {}
        self._loaded = self._closed = False

    def preload(self) -> None:
        """Import LanceDB (0.7 s); safe from any thread."""
        import_lancedb()
        self._loaded = True

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append those of the rows whose id is not there yet; `vectors` is (len(rows), dims)."""
        check_vectors(vectors, len(rows), self._space.dims)
        for row in rows:
            check_unicode("rows", row.id, row.owner, row.kind, row.text)

        async def append(table: "AsyncTable") -> None:
            if organization not in self._prepared:
                await lance_table.make_indexes(table, replace=False)
                self._prepared.add(organization)
            present = await lance_table.present(table, [row.id for row in rows])
            fresh = list({row.id: number for number, row in enumerate(rows) if row.id not in present}.values())
            if fresh:
                await table.add(lance_table.arrow([rows[number] for number in fresh], vectors[fresh]))

        if rows:
            purpose = "add" if organization in self._prepared else "alone"
            async with self._writing(organization, purpose), self._within(self._place.write_s):
                await self._run(organization, append, None, create=True)

    async def vectors_of(self, organization: str, owner: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vector of every row of an owner, by row id."""
        check_unicode("owner", owner)

        async def read(table: "AsyncTable") -> dict[str, NDArray[np.float32]]:
            found = await table.query().where(lance_table.one_of("owner", [owner])).select(["id", "vector"]).to_arrow()
            flat = [chunk.flatten().to_numpy() for chunk in found["vector"].chunks]
            matrix = np.concatenate(flat).reshape(-1, self._space.dims) if flat else ()
            return dict(zip(found["id"].to_pylist(), matrix, strict=True))

        async with self._within(self._place.read_s):
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
        check_vectors(vector[np.newaxis], 1, self._space.dims)
        check_unicode("kind", kind or "")
        check_unicode("owners", *(owners or ()))
        words = " ".join(list(dict.fromkeys(_WORD.findall(text)))[:_QUERY_WORDS_MAX])

        if owners is not None and not owners:
            return []

        async def read(table: "AsyncTable") -> list[Hit]:
            only = lance_table.narrow(kind, owners)
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
            return lance_table.collapse(await lance_table.run_all([query.limit(limit) for query in queries]))

        async with self._within(self._place.read_s):
            return await self._run(organization, read, []) if limit > 0 else []

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        """Erase rows by id, from the tables of earlier spaces too; return how many ids there were.

        The files are rewritten even if no row is found: an earlier attempt may have died after it hid the rows.
        """
        check_unicode("ids", *ids)
        folder = folder_name(organization)
        if not ids or self._place.absent(folder):
            return 0
        removed: set[str] = set()

        async def erase() -> None:
            connection = await self._connect(folder)
            names = await lance_table.table_names(connection)
            before = await self._place.files(folder) if names else ()
            for name in names:
                table = await connection.open_table(name)
                removed.update(await lance_table.present(table, ids))
                await lance_table.erase(table, ids, alone=self._place.keeps_writers_out)
            if names:
                await self._place.bury(folder, before, ids)

        async with self._writing(organization, "alone"):
            await again_if_crowded(erase)
        return len(removed)

    async def ids(self, organization: str) -> set[str]:
        """Return the id of every row."""

        async def read(table: "AsyncTable") -> set[str]:
            return set((await table.query().select(["id"]).to_arrow())["id"].to_pylist())

        return await self._run(organization, read, set[str]())

    async def rows(self, organization: str) -> AsyncIterator[Sequence[Row]]:
        """Yield every row, some thousand at a time; the vectors are read too, so that damage to them shows."""

        async def newest(table: "AsyncTable") -> "AsyncTable | None":
            await table.checkout_latest()  # fails on a handle of a table that another process has dropped
            return table

        with self._translate(folder_name(organization)):
            table = await self._run(organization, newest, None)
            if table is not None:
                async for rows in lance_table.all_rows(table):
                    yield rows

    async def drop(self, organization: str) -> None:
        """Delete the organization's table of this space, readable or not."""
        async with self._writing(organization, "alone"):
            self._forget(organization)
            await self._place.discard(folder_name(organization), self._name)

    async def optimize(self, organization: str) -> None:
        """Merge small fragments and index new rows, if there are enough of them; a millisecond if not."""

        async def is_scattered(table: "AsyncTable") -> bool:
            return await lance_table.is_scattered(table, self._place.fragments_max)

        if not await self._run(organization, is_scattered, False):
            return
        try:
            # Additions need not wait: LanceDB orders them, and a lost race for a commit is run again.
            async with self._place.lock(folder_name(organization), "merge"):
                with anyio.CancelScope(shield=True):
                    await self._run(organization, lance_table.merge, None)
        except Busy:
            return  # another process is merging or erasing, which merges too

    async def verify(self) -> None:
        """Raise `Refused` where several processes could overwrite each other, `Unavailable` if that cannot be told."""
        await self._place.verify()

    async def ping(self) -> None:
        """Raise `Unavailable` unless the index can be read."""
        async with self._within(self._place.read_s):
            with self._translate(""):
                await (await self._connect("")).list_tables(limit=1)

    async def close(self) -> None:
        """Release everything; idempotent."""
        self._closed = True
        for table in self._tables.values():
            table.close()
        self._tables.clear()

    async def _connect(self, folder: str) -> "AsyncConnection":
        await self._ready()
        import lancedb

        if self._session is None:
            self._session = lancedb.Session(
                index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_METADATA_CACHE
            )
        # Every read looks for a newer version first, one LIST on S3: it sees every write that has returned, of any
        # process. Otherwise a search could miss what another server has already taken out of the outbox.
        return await lancedb.connect_async(
            self._place.uri(folder),
            read_consistency_interval=timedelta(0),
            storage_options=await self._place.options(),
            session=self._session,
        )

    async def _table(self, organization: str, *, create: bool) -> "AsyncTable | None":
        """Return the organization's table, or None. Reads must not leave folders behind, so only `create` makes one."""
        folder = folder_name(organization)
        if organization not in self._tables and (create or not self._place.absent(folder)):
            connection = await self._connect(folder)
            if self._name in await lance_table.table_names(connection):
                table = await connection.open_table(self._name)
            elif create:  # unless another process just has
                table = await connection.create_table(
                    self._name, schema=lance_table.schema(self._space.dims), exist_ok=True
                )
            else:
                return None
            check_width(self._place.uri(folder), await table.schema(), self._space.dims)
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
        with self._translate(folder_name(organization)):
            for attempt in itertools.count(1):
                table = await self._table(organization, create=create)
                try:
                    return missing if table is None else await action(table)
                except VENDOR_ERRORS as error:
                    self._forget(organization)
                    if self._closed or attempt >= attempts_for(error):
                        raise
                    await wait_a_turn(error, attempt)
        raise AssertionError  # the loop ends by returning or raising

    def _forget(self, organization: str) -> None:
        self._tables.pop(organization, None)
        self._prepared.discard(organization)

    @asynccontextmanager
    async def _writing(self, organization: str, purpose: Purpose) -> AsyncGenerator[None]:
        """Hold the organization's writer lock. What is begun is finished: a cancelled write would go on unlocked."""
        lock = self._locks.setdefault(organization, anyio.Lock())
        folder = folder_name(organization)
        await self._ready()
        with self._translate(folder):
            async with lock, self._place.lock(folder, purpose):
                with anyio.CancelScope(shield=True):
                    yield

    async def _ready(self) -> None:
        if self._closed:
            raise Unavailable(f"{self._place.name}: this index is closed.")
        await self._place.verify()
        if not self._loaded:
            await anyio.to_thread.run_sync(self.preload)

    @asynccontextmanager
    async def _within(self, seconds: float | None) -> AsyncGenerator[None]:
        """Bound what the block takes, where the place may not answer at all; importing LanceDB is not counted."""
        await self._ready()
        try:
            with anyio.fail_after(seconds):
                yield
        except TimeoutError as error:
            raise Unavailable(f"{self._place.name}: no answer within {seconds} s. {self._place.remedy}") from error

    @contextmanager
    def _translate(self, folder: str) -> Generator[None]:
        """Turn LanceDB's errors into ours, with the place and the remedy named."""
        try:
            yield
        except VENDOR_ERRORS as error:
            raise translate(error, self._place.uri(folder), self._place.remedy) from error
