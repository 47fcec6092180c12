"""When a document says that it, or a line of it, was written."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from interlayer.language.dates import find_dates

_ISO: Final = re.compile(
    r"(?<!\d)(\d{4}-\d{2}-\d{2})(?:[T ,]{1,2}(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?\s?(Z|[+-]\d{2}:?\d{2})?)?"
)
_CLOCK: Final = re.compile(r"(?<![\d:])(\d{1,2})[:.h](\d{2})(?::\d{2})?\s?([AaPp])?(?:\.?[Mm]\b)?(?![\d:])")
_OFFSET: Final = re.compile(r"(?<![\w-])(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?\b")
_LINKS: Final = re.compile(r"(?i)\b(?:de|del|of|di|the|den|le)\b")
_BLANKS: Final = re.compile(r"\s+")
_LONGEST: Final = 120


def read_time(text: str) -> datetime | None:
    """Read a date, with its time of day if there is one, from a text that is little else; None where it is not sure.

    Without an offset it is taken as UTC, so that the day is the one that is written.
    """
    text = text[:_LONGEST]
    iso = _ISO.search(text)
    if iso:
        return _instant(_day(iso[1]), iso[2] or "", iso[3] or "")
    plain = _BLANKS.sub(" ", _LINKS.sub(" ", text)).strip()
    found = [one for one in find_dates(plain) if one.year and one.month and one.day]
    days = {_date_of(one.year or 0, one.month or 0, one.day or 0) for one in found[:2] if one.start == found[0].start}
    if len(days) == 2 and "." in plain[found[0].start : found[0].end]:  # with dots the day comes first
        days = {_date_of(found[0].year or 0, found[0].month or 0, found[0].day or 0)}
    if len(days) != 1:
        return None
    rest = plain[found[0].end :]
    offset = _OFFSET.search(rest)
    return _instant(days.pop(), rest, f"{offset[1]}{offset[2]:0>2}{offset[3] or '00'}" if offset else "")


def read_clock(text: str) -> time | None:
    """Read a time of day."""
    found = _CLOCK.search(text)
    if not found:
        return None
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").casefold()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _instant(day: date | None, clock: str, offset: str) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, read_clock(clock) or time(), _zone(offset))


def _zone(offset: str) -> timezone:
    digits = offset[1:].replace(":", "")
    if len(digits) != 4 or int(digits[:2]) > 14 or int(digits[2:]) > 59:
        return UTC
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-ahead if offset[0] == "-" else ahead)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _date_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
