"""Relative times get the date that they mean, once, and nothing else is touched."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.relative_time import anchor

WEDNESDAY = datetime(2026, 2, 18, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "anchored"),
    [
        ("They decide next quarter.", "They decide next quarter (2026-Q2)."),
        ("She called yesterday.", "She called yesterday (2026-02-17)."),
        ("Send it by Friday.", "Send it by Friday (2026-02-20)."),
        ("In two weeks we meet.", "In two weeks (2026-W10) we meet."),
        ("It began 3 months ago.", "It began 3 months ago (2025-11)."),
        ("The audit is at the end of the quarter.", "The audit is at the end of the quarter (2026-03-31)."),
        ("Done by EOY.", "Done by EOY (2026-12-31)."),
        ("Last Monday it rained.", "Last Monday (2026-02-16) it rained."),
        ("Next Wednesday it ends.", "Next Wednesday (2026-02-25) it ends."),
        ("Last year was good.", "Last year (2025) was good."),
        ("In 400 years", "In 400 years (2426)"),
    ],
)
def test_what_is_meant_stands_behind_it(text: str, anchored: str) -> None:
    assert anchor(text, WEDNESDAY) == anchored
    assert anchor(anchored, WEDNESDAY) == anchored


@pytest.mark.parametrize(
    "text", ["The deadline is 2026-05-01.", "Soon, or recently.", "At the end of 2026.", "Yesterday's news.", "Mayday"]
)
def test_what_is_absolute_or_cannot_be_told_is_left(text: str) -> None:
    assert anchor(text, WEDNESDAY) == text


PIECES = "next last this in ago by end of the week month quarter year Friday EOM today 3 999 two days (2026) 's"
WORDS = st.sampled_from(PIECES.split())


@given(st.lists(WORDS, max_size=15).map(" ".join), st.datetimes(timezones=st.just(UTC)))
def test_it_is_done_once_and_never_fails(text: str, instant: datetime) -> None:
    once = anchor(text, instant)
    assert anchor(once, instant) == once
