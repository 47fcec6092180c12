"""What has become of the same thing: another state on a scale, or another value told in another sentence."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from interlayer.language.comparison.content import Content, Word
from interlayer.language.comparison.exchange import is_pure, kind_of
from interlayer.language.comparison.opposition import exclude
from interlayer.language.comparison.statement import Clause, is_denied
from interlayer.language.comparison.verdict import Verdict

_SAME_MATTER: Final = 0.3  # cosine at which an announced change may be one of what the older statement is about
_CLOSE_MATTER: Final = 0.5  # the same, where a name or a date in common counts too
_NEAR_MATTER: Final = 0.4  # the same, where a single word in common is enough
_VALUE_MAX: Final = 6  # content words
_MEASURED_AGAIN_S: Final = 60
_MORE_MAX: Final = 5  # content words that the newer statement may say beside its state


def judge_state(newer: Clause, older: Clause) -> Verdict:
    """Judge two states of what the older statement is about."""
    if newer.conditional or older.conditional:
        return Verdict.DISTINCT
    for start, end, was in older.states:
        about = older.without((start, end, ""))
        if not about.words or is_denied(about.row, older.known):
            continue
        for first, last, is_now in newer.states:
            if not exclude(is_now, was):
                continue
            rest = newer.without((first, last, ""))
            if rest.share(about.words) == 1 and not is_denied(rest.row, newer.known):
                more = [word for word in rest.beside(about) if word.kind == "word"]
                return Verdict.REPLACED if len(more) <= _MORE_MAX else Verdict.LIKELY
    return Verdict.DISTINCT


def judge_change(newer: Clause, older: Clause, later_s: float, *, now: bool) -> Verdict:
    """Judge another value of what both statements are about, told in another sentence."""
    if newer.denied or older.denied or older.past or older.is_of_several or not older.stative:
        return Verdict.DISTINCT
    said, told = newer.without(*newer.changes), older.content
    was = told.beside(said)
    shared = sum(word.kind == "word" for word in told.words) - sum(word.kind == "word" for word in was)
    value = said.beside(told) if shared and 0 < len(was) <= _VALUE_MAX and told.in_a_row(was) else ()
    if not 0 < len(value) <= _VALUE_MAX:
        return Verdict.DISTINCT
    kind = kind_of(value)
    if kind != kind_of(was) or not (is_pure(value) and is_pure(was)):
        return Verdict.DISTINCT
    if kind == "word":
        return Verdict.LIKELY if newer.changes else Verdict.DISTINCT
    if newer.changes or now:
        # One has one office and one contact, but uses several tools: "switched to FastAPI" need not be from Django.
        is_other = _is_narrower(said, told, value) if kind == "number" else kind == "name" and not older.is_single
        return Verdict.LIKELY if is_other else Verdict.REPLACED
    return _judge_frames(newer, older, (value, was), said, later_s)


def _is_narrower(said: Content, told: Content, value: Sequence[Word]) -> bool:
    """Whether a new word stands right before one in common: "the marketing budget" is not "the budget"."""
    return any(
        word.kind == "word" and not word.name and following.key in told.keys and any(word is one for one in value)
        for word, following in pairwise(said.row)
        if following.content and not following.stative
    )


def _is_one_attribute(newer: Clause, older: Clause, value: Sequence[Word], was: Sequence[Word]) -> bool:
    """Whether two names are told of one attribute: a noun is in common, and each name is what is said of it.

    "Ada Berg works in Ghent" and "Ada Berg reports to Tom Hart" have only their subject in common.
    """
    nouns = [word for word in older.content.words if word.kind == "word" and not older.is_named_by(word)]
    shared = any(newer.content.says(word) for word in nouns if all(word is not one for one in was))
    return shared and _is_said(newer, value) and _is_said(older, was)


def _is_said(clause: Clause, value: Sequence[Word]) -> bool:
    """Whether some words are said of the subject: behind the verb, or all that stands before "is"."""
    verb = next((at for at, word in enumerate(clause.row) if word.stative or word.text == ":"), 0)
    places = [at for at, word in enumerate(clause.row) if any(word is one for one in value)]
    if min(places, default=0) > verb:
        return True
    whole = all(any(word is one for one in value) for word in clause.subject)
    return max(places, default=0) < verb and whole and clause.row[verb].text in clause.known.copulas


def judge_announced(newer: Clause, older: Clause, cosine: float) -> Verdict:
    """Judge a statement that calls itself a change, on what probably is the same matter."""
    if cosine < _SAME_MATTER or newer.speaking or older.speaking or newer.conditional:
        return Verdict.DISTINCT
    said, told = newer.content, older.content
    close = cosine >= _CLOSE_MATTER
    told_too = [word for word in said.words if told.says(word) and not word.itself]
    shared = {word.key for word in told_too if close or (word.kind == "word" and not word.name)}
    fresh = [word for word in said.words if (word.name or word.kind != "word") and not told.says(word)]
    least = 1 if cosine >= _NEAR_MATTER else 2
    return Verdict.LIKELY if fresh and len(shared) >= least else Verdict.DISTINCT


def _judge_frames(
    newer: Clause, older: Clause, values: tuple[Sequence[Word], Sequence[Word]], said: Content, later_s: float
) -> Verdict:
    """Judge two plain statements of one attribute: "Kickoff takes place on ...", "The kickoff is on ..."."""
    value, was = values
    kind = kind_of(value)
    if newer.past or newer.indefinite or older.indefinite or not newer.stative or not said.in_a_row(value):
        return Verdict.DISTINCT
    if kind == "number" and later_s < _MEASURED_AGAIN_S:
        return Verdict.DISTINCT
    if kind == "name":
        return Verdict.LIKELY if _is_one_attribute(newer, older, value, was) else Verdict.DISTINCT
    return Verdict.REPLACED
