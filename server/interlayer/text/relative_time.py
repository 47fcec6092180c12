"""Relative times made absolute: "next quarter" means nothing a year later, "next quarter (2026-Q3)" does.

Calendar quarters and ISO weeks are meant, and "Friday" alone is the next one. What cannot be resolved ("soon",
"recently") is left as it is.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY: Final = "|".join(_DAYS)
_UNIT: Final = r"days?|weeks?|months?|quarters?|years?"
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_COUNT: Final = rf"\d{{1,3}}|{'|'.join(_NUMBERS)}"
_RELATIVE: Final = re.compile(
    rf"(?i)\b(?:(?P<day>yesterday|today|tomorrow|tonight)"
    rf"|(?P<which>last|this|next)\s+(?P<period>week|month|quarter|year|{_DAY})"
    rf"|in\s+(?P<ahead>{_COUNT})\s+(?P<ahead_unit>{_UNIT})"
    rf"|(?P<back>{_COUNT})\s+(?P<back_unit>{_UNIT})\s+ago"
    rf"|(?:by|on|until|before)\s+(?P<coming>{_DAY})"
    rf"|(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?(?P<end>week|month|quarter|year)"
    r"|(?P<short>EO[WMQY]))\b(?!\s*\(\d{4}|['’]s\b|\s+(?:of|in)\s+\d{4})"
)
_SHORT: Final = {"eow": "week", "eom": "month", "eoq": "quarter", "eoy": "year"}


def anchor(text: str, instant: datetime) -> str:
    """Return the text with each relative time followed by the date or period that it means, seen from `instant`."""
    today = instant.date()

    def absolute(match: re.Match[str]) -> str:
        found = _resolved(match, today)
        return f"{match[0]} ({found})" if found else match[0]

    return _RELATIVE.sub(absolute, text)


def _resolved(match: re.Match[str], today: date) -> str | None:
    if match["day"]:
        shift = {"yesterday": -1, "tomorrow": 1}.get(match["day"].casefold(), 0)
        return (today + timedelta(days=shift)).isoformat()
    if match["coming"]:
        return _weekday(match["coming"], today, 1).isoformat()
    if match["end"] or match["short"]:
        return _end(match["end"] or _SHORT[match["short"].casefold()], today).isoformat()
    if match["which"]:
        step = {"last": -1, "this": 0, "next": 1}[match["which"].casefold()]
        period = match["period"].casefold()
        return _weekday(period, today, step).isoformat() if period in _DAYS else _period(period, today, step)
    count, unit = (match["ahead"], match["ahead_unit"]) if match["ahead"] else (match["back"], match["back_unit"])
    number = _NUMBERS.get(count.casefold()) or int(count)
    return _shifted(unit.casefold().removesuffix("s"), today, number if match["ahead"] else -number)


def _weekday(name: str, today: date, step: int) -> date:
    """Return the coming one, that of this week, or the last one."""
    wanted = _DAYS.index(name.casefold())
    if step == 0:
        return today + timedelta(days=wanted - today.weekday())
    away = (wanted - today.weekday()) % 7 or 7
    return today + timedelta(days=away if step > 0 else away - 7 if away < 7 else -7)


def _period(period: str, today: date, step: int) -> str | None:
    names: dict[str, Callable[[], str]] = {
        "week": lambda: _week(today, step),
        "month": lambda: _month(today, step),
        "quarter": lambda: _quarter(today, step),
        "year": lambda: f"{today.year + step:04d}",
    }
    return _safely(names[period])


def _shifted(unit: str, today: date, count: int) -> str | None:
    names: dict[str, Callable[[], str]] = {
        "day": lambda: str(today + timedelta(days=count)),
        "week": lambda: _week(today, count),
        "month": lambda: _month(today, count),
        "quarter": lambda: _quarter(today, count),
        "year": lambda: f"{today.year + count:04d}",
    }
    return _safely(names[unit])


def _safely(name: Callable[[], str]) -> str | None:
    try:
        return name()
    except (OverflowError, ValueError):  # beyond the calendar
        return None


def _week(today: date, step: int) -> str:
    year, week, _ = (today + timedelta(weeks=step)).isocalendar()
    return f"{year:04d}-W{week:02d}"


def _month(today: date, step: int) -> str:
    months = today.year * 12 + today.month - 1 + step
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def _quarter(today: date, step: int) -> str:
    quarters = today.year * 4 + (today.month - 1) // 3 + step
    return f"{quarters // 4:04d}-Q{quarters % 4 + 1}"


def _end(period: str, today: date) -> date:
    if period == "week":
        return today + timedelta(days=6 - today.weekday())
    last_month = {"month": today.month, "quarter": (today.month + 2) // 3 * 3, "year": 12}[period]
    first_after = date(today.year + last_month // 12, last_month % 12 + 1, 1) if today.year < 9999 else date.max
    return first_after - timedelta(days=1)
