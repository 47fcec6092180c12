"""How a text writes its numbers and dates: which mark parts decimals, and whether the day stands before the month.

The numbers of the text that can be read in one way only decide, then its language. What neither tells is left open, and
a value that hangs on it is ambiguous: it is turned down and never half read.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from interlayer.language.lexicon.reader import words_by_language

Mark = Literal[".", ","]


class Ambiguous(ValueError):
    """A value can be read in several ways; the message names them and says how to write it."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a text tells of its way to write; None where it does not.

    `written_on` is the day of the text, from which a date without a year is counted on.
    """

    decimal: Mark | None = None
    day_first: bool | None = None
    written_on: date | None = None


UNKNOWN: Final = Conventions()
"""The conventions of a value that stands alone."""

_GROUPING: Final = re.compile(r"[ '\u2019\u00a0\u202f]")
# Both begin with a digit, so that a search skips what is none.
_NUMBER: Final = re.compile(
    r"\d(?<![\w.,/:-]\d)(?:\d{0,2}(?:[ '\u2019\u00a0\u202f]\d{3})+|\d*)(?:[.,]\d+)*(?![\w/:-]|[.,]\d)"
)
_SLASHED: Final = re.compile(r"(\d(?<![\d/.-]\d)\d?)/(\d{1,2})/(?:\d{4}|\d{2})(?![\d/])")
_WORD: Final = re.compile(r"[^\W\d_]+")
_COMMONEST: Final = words_by_language("language_markers")
_LANGUAGE_CHARACTERS: Final = 4_000
_LANGUAGE_WORDS: Final = 2
_TEXTS: Final = 256

# Languages in which a comma parts decimals and the day stands first.
_COMMA: Final = frozenset({"de", "es", "fr", "it", "nl", "no", "pt", "ru", "sv"})


@lru_cache(maxsize=_TEXTS)
def conventions_of(text: str) -> Conventions:
    """Tell the conventions of a text by its own numbers, then by its language."""
    spoken = language_of(text)
    return Conventions(_decimal(text, _decimal_in(spoken)) or _decimal_in(spoken), _day_first(text, spoken))


def language_of(text: str) -> str | None:
    """Return the code of the language that most of a text's commonest words are of; None if they do not tell."""
    said = Counter(_WORD.findall(text[:_LANGUAGE_CHARACTERS].casefold()))
    counts = {code: sum(said[word] for word in known) for code, known in _COMMONEST.items()}
    (best, most), (_, second) = Counter(counts).most_common(2)
    return best if most >= _LANGUAGE_WORDS and most > second else None


def _decimal(text: str, usual: Mark | None) -> Mark | None:
    """Return the mark before decimals in the numbers that can be read in one way only, if they agree.

    A point where the language has a comma is more often part of a date or a time, 31.12 or 14.30.
    """
    marks: set[Mark] = set()
    for match in _NUMBER.finditer(text):
        told = _mark_of(match[0])
        if told and (told[1] or told[0] == "," or usual != ","):
            marks.add(told[0])
    return marks.pop() if len(marks) == 1 else None


def _mark_of(number: str) -> tuple[Mark, bool] | None:
    """Return the mark before the decimals of a number and whether it can be nothing else; None if it has none."""
    points, commas = number.count("."), number.count(",")
    grouped = _GROUPING.search(number) is not None
    if points and commas:
        return ("." if number.rfind(".") > number.rfind(",") else ","), True
    if points + commas > 1:  # repeated, so it parts thousands; but 1.2.3 is a version
        thousands = all(len(part) == 3 for part in re.split(r"[.,]", number)[1:])
        return (("," if points else "."), True) if thousands else None
    if points + commas == 1 and (grouped or len(re.split(r"[.,]", number)[1]) != 3):
        return ("." if points else ","), grouped
    return None


def _decimal_in(language: str | None) -> Mark | None:
    return None if language is None else "," if language in _COMMA else "."


def _day_first(text: str, language: str | None) -> bool | None:
    """Tell by a date of which one part can be no month; then by the language. English is written in both orders."""
    told = {first > 12 for first, second in _slashed(text) if (first > 12) != (second > 12)}
    if len(told) == 1:
        return told.pop()
    return True if language in _COMMA and not told else None


def _slashed(text: str) -> list[tuple[int, int]]:
    return [(int(first), int(second)) for first, second in _SLASHED.findall(text)]
