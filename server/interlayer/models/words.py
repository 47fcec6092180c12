"""Vectors of single words, from the bundled static model whatever the configured embedder is.

They say that "headcount" is close to "employees", which stems cannot. Words with a digit have none: for a static model
450 and 540 are the same word.
"""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.models.local import DIMS, static_vectors

_WORDS_MAX: Final = 65_536  # 64 MB; a word beyond them is only found by its stem
_NONE: Final = 0  # row of zeros


class WordVectors:
    """A growing table of word vectors, filled as words are met; safe from any thread."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._table: NDArray[np.float32] = np.zeros((1024, DIMS), dtype=np.float32)
        self._used = 1
        self._filling = Lock()

    @property
    def table(self) -> NDArray[np.float32]:
        """(rows, 256) float32, unit length; row 0 is all zeros."""
        used = self._used  # read first: the table only ever grows beyond it
        return self._table[:used]

    def rows(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Return the row of each word; 0 for one that has no vector."""
        new = [word for word in dict.fromkeys(words) if word not in self._rows]
        if new:
            self._fill(new)
        return np.array([self._rows.get(word, _NONE) for word in words], dtype=np.int32)

    def _fill(self, words: Sequence[str]) -> None:
        with self._filling:
            fresh = [word for word in words if word not in self._rows]
            known = [word for word in fresh if not any(character.isdigit() for character in word)]
            known = known[: max(_WORDS_MAX - self._used, 0)]
            vectors = static_vectors(known)
            end = self._used + len(known)
            if end > len(self._table):
                grown = np.zeros((max(end, 2 * len(self._table)), DIMS), dtype=np.float32)
                grown[: self._used] = self._table[: self._used]
                self._table = grown
            self._table[self._used : end] = vectors
            first, self._used = self._used, end
            self._rows |= {word: first + place for place, word in enumerate(known)}
            if len(self._rows) < 4 * _WORDS_MAX:  # remembers as well which words have none
                self._rows |= {word: _NONE for word in fresh if word not in self._rows}


@lru_cache(maxsize=1)
def word_vectors() -> WordVectors:
    """Return the table of this process."""
    return WordVectors()
