"""How well each fact of an entity answers a query: legs of words and meaning, and the weights that fuse them.

Words and meaning are each asked of the fact itself, of what stands near it, and of its passage, because an answer often
stands beside the words that its question uses. Each leg is scaled to 0..1 over the facts; the weighted legs are added:
scores, not ranks. The weights were chosen by leaving one set of questions out at a time
(`python benchmarks recall --choose`); quality hardly changes when any of them is halved or doubled.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import stem, words
from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.query import asked, expected
from interlayer.models.words import word_vectors
from interlayer.text.fusion import min_max

WEIGHTS: Final[Mapping[str, float]] = {
    "words": 0.5,  # in the fact itself
    "words_near": 1.0,  # close to it
    "words_around": 0.7,  # further away
    "words_passage": 0.5,  # in its own passage
    "meaning": 0.5,
    "meaning_near": 1.0,
    "subject": 0.5,  # said by, or labelled with, what the query names
    "question": -0.3,  # a question states nothing
    "recency": 0.1,  # unless the past is asked for
    "confidence": 0.1,  # decides between equals and nothing else
}

_NEAR_STEPS: Final = (1, 2, 4)  # 7 facts either side
_NEAR_DECAY: Final = 0.9
_MEANING_DECAY: Final = 0.8
_AROUND_STEPS: Final = (1, 2, 4, 8, 16)  # 31 facts either side
_AROUND_DECAY: Final = 0.96
_CENTRED_BY: Final = 8  # facts by which the mean of an entity's vectors counts half
_ALSO: Final = 0.5  # of the weight of a word of the query: what the caller only expects
_OF_THE_PAST: Final = re.compile(
    rf"(?i)\b(?:did|was|were|had|used to|before|ago|{lexicon.pattern(lexicon.words('former'))})\b"
)

Floats = NDArray[np.float32]


def legs(
    view: EntityView,
    query: str,
    vector: Floats,
    numbers: NDArray[np.int64],
    names: Collection[str],
    also: Sequence[str],
) -> Mapping[str, Floats]:
    """Return what is known of the facts of these numbers by the names of `WEIGHTS`, each (n,) of 0..1.

    `vector` is (dims,) of what `asked` made of the query, zeros if there is none; `also` are words that an answer
    may hold.
    """
    matched = _matched(view, asked(query, names), also)
    found = {
        "words": matched.sum(axis=0),
        "words_near": _highest_around(matched, _NEAR_STEPS, _NEAR_DECAY).sum(axis=0),
        "words_around": _highest_around(matched, _AROUND_STEPS, _AROUND_DECAY).sum(axis=0),
        "words_passage": _highest_of(matched, view.traits.passages).sum(axis=0),
    }
    if vector.any():
        meaning = _centre(view, vector)
        found |= {"meaning": meaning, "meaning_near": _sum_around(meaning, _NEAR_STEPS, _MEANING_DECAY)}
    traits = view.traits
    return {name: min_max(leg)[numbers] for name, leg in found.items()} | {
        "subject": traits.labelled(_stems(query))[numbers],
        "question": traits.questions[numbers],
        "recency": _recency(traits.observed[numbers]) * (_OF_THE_PAST.search(query) is None),
        "confidence": traits.confidence[numbers],
    }


def fuse(found: Mapping[str, Floats], weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """Return (n,) float32 of 0..1: the weighted legs, added."""
    total = sum(weight for weight in weights.values() if weight > 0)
    scores = sum(np.float32(weights[name]) * leg for name, leg in found.items())
    return np.clip(scores / np.float32(total), 0, 1)


def _matched(view: EntityView, query: str, also: Sequence[str]) -> Floats:
    """Return (words, facts): how well each fact matches each word of the query, and each that the caller expects."""
    matched = view.words.matches(query, word_vectors())
    more = expected(query, also)
    if not more:
        return matched
    return np.concatenate([matched, np.float32(_ALSO) * view.words.matches(more, word_vectors())])


def _recency(observed: NDArray[np.float64]) -> Floats:
    """Return (n,) float32: 1 for the newest, 0 for the oldest, by order and not by distance."""
    return min_max(np.searchsorted(np.sort(observed), observed).astype(np.float32))


def _centre(view: EntityView, vector: Floats) -> Floats:
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


def _highest_of(scores: Floats, passages: NDArray[np.int32]) -> Floats:
    """Return (words, facts): for each word the best match in the passage of each fact."""
    first = np.flatnonzero(np.diff(passages, prepend=-1))
    highest: Floats = np.maximum.reduceat(scores, first, axis=1)[:, passages] if len(scores) else scores
    return highest


def _highest_around(scores: Floats, steps: Sequence[int], decay: float) -> Floats:
    """Return (words, facts): for each word the best match in the neighbourhood, less the further away it is.

    Shifting by 1, 2, 4, ... reaches every distance below the sum of the steps.
    """
    ways = np.array([scores, scores[:, ::-1]])  # what stands before each fact, and, mirrored, what stands after it
    for step in steps:
        if step >= scores.shape[1]:
            break
        np.maximum(ways[:, :, step:], decay**step * ways[:, :, :-step], out=ways[:, :, step:])
    return np.maximum(ways[0], ways[1, :, ::-1])


def _sum_around(scores: Floats, steps: Sequence[int], decay: float) -> Floats:
    left, right = scores.copy(), scores.copy()
    for step in steps:
        if step >= len(scores):
            break
        left[step:] += decay**step * left[:-step]
        right[:-step] += decay**step * right[step:]
    around: Floats = left + right - scores
    return around


def _stems(text: str) -> set[str]:
    return {stem(word.removesuffix("'s").removesuffix("’s")) for word in words(text)}
