"""Whether a text refuses what stands at a place of it: "we cannot offer 30% off", "30% off is out of the question".

What is looked at is the clause of the place, and a clause beside it that says nothing but no: "..., but we can't".
A limit ("not more than 40%") and an invitation ("don't miss it") refuse nothing. In doubt nothing is refused.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from interlayer.language.distinction import negated
from interlayer_policies.checks.clauses import Clause, Clauses, clauses
from interlayer_policies.checks.draft import Draft, Word
from interlayer_policies.checks.lexicon import Forms, listed

_REACH: Final = 6  # words behind a determiner of denial that it denies
_INVITED_WITHIN: Final = 3
_GRANTED_WITHIN: Final = 6  # words behind a negation in which what is denied to be possible stands
_CLOSING_WORDS: Final = 9
_LOOKED_AT: Final = 40  # words of a clause on either side, so that time stays linear
_ADDING: Final = frozenset({"with", "plus", "mit", "avec", "con", "com", "met", "including", "inklusive", "samt"})
_CONDITIONS: Final = frozenset({"if", "unless", "wenn", "falls", "si", "se", "als", "indien", "when"})
_SPEAKERS: Final = frozenset({"we", "i", "wir", "ich", "nous", "je", "nosotros", "noi", "nos", "wij", "ik", "you"})
_ALTERNATIVES: Final = frozenset({"or", "nor", "oder", "noch", "ou", "ni", "o", "ne", "nem", "of"})
_RESULTS: Final = frozenset(
    {"but", "so", "which", "aber", "also", "mais", "donc", "pero", "ma", "mas", "maar", "dus", "and"}
)
_BEHIND_VERB: Final = frozenset({"nicht", "niet", "pas", "keinesfalls", "keineswegs", "nie", "nooit"})
_LINKED_NEGATIONS: Final = frozenset({"no", "non", "nao", "nunca", "ne"})


_RUN: Final = 40  # characters
_UNSPACED: Final = re.compile("[\u2e80-\u9fff]")


class _Words:
    """The lists that tell denial, read at first use."""

    def __init__(self) -> None:
        self.negations: Forms[str] = listed("negations", "negative_words")
        self.refusals: Forms[str] = listed("refusals")
        self.determiners: Forms[str] = listed("determiners_of_denial")
        self.affirming: Forms[str] = listed("affirming_phrases", "phrases_without_negation")
        self.inviting: Forms[str] = listed("verbs_without_refusal")
        self.granting: Forms[str] = listed("granting_words", inflected=True)
        self.function: Forms[str] = listed("function_words", "stop_words")
        self.links: Forms[str] = listed("clause_links")


class Cue(NamedTuple):
    """Words [first, last) that deny or refuse; `determines`: they deny the noun behind them, such as "no"."""

    first: int
    last: int
    determines: bool
    refuses: bool


def denied(draft: Draft, first: int, last: int) -> bool:
    """Return whether the text refuses what the words [first, last) say."""
    if _is_denied_within(draft, first, last):
        return True
    parts = draft.worked_out(clauses)
    number = parts.of[first]
    clause = parts.all[number]
    begin, end = max(clause.first, first - _LOOKED_AT), min(clause.last, last + _LOOKED_AT)
    if _denied_before(draft, begin, first) or _denied_behind(draft, last, end):
        return True
    if clause.opener in _ALTERNATIVES and number and first - clause.first <= 3 and not clause.begins:
        before = parts.all[number - 1]
        if _denied_before(draft, max(before.first, before.last - _LOOKED_AT), before.last):
            return True
    return _is_open_before(draft.words, parts, number, _lists()) or _is_refused_next(draft, parts, number, _lists())


def _is_denied_within(draft: Draft, first: int, last: int) -> bool:
    """Whether a negation stands in the same run of a script that sets no word apart."""
    run = draft.words[first : last + 1]
    if not run or (run[0].text.isascii() and run[-1].text.isascii()):
        return False
    begin, end = run[0].start, run[-1].end
    if _UNSPACED.search(draft.lower, begin, end) is None:
        return False
    span = draft.original(max(begin, run[0].end - _RUN), min(end, run[-1].start + _RUN))
    return negated(draft.text[span.start : span.end])


def _denied_before(draft: Draft, first: int, place: int) -> bool:
    """Whether a word of denial in front of a place reaches it."""
    words, inviting = draft.words, _lists().inviting
    for cue in _cues_within(draft, first, place):
        if inviting.found(words, cue.last, min(cue.last + _INVITED_WITHIN, place)):
            continue  # do not miss it
        if cue.determines:
            is_unneeded = cue.first > first and inviting.one(words[cue.first - 1].text)  # you need no coupon
            if not is_unneeded and _reaches(words, cue.first, first, place):
                return True
        elif not _is_of_a_condition(words, first, cue.first, place):
            return True
    return False


def _cues_within(draft: Draft, first: int, last: int) -> Sequence[Cue]:
    cues = draft.worked_out(_cues)
    return cues[bisect_left(cues, first, key=_begin) : bisect_left(cues, last, key=_begin)]


def _begin(cue: Cue) -> int:
    return cue.first


def _cues(draft: Draft) -> Sequence[Cue]:
    """Return the words of denial of a draft that belong to no phrase of another sense, in order."""
    known, words = _lists(), draft.words
    found: list[Cue] = []
    at = 0
    while at < len(words):
        phrase = known.affirming.at(words, at) or _contracted_phrase(words, at, known)
        if phrase:
            at += phrase[0]
            continue
        refusal = known.refusals.at(words, at)
        negates = is_negation(words[at].text, known.negations)
        if negates or refusal:
            count = refusal[0] if refusal else 1
            determines = refusal is None and known.determiners.one(words[at].text) is not None
            found.append(Cue(at, at + count, determines, refusal is not None and (count > 1 or not negates)))
        at += 1
    return found


def _contracted_phrase(words: Sequence[Word], at: int, known: _Words) -> tuple[int, str] | None:
    """Return a phrase that begins with a contracted not: "don't just", "can't go above"."""
    if not words[at].text.endswith("n't") and words[at].text not in {"cannot", "not"}:
        return None
    found = known.affirming.at([Word("not", 0, 0), *words[at + 1 : at + 6]], 0)
    if found is None and at + 2 < len(words):  # cannot give more than, do not only deliver
        for skipped in (2, 3):
            found = known.affirming.at([Word("not", 0, 0), *words[at + skipped : at + skipped + 5]], 0)
            if found:
                return found[0] + skipped - 1, found[1]
    return found


def is_negation(word: str, negations: Forms[str] | None = None) -> bool:
    """Return whether a folded word denies what stands behind it."""
    return word.endswith("n't") or (negations or _lists().negations).one(word) is not None


def _reaches(words: Sequence[Word], at: int, first: int, place: int) -> bool:
    """Whether "no" or "without" denies what stands at a place: the noun behind it, or the sentence that it opens."""
    between = [word.text for word in words[at + 1 : place]]
    if _ADDING & set(between):
        return False
    return len(between) < _REACH or at == first


def _is_of_a_condition(words: Sequence[Word], first: int, at: int, place: int) -> bool:
    """Whether a negation belongs to a condition that ends before the place: if you are not happy we guarantee ..."""
    opened = any(word.text in _CONDITIONS for word in words[first:at])
    return opened and any(word.text in _SPEAKERS for word in words[at + 1 : place])


def _denied_behind(draft: Draft, place: int, last: int) -> bool:
    """Whether what follows a place in its clause says that it is not possible or not granted."""
    words, known = draft.words, _lists()
    for cue in _cues_within(draft, place, last):
        at = cue.first
        if cue.refuses:
            return True
        if words[at].text in _BEHIND_VERB and not known.inviting.found(words, place, last):
            return True
        if _is_predicate(words, at, known) and (
            at + 1 >= last or known.granting.found(words, at + 1, min(at + 1 + _GRANTED_WITHIN, last))
        ):
            return not known.inviting.found(words, at + 1, min(at + 3, last))
    return False


def _is_predicate(words: Sequence[Word], at: int, known: _Words) -> bool:
    """Whether a negation stands with a verb: isn't, cannot, is not; "no" alone belongs to a noun."""
    word = words[at].text
    if word.endswith("n't") or word in {"cannot", "never"} or "'" in word:
        return True
    if known.determiners.one(word) and word != "no":
        return False
    if word in _LINKED_NEGATIONS:
        behind = words[at + 1].text if at + 1 < len(words) else ""
        return known.function.one(words[at - 1].text) is not None or known.function.one(behind) is not None
    return True


