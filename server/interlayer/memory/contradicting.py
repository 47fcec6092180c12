"""When two statements of one entity cannot both be so at one time: same subject and attribute, other value.

Cosine does not tell: a stale and a fresh claim are as unlike as two claims on different matters. What tells is form:
a statement that announces a change on the same matter, or the same sentence with another value in the one place where
only one value can stand ("the primary database is ...", "has ... employees", "is headquartered in ..."). Where neither
holds nothing is superseded; recall then prefers the newer of the two.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from interlayer.memory.guard import distinguished, names
from interlayer.text.change import announces_change
from interlayer.text.numbers import is_number_word, numbers
from interlayer.text.sentences import label_of
from interlayer.text.terms import STOP_WORDS, content_words, stem, words

NEAR: Final = 0.3  # cosine under which two statements are not compared at all
_DENIED: Final = 0.8  # cosine at which a statement and its negation are on the same matter
_ANNOUNCED: Final = 0.62  # cosine at which an announced change is taken to be on the same matter
_PHRASED: Final = 0.45  # the same, where a phrase of both names the matter
_SHARED: Final = 2  # content words that it has in common with what it changes, the entity's names left out
_COMMON: Final = 0.5  # share of the words that stand in both, for the same sentence with another value
_SLOT_WORDS: Final = 4
_MEASURED_AGAIN_S: Final = 60  # figures that come within a minute are a list, not one figure that changes

_STATE: Final = frozenset(
    "is are was were be has have had remains stays stands uses use runs costs needs wants prefers owns leads plans"
    " employs holds targets expects".split()
)
_COPULA: Final = frozenset("is are was were remains stays stands be".split())
_PLACED: Final = frozenset(
    stem(word)
    for word in (
        "headquartered based located lives live works work employed reports report belongs stationed hosted led owned"
    ).split()
)
_UNSAID: Final = frozenset(
    "at in on of to by for with from now currently about around over approximately the a an as".split()
)
_RANKED: Final = frozenset(
    stem(word) for word in "stage phase status level tier priority step round rank grade plan edition".split()
)
_PASSING: Final = frozenset(
    "last next this week month year quarter day today tomorrow yesterday morning call follow up".split()
)
_PRONOUNS: Final = frozenset("he she it they we i you their his her its our my your who".split())


@dataclass(frozen=True, slots=True)
class _Slot:
    """Two sentences alike but for one place: the words before it, what stands in it, and the words after it."""

    before: Sequence[str]
    one: Sequence[str]
    other: Sequence[str]
    after: Sequence[str]


def contradict(newer: str, older: str, cosine: float, later_s: float, own: frozenset[str]) -> bool:
    """Return whether the newer statement takes the place of the older.

    `later_s` is by how many seconds it was observed later, `own` are the stems of the entity's names.
    """
    if cosine < NEAR:
        return False
    newer_bare, older_bare = _bare(newer), _bare(older)
    if _denied(newer_bare, older_bare, cosine) or _same_sentence(newer_bare, older_bare, later_s):
        return True
    return announces_change(newer) and _changed(newer_bare, older_bare, cosine, own)


def _denied(newer: str, older: str, cosine: float) -> bool:
    """Whether one of them is the negation of the other, and says enough to be one."""
    if cosine < _DENIED or distinguished(newer, older) != "negation":
        return False
    shared = {stem(word) for word in content_words(newer)} & {stem(word) for word in content_words(older)}
    return len(shared) > _SHARED and "?" not in newer + older


def _changed(newer: str, older: str, cosine: float, own: frozenset[str]) -> bool:
    """Whether an announced change is one of what the older statement is about: a phrase in common, or much alike."""
    valued = all(names(text) - own or numbers(text) for text in (newer, older))
    if not valued or distinguished(newer, older) is None:
        return False
    named = own | {stem(word) for name in names(newer) | names(older) for word in words(name)}
    phrases = _phrases(newer, named) & _phrases(older, named)
    if phrases and cosine >= _PHRASED:
        return True
    shared = {stem(word) for word in content_words(newer)} & {stem(word) for word in content_words(older)}
    return cosine >= _ANNOUNCED and len({one for one in shared - named if not one.isdigit()}) >= _SHARED


def _bare(text: str) -> str:
    label = label_of(text)
    return text[len(label) + 1 :].strip() if label else text


def _phrases(text: str, named: Collection[str]) -> set[tuple[str, str]]:
    """Return each two content words that stand side by side, names and numbers left out, stemmed."""
    found = words(text)
    pairs = pairwise(found)
    return {
        (stem(one), stem(other))
        for one, other in pairs
        if not {one, other} & (STOP_WORDS | _PASSING)
        and not any(stem(word) in named or word[0].isdigit() or announces_change(word) for word in (one, other))
    }


def _same_sentence(newer: str, older: str, later_s: float) -> bool:
    slot = _slot(words(newer), words(older))
    if slot is None or not _exclusive(slot):
        return False
    verbs = [place for place, word in enumerate(slot.before) if word in _STATE or stem(word) in _PLACED]
    if not verbs:
        return False
    numeric = _numeric(slot.one) and _numeric(slot.other)
    if numeric and later_s < _MEASURED_AGAIN_S:
        return False
    named = bool((names(newer) | names(older)) & {*slot.one, *slot.other})
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
    """Return the one place where two sentences differ, or None if they differ in more than one."""
    changes = [
        change for change in SequenceMatcher(None, one, other, autojunk=False).get_opcodes() if change[0] != "equal"
    ]
    changes = [c for c in changes if {*one[c[1] : c[2]], *other[c[3] : c[4]]} - _UNSAID]
    if len(changes) != 1:
        return None
    _, start, end, other_start, other_end = changes[0]
    common = len(one) - (end - start)
    if common < _COMMON * len(one) or max(end - start, other_end - other_start) > _SLOT_WORDS:
        return None
    return _Slot(one[:start], one[start:end], other[other_start:other_end], one[end:])


def _exclusive(slot: _Slot) -> bool:
    """Whether something stands in both, and not merely a word more in one of them."""
    return bool(set(slot.one) - _UNSAID) and bool(set(slot.other) - _UNSAID)


def _numeric(found: Sequence[str]) -> bool:
    return any(any(character.isdigit() for character in word) or is_number_word(word) for word in found)
