"""The one grammar of calendar dates: months, weekdays, and dates as far as they are stated.

A date is a day, a month or a quarter, with or without its year. What is told from today ("next quarter") is
`relative_time`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from interlayer.language.lexicon.reader import entries, figures, pattern, words
from interlayer.language.sieve import sieve
from interlayer.language.writing.conventions import UNKNOWN, Ambiguous, Conventions

MONTHS: Final[Mapping[str, int]] = {form: int(month) for form, month in figures("months").items()}
"""Folded name or abbreviation of a month -> its number, 1 to 12."""

WEEKDAYS: Final[Mapping[str, int]] = {
    entry.forms[0].casefold(): number for number, entry in enumerate(entries("weekdays"))
}
"""Folded name of a day of the week -> its number, Monday 0."""

RELATIVE_DAYS: Final[Mapping[str, int]] = {form: int(days) for form, days in figures("relative_days").items()}
"""Word or phrase -> the day that it means, in days after today."""

UNITS: Final[Mapping[str, str]] = {form: entry.forms[0] for entry in entries("calendar_units") for form in entry.forms}
"""Unit of the calendar in the singular or plural -> its singular."""

SHIFTS: Final[Mapping[str, int]] = {form: int(units) for form, units in figures("calendar_shifts").items()}
"""Word that names a unit of the calendar by where it lies -> units after the present one."""

QUARTERS: Final[Mapping[str, int]] = {word: int(at) for word, at in figures("ordinals").items() if at <= 4}

MONTH: Final = rf"(?:{pattern(MONTHS)})\b\.?"
"""The pattern of a month's name, for `re` and RE2, to be matched in any case."""

_NUMBERED: Final = r"\d{1,2}(?:st|nd|rd|th|er|º)?"
_OF: Final = r"(?:(?:of|de|del)\s+)?"
_NUMERIC: Final = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d{2})|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})"
    r"|\d{1,2}-\d{1,2}-\d{4}|\d{4}年\d{1,2}月\d{1,2}日"
)
WRITTEN: Final = (
    rf"(?:{_NUMERIC}|{MONTH}\s+{_NUMBERED},?\s+\d{{4}}|{_NUMBERED}\.?\s+{_OF}{MONTH},?\s+{_OF}\d{{4}}"
    rf"|\d{{1,2}}-{MONTH}-\d{{4}})"
)
"""The pattern of a date with day, month and year, for `re` and RE2, to be matched in any case; `parsed` reads it."""

UPCOMING: Final = rf"(?:{WRITTEN}|{MONTH}\s+{_NUMBERED}\b|{_NUMBERED}\.?\s+{_OF}{MONTH})"
"""The pattern of a date with day and month, with its year or without, for `re` and RE2, to be matched in any case."""

# Languages that write a month with a capital, and those that do not and so tell it from a name: "mars", but "Mars".
_NAMES: Final = [entry.forms[0] for entry in entries("months")]
_CAPITAL: Final = pattern(name for name in _NAMES if name[0].isupper())
_SMALL: Final = pattern(name for name in _NAMES if name[0].islower() and name not in _CAPITAL.casefold().split("|"))

