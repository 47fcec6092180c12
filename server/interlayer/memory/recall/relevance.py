"""How well each fact of an entity answers a query: legs of words and meaning, and the weights that fuse them.

Words and meaning are each asked of the fact itself, of what stands near it, and of its passage, because an answer often
stands beside the words that its question uses. What took the place of a fact answers what that one was asked for, in
whatever words: "Ten drivers use Pear phones now" for "Drivers use Acorn phones only". Each leg is scaled to 0..1 over
the facts; the weighted legs are added: scores, not ranks. The weights were chosen by leaving one set of questions out
at a time (`python benchmarks recall --choose`); quality hardly changes when any of them is halved or doubled.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import content_words, stem, words
from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.query import asked, expected
from interlayer.models.words import word_vectors
from interlayer.text.fusion import min_max

WEIGHTS: Final[Mapping[str, float]] = {
    "words": 0.5,  # in the fact itself
    "words_near": 2.5,  # close to it
    "words_around": 1.15,  # further away
    "words_passage": 0.75,  # in its own passage
    "meaning": 0.4,
    "meaning_near": 0.75,
    "meaning_passage": 0.3,
    "subject": 0.75,  # said by, or labelled with, what the query names
    "question": -1.0,  # a question states nothing
    "recency": 0.55,  # unless the past is asked for
    "confidence": 0.1,  # decides between equals and nothing else
}
"""What each leg counts. Chosen by `python benchmarks recall --choose` and rounded."""

_NEAR_STEPS: Final = (1, 2, 4)  # 7 facts either side
_NEAR_DECAY: Final = 0.9
_MEANING_DECAY: Final = 0.8
_AROUND_STEPS: Final = (1, 2, 4, 8, 16)  # 31 facts either side
_AROUND_DECAY: Final = 0.96
_CENTRED_BY: Final = 8  # facts by which the mean of an entity's vectors counts half
_ALSO: Final = 0.5  # of the weight of a word of the query: what the caller only expects
_FEW: Final = 5  # facts that are always sent
_MANY: Final = 40  # facts: of more than that only the best are sent anyway
_REACHED: Final = 0.3  # share of the words of a query that the best fact has, for a query that finds what it means
_CLOSE: Final = 0.1  # centred cosine under which a fact has no meaning in common with a query
_FAR: Final = 0.4  # of the best score
_OF_THE_PAST: Final = re.compile(
    rf"(?i)\b(?:did|was|were|had|used to|before|ago|{lexicon.pattern(lexicon.words('former'))})\b"
)

Floats = NDArray[np.float32]
_NOBODY: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Relevance:
    """What tells how well facts answer a query, (n,) each: `legs` of 0..1 by the names of `WEIGHTS`.

    `worded` is the share of the words of the query that each has, by their rarity, and `close` how near each is in
    meaning, None where there are no vectors.
    """

    legs: Mapping[str, Floats]
    worded: Floats
    close: Floats | None

    @classmethod
    def of(
        cls,
        view: EntityView,
        query: str,
        vector: Floats,
        numbers: NDArray[np.int64],
        names: Collection[str],
        also: Sequence[str],
    ) -> "Relevance":
        """Compare the facts of these numbers with a query.

        `vector` is (dims,) of what was `meant`, zeros if there is none; `also` are words that an answer may hold.
        """
        rows = view.around.facts
        matched, most = _matched(view, asked(query, names), also)
        former, latter = view.successions if is_of_now(query) else (_NOBODY, _NOBODY)
        np.maximum.at(matched.T, rows[latter], matched.T[rows[former]])
        words = matched.sum(axis=0)[rows]
        found = {
            "words": words,
            "words_near": _highest_around(matched, _NEAR_STEPS, _NEAR_DECAY).sum(axis=0)[rows],
            "words_around": _highest_around(matched, _AROUND_STEPS, _AROUND_DECAY).sum(axis=0)[rows],
            "words_passage": _highest_of(matched, view.around.passages).sum(axis=0)[rows],
        }
        close: Floats | None = None
        if vector.any():
            meaning = centred(view, vector)
            np.maximum.at(meaning, latter, meaning[former])
            close = meaning[numbers]
            found |= {
                "meaning": meaning,
                "meaning_near": _sum_around(meaning, _NEAR_STEPS, _MEANING_DECAY),
                "meaning_passage": view.passage_vectors @ vector,
            }
        traits = view.traits
        scaled = min_max(np.array(list(found.values()), dtype=np.float32))[:, numbers]
        legs = dict(zip(found, scaled, strict=True)) | {
            "subject": traits.labelled(_stems(query))[numbers],
            "question": traits.questions[numbers],
            "recency": _recency(traits.observed[numbers]) * is_of_now(query),
            "confidence": traits.confidence[numbers],
        }
        return cls(legs, words[numbers] / np.float32(most or 1), close)

    def scores(self, weights: Mapping[str, float] = WEIGHTS) -> Floats:
        """Return (n,) float32 of 0..1: the weighted legs, added."""
        total = sum(weight for weight in weights.values() if weight > 0)
        shares = np.array([weights[name] / total for name in self.legs], dtype=np.float32)
        added: Floats = shares @ np.array(list(self.legs.values()), dtype=np.float32)
        return np.clip(added, 0, 1)

    def off(self) -> NDArray[np.bool_]:
        """Return (n,) bool: which facts clearly have nothing to do with the query, beside what it reaches.

        Where nothing has its words, none is: it was asked in other words. The best ones never are. How sure a fact is
        does not matter here: to confirm one would cost another its place.
        """
        if self.close is None or not _FEW < len(self.worded) <= _MANY or self.worded.max() < _REACHED:
            return np.zeros(len(self.worded), dtype=np.bool_)
        scores = self.scores({**WEIGHTS, "confidence": 0.0})
        off = (self.worded == 0) & (self.close < _CLOSE) & (scores < _FAR * scores.max())
        off[np.argsort(-scores, kind="stable")[:_FEW]] = False
        return off


def is_of_now(query: str) -> bool:
    """Tell whether a query asks for what is so now: it does unless it names the past."""
    return _OF_THE_PAST.search(query) is None


def _matched(view: EntityView, query: str, also: Sequence[str]) -> tuple[Floats, float]:
    """Return (words, rows): how well each row matches each word of the query, and each that the caller expects.

    Beside it stands what a row with all words of the query would have.
    """
    index = view.around.words
    matched = index.matches(query, word_vectors())
    most = sum(index.rarity(stem(word)) for word in dict.fromkeys(content_words(query)))
    more = expected(query, also)
    if more:
        matched = np.concatenate([matched, np.float32(_ALSO) * index.matches(more, word_vectors())])
    return matched, most


def _recency(observed: NDArray[np.float64]) -> Floats:
    """Return (n,) float32: 1 for the newest, 0 for the oldest, by order and not by distance."""
    return min_max(np.searchsorted(np.sort(observed), observed).astype(np.float32))


def centred(view: EntityView, vector: Floats) -> Floats:
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
    """Return (words, rows): for each word the best match in the passage of each row."""
    first = np.flatnonzero(np.diff(passages, prepend=-1))
    highest: Floats = np.maximum.reduceat(scores, first, axis=1)[:, passages] if len(scores) else scores
    return highest


def _highest_around(scores: Floats, steps: Sequence[int], decay: float) -> Floats:
    """Return (words, rows): for each word the best match in the neighbourhood, less the further away it is.

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
