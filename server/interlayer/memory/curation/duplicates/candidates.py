"""Which pairs are worth comparing: those that share something rare.

Comparing all pairs of 100,000 entities would take 5 thousand million comparisons.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.memory.curation.duplicates.profile import Profile

_SHARED_MAX: Final = 30
"""What more entities than these share brings no pair together."""

_BEGINNING: Final = 4
_WORDS_MAX: Final = 6


def pairs(profiles: Sequence[Profile], changed: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of places in `profiles`, each once, of which one at least is among the `changed`."""
    sharing: dict[tuple[str, ...], list[int]] = {}
    for number, profile in enumerate(profiles):
        for key in _keys(profile):
            sharing.setdefault(key, []).append(number)
    seen: set[int] = set()
    for members in sharing.values():
        if not 1 < len(members) <= _SHARED_MAX:
            continue
        for place, other in enumerate(members):
            for one in members[:place]:
                pair = one * len(profiles) + other
                if pair not in seen and (one in changed or other in changed):
                    seen.add(pair)
                    yield one, other


def _keys(profile: Profile) -> set[tuple[str, ...]]:
    """Return what brings a profile together with others: a value, a word, two words, a word and a value."""
    begun = sorted({word[:_BEGINNING] for word in profile.words[:_WORDS_MAX]})
    marks = [(field, value) for field, values in profile.marks.items() for value in values]
    keys: set[tuple[str, ...]] = {*marks, *(("name", word) for word in begun)}
    keys.update(("name", one, other) for place, other in enumerate(begun) for one in begun[:place])
    keys.update((*mark, word) for mark in marks for word in begun)
    return keys
