"""What is in force is compared with the trail: after any work of memory and governance nothing is at odds with it."""

import shutil
from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from interlayer.app.composition import Parts
from interlayer.audit.reader import Checkpoint, Fault
from interlayer.errors import Unavailable
from interlayer.storage.items import Item
from organizations import PassingClock, home_of, memorize, publish
from tampered import TAMPERINGS, Intruder, Tampering, Traces, busy_year

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> PassingClock:
    return PassingClock()


@pytest.fixture
async def parts(tmp_path: Path, clock: PassingClock) -> AsyncGenerator[Parts]:
    async with home_of(tmp_path / "home", clock=clock) as made:
        await made.prepare()
        yield made


async def test_a_new_home_is_on_record_whole(parts: Parts) -> None:
    report = await parts.audit.verify(parts.settings.principal)
    assert (report.faults, report.uncovered) == ([], 0)
    assert report.compared > 3


async def test_whatever_is_done_is_on_record(parts: Parts, clock: PassingClock) -> None:
    await busy_year(parts, clock)
    report = await parts.audit.verify(parts.settings.principal)
    assert ([str(fault) for fault in report.faults], report.uncovered) == ([], 0)
    assert report.compared > 30


async def test_what_was_kept_long_enough_and_what_its_receipts_said_is_no_fault(
    parts: Parts, clock: PassingClock
) -> None:
    who = parts.settings.principal
    await memorize(parts, "company:old.example", "Old sells pumps.")
    clock.now += timedelta(minutes=1)
    await parts.sealer.seal(who)
    clock.now += timedelta(days=401)
    await memorize(parts, "company:old.example", "Old sells valves.")
    await parts.store.purge()
    report = await parts.audit.verify(who)
    assert ([str(fault) for fault in report.faults], report.expired) == ([], 1)
    assert report.uncovered == 1  # the entry of which the receipt is gone


async def test_what_is_done_while_it_is_verified_is_no_fault(parts: Parts, clock: PassingClock) -> None:
    who = parts.settings.principal
    await publish(parts, "alpha")
    await memorize(parts, "company:gone.example", "Gone sells pumps.", content="Gone is in Rome.")
    await memorize(parts, "company:new.example", "New sells pumps.")
    scan, looked = parts.store.scan, list[str]()

    async def busy_scan(table: Any, prefix: str) -> AsyncGenerator[Item]:
        looked.append(prefix)
        if len(looked) == 1:  # events and receipts are read
            await memorize(parts, "company:new.example", "New sells valves.")
            await memorize(parts, "company:newest.example", "Newest sells pipes.", content="Newest is in Oslo.")
            await parts.memory.forgetter.forget(who, "asked for", entity="company:gone.example")
            await publish(parts, "alpha", "beta")
            until = clock.now + timedelta(days=3)
            await parts.domains.governance.stewardship.waive(who, "beta#R1", {}, until, "a fair")
            await parts.access.create(who, "bot", ["reader"])
        async for item in scan(table, prefix):
            yield item

    parts.store.scan = busy_scan
    report = await parts.audit.verify(who)
    assert len(looked) == 2
    assert [str(fault) for fault in report.faults] == []
    parts.store.scan = scan
    assert (await parts.audit.verify(who)).faults == []


async def test_without_the_right_to_scan_all_that_is_on_record_is_compared(parts: Parts) -> None:
    await memorize(parts, "company:new.example", "New sells pumps.")

    def refused(table: Any, prefix: str) -> Any:
        raise Unavailable(f"Scan of {table} for {prefix[:4]} is not allowed.")

    parts.store.scan = refused
    report = await parts.audit.verify(parts.settings.principal)
    assert (report.faults, report.unscanned) == ([], "Scan of memory for acme is not allowed.")
    assert "what was slipped into memory was not looked for: Scan of memory for acme" in report.summary()


async def test_records_that_are_older_than_digests_are_counted_and_no_fault(
    parts: Parts, clock: PassingClock, tmp_path: Path
) -> None:
    who = parts.settings.principal
    await publish(parts, "alpha")
    await memorize(parts, "company:old.example", "Old sells pumps.", content="Old is in Rome.")
    key, _ = await parts.access.create(who, "bot", ["reader"])
    intruder = Intruder(tmp_path / "home" / "interlayer.db", Traces())
    intruder.forget_digests()
    report = await parts.audit.verify(who)
    assert [str(fault) for fault in report.faults] == []
    assert report.uncovered > 5
    clock.now += timedelta(hours=1)
    await memorize(parts, "company:old.example", "Old sells valves.")
    await publish(parts, "alpha", "beta")
    later = await parts.audit.verify(who)
    assert [str(fault) for fault in later.faults] == []
    assert 0 < later.uncovered <= report.uncovered
    intruder.change(("governance", "acme#access", key.id), roles=["operator"])
    intruder.close()
    assert [str(fault) for fault in (await parts.audit.verify(who)).faults] == [
        f"key {key.id}: changed: its roles are not those that it was created with"
    ]


class Original:
    """A home in which everything was done that leaves a trace, closed, with the checkpoint of its head."""

    def __init__(self, home: Path, clock: PassingClock) -> None:
        self.home = home
        self.clock = clock
        self.done = Traces()
        self.head = Checkpoint("acme", 0, "", "")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    made = Original(tmp_path_factory.mktemp("original"), PassingClock())
    async with home_of(made.home, clock=made.clock) as parts:
        await parts.prepare()
        made.done = await busy_year(parts, made.clock)
        made.clock.now += timedelta(days=2)
        made.head = await parts.audit.checkpoint(parts.settings.principal)
    return made


def test_there_are_forty_ways_to_tamper_and_more() -> None:
    assert len({one.name for one in TAMPERINGS}) == len(TAMPERINGS) >= 40


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
async def test_each_tampering_is_named(original: Original, tmp_path: Path, tampering: Tampering) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(original.home / "interlayer.db", home / "interlayer.db")
    intruder = Intruder(home / "interlayer.db", original.done)
    name = tampering.do(intruder)
    intruder.close()
    async with home_of(home, clock=PassingClock(original.clock.now)) as parts:
        audit, who = parts.audit, parts.settings.principal
        alone, anchored = await audit.verify(who), await audit.verify(who, [original.head])

    def found(faults: Iterable[Fault]) -> set[tuple[str, str, str]]:
        return {(fault.what, fault.name, fault.problem) for fault in faults}

    expected = (tampering.what, name, tampering.problem)
    assert any(is_named(one, expected) for one in found(anchored.faults)), [str(one) for one in anchored.faults]
    if not tampering.only_with_anchor:
        assert expected in found(alone.faults), [str(fault) for fault in alone.faults]


def is_named(found: tuple[str, str, str], expected: tuple[str, str, str]) -> bool:
    """Tell whether a fault is the expected one; what is missing at an end is named as a range."""
    first, _, last = found[1].partition("-")
    within = last.isdecimal() and first.isdecimal() and expected[1].isdecimal() and int(first) <= int(expected[1])
    return found == expected or (bool(within) and (found[0], found[2]) == (expected[0], expected[2]))
