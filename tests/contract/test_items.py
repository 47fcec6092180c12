"""What every item store keeps, whatever it stands on. The adapters are listed in `tests/support/item_stores.py`."""

import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.storage.items import (
    ABSENT,
    EVERYTHING,
    ITEM_BYTES_MAX,
    TRANSACT_BYTES_MAX,
    TRANSACT_OPERATIONS_MAX,
    Check,
    Delete,
    ItemStore,
    Key,
    Put,
    Span,
    VersionConflict,
)
from interlayer.storage.sqlite.items import SqliteItems
from item_stores import BETWEEN_PROCESSES, STORES, OpenStore
from workers import run_workers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(open_store: OpenStore, tmp_path: Path) -> AsyncGenerator[ItemStore]:
    async with open_store(tmp_path) as opened:
        yield opened


def key(sort: str, partition: str = "acme#e1") -> Key:
    return Key("memory", partition, sort)


async def put(store: ItemStore, *sorts: str, partition: str = "acme#e1", **body: Any) -> None:
    for first in range(0, len(sorts), TRANSACT_OPERATIONS_MAX):
        batch = sorts[first : first + TRANSACT_OPERATIONS_MAX]
        await store.transact([Put(key(sort, partition), {"sort": sort, **body}) for sort in batch])


async def sorts_of(
    store: ItemStore, *, span: Span = EVERYTHING, reverse: bool = False, limit: int | None = None
) -> list[str]:
    page = await store.query("memory", "acme#e1", span, reverse=reverse, limit=limit)
    return [item.key.sort for item in page.items]


# Puts, deletes, checks, notes


async def test_a_note_is_an_item_like_any_other(store: ItemStore) -> None:
    await store.note(Put(key("a"), {"n": 1}))
    await store.note(Put(key("a"), {"n": 2}, expect=1))
    item = await store.get(key("a"))
    assert item is not None
    assert (item.version, item.body) == (2, {"n": 2})
    with pytest.raises(VersionConflict):
        await store.note(Put(key("a"), {"n": 3}))
    await put(store, "b")
    assert await sorts_of(store) == ["a", "b"]


async def test_what_was_put_comes_back_with_version_one(store: ItemStore) -> None:
    body = {
        "text": 'Größe "5" \u0000 \U0001f600',
        "n": 1.5,
        "big": 2**63,
        "none": None,
        "list": [1, {"a": []}],
        "yes": True,
    }
    await store.transact([Put(key("a"), body)])
    item = await store.get(key("a"))
    assert item is not None
    assert (item.key, item.version, item.body) == (key("a"), 1, body)


async def test_an_absent_item_is_none(store: ItemStore) -> None:
    assert await store.get(key("a")) is None


async def test_every_put_counts_the_version_up(store: ItemStore) -> None:
    for version in range(5):
        await store.transact([Put(key("a"), {"n": version}, expect=version)])
    item = await store.get(key("a"))
    assert item is not None
    assert (item.version, item.body) == (5, {"n": 4})


@pytest.mark.parametrize("expect", [ABSENT, 2, 7])
async def test_a_put_that_expects_another_version_is_refused(store: ItemStore, expect: int) -> None:
    await put(store, "a")
    with pytest.raises(VersionConflict) as caught:
        await store.transact([Put(key("a"), {"new": True}, expect=expect)])
    assert caught.value.keys == (key("a"),)
    item = await store.get(key("a"))
    assert item is not None
    assert (item.version, item.body) == (1, {"sort": "a"})


async def test_a_put_that_expects_an_item_does_not_make_one(store: ItemStore) -> None:
    with pytest.raises(VersionConflict):
        await store.transact([Put(key("a"), {}, expect=1)])
    assert await store.get(key("a")) is None


async def test_a_put_that_expects_nothing_is_written_over_whatever_is_there(store: ItemStore) -> None:
    await put(store, "a")
    await store.transact([Put(key("a"), {"n": 1}, expect=None), Put(key("b"), {"n": 1}, expect=None)])
    found = await store.get_many([key("a"), key("b")])
    assert [found[key(one)].body for one in "ab"] == [{"n": 1}, {"n": 1}]
    with pytest.raises(VersionConflict):  # whoever read it before it was written
        await store.transact([Put(key("a"), {"n": 2}, expect=1)])
    await store.transact([Put(key("a"), {"n": 2}, expect=found[key("a")].version)])
    item = await store.get(key("a"))
    assert item is not None
    assert (item.body, item.version) == ({"n": 2}, found[key("a")].version + 1)


