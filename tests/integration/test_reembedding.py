"""Moving to another embedding model while other processes read, write and erase; whatever is killed on the way."""

from collections.abc import AsyncGenerator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import lancedb
import numpy as np
import pytest

from hashed_vectors import HashedEmbedder
from interlayer.answers import as_json
from interlayer.app.composition import Parts
from interlayer.errors import Refused, Unavailable
from interlayer.memory.entities.repository import Entities
from interlayer.memory.projection.reembedding import Moved
from interlayer.memory.projection.rows import LogRange
from interlayer.memory.requests import RecallRequest, SearchRequest
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.storage.items import Put
from interlayer.storage.lance.index import LanceIndex
from interlayer_policies.governance import Facets
from moves import ORGANIZATION, assert_whole, process
from organizations import memorize
from workers import killed, run_workers

pytestmark = pytest.mark.anyio
NEW = EmbedderChoice("hashed/new")
WHO = ("Ann", "Bo", "Cem", "Dag", "Eve", "Finn", "Gita", "Hugo")
DID = ("ordered", "returned", "praised", "paid for", "repaired", "insured")
WHAT = ("pumps", "valves", "filters", "seals", "hoses", "gauges", "motors", "cables", "drums")


def facts(entity: int, number: int) -> Sequence[str]:
    return [f"{WHO[n % 8]} {DID[n % 6]} {WHAT[n % 9]} under order {1_000 * entity + n}." for n in range(number)]


async def filled(parts: Parts, entities: int, number: int) -> None:
    for entity in range(entities):
        await memorize(parts, f"company:c{entity}.example", *facts(entity, number))
    await parts.memory.projector.drain(ORGANIZATION)


async def recall(parts: Parts, entity: str, query: str) -> dict[str, Any]:
    request = RecallRequest(entity=entity, query=query)
    return as_json(await parts.memory.recaller.recall(parts.settings.principal, request))


async def search(parts: Parts, query: str) -> dict[str, Any]:
    return as_json(await parts.memory.searcher.search(parts.settings.principal, SearchRequest(query=query)))


async def test_a_move_under_reads_writes_and_erasures_loses_and_mixes_nothing(tmp_path: Path) -> None:
    model = HashedEmbedder(NEW.name)
    async with process(tmp_path) as server, process(tmp_path, {NEW.name: model}) as mover:
        await filled(server, 4, 100)
        done = anyio.Event()
        calls = 0
        moves: list[Moved] = []

        async def work() -> None:
            nonlocal calls
            for number in count(5_000):
                told = await memorize(server, f"company:c{number % 5}.example", f"Zoe sold cranes in lot {number}.")
                fact = told["facts"][0]["fact_id"]
                if number % 7 == 0:
                    await server.memory.forgetter.forget(server.settings.principal, fact_id=fact, reason="test")
                else:
                    found = await recall(server, f"company:c{number % 5}.example", f"cranes in lot {number}")
                    assert fact in {one["fact_id"] for one in found["facts"]}
                    searched = await search(server, f"cranes in lot {number}")
                    assert fact in {one["fact"]["fact_id"] for one in searched["results"]}
                calls += 1
                if done.is_set():
                    break

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            moves.append(await mover.memory.reembedder.move(mover.settings.principal, NEW, rate=400))
            await anyio.sleep(1.1)  # as long as a process may go by an older record
            done.set()
        assert moves[0].verified
        assert moves[0].verified.missing == 0
        assert calls > 5
        assert (await assert_whole(server)).embedder.space == (await assert_whole(mover)).embedder.space == model.space


@pytest.mark.timeout(240)  # four processes that start one after another
async def test_a_move_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    async with process(tmp_path) as server:
        await filled(server, 5, 120)
        for batches in (1, 1, 1):
            await killed("reembed_worker.py", [str(tmp_path), NEW.name, str(batches)])
            told = await memorize(server, "company:c1.example", f"The weather was fine on day {batches}.")
            assert told["facts"]
        (said,) = await run_workers("reembed_worker.py", [[str(tmp_path), NEW.name]])
        space, added = said.split()
        assert space.startswith("hashed_2f_new")
        assert int(added) < 120
        await anyio.sleep(1.1)
        assert (await assert_whole(server)).id == space


async def test_the_way_back_is_open_until_the_former_space_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlayer.memory.projection.reembedding._LEFT_S", 0.01)
    async with process(tmp_path) as parts:
        me = parts.settings.principal
        await filled(parts, 2, 30)
        former = (await parts.memory.spaces.of(ORGANIZATION)).id
        await parts.memory.reembedder.move(me, NEW)
        await memorize(parts, "company:c0.example", "Written after the move.")
        assert await parts.memory.reembedder.rollback(me) == former
        await assert_whole(parts)
        assert await parts.memory.reembedder.rollback(me) != former
        with pytest.raises(Refused, match="--drop-old"):
            await parts.memory.reembedder.move(me, EmbedderChoice("hashed/third"))
        assert await parts.memory.reembedder.drop_old(me) == former
        record = await parts.memory.spaces.record(ORGANIZATION)
        assert record
        assert record.beside is None
        assert await LanceIndex(
            str(tmp_path / "vectors"), parts.memory.spaces.active(record.current).embedder.space
        ).ids(ORGANIZATION)
        with pytest.raises(Refused, match="no former space"):
            await parts.memory.reembedder.rollback(me)
        await assert_whole(parts)
        told = [item.body["type"] for item in await _events(parts)]
        assert [kind for kind in told if kind.startswith("space.")] == [
            "space.build_begun", "space.flipped", "space.rolled_back", "space.rolled_back", "space.dropped"
        ]  # fmt: skip