def _is_open_before(words: Sequence[Word], parts: Clauses, number: int, known: _Words) -> bool:
    """Whether a clause before ended with a negation that the place's clause goes on with: we cannot, alas, offer it."""
    for before in range(number - 1, max(-1, number - 3), -1):
        if parts.all[before + 1].begins or parts.all[before + 1].opener:
            return False
        clause = parts.all[before]
        final = words[clause.last - 1].text
        if (
            parts.all[before + 1].mark == ","
            and clause.last - clause.first <= 4
            and is_negation(final, known.negations)
        ):
            return final.endswith("n't") or final in {"cannot", "not", "never", "nicht", "niet"}
    return False


def _is_refused_next(draft: Draft, parts: Clauses, number: int, known: _Words) -> bool:
    """Whether the next clause says nothing but no: "but we can't", "so I have to decline", "? That is not possible"."""
    if number + 1 >= len(parts.all):
        return False
    clause, words = parts.all[number + 1], draft.words
    asked = clause.begins and "?" in draft.lower[words[clause.first - 1].end : words[clause.first].start]
    follows = asked or clause.opener in _RESULTS or clause.mark in ",(;:"
    if clause.last - clause.first > _CLOSING_WORDS or not follows:
        return False
    if not _only_refers(words, clause, known):
        return False
    cues = _cues_within(draft, clause.first, clause.last)
    return bool(cues) and not any(known.inviting.found(words, cue.last, clause.last) for cue in cues)


def _only_refers(words: Sequence[Word], clause: Clause, known: _Words) -> bool:
    """Whether a clause has no word of its own: but function words, words of denial and of granting."""
    at = clause.first
    while at < clause.last:
        refusal = known.refusals.at(words, at)
        word = words[at].text
        if refusal:
            at += refusal[0]
        elif (
            is_negation(word, known.negations)
            or known.links.one(word)
            or known.function.one(word)
            or known.granting.one(word) is not None
        ):
            at += 1
        else:
            return False
    return True


@cache
def _lists() -> _Words:
    return _Words()