async def test_a_deleted_item_is_gone_and_begins_anew(store: ItemStore) -> None:
    await put(store, "a")
    await store.transact([Delete(key("a"), expect=1)])
    assert await store.get(key("a")) is None
    assert await sorts_of(store) == []
    await put(store, "a")
    item = await store.get(key("a"))
    assert item is not None
    assert item.version == 1


async def test_a_delete_without_expectation_takes_whatever_is_there(store: ItemStore) -> None:
    await put(store, "a")
    await store.transact([Delete(key("a")), Delete(key("never there"))])
    assert await store.get(key("a")) is None


@pytest.mark.parametrize("expect", [ABSENT, 2])
async def test_a_delete_that_expects_another_version_is_refused(store: ItemStore, expect: int) -> None:
    await put(store, "a")
    with pytest.raises(VersionConflict):
        await store.transact([Delete(key("a"), expect=expect)])
    assert await store.get(key("a")) is not None


async def test_a_check_that_holds_lets_the_rest_through_and_writes_nothing(store: ItemStore) -> None:
    await put(store, "a")
    await store.transact([Check(key("a"), 1), Check(key("b"), ABSENT), Put(key("c"), {})])
    assert await sorts_of(store) == ["a", "c"]
    item = await store.get(key("a"))
    assert item is not None
    assert item.version == 1


async def test_a_failed_transaction_writes_nothing_and_names_every_failed_key(store: ItemStore) -> None:
    await put(store, "a", "b")
    operations = [
        Put(key("a"), {"new": True}, expect=1),  # holds
        Put(key("b"), {"new": True}, expect=3),
        Delete(key("c"), expect=1),
        Check(key("d"), 1),
        Put(key("e"), {}),  # holds
    ]
    with pytest.raises(VersionConflict) as caught:
        await store.transact(operations)
    assert set(caught.value.keys) == {key("b"), key("c"), key("d")}
    assert "acme#e1/b" in str(caught.value)
    found = await store.get_many([key(sort) for sort in "abcde"])
    assert {k.sort: (item.version, item.body) for k, item in found.items()} == {
        "a": (1, {"sort": "a"}),
        "b": (1, {"sort": "b"}),
    }


async def test_a_transaction_spans_tables_and_partitions(store: ItemStore) -> None:
    keys = [Key("memory", "acme#1", "x"), Key("governance", "acme#1", "x"), Key("audit", "acme#2", "x")]
    await store.transact([Put(k, {"table": k.table}) for k in keys])
    assert {k: item.body["table"] for k, item in (await store.get_many(keys)).items()} == {k: k.table for k in keys}


async def test_an_empty_transaction_does_nothing(store: ItemStore) -> None:
    await store.transact([])
    assert await sorts_of(store) == []


# Order, spans, pages

# In the order of their UTF-8 bytes, which is neither UTF-16's (\uffff after \U00010000) nor any alphabet's.
ORDERED = [
    "A",
    "Z",
    "_",
    "a",
    "a b",
    "a#1",
    "aa",
    "a\u00e9",
    "b",
    "\u00e4",
    "\u00e9",
    "\u4e2d",
    "\uffff",
    "\U00010000",
    "\U0001f600",
]


async def test_items_come_in_the_byte_order_of_their_sort_keys(store: ItemStore) -> None:
    assert sorted(ORDERED, key=str.encode) == ORDERED
    await put(store, *ORDERED[::-2], *ORDERED[-2::-2])
    assert await sorts_of(store) == ORDERED
    assert await sorts_of(store, reverse=True) == ORDERED[::-1]
    assert await sorts_of(store, limit=3) == ORDERED[:3]
    assert await sorts_of(store, limit=3, reverse=True) == ORDERED[:-4:-1]