async def _events(parts: Parts) -> list[Any]:
    return list((await parts.store.query("audit", f"{ORGANIZATION}#chain")).items)


async def test_a_build_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlayer.memory.projection.reembedding._LEFT_S", 0.01)
    model = HashedEmbedder(NEW.name)
    async with process(tmp_path, {NEW.name: model}) as parts:
        me = parts.settings.principal
        await filled(parts, 1, 20)
        await _begun(parts, model)
        with pytest.raises(Refused, match="--rollback"):
            await parts.memory.reembedder.move(me, EmbedderChoice("hashed/third"))
        await parts.memory.reembedder.rollback(me)
        record = await parts.memory.spaces.record(ORGANIZATION)
        assert record
        assert (record.following, record.dropping, record.current.choice) == (None, None, BUNDLED)
        assert not await parts.memory.spaces.index(model.space).ids(ORGANIZATION)


async def _begun(parts: Parts, model: HashedEmbedder) -> None:
    """Begin a move that goes no further than its record."""
    entry = await parts.memory.spaces.entry(NEW)

    async def known(_: EmbedderChoice) -> Any:
        return entry

    parts.memory.spaces.entry = known  # type: ignore[method-assign]
    model.away = True
    with pytest.raises(Unavailable):
        await parts.memory.reembedder.move(parts.settings.principal, NEW)
    model.away = False


async def test_writes_that_cannot_reach_the_new_model_are_filled_in_before_the_flip(tmp_path: Path) -> None:
    away, model = HashedEmbedder(NEW.name), HashedEmbedder(NEW.name)
    async with process(tmp_path, {NEW.name: away}) as server, process(tmp_path, {NEW.name: model}) as mover:
        await filled(server, 1, 20)
        await _begun(mover, model)
        away.away = True
        await memorize(server, "company:c0.example", "This one is missed.")
        assert (await search(server, "which one is missed"))["results"]
        record = await server.memory.spaces.record(ORGANIZATION)
        assert record
        assert record.gaps
        await mover.memory.reembedder.move(mover.settings.principal, NEW)
        away.away = False
        await assert_whole(server)


def table_of(folder: Path, space: str) -> Path:
    [path] = folder.rglob(f"facts-{space}.lance")
    return path


async def test_a_space_that_nobody_builds_any_more_does_not_fall_to_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlayer.memory.projection.projector._MERGED_EVERY_S", 0.0)
    model = HashedEmbedder(NEW.name)
    async with process(tmp_path, {NEW.name: model}) as server:
        await _begun(server, model)
        for text in facts(0, 60):
            await memorize(server, "company:c0.example", text)
            await server.memory.projector.drain(ORGANIZATION)
        assert len(await server.memory.spaces.index(model.space).ids(ORGANIZATION)) == 60
        path = table_of(tmp_path, model.space.id)
        table = await (await lancedb.connect_async(path.parent)).open_table(path.stem)
        statistics: Any = await table.stats()
        assert statistics["fragment_stats"]["num_fragments"] < 50


async def test_a_flip_waits_for_a_write_that_the_new_space_has_missed_since_it_was_verified(tmp_path: Path) -> None:
    model = HashedEmbedder(NEW.name)
    async with process(tmp_path, {NEW.name: model}) as parts:
        await filled(parts, 1, 20)
        commit, races = parts.store.transact, [1]

        async def raced(operations: Any) -> None:
            flips = [one for one in operations if isinstance(one, Put) and "former" in one.body]
            if flips and races.pop():
                record = await parts.memory.spaces.record(ORGANIZATION)
                assert record
                model.away = True
                await memorize(parts, "company:c0.example", "Written between verifying and the flip.")
                await parts.memory.projector.drain(ORGANIZATION)
                model.away = False
                races.append(0)
            await commit(operations)

        parts.store.transact = raced  # type: ignore[method-assign]
        await parts.memory.reembedder.move(parts.settings.principal, NEW)
        assert (await assert_whole(parts)).embedder is model


async def test_a_configured_model_that_is_not_on_record_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    async with process(tmp_path):
        pass
    with pytest.raises(Refused, match=r"INTERLAYER_EMBEDDER=local.*interlayer reembed --to hashed/new"):
        async with process(tmp_path, model=NEW):
            pass


