"""What every vector index keeps, whatever it stands on. Adapters are listed in `tests/support/vector_indexes.py`."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulators import reach
from interlayer.errors import InvalidInput, Unavailable
from interlayer.models.embedder import Space
from interlayer.storage.vectors import Row, VectorIndex
from vector_indexes import BETWEEN_PROCESSES, INDEXES, SPACE, OpenIndex, numbered, unit_vectors
from workers import run_workers

pytestmark = pytest.mark.anyio

NOWHERE = np.zeros(SPACE.dims, dtype=np.float32)
"""A vector that leaves the vector leg out."""


@pytest.fixture(params=INDEXES)
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param.startswith("s3"):
        reach(request.getfixturevalue("emulator"), monkeypatch)
    return request.param


@pytest.fixture
def open_index(adapter: str) -> OpenIndex:
    return INDEXES[adapter]


@pytest.fixture
async def index(open_index: OpenIndex, tmp_path: Path) -> AsyncGenerator[VectorIndex]:
    async with open_index(tmp_path) as opened:
        yield opened


async def found_by_text(index: VectorIndex, text: str, organization: str = "acme", limit: int = 50) -> set[str]:
    return {hit.row.id for hit in await index.search(organization, NOWHERE, text, limit=limit)}


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# Adding and reading


async def test_what_was_added_is_found_whole(index: VectorIndex) -> None:
    row = Row("r1", "o1", "person", 'Größe "5" \u0000 \U0001f600 lives in Lisbon')
    vector = unit_vectors(1)
    await index.add("acme", [row], vector)
    [hit] = await index.search("acme", vector[0], "lisbon", limit=5)
    assert hit.row == row
    assert hit.cosine == pytest.approx(1.0, abs=1e-5)
    assert hit.lexical is not None
    assert hit.lexical > 0
    assert await index.ids("acme") == {"r1"}
    [(row_id, stored)] = (await index.vectors_of("acme", "o1")).items()
    assert row_id == "r1"
    assert stored.dtype == np.float32
    assert np.array_equal(stored, vector[0])


async def test_adding_nothing_is_fine(index: VectorIndex) -> None:
    await index.add("acme", [], unit_vectors(0))
    assert await index.ids("acme") == set()


async def test_adding_a_row_that_is_there_changes_nothing(index: VectorIndex) -> None:
    first, second = unit_vectors(2)
    await index.add("acme", [Row("r1", "o1", "person", "apples")], first[np.newaxis])
    await index.add("acme", [Row("r1", "o2", "other", "pears"), Row("r2", "o1", "person", "plums")], unit_vectors(2, 9))
    await index.add("acme", [Row("r1", "o2", "other", "pears")], second[np.newaxis])
    assert await index.ids("acme") == {"r1", "r2"}
    assert np.array_equal((await index.vectors_of("acme", "o1"))["r1"], first)
    assert await index.vectors_of("acme", "o2") == {}
    assert await found_by_text(index, "pears") == set()
    assert await found_by_text(index, "apples") == {"r1"}


async def test_a_row_twice_in_one_call_is_one_row(index: VectorIndex) -> None:
    await index.add("acme", numbered(1) * 3, np.repeat(unit_vectors(1), 3, axis=0))
    assert len(await index.search("acme", unit_vectors(1)[0], "marker00000", limit=5)) == 1


async def test_all_rows_of_an_owner_come_back_and_of_no_other(index: VectorIndex) -> None:
    vectors = unit_vectors(420)
    await index.add("acme", numbered(300) + numbered(120, first=300, owner="o2"), vectors)
    found = await index.vectors_of("acme", "o1")
    assert set(found) == {f"r{n:05}" for n in range(300)}
    assert all(np.array_equal(found[f"r{n:05}"], vectors[n]) for n in range(300))
    assert len(await index.vectors_of("acme", "o2")) == 120
    assert await index.vectors_of("acme", "o") == {}
    assert len(await index.ids("acme")) == 420


@pytest.mark.parametrize("name", ["it's", 'a"b', "x') OR ('1'='1", "back\\slash", "%", "", "\u0000", "é", "a\nb"])
async def test_owners_kinds_and_ids_are_data_whatever_they_hold(index: VectorIndex, name: str) -> None:
    await index.add("acme", [Row(name, name, name, "odd"), Row("plain", "o1", "person", "plain")], unit_vectors(2))
    assert set(await index.vectors_of("acme", name)) == {name}
    assert [hit.row.id for hit in await index.search("acme", unit_vectors(1)[0], "", kind=name, limit=5)] == [name]
    assert await index.remove("acme", [name]) == 1
    assert await index.ids("acme") == {"plain"}


# Searching


async def test_a_search_among_some_owners_leaves_all_others_out(index: VectorIndex) -> None:
    vectors = unit_vectors(300)
    rows = [Row(f"r{n}", f"o{n % 100}", "person", f"the same text {n}") for n in range(300)]
    await index.add("acme", rows, vectors)
    for text, vector in (("same text", NOWHERE), ("", vectors[0])):
        hits = await index.search("acme", vector, text, owners=["o3", "o4", "nobody"], limit=10)
        assert {hit.row.id for hit in hits} == {f"r{n}" for n in (3, 4, 103, 104, 203, 204)}
        assert await index.search("acme", vector, text, owners=["o3"], kind="company", limit=10) == []
        assert await index.search("acme", vector, text, owners=[], limit=10) == []
    many = await index.search("acme", NOWHERE, "text", owners=[f"o{n}" for n in range(1_000)], limit=400)
    assert len(many) == 300


async def test_the_vector_leg_finds_the_nearest_rows_exactly(index: VectorIndex) -> None:
    vectors = unit_vectors(500)
    await index.add("acme", numbered(500), vectors)
    for query in unit_vectors(5, seed=1):
        hits = await index.search("acme", query, "", limit=7)
        expected = np.argsort(-(vectors @ query))[:7]
        assert {hit.row.id for hit in hits} == {f"r{n:05}" for n in expected}
        for hit in hits:
            assert hit.cosine == pytest.approx(float(vectors[int(hit.row.id[1:])] @ query), abs=1e-5)
            assert hit.lexical is None


async def test_the_text_leg_knows_word_stems_case_and_accents(index: VectorIndex) -> None:
    texts = ["She RUNS a café", "they ate", "Renewal: $450K, 2027-03-01", "the contract was signed by O'Brien"]
    await index.add("acme", [Row(f"r{n}", "o", "k", text) for n, text in enumerate(texts)], unit_vectors(4))
    assert await found_by_text(index, "running") == {"r0"}
    assert await found_by_text(index, "CAFE") == {"r0"}
    assert await found_by_text(index, "450k") == {"r2"}
    assert await found_by_text(index, "contracts o'brien") == {"r3"}
    assert await found_by_text(index, "the") == set()  # stop words find nothing
    assert await found_by_text(index, "elephant") == set()
    [hit] = await index.search("acme", NOWHERE, "renewals", limit=3)
    assert hit.cosine is None


async def test_the_text_leg_reads_other_scripts(index: VectorIndex) -> None:
    texts = ["वह हिन्दी भाषा बोलता है", "живёт в Москве", "Größe: cafe\u0301"]
    await index.add("acme", [Row(f"r{n}", "o", "k", text) for n, text in enumerate(texts)], unit_vectors(3))
    assert await found_by_text(index, "हिन्दी") == {"r0"}
    assert await found_by_text(index, "москве!") == {"r1"}
    assert await found_by_text(index, "GRÖSSE größe, café") == {"r2"}


async def test_the_more_fitting_text_scores_higher_and_the_limit_keeps_it(index: VectorIndex) -> None:
    rows = [Row(f"r{n}", "o", "k", "apples and something else entirely") for n in range(20)]
    await index.add("acme", [*rows, Row("best", "o", "k", "apples pears plums")], unit_vectors(21))
    assert await found_by_text(index, "apples pears plums", limit=1) == {"best"}


async def test_a_row_found_by_both_legs_is_one_hit_and_each_leg_has_its_limit(index: VectorIndex) -> None:
    vectors = unit_vectors(50)
    await index.add("acme", numbered(50), vectors)
    hits = await index.search("acme", vectors[7], "marker00007 marker00008", limit=4)
    by_id = {hit.row.id: hit for hit in hits}
    assert len(by_id) == len(hits)
    assert sum(hit.cosine is not None for hit in hits) == 4
    assert sum(hit.lexical is not None for hit in hits) == 2
    assert by_id["r00007"].cosine is not None
    assert by_id["r00007"].lexical is not None


async def test_the_kind_is_applied_before_the_limit(index: VectorIndex) -> None:
    vectors = unit_vectors(101)
    await index.add("acme", numbered(100) + numbered(1, first=100, kind="deal"), vectors)
    for text in ("", "went home"):
        hits = await index.search("acme", vectors[0], text, kind="deal", limit=1)
        assert {hit.row.id for hit in hits} == {"r00100"}
    assert await index.search("acme", vectors[0], "home", kind="nothing", limit=5) == []


async def test_a_row_with_a_zero_vector_is_found_by_its_text(index: VectorIndex) -> None:
    await index.add("acme", numbered(2), np.stack([NOWHERE, unit_vectors(1)[0]]))
    assert await found_by_text(index, "marker00000") == {"r00000"}
    assert {hit.row.id for hit in await index.search("acme", unit_vectors(1)[0], "", limit=5)} == {"r00001"}
    assert len(await index.vectors_of("acme", "o1")) == 2


async def test_a_search_for_nothing_finds_nothing(index: VectorIndex) -> None:
    await index.add("acme", numbered(3), unit_vectors(3))
    assert await index.search("acme", NOWHERE, " \n", limit=5) == []
    assert await index.search("acme", unit_vectors(1)[0], "home", limit=0) == []


def test_no_query_text_ever_fails(adapter: str, tmp_path: Path) -> None:
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(INDEXES[adapter](tmp_path)) as index,
    ):
        portal.call(index.add, "acme", numbered(3), unit_vectors(3))

        @settings(max_examples=60, deadline=None, database=None)
        @given(st.text(max_size=60) | st.text("'\"()[]{}^~*:?+-!&|\\/ANDORNT \ud800\u0000é", max_size=30))
        @example('"unclosed phrase')
        @example("a AND (b OR")
        @example("text:home^2~ *")
        @example("' OR 1=1 --")
        @example("half \ud83d home")
        @example("x" * 200_000)
        @example(" ".join(f"word{n}" for n in range(20_000)))
        def check(text: str) -> None:
            portal.call(found_by_text, index, text)

        check()
        assert portal.call(found_by_text, index, "(marker00001 AND \ud83d") == {"r00001"}


# Organizations

NAMES = ["acme", "Acme", "ACME", "acme ", "acme/x", "acme=2fx", "acme%2Fx", "..", ".", "", "=", "../acme", "/etc"]
ODD_NAMES = ["C:\\x", "é", "e\u0301", "con", "facts-test-8-v1.lance", "s3://x", "x" * 400, "x" * 399 + "y", "\u0000"]


async def test_organizations_never_mix_whatever_they_are_called(
    adapter: str, open_index: OpenIndex, tmp_path: Path
) -> None:
    place, names = tmp_path / "inner" / "index", NAMES + ODD_NAMES
    async with open_index(place) as index:
        for number, name in enumerate(names):
            await index.add(name, [Row(f"r{number}", "o1", "k", f"shared secret{number}")], unit_vectors(1, number))
        for number, name in enumerate(names):
            assert await index.ids(name) == {f"r{number}"}
            assert set(await index.vectors_of(name, "o1")) == {f"r{number}"}
            hits = await index.search(name, unit_vectors(1)[0], "shared", limit=50)
            assert [hit.row.id for hit in hits] == [f"r{number}"]
        assert await index.remove("acme", [f"r{n}" for n in range(len(names))]) == 1
        assert await index.ids("acme") == set()
        assert await index.ids("Acme") == {"r1"}
    if adapter != "lance":
        return
    assert names_in(tmp_path) == ["inner"]
    assert names_in(tmp_path / "inner") == ["index"]
    assert len({name.casefold() for name in names_in(place)}) == len(names)  # also where the file system folds case


async def test_an_unknown_organization_is_empty_and_stays_unknown(index: VectorIndex, tmp_path: Path) -> None:
    assert await index.ids("nobody") == set()
    assert await index.vectors_of("nobody", "o1") == {}
    assert await index.search("nobody", unit_vectors(1)[0], "home", limit=5) == []
    assert await index.remove("nobody", ["r1"]) == 0
    await index.optimize("nobody")
    assert names_in(tmp_path) == []


# Several processes


async def test_a_second_handle_sees_every_write_at_once(open_index: OpenIndex, tmp_path: Path) -> None:
    async with open_index(tmp_path) as one, open_index(tmp_path) as two:
        assert await two.ids("acme") == set()
        for number in range(6):
            writer, reader = (one, two) if number % 2 else (two, one)
            await writer.add("acme", numbered(1, first=number), unit_vectors(1, number))
            assert len(await reader.ids("acme")) == number + 1
            assert f"r{number:05}" in await reader.vectors_of("acme", "o1")
            assert await found_by_text(reader, f"marker{number:05}") == {f"r{number:05}"}
        await one.remove("acme", ["r00003"])
        assert "r00003" not in await two.ids("acme")
        assert await found_by_text(two, "marker00003") == set()


async def test_a_second_handle_sees_that_all_was_dropped(open_index: OpenIndex, tmp_path: Path) -> None:
    async with open_index(tmp_path) as one, open_index(tmp_path) as two:
        await one.add("acme", numbered(3), unit_vectors(3))
        assert len(await two.vectors_of("acme", "o1")) == 3
        await one.drop("acme")
        assert [row async for rows in two.rows("acme") for row in rows] == []
        assert await two.ids("acme") == set()
        await two.add("acme", numbered(1), unit_vectors(1))
        assert {row.id async for rows in one.rows("acme") for row in rows} == {"r00000"}


@pytest.mark.parametrize("adapter", BETWEEN_PROCESSES, indirect=True)
async def test_two_processes_that_add_the_same_rows_leave_one_of_each(
    adapter: str, open_index: OpenIndex, tmp_path: Path
) -> None:
    await run_workers("index_worker.py", [[adapter, str(tmp_path), "0", "30"]] * 2)
    async with open_index(tmp_path) as index:
        expected = {f"r{n:05}" for n in range(30)}
        assert await index.ids("acme") == expected
        assert set(await index.vectors_of("acme", "o1")) == expected
        hits = await index.search("acme", unit_vectors(1, 3)[0], "home", limit=100)
        assert sorted(hit.row.id for hit in hits) == sorted(expected)
        assert await index.remove("acme", ["r00003", "r00004"]) == 2
        assert len(await index.ids("acme")) == 28


@pytest.mark.parametrize("adapter", BETWEEN_PROCESSES, indirect=True)
async def test_erasing_and_optimizing_disturb_neither_readers_nor_writers(
    adapter: str, open_index: OpenIndex, tmp_path: Path
) -> None:
    erased, added = (20, 60) if adapter == "lance" else (8, 24)  # elsewhere each step is a dozen requests over HTTP
    async with open_index(tmp_path) as index, open_index(tmp_path) as reader:
        await index.add("acme", numbered(40), unit_vectors(40))
        done = anyio.Event()

        async def keep_reading() -> None:
            while not done.is_set():
                assert len(await reader.vectors_of("acme", "o1")) >= 20
                assert await found_by_text(reader, "marker00030") == {"r00030"}

        async def keep_erasing() -> None:
            for number in range(erased):
                assert await index.remove("acme", [f"r{number:05}"]) == 1
                await reader.optimize("acme")

        async def write_meanwhile() -> None:
            await run_workers("index_worker.py", [[adapter, str(tmp_path), "100", str(added)]])

        async with anyio.create_task_group() as readers:
            readers.start_soon(keep_reading)
            async with anyio.create_task_group() as writers:
                writers.start_soon(keep_erasing)
                writers.start_soon(write_meanwhile)
            done.set()
        expected = {f"r{n:05}" for n in [*range(erased, 40), *range(100, 100 + added)]}
        assert await reader.ids("acme") == expected
        assert set(await reader.vectors_of("acme", "o1")) == expected


async def test_concurrent_additions_of_one_handle_add_each_row_once(index: VectorIndex) -> None:
    async with anyio.create_task_group() as group:
        for number in [*range(15), *range(15)]:
            group.start_soon(index.add, "acme", numbered(1, first=number), unit_vectors(1, number))
    assert await index.ids("acme") == {f"r{n:05}" for n in range(15)}


async def test_cancelled_writes_leave_the_index_usable(index: VectorIndex) -> None:
    await index.add("acme", numbered(3), unit_vectors(3))
    for number in range(10, 18):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(index.add, "acme", numbered(1, first=number), unit_vectors(1, number))
                group.start_soon(index.remove, "acme", [f"r{number - 1:05}"])
                for _ in range(number - 9):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
    await index.add("acme", numbered(1, first=99), unit_vectors(1, 99))
    assert {"r00000", "r00001", "r00002", "r00099"} <= await index.ids("acme")
    assert await found_by_text(index, "marker00099") == {"r00099"}


# Removing and optimizing


async def test_what_was_removed_cannot_be_found(index: VectorIndex) -> None:
    vectors = unit_vectors(10)
    await index.add("acme", numbered(10), vectors)
    assert await index.remove("acme", ["r00002", "r00002", "r00005", "unknown"]) == 2
    assert await index.remove("acme", ["r00002"]) == 0
    assert await index.remove("acme", []) == 0
    assert await index.ids("acme") == {f"r{n:05}" for n in range(10) if n not in (2, 5)}
    assert "r00002" not in await index.vectors_of("acme", "o1")
    hits = await index.search("acme", vectors[2], "marker00002 home", limit=20)
    assert {hit.row.id for hit in hits} == await index.ids("acme")


async def test_a_removed_row_can_be_added_again(index: VectorIndex) -> None:
    await index.add("acme", numbered(1), unit_vectors(1))
    assert await index.remove("acme", ["r00000"]) == 1
    assert await index.ids("acme") == set()
    await index.add("acme", numbered(2), unit_vectors(2))
    assert await found_by_text(index, "marker00000 marker00001") == {"r00000", "r00001"}


async def test_many_ids_are_removed_in_one_call(index: VectorIndex) -> None:
    await index.add("acme", numbered(1300), unit_vectors(1300))
    assert await index.remove("acme", [f"r{n:05}" for n in range(1250)]) == 1250
    assert len(await index.ids("acme")) == 50


async def test_optimizing_changes_no_answer(index: VectorIndex) -> None:
    vectors = unit_vectors(60)
    for number in range(60):
        await index.add("acme", numbered(1, first=number), vectors[number : number + 1])
    before = await index.search("acme", vectors[5], "marker00009 marker00010", limit=8)
    await index.optimize("acme")
    after = await index.search("acme", vectors[5], "marker00009 marker00010", limit=8)
    assert {hit.row.id for hit in after} == {hit.row.id for hit in before}
    assert len(await index.vectors_of("acme", "o1")) == 60


# Bad input, lifetime


async def test_vectors_of_another_width_or_not_finite_are_refused(index: VectorIndex) -> None:
    for bad in (unit_vectors(2), unit_vectors(1, dims=5), np.full((1, SPACE.dims), np.nan, np.float32)):
        with pytest.raises(InvalidInput, match="vectors"):
            await index.add("acme", numbered(1), bad)
    for bad in (unit_vectors(1, dims=5)[0], np.full(SPACE.dims, np.inf, np.float32)):
        with pytest.raises(InvalidInput, match="vectors"):
            await index.search("acme", bad, "x", limit=3)
    assert await index.ids("acme") == set()


async def test_half_a_character_is_refused(index: VectorIndex) -> None:
    half = "half \ud83d"
    for row in (Row(half, "o", "k", "t"), Row("r", half, "k", "t"), Row("r", "o", half, "t"), Row("r", "o", "k", half)):
        with pytest.raises(InvalidInput):
            await index.add("acme", [row], unit_vectors(1))
    with pytest.raises(InvalidInput):
        await index.vectors_of("acme", half)
    with pytest.raises(InvalidInput):
        await index.remove("acme", [half])
    with pytest.raises(InvalidInput):
        await index.search("acme", unit_vectors(1)[0], "x", kind=half, limit=3)
    with pytest.raises(InvalidInput):
        await index.ids(half)


async def test_dropping_takes_the_rows_of_one_organization_in_one_space(open_index: OpenIndex, tmp_path: Path) -> None:
    wider = Space("test", 12, "v1")
    async with open_index(tmp_path) as index, open_index(tmp_path, wider) as other_space:
        await index.add("acme", numbered(5), unit_vectors(5))
        await index.add("globex", numbered(2), unit_vectors(2))
        await other_space.add("acme", numbered(3), unit_vectors(3, dims=12))
        await index.drop("acme")
        assert await index.ids("acme") == set()
        assert await index.vectors_of("acme", "o1") == {}
        assert await index.search("acme", unit_vectors(1)[0], "home", limit=5) == []
        assert [rows async for rows in index.rows("acme")] == []
        assert len(await index.ids("globex")) == 2
        assert len(await other_space.ids("acme")) == 3
        assert len(await other_space.search("acme", unit_vectors(1, dims=12)[0], "home", limit=5)) == 3


async def test_dropping_what_is_not_there_changes_nothing(index: VectorIndex) -> None:
    await index.drop("acme")
    await index.add("globex", numbered(1), unit_vectors(1))
    await index.drop("acme")
    assert await index.ids("acme") == set()
    assert await index.ids("globex") == {"r00000"}
    await index.drop("globex")
    await index.drop("globex")
    assert await index.ids("globex") == set()


async def test_who_has_an_index_open_sees_that_another_one_dropped_it_and_writes_it_anew(
    open_index: OpenIndex, tmp_path: Path
) -> None:
    async with open_index(tmp_path) as server, open_index(tmp_path) as mover:
        await server.add("acme", numbered(5), unit_vectors(5))
        assert len(await server.search("acme", unit_vectors(1)[0], "home", limit=5)) == 5
        await mover.drop("acme")
        assert await server.ids("acme") == set()
        assert await server.search("acme", unit_vectors(1)[0], "home", limit=5) == []
        await server.optimize("acme")
        await server.add("acme", numbered(2, first=7), unit_vectors(2))
        assert await mover.ids("acme") == await server.ids("acme") == {"r00007", "r00008"}
        assert await found_by_text(mover, "marker00007") == {"r00007"}
        assert await server.remove("acme", ["r00007"]) == 1
        await server.drop("acme")
        await mover.add("acme", numbered(1), unit_vectors(1))
        assert await server.ids("acme") == {"r00000"}


async def test_spaces_never_mix(open_index: OpenIndex, tmp_path: Path) -> None:
    wide = Space("test", 16, "v1")
    async with open_index(tmp_path) as index, open_index(tmp_path, wide) as other:
        await index.add("acme", numbered(2), unit_vectors(2))
        assert await other.ids("acme") == set()
        await other.add("acme", numbered(3), unit_vectors(3, dims=16))
        assert len(await index.ids("acme")) == 2
        assert (await other.vectors_of("acme", "o1"))["r00000"].shape == (16,)


async def test_rows_survive_closing_and_a_closed_index_says_so(open_index: OpenIndex, tmp_path: Path) -> None:
    async with open_index(tmp_path) as index:
        await index.ping()
        await index.add("acme", numbered(1), unit_vectors(1))
        await index.close()
        await index.close()
        with pytest.raises(Unavailable):
            await index.ids("acme")
        with pytest.raises(Unavailable):
            await index.ping()
    async with open_index(tmp_path) as index:
        assert await index.ids("acme") == {"r00000"}
