"""Which of an entity's facts answer a query best: fused scores over a view, no storage, no clock.

Scores, each scaled to 0..1, are added, not ranks. Words and meaning are each asked of the fact itself and of what
stands around it, because an answer often stands beside the words that its question uses. A conversation is such a
neighbourhood, and so is a document. The weights were chosen on conversations (`benchmarks/recall.py` measures them);
quality hardly changes when any of them is halved or doubled.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.distinction import find_distinction
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import content_words, stem, words
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.arrangement import arrange
from interlayer.models.words import word_vectors
from interlayer.text.fusion import min_max

_EXACT: Final = 0.5  # words in the fact itself
_NEAR: Final = 1.0  # words close to it
_AROUND: Final = 0.7  # words in the same passage
_MEANING: Final = 0.5
_MEANING_NEAR: Final = 1.0
_SUBJECT: Final = 0.5  # said by, or labelled with, what the query names
_QUESTION: Final = 0.3  # taken off: a question states nothing
_CONFIDENCE: Final = 0.1  # this and recency decide between equals and nothing else
_RECENCY: Final = 0.1
_TOTAL: Final = _EXACT + _NEAR + _AROUND + _MEANING + _MEANING_NEAR + _SUBJECT + _CONFIDENCE + _RECENCY

_NEAR_STEPS: Final = (1, 2, 4)  # 7 facts either side
_NEAR_DECAY: Final = 0.9
_MEANING_DECAY: Final = 0.8
_AROUND_STEPS: Final = (1, 2, 4, 8, 16)  # 31 facts either side
_AROUND_DECAY: Final = 0.96
_CENTRED_BY: Final = 8  # facts by which the mean of an entity's vectors counts half
_SAME_SOURCE: Final = 0.97  # factor for each better fact of the same source: one source must not fill the page

_UPDATED: Final = 5  # best facts for which a newer word on the same matter is looked for
_SAME_MATTER: Final = 0.1  # an announced change is about the best fact: shared words plus centred cosine
_PARALLEL: Final = 1.1  # the same, for a newer statement that does not call itself a change
_LATER_S: Final = 3_600  # what is said within the hour belongs to one conversation
_LIFT: Final = 1e-4
_OF_THE_PAST: Final = re.compile(
    rf"(?i)\b(?:did|was|were|had|used to|before|ago|{lexicon.pattern(lexicon.words('former'))})\b"
)


def asked(query: str, names: Collection[str]) -> str:
    """Return the query without the entity's own names: every fact is about it, so they tell none from another."""
    own = {stem(word) for name in names for word in content_words(name)}
    kept = [part for part in query.split() if not own.issuperset(stem(word) for word in content_words(part)) or not own]
    rest = " ".join(part for part in kept if part)
    return rest if any(True for _ in content_words(rest)) else query


def rank(
    view: EntityView,
    query: str,
    vector: NDArray[np.float32],
    numbers: NDArray[np.int64],
    best: int,
    names: Collection[str] = (),
    *,
    collapse: bool = True,
) -> list[tuple[FactState, float | None]]:
    """Return the `best` of the facts of these numbers, ascending, with a score of 0..1, in order.

    `vector` is (dims,) of what `asked` made of the query, zeros if there is none; `names` are the entity's. With
    `collapse` other words for the same come last.
    """
    if not len(numbers):
        return []
    traits = view.traits
    scores = _relevance(view, asked(query, names), vector)[numbers]
    scores += _SUBJECT * traits.labelled(_stems(query))[numbers]
    scores -= _QUESTION * traits.questions[numbers]
    scores += _CONFIDENCE * traits.confidence[numbers] + _RECENCY * _recency(traits.observed[numbers])
    scores = np.clip(scores / _TOTAL, 0, 1)
    scores *= (_SAME_SOURCE ** np.minimum(_turns(-scores, traits.origins[numbers]), 20)).astype(np.float32)
    if not _OF_THE_PAST.search(query):
        scores = _lift_newer(view, scores, numbers, names)
    order, scores = arrange(numbers, scores, view.groups, collapse=collapse)
    return [(view.ordered[numbers[place]], round(float(scores[place]), 4)) for place in order[:best]]


def without_query(
    view: EntityView, numbers: NDArray[np.int64], best: int, *, collapse: bool = True
) -> list[tuple[FactState, float | None]]:
    """Return the `best` of these facts most confident and recent first, one source after another."""
    confidence, observed = view.traits.confidence[numbers], view.traits.observed[numbers]
    place = np.empty(len(numbers), dtype=np.int64)
    place[np.lexsort((-numbers, -observed, -confidence))] = np.arange(len(numbers))
    order = np.lexsort((place, _turns(place, view.traits.origins[numbers])))
    strengths = np.empty(len(numbers), dtype=np.float64)
    strengths[order] = -np.arange(len(order))
    order, _ = arrange(numbers, strengths, view.groups, collapse=collapse)
    return [(view.ordered[numbers[one]], None) for one in order[:best]]


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