async def test_after_a_move_the_record_goes_before_the_setting(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        await filled(parts, 1, 20)
        await parts.memory.reembedder.move(parts.settings.principal, NEW)
    async with process(tmp_path) as stale:
        assert "Set INTERLAYER_EMBEDDER=hashed/new" in await stale.memory.spaces.check(ORGANIZATION)
        assert (await stale.memory.spaces.of(ORGANIZATION)).embedder.space.model == NEW.name
    async with process(tmp_path, model=NEW) as fresh:
        assert await fresh.memory.spaces.check(ORGANIZATION) == ""


async def test_a_call_stays_in_the_space_that_it_began_in(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        await filled(parts, 1, 90)
        before = await parts.memory.spaces.of(ORGANIZATION)
        await recall(parts, "company:c0.example", "who ordered pumps")
        await parts.memory.reembedder.move(parts.settings.principal, NEW)
        after = await parts.memory.spaces.of(ORGANIZATION)
        assert after.id != before.id
        stored = await parts.store.query("memory", f"{ORGANIZATION}#t#company")
        entities = Entities(parts.store, parts.memory.spaces, parts.memory.schema)
        found = await entities.resolve(ORGANIZATION, _named(stored.items[0].key.sort))
        assert found
        head = await entities.head(ORGANIZATION, found)
        assert head
        for space in (before, after, before, after):
            view = await entities.view(ORGANIZATION, head.head, space)
            assert view.space == space.embedder.space
            assert np.allclose(
                view.vectors, await space.embedder.embed([f.record.text for f in view.ordered]), atol=1e-5
            )
        answered = await recall(parts, "company:c0.example", "who ordered pumps")
        assert answered["facts"][0]["score"] > 0
        assert "degraded" not in answered


def _named(entity_id: str) -> Any:
    from interlayer.memory.log.identifiers import parse_entity
    from interlayer.memory.schema.schema import starter_schema

    return parse_entity(f"company:{entity_id}", starter_schema())


async def test_guidance_follows_to_the_new_space(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        governance, me = parts.domains.governance, parts.settings.principal
        task = "Write an email that offers a discount"
        assert not (await governance.context(me, task, Facets())).degraded
        await parts.memory.reembedder.move(me, NEW)
        await governance.make_ready(ORGANIZATION, await parts.memory.spaces.of(ORGANIZATION))
        answer = await governance.context(me, task, Facets())
        assert not answer.degraded
        assert answer.rules


async def test_a_record_of_the_first_version_is_the_bundled_model(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        record = await parts.memory.spaces.record(ORGANIZATION)
        assert record
        space = record.current.space
        place = parts.memory.spaces.put(ORGANIZATION, record)
        await parts.store.transact([Put(place.key, {"space": space.id, "model": space.model}, record.version)])
        again = await parts.memory.spaces.record(ORGANIZATION)
        assert again
        assert again.current == record.current


async def test_what_is_written_while_the_log_is_verified_does_not_hold_the_flip_back(tmp_path: Path) -> None:
    async with process(tmp_path) as server, process(tmp_path) as mover:
        await filled(server, 1, 20)
        stretches, readings = mover.memory.backfill.stretches, []

        async def busy(organization: str) -> AsyncGenerator[LogRange]:
            readings.append(1)
            await memorize(server, "company:c0.example", f"Reading {len(readings)} of the log went on for long.")
            async for found in stretches(organization):
                yield found

        mover.memory.backfill.stretches = busy  # type: ignore[method-assign]
        moved = await mover.memory.reembedder.move(mover.settings.principal, NEW)
        assert moved.verified
        assert len(readings) == 2
        await anyio.sleep(1.1)
        await assert_whole(server)


async def test_a_difference_names_the_space_that_it_is_in(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        await filled(parts, 1, 20)
        former = await parts.memory.spaces.of(ORGANIZATION)
        await parts.memory.reembedder.move(parts.settings.principal, NEW)
        assert await parts.memory.consistency.differences(ORGANIZATION) == []
        await former.index.drop(ORGANIZATION)
        found = await parts.memory.consistency.differences(ORGANIZATION)
        assert {(one.kind, one.space) for one in found} == {("missing", former.id)}
        assert len(found) == 20


async def test_filling_reads_a_long_log_twice_however_many_batches_it_takes(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        for number in range(100):
            await memorize(parts, "company:c0.example", *facts(number, 10))
        await parts.memory.projector.drain(ORGANIZATION)
        query, read = parts.store.query, 0

        async def counted(table: Any, partition: str, *arguments: Any, **options: Any) -> Any:
            nonlocal read
            page = await query(table, partition, *arguments, **options)
            read += len(page.items) if "#e#" in partition else 0
            return page

        space = await parts.memory.spaces.of(ORGANIZATION)
        await space.index.drop(ORGANIZATION)
        parts.store.query = counted  # type: ignore[method-assign]
        made = await parts.memory.backfill.fill(ORGANIZATION, space)
        assert made.facts == made.added > 3 * 256  # rows of a batch
        assert read <= 2 * 100
        await assert_whole(parts)
