"""The few facts of a neighbour that answer a query best: two legs, words and meaning, that any two entities share.

A recall ranks one entity with all it has. Here are many, of which each has room for a few facts, and their facts are
compared with one another: so nothing is scaled within an entity, and what takes long is left out. The first three facts
hold nearly as much of what answers a question as those of a recall do (0.52 and 0.53 of the evidence, the mean of four
sets of questions), in a quarter of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.query import expected
from interlayer.memory.recall.ranking import without_query
from interlayer.memory.recall.relevance import centred, is_of_now

FACTS_MAX: Final = 3
"""Facts of a neighbour that are shown at most."""

_WORDS: Final = 2.0  # what the share of the words asked for counts beside the nearness in meaning
_RECENT: Final = 0.15  # unless the past is asked for
_QUESTION: Final = -0.3  # a question states nothing


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked of every neighbour: words, words that an answer may hold too, and the vector of both, (dims,)."""

    text: str
    also: Sequence[str]
    vector: NDArray[np.float32]
    min_confidence: float = 0.0

    @property
    def words(self) -> str:
        """The words of the query, and those that are expected beside them."""
        return f"{self.text} {expected(self.text, self.also)}"


def best_facts(view: EntityView, question: Question) -> list[tuple[float, FactState]]:
    """Return the best current facts with how well they answer, best first; those that nothing newer stands for."""
    traits, groups = view.traits, view.groups
    eligible = (traits.confidence >= np.float32(question.min_confidence)) & ~traits.superseded
    hidden = [*groups.behind, *groups.newer]
    if hidden:
        eligible[hidden] = False
    numbers = np.flatnonzero(eligible)
    if not len(numbers):
        return []
    if not question.text:
        ranked = without_query(view, numbers, FACTS_MAX)
        return [(0.0, view.ordered[number]) for number in ranked.best.tolist()]
    scores = np.float32(_WORDS) * view.words.shared(question.words)[numbers] + _QUESTION * traits.questions[numbers]
    if question.vector.any():
        scores = scores + np.maximum(centred(view, question.vector)[numbers], 0)
    if is_of_now(question.text):
        observed = traits.observed[numbers]
        scores = scores + _RECENT * (observed - observed.min()) / (np.ptp(observed) or 1)
    order = np.lexsort((numbers, -scores))[:FACTS_MAX]
    return [(float(scores[place]), view.ordered[int(numbers[place])]) for place in order]
