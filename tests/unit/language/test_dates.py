"""Calendar dates of real sentences in several languages, whole dates as values, and the periods that a text names."""

from datetime import date

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.dates import MONTHS, WEEKDAYS, WRITTEN, find_dates, parsed, periods

Stated = tuple[int | None, int | None, int | None, int | None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due 2026-03-31", [(2026, 3, 31, None)]),
        ("since 2026-03", [(2026, 3, None, None)]),
        ("on March 3rd, 2026 and the 4th of May", [(2026, 3, 3, None), (None, 5, 4, None)]),
        ("on 31-Mar-2026", [(2026, 3, 31, None)]),
        ("in Sept. 2026, or December", [(2026, 9, None, None), (None, 12, None, None)]),
        ("on 03/04/26", [(2026, 4, 3, None), (2026, 3, 4, None)]),
        ("Q3 2026 or the fourth quarter", [(2026, None, None, 3), (None, None, None, 4)]),
        ("am 3. März 2026, Ende Oktober", [(2026, 3, 3, None), (None, 10, None, None)]),
        ("le 15 août 2026", [(2026, 8, 15, None)]),
        ("eindigt in juni 2026", [(2026, 6, None, None)]),
        ("den 1 maj 2026", [(2026, 5, 1, None)]),
        ("we were 3. March was good", [(None, 3, None, None)]),
        ("at Mayo Clinic and Mars Inc. we may march on", []),
    ],
)
def test_dates_are_stated_as_far_as_they_are(text: str, expected: list[Stated]) -> None:
    assert [(one.year, one.month, one.day, one.quarter) for one in find_dates(text)] == expected


def test_a_date_says_another_one_that_states_less() -> None:
    (day,), (month,), (quarter,) = (find_dates(text) for text in ("on 2026-03-31", "in March 2026", "in Q1 2026"))
    assert day.says(month, 2026)
    assert day.says(quarter, 2026)
    assert not month.says(day, 2026)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-31T10:00", date(2026, 3, 31)),
        ("March 31st, 2026", date(2026, 3, 31)),
        ("the 31 March 2026", None),
        ("Tuesday, 31 March, 2026", date(2026, 3, 31)),
        ("31. März 2026", date(2026, 3, 31)),
        ("2 février 2026", date(2026, 2, 2)),
        ("31-Mar-2026", date(2026, 3, 31)),
        ("31 June 2026", None),
        ("2026-02-30", None),
        ("15 Mar 26", None),
        ("15 marching 2026", None),
        ("soon", None),
    ],
)
def test_a_value_is_one_whole_date(text: str, value: date | None) -> None:
    assert parsed(text) == value


@pytest.mark.parametrize("text", ["2026-03-31", "March 31st, 2026", "31 March, 2026", "31. Januar 2026", "1 mai 2026"])
def test_what_the_pattern_finds_is_a_date(text: str) -> None:
    found = re2.search(f"(?i)(?:{WRITTEN})", f"Renewal: {text}.")
    assert found
    assert found[0] == text
    assert parsed(str(found[0]))


def test_periods_are_alike_by_what_they_mean() -> None:
    assert periods("Sept 3, the first quarter") == periods("September 5, Q1")
    assert periods("last week, this evening") == periods("the previous week, today")
    assert periods("am Montag im Mai") == {"month 5": 1}
    assert periods("le 3 mars, chez Mars") == {"month 3": 1}
    assert periods("next quarter") != periods("this quarter")


def test_months_and_weekdays_are_numbered_as_in_the_calendar() -> None:
    assert (MONTHS["jan"], MONTHS["dezember"], WEEKDAYS["monday"], WEEKDAYS["sunday"]) == (1, 12, 0, 6)


@given(st.text(st.sampled_from("0129/-. QqhMay März,of\n"), max_size=40))
def test_any_text_may_be_asked_for_dates(text: str) -> None:
    assert all(0 <= one.start < one.end <= len(text) for one in find_dates(text))
    parsed(text)
    periods(text)
