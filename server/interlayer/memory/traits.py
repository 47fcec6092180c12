"""What ranking needs to know of each fact beside its words: when it was observed, where from, and what kind it is."""

from array import array
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.records import FactRecord, Memory
from interlayer.text.change import announces_change
from interlayer.text.sentences import label_of
from interlayer.text.terms import stem, words


class Traits:
    """Columns by fact number, appended to as facts are."""

    def __init__(self) -> None:
        self.observed = array("d")
        self.origins = array("i")
        self.questions = bytearray()
        self.announcing = bytearray()
        self._origins: dict[str, int] = {}
        self._bearing: defaultdict[str, array[int]] = defaultdict(_none)

    def add(self, fact: FactRecord, memory: Memory) -> None:
        """Append one fact."""
        number = len(self.observed)
        self.observed.append(datetime.fromisoformat(fact.observed_at).timestamp())
        origin = memory.source or memory.id
        self.origins.append(self._origins.setdefault(origin, len(self._origins)))
        self.questions.append(fact.text.rstrip().endswith("?"))
        self.announcing.append(announces_change(fact.text))
        for stemmed in {stem(word) for word in words(label_of(fact.text))}:
            self._bearing[stemmed].append(number)

    def labelled(self, stems: Collection[str]) -> NDArray[np.float32]:
        """Return (facts,) float32: 1 for facts whose label has one of these stems."""
        result = np.zeros(len(self.observed), dtype=np.float32)
        for stemmed in stems:
            if stemmed in self._bearing:
                result[np.array(self._bearing[stemmed])] = 1
        return result


def _none() -> "array[int]":
    return array("i")
