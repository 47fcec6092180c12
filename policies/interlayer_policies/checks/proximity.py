"""How near an amount stands to a word: what tells "30% off" from "30% of our staff"."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from interlayer.language.quantities.amounts import Amount
from interlayer_policies.checks.draft import Draft, base

NEAR_CHARACTERS: Final = 60


def near(draft: Draft, stems: frozenset[str]) -> Callable[[Amount], bool]:
    """Return a test whether one of the words with these stems stands within `NEAR_CHARACTERS` of an amount."""
    numbers = sorted(number for wanted in stems for number in draft.positions.get(wanted, ()))
    starts = [draft.words[number].start for number in numbers]
    ends = [draft.words[number].end for number in numbers]

    def is_near(amount: Amount) -> bool:
        first = bisect_left(ends, amount.start - NEAR_CHARACTERS)
        return first < len(starts) and starts[first] <= amount.end + NEAR_CHARACTERS

    return is_near


def near_stems(words: list[str]) -> frozenset[str]:
    """Return the stems that `near` compares, of words in any spelling."""
    return frozenset(base(word.text) for given in words for word in Draft(given).words)
