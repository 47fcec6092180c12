"""Up to when retention counts by a clock that may be wrong, in both directions."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.audit.trail import Event, Trail
from interlayer.ids import system_clock
from interlayer.memory.erasure.retention_clock import ClockInDoubt, RetentionClock
from interlayer.memory.log import keys
from interlayer.principal import Principal
from interlayer.storage.in_memory.items import InMemoryItems
from interlayer.storage.items import Put

pytestmark = pytest.mark.anyio

OPERATOR = Principal("acme", "operator")


class World:
    """A clock that is set by hand, and what stands on it."""

    def __init__(self) -> None:
        self.now = system_clock()
        self.begun = self.now
        self.store = InMemoryItems()
        self.trail = Trail(self.store, lambda: self.now)
        self.clock = self.process()

    def process(self, **off: float) -> RetentionClock:
        """Return the clock of a process whose time is off by so much."""
        return RetentionClock(self.store, self.trail, lambda: self.now + timedelta(**off))

    async def reached(self) -> timedelta | None:
        """Return how far retention counts now, None while it waits."""
        try:
            return await self.clock.advance("acme") - self.begun
        except ClockInDoubt as doubt:
            assert str(await self.clock.doubt("acme")) == str(doubt)
            return None

    async def record(self) -> None:
        await self.trail.commit(OPERATOR, Event("something.done", "x", {}), [])

    async def after(self, **passed: float) -> timedelta | None:
        self.now += timedelta(**passed)
        return await self.reached()


@pytest.fixture
async def world() -> World:
    made = World()
    await made.clock.begin("acme")
    assert await made.reached() == timedelta(0)
    return made


async def test_a_clock_that_is_looked_at_now_and_then_is_believed(world: World) -> None:
    assert await world.after(hours=1) == timedelta(hours=1)
    assert await world.after(days=3, hours=18) == timedelta(days=3, hours=19), "over a long weekend"
    assert await world.clock.doubt("acme") is None


async def test_after_a_holiday_a_week_is_made_up_for_each_day_that_the_clock_holds(world: World) -> None:
    assert await world.after(days=18) is None
    assert await world.after(hours=23) is None
    assert await world.after(hours=2) == timedelta(days=7)
    assert await world.after(hours=1) is None
    assert await world.after(days=1) == timedelta(days=14)
    assert await world.after(days=1) == timedelta(days=21)
    assert await world.after(hours=1) == timedelta(days=21, hours=3), "it has caught up"


async def test_a_clock_that_was_wrong_once_leaves_no_doubt_behind(world: World) -> None:
    assert await world.after(days=400) is None
    assert await world.after(days=-400, hours=1) == timedelta(hours=1)
    assert await world.after(days=30) is None, "it has to hold anew"
    assert await world.after(hours=5) is None


async def test_one_process_with_a_wrong_clock_does_not_wait_out_its_day_beside_others(world: World) -> None:
    wrong = world.process(days=400)
    for _ in range(60):
        world.now += timedelta(hours=1)
        with pytest.raises(ClockInDoubt):
            await wrong.advance("acme")
        assert await world.reached() == world.now - world.begun


async def test_what_a_wrong_clock_has_recorded_is_no_measure(world: World) -> None:
    world.now += timedelta(days=400)
    await world.record()
    assert await world.reached() is None, "the newest event agrees with the clock, for the clock dated it"
    world.now -= timedelta(days=400)
    with pytest.raises(ClockInDoubt, match="newest record is of"):
        await world.clock.advance("acme")
    await world.record()
    assert await world.reached() == timedelta(0), "the newest record is right again"


@pytest.mark.parametrize("back", [{"minutes": 10}, {"hours": 3}, {"days": 200}])
async def test_a_clock_behind_what_was_counted_or_recorded_is_in_doubt(world: World, back: dict[str, float]) -> None:
    assert await world.after(days=1) == timedelta(days=1)
    with pytest.raises(ClockInDoubt, match="newest record is of"):
        await world.process(**{unit: -count for unit, count in back.items()}).advance("acme")
    assert await world.after(minutes=-4) == timedelta(days=1), "machines differ by some minutes"


async def test_who_vouches_for_the_clock_is_on_record_and_retention_goes_on(world: World) -> None:
    for days in (400, -390):
        world.now += timedelta(days=days)
        await world.clock.trust(OPERATOR)
        assert await world.reached() == world.now - world.begun
        event = (await world.trail.tail("acme", 1))[0].body
        assert (event["type"], event["actor"]) == ("retention.clock_trusted", "operator")


@pytest.mark.parametrize("body", [None, {}, {"until": 7}, {"until": "soon"}])
async def test_a_home_without_a_readable_note_begins_at_its_newest_event(body: Any) -> None:
    world = World()
    await world.record()
    if body is not None:
        await world.store.transact([Put(keys.retention("acme"), body)])
    world.now += timedelta(days=400)
    await world.clock.begin("acme")
    await world.record()
    assert await world.reached() is None
    assert await world.after(days=1) == timedelta(days=7)


@settings(max_examples=60)
@given(st.lists(st.integers(min_value=-2_000, max_value=20_000), max_size=30))
async def test_whatever_the_clock_does_a_look_counts_a_week_at_most(hours: list[int]) -> None:
    world = World()
    await world.clock.begin("acme")
    last = world.now
    for passed in hours:
        world.now += timedelta(hours=passed)
        try:
            reached = await world.clock.advance("acme")
        except ClockInDoubt:
            continue
        assert last <= reached <= last + timedelta(days=7)
        assert reached <= max(world.now, last)
        last = reached
