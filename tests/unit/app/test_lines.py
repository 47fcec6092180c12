"""How the command line says when something was, and writes values."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from interlayer.app.commands.memory.lines import Dates, short, value_of

DATES = Dates(ZoneInfo("Europe/Berlin"), datetime(2026, 11, 30, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        ("2026-11-30T08:05:00.000000Z", "today 09:05"),
        ("2026-11-30T00:00:00Z", "today"),
        ("2026-11-29T12:00:00Z", "29 Nov 2026 (yesterday)"),
        ("2026-11-28T23:30:00Z", "29 Nov 2026 (yesterday)"),  # it was past midnight in Berlin
        ("2026-11-26T00:00:00Z", "26 Nov 2026 (4 days ago)"),
        ("2026-11-10T00:00:00Z", "10 Nov 2026 (2 weeks ago)"),
        ("2026-08-20T00:00:00Z", "20 Aug 2026 (3 months ago)"),
        ("2025-10-01T00:00:00Z", "1 Oct 2025 (1 year ago)"),
        ("2026-12-01T00:00:00Z", "1 Dec 2026 (tomorrow)"),
        ("2026-12-24T00:00:00Z", "24 Dec 2026 (in 24 days)"),
    ],
)
def test_a_time_is_told_by_its_day_and_how_long_ago_it_is(instant: str, said: str) -> None:
    assert DATES.told(instant) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"amount": 120000, "currency": "USD"}, "120,000 USD"),
        (["Zendesk", "Freshdesk"], "Zendesk, Freshdesk"),
        (True, "yes"),
        (460, "460"),
    ],
)
def test_a_value_is_written_as_people_write_it(value: Any, said: str) -> None:
    assert value_of(value) == said


def test_a_long_value_is_cut_between_words() -> None:
    assert short("one two three", 9) == "one two …"
    assert short("one two", 9) == "one two"
