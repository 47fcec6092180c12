"""The order in which ranked facts are read: what is out of date after what is current, other words for the same last.

A fact that probably gave way to a newer one stands behind it, wherever the better of the two stands: the newer one is
lifted, never the older. Facts that say nearly the same are one place, with the newest wording in it; the others come
after everything else.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.entities.fact_groups import FactGroups


def arrange(
    numbers: NDArray[np.int64], strengths: NDArray[np.floating], groups: FactGroups, *, collapse: bool
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the order of the facts of these numbers, as places in them, and the strength with which each is placed.

    `numbers` are ascending, (n,); `strengths` are (n,), higher for better facts. With `collapse` the facts that stand
    behind others come last.
    """
    behind = groups.behind if collapse else {}
    if not (groups.newer or behind):
        return np.lexsort((numbers, -strengths)), strengths
    strengths = strengths.copy()
    places = {int(number): place for place, number in enumerate(numbers)}
    last = np.zeros(len(numbers), dtype=np.bool_)
    for number, shown in behind.items():
        if number in places and shown in places:
            last[places[number]] = True
            strengths[places[shown]] = max(strengths[places[shown]], strengths[places[number]])
    turn = np.zeros(len(numbers), dtype=np.int64)
    for number in sorted(groups.newer, key=lambda one: -groups.turns[one]):  # the oldest first: a lift is handed on
        following = _following(number, groups, behind, places)
        if number in places and following in places and not last[places[number]]:
            strengths[places[following]] = max(strengths[places[following]], strengths[places[number]])
            turn[places[number]] = groups.turns[number] + 1
    return np.lexsort((numbers, turn, -strengths, last)), strengths


def _following(number: int, groups: FactGroups, behind: Mapping[int, int], places: Mapping[int, int]) -> int:
    """Return the number of the fact that takes the place of another one, or of what stands for it."""
    newer = groups.newer[number].number
    shown = behind.get(newer, newer)
    return shown if shown in places else newer