_DATE: Final = re.compile(
    r"(?<![\w])(?:"
    r"(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})"
    r"|(?P<y2>\d{4})-(?P<m2>0[1-9]|1[0-2])(?!\d)"
    r"|(?P<a3>\d{1,2})[/.](?P<b3>\d{1,2})[/.](?P<y3>\d{4}|\d{2})"
    rf"|(?i:(?P<m4>{MONTH}))\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y4>\d{{4}}))?(?![\d,.]?\d)"
    rf"|(?P<d5>\d{{1,2}})(?:st|nd|rd|th|\.(?=\s(?i:{MONTH})\s\d{{4}}))?\s(?:of\s)?(?i:(?P<m5>{MONTH}))"
    r"(?:,?\s(?P<y5>\d{4}))?"
    rf"|(?P<d10>\d{{1,2}})-(?i:(?P<m10>{MONTH}))-(?P<y10>\d{{4}})"
    rf"|(?i:(?P<m6>{MONTH})),?\s(?:of\s)?(?P<y6>\d{{4}})"
    r"|(?i:q(?P<q7>[1-4]))(?:\s(?:of\s)?|[-/ ])?(?P<y7>\d{4})?"
    r"|(?P<y8>\d{4})[-/ ]?(?i:q(?P<q8>[1-4]))"
    rf"|(?i:(?P<q9>{pattern(QUARTERS)})\squarter)(?:\sof)?(?:\s(?P<y9>\d{{4}}))?"
    rf"|(?<!^)(?P<m0>{_CAPITAL})"
    r")(?!\w)"
)
_PERIOD: Final = re.compile(
    rf"\b(?:(?P<month>(?i:{pattern(form for form in MONTHS if form not in _SMALL.split('|'))})|{_SMALL})"
    rf"|(?i:(?P<weekday>{pattern(WEEKDAYS)})"
    rf"|(?P<part>[qh][1-4])|(?P<quarter>{pattern(QUARTERS)})\s+quarter"
    rf"|(?P<day>{pattern(RELATIVE_DAYS)})"
    rf"|(?P<shift>{pattern(SHIFTS)})\s+(?P<unit>{pattern({*UNITS.values(), 'weekend'})})))\b"
)
_MAY_BE_PERIOD: Final = sieve(_PERIOD.pattern)
_YEAR_FIRST: Final = re.compile(
    r"(?P<y>\d{4})(?:-(?=\d+-)|/(?=\d+/)|\.(?=\d+\.)|年(?=\d+月)|(?=\d{4}$))(?P<m>\d{2}(?=\d{2}$)|\d{1,2}(?=[-/.月]))[-/.月]?(?P<d>\d{1,2})日?"
)
_YEAR_LAST: Final = re.compile(r"(?P<a>\d{1,2})(?P<mark>[-/.])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<y>\d{4}|\d{2})")
_TIME_BEHIND: Final = re.compile(r"(?<=\d{4}-\d{2}-\d{2})[T ]\d{2}:\S+$")
_CENTURY: Final = 2000
_BESIDE: Final = words("words_in_dates")
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+")
_ORDINAL_END: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|º)\b")


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date with the parts that are stated; `start` and `end` are its place."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    quarter: int | None = None

    def says(self, other: "StatedDate", near_year: int) -> bool:
        """Whether this date states all that the other one does; a year left out is one beside `near_year`."""
        if other.month is not None and other.month != self.month:
            return False
        if other.day is not None and other.day != self.day:
            return False
        own_quarter = self.quarter or (self.month and (self.month + 2) // 3)
        if other.quarter is not None and other.quarter != own_quarter:
            return False
        if other.year is None or other.year == self.year:
            return True
        return self.year is None and abs(other.year - near_year) <= 1


def find_dates(text: str) -> list[StatedDate]:
    """Return the dates of a text in order. One that can be read two ways (03/04/2026) is there in both."""
    return [one for match in _DATE.finditer(text) for one in _readings(match)]


def parsed(text: str, conventions: Conventions = UNKNOWN) -> date | None:
    """Read a text that is one whole date: in figures, or with the month in words. None if it is not.

    In figures the year stands first, or the day does where points part them; between slashes and hyphens the
    conventions of the text decide. A day and month without a year are the next ones from the day of the text. Raises
    `Ambiguous` for what can be two days, 03/04/2026.
    """
    plain = " ".join(text.split())
    try:
        found = _YEAR_FIRST.fullmatch(_TIME_BEHIND.sub("", plain))
        if found:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        found = _YEAR_LAST.fullmatch(plain)
        if found:
            return _day_and_month(plain, found, conventions)
        return _in_words(plain, conventions.written_on)
    except ValueError as error:
        if isinstance(error, Ambiguous):
            raise
        return None  # the 31st of June


def _day_and_month(text: str, found: "re.Match[str]", conventions: Conventions) -> date:
    first, second = int(found["a"]), int(found["b"])
    if len(found["y"]) == 2 and found["mark"] != "." and second <= 12 and 1 <= int(found["y"]) <= 31:
        ways = f"{_CENTURY + int(found['y'])}-{second:02d}-{first:02d} or {_CENTURY + first}-{second:02d}-{found['y']}"
        raise Ambiguous(f"{text!r} may be {ways}; write one of these")
    year = int(found["y"]) + (_CENTURY if len(found["y"]) == 2 else 0)
    if found["mark"] == "." or second > 12 or first > 12 or first == second or conventions.day_first is not None:
        day_first = found["mark"] == "." or first > 12 or (second <= 12 and bool(conventions.day_first))
        return date(year, second, first) if day_first else date(year, first, second)
    ways = f"{year:04d}-{second:02d}-{first:02d} or {year:04d}-{first:02d}-{second:02d}"
    raise Ambiguous(f"{text!r} may be {ways}; write one of these")


def _in_words(text: str, written_on: date | None) -> date | None:
    said = [part.casefold() for part in _TOKEN.findall(_ORDINAL_END.sub("", text))]
    months = [part for part in said if part.isalpha() and part not in WEEKDAYS and part not in _BESIDE]
    figures = sorted((part for part in said if not part.isalpha()), key=int)
    if len(months) != 1 or not figures:
        return None
    month, day = MONTHS.get(months[0], 0), int(figures[0])
    if len(figures) == 2 and len(figures[1]) == 4:
        return date(int(figures[1]), month, day)
    if len(figures) == 1 and written_on and day <= 31:
        near = date(written_on.year, month, day)
        return near if near >= written_on else date(written_on.year + 1, month, day)
    return None


def periods(text: str) -> Counter[str]:
    """Count the months, days of the week, quarters and relative times that a text names, alike by what they mean."""
    return Counter(map(_period, _PERIOD.finditer(text) if _MAY_BE_PERIOD(text) else ()))


def _period(match: "re.Match[str]") -> str:
    kind = str(match.lastgroup)
    said = " ".join(match[kind].casefold().split())
    if kind == "month":
        return f"month {MONTHS[said]}"
    if kind == "quarter":
        return f"q{QUARTERS[said]}"
    if kind == "day":
        return f"day {RELATIVE_DAYS[said]:+d}"
    if kind == "unit":
        return f"{said} {SHIFTS[match['shift'].casefold()]:+d}"
    return said


def _readings(match: "re.Match[str]") -> Iterator[StatedDate]:
    parts = {name: value for name, value in match.groupdict().items() if value}
    if "a3" in parts:
        year = int(parts["y3"]) + (2000 if len(parts["y3"]) == 2 else 0)
        for day, month in dict.fromkeys([(parts["a3"], parts["b3"]), (parts["b3"], parts["a3"])]):
            if int(month) <= 12:
                yield StatedDate(*match.span(), year, int(month), int(day))
        return
    by_part = {name[0]: value for name, value in parts.items()}
    yield StatedDate(
        *match.span(),
        year=int(by_part["y"]) if "y" in by_part else None,
        month=_number(by_part["m"].removesuffix("."), MONTHS) if "m" in by_part else None,
        day=int(by_part["d"]) if "d" in by_part else None,
        quarter=_number(by_part["q"], QUARTERS) if "q" in by_part else None,
    )


def _number(said: str, names: Mapping[str, int]) -> int:
    return int(said) if said.isdigit() else names[said.casefold()]
