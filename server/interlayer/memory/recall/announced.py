"""Changes that are announced: which older fact a newer one says to be different now, where no link tells.

"Acme has relocated to Oslo" shares hardly a word with "Acme is headquartered in Bergen". It belongs to the older fact
that, of all that was said before, is nearest to it; only to that one, and only if it is near.
"""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.terms import content_words, stem
from interlayer.memory.entities.view import EntityView
from interlayer.memory.recall.relevance import centred

_BEST: Final = 5  # facts for which an announced change is looked for
_SAME_MATTER: Final = 0.3  # shared words, by rarity, plus centred cosine
_LATER_S: Final = 3_600  # what is said within the hour belongs to one conversation


def announced(
    view: EntityView, numbers: NDArray[np.int64], scores: NDArray[np.float32], names: Collection[str]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of places in `numbers`: one of the best facts, and the newer one that announces a change of it."""
    observed, announcing = view.traits.observed, view.traits.announcing
    if not announcing[numbers].any():
        return
    own = {stem(word) for name in names for word in content_words(name)}
    for place in np.argsort(-scores, kind="stable")[:_BEST]:
        number = int(numbers[place])
        newer = numbers[announcing[numbers] & (observed[numbers] > observed[number] + _LATER_S)]
        if not len(newer):
            continue
        matter = _matter(view, number, own)[newer]
        best = int(newer[int(np.argmax(matter))])
        if matter.max() < _SAME_MATTER:
            continue
        back = _matter(view, best, own)
        older = numbers[observed[numbers] < observed[best] - _LATER_S]
        if int(older[int(np.argmax(back[older]))]) == number:
            yield int(place), int(np.searchsorted(numbers, best))


def _matter(view: EntityView, number: int, own: Collection[str]) -> NDArray[np.float32]:
    """Return (facts,) float32: how much each fact is about the same as one of them."""
    shared: NDArray[np.float32] = view.words.shared(view.ordered[number].record.text, own)
    return shared + centred(view, view.vectors[number])
