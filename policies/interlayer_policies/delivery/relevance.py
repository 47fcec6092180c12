"""How relevant each section is to a task: fused scores for the order, absolute evidence for the floor.

Three legs are added: the words of a section, its meaning, and the words of its policy's title and description.

Scores that are scaled per call say which section is best and nothing about whether it is any good, so a section
must first pass a floor made of what does not depend on the others: the weight of the content words that it shares
with the task, and its cosine.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import terms
from interlayer.models.embedder import Vectors
from interlayer.models.scale import REFERENCE, Scale
from interlayer.text.bm25 import Bm25, Impacts
from interlayer.text.fusion import min_max
from interlayer.text.sentences import sentences

Floats = NDArray[np.float32]

_SENTENCES_MAX: Final = 24
_TERMS_MAX: Final = 400

# Capitalised words inside a sentence; words in capitals alone (GDPR, SLA) are terms of the trade and stay.
_NAMES: Final = re.compile(r"(?<=[a-z0-9,%)] )(?:(?:[A-Z][\w'’-]*[a-z][\w'’-]*)(?: |(?=[^\w ])|$))+")

# Shares of the fused score. A title says what a policy is about and little else, so a word in it is worth more than one
# somewhere in a section. Each leg asks the whole task, and its sentences: by words the mean of all of them, so that a
# word counts by how many sentences use it; by meaning the best few, because one section answers but a part of a task.
_WORDS, _MEANING, _TITLE = 0.6, 0.4, 0.5
_WHOLE, _SENTENCES = 0.4, 0.6
_BEST_SENTENCES: Final = 5
_CENTRED_BY: Final = 8  # sections by which the mean of a set's vectors counts half

# The floor, calibrated on invented tasks and policies in the space of the bundled embedder (tests/unit/policies), on
# whose scale the cosines of every space are read.
_COSINE_ALONE: Final = 0.38
_COVERAGE_ALONE: Final = 0.45
_SHARED_WORDS: Final = 2  # for coverage alone: one word in common is chance
_COSINE_WITH_WORDS: Final = 0.12
_TOGETHER: Final = 0.88  # 2 * cosine + coverage: a cosine of this space is half of what it looks like
# Among more sections chance finds better matches, so each doubling beyond a small set asks for more evidence.
_SMALL_SET: Final = 64
_PER_DOUBLING: Final = 0.04
_DOUBLINGS_MAX: Final = 6.0

# Words that say what the agent does or for whom, not what the task is about: alone they are no evidence.
_TASK_WORDS: Final = frozenset(terms(" ".join(lexicon.words("task_words", "number_words", "calendar_units"))))


@dataclass(frozen=True, slots=True)
class Query:
    """A task made ready: the terms of the whole and of each sentence, and their unit vectors if there are any.

    `text` is the task as told, `shares` are term -> the share of these texts that use it.
    """

    text: str
    units: tuple[tuple[str, ...], ...]
    shares: Mapping[str, float]
    vectors: Vectors | None


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


def texts_of(task: str, topics: Sequence[str] = ()) -> list[str]:
    """Return the texts that a task is asked with: the whole, its sentences when there are several, and each nameless.

    Whom a task is for says nothing about which guidance it needs, and names that no policy knows would drown what does.
    The topics that a caller names are further sentences, together and each alone.
    """
    found = [sentence.text for sentence in islice(sentences(task), _SENTENCES_MAX)]
    asked = [task, *found] if len(found) > 1 else [task]
    asked += [", ".join(topics), *topics] if topics else []
    return list(dict.fromkeys([*asked, *(_NAMES.sub("", text) for text in asked)]))


def query_of(texts: Sequence[str], vectors: Vectors | None) -> Query:
    """Return the query of `texts_of` and their vectors."""
    units = tuple(tuple(dict.fromkeys(terms(text)))[:_TERMS_MAX] for text in texts)
    counted = Counter(term for unit in units for term in unit)
    return Query(texts[0], units, {term: count / len(units) for term, count in counted.items()}, vectors)


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
    ) -> None:
        self._words, self._titles = _impacts(texts), _impacts(heads)
        self._policies = policies
        self._more = _PER_DOUBLING * min(_DOUBLINGS_MAX, math.log2(max(1.0, len(texts) / _SMALL_SET)))
        self._vectors, self._scale = vectors, scale
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

    def relevance(self, query: Query, among: NDArray[np.intp]) -> Relevance:
        """Return the relevance of the sections of these numbers, ascending."""
        whole = dict.fromkeys(query.units[0], 1.0)
        legs: list[tuple[float, Floats]] = []
        for weight, words, place in (
            (_WORDS, self._words, among),
            (_TITLE, self._titles, self._policies[among]),
        ):
            legs += [
                (weight * _WHOLE, words.weighted(whole)[place]),
                (weight * _SENTENCES, words.weighted(query.shares)[place]),
            ]
        cosines = self._cosines(query, among)
        if cosines is not None and query.vectors is not None:
            centred = np.maximum(self._centre(cosines, query.vectors, among), 0)
            legs += [(_MEANING * _WHOLE, centred[:, 0]), (_MEANING * _SENTENCES, _best(centred))]
        return Relevance(among, tuple(legs), self._pass(query, among, cosines))

    def has_words_of(self, query: Query, among: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return (n,) which of these sections have so many words of the task that they alone are evidence."""
        return self._pass(query, among, None)

    def evidence(self, query: Query, among: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return of these sections the highest cosine (zeros without vectors) and the highest coverage of a unit.

        Coverage is the share, by weight, of a unit's content words that a section has; both are what the floor asks.
        """
        highest = np.zeros(len(among), dtype=np.float32)
        for coverage, _ in self._coverage(query, among):
            highest = np.maximum(highest, coverage)
        cosines = self._cosines(query, among)
        if cosines is None:
            return np.zeros(len(among), dtype=np.float32), highest
        return self._scale.read(cosines.max(axis=1)), highest

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

    def _pass(self, query: Query, among: NDArray[np.intp], cosines: Floats | None) -> NDArray[np.bool_]:
        passes = np.zeros(len(among), dtype=np.bool_)
        for number, (coverage, shared) in enumerate(self._coverage(query, among)):
            read = None if cosines is None else self._scale.read(cosines[:, number])
            passes |= self._evident(coverage, shared, read)
        return passes

    def _coverage(self, query: Query, among: NDArray[np.intp]) -> Iterable[tuple[Floats, NDArray[np.intp]]]:
        """Yield for each unit (n,) the share of its evidence that a section has, and (n,) of how many words."""
        known = {term: (weight, self._words.of(term)[0]) for term in query.shares if (weight := self._weight(term))}
        for unit in query.units:
            found = [known[term] for term in unit if term in known]
            numbers = np.concatenate([np.zeros(0, dtype=np.intc), *(holding for _, holding in found)])
            each = np.repeat([weight for weight, _ in found], [len(holding) for _, holding in found])
            total = sum(weight for weight, _ in found)
            covered = np.bincount(numbers, each, len(self._words))[among] / max(total, 1e-6)
            yield covered.astype(np.float32), np.bincount(numbers, minlength=len(self._words))[among]

    def _evident(self, coverage: Floats, shared: NDArray[np.intp], cosines: Floats | None) -> NDArray[np.bool_]:
        """Return which sections have absolute evidence in a unit: by words alone, by cosine alone, or by both."""
        passes = (shared >= _SHARED_WORDS) & (coverage >= _COVERAGE_ALONE + self._more)
        if cosines is not None:
            passes |= cosines >= _COSINE_ALONE + self._more / 2
            together = (2 * cosines + coverage >= _TOGETHER + self._more) & (cosines >= _COSINE_WITH_WORDS)
            passes |= together & (shared >= 1)
        return passes

    def _weight(self, term: str) -> float:
        """Weigh a shared term as evidence: its rarity, nothing for task words and bare numbers."""
        return 0.0 if term in _TASK_WORDS or term.isdecimal() else self._words.rarity(term)


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
