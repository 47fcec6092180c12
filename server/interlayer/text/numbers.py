"""The numbers that a text states, in digits or in English words, with scales and ranges.

"$450K", "450,000" and "four hundred fifty thousand" are one number; "280-310" is a range.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_STATEMENT_MAX: Final = 1_000  # characters; longer texts are whole contents, which are read once

_SMALL: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TWENTY_ON: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS: Final = {word: value for value, word in enumerate(_SMALL.split())}
_TENS: Final = {word: 10 * value for value, word in enumerate(_TWENTY_ON.split(), start=2)}
_SCALES: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "k": 1e3, "m": 1e6, "mm": 1e6, "bn": 1e9, "b": 1e9}
_WORD: Final = "|".join([*_UNITS, *_TENS, "hundred", "thousand", "million", "billion"])
_DIGITS: Final = r"\d[\d,]*(?:\.\d+)?"
_SCALE: Final = r"\s?(?:k|mm?|bn|b|thousand|million|billion)(?![a-z0-9])"
_NUMBER: Final = re.compile(
    rf"(?<!from )(?<!from [$€£])(?P<low>{_DIGITS})(?P<low_scale>{_SCALE})?"
    rf"\s?(?:%\s?)?(?:-|–|—|\bto\b|\band\b)\s?[$€£]?(?P<high>{_DIGITS})(?P<high_scale>{_SCALE})?"
    rf"|(?P<one>{_DIGITS})(?P<scale>{_SCALE})?"
    rf"|(?<![a-z])(?P<words>(?:{_WORD})(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and )(?:{_WORD}))*)(?![a-z])"
)


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


def _read(text: str) -> Sequence[Number]:
    return tuple(_found(unicodedata.normalize("NFKC", text).casefold()))


_remembered = lru_cache(maxsize=8_192)(_read)  # an entity's statements are compared with one another again and again


def within(new: Sequence[Number], known: Sequence[Number]) -> bool:
    """Return whether the known numbers hold the new ones in the same order: "40 to 85" is not "85 to 40"."""
    rest = iter(known)
    return all(any(number.says(other) for other in rest) for number in new)


def _found(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        if match["words"]:
            value = _of_words(re.split(r"[ -]", match["words"]))
            if match["words"] != "one":
                yield Number(value, value)
        elif match["low"]:
            yield from _range(match)
        else:
            value = _scaled(match["one"], match["scale"])
            yield Number(value, value)


def _range(match: re.Match[str]) -> Iterator[Number]:
    high = _scaled(match["high"], match["high_scale"])
    low = _scaled(match["low"], match["low_scale"] or match["high_scale"])
    if low < high and "and" not in match[0]:
        yield Number(low, high)
    else:  # "2026-03-31" or "9 and 3": two numbers beside each other
        yield Number(_scaled(match["low"], match["low_scale"]), _scaled(match["low"], match["low_scale"]))
        yield Number(high, high)


def _scaled(digits: str, scale: str | None) -> float:
    return round(float(digits.replace(",", "")) * _SCALES.get((scale or "").strip(), 1), 6)


def _of_words(words: Sequence[str]) -> float:
    total, group = 0.0, 0.0
    for word in words:
        if word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            total += (group or 1) * _SCALES[word]
            group = 0
        else:
            group += _UNITS.get(word, _TENS.get(word, 0))
    return total + group


def is_number_word(word: str) -> bool:
    """Return whether a folded word is part of a number written out."""
    return word in _UNITS or word in _TENS or word in _SCALES or word == "hundred"
