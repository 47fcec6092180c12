"""The numbers that a text states, to be compared with those of another one.

"$450K", "450,000" and "four hundred fifty thousand" are one number; "280-310" is a range.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from interlayer.language.quantities.numerals import Numeral, numerals
from interlayer.language.quantities.ranges import is_change, linked, scale_alike

_STATEMENT_MAX: Final = 1_000  # characters; longer texts are whole contents, which are read once
_CHAINED_BEFORE: Final = re.compile(r"\d[-–:]$")
_CHAINED_AFTER: Final = re.compile(r"[-–:]\d")


@dataclass(frozen=True, slots=True)
class Number:
    """A stated number; `low` and `high` are the same unless it is a range."""

    low: float
    high: float

    def says(self, other: "Number") -> bool:
        """Whether it is the other number, or a range that holds it."""
        return self.low <= other.low and other.high <= self.high


def numbers(text: str) -> Sequence[Number]:
    """Return the numbers of a text in order. A bare "one" is a pronoun as often as a number and is left out."""
    return _remembered(text) if len(text) <= _STATEMENT_MAX else _read(text)


def within(new: Sequence[Number], known: Sequence[Number]) -> bool:
    """Return whether the known numbers hold the new ones in the same order: "40 to 85" is not "85 to 40"."""
    rest = iter(known)
    return all(any(number.says(other) for other in rest) for number in new)


def _read(text: str) -> Sequence[Number]:
    return tuple(_state(unicodedata.normalize("NFKC", text).casefold()))


_remembered = lru_cache(maxsize=8_192)(_read)  # an entity's statements are compared with one another again and again


def _state(text: str) -> Iterator[Number]:
    found = [one for one in numerals(text, letters_apart=True) if text[one.start : one.end] != "one"]
    at = 0
    while at < len(found):
        low = found[at]
        high = found[at + 1] if at + 1 < len(found) else None
        if high and _is_range(text, found, at):
            low = scale_alike(low, high)
            if is_change(text, low):
                yield from (Number(low.value, low.value), Number(high.value, high.value))
            else:
                yield Number(low.value, high.value)
            at += 2
        else:
            yield Number(low.value, low.value)
            at += 1


def _is_range(text: str, found: Sequence[Numeral], at: int) -> bool:
    """Whether two numerals are a range, and not part of a date, a time or another chain: 2026-03-31, 9:00-17:00."""
    low, high = found[at], found[at + 1]
    if low.bound or linked(text, low, high) != "range":
        return False
    return not (_CHAINED_BEFORE.search(text, max(low.start - 2, 0), low.start) or _CHAINED_AFTER.match(text, high.end))
