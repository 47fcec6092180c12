"""When two statements of one entity cannot both be so at one time: same subject and attribute, other value.

Cosine does not tell: a stale and a fresh claim are as unlike as two claims on different matters. What tells is form:
a statement that announces a change on the same matter, or the same sentence with another value in the one place where
only one value can stand ("the primary database is ...", "has ... employees", "is headquartered in ..."). Where neither
holds nothing is superseded; recall then prefers the newer of the two.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from interlayer.language.change import announces_change
from interlayer.language.dates import RELATIVE_DAYS, SHIFTS, UNITS
from interlayer.language.distinction import REMEMBERED, find_distinction, names, negated
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.quantities.numerals import is_number_word
from interlayer.language.terms import STOP_WORDS, stem, terms, words
from interlayer.text.sentences import label_of

NEAR: Final = 0.3  # cosine under which two statements are not compared at all
_DENIED: Final = 0.8  # cosine at which a statement and its negation are on the same matter
_ANNOUNCED: Final = 0.62  # cosine at which an announced change is taken to be on the same matter
_PHRASED: Final = 0.45  # the same, where a phrase of both names the matter
_SHARED: Final = 2  # content words that it has in common with what it changes, the entity's names left out
_COMMON: Final = 0.5  # share of the words that stand in both, for the same sentence with another value
_SLOT_WORDS: Final = 4
_MEASURED_AGAIN_S: Final = 60  # figures that come within a minute are a list, not one figure that changes

_STATE: Final = lexicon.words("state_verbs")
_COPULA: Final = lexicon.words("copulas")
_PLACED: Final = frozenset(map(stem, lexicon.words("placing_verbs")))
_HEDGES: Final = lexicon.words("hedges")
_UNSAID: Final = lexicon.words("prepositions", "hedges") | {"the", "a", "an"}
_RANKED: Final = frozenset(map(stem, lexicon.words("ranks")))
_PASSING: Final = frozenset({*UNITS.values(), *SHIFTS, *RELATIVE_DAYS, "morning", "call", "follow", "up"})
_PRONOUNS: Final = lexicon.words("third_person_pronouns", "first_and_second_person_pronouns") | {"who"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with what comparing it needs; made once, compared often."""

    text: str
    words: Sequence[str]
    announces: bool
    denies: bool
    stative: bool
    stems: frozenset[str]

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str) -> "Claim":
        """Return the claim of a text; a label ("Ann: ...") counts for what it announces and for nothing else."""
        label = label_of(text)
        bare = text[len(label) + 1 :].strip() if label else text
        found = [word for word in words(bare) if word not in _HEDGES]
        stative = any(word in _STATE or stem(word) in _PLACED for word in found)
        return cls(bare, found, announces_change(text), negated(bare), stative, frozenset(terms(bare)))


@dataclass(frozen=True, slots=True)
class _Slot:
    """Two sentences alike but for one place: the words before it, what stands in it, and the words after it."""

    before: Sequence[str]
    one: Sequence[str]
    other: Sequence[str]
    after: Sequence[str]


def contradict(newer: Claim, older: Claim, cosine: float, later_s: float, own: frozenset[str]) -> bool:
    """Return whether the newer statement takes the place of the older.

    `later_s` is by how many seconds it was observed later, `own` are the stems of the entity's names.
    """
    if cosine < NEAR:
        return False
    return (
        _find_denied(newer, older, cosine)
        or _same_sentence(newer, older, later_s)
        or (newer.announces and _change(newer, older, cosine, own))
    )


def _find_denied(newer: Claim, older: Claim, cosine: float) -> bool:
    """Whether one of them is the negation of the other, and says enough to be one."""
    if cosine < _DENIED or newer.denies == older.denies or "?" in newer.text + older.text:
        return False
    return find_distinction(newer.text, older.text) == "negation" and len(newer.stems & older.stems) > _SHARED


def _change(newer: Claim, older: Claim, cosine: float, own: frozenset[str]) -> bool:
    """Whether an announced change is one of what the older statement is about: a phrase in common, or much alike."""
    valued = all(names(claim.text) - own or numbers(claim.text) for claim in (newer, older))
    if cosine < _PHRASED or not valued or find_distinction(newer.text, older.text) is None:
        return False
    named = own | {stem(word) for name in names(newer.text) | names(older.text) for word in words(name)}
    if _phrases(newer.text, named) & _phrases(older.text, named):
        return True
    shared = {one for one in newer.stems & older.stems - named if not one.isdigit()}
    return cosine >= _ANNOUNCED and len(shared) >= _SHARED


def _phrases(text: str, named: Collection[str]) -> set[tuple[str, str]]:
    """Return each two content words that stand side by side, names and numbers left out, stemmed."""
    return {(one, other) for one, other in _pairs(text) if one not in named and other not in named}


@lru_cache(maxsize=REMEMBERED)
def _pairs(text: str) -> Sequence[tuple[str, str]]:
    """Return each two content words that stand side by side, numbers and what announces a change left out, stemmed."""
    return tuple(
        (stem(one), stem(other))
        for one, other in pairwise(words(text))
        if not {one, other} & (STOP_WORDS | _PASSING)
        and not any(word[0].isdigit() or announces_change(word) for word in (one, other))
    )


def _same_sentence(newer: Claim, older: Claim, later_s: float) -> bool:
    if not (newer.stative and older.stative):
        return False
    slot = _slot(newer.words, older.words)
    if slot is None or not _exclusive(slot):
        return False
    verbs = [place for place, word in enumerate(slot.before) if word in _STATE or stem(word) in _PLACED]
    if not verbs:
        return False
    numeric = _numeric(slot.one) and _numeric(slot.other)
    if numeric and later_s < _MEASURED_AGAIN_S:
        return False
    named = bool((names(newer.text) | names(older.text)) & {*slot.one, *slot.other})
    attribute = [word for word in slot.before[: verbs[-1]] if word not in _PRONOUNS and word not in _UNSAID]
    after_verb = {word for word in slot.before[verbs[-1] + 1 :] if not word.isdigit()} - _UNSAID
    return (
        (numeric and bool(slot.after or (attribute and not after_verb)))
        or stem(slot.before[verbs[-1]]) in _PLACED
        or ("as" in slot.after and not after_verb)
        or bool(_RANKED & {stem(word) for word in slot.after})
        or (slot.before[verbs[-1]] in _COPULA and not after_verb and len(attribute) > 1 and named)
    )


def _slot(one: Sequence[str], other: Sequence[str]) -> _Slot | None:
    """Return the one place where two sentences differ, or None if too little stands in both."""
    most = min(len(one), len(other))
    start = next((place for place in range(most) if one[place] != other[place]), most)
    end = next((place for place in range(most - start) if one[-1 - place] != other[-1 - place]), most - start)
    slot = _Slot(one[:start], one[start : len(one) - end], other[start : len(other) - end], one[len(one) - end :])
    too_long = max(len(slot.one), len(slot.other)) > _SLOT_WORDS
    return None if too_long or start + end < _COMMON * max(len(one), len(other)) else slot


def _exclusive(slot: _Slot) -> bool:
    """Whether something stands in both, and not merely a word more in one of them."""
    return bool(set(slot.one) - _UNSAID) and bool(set(slot.other) - _UNSAID)


def _numeric(found: Sequence[str]) -> bool:
    return any(any(character.isdigit() for character in word) or is_number_word(word) for word in found)
