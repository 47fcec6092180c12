"""How relevant each section is to a task: fused scores for the order, absolute evidence for the floor.

Three legs are added: the words of a section, its meaning, and the words of its policy's title and description.

Scores that are scaled per call say which section is best and nothing about whether it is any good, so a section
must first pass a floor made of what does not depend on the others (`evidence`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.terms import terms
from interlayer.models.embedder import Vectors
from interlayer.models.scale import REFERENCE, Scale
from interlayer.text.bm25 import Bm25, Impacts
from interlayer.text.fusion import min_max
from interlayer_policies.delivery.evidence.background import TASK_WORDS
from interlayer_policies.delivery.evidence.floor import FLOOR, Coverage, Floor
from interlayer_policies.delivery.evidence.query import Query

Floats = NDArray[np.float32]

_BEST_SENTENCES: Final = 5
_CENTRED_BY: Final = 8  # sections by which the mean of a set's vectors counts half
_LIKENESS_LEAST: Final = 0.02

# A policy is ranked by its best section in each leg, because what is asked may stand in several; which of its sections
# is best decides among them.
_WHOLE_POLICY: Final = 0.98


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the fused score, chosen like the floor.

    A title says what a policy is about and little else, so a word in it is worth more than one somewhere in a section.
    By words counts in how many sentences a word stands; by meaning the best few sentences, because one section answers
    but a part of a task. Legs of words count in full from this coverage on, and less by its square below: where next
    to none of the task's words is known, which sections have them is chance.
    """

    words: float = 0.4
    title: float = 0.18
    meaning: float = 0.14
    sure: float = 0.4


SHARES: Final = Shares()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the floor asks of sections, (n,) each: the highest over the texts of a task, 0 without vectors.

    `least` is the evidence that nearness alone needs, `alone` which sections would pass whatever else is in the set.
    """

    cosines: Floats
    coverage: Floats
    evidence: Floats
    least: float
    alone: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relevance:
    """Of the sections of these numbers: weighted legs, each (n,), not yet scaled; and (n,) who passes the floor."""

    among: NDArray[np.intp]
    legs: tuple[tuple[float, Floats], ...]
    passes: NDArray[np.bool_]

    def scores(self, kept: NDArray[np.bool_] | None = None) -> Floats:
        """Return the scores of the sections that are kept, 0 to 1, as if there were no others."""
        result = np.zeros(len(self.among) if kept is None else int(kept.sum()), dtype=np.float32)
        for weight, leg in self.legs:
            result += np.float32(weight) * _scaled(leg if kept is None else leg[kept])
        return result / np.float32(sum(weight for weight, _ in self.legs))


class SectionIndex:
    """The sections of a set, searchable.

    `heads` are the titles and descriptions of the policies, `policies` (sections,) the number of each one's policy,
    `vectors` (sections, dims), None while there is no embedder, `scale` that of their space.
    """

    def __init__(
        self,
        texts: Sequence[str],
        heads: Sequence[str],
        policies: NDArray[np.intp],
        vectors: Vectors | None,
        scale: Scale = REFERENCE,
        shares: Shares = SHARES,
        floor: Floor = FLOOR,
    ) -> None:
        self._words, self._titles = _impacts(texts), _impacts(heads)
        self._policies = policies
        self._vectors, self._scale = vectors, scale
        self._shares, self._floor = shares, floor
        if vectors is not None:
            # What all sections of a set have in common tells none from another (Mu and Viswanath, "All-but-the-Top",
            # 2018). With few sections their mean is the sections themselves, so it counts less.
            count = len(vectors)
            self._mean: Floats = vectors.sum(axis=0) / np.float32(count + _CENTRED_BY)
            self._along = vectors @ self._mean
            self._square = float(self._mean @ self._mean)
            self._lengths = _lengths(self._along, self._square)

    @property
    def has_vectors(self) -> bool:
        """Whether the sections were embedded."""
        return self._vectors is not None

    @property
    def size(self) -> int:
        """How many sections there are."""
        return len(self._words)

    def relevance(self, query: Query, among: NDArray[np.intp]) -> Relevance:
        """Return the relevance of the sections of these numbers, ascending."""
        cosines = self._cosines(query, among)
        coverage = [*self._coverage(query, among)]
        passes = self._passes(query, cosines, coverage)
        centred, likeness = None, np.ones(len(query.units))
        if cosines is not None and query.vectors is not None:
            centred = np.maximum(self._centre(cosines, query.vectors, among), 0)
            # Much of a long task is not about anything that the set knows: a sentence counts by its best section.
            likeness = centred.max(axis=0, initial=_LIKENESS_LEAST).astype(np.float64) ** 2
        weights = _weights(query.units, likeness / likeness.sum())
        lift = _Lift(self._policies[among])
        words = lift(self._words.weighted(weights)[among])
        title = self._titles.weighted(weights)[self._policies[among]]
        if centred is None:
            return Relevance(among, ((self._shares.words, words), (self._shares.title, title)), passes)
        highest = np.array([unit.shares.max(initial=0) for unit in coverage])
        sure = min(1.0, float(highest @ likeness / likeness.sum()) / self._shares.sure) ** 2
        meaning = lift(_best(centred * (likeness / likeness.max()).astype(np.float32)))
        legs = ((self._shares.words * sure, words), (self._shares.title * sure, title), (self._shares.meaning, meaning))
        return Relevance(among, legs, passes)

    def has_words_of(self, query: Query, among: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return (n,) which of these sections have so many words of the task that they alone are evidence."""
        return self._passes(query, None, [*self._coverage(query, among)])

    def evidence(self, query: Query, among: NDArray[np.intp]) -> Evidence:
        """Return the evidence of these sections that the floor asks for."""
        coverage = [*self._coverage(query, among)]
        covered = np.max([unit.shares for unit in coverage], axis=0)
        cosines = self._cosines(query, among)
        found = [self._evidence(query, number, cosines, unit) for number, unit in enumerate(coverage)]
        alone = np.logical_or.reduce(
            [self._floor.passes_alone(*one) for one in zip(coverage, found, query.words.tolist(), strict=True)]
        )
        highest = np.zeros(len(among), dtype=np.float32)
        if cosines is None:
            return Evidence(highest, covered, highest, 0.0, alone)
        for one in found:
            highest = highest if one is None else np.maximum(highest, one)
        least = self._floor.least(len(self._words))
        return Evidence(self._scale.read(cosines.max(axis=1)), covered, highest, least, alone)

    def _cosines(self, query: Query, among: NDArray[np.intp]) -> Floats | None:
        """Return (sections, units) cosines of their space, None when there are no vectors on either side."""
        if self._vectors is None or query.vectors is None:
            return None
        everything = len(among) == len(self._vectors)
        return (self._vectors if everything else self._vectors[among]) @ query.vectors.T

    def _centre(self, cosines: Floats, asked: Vectors, among: NDArray[np.intp]) -> Floats:
        """Return (sections, units): the cosines after the mean of the set is taken off both sides."""
        along = asked @ self._mean
        products = np.subtract(cosines, self._along[among][:, None], dtype=np.float32)
        products -= along[None, :] - np.float32(self._square)
        products /= self._lengths[among][:, None]
        products /= _lengths(along, self._square)[None, :]
        return products

    def _coverage(self, query: Query, among: NDArray[np.intp]) -> Iterable[Coverage]:
        """Yield the coverage of each unit."""
        asked = {term for unit in query.units for term in unit}
        known = {term: (weight, self._words.of(term)[0]) for term in asked if (weight := self._weight(term))}
        for unit in query.units:
            found = [known[term] for term in unit if term in known]
            numbers = np.concatenate([np.zeros(0, dtype=np.intc), *(holding for _, holding in found)])
            each = np.repeat([weight for weight, _ in found], [len(holding) for _, holding in found])
            total = sum(weight for weight, _ in found)
            covered = np.bincount(numbers, each, len(self._words))[among] / max(total, 1e-6)
            yield Coverage(covered.astype(np.float32), np.bincount(numbers, minlength=len(self._words))[among])

    def _passes(self, query: Query, cosines: Floats | None, coverage: Sequence[Coverage]) -> NDArray[np.bool_]:
        """Return (n,) which sections pass the floor by any unit."""
        found = [
            self._floor.passes(unit, self._evidence(query, number, cosines, unit), len(self._words))
            for number, unit in enumerate(coverage)
        ]
        return np.logical_or.reduce(found)

    def _evidence(self, query: Query, unit: int, cosines: Floats | None, coverage: Coverage) -> Floats | None:
        if cosines is None:
            return None
        return self._floor.evidence(query, unit, cosines[:, unit], coverage, self._scale)

    def _weight(self, term: str) -> float:
        """Weigh a shared term as evidence: its rarity, nothing for task words and bare numbers."""
        return 0.0 if term in TASK_WORDS or term.isdecimal() else self._words.rarity(term)