async def test_a_span_includes_its_start_and_excludes_its_end(store: ItemStore) -> None:
    await put(store, *"abcde")
    assert await sorts_of(store, span=Span("b", "d")) == ["b", "c"]
    assert await sorts_of(store, span=Span("b", "d"), reverse=True) == ["c", "b"]
    assert await sorts_of(store, span=Span("c")) == ["c", "d", "e"]
    assert await sorts_of(store, span=Span(end="c")) == ["a", "b"]
    assert await sorts_of(store, span=Span("d", "b")) == []
    assert await sorts_of(store, span=Span("c", "c")) == []


async def test_a_prefix_finds_what_begins_with_it_and_nothing_else(store: ItemStore) -> None:
    await put(store, "f", "f#", "f#1", "f#\U0001f600", "f#\uffff", "f$", "e#1", "g")
    assert await sorts_of(store, span=Span.prefix("f#")) == ["f#", "f#1", "f#\uffff", "f#\U0001f600"]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 10, 11])
async def test_pages_join_to_the_whole(store: ItemStore, limit: int, reverse: bool) -> None:
    await put(store, *"abcdefghij")
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.query("memory", "acme#e1", reverse=reverse, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        seen += [item.key.sort for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == list("jihgfedcba" if reverse else "abcdefghij")


async def test_a_full_last_page_has_no_cursor(store: ItemStore) -> None:
    await put(store, *"abcd")
    first = await store.query("memory", "acme#e1", Span(end="e"), limit=2)
    assert first.cursor is not None
    assert (await store.query("memory", "acme#e1", Span(end="e"), limit=2, cursor=first.cursor)).cursor is None


async def test_writes_between_pages_neither_repeat_nor_hide_other_items(store: ItemStore) -> None:
    await put(store, *"bdfhj")
    first = await store.query("memory", "acme#e1", limit=2)
    assert [item.key.sort for item in first.items] == ["b", "d"]
    await put(store, "a", "c", "g")  # two before the cursor, one after
    await store.transact([Delete(key("d")), Delete(key("h")), Put(key("b"), {}, expect=1)])
    rest = await store.query("memory", "acme#e1", cursor=first.cursor)
    assert [item.key.sort for item in rest.items] == ["f", "g", "j"]
    assert rest.cursor is None


async def test_a_query_without_limit_returns_everything(store: ItemStore) -> None:
    sorts = [f"{number:05}" for number in range(1500)]
    await put(store, *sorts, text="x" * 900)
    assert await sorts_of(store) == sorts


async def test_get_many_finds_those_of_a_thousand_keys_that_exist(store: ItemStore) -> None:
    sorts = [f"{number:04}" for number in range(1200)]
    await put(store, *sorts[::2])
    found = await store.get_many([key(sort) for sort in sorts] + [key("0000")])
    assert {k.sort for k in found} == set(sorts[::2])
    assert all(item.key == k and item.body == {"sort": k.sort} for k, item in found.items())
    assert await store.get_many([]) == {}


# Expiry


async def test_purging_removes_what_has_expired_and_nothing_else(open_store: OpenStore, tmp_path: Path) -> None:
    now = [1000.0]
    async with open_store(tmp_path, lambda: now[0]) as store:
        await store.transact(
            [Put(key("a"), {"word": "submarine"}, expires_at=1010), Put(key("b"), {}, expires_at=2000)]
        )
        await put(store, "c")
        assert await store.purge() == 0
        now[0] = 1010.0
        assert await store.purge(1009.0) == 0, "what expired later than that stays"
        assert await store.purge() <= 1  # none where the store does so by itself
        assert await store.purge() == 0
        await store.scrub()
        assert await sorts_of(store) == ["b", "c"]
        assert b"submarine" not in raw(tmp_path)


async def test_an_expired_item_is_as_if_it_were_not_there(open_store: OpenStore, tmp_path: Path) -> None:
    now = [1000.0]
    async with open_store(tmp_path, lambda: now[0]) as store:
        await store.transact([Put(key("a"), {"n": 1}, expires_at=1010), Put(key("b"), {}, expires_at=None)])
        await store.transact([Put(key("a"), {"n": 2}, expect=1, expires_at=1010)])
        now[0] = 1009.9
        assert await sorts_of(store) == ["a", "b"]
        now[0] = 1010.0
        assert await store.get(key("a")) is None
        assert set(await store.get_many([key("a"), key("b")])) == {key("b")}
        assert await sorts_of(store) == ["b"]
        assert await sorts_of(store, limit=1) == ["b"]
        with pytest.raises(VersionConflict):
            await store.transact([Check(key("a"), 2)])
        await store.transact([Put(key("a"), {"n": 3}, expect=ABSENT)])
        item = await store.get(key("a"))
        assert item is not None
        assert (item.version, item.body) == (1, {"n": 3})


# Limits and bad input


def sized(total: int) -> dict[str, str]:
    """Return a body of exactly so many bytes of compact JSON."""
    return {"t": "x" * (total - len('{"t":""}'))}


async def test_an_item_may_be_as_large_as_the_limit_and_no_larger(store: ItemStore) -> None:
    await store.transact([Put(key("a"), sized(ITEM_BYTES_MAX))])
    with pytest.raises(InvalidInput, match=str(ITEM_BYTES_MAX)):
        await store.transact([Put(key("b"), sized(ITEM_BYTES_MAX + 1))])
    with pytest.raises(InvalidInput):  # the limit is in bytes, not in characters
        await store.transact([Put(key("c"), {"t": "é" * (ITEM_BYTES_MAX // 2)})])
    assert await sorts_of(store) == ["a"]


async def test_a_transaction_may_have_as_many_operations_as_the_limit_and_no_more(store: ItemStore) -> None:
    operations = [Put(key(f"{number:03}"), {}) for number in range(TRANSACT_OPERATIONS_MAX + 1)]
    with pytest.raises(InvalidInput, match=str(TRANSACT_OPERATIONS_MAX)):
        await store.transact(operations)
    assert await sorts_of(store) == []
    await store.transact(operations[:-1])
    assert len(await sorts_of(store)) == TRANSACT_OPERATIONS_MAX


async def test_a_transaction_may_be_as_large_as_the_limit_and_no_larger(store: ItemStore) -> None:
    parts = TRANSACT_BYTES_MAX // ITEM_BYTES_MAX
    sizes = [ITEM_BYTES_MAX] * parts + [TRANSACT_BYTES_MAX - parts * ITEM_BYTES_MAX]
    operations = [Put(key(f"{number:03}"), sized(size)) for number, size in enumerate(sizes)]
    with pytest.raises(InvalidInput, match=str(TRANSACT_BYTES_MAX)):
        await store.transact([*operations, Put(key("more"), {})])
    assert await sorts_of(store) == []
    await store.transact(operations)
    assert len(await sorts_of(store)) == len(sizes)


async def test_a_transaction_has_one_operation_a_key(store: ItemStore) -> None:
    with pytest.raises(InvalidInput):
        await store.transact([Put(key("a"), {}), Delete(key("a"))])
    assert await store.get(key("a")) is None


@pytest.mark.parametrize(
    "body", [{"t": "half \ud83d"}, {"\udc00": 1}, {"t": float("nan")}, {"t": float("inf")}, {"t": {1, 2}}, {"t": b"x"}]
)
async def test_a_body_that_is_not_json_in_valid_unicode_is_refused(store: ItemStore, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await store.transact([Put(key("a"), {}), Put(key("b"), body)])
    assert await sorts_of(store) == []


@pytest.mark.parametrize("bad", [Key("memory", "acme#e1", "half \ud83d"), Key("memory", "half \ud83d", "a")])
async def test_a_key_with_half_a_character_is_refused(store: ItemStore, bad: Key) -> None:
    with pytest.raises(InvalidInput):
        await store.transact([Put(key("a"), {}), Put(bad, {})])
    with pytest.raises(InvalidInput):
        await store.get(bad)
    with pytest.raises(InvalidInput):
        await store.query("memory", bad.partition, Span.prefix(bad.sort))
    assert await sorts_of(store) == []


@pytest.mark.parametrize("bad", [Key("memory", "acme#e1", ""), key("x" * 1_025), key("a", "p" * 2_049), key("a", "")])
async def test_a_key_that_is_empty_or_too_long_holds_nothing_and_takes_nothing(store: ItemStore, bad: Key) -> None:
    with pytest.raises(InvalidInput, match="key"):
        await store.transact([Put(key("a"), {}), Put(bad, {})])
    assert await store.get(bad) is None
    assert await store.get_many([bad, key("a")]) == {}
    assert (await store.query("memory", bad.partition)).items == []


async def test_large_bodies_of_every_kind_come_back_as_they_were(store: ItemStore) -> None:
    repeated = {"t": "pump " * 20_000, "n": [1.5, None, True]}
    mixed = {"t": "".join(chr(33 + n * 7919 % 20_000) for n in range(50_000))}
    await store.transact([Put(key("a"), repeated), Put(key("b"), mixed)])
    found = await store.get_many([key("a"), key("b")])
    assert (found[key("a")].body, found[key("b")].body) == (repeated, mixed)


# Isolation, consistency, lifetime


async def test_partitions_and_tables_never_mix(store: ItemStore) -> None:
    partitions = ["acme#e1", "acme#e10", "acme", "acme#", "Acme#e1", "globex#e1", "acme%", "acme_e1"]
    for partition in partitions:
        await put(store, "x", partition=partition, partition_name=partition)
    await store.transact([Put(Key("audit", "acme#e1", "x"), {"partition_name": "audit"})])
    for partition in partitions:
        page = await store.query("memory", partition)
        assert [item.body["partition_name"] for item in page.items] == [partition]
    await store.transact([Delete(key("x", "acme#e1"))])
    assert await store.get(Key("audit", "acme#e1", "x")) is not None
    assert await store.get(key("x", "globex#e1")) is not None


async def test_a_write_is_seen_by_another_store_object_at_once(open_store: OpenStore, tmp_path: Path) -> None:
    async with open_store(tmp_path) as one, open_store(tmp_path) as two:
        for version in range(20):
            writer, reader = (one, two) if version % 2 else (two, one)
            await writer.transact([Put(key("a"), {"n": version}, expect=version)])
            item = await reader.get(key("a"))
            assert item is not None
            assert item.version == version + 1
            assert await sorts_of(reader) == ["a"]


async def test_items_survive_closing(open_store: OpenStore, tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await put(store, "a")
    async with open_store(tmp_path) as store:
        assert await sorts_of(store) == ["a"]


async def test_closing_twice_is_fine_and_a_closed_store_says_so(store: ItemStore) -> None:
    await store.close()
    await store.close()
    with pytest.raises(Unavailable):
        await store.get(key("a"))
    with pytest.raises(Unavailable):
        await put(store, "a")


async def test_concurrent_transactions_of_one_store_each_happen_once(store: ItemStore) -> None:
    winners: list[int] = []

    async def claim(number: int) -> None:
        try:
            await store.transact([Put(key("claim"), {"by": number}), Put(key(f"log{number}"), {})])
        except VersionConflict:
            return
        winners.append(number)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(claim, number)
    assert len(winners) == 1
    assert await sorts_of(store) == ["claim", f"log{winners[0]}"]


async def test_cancelled_transactions_leave_the_store_usable_and_whole(store: ItemStore) -> None:
    for number in range(20):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                for part in range(3):
                    pair = [Put(key(f"{number:02}{part}a"), {}), Put(key(f"{number:02}{part}b"), {})]
                    group.start_soon(store.transact, pair)
                for _ in range(number):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
    written = await sorts_of(store)
    assert [sort[:-1] for sort in written[::2]] == [sort[:-1] for sort in written[1::2]]  # pairs only
    await put(store, "after")
    assert await store.get(key("after")) is not None


@pytest.mark.parametrize("adapter", BETWEEN_PROCESSES, indirect=True)
async def test_four_processes_count_without_losing_one(adapter: str, open_store: OpenStore, tmp_path: Path) -> None:
    times = 50 if adapter == "sqlite" else 15
    await run_workers("store_worker.py", [[adapter, str(tmp_path), str(times)]] * 4)
    async with open_store(tmp_path) as store:
        item = await store.get(key("total", "acme#counter"))
    assert item is not None
    assert (item.body, item.version) == ({"value": 4 * times}, 4 * times)


# What only a store on a file can show


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_after_scrubbing_no_deleted_text_is_in_the_files(tmp_path: Path) -> None:
    # So many, of such different sizes and in such an order that pages split and merge: that is where copies hide.
    order = sorted(range(2000), key=lambda number: number * 7919 % 2003)
    async with STORES["sqlite"](tmp_path) as store, STORES["sqlite"](tmp_path) as other:
        for first in range(0, len(order), 100):
            await store.transact(
                [
                    Put(key(f"k{n:06}"), {"t": f"first{n:06};" + "x" * (n * 37 % 900)})
                    for n in order[first : first + 100]
                ]
            )
        for first in range(0, 1000, 100):
            batch = order[first : first + 100]
            await store.transact([Put(key(f"k{n:06}"), {"t": f"again{n:06};"}, expect=1) for n in batch[:50]])
            await store.transact([Delete(key(f"k{n:06}")) for n in batch[50:]])
        assert len(await sorts_of(other)) == 1500
        await store.scrub()
        files = raw(tmp_path)
        deleted = [n for first in range(0, 1000, 100) for n in order[first + 50 : first + 100]]
        replaced = [n for first in range(0, 1000, 100) for n in order[first : first + 50]]
        assert [n for n in deleted if b"first%06d;" % n in files or b"k%06d" % n in files] == []
        assert [n for n in replaced if b"first%06d;" % n in files] == []
        assert all(b"again%06d;" % n in files for n in replaced)
        assert len(await sorts_of(other)) == 1500
        await put(other, "still writable")


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\x00" + b"\xff" * 8192])
async def test_a_file_that_is_no_database_is_corrupt_and_says_how_to_recover(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "items.db"
    path.write_bytes(damage * 100)
    with pytest.raises(Corrupt, match=r"items\.db.*restore"):
        SqliteItems(path)


async def test_damage_inside_the_file_is_corrupt_and_never_a_wrong_answer(tmp_path: Path) -> None:
    async with STORES["sqlite"](tmp_path) as store:
        await put(store, *(f"{number:03}" for number in range(500)), text="x" * 500)
    path = tmp_path / "items.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    with pytest.raises(Corrupt, match="restore"):
        async with STORES["sqlite"](tmp_path) as store:
            await sorts_of(store)


async def test_a_body_that_is_no_json_is_corrupt(tmp_path: Path) -> None:
    async with STORES["sqlite"](tmp_path) as store:
        await put(store, "a")
        connection = sqlite3.connect(tmp_path / "items.db")
        connection.execute("UPDATE items SET body = x'7b22'")
        connection.commit()
        connection.close()
        with pytest.raises(Corrupt, match="restore"):
            await store.get(key("a"))
        with pytest.raises(Corrupt, match="restore"):
            await sorts_of(store)


async def test_a_path_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "items.db").mkdir()
    for path in (tmp_path / "file" / "items.db", tmp_path / "items.db"):
        with pytest.raises(Unavailable, match="writable"):
            SqliteItems(path)


async def test_a_scan_yields_every_item_of_the_partitions_with_a_prefix(store: ItemStore) -> None:
    await put(store, *(f"s{number:04d}" for number in range(1_200)), partition="acme#e1")
    await put(store, "a", "b", partition="acme#e2")
    await put(store, "x", partition="acmeish#e1")
    await store.transact([Put(Key("audit", "acme#chain", "1"), {})])
    await store.transact([Put(key("late", "acme#e2"), {"n": 1}, expires_at=4_000_000_000)])
    found = [item async for item in store.scan("memory", "acme#")]
    assert len(found) == 1_203
    assert {item.key.partition for item in found} == {"acme#e1", "acme#e2"}
    assert {item.expires_at for item in found if item.key.sort == "late"} == {4_000_000_000}
    assert [item.key.sort async for item in store.scan("audit", "acme#")] == ["1"]
    assert [item async for item in store.scan("governance", "acme#")] == []
