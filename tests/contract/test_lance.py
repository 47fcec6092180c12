"""What only LanceDB's files can show: erasure on disk, damage, duplicates that a race has left, locks."""

import fcntl
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import lancedb
import pytest
from lancedb import AsyncTable
from lancedb.expr import col, lit

from interlayer.errors import Corrupt, Unavailable
from interlayer.models.embedder import Space
from interlayer.storage.lance.index import LanceIndex
from vector_indexes import SPACE, numbered, unit_vectors

pytestmark = pytest.mark.anyio


@pytest.fixture
async def index(tmp_path: Path) -> AsyncGenerator[LanceIndex]:
    opened = LanceIndex(str(tmp_path), SPACE)
    yield opened
    await opened.close()


async def table_of(place: Path, space: Space = SPACE) -> AsyncTable:
    """Return the table behind the adapter's back."""
    return await (await lancedb.connect_async(str(place / "acme"))).open_table(f"facts-{space.id}")


def paths(place: Path, pattern: str) -> list[Path]:
    return [path for path in place.rglob(pattern) if path.is_file()]


def files_with(place: Path, text: str) -> list[str]:
    return [str(path) for path in paths(place, "*") if text.encode() in path.read_bytes()]


def files(place: Path) -> set[Path]:
    return {path.relative_to(place) for path in paths(place, "*")}


# Erasure


@pytest.mark.parametrize("count", [2, 300, 3000])
async def test_removed_text_is_in_no_file_however_small_its_share(
    index: LanceIndex, tmp_path: Path, count: int
) -> None:
    await index.add("acme", numbered(count), unit_vectors(count))
    await (await table_of(tmp_path)).optimize()
    assert files_with(tmp_path, "marker00000"), "the test would prove nothing"
    assert await index.remove("acme", ["r00000"]) == 1  # from a table of one fragment
    assert files_with(tmp_path, "marker00000") == files_with(tmp_path, "r00000") == []
    await index.add("acme", numbered(3, first=count), unit_vectors(3))
    gone = [count - 1, count + 1]
    assert all(files_with(tmp_path, f"marker{n:05}") for n in gone)
    assert await index.remove("acme", [f"r{n:05}" for n in gone]) == 2  # and of several
    assert [files_with(tmp_path, f"{word}{n:05}") for n in gone for word in ("marker", "r")] == [[]] * 4
    assert files_with(tmp_path, f"marker{count:05}")
    assert len(await index.ids("acme")) == count


async def test_a_removal_replaces_every_file(index: LanceIndex, tmp_path: Path) -> None:
    # Whatever the encoding hides from a search for bytes: no data or index file is older than the removal.
    for number in range(5):
        await index.add("acme", numbered(1, first=number), unit_vectors(1, number))
    before = files(tmp_path)
    await index.remove("acme", ["r00001"])
    assert {path.name for path in before & files(tmp_path)} <= {".queue", ".writers", "latest_version_hint.json"}


async def test_an_interrupted_removal_is_finished_by_the_next(index: LanceIndex, tmp_path: Path) -> None:
    await index.add("acme", numbered(50), unit_vectors(50))
    await (await table_of(tmp_path)).delete(col("id").isin([lit("r00007")]))  # as far as a dying process came
    assert files_with(tmp_path, "marker00007")
    assert await index.remove("acme", ["r00007"]) == 0
    assert files_with(tmp_path, "marker00007") == []


async def test_what_a_dying_writer_left_uncommitted_is_erased_too(index: LanceIndex, tmp_path: Path) -> None:
    await index.add("acme", numbered(3), unit_vectors(3))
    [data] = paths(tmp_path, "data/*.lance")
    shutil.copy(data, data.with_stem(data.stem[::-1]))
    await index.remove("acme", ["r00001"])
    assert files_with(tmp_path, "marker00001") == []


async def test_removal_reaches_the_tables_of_earlier_spaces(index: LanceIndex, tmp_path: Path) -> None:
    earlier = LanceIndex(str(tmp_path), Space("earlier", 4, "v1"))
    await earlier.add("acme", numbered(2), unit_vectors(2, dims=4))
    await index.add("acme", numbered(3), unit_vectors(3))
    assert await index.remove("acme", ["r00000", "r00001"]) == 2
    assert files_with(tmp_path, "marker00000") == []
    assert await earlier.ids("acme") == set()
    await earlier.close()


# Races, optimizing, locks


async def test_a_cancelled_removal_that_has_begun_is_finished(index: LanceIndex, tmp_path: Path) -> None:
    other = LanceIndex(str(tmp_path), SPACE)
    await index.add("acme", numbered(2000), unit_vectors(2000))
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(index.remove, "acme", ["r00007"])
            while "r00007" in await other.ids("acme"):
                pass
            scope.cancel()
    assert scope.cancelled_caught
    assert files_with(tmp_path, "marker00007") == []
    await other.close()


async def test_concurrent_additions_of_one_handle_store_each_row_once(index: LanceIndex, tmp_path: Path) -> None:
    await index.add("acme", numbered(1), unit_vectors(1))
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(index.add, "acme", numbered(5), unit_vectors(5))
    assert await (await table_of(tmp_path)).count_rows() == 5


async def test_rows_that_two_processes_added_at_once_are_one_row(index: LanceIndex, tmp_path: Path) -> None:
    await index.add("acme", numbered(4), unit_vectors(4))
    table = await table_of(tmp_path)
    await table.add(await table.query().to_arrow())
    assert await table.count_rows() == 8
    assert len(await index.ids("acme")) == 4
    assert len(await index.vectors_of("acme", "o1")) == 4
    hits = await index.search("acme", unit_vectors(1)[0], "home", limit=20)
    assert len(hits) == 4
    assert all(hit.cosine is not None and hit.lexical is not None for hit in hits)
    assert await index.remove("acme", ["r00002"]) == 1
    assert len(await index.ids("acme")) == 3
    assert files_with(tmp_path, "marker00002") == []


