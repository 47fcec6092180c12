"""What can go wrong around the embedded stores: a full disk, a clock that goes backwards, damaged files."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlayer.app.doctor import examine
from organizations import PassingClock, home_of, memorize, publish, recall, settings
from workers import run_workers

pytestmark = pytest.mark.anyio


async def test_a_full_disk_is_said_and_what_was_acknowledged_is_there(home: Path) -> None:
    [output] = await run_workers("full_disk_worker.py", [[str(home), "400000"]])
    told = [json.loads(line) for line in output.splitlines()]
    kept = [one["kept"] for one in told if one.get("outcome") == "added"]
    assert kept
    [failure] = [one["failed"] for one in told if "failed" in one]
    assert failure.startswith("unavailable: ")
    assert "disk has room" in failure
    async with home_of(home) as parts:  # there is room again
        await parts.prepare()
        await parts.memory.projector.drain("acme")
        assert await parts.memory.consistency.differences("acme") == []
        index = (await parts.memory.spaces.of("acme")).index
        listed = {row.text async for rows in index.rows("acme") for row in rows}
        assert {"The dock opened.", *kept} <= listed
        assert len(listed) <= len(kept) + 2  # the last one failed, whole or not at all
        await memorize(parts, "company:dock.example", "The dock has room again.")
        assert not (await parts.audit.verify(parts.settings.principal)).faults


async def test_a_clock_that_goes_backwards_loses_nothing(home: Path) -> None:
    async with home_of(home, clock=PassingClock(datetime(2026, 3, 1, tzinfo=UTC))) as parts:
        await parts.prepare()
        await memorize(parts, "company:tide.example", "The tide gauge was read.")
        await publish(parts, "ebb")
    async with home_of(home, clock=PassingClock(datetime(2025, 3, 1, tzinfo=UTC))) as parts:
        await parts.prepare()
        answer = await memorize(parts, "company:tide.example", "The pilot boat is blue.", "The buoy was painted.")
        revision = await publish(parts, "flood")
        await memorize(parts, "company:storm.example", "The storm passed at night.")
        await parts.memory.forgetter.forget(parts.settings.principal, "asked to", fact_id=answer["facts"][1]["fact_id"])
    async with home_of(home) as parts:
        await parts.prepare()
        texts = {fact["text"] for fact in (await recall(parts, "company:tide.example"))["facts"]}
        assert texts == {"The tide gauge was read.", "The pilot boat is blue."}
        assert (await recall(parts, "company:storm.example"))["found"]
        assert await parts.memory.consistency.differences("acme") == []
        listing = await parts.domains.governance.published(parts.settings.principal)
        assert (listing.revision, [policy.id for policy in listing.policies]) == (revision, ["flood"])
        assert not (await parts.audit.verify(parts.settings.principal)).faults


async def test_doctor_tells_an_index_that_is_gone_from_one_that_holds_nothing(home: Path) -> None:
    async with home_of(home) as parts:
        await parts.prepare()
        assert all(one.ok for one in await examine(settings(home)))
        await memorize(parts, "company:dock.example", "The dock opened.")
        await parts.memory.projector.drain("acme")
    assert all(one.ok for one in await examine(settings(home)))
    shutil.rmtree(home / "vectors")
    [finding] = [one for one in await examine(settings(home)) if not one.ok]
    assert (finding.name, "1 facts are remembered" in finding.detail) == ("vector index", True)


async def test_doctor_says_how_a_damaged_index_is_mended(home: Path) -> None:
    async with home_of(home) as parts:
        await parts.prepare()
        await memorize(parts, "company:dock.example", "The dock opened.")
        await parts.memory.projector.drain("acme")
    for path in (home / "vectors").rglob("*.lance"):
        if path.is_file():
            path.write_bytes(b"\xa5" * path.stat().st_size)
    [finding] = [one for one in await examine(settings(home)) if not one.ok]
    assert finding.name == "vector index"
    assert "interlayer reconcile --rebuild" in finding.detail
