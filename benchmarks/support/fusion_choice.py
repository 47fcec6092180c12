"""Choosing the weights of recall's legs: on all sets but one at a time, then on all of them.

A choice is worth the mean over the sets of how many times the better floor it finds @10, a little of the same @5 and
@1, and four times what any set lacks to its bar. Each weight in turn is set to what serves best, until nothing
changes: a hill that is climbed, no model that is fitted, so the weights stay few and readable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.recall.relevance import WEIGHTS

FIRST: Final = (1, 5, 10)
BARS: Final = {"LoCoMo": 1.29}
"""Times the better floor @10; 1.1 for any other set."""

_GRID: Final = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0, 1.4, 2.0)
_TAKEN_OFF: Final = {"question"}
_FIXED: Final = {"confidence"}
_ROUNDS: Final = 3

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """A question: (legs, facts) with the facts of a unit side by side, where each unit begins, and what is evidence."""

    legs: Floats
    starts: NDArray[np.int64]
    evidence: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, legs: Mapping[str, Floats], units: Sequence[str], evidence: Sequence[frozenset[str]]) -> "Case":
        """Sort the facts by their units. Evidence of which no fact is left cannot be found."""
        count = len(units)
        rows = np.array([legs.get(name, np.zeros(count, dtype=np.float32)) for name in WEIGHTS], dtype=np.float32)
        names, numbers = np.unique(np.array(units), return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        places = {str(name): place for place, name in enumerate(names)}
        groups = tuple(np.array([places[one] for one in group if one in places], dtype=np.int64) for group in evidence)
        starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
        return cls(np.ascontiguousarray(rows[:, order]), starts, groups)

    def shares(self, weights: Floats) -> Floats:
        """Return (choices, first): the share of the evidence that each of (choices, legs) weights finds."""
        scores = np.maximum.reduceat(weights @ self.legs, self.starts, axis=1)
        units = scores.shape[1]
        best = [scores[:, group].max(axis=1) if len(group) else None for group in self.evidence]
        shares = np.zeros((len(weights), len(FIRST)), dtype=np.float32)
        for column, first in enumerate(FIRST):
            least = np.partition(scores, units - first, axis=1)[:, units - first] if units > first else None
            for one in best:
                if one is not None:
                    shares[:, column] += 1 if least is None else one >= least
        return shares / np.float32(len(self.evidence))


@dataclass(frozen=True)
class Choice:
    """Weights, and how many times the better floor they find in each set, (first,)."""

    weights: Mapping[str, float]
    ratios: Mapping[str, Floats]


def choose(cases: Mapping[str, Sequence[Case]], floors: Mapping[str, Floats]) -> dict[str, Choice]:
    """Return the choice that each set was left out of, by its name, and under "" that on all of them."""
    left_out = list(cases) if len(cases) > 1 else []
    present = _row(WEIGHTS)
    found: dict[str, Choice] = {}
    for name in (*left_out, ""):
        climbed = {one: held for one, held in cases.items() if one != name}
        # A hill has more than one top: what was chosen without a set is another place to begin at.
        begun = [present] if name else [present, *(_row(choice.weights) for choice in found.values())]
        weights = max((_climb(climbed, floors, one) for one in begun), key=partial(_top, climbed, floors))
        ratios = {one: _found(held, weights[np.newaxis])[0] / floors[one] for one, held in cases.items()}
        found[name] = Choice(dict(zip(WEIGHTS, (round(float(one), 2) for one in weights), strict=True)), ratios)
    return found


def _row(weights: Mapping[str, float]) -> Floats:
    return np.array(list(weights.values()), dtype=np.float32)


def _top(cases: Mapping[str, Sequence[Case]], floors: Mapping[str, Floats], weights: Floats) -> float:
    return float(_worth(cases, floors, weights[np.newaxis])[0])


def _climb(cases: Mapping[str, Sequence[Case]], floors: Mapping[str, Floats], weights: Floats) -> Floats:
    best = _worth(cases, floors, weights[np.newaxis])[0]
    for _ in range(_ROUNDS):
        before = best
        for place, name in enumerate(WEIGHTS):
            if name in _FIXED:
                continue
            tried = np.repeat(weights[np.newaxis], len(_GRID), axis=0)
            tried[:, place] = np.array(_GRID) * (-1 if name in _TAKEN_OFF else 1)
            worth = _worth(cases, floors, tried)
            if worth.max() > best + 1e-4:
                best, weights = worth.max(), tried[int(worth.argmax())]
        if best == before:
            break
    return weights


def _worth(cases: Mapping[str, Sequence[Case]], floors: Mapping[str, Floats], weights: Floats) -> Any:
    total = np.zeros(len(weights))
    for name, held in cases.items():
        one, five, ten = (_found(held, weights) / floors[name]).T
        total += ten + 0.2 * five + 0.15 * np.minimum(one, 1.6) - 4 * np.maximum(BARS.get(name, 1.1) - ten, 0)
    return total / len(cases)


def _found(cases: Sequence[Case], weights: Floats) -> Floats:
    shares: Floats = np.mean([case.shares(weights) for case in cases], axis=0)
    return shares
