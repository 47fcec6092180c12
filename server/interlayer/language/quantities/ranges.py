"""Ranges of numbers: 280-310, $10-30k, between ten and thirty; and what only looks like one: 2026-03-31, 9:00-17:00."""

import re
from dataclasses import replace
from typing import Final, Literal

from interlayer.language.lexicon.reader import pattern
from interlayer.language.quantities.numerals import Numeral
from interlayer.language.quantities.units import PERCENT, SIGNS

Link = Literal["range", "alternative"]

# What may stand behind the first number and before the second one, beside the word or dash that joins them.
_UNIT_OF_FIRST: Final = rf"(?:\s?(?:{pattern(PERCENT | SIGNS)})(?![^\W_]))?"
_SIGN_OF_SECOND: Final = r"(?:[^\w\s]|[a-z]{3}\s?)?"
_JOINED: Final = re.compile(
    _UNIT_OF_FIRST
    + r"(?:\s?(?P<dash>[-–—])\s?|\s+(?P<to>to|through|till|until|up to)\s+|\s+(?P<and>and)\s+|\s+(?P<or>or)\s+)"
    + _SIGN_OF_SECOND
)
_BETWEEN: Final = re.compile(r"\bbetween\s+(?:[^\w\s]|[a-z]{3}\s?)?$")
_FROM: Final = re.compile(r"\bfrom\s+(?:[^\w\s]|[a-z]{3}\s?)?$")
_CHARACTERS: Final = 24


def linked(text: str, low: Numeral, high: Numeral) -> Link | None:
    """Return how two numerals that follow one another belong together: as the ends of a range, or as alternatives."""
    gap = text[low.end : high.start]
    joined = _JOINED.fullmatch(gap) if len(gap) <= _CHARACTERS else None
    if joined is None or low.value >= high.value:
        return None
    if joined["or"]:
        return "alternative"
    return None if joined["and"] and not _BETWEEN.search(text[max(0, low.start - _CHARACTERS) : low.start]) else "range"


def is_change(text: str, low: Numeral) -> bool:
    """Whether a range is one that something moves through: from 10 to 20."""
    return _FROM.search(text[max(0, low.start - _CHARACTERS) : low.start]) is not None


def scale_alike(low: Numeral, high: Numeral) -> Numeral:
    """Return the low end with the magnitude of the high one, as people leave it out: 10-30k."""
    value = low.value * high.magnitude
    return replace(low, value=value) if low.magnitude == 1 and value < high.value else low
