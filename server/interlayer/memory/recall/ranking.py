"""In which order an entity's facts are read: fused relevance over a view, no storage, no clock.

What a query finds is taken as it is found; a newer word stands above an older one where the two are known to be
related, and nowhere else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.announced import announced
from interlayer.memory.recall.arrangement import arrange
from interlayer.memory.recall.relevance import Relevance, is_of_now

_SAME_SOURCE: Final = 0.97  # factor for each better fact of the same source: one source must not fill the page


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The numbers of the best facts in order, with their scores if a query ranked them, and of all facts of that kind.

    `off` are those that clearly have nothing to do with the query: they are in neither.
    """

    best: NDArray[np.int64]
    scores: Sequence[float] | None
    numbers: NDArray[np.int64]
    off: int = 0

    @classmethod
    def none(cls) -> "Ranked":
        """Return that there are no facts."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, None, nothing)

    def only(self, left: NDArray[np.bool_]) -> "Ranked":
        """Return what is left of it; `left` is (facts,) bool, by number."""
        best = left[self.best]
        scores = None if self.scores is None else list(compress(self.scores, best))
        return replace(self, best=self.best[best], scores=scores, numbers=self.numbers[left[self.numbers]])


_ABOVE: Final = np.float32(1e-4)  # by which an announced change stands above what it changes


def rank(
    view: EntityView,
    query: str,
    vector: NDArray[np.float32],
    numbers: NDArray[np.int64],
    best: int,
    names: Collection[str] = (),
    *,
    also: Sequence[str] = (),
    collapse: bool = True,
) -> Ranked:
    """Return the `best` of the facts of these numbers, ascending, with a score of 0..1, in order.

    `vector` is (dims,) of what was `meant` by the query, zeros if there is none; `names` are the entity's, `also`
    words that an answer may hold. With `collapse` other words for the same come last.
    """
    if not len(numbers):
        return Ranked.none()
    relevance = Relevance.of(view, query, vector, numbers, names, also)
    scores = relevance.scores()
    turns = np.minimum(_turns(-scores, view.traits.origins[numbers]), 20)
    off = relevance.off()
    off[np.isin(numbers, _linked(view))] = False
    scores *= (_SAME_SOURCE**turns).astype(np.float32)
    for older, newer in announced(view, numbers, scores.copy(), names) if is_of_now(query) else ():
        scores[newer] = max(scores[newer], min(scores[older] + _ABOVE, 1))
        off[newer] = False
    order, strengths = arrange(numbers, scores, view.groups, collapse=collapse)
    order = order[~off[order]][:best]
    shown = np.round(strengths[order].astype(np.float64), 4).tolist()
    return Ranked(numbers[order], shown, numbers[~off], int(off.sum()))


def _linked(view: EntityView) -> list[int]:
    """Return the numbers of facts that gave way to newer ones, and of those: neither is read without the other."""
    newer = view.groups.newer
    return [*newer, *(fact.number for fact in newer.values())]


def without_query(view: EntityView, numbers: NDArray[np.int64], best: int, *, collapse: bool = True) -> Ranked:
    """Return the `best` of these facts most confident and recent first, one source after another."""
    confidence, observed = view.traits.confidence[numbers], view.traits.observed[numbers]
    place = np.empty(len(numbers), dtype=np.int64)
    place[np.lexsort((-numbers, -observed, -confidence))] = np.arange(len(numbers))
    order = np.lexsort((place, _turns(place, view.traits.origins[numbers])))
    strengths = np.empty(len(numbers), dtype=np.float64)
    strengths[order] = -np.arange(len(order))
    order, _ = arrange(numbers, strengths, view.groups, collapse=collapse)
    return Ranked(numbers[order[:best]], None, numbers)


def _turns(keys: NDArray[Any], origins: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return (n,) int64: how many facts of the same source come before each one, by ascending key."""
    order = np.lexsort((keys, origins))
    places = np.arange(len(order))
    sources = origins[order]
    first = np.ones(len(order), dtype=np.bool_)
    np.not_equal(sources[1:], sources[:-1], out=first[1:])
    turns = np.empty(len(order), dtype=np.int64)
    turns[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return turns
