"""The calendar dates that a text states, as far as it states them: a day, a month, a quarter, with or without year."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDINALS: Final = ("first", "second", "third", "fourth")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_FULL_MONTH: Final = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE: Final = re.compile(
    r"(?<![\w])(?:"
    r"(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})"
    r"|(?P<y2>\d{4})-(?P<m2>0[1-9]|1[0-2])(?!\d)"
    r"|(?P<a3>\d{1,2})[/.](?P<b3>\d{1,2})[/.](?P<y3>\d{4}|\d{2})"
    rf"|(?i:(?P<m4>{_MONTH}))\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y4>\d{{4}}))?(?![\d,.]?\d)"
    rf"|(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?i:(?P<m5>{_MONTH}))(?:,?\s(?P<y5>\d{{4}}))?"
    rf"|(?i:(?P<m6>{_MONTH})),?\s(?:of\s)?(?P<y6>\d{{4}})"
    r"|(?i:q(?P<q7>[1-4]))(?:\s(?:of\s)?|[-/ ])?(?P<y7>\d{4})?"
    r"|(?P<y8>\d{4})[-/ ]?(?i:q(?P<q8>[1-4]))"
    r"|(?i:(?P<q9>first|second|third|fourth)\squarter)(?:\sof)?(?:\s(?P<y9>\d{4}))?"
    rf"|(?<!^)(?P<m0>{_FULL_MONTH})"
    r")(?!\w)"
)


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


def stated_dates(text: str) -> list[StatedDate]:
    """Return the dates of a text in order. One that can be read two ways (03/04/2026) is there in both."""
    return [one for match in _DATE.finditer(text) for one in _readings(match)]


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
        month=_month(by_part["m"]) if "m" in by_part else None,
        day=int(by_part["d"]) if "d" in by_part else None,
        quarter=_quarter(by_part["q"]) if "q" in by_part else None,
    )


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text.lower()[:3]) + 1


def _quarter(text: str) -> int:
    return int(text) if text.isdigit() else _ORDINALS.index(text.lower()) + 1
