"""Which of an entity's facts answer a query best: fused scores over a view, no storage, no clock.

Four legs, each scaled to 0..1 and added: cosine, stemmed BM25, and both again over a window of one fact either side,
because what answers a question often stands beside the words that the question uses. Confidence breaks ties.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.view import EntityView, FactState
from interlayer.text.fusion import min_max
from interlayer.text.terms import terms

_WINDOW_WEIGHT: Final = 0.5  # of a neighbour's score in the window of a fact
_CONFIDENCE_WEIGHT: Final = 0.05  # decides between equals and nothing else


def rank(
    view: EntityView, query: str, vector: NDArray[np.float32], eligible: Sequence[FactState], best: int
) -> list[tuple[FactState, float | None]]:
    """Return the `best` eligible facts with a score of 0..1, in order; `vector` is (dims,), zeros if there is none."""
    if not eligible:
        return []
    numbers = np.array([fact.number for fact in eligible])
    cosine = view.vectors @ vector
    lexical = view.lexical.scores(terms(query))
    legs = [cosine, lexical, _window(cosine), _window(lexical)]
    scores = np.sum([min_max(leg[numbers]) for leg in legs], axis=0) / len(legs)
    confidence = np.array([fact.confidence for fact in eligible], dtype=np.float32)
    scores = (scores + _CONFIDENCE_WEIGHT * confidence) / (1 + _CONFIDENCE_WEIGHT)
    order = np.lexsort((numbers, -scores))
    return [(eligible[place], round(float(scores[place]), 4)) for place in order[:best]]


def without_query(eligible: Sequence[FactState]) -> list[FactState]:
    """Return the facts most confident and recent first, one source after another so that no source crowds the rest."""
    ordered = sorted(eligible, key=lambda fact: (fact.confidence, fact.record.observed_at, fact.number), reverse=True)
    turn: dict[str, int] = {}
    placed: list[tuple[int, int, FactState]] = []
    for place, fact in enumerate(ordered):
        origin = fact.memory.source or fact.memory.id
        turn[origin] = turn.get(origin, -1) + 1
        placed.append((turn[origin], place, fact))
    return [fact for _, _, fact in sorted(placed, key=lambda entry: entry[:2])]


def _window(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    around = np.zeros_like(scores)
    around[1:] += scores[:-1]
    around[:-1] += scores[1:]
    around *= _WINDOW_WEIGHT
    return scores + around
