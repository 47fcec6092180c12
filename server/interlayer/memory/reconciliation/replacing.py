"""What a caller or a model says of known facts: that a statement replaces one of them, or that it is over.

A caller is followed. A model is followed where the words bear it; else the two facts are linked and both stand.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from interlayer.errors import InvalidInput
from interlayer.language.change import announces_change
from interlayer.language.comparison.judgement import compare
from interlayer.language.comparison.statement import Statement
from interlayer.language.comparison.tokens import exact_form
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.distinction import find_distinction, negated
from interlayer.language.quantities.numbers import numbers
from interlayer.language.terms import content_words, stem, terms
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.requests import FactCandidate
from interlayer.models.embedder import Vectors

_FACT_ID: Final = re.compile(r"f_[0-9a-z]+(?:[_-][0-9a-z]+)*_\d+")
_SHARED: Final = 0.5  # share of the words, by rarity, that a fact has of those that name it
_MEANT: Final = 0.5  # cosine that it has beside them
_MEANT_ALONE: Final = 0.8  # cosine that does without them
_SAID_ALIKE: Final = 1.0  # in place of a cosine: that the meaning is one has been said
_TIE: Final = 0.05  # scores closer than this tell neither from the other
_PROPOSED: Final = 12
_UNKNOWN: Final = "replaces: nothing current says this, so nothing was replaced. Name the fact by its fact_id."
_AMBIGUOUS: Final = "replaces: several facts say this, so none was replaced. Name one by its fact_id."


def names_by_words(candidate: FactCandidate) -> bool:
    """Tell whether a candidate names what it replaces by its words, and not by an id."""
    return candidate.replaces is not None and not _FACT_ID.fullmatch(candidate.replaces)


def follow(
    decisions: Sequence[Decision], view: EntityView, names: Collection[str], meaning: Mapping[str, Vectors]
) -> list[Decision]:
    """Return the decisions with what their candidates say of known facts.

    `names` are the entity's; `meaning` has the cosines with its facts, (facts,), of the words that name one. Raises
    `InvalidInput` when a caller names an id that the entity does not have.
    """
    own = frozenset(stem(word) for name in names for word in content_words(name))
    followed: list[Decision] = []
    for decision in decisions:
        one = _repeating(decision, view, own) if decision.candidate.repeats else decision
        if one.candidate.replaces:
            one = _replacing(one, followed, view, own, meaning.get(one.candidate.replaces))
        # A model's word alone hides nothing, and least of all what is new: it names a fact, and the words bear it.
        if one.candidate.ended and (one.candidate.origin != "extractor" or one.replaces or one.outcome == "merged"):
            one = _ending(one, view, own)
        followed.append(_with_other_words(one, view))
    return followed


def _repeating(one: Decision, view: EntityView, own: frozenset[str]) -> Decision:
    """Link a candidate with the fact that a model takes it to say again, where their words tell nothing apart."""
    known = view.fact(one.candidate.repeats or "")
    linked = (*one.supersedes, *one.superseded_by, *one.opposed, *one.likely, *one.alike)
    if known is None or not known.is_current or one.outcome == "merged" or known.record.id in linked:
        return one
    said, told = (set(terms(text)) - own for text in (one.candidate.text, known.record.text))
    if len(said & told) < _SHARED * min(len(said), len(told)) or not said & told:
        return one
    verdict = compare(Statement.of(one.candidate.text), Statement.of(known.record.text), _SAID_ALIKE, 0, own)
    return replace(one, alike=_join(one.alike, (known.record.id,))) if verdict is Verdict.ALIKE else one


def _replacing(
    one: Decision, earlier: list[Decision], view: EntityView, own: frozenset[str], meaning: Vectors | None
) -> Decision:
    """Follow what a candidate says it replaces."""
    said = one.candidate
    found = _find_replaced(said, earlier, view, own, meaning)
    if len(found) != 1:
        return replace(one, note=_AMBIGUOUS if found else _UNKNOWN, meant=tuple(found))
    [(target, text)] = found.items()
    if exact_form(text) == exact_form(said.text):
        return one  # nothing takes its own place
    if said.origin == "extractor" and not bears(said.text, text, own):
        return one if one.outcome == "merged" else replace(one, likely=_join(one.likely, _unless_linked(one, target)))
    if isinstance(one.duplicate_of, int):
        earlier[one.duplicate_of] = _in_place_of(earlier[one.duplicate_of], target)
        return one
    return _in_place_of(one, target)


def _find_replaced(
    said: FactCandidate, earlier: Sequence[Decision], view: EntityView, own: frozenset[str], meaning: Vectors | None
) -> Mapping[str | int, str]:
    """Return the names and texts of what a candidate may mean: more than one where its words fit several as well."""
    named = said.replaces or ""
    if names_by_words(said):
        for number, other in enumerate(earlier):
            if other.outcome == "added" and exact_form(other.candidate.text) == exact_form(named):
                return {number: other.candidate.text}
        return {fact.record.id: fact.record.text for fact in find_named(named, view, own, meaning)}
    fact = view.fact(named)
    if fact is None and said.origin == "caller":
        remedy = "Take the id from recall_entity, or give the words of the fact that no longer holds."
        raise InvalidInput("facts.replaces", f"{named[:60]!r} is no fact of this entity.", remedy)
    return {fact.record.id: fact.record.text} if fact else {}


def find_named(words: str, view: EntityView, own: Collection[str], meaning: Vectors | None) -> Sequence[FactState]:
    """Return the fact that words name, more than one where they fit several as well, none where they fit nobody."""
    if same := view.same_words(words):
        return [same]
    shared = view.words.shared(words, own)
    count = len(shared) if meaning is None else min(len(shared), len(meaning))
    shared = shared[:count]
    if meaning is None:
        scores = np.where(shared >= _SHARED, shared, 0)
    else:
        near = meaning[:count]
        fits = ((shared >= _SHARED) & (near >= _MEANT)) | (near >= _MEANT_ALONE)
        scores = np.where(fits, (shared + near) / 2, 0)
    scores = np.where(view.traits.superseded[:count], 0, scores)
    best: list[tuple[float, FactState]] = []
    for place in np.argsort(-scores, kind="stable")[:_PROPOSED]:
        fact = view.ordered[int(place)]
        if scores[place] > 0 and find_distinction(words, fact.record.text) is None:
            best.append((float(scores[place]), fact))
    close = [fact for score, fact in best if score >= best[0][0] - _TIE]
    return [fact for fact in close if fact.number not in view.groups.behind] or close[:1]


def bears(new: str, known: str, own: Collection[str]) -> bool:
    """Tell whether the words of two statements bear that one replaces the other: a word in common, or a figure each."""
    return bool(set(terms(new)) & set(terms(known)) - set(own)) or bool(numbers(new) and numbers(known))


def _ending(one: Decision, view: EntityView, own: frozenset[str]) -> Decision:
    """Follow a candidate that says that something is over: what says so closes the fact; what ends it takes its place.

    What is over may be told as it was ("They use Okta"), or as its end ("They use Okta no longer"), which holds.
    """
    text = one.candidate.text
    if one.outcome == "merged":
        known = view.fact(one.duplicate_of) if isinstance(one.duplicate_of, str) else None
        ends = known is not None and any(other.gives_way_to(known) for other in known.contradicts)
        return one if known is None or one.replaces or (ends and _says_end(text)) else _closing(one, known)
    for name in one.replaces:
        known = view.fact(name) if isinstance(name, str) else None
        if known and _says_as_much(known.record.text, text, own):
            return _closing(one, known)
    if one.replaces or (one.supersedes and _says_end(text)):
        return one
    near = [fact for fact in (view.fact(name) for name in (*one.likely, *one.alike) if isinstance(name, str)) if fact]
    if _says_end(text):
        ended = [fact for fact in near if fact.is_current] or list(_said_by(text, view, own))
        return _in_place_of(one, ended[0].record.id) if ended else one
    for fact in (*near, *_saying(text, view, own)):
        if fact.is_current and _says_as_much(fact.record.text, text, own):
            return _closing(one, fact)
    note = "ended: no current fact says this; it is kept as history."
    return Decision(one.candidate, "added", ended=True, note=note)


def _closing(one: Decision, known: FactState) -> Decision:
    """Return the decision that a known fact is over, as the candidate says."""
    similarity = one.similarity if one.duplicate_of == known.record.id else None
    others = tuple(name for name in one.replaces if name != known.record.id)
    note = "ended: it is kept as history."
    return Decision(one.candidate, "merged", similarity, known.record.id, replaces=others, ended=True, note=note)


def _in_place_of(one: Decision, target: str | int) -> Decision:
    """Return a decision that takes the place of a fact, whatever its words and its time."""
    if one.outcome == "merged" and one.duplicate_of != target:
        return replace(one, replaces=_join(one.replaces, (target,)))
    named = {"supersedes", "superseded_by", "opposed", "likely", "alike"}
    left = {name: tuple(other for other in getattr(one, name) if other != target) for name in named}
    left["supersedes"] = (target, *left["supersedes"])
    added = replace(one, outcome="added", similarity=None, duplicate_of=None)
    return replace(added, replaces=_join(one.replaces, (target,)), **left)


def _with_other_words(one: Decision, view: EntityView) -> Decision:
    """Let what stands behind a fact in other words share its fate where that was said, else be linked."""
    if not (one.supersedes or one.replaces or one.ended) or not view.groups.behind:
        return one  # most add something new: for them nobody has to know the groups
    told = {*one.replaces, *((one.duplicate_of,) if one.ended else ())}
    for target in (*told, *one.supersedes):
        fact = view.fact(target) if isinstance(target, str) else None
        for name in _other_words(fact, view) if fact else ():
            if target not in told:
                one = replace(one, likely=_join(one.likely, _unless_linked(one, name)))
            elif one.ended:
                one = replace(one, closes=_join(one.closes, (name,)))
            else:
                one = _in_place_of(one, name)
    return one


def _other_words(fact: FactState, view: EntityView) -> list[str]:
    return [view.ordered[number].record.id for number, shown in view.groups.behind.items() if shown == fact.number]


def _unless_linked(one: Decision, name: str | int) -> tuple[str | int, ...]:
    linked = (*one.supersedes, *one.superseded_by, *one.opposed, *one.likely)
    return () if name in linked else (name,)


def _join(names: Sequence[str | int], more: Sequence[str | int]) -> tuple[str | int, ...]:
    return tuple(dict.fromkeys((*names, *more)))


def _says_end(text: str) -> bool:
    return negated(text) or announces_change(text)


def _says_as_much(known: str, text: str, own: Collection[str]) -> bool:
    """Whether a known statement says all that a text says."""
    return set(terms(text)) - set(own) <= set(terms(known)) and find_distinction(text, known) is None


def _saying(text: str, view: EntityView, own: Collection[str]) -> Iterator[FactState]:
    """Yield the facts that share most words with a text, the one with the most first."""
    shared = view.words.shared(text, own)
    for place in np.argsort(-shared, kind="stable")[:_PROPOSED]:
        if shared[place] >= _SHARED:
            yield view.ordered[int(place)]


def _said_by(text: str, view: EntityView, own: Collection[str]) -> Iterator[FactState]:
    """Yield the current facts of which a text names every word, those with the most in common first."""
    named = set(terms(text))
    for fact in _saying(text, view, own):
        said = set(terms(fact.record.text)) - set(own)
        if fact.is_current and said and said <= named and not _says_end(fact.record.text):
            yield fact
