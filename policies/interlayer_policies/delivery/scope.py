"""Which policies of a set a situation falls under: scope patterns and effective dates, as arrays over the policies."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer_policies.document.policy import Effective, Scope, Situation
from interlayer_policies.document.vocabulary import Vocabulary, canonical

Mask = NDArray[np.bool_]
"""(policies,) bool."""

_REMEMBERED_VALUES: Final = 4_096


class ScopeIndex:
    """The scopes and effective times of a set's policies. `scopes` are those, with the values of the vocabulary.

    Invariant: a facet that the situation does not hold matches, and so does a value that perhaps means a narrower one
    (`EU`, where a scope says `DE`); so saying less never makes a mask smaller.
    """

    def __init__(
        self, scopes: Sequence[Scope], times: Sequence[Effective], vocabulary: Vocabulary | None = None
    ) -> None:
        self._vocabulary = vocabulary or Vocabulary()
        self.scopes = tuple(canonical(scope, self._vocabulary) for scope in scopes)
        self._size = len(scopes)
        self._patterns: dict[str, dict[tuple[str, ...], list[int]]] = {}
        for number, scope in enumerate(self.scopes):
            for facet, patterns in scope.limits:
                self._patterns.setdefault(facet, {}).setdefault(patterns, []).append(number)
        self.limited: dict[str, Mask] = {facet: self._mask(by) for facet, by in self._patterns.items()}
        self._starts = np.array([_seconds(time.start, -np.inf) for time in times], dtype=np.float64)
        self._ends = np.array([_seconds(time.end, np.inf) for time in times], dtype=np.float64)
        self._remembered: dict[tuple[str, tuple[str, ...]], tuple[Mask, Mask]] = {}

    def doubts(self, situation: Situation) -> dict[str, Mask]:
        """Return, by facet, which policies match only because too little of it is known; none are left out."""
        found = {
            facet: self._matching(facet, situation[facet])[1] if facet in situation else limited
            for facet, limited in sorted(self.limited.items())
        }
        return {facet: mask for facet, mask in found.items() if facet not in situation or bool(mask.any())}

    def in_scope(self, situation: Situation) -> Mask:
        """Return which policies' scopes match; a facet not held counts as matching."""
        mask = np.ones(self._size, dtype=np.bool_)
        for facet in self._patterns:
            if facet in situation:
                mask &= self._matching(facet, situation[facet])[0]
        return mask

    def applies_wherever(self, number: int, other: int, unknown: Iterable[str]) -> bool:
        """Return whether a policy admits every value of the unknown facets that another one admits."""
        scope, within = self.scopes[number], self.scopes[other]
        for facet in unknown:
            admitted = scope.patterns(facet)
            if not admitted or "*" in admitted:
                continue
            named = within.patterns(facet)
            if not named or not all(
                one in admitted or admitted & {*self._vocabulary.ancestors(facet, one)} for one in named
            ):
                return False
        return True

    def in_effect(self, now: datetime) -> Mask:
        """Return which policies hold at an instant."""
        at = now.timestamp()
        return (self._starts <= at) & (at < self._ends)

    def next_boundary(self, mask: Mask, now: datetime) -> datetime | None:
        """Return when one of these policies next begins or ceases to hold, None if never."""
        times = np.concatenate([self._starts[mask], self._ends[mask]])
        coming = times[(times > now.timestamp()) & np.isfinite(times)]
        return datetime.fromtimestamp(float(coming.min()), UTC) if coming.size else None

    def _matching(self, facet: str, values: tuple[str, ...]) -> tuple[Mask, Mask]:
        """Return which policies match these values, and which of them only if a narrower value is meant."""
        found = self._remembered.get((facet, values))
        if found is None:
            sure = self._mask(self._matched(facet, values)) | ~self.limited[facet]
            perhaps = self._mask(self._matched(facet, self._vocabulary.narrower(facet, values))) & ~sure
            found = sure | perhaps, perhaps
            if len(self._remembered) >= _REMEMBERED_VALUES:
                self._remembered.clear()
            self._remembered[(facet, values)] = found
        return found

    def _matched(self, facet: str, values: Iterable[str]) -> dict[tuple[str, ...], list[int]]:
        return {
            patterns: numbers
            for patterns, numbers in self._patterns[facet].items()
            if any(fnmatchcase(value, pattern) for pattern in patterns for value in values)
        }

    def _mask(self, by_patterns: dict[tuple[str, ...], list[int]]) -> Mask:
        mask = np.zeros(self._size, dtype=np.bool_)
        for numbers in by_patterns.values():
            mask[numbers] = True
        return mask


def _seconds(instant: datetime | None, unbounded: float) -> float:
    return unbounded if instant is None else instant.timestamp()
