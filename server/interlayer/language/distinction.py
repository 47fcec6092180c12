"""When two statements that look alike are not the same: the distinguishing guard.

Vectors put "$450K" beside "$540K" (cosine 0.98) and "prefers" beside "does not prefer" (0.96). So a near duplicate
is merged only if nothing that distinguishes the two differs: numbers, dates, names, negation.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from interlayer.language.dates import periods
from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.quantities.numbers import Number, numbers, within
from interlayer.language.sieve import sieve

REMEMBERED: Final = 8_192
"""Texts of which it is kept what they say: an entity's statements are compared with one another again and again."""

_DENYING: Final = words("negations")
# Japanese and Chinese set no word apart, so that theirs count wherever they stand.
_WITHIN_WORDS: Final = {form for form in _DENYING if form[0] >= "\u3040"}
_NEGATION: Final = re.compile(
    rf"\b(?:{pattern(_DENYING - _WITHIN_WORDS)})\b|n['’]t\b|\bnon\b(?!-)"
    r"|\b(?:ne\s+|n['’])(?P<verb>[^\W\d_]+(?:\s+[^\W\d_]+)?)\s+(?:pas|jamais|rien|plus|aucune?)\b"
    rf"|{pattern(_WITHIN_WORDS)}",
    re.IGNORECASE,
)
_MAY_DENY: Final = sieve(f"(?i){_NEGATION.pattern}")
_NO_NEGATION: Final = re.compile(rf"(?i)\b(?:{pattern(words('phrases_without_negation'))})\b")
_WORD: Final = re.compile(r"[^\W_]+(?:[.&'’/-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class _Said:
    """What tells a statement from another one that looks alike."""

    numbers: Sequence[Number]
    periods: Counter[str]
    denied: bool
    names: frozenset[str]
    words: frozenset[str]

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str) -> "_Said":
        plain = unicodedata.normalize("NFKC", text)
        folded = frozenset(word.casefold() for word in _WORD.findall(plain))
        return cls(numbers(plain), periods(plain), negated(plain), names(plain), folded)


def find_distinction(new: str, known: str) -> str | None:
    """Name what a new statement says and a known one does not (`numbers`, `dates`, `names`, `negation`), or None.

    Not symmetric: leaving out a number that the known statement has is no news, adding one is.
    """
    one, other = _Said.of(new), _Said.of(known)
    if not within(one.numbers, other.numbers):
        return "numbers"
    if one.periods and one.periods - other.periods:
        return "dates"
    if one.denied != other.denied:
        return "negation"
    # Each names somebody or something that the other does not know at all.
    return "names" if one.names - other.words and other.names - one.words else None


def negated(text: str) -> bool:
    """Return whether a text denies something, in a common language; two negations take each other back."""
    return _MAY_DENY(text) and len(_NEGATION.findall(_NO_NEGATION.sub(" ", text))) % 2 == 1


def without_negation(text: str) -> str:
    """Return a text with blanks for the words that deny."""
    return _NEGATION.sub(lambda match: f" {match['verb'] or ''} ", text)


def after_negation(text: str) -> str:
    """Cut a text down to what follows the last word that denies; the whole text if there is none."""
    last = 0
    for match in _NEGATION.finditer(text):
        last = match.end() if match["verb"] is None else match.start("verb")
    return text[last:]


@lru_cache(maxsize=REMEMBERED)
def names(text: str) -> frozenset[str]:
    """Return capitalised words that do not open the text, and words with a capital inside, folded."""
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group()
        if word[0].isdigit():  # "72K" is a number
            continue
        inside = word[1:] != word[1:].lower()
        if inside or (match.start() > 0 and word[0].isupper()):
            found.add(word.casefold())
    return frozenset(found)
