"""When a short statement says nothing that is not known already, though in words of its own.

"Deal value ~$450K" adds nothing to "Budget for this initiative is allocated at $450K", and no cosine tells: such a
statement is recognised by what it pins down. It restates what is known if every number, date and name in it is known,
and every other word of it as well, by stem or by likeness, but for words that only say what kind of value it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from interlayer.language.dates import periods
from interlayer.language.distinction import REMEMBERED, find_distinction, names
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.quantities.numerals import is_number_word
from interlayer.language.terms import content_words, stem, words
from interlayer.models.words import word_vectors

MEANING_MIN: Final = 0.3  # cosine under which two statements are not on one matter
TOGETHER_MIN: Final = 0.6  # the same, where two known statements say it only together
_BETWEEN_CLAIMS: Final = re.compile(r"[,;]\s|\band\b")
_WORDS_MAX: Final = 8  # a longer statement says more than a value
_ALIKE: Final = 0.6

# Kinds of values; the subject that goes without saying, and "more or less".
_KINDS: Final[Sequence[frozenset[str]]] = tuple(
    frozenset(map(stem, entry.forms)) for entry in lexicon.entries("value_kinds")
)
_UNSAID: Final = frozenset(map(stem, lexicon.words("unsaid_words", "hedges")))


@dataclass(frozen=True, slots=True)
class Pinned:
    """A short statement that pins something down: a number, a date or a name. `said` are its other content words."""

    text: str
    said: Sequence[str]
    names: frozenset[str]
    valued: bool

    @classmethod
    def of(cls, text: str) -> "Pinned | None":
        """Return the statement, or None if it pins nothing down or says more than that."""
        said = [word for word in content_words(text) if not word[0].isdigit() and not is_number_word(word)]
        if len(said) > _WORDS_MAX:
            return None
        valued, named = bool(numbers(text) or periods(text)), names(text)
        return cls(text, said, named, valued) if valued or named else None

    def stands_in_parts(self, known: Sequence[str]) -> bool:
        """Return whether it is several claims in a row ("on Azure, planning a Rust rewrite"), each of them known."""
        parts = [Pinned.of(part) for part in _BETWEEN_CLAIMS.split(self.text)]
        return len(parts) > 1 and all(
            part and part.said and any(part.stands_in(text) for text in known) for part in parts
        )

    def stands_in(self, known: str) -> bool:
        """Return whether a known text says all of it."""
        named, known_words, stems = _read_current(known)
        if not self.names <= named or find_distinction(self.text, known):
            return False
        left = [word for word in self.said if stem(word) not in stems | _UNSAID and not periods(word)]
        if self.valued:
            for kinds in _KINDS:
                if stems & kinds:
                    left = [word for word in left if stem(word) not in kinds]
        return not left or _all_alike(left, known_words)


@lru_cache(maxsize=REMEMBERED)
def _read_current(text: str) -> tuple[frozenset[str], Sequence[str], frozenset[str]]:
    """Return the words and names of a text, its content words in order, and the stems of these."""
    said = tuple(dict.fromkeys(content_words(text)))
    return names(text).union(words(text)), said, frozenset(stem(word) for word in said)


def _all_alike(left: Sequence[str], known: Sequence[str]) -> bool:
    if not known:
        return False
    vectors = word_vectors()
    rows, known_rows = vectors.rows(left), vectors.rows(known)
    alike = vectors.table[rows] @ vectors.table[known_rows].T
    return bool(np.all(alike.max(axis=1) >= _ALIKE))
