"""What stands around an entity's facts: their words in the order in which they were told, with what was left out.

A sentence without its message is hard to find. A row is a fact, or the words of a source that no fact of it has: a
question that the next fact answers, the subject of a mail. Rows of one source make up its passages. The index of words
is made when it is first asked for, because memorizing does not need it.
"""

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.soft_match import WordIndex

PASSAGE: Final = 1_000  # characters: some 256 tokens


class Surroundings:
    """Rows that are appended to, and the place of each fact among them."""

    def __init__(self) -> None:
        self._words = WordIndex()
        self._waiting: list[Sequence[str]] = []
        self._facts = array("i")
        self._passages = array("i")
        self._content = ""  # that the last row stands in
        self._length = 0  # of the last passage so far

    @property
    def words(self) -> WordIndex:
        """The words of every row."""
        for found in self._waiting:
            self._words.add(found)
        self._waiting.clear()
        return self._words

    @property
    def facts(self) -> NDArray[np.int32]:
        """(facts,) int32, ascending: the row of each fact."""
        return np.array(self._facts, dtype=np.int32)

    @property
    def passages(self) -> NDArray[np.int32]:
        """(rows,) int32, never falling: the passage of its source that each row stands in."""
        return np.array(self._passages, dtype=np.int32)

    def add_fact(self, words: Sequence[str], length: int, content: str) -> None:
        """Append the row of the next fact; without a content that it stands in, it is a passage of its own."""
        self._facts.append(len(self._passages))
        self._add(words, length, content)

    def add_context(self, words: Sequence[str], length: int, content: str) -> None:
        """Append a row of what was left out of a content."""
        self._add(words, length, content)

    def _add(self, words: Sequence[str], length: int, content: str) -> None:
        self._waiting.append(words)
        self._length += length
        last = self._passages[-1] if self._passages else -1
        if not content or content != self._content or self._length > PASSAGE:
            self._content, self._length = content, length
            last += 1
        self._passages.append(last)
