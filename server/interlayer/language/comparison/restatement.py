"""When a short line says nothing that a statement in another frame does not say: "Deal value ~$450K".

Such a line is recognised by what it pins down. Every number, date, name and sign in it has to be in the statement, in
the same order, and every other word as well, by stem, but for words that only say what kind of value it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from interlayer.language.comparison.exchange import Exchange
from interlayer.language.comparison.statement import Reading, Statement, read_pair
from interlayer.language.dates import periods
from interlayer.language.distinction import REMEMBERED, find_distinction, names
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.quantities.numerals import is_number_word
from interlayer.language.terms import content_words, stem, words

_BETWEEN_CLAIMS: Final = re.compile(r"[,;]\s|\band\b")
_WORDS_MAX: Final = 8  # a longer statement says more than a value

# Kinds of values; the subject that goes without saying, and "more or less".
_KINDS: Final[Sequence[frozenset[str]]] = tuple(
    frozenset(map(stem, entry.forms)) for entry in lexicon.entries("value_kinds")
)
_UNSAID: Final = frozenset(map(stem, lexicon.words("unsaid_words", "hedges")))


def restates(newer: Reading, older: Reading) -> bool:
    """Return whether the newer statement is a line that pins down only what the older one does."""
    pinned = _Pinned.of(newer.text)
    if pinned is None or not pinned.valued or newer.asks or newer.speaker:
        return False
    if not pinned.stands_in(older.text, line=not newer.whole.stated):
        return False
    one, other = newer.whole, older.whole
    if any(clause.denied or clause.ends or clause.changes or clause.conditional for clause in (one, other)):
        return False
    told = [word.key for word in other.row]
    shared = [word.key for word in one.row if (word.content or word.kind == "sign") and word.key in told]
    if any(word.kind == "sign" and word.key not in told and word.key.isalpha() for word in one.row):
        return False
    rest = iter(told)
    values = [word for word in one.row if word.name or word.kind in {"number", "time"}]
    single = len(values) == 1 and not values[0].name  # one figure: the order of what it counts says nothing
    return (single or all(key in rest for key in shared)) and Exchange.of(one.bare, other.bare) is None


def restate_in_parts(newer: Statement, known: Sequence[Statement]) -> bool:
    """Return whether a line is several claims in a row, each of them known: "on Azure, planning a rewrite in Rust"."""
    parts = [part for part in _BETWEEN_CLAIMS.split(newer.text) if part]
    pinned = [_Pinned.of(part) for part in parts]
    if len(parts) < 2 or not all(part and part.said for part in pinned):
        return False
    # Held against claims, not statements: "10 of Pro and 5 of Basic" has every word of "5 of Pro and 10 of Basic".
    claims = [claim for one in known for claim in _BETWEEN_CLAIMS.split(one.text) if claim]
    return all(any(_restated(part, claim) for claim in claims) for part in parts)


def _restated(part: str, known: str) -> bool:
    new, old = read_pair(part, known, frozenset())
    pinned = _Pinned.of(part)
    told = old.whole
    turned = new.whole.denied or told.denied or told.ends or new.whole.ends or new.whole.conditional
    return pinned is not None and not turned and pinned.stands_in(known, line=True)


@dataclass(frozen=True, slots=True)
class _Pinned:
    """A short statement that pins something down: a number, a date or a name. `said` are its other content words."""

    text: str
    said: Sequence[str]
    names: frozenset[str]
    valued: bool

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str) -> "_Pinned | None":
        """Return the statement, or None if it pins nothing down or says more than that."""
        said = [word for word in content_words(text) if not word[0].isdigit() and not is_number_word(word)]
        if len(said) > _WORDS_MAX:
            return None
        valued, named = bool(numbers(text) or periods(text)), names(text)
        return cls(text, said, named, valued) if valued or named else None

    def stands_in(self, known: str, *, line: bool) -> bool:
        """Return whether a known text says all of it, but of what kind the value of a `line` without a verb is."""
        named, stems = _read(known)
        if not self.names <= named or find_distinction(self.text, known):
            return False
        left = [word for word in self.said if stem(word) not in stems | _UNSAID and not periods(word)]
        if self.valued and line:
            for kinds in _KINDS:
                if stems & kinds:
                    left = [word for word in left if stem(word) not in kinds]
        return not left


@lru_cache(maxsize=REMEMBERED)
def _read(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words and names of a text, and the stems of its content words."""
    return names(text).union(words(text)), frozenset(map(stem, content_words(text)))
