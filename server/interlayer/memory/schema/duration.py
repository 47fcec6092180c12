"""Durations as a schema writes them: days, weeks, months and years of the calendar."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DURATION: Final = re.compile(r"([1-9]\d{0,3})([dwmy])")


def check_duration(text: str) -> None:
    """Raise `ValueError` unless the text is a duration."""
    if not _DURATION.fullmatch(text):
        raise ValueError("takes a duration: 90d, 12w, 24m or 7y (days, weeks, months, years)")


def is_shorter(one: str | None, other: str | None) -> bool:
    """Tell whether one duration, where None is for ever, ends before another one somewhere in the calendar."""
    if one is None or other is None:
        return one is not None
    after_short_and_long_month = datetime(2001, 3, 1, tzinfo=UTC), datetime(2001, 8, 1, tzinfo=UTC)
    return any(before(now, one) > before(now, other) for now in after_short_and_long_month)


def before(now: datetime, duration: str) -> datetime:
    """Return the instant that lies a duration before another; the last day of a shorter month stands for later ones."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration")
    number, unit = int(found[1]), found[2]
    if unit in "dw":
        return now - timedelta(days=number * (7 if unit == "w" else 1))
    months = now.year * 12 + now.month - 1 - number * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    if year < 1:
        return datetime.min.replace(tzinfo=UTC)
    for day in range(now.day, 0, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError  # every month has a first day
