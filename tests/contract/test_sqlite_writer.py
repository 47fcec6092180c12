"""What waits for its turn at a SQLite file: committed together, each all or nothing, and nobody waits for the dead."""

import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.errors import InterlayerError, InvalidInput, Unavailable
from interlayer.storage.items import Delete, Key, Operation, Put, VersionConflict
from interlayer.storage.sqlite.file import connect
from interlayer.storage.sqlite.items import SqliteItems
from item_stores import open_sqlite
from workers import environment

pytestmark = pytest.mark.anyio

QUEUE = "items.db-queue"
PAGE = 4096


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[SqliteItems]:
    opened = SqliteItems(tmp_path / "items.db")
    yield opened
    await opened.close()


def key(sort: str) -> Key:
    return Key("memory", "acme#e1", sort)


async def sorts_of(store: SqliteItems) -> list[str]:
    return [item.key.sort for item in (await store.query("memory", "acme#e1")).items]


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Have the turn, as another process would."""
    descriptor = os.open(folder / QUEUE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


async def together(store: SqliteItems, folder: Path, *transactions: list[Operation]) -> list[Exception | None]:
    """Let transactions wait for one turn, so that they are committed as one group; return what each failed with."""
    outcomes: list[Exception | None] = [None] * len(transactions)

    async def run(number: int) -> None:
        try:
            await store.transact(transactions[number])
        except (InterlayerError, OverflowError) as error:
            outcomes[number] = error

    async with anyio.create_task_group() as tasks:
        with held(folder):
            for number in range(len(transactions)):
                tasks.start_soon(run, number)
            await anyio.wait_all_tasks_blocked()
    return outcomes


def commits(folder: Path) -> int:
    """Count the commits in the write-ahead log: a frame that ends one tells the size of the database."""
    log = (folder / "items.db-wal").read_bytes()
    frames = range(32, len(log), 24 + PAGE)
    return sum(log[frame + 4 : frame + 8] != bytes(4) for frame in frames)


async def test_transactions_that_wait_are_committed_at_once_in_the_order_of_their_coming(
    store: SqliteItems, tmp_path: Path
) -> None:
    await store.transact([Put(key("a"), {"n": 0})])
    before = commits(tmp_path)
    chain: list[list[Operation]] = [[Put(key("a"), {"n": number}, expect=number)] for number in range(1, 11)]
    assert await together(store, tmp_path, *chain) == [None] * 10
    assert commits(tmp_path) == before + 1
    item = await store.get(key("a"))
    assert item is not None
    assert (item.version, item.body) == (11, {"n": 10})


async def test_only_notes_do_not_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[str] = []

    def traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(done.append)
        return connection

    monkeypatch.setattr("interlayer.storage.sqlite.writer.connect", traced)
    store = SqliteItems(tmp_path / "items.db")
    for number in range(2):
        await store.note(Put(key(f"note {number}"), {}))
    await store.transact([Put(key("a"), {})])
    await store.note(Put(key("note 2"), {}))
    await store.close()
    ways = [one for one in done if one == "COMMIT" or "synchronous" in one]
    assert ways == [
        "PRAGMA synchronous = NORMAL", "COMMIT", "COMMIT",
        "PRAGMA synchronous = FULL", "COMMIT",
        "PRAGMA synchronous = NORMAL", "COMMIT",
    ]  # fmt: skip


async def test_a_note_that_waits_with_transactions_is_on_disk_with_them(store: SqliteItems, tmp_path: Path) -> None:
    before = commits(tmp_path)

    async with anyio.create_task_group() as tasks:
        with held(tmp_path):
            tasks.start_soon(store.note, Put(key("note"), {}))
            tasks.start_soon(store.transact, [Put(key("a"), {})])
            await anyio.wait_all_tasks_blocked()
    assert commits(tmp_path) == before + 1
    assert await sorts_of(store) == ["a", "note"]


async def test_what_fails_in_a_group_leaves_the_others_whole(store: SqliteItems, tmp_path: Path) -> None:
    outcomes = await together(
        store,
        tmp_path,
        [Put(key("a"), {}), Put(key("b"), {})],
        [Put(key("c"), {}), Put(key("a"), {})],  # the first one was there before
        [Put(key("d"), {}), Put(key("half \ud83d"), {})],
        [Put(key("e"), {}), Put(key("f"), {}, expires_at=2**63)],  # more than the file can hold, found while writing
        [Put(key("g"), {}), Delete(key("b"), expect=1)],
    )
    assert [type(outcome) for outcome in outcomes[:3]] == [type(None), VersionConflict, InvalidInput]
    assert isinstance(outcomes[1], VersionConflict)
    assert outcomes[1].keys == (key("a"),)
    assert outcomes[3] is not None
    assert outcomes[4] is None
    assert await sorts_of(store) == ["a", "g"]


STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=3, unique_by=lambda s: s[0]),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None)
def test_a_group_comes_to_the_same_as_one_after_another(steps: list[list[tuple[str, int, bool]]]) -> None:
    transactions: list[list[Operation]] = [
        [Delete(key(sort), expect) if delete and expect else Put(key(sort), {}, expect) for sort, expect, delete in one]
        for one in steps
    ]

    async def apart(folder: Path) -> tuple[list[bool], list[tuple[str, int]]]:
        async with open_sqlite(folder) as store:
            ended: list[bool] = []
            for one in transactions:
                try:
                    await store.transact(one)
                except VersionConflict:
                    ended.append(False)
                else:
                    ended.append(True)
            page = await store.query("memory", "acme#e1")
            return ended, [(item.key.sort, item.version) for item in page.items]

    async def at_once(folder: Path) -> tuple[list[bool], list[tuple[str, int]]]:
        store = SqliteItems(folder / "items.db")
        outcomes = await together(store, folder, *transactions)
        page = await store.query("memory", "acme#e1")
        await store.close()
        return [outcome is None for outcome in outcomes], [(item.key.sort, item.version) for item in page.items]

    with start_blocking_portal() as portal, TemporaryDirectory() as one, TemporaryDirectory() as other:
        assert portal.call(at_once, Path(one)) == portal.call(apart, Path(other))


async def test_a_caller_that_is_cancelled_while_it_waits_writes_nothing(store: SqliteItems, tmp_path: Path) -> None:
    async with anyio.create_task_group() as tasks:
        with held(tmp_path):
            with anyio.CancelScope() as scope:
                tasks.start_soon(store.transact, [Put(key("stays"), {})])
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                await store.transact([Put(key("goes"), {})])
    assert await sorts_of(store) == ["stays"]


async def test_a_holder_that_never_ends_is_an_error_by_name_and_nothing_is_written(
    store: SqliteItems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlayer.storage.sqlite.writer._TURN_TIMEOUT_S", 0.0)
    with held(tmp_path), pytest.raises(Unavailable, match=r"items\.db: another process.*Nothing was written"):
        await store.transact([Put(key("a"), {})])
    monkeypatch.undo()
    await store.transact([Put(key("b"), {})])
    assert await sorts_of(store) == ["b"]


async def test_a_killed_holder_holds_nobody_up(store: SqliteItems, tmp_path: Path) -> None:
    code = (
        "import fcntl, os, sys, time\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)\n"
        "print(flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / QUEUE)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.transact, [Put(key("a"), {})])
            await anyio.wait_all_tasks_blocked()
            assert await sorts_of(store) == []
            holder.kill()
    assert await sorts_of(store) == ["a"]


async def test_without_file_locks_the_lock_of_the_database_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    async with open_sqlite(tmp_path) as one, open_sqlite(tmp_path) as other, anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon((one, other)[number % 2].transact, [Put(key(f"{number:02}"), {})])
    async with open_sqlite(tmp_path) as store:
        assert len((await store.query("memory", "acme#e1")).items) == 20


async def test_a_process_killed_while_it_commits_groups_has_lost_nothing_acknowledged(tmp_path: Path) -> None:
    for round_ in range(3):
        command = [sys.executable, str(Path(__file__).parents[1] / "support" / "group_worker.py"), str(tmp_path)]
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout
            acknowledged = [worker.stdout.readline().strip() for _ in range(100 + 37 * round_)]
            worker.kill()
            acknowledged += worker.stdout.read().split("\n")[:-1]
        async with open_sqlite(tmp_path) as store:
            halves = [{item.key.sort for item in (await store.query("memory", f"acme#{half}")).items} for half in "ab"]
            assert halves[0] == halves[1]
            assert set(acknowledged) <= halves[0]
            for half in "ab":
                for first in range(0, len(halves[0]), 100):
                    batch = sorted(halves[0])[first : first + 100]
                    await store.transact([Delete(Key("memory", f"acme#{half}", sort)) for sort in batch])


async def test_reading_some_of_many_items_reads_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def watched(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_progress_handler(count, 10)
        return connection

    monkeypatch.setattr("interlayer.storage.sqlite.items.connect", watched)
    store = SqliteItems(tmp_path / "items.db")
    taken: list[int] = []
    for first in (0, 100, 400):
        await store.transact([Put(key(f"{number:04d}"), {}) for number in range(first, first + 100)])
        steps = 0
        assert len(await store.get_many([key("0001"), key("0050"), key("0099")])) == 3
        taken.append(steps)
    await store.close()
    assert taken[-1] <= taken[0] * 2
