"""Sealing: each receipt exactly once, whoever seals and however late it lands; and nothing is lost beside it."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_rooms import ME, AuditRoom
from interlayer.audit.merkle import merkle_root
from interlayer.audit.reader import Audit, Sealer
from interlayer.audit.trail import Trail
from interlayer_policies.governance import Facets

pytestmark = pytest.mark.anyio

POLICY = """---
id: a
title: A
owner: o@x.example
description: How to be.
rules:
  - {id: R1, level: must, text: Be kind.}
---
"""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[AuditRoom]:
    room = AuditRoom(tmp_path / "items.db")
    await room.event()
    yield room
    await room.close()


async def test_receipts_are_sealed_after_a_grace_in_the_transaction_of_an_event(room: AuditRoom) -> None:
    made = await room.deliver(3)
    room.advance(seconds=9)
    assert (await room.seal()).receipts == 0
    room.advance(seconds=2)
    assert (await room.seal()).receipts == 3
    (segment,) = await room.segments()
    event = (await room.events())[-1]
    assert event["type"] == "receipts.sealed"
    assert event["detail"]["segment"] == segment.key.sort == "2026061512-000001"
    assert (event["detail"]["count"], event["detail"]["root"]) == (3, segment.body["root"])
    assert (segment.body["first"], segment.body["last"]) == (made[0], made[-1])
    assert (await room.seal()).receipts == 0
    assert len(await room.events()) == 2


async def test_a_segment_holds_a_thousand_at_most(room: AuditRoom) -> None:
    made = await room.deliver(2_001)
    room.advance(seconds=11)
    done = await room.seal()
    assert (done.segments, done.receipts) == (3, 2_001)
    assert [item.body["count"] for item in await room.segments()] == [1_000, 1_000, 1]
    assert await room.sealed() == made
    assert not (await room.verify()).faults


async def test_a_receipt_from_a_slow_clock_is_sealed_when_its_hour_is_compared(room: AuditRoom) -> None:
    await room.deliver(2)
    room.advance(seconds=60)
    await room.seal()
    (late,) = await room.other(seconds=70).deliver()
    room.advance(seconds=60)
    assert (await room.seal()).receipts == 0
    assert (await room.verify()).unsealed == 1
    room.advance(minutes=44)
    assert (await room.seal()).receipts == 1
    assert late in await room.sealed()
    report = await room.verify()
    assert (report.receipts, report.unsealed, report.faults) == (3, 0, [])


async def test_what_was_sealed_late_by_hand_is_not_sealed_again_while_the_hour_goes_on(room: AuditRoom) -> None:
    made = await room.deliver(2)
    room.advance(seconds=60)
    await room.seal()
    made += await room.other(seconds=70).deliver()
    assert (await room.seal(everything=True)).receipts == 1
    made += await room.deliver()
    room.advance(seconds=60)
    assert (await room.seal()).receipts == 1
    assert sorted(await room.sealed()) == sorted(made)


@pytest.mark.parametrize("hours", [1, 2, 20, 30])
async def test_a_receipt_that_lands_hours_late_is_sealed_in_the_end(room: AuditRoom, hours: int) -> None:
    suspended = room.other()
    await room.deliver(2)
    room.advance(hours=hours)
    await room.deliver()
    room.advance(minutes=1)
    await room.seal()
    (late,) = await suspended.deliver()
    if hours < 26:
        room.advance(hours=27 - hours)
        await room.seal()
    else:
        assert (await room.seal()).receipts == 0
        (fault,) = (await room.verify()).faults
        assert (fault.name, fault.problem) == (late, "unsealed")
        await room.seal(everything=True)
    assert Counter(await room.sealed())[late] == 1
    assert not (await room.verify()).faults


async def test_after_a_long_pause_everything_is_sealed_at_once(room: AuditRoom) -> None:
    made = await room.deliver(2)
    room.advance(hours=5)
    made += await room.deliver(2)
    room.advance(days=40)
    assert (await room.seal()).receipts == 4
    assert await room.sealed() == made


async def test_of_two_sealers_at_one_moment_each_receipt_is_sealed_by_one(room: AuditRoom) -> None:
    made = await room.deliver(1_500)
    room.advance(seconds=11)
    async with anyio.create_task_group() as tasks:
        for one in (room, room.other(), room.other()):
            tasks.start_soon(one.seal)
    assert sorted(await room.sealed()) == made
    assert not (await room.verify()).faults


async def test_receipts_that_waited_for_the_store_are_settled_and_sealed(room: AuditRoom) -> None:
    waits: list[str] = []

    async def settle() -> None:
        waits.extend(await room.deliver())
        room.advance(seconds=11)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(room.sealer.run, ME, settle)
            while not await room.segments():
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    assert await room.sealed() == waits
    assert (await room.events())[-1]["actor"] == "interlayer"


@pytest.mark.on_disk
async def test_sixteen_deliver_while_two_seal_and_nothing_is_lost_or_doubled(world: Any) -> None:
    await world.publish(POLICY)
    made: list[str] = []
    delivering = 16
    start = world.clock()

    async def deliver(number: int) -> None:
        nonlocal delivering
        governance = world.another_process()
        for _ in range(12):
            world.clock.advance(milliseconds=1)
            made.append((await governance.context(world.me, f"task {number}", Facets())).receipt_id)
        delivering -= 1

    async def seal() -> None:
        world.another_process()
        store = world.opened[-1]
        sealer = Sealer(store, Trail(store, world.clock), lambda: world.clock() + timedelta(seconds=10))
        while delivering:
            await sealer.seal(world.me)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        for number in range(16):
            tasks.start_soon(deliver, number)
        tasks.start_soon(seal)
        tasks.start_soon(seal)
    assert world.clock() - start < timedelta(minutes=1)
    world.clock.advance(minutes=1)
    await Sealer(world.store, Trail(world.store, world.clock), world.clock).seal(world.me, everything=True)
    segments = (await world.store.query("audit", "acme#segments")).items
    assert len(segments) > 1
    assert sorted(leaf[0] for item in segments for leaf in item.body["leaves"]) == sorted(made)
    report = await Audit(world.store, world.clock).verify(world.me)
    assert (report.receipts, report.unsealed, report.faults) == (192, 0, [])
    assert report.events == len(segments) + 1


def halves(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 6962 defines it, by halves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + halves(leaves[:half]) + halves(leaves[half:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_that_of_rfc_6962(leaves: list[bytes]) -> None:
    assert merkle_root([leaf.hex() for leaf in leaves]) == halves(leaves).hex()
