"""The current facts near to what a call adds: its caller may know that they do not hold any more."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.terms import content_words, stem, terms
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.models.embedder import Vectors
from interlayer.models.scale import Scale

RELATED_MAX: Final = 5
_NEAR: Final = 0.6  # cosine of a neighbour that is worth telling of
_NAMED: Final = 0.3  # the same, where a caller has named a fact that was not found
_ADDED_MAX: Final = 100  # statements of a call for which neighbours are looked for
_NEIGHBOURS: Final = 4
_SHORT: Final = 12  # statements of a call


@dataclass(frozen=True, slots=True)
class Related:
    """A known fact, and the number in the call of what it is near to."""

    fact: FactState
    similarity: float
    to: int


def related_to(
    decisions: Sequence[Decision],
    vectors: Vectors,
    view: EntityView,
    known_vectors: Vectors,
    scale: Scale,
    names: Collection[str],
) -> list[Related]:
    """Return the current facts that are near to added ones, the probably outdated first, each once.

    Shapes are those of `reconcile`. What a decision repeats, replaces or is too late for is not among them.
    """
    is_short = len(decisions) <= _SHORT
    told = [number for number, one in enumerate(decisions) if _is_told(one, is_short)][:_ADDED_MAX]
    count = min(len(known_vectors), len(view.ordered))
    if not told or not count or not vectors.shape[1]:
        return []
    own = frozenset(stem(word) for name in names for word in content_words(name))
    settled = {name for one in decisions for name in _settled(one)}
    current = ~view.traits.superseded[:count]
    found: dict[FactState, tuple[bool, Related]] = {}
    for number, row in zip(told, scale.read(vectors[told] @ known_vectors[:count].T), strict=True):
        one = decisions[number]
        linked = {view.fact(name) for name in (*one.meant, *one.likely, *one.alike) if isinstance(name, str)}
        near = [*(fact for fact in linked if fact and fact.number < count), *_neighbours(one, row, view, current, own)]
        for fact in near:
            if not current[fact.number] or fact.record.id in settled:
                continue
            entry = fact in linked, Related(fact, round(float(row[fact.number]), 3), number)
            if fact not in found or _rank(entry) > _rank(found[fact]):
                found[fact] = entry
    best = sorted(found.values(), key=lambda entry: (*_rank(entry), -entry[1].fact.number), reverse=True)
    return [entry for _, entry in best[:RELATED_MAX]]


def _is_told(one: Decision, is_short: bool) -> bool:
    """Whether a caller may know more of what is near: of what was added, or of what he named in vain.

    Of the sentences of a long content only what is linked is told.
    """
    if one.note:
        return True
    linked = bool(one.likely or one.alike)
    return one.outcome == "added" and (linked or is_short or one.candidate.origin != "plain")


def _neighbours(
    one: Decision, row: Vectors, view: EntityView, current: NDArray[np.bool_], own: Collection[str]
) -> Iterator[FactState]:
    """Yield the current facts near in meaning that share a word with a statement; any, where one was named in vain."""
    if one.ended:
        return
    places = np.flatnonzero(current & (row >= (_NAMED if one.note else _NEAR)))
    said = set(terms(one.candidate.text)) - set(own)
    for place in places[np.argsort(-row[places], kind="stable")][:_NEIGHBOURS]:
        fact = view.ordered[int(place)]
        if one.note or said.intersection(terms(fact.record.text)):
            yield fact


def _rank(entry: tuple[bool, Related]) -> tuple[bool, float]:
    return entry[0], entry[1].similarity


def _settled(one: Decision) -> tuple[str | int | None, ...]:
    return (*one.supersedes, *one.superseded_by, *one.replaces, *one.closes, one.duplicate_of)
