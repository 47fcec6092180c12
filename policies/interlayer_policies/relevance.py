"""How relevant each section is to a task: fused vector and BM25 scores for the order, absolute evidence for the floor.

Scores that are scaled per call say which section is best and nothing about whether it is any good, so a section
must first pass a floor made of what does not depend on the others: the weight of the content words that it shares
with the task, and its cosine.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import Vectors
from interlayer.models.scale import REFERENCE, Scale
from interlayer.text.bm25 import Bm25
from interlayer.text.fusion import min_max
from interlayer.text.sentences import sentences
from interlayer.text.terms import terms

Floats = NDArray[np.float32]

_SENTENCES_MAX: Final = 24
_TERMS_MAX: Final = 400
_REMEMBERED_TERMS: Final = 2_000

# Capitalised words inside a sentence; words in capitals alone (GDPR, SLA) are terms of the trade and stay.
_NAMES: Final = re.compile(r"(?<=[a-z0-9,%)] )(?:(?:[A-Z][\w'’-]*[a-z][\w'’-]*)(?: |(?=[^\w ])|$))+")

# Shares of the fused score. The lexical leg is the stronger one for policies, and a long task is asked whole and
# sentence by sentence. A section that several sentences point at is a better answer than one that a single sentence
# happens to resemble, so the best few count together.
_VECTOR, _LEXICAL = 0.4, 0.6
_WHOLE, _BEST = 0.4, 0.6
_BEST_UNITS: Final = 5

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
_TASK_WORDS: Final = frozenset(
    terms(
        """
    write draft compose prepare create make plan send reply respond answer ask describe explain summarize summarise
    help tell give get need want please check review update fix book find look schedule organize organise arrange
    set put use try work go come new good best next last first today tomorrow week month quarter year day time
    one two three four five six seven eight nine ten eleven twelve
    company team office people person customer client user agent email message call note text document list thing way
    not no yes let keep take see say know show
    """
    )
)


@dataclass(frozen=True, slots=True)
class Query:
    """A task made ready: the terms of the whole and of each sentence, and their unit vectors if there are any."""

    units: tuple[tuple[str, ...], ...]
    vectors: Vectors | None


@dataclass(frozen=True, slots=True)
class Relevance:
    """Of some sections: (n,) fused scores, 0 to 1, and (n,) whether each passes the floor."""

    scores: Floats
    passes: NDArray[np.bool_]


def texts_of(task: str) -> list[str]:
    """Return the texts that a task is asked with: the whole, its sentences when there are several, and each nameless.

    Whom a task is for says nothing about which guidance it needs, and names that no policy knows would drown what does.
    """
    found = [sentence.text for sentence in islice(sentences(task), _SENTENCES_MAX)]
    asked = [task, *found] if len(found) > 1 else [task]
    return list(dict.fromkeys([*asked, *(_NAMES.sub("", text) for text in asked)]))


def query_of(texts: Sequence[str], vectors: Vectors | None) -> Query:
    """Return the query of `texts_of` and their vectors."""
    return Query(tuple(tuple(dict.fromkeys(terms(text))) for text in texts), vectors)


class SectionIndex:
    """The sections of a set, searchable. `vectors` is (sections, dims), None while there is no embedder.

    `scale` is that of their space: the floor is written on the common one.
    """

    def __init__(self, texts: Sequence[str], vectors: Vectors | None, scale: Scale = REFERENCE) -> None:
        self._scale = scale
        self._bm25 = Bm25()
        for text in texts:
            self._bm25.add(terms(text))
        self._more = _PER_DOUBLING * min(_DOUBLINGS_MAX, math.log2(max(1.0, len(texts) / _SMALL_SET)))
        self._vectors = vectors
        self._remembered: dict[str, Floats] = {}

    @property
    def has_vectors(self) -> bool:
        """Whether the sections were embedded."""
        return self._vectors is not None

    def relevance(self, query: Query, among: NDArray[np.intp]) -> Relevance:
        """Return the relevance of these sections, in their order."""
        vocabulary = list(dict.fromkeys(term for unit in query.units for term in unit))[:_TERMS_MAX]
        rows = self._rows(vocabulary, among)
        members = _membership(query, vocabulary)
        cosines = self._cosines(query, among)
        fused = _fused(members @ rows)
        if cosines is not None:
            fused = _LEXICAL * fused + _VECTOR * _fused(np.maximum(cosines, 0))
        weights = np.array([self._weight(term) for term in vocabulary], dtype=np.float32)
        return Relevance(fused.astype(np.float32), _floor(members, rows > 0, weights, cosines, self._more))

    def evidence(self, query: Query, among: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return of these sections the highest cosine (zeros without vectors) and the highest coverage of a unit.

        Coverage is the share, by weight, of a unit's content words that a section has; both are what the floor asks.
        """
        vocabulary = list(dict.fromkeys(term for unit in query.units for term in unit))[:_TERMS_MAX]
        members = _membership(query, vocabulary)
        weights = np.array([self._weight(term) for term in vocabulary], dtype=np.float32)
        cosines = self._cosines(query, among)
        highest = np.zeros(len(among), dtype=np.float32) if cosines is None else cosines.max(axis=0)
        return highest, _coverage(members, self._rows(vocabulary, among) > 0, weights).max(axis=0)

    def _cosines(self, query: Query, among: NDArray[np.intp]) -> Floats | None:
        if self._vectors is None or query.vectors is None:
            return None
        return self._scale.read(query.vectors @ self._vectors[among].T)

    def _rows(self, vocabulary: Sequence[str], among: NDArray[np.intp]) -> Floats:
        if not vocabulary:
            return np.zeros((0, len(among)), dtype=np.float32)
        return np.stack([self._term(term) for term in vocabulary])[:, among]

    def _term(self, term: str) -> Floats:
        """Return the BM25 score of every section for one term; scores of several terms are their sum."""
        found = self._remembered.get(term)
        if found is None:
            if len(self._remembered) >= _REMEMBERED_TERMS:
                self._remembered.clear()
            found = self._remembered[term] = self._bm25.scores([term])
        return found

    def _weight(self, term: str) -> float:
        """Return what a shared term is worth as evidence: its idf, nothing for task words and bare numbers."""
        if term in _TASK_WORDS or term.isdecimal():
            return 0.0
        size, having = len(self._bm25), int(np.count_nonzero(self._term(term)))
        return math.log(1 + (size - having + 0.5) / (having + 0.5))