def _recency(observed: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (n,) float32: 1 for the newest, 0 for the oldest, by order and not by distance."""
    return min_max(np.searchsorted(np.sort(observed), observed).astype(np.float32))


def _relevance(view: EntityView, query: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (facts,) float32: the weighted sum of the legs of words and meaning."""
    matched = view.words.matches(query, word_vectors())
    legs = [
        (_EXACT, matched.sum(axis=0)),
        (_NEAR, _highest_around(matched, _NEAR_STEPS, _NEAR_DECAY).sum(axis=0)),
        (_AROUND, _highest_around(matched, _AROUND_STEPS, _AROUND_DECAY).sum(axis=0)),
    ]
    if vector.any():
        meaning = _centre(view, vector)
        legs += [(_MEANING, meaning), (_MEANING_NEAR, _sum_around(meaning, _NEAR_STEPS, _MEANING_DECAY))]
    weights, scores = zip(*legs, strict=True)
    relevance: NDArray[np.float32] = np.array(weights, dtype=np.float32) @ min_max(np.array(scores))
    return relevance


def _centre(view: EntityView, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (facts,) float32: cosines after what all facts of the entity have in common is taken off.

    Centring is what keeps one subject's facts, which all lie close together, apart (Mu and Viswanath, "All-but-the-
    Top", 2018). With few facts their mean is the facts themselves, so it counts less.
    """
    count = len(view.ordered)
    mean = view.vector_sum / count * (count / (count + _CENTRED_BY))
    with_mean = view.vectors @ mean  # a product each: multiplying by both at once takes twice the time
    square = float(mean @ mean)
    lengths = np.sqrt(np.maximum(1 - 2 * with_mean + square, 1e-6))
    own = float(np.linalg.norm(vector - mean)) or 1.0
    cosines = (view.vectors @ vector - with_mean - float(vector @ mean) + square) / (lengths * own)
    return cosines.astype(np.float32)


def _highest_around(scores: NDArray[np.float32], steps: Sequence[int], decay: float) -> NDArray[np.float32]:
    """Return (words, facts): for each word the best match in the neighbourhood, less the further away it is.

    Shifting by 1, 2, 4, ... reaches every distance below the sum of the steps.
    """
    ways = np.array([scores, scores[:, ::-1]])  # what stands before each fact, and, mirrored, what stands after it
    for step in steps:
        if step >= scores.shape[1]:
            break
        np.maximum(ways[:, :, step:], decay**step * ways[:, :, :-step], out=ways[:, :, step:])
    return np.maximum(ways[0], ways[1, :, ::-1])


def _sum_around(scores: NDArray[np.float32], steps: Sequence[int], decay: float) -> NDArray[np.float32]:
    left, right = scores.copy(), scores.copy()
    for step in steps:
        if step >= len(scores):
            break
        left[step:] += decay**step * left[:-step]
        right[:-step] += decay**step * right[step:]
    around: NDArray[np.float32] = left + right - scores
    return around


def _lift_newer(
    view: EntityView, scores: NDArray[np.float32], numbers: NDArray[np.int64], names: Collection[str]
) -> NDArray[np.float32]:
    """Put a newer word on the same matter above each of the best facts.

    A query uses the words of what was so more often than those of what is so now ("where is it headquartered" finds
    "is headquartered in", not "relocated to"), so what changed is found by its likeness to the older fact.
    """
    observed = view.traits.observed
    best = np.argsort(-scores, kind="stable")[:_UPDATED]
    if observed[numbers].max() <= observed[numbers[best]].min() + _LATER_S:
        return scores
    own = {stem(word) for name in names for word in content_words(name)}
    for place in best:
        number = int(numbers[place])
        newer = numbers[observed[numbers] > observed[number] + _LATER_S]
        if not len(newer):
            continue
        text = view.ordered[number].record.text
        matter = view.words.shared(text, own)[newer] + _centre(view, view.vectors[number])[newer]
        found = _newest_word(view, text, newer, matter)
        lifted = np.searchsorted(numbers, found) if found is not None else place
        if scores[lifted] <= scores[place] and lifted != place:
            scores[lifted] = min(scores[place] + _LIFT, 1)
    return scores


def _newest_word(view: EntityView, text: str, newer: NDArray[np.int64], matter: NDArray[np.float32]) -> int | None:
    """Return the number of the newer fact that most probably tells what became of `text`, or None."""
    announced = np.where(view.traits.announcing[newer], matter, -1)
    choice = int(np.argmax(announced))
    if announced[choice] >= _SAME_MATTER:
        return int(newer[choice])
    choice = int(np.argmax(matter))
    parallel = matter[choice] >= _PARALLEL and find_distinction(view.ordered[int(newer[choice])].record.text, text)
    return int(newer[choice]) if parallel else None


def _stems(text: str) -> set[str]:
    return {stem(word.removesuffix("'s").removesuffix("’s")) for word in words(text)}
