"""Units of time, in any language of the word lists, and what a length of time is in another unit.

A month has 28 to 31 days: it is read in favour of the text, so that "one month" is within 30 days.
"""

from typing import Final

from interlayer.language.lexicon.reader import meanings, with_plain_forms

_NAMES: Final = with_plain_forms(meanings("durations"))
# The least and the most days that each unit has.
_DAYS: Final = {
    "hour": (1 / 24, 1 / 24),
    "day": (1, 1),
    "week": (7, 7),
    "fortnight": (14, 14),
    "month": (28, 31),
    "quarter": (90, 92),
    "year": (365, 366),
}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}

DURATIONS: Final = frozenset(_NAMES)
"""Folded names of the units of time."""


def duration_of(written: str) -> str | None:
    """Return which unit of time a folded word names: hour, day, week, ...; None if it names none."""
    return _NAMES.get(written) or _NAMES.get(written.removesuffix("s"))


def converted(value: float, unit: str, to: str) -> tuple[float, float]:
    """Return the least and the most that a length of time, in units that `duration_of` names, is in another unit."""
    if unit == to:
        return value, value
    if unit in _MONTHS and to in _MONTHS:
        exact = value * _MONTHS[unit] / _MONTHS[to]
        return exact, exact
    (least, most), (short, long) = _DAYS[unit], _DAYS[to]
    return value * least / long, value * most / short
