"""What a caller may ask for in a minute, and when it may ask again."""

import pytest

from interlayer.app.mcp_server.door.rates import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once_and_then_steadily() -> None:
    clock = Clock()
    rate = Rate(60, clock)
    assert [rate.take("ann") for _ in range(60)] == [0.0] * 60
    assert rate.take("ann") == pytest.approx(1.0)
    assert rate.take("bob") == 0.0
    clock.now = 1.0
    assert rate.take("ann") == 0.0
    assert rate.take("ann") > 0
    clock.now = 1_000.0
    assert [rate.take("ann") for _ in range(60)] == [0.0] * 60
    assert rate.take("ann") > 0


def test_who_asks_too_early_does_not_wait_longer_for_it() -> None:
    clock = Clock()
    rate = Rate(60, clock)
    rate.take("ann", 60)
    assert [rate.take("ann") for _ in range(1_000)] == pytest.approx([1.0] * 1_000)


def test_what_is_larger_than_a_minutes_worth_is_given_once_and_then_owed() -> None:
    clock = Clock()
    rate = Rate(100, clock)
    assert rate.take("ann", 300) == 0.0
    assert rate.take("ann", 1) == pytest.approx(201 * 0.6)
    clock.now = 240.0
    assert rate.take("ann", 300) == 0.0


def test_no_limit_is_none() -> None:
    rate = Rate(0)
    assert not any(rate.take("ann", 1e9) for _ in range(1_000))


def test_a_debt_is_kept_however_many_others_come() -> None:
    clock = Clock()
    rate = Rate(60, clock)
    rate.take("ann", 600)
    for second in range(1, 200):
        clock.now = float(second)
        for number in range(100):
            assert rate.take(f"guest-{second}-{number}") == 0.0
    assert rate.take("ann") > 0
