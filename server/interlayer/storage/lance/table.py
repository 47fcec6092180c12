"""One LanceDB table: its schema and indexes, what is written to it, how rows are erased from its files.

Erasure needs more than `delete`: LanceDB hides deleted rows and its compaction leaves them in place below a tenth of
a fragment, and old versions and the full-text index keep them too. `erase` therefore rewrites the table, makes its
indexes anew and deletes every older file. Where no file lock keeps others out meanwhile (object stores, Windows),
leftovers of interrupted writes are the place's to delete (`Place.bury`); on Windows they stay for seven days.
"""

import operator
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import numpy as np

from interlayer.models.embedder import Vectors
from interlayer.storage.lance.errors import VENDOR_ERRORS
from interlayer.storage.vectors import Hit, Row

if TYPE_CHECKING:
    from lancedb import AsyncConnection
    from lancedb.expr import Expr
    from lancedb.table import AsyncTable

Arrow = Any  # pyarrow brings no types

COLUMNS: Final = ["id", "owner", "kind", "text"]
TABLES: Final = "facts-"
_BATCH_IDS: Final = 500
_UNINDEXED_ROWS: Final = 2_000
_KEEP_VERSIONS: Final = timedelta(minutes=10)  # longer than any read
_KEEP_NOTHING: Final = timedelta(milliseconds=1)  # zero would warn


def schema(dims: int) -> Arrow:
    """Return the table's schema; vectors are (dims,) float32."""
    import pyarrow as pa

    # Uncompressed text costs 3 % beside its vector, and lets anyone verify an erasure with grep.
    text = pa.field("text", pa.string(), metadata={"lance-encoding:compression": "none"})
    # A primary key from the first version on: two processes that create the table cannot race for it.
    key = {"lance-schema:unenforced-primary-key": "true", "lance-encoding:compression": "none"}
    names = [pa.field("id", pa.string(), nullable=False, metadata=key)]
    names += [pa.field(name, pa.string(), nullable=False) for name in ("owner", "kind")]
    return pa.schema([*names, text, pa.field("vector", pa.list_(pa.float32(), dims))])


def arrow(rows: Sequence[Row], vectors: Vectors) -> Arrow:
    """Return the rows and their (n, dims) vectors in the table's schema."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    columns = [pa.array([getattr(row, name) for row in rows], pa.string()) for name in COLUMNS]
    columns.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
    return pa.table(columns, schema=schema(vectors.shape[1]))


def one_of(column: str, values: Sequence[str]) -> "Expr":
    """Return the filter `column is one of values`; values are data, whatever they hold."""
    from lancedb.expr import col, lit

    return col(column).isin([lit(value) for value in values])


def narrow(kind: str | None, owners: Sequence[str] | None) -> "Expr | None":
    """Return the filter for rows of a kind and of owners, or None for all rows."""
    wanted = {"kind": None if kind is None else [kind], "owner": owners}
    filters = [one_of(column, values) for column, values in wanted.items() if values is not None]
    return reduce(operator.and_, filters) if filters else None


async def present(table: "AsyncTable", ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are there."""
    present: set[str] = set()
    for first in range(0, len(ids), _BATCH_IDS):
        batch = one_of("id", ids[first : first + _BATCH_IDS])
        present.update((await table.query().where(batch).select(["id"]).to_arrow())["id"].to_pylist())
    return present


async def all_rows(table: "AsyncTable") -> AsyncIterator[list[Row]]:
    """Yield all rows in batches; their vectors are read and dropped."""
    async for batch in await table.query().select([*COLUMNS, "vector"]).to_batches():
        yield [Row(*(record[name] for name in COLUMNS)) for record in batch.select(COLUMNS).to_pylist()]


async def table_names(connection: "AsyncConnection") -> list[str]:
    """Return our tables of one folder: one an embedding space."""
    names: list[str] = []
    token: str | None = None
    while True:
        page = await connection.list_tables(page_token=token)
        names += [name for name in page.tables if name.startswith(TABLES)]
        token = page.page_token
        if not token:
            return names


async def make_indexes(table: "AsyncTable", *, replace: bool) -> None:
    """Make the indexes that are missing, or all of them anew."""
    from lancedb.index import FTS, Bitmap, BTree

    made = set[str]() if replace else {column for index in await table.list_indices() for column in index.columns}
    english = FTS(language="English", stem=True, remove_stop_words=True)
    for column, config in {"text": english, "id": BTree(), "owner": BTree(), "kind": Bitmap()}.items():
        if column not in made:
            await table.create_index(column, config=config, replace=True)


async def run_all(queries: Sequence[Any]) -> list[Any]:
    """Run queries at the same time; raise the first failure as it is, not as a group."""
    results: list[Any] = [None] * len(queries)

    async def run(number: int) -> None:
        try:
            results[number] = await queries[number].to_arrow()
        except VENDOR_ERRORS as error:
            results[number] = error

    async with anyio.create_task_group() as group:
        for number in range(len(queries)):
            group.start_soon(run, number)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def collapse(tables: Sequence[Any]) -> list[Hit]:
    """Join the rows that the legs found, one hit an id."""
    hits: dict[str, Hit] = {}
    for record in (record for table in tables for record in table.to_pylist()):
        known = hits.get(record["id"]) or Hit(Row(*(record[name] for name in COLUMNS)), None, None)
        cosine = 1 - record["_distance"] if "_distance" in record else known.cosine
        hits[record["id"]] = Hit(known.row, cosine, record.get("_score", known.lexical))
    return list(hits.values())


async def is_scattered(table: "AsyncTable", fragments_max: int) -> bool:
    """Tell whether merging pays off."""
    statistics = cast("dict[str, Any]", await table.stats())  # declared to be an object
    fragments = statistics["fragment_stats"]["num_small_fragments"]
    unindexed = max((index.num_unindexed_rows or 0 for index in await table.list_indices()), default=0)
    return fragments >= fragments_max or unindexed >= _UNINDEXED_ROWS


async def merge(table: "AsyncTable") -> None:
    """Merge small fragments and index new rows."""
    await table.checkout_latest()  # on a handle that lags behind, it would do nothing
    await table.optimize(cleanup_older_than=_KEEP_VERSIONS)


async def erase(table: "AsyncTable", ids: Sequence[str], *, alone: bool) -> None:
    """Delete rows and every file that has ever held them; `alone`: nobody else is writing."""
    for first in range(0, len(ids), _BATCH_IDS):
        await table.delete(one_of("id", ids[first : first + _BATCH_IDS]))
    await table.update(updates_sql={"kind": "kind"})  # rewrites every row: compaction alone would keep deleted ones
    rewritten = await table.version()
    await make_indexes(table, replace=True)
    await table.optimize(cleanup_older_than=_KEEP_NOTHING, delete_unverified=alone)
    if min(version["version"] for version in await table.list_versions()) <= rewritten:
        raise OSError("older versions could not be deleted; run the erasure again")