async def test_optimizing_waits_for_fifty_writes_and_works_from_a_handle_that_lags_behind(
    index: LanceIndex, tmp_path: Path
) -> None:
    other = LanceIndex(str(tmp_path), SPACE)
    await index.add("acme", numbered(1), unit_vectors(1))
    assert await other.ids("acme")
    for number in range(1, 49):
        await index.add("acme", numbered(1, first=number), unit_vectors(1, number))
    version = await (await table_of(tmp_path)).version()
    await other.optimize("acme")
    assert await (await table_of(tmp_path)).version() == version
    await index.add("acme", numbered(1, first=49), unit_vectors(1, 49))
    await other.optimize("acme")
    table = await table_of(tmp_path)
    assert len(paths(tmp_path, "data/*.lance")) > 1  # younger than ten minutes: somebody may be reading them
    assert [index.num_unindexed_rows for index in await table.list_indices()] == [0, 0, 0, 0]
    version = await table.version()
    await other.optimize("acme")
    assert await (await table_of(tmp_path)).version() == version
    assert len(await index.vectors_of("acme", "o1")) == 50
    await other.close()


async def test_missing_indexes_are_made_by_the_next_writer(index: LanceIndex, tmp_path: Path) -> None:
    connection = await lancedb.connect_async(str(tmp_path / "acme"))
    await index.add("acme", numbered(1), unit_vectors(1))
    table = await connection.open_table(f"facts-{SPACE.id}")
    for made in await table.list_indices():
        await table.drop_index(made.name)
    fresh = LanceIndex(str(tmp_path), SPACE)
    assert [hit.row.id for hit in await fresh.search("acme", unit_vectors(1)[0], "home", limit=3)] == ["r00000"]
    await fresh.add("acme", numbered(2), unit_vectors(2))
    await table.checkout_latest()
    assert sorted(made.columns[0] for made in await table.list_indices()) == ["id", "kind", "owner", "text"]
    assert {hit.row.id for hit in await fresh.search("acme", unit_vectors(1)[0] * 0, "home", limit=3)} == {
        "r00000",
        "r00001",
    }
    await fresh.close()


async def test_a_lock_that_nobody_lets_go_of_is_unavailable(
    index: LanceIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await index.add("acme", numbered(1), unit_vectors(1))
    monkeypatch.setattr("interlayer.storage.file_lock._LOCK_TIMEOUT_S", 0.0)
    with (tmp_path / "acme" / ".writers").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match=r"\.writers.*Try again"):
            await index.add("acme", numbered(2), unit_vectors(2))
        with pytest.raises(Unavailable):
            await index.remove("acme", ["r00000"])
        assert await index.ids("acme") == {"r00000"}  # readers never wait
    await index.add("acme", numbered(2), unit_vectors(2))
    assert len(await index.ids("acme")) == 2


# Damage


async def test_a_table_of_another_width_is_refused_clearly(tmp_path: Path) -> None:
    # A model that keeps its name and changes its width, as a provider's default may.
    one, two = Space("m", 8, "v1"), Space("m", 4, "v1")
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / f"facts-{two.id}.lance").symlink_to(tmp_path / "acme" / f"facts-{one.id}.lance")
    wide, narrow = LanceIndex(str(tmp_path), one), LanceIndex(str(tmp_path), two)
    await wide.add("acme", numbered(1), unit_vectors(1, dims=8))
    with pytest.raises(Corrupt, match=r"acme.*8 dims.*makes 4"):
        await narrow.add("acme", numbered(2), unit_vectors(2, dims=4))
    with pytest.raises(Corrupt, match="8 dims"):
        await narrow.vectors_of("acme", "o1")
    assert await wide.ids("acme") == {"r00000"}
    await wide.close()
    await narrow.close()


@pytest.mark.parametrize("damage", ["garbage", "truncated", "missing"])
@pytest.mark.parametrize("folder", ["data", "_versions"])
async def test_damaged_files_are_corrupt_and_the_remedy_is_named(tmp_path: Path, folder: str, damage: str) -> None:
    index = LanceIndex(str(tmp_path), SPACE)
    await index.add("acme", numbered(20), unit_vectors(20))
    for path in paths(tmp_path, f"{folder}/*.*"):
        content = path.read_bytes()
        match damage:
            case "garbage":
                path.write_bytes(b"\xa5" * len(content))
            case "truncated":
                path.write_bytes(content[: len(content) // 2])
            case _:
                path.unlink()
    for handle in (index, LanceIndex(str(tmp_path), SPACE)):
        with pytest.raises(Corrupt, match=r"acme.*made again"):
            await handle.vectors_of("acme", "o1")
        await handle.close()


async def test_a_folder_deleted_under_a_running_server_is_an_empty_index(index: LanceIndex, tmp_path: Path) -> None:
    await index.add("acme", numbered(2), unit_vectors(2))
    shutil.rmtree(tmp_path / "acme")
    assert await index.ids("acme") == set()
    await index.add("acme", numbered(1), unit_vectors(1))
    shutil.rmtree(tmp_path / "acme")
    await index.add("acme", numbered(3), unit_vectors(3))
    assert len(await index.ids("acme")) == 3
    assert len(await index.search("acme", unit_vectors(1)[0], "home", limit=5)) == 3


async def test_a_place_that_cannot_be_a_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    index = LanceIndex(str(tmp_path / "file"), SPACE)
    with pytest.raises(Unavailable, match="can be written"):
        await index.add("acme", numbered(1), unit_vectors(1))
    with pytest.raises(Unavailable):
        await index.ping()
    await index.close()
