"""The one grammar of points in time as values: a date with a time of day and a zone, or the date alone.

A time without a zone is one in UTC; a zone that cannot be told is ambiguous and nothing of the value is read.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from interlayer.language.dates import UPCOMING, WRITTEN, parsed
from interlayer.language.lexicon.reader import figures, meanings, pattern, words
from interlayer.language.writing.conventions import UNKNOWN, Ambiguous, Conventions

_ZONES: Final = {name.upper(): int(minutes) for name, minutes in figures("time_zones").items()}
_SHARED: Final = {name.upper(): places for name, places in meanings("time_zones_of_several").items()}
_BESIDE: Final = pattern(words("time_marks"))
_HOURS: Final = rf"\s?(?i:{_BESIDE})"
_CLOCK: Final = (
    r"\d{1,2}(?::\d{2}){1,2}(?:[.,]\d+)?|\d{1,2}\s?[hH]\s?\d{2}"
    rf"|\d{{1,2}}[.]\d{{2}}(?={_HOURS})|\d{{1,2}}(?=\s?[ap]\.?m|{_HOURS})"
)
_HALF_OF_DAY: Final = r"[ap]\.?m\.?"
_OFFSET: Final = r"(?:UTC|GMT)?\s?[-+−]\d{1,2}(?::?\d{2})?"
_TIME: Final = re.compile(
    rf"(?:[T,]?\s*(?:(?:{_BESIDE})\s+)?)(?P<clock>{_CLOCK})(?:\s?(?P<half>(?i:{_HALF_OF_DAY})))?"
    rf"(?:\s?(?i:{_BESIDE}))?(?:\s?\(?(?P<zone>{_OFFSET}|[A-Z]{{1,5}})\)?)?"
)
_PARTS: Final = re.compile(r"\d+")
_OFFSET_PARTS: Final = re.compile(r"([-+−])(\d{1,2}):?(\d{2})?$")
_DATE: Final = re.compile(rf"(?i){WRITTEN}")
_NOON: Final = 12

TIMED: Final = (
    rf"(?:{UPCOMING})(?:(?:[T,]\s?|\s+(?:(?:{_BESIDE})\s+)?)\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\.\d+)?(?:\s?{_HALF_OF_DAY})?"
    rf"(?:\s?(?:{_BESIDE}))?(?:\s?(?:(?-i:[A-Z]{{2,5}}\b)|Z\b|[+-]\d{{2}}:?\d{{2}}))?)?"
)
"""The pattern of a date, with or without a time of day, for RE2, to be matched in any case; `instant_of` reads it."""


def instant_of(text: str, conventions: Conventions = UNKNOWN) -> datetime | None:
    """Read a text that is one point in time, in UTC; a date alone is its midnight. None if it is none.

    24:00 is the end of its day. Raises `Ambiguous` for a date or a zone that can be two.
    """
    plain = " ".join(text.split())
    day = None if ":" in plain else parsed(plain, conventions)
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    for found in _DATE.finditer(plain):
        if found.start() == 0:
            rest = _TIME.fullmatch(plain, found.end())
        else:
            rest = _TIME.fullmatch(plain[: found.start()].strip().removesuffix(","))
        if rest is None or (found.start() and found.end() != len(plain)):
            continue
        day = parsed(found[0], conventions)
        since = _time_of_day(rest)
        if day is None or since is None:
            return None
        midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(rest["zone"] or "", text))
        return _in_utc(midnight, since)
    return None


def _in_utc(midnight: datetime, since: timedelta) -> datetime | None:
    try:
        return (midnight + since).astimezone(UTC)
    except OverflowError:  # the last day of all years
        return None


def _time_of_day(found: "re.Match[str]") -> timedelta | None:
    """Return the time since midnight, None for one that no clock shows."""
    parts = [int(part) for part in _PARTS.findall(found["clock"])[:3]]
    hours, minutes, seconds = (*parts, 0, 0)[:3]
    if found["half"]:
        if not 1 <= hours <= _NOON:
            return None
        hours = hours % _NOON + (_NOON if found["half"][0].casefold() == "p" else 0)
    is_end = (hours, minutes, seconds) == (24, 0, 0)
    if (hours > 23 and not is_end) or minutes > 59 or seconds > 59:
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _zone(name: str, text: str) -> timezone:
    """Return a zone by its abbreviation or offset. Raises `Ambiguous` for one that is unknown or means several."""
    bare = name.strip().upper()
    offset = _OFFSET_PARTS.search(bare)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    if not bare or bare in _ZONES:
        return timezone(timedelta(minutes=_ZONES.get(bare, 0)))
    may_be = f"may be {_SHARED[bare]}" if bare in _SHARED else "is no time zone known here"
    raise Ambiguous(f"{text.strip()!r} is of a zone {bare} that {may_be}; write the offset, such as +01:00")