class _Lift:
    """Counts a section mostly by the best one of its policy."""

    def __init__(self, policies: NDArray[np.intp]) -> None:
        self._starts = np.flatnonzero(np.append(True, policies[1:] != policies[:-1]))[: len(policies)]
        self._sizes = np.diff(np.append(self._starts, len(policies)))

    def __call__(self, scores: Floats) -> Floats:
        if not len(scores):
            return scores
        best = np.repeat(np.maximum.reduceat(scores, self._starts), self._sizes)
        return np.float32(1 - _WHOLE_POLICY) * scores + np.float32(_WHOLE_POLICY) * best


def _weights(units: Sequence[Sequence[str]], shares: NDArray[np.float64]) -> dict[str, float]:
    """Return term -> the share of the units that use it."""
    found: dict[str, float] = {}
    for unit, share in zip(units, shares.tolist(), strict=True):
        for term in unit:
            found[term] = found.get(term, 0.0) + share
    return found


def _impacts(texts: Iterable[str]) -> Impacts:
    index = Bm25()
    for text in texts:
        index.add(_terms_of(text))
    return index.impacts()


@lru_cache(maxsize=50_000)
def _terms_of(text: str) -> tuple[str, ...]:
    """Return the terms of a text of a set; remembered, because most of a set is the same after a publish."""
    return tuple(terms(text))


def _lengths(along: Floats, square: float) -> Floats:
    """Return (n,) the lengths of unit vectors after a mean is taken off, given their products with it."""
    return np.sqrt(np.maximum(1 - 2 * along + np.float32(square), np.float32(1e-6)))


def _best(cosines: Floats) -> Floats:
    """Return (sections,) the mean of the best few of each section's cosines."""
    units = cosines.shape[1]
    if units > _BEST_SENTENCES:
        cosines = np.partition(cosines, units - _BEST_SENTENCES, axis=1)[:, -_BEST_SENTENCES:]
    best: Floats = cosines.mean(axis=1)
    return best


def _scaled(scores: Floats) -> Floats:
    """Return scores scaled to 0..1 from nothing in common."""
    return min_max(np.append(scores, np.float32(0)).astype(np.float32))[:-1]