def _floor(
    members: Floats, present: NDArray[np.bool_], weights: Floats, cosines: Floats | None, more: float
) -> NDArray[np.bool_]:
    """Return which sections have absolute evidence: by words alone, by cosine alone, or by both together.

    `members` is (units, terms), `present` (terms, sections), `weights` (terms,), `cosines` (units, sections),
    `more` the evidence asked for beyond what a small set asks.
    """
    shared = (members * (weights > 0)) @ present.astype(np.float32)
    coverage = _coverage(members, present, weights)
    passes = (shared >= _SHARED_WORDS) & (coverage >= _COVERAGE_ALONE + more)
    if cosines is not None:
        passes |= cosines >= _COSINE_ALONE + more / 2
        together = (2 * cosines + coverage >= _TOGETHER + more) & (cosines >= _COSINE_WITH_WORDS)
        passes |= together & (shared >= 1)
    return np.asarray(passes.any(axis=0), dtype=np.bool_)


def _coverage(members: Floats, present: NDArray[np.bool_], weights: Floats) -> Floats:
    covered = (members * weights) @ present.astype(np.float32)
    return (covered / np.maximum((members @ weights)[:, None], 1e-6)).astype(np.float32)


def _membership(query: Query, vocabulary: Sequence[str]) -> Floats:
    """Return (units, terms): 1 where the unit has the term."""
    units = [frozenset(unit) for unit in query.units]
    rows = [[term in unit for term in vocabulary] for unit in units]
    return np.array(rows, dtype=np.float32).reshape(len(units), len(vocabulary))


def _fused(scores: Floats) -> Floats:
    """Return the whole task's and the best sentences' scores, each scaled to 0..1 from nothing in common, added."""
    best = np.sort(scores, axis=0)[-_BEST_UNITS:].mean(axis=0)
    return (_WHOLE * _scaled(scores[0]) + _BEST * _scaled(best)).astype(np.float32)


def _scaled(scores: Floats) -> Floats:
    return min_max(np.append(scores, np.float32(0)).astype(np.float32))[:-1]
