"""The floor: what a section must have of a task, whatever the other sections have.

Its numbers were chosen by cross-validation over the tasks of `python benchmarks guidance`. Evidence is a difference of
cosines of the bundled embedder, on whose scale those of every space are read.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.models.scale import Scale
from interlayer_policies.delivery.evidence.query import Query

Floats = NDArray[np.float32]

_PER_SHARED_WORD: Final = 0.03
_SHARED_WORDS_MAX: Final = 3
_FEW_WORDS: Final = 5  # of so many words the evidence counts half: the cosines of a few words are mostly chance
_BEST_OF_UNIT: Final = 5  # sections that one sentence may bring by nearness; what has its words comes besides
_COVERAGE: Final = 0.6
_COVERAGE_ALONE: Final = 0.45  # where there are no vectors
_SHARED_WORDS: Final = 2  # for coverage: one word in common is chance

# Among more sections chance finds better matches, so each doubling beyond a small set asks for more.
_SMALL_SET: Final = 64
_COVERAGE_PER_DOUBLING: Final = 0.04
_EVIDENCE_PER_DOUBLING: Final = 0.006
_DOUBLINGS_MAX: Final = 6.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one text of a task, (n,): the share, by weight, of its content words that sections have, and how many."""

    shares: Floats
    words: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Floor:
    """Least evidence: by nearness alone, and with enough of the words; `work` is how much a task of work is let off."""

    nearness: float = 0.055
    with_words: float = 0.03
    work: float = 0.7

    def evidence(self, query: Query, unit: int, cosines: Floats, coverage: Coverage, scale: Scale) -> Floats:
        """Return (n,) how much nearer sections are to a text of a task than general subjects, and how sure that is."""
        if query.nearness is None:
            return np.zeros(len(cosines), dtype=np.float32)
        near = np.array([query.nearness.work[unit], query.nearness.general[unit]], dtype=np.float32)
        work, general = scale.read(near).tolist()
        common = np.float32(_PER_SHARED_WORD) * np.minimum(coverage.words, _SHARED_WORDS_MAX).astype(np.float32)
        words = int(query.words[unit])
        nearer = scale.read(cosines) + common + np.float32(self.work * work - general)
        return (nearer * (words / (words + _FEW_WORDS))).astype(np.float32)

    def passes(self, coverage: Coverage, evidence: Floats | None, sections: int) -> NDArray[np.bool_]:
        """Return (n,) which pass by a text of a task; by words alone where there is no evidence to be had.

        `sections` are how many the set has.
        """
        doublings = _doublings(sections)
        least = (_COVERAGE_ALONE if evidence is None else _COVERAGE) + _COVERAGE_PER_DOUBLING * doublings
        by_words = (coverage.words >= _SHARED_WORDS) & (coverage.shares >= least)
        if evidence is None:
            return by_words
        near = _highest(evidence >= self.least(sections), evidence)
        return near | (by_words & (evidence >= self.with_words))

    def least(self, sections: int) -> float:
        """Return the least evidence by nearness in a set of so many sections."""
        return self.nearness + _EVIDENCE_PER_DOUBLING * _doublings(sections)

    def passes_alone(self, coverage: Coverage, evidence: Floats | None, words: int) -> NDArray[np.bool_]:
        """Return (n,) which would pass in a small set, whatever else is in it; `words` are those of the text."""
        shares = coverage.words / max(words, 1)  # unweighted: which words are rare depends on the others
        shared = coverage.words >= _SHARED_WORDS
        if evidence is None:
            return shared & (shares >= _COVERAGE_ALONE)
        return (evidence >= self.nearness) | (shared & (shares >= _COVERAGE) & (evidence >= self.with_words))


FLOOR: Final = Floor()


def _doublings(sections: int) -> float:
    return min(_DOUBLINGS_MAX, math.log2(max(1.0, sections / _SMALL_SET)))


def _highest(passing: NDArray[np.bool_], scores: Floats) -> NDArray[np.bool_]:
    """Return the few highest of those that pass."""
    if passing.sum() <= _BEST_OF_UNIT:
        return passing
    least = np.partition(scores, len(scores) - _BEST_OF_UNIT)[-_BEST_OF_UNIT]
    return passing & (scores >= least)
