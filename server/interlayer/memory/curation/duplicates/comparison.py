"""Compares the entities of a type, pair by pair, those that are worth it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.memory.curation.duplicates.candidates import pairs
from interlayer.memory.curation.duplicates.likeness import Likeness, Population
from interlayer.memory.curation.duplicates.profile import NAME, Profile
from interlayer.memory.log.naming.called import LOOK_ALIKE

LEAST: Final = 0.9
"""The probability from which a pair is offered."""

_POSSIBLE: Final = 0.5
_REASONS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Alike:
    """Two entities that may be one."""

    one: Profile
    other: Profile
    likeness: Likeness

    @property
    def imitates(self) -> bool:
        """Whether they differ in nothing but characters that look alike: somebody may want them to be taken for one."""
        return self.one.imitates(self.other)

    @property
    def fields(self) -> list[str]:
        """The fields that speak for them being one, the strongest first."""
        return [*([LOOK_ALIKE] if self.imitates else []), *self.likeness.fields][:_REASONS_MAX]


def compare(profiles: Sequence[Profile], fresh: frozenset[int], told: Sequence[str]) -> tuple[int, list[Alike]]:
    """Compare the pairs worth it, and those that were `told`; return how many there were, and those that may be one.

    Among these are the less probable ones of which an interaction may tell more: one of the two has no identifier.
    """
    population = Population(profiles)
    places = {profile.entity.id: number for number, profile in enumerate(profiles)}
    known = [tuple(places.get(one, -1) for one in pair.split("#")) for pair in told]
    wanted = dict.fromkeys((min(pair), max(pair)) for pair in known if -1 not in pair)
    count, alike = 0, list[Alike]()
    for first, second in [*pairs(profiles, fresh), *wanted]:
        count += 1
        one, other = profiles[first], profiles[second]
        pair = Alike(one, other, population.likeness(one, other))
        least = LEAST if one.is_named and other.is_named else _POSSIBLE
        if pair.likeness.probability >= least or (NAME in pair.likeness.fields and pair.imitates):
            alike.append(pair)
    return count, alike
