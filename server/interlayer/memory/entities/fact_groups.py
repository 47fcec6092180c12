"""Which facts stand behind others when they are read: other words for the same, and what is probably out of date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interlayer.memory.entities.fact_state import FactState


@dataclass(frozen=True, slots=True)
class FactGroups:
    """Facts by number. `behind` gives the newest wording that stands for a fact, `like` how many it stands for.

    `newer` gives what probably takes the place of a fact, `turns` their order, newest first.
    """

    behind: Mapping[int, int]
    like: Mapping[int, int]
    newer: Mapping[int, FactState]
    turns: Mapping[int, int]

    @classmethod
    def of(cls, linked: Iterable[FactState]) -> "FactGroups":
        """Group the facts that have links; each stands behind one that it is linked with itself."""
        current = sorted(
            (fact for fact in linked if fact.is_current), key=lambda fact: (fact.seen_at, fact.number), reverse=True
        )
        turns = {fact.number: turn for turn, fact in enumerate(current)}
        behind: dict[int, int] = {}
        like: dict[int, int] = {}
        for fact in current:
            if fact.number in behind:
                continue
            for other in fact.alike:
                if other.number not in behind and turns.get(other.number, -1) > turns[fact.number]:
                    behind[other.number] = fact.number
                    like[fact.number] = like.get(fact.number, 0) + 1
        newer = {fact.number: found for fact in current if (found := fact.newer)}
        return cls(behind, like, newer, turns)


NO_GROUPS = FactGroups({}, {}, {}, {})
