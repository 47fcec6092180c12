"""The current facts near to what a call adds: its caller may know that they do not hold any more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlayer.language.terms import content_words, stem
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
    added = [number for number, one in enumerate(decisions) if one.outcome == "added" or one.note][:_ADDED_MAX]
    count = min(len(known_vectors), len(view.ordered))
    if not added or not count or not vectors.shape[1]:
        return []
    own = frozenset(stem(word) for name in names for word in content_words(name))
    settled = {name for one in decisions for name in _settled(one)}
    current = ~view.traits.superseded[:count]
    found: dict[FactState, tuple[bool, Related]] = {}
    for number, row in zip(added, scale.read(vectors[added] @ known_vectors[:count].T), strict=True):
        one = decisions[number]
        linked = {view.fact(name) for name in (*one.meant, *one.likely, *one.alike) if isinstance(name, str)}
        shared = view.words.shared(one.candidate.text, own)[:count]
        near = np.where(current & ((row >= _NEAR) & (shared > 0) | (bool(one.note) & (row >= _NAMED))), row, 0)
        closest = [view.ordered[int(place)] for place in np.argsort(-near, kind="stable")[:_NEIGHBOURS] if near[place]]
        for fact in {*closest, *(fact for fact in linked if fact and fact.number < count)}:
            if not current[fact.number] or fact.record.id in settled or one.ended:
                continue
            entry = fact in linked, Related(fact, round(float(row[fact.number]), 3), number)
            if fact not in found or _rank(entry) > _rank(found[fact]):
                found[fact] = entry
    best = sorted(found.values(), key=lambda entry: (*_rank(entry), -entry[1].fact.number), reverse=True)
    return [entry for _, entry in best[:RELATED_MAX]]


def _rank(entry: tuple[bool, Related]) -> tuple[bool, float]:
    return entry[0], entry[1].similarity


def _settled(one: Decision) -> tuple[str | int | None, ...]:
    return (*one.supersedes, *one.superseded_by, *one.replaces, *one.closes, one.duplicate_of)
