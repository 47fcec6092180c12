"""Which policies of a set a situation falls under: scope patterns and effective dates, as arrays over the policies."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer_policies.document.policy import Effective, Scope, Situation

Mask = NDArray[np.bool_]
"""(policies,) bool."""

_REMEMBERED_VALUES: Final = 4_096


class ScopeIndex:
    """The scopes and effective times of a set's policies.

    Invariant: a facet that the situation does not hold matches, so taking one away never makes a mask smaller.
    """

    def __init__(self, scopes: Sequence[Scope], times: Sequence[Effective]) -> None:
        self._size = len(scopes)
        self._patterns: dict[str, dict[tuple[str, ...], list[int]]] = {}
        for number, scope in enumerate(scopes):
            for facet, patterns in scope.limits:
                self._patterns.setdefault(facet, {}).setdefault(patterns, []).append(number)
        self.limited: dict[str, Mask] = {facet: self._mask(by) for facet, by in self._patterns.items()}
        self._starts = np.array([_seconds(time.start, -np.inf) for time in times], dtype=np.float64)
        self._ends = np.array([_seconds(time.end, np.inf) for time in times], dtype=np.float64)
        self._remembered: dict[tuple[str, tuple[str, ...]], Mask] = {}

    def unknown(self, situation: Situation) -> list[str]:
        """Return the facets that some scope limits and the situation does not hold, sorted."""
        return sorted(self.limited.keys() - situation.keys())

    def in_scope(self, situation: Situation) -> Mask:
        """Return which policies' scopes match; a facet not held counts as matching."""
        mask = np.ones(self._size, dtype=np.bool_)
        for facet in self._patterns:
            if facet in situation:
                mask &= self._matching(facet, situation[facet])
        return mask

    def in_effect(self, now: datetime) -> Mask:
        """Return which policies hold at an instant."""
        at = now.timestamp()
        return (self._starts <= at) & (at < self._ends)

    def next_boundary(self, mask: Mask, now: datetime) -> datetime | None:
        """Return when one of these policies next begins or ceases to hold, None if never."""
        times = np.concatenate([self._starts[mask], self._ends[mask]])
        coming = times[(times > now.timestamp()) & np.isfinite(times)]
        return datetime.fromtimestamp(float(coming.min()), UTC) if coming.size else None

    def _matching(self, facet: str, values: tuple[str, ...]) -> Mask:
        found = self._remembered.get((facet, values))
        if found is None:
            matching = {
                patterns: numbers
                for patterns, numbers in self._patterns[facet].items()
                if any(fnmatchcase(value, pattern) for pattern in patterns for value in values)
            }
            found = self._mask(matching) | ~self.limited[facet]
            if len(self._remembered) >= _REMEMBERED_VALUES:
                self._remembered.clear()
            self._remembered[(facet, values)] = found
        return found

    def _mask(self, by_patterns: dict[tuple[str, ...], list[int]]) -> Mask:
        mask = np.zeros(self._size, dtype=np.bool_)
        for numbers in by_patterns.values():
            mask[numbers] = True
        return mask


def _seconds(instant: datetime | None, unbounded: float) -> float:
    return unbounded if instant is None else instant.timestamp()
