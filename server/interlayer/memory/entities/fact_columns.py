"""What choosing among facts needs to know of each beside its words: columns by fact number."""

from array import array
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from interlayer.language.change import announces_change
from interlayer.language.terms import stem, words
from interlayer.memory.log.cursor import Marks, mark
from interlayer.memory.log.records import FactRecord, LogEntry
from interlayer.text.budget import json_bytes
from interlayer.text.sentences import label_of


class Traits:
    """Columns that facts are appended to; the confidence, the last sight and the status of a fact may change."""

    def __init__(self) -> None:
        self._observed = array("d")
        self._confidence = array("f")
        self._revisions = array("i")
        self._origins = array("i")
        self._questions = bytearray()
        self._announcing = bytearray()
        self._superseded = bytearray()
        self._marks = array("Q")
        self._written = array("i")
        self._fixed = array("i")  # of what is written, the bytes that never change
        self._origin_numbers: dict[str, int] = {}
        self._labelled: defaultdict[str, array[int]] = defaultdict(_none)

    @property
    def observed(self) -> NDArray[np.float64]:
        """(facts,) float64: when each was last observed, in seconds."""
        return np.array(self._observed, dtype=np.float64)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(facts,) float32: confidence of each, 0..1."""
        return np.array(self._confidence, dtype=np.float32)

    @property
    def revisions(self) -> NDArray[np.int32]:
        """(facts,) int32: the revision of the entity that brought each."""
        return np.array(self._revisions, dtype=np.int32)

    @property
    def origins(self) -> NDArray[np.int32]:
        """(facts,) int32: the source of each; equal for equal sources."""
        return np.array(self._origins, dtype=np.int32)

    @property
    def questions(self) -> NDArray[np.float32]:
        """(facts,) float32: 1 where it asks something."""
        return np.frombuffer(bytes(self._questions), dtype=np.uint8).astype(np.float32)

    @property
    def announcing(self) -> NDArray[np.bool_]:
        """(facts,) bool: where it says that something changed."""
        return np.frombuffer(bytes(self._announcing), dtype=np.bool_)

    @property
    def superseded(self) -> NDArray[np.bool_]:
        """(facts,) bool: where a later observation says otherwise."""
        return np.frombuffer(bytes(self._superseded), dtype=np.bool_)

    @property
    def marks(self) -> Marks:
        """(facts,) uint64: what a cursor knows each by."""
        return np.array(self._marks, dtype=np.uint64)

    @property
    def written(self) -> NDArray[np.int32]:
        """(facts,) int32: bytes of the values of each in JSON: what it says, where it comes from and how sure it is."""
        return np.array(self._written, dtype=np.int32)

    def labelled(self, stems: Collection[str]) -> NDArray[np.float32]:
        """Return (facts,) float32: 1 for facts whose label ("Ann: ...", "Budget: ...") has one of these stems."""
        result = np.zeros(len(self._observed), dtype=np.float32)
        for stemmed in stems:
            if stemmed in self._labelled:
                result[np.array(self._labelled[stemmed])] = 1
        return result

    def add(self, fact: FactRecord, memory: LogEntry) -> None:
        """Append one fact."""
        number = len(self._observed)
        self._observed.append(_seconds(fact.observed_at))
        self._confidence.append(fact.confidence)
        self._revisions.append(memory.revision)
        self._origins.append(self._origin_numbers.setdefault(memory.voice, len(self._origin_numbers)))
        self._questions.append(fact.text.rstrip().endswith("?"))
        self._announcing.append(announces_change(fact.text))
        self._superseded.append(False)
        self._marks.append(mark(fact.id))
        self._fixed.append(sum(map(json_bytes, (fact.id, fact.text, memory.id, memory.source or ""))))
        self._written.append(self._fixed[-1] + json_bytes(fact.confidence))
        if ":" in fact.text:
            for stemmed in {stem(word) for word in words(label_of(fact.text))}:
                self._labelled[stemmed].append(number)

    def seen(self, number: int, observed_at: str, confidence: float) -> None:
        """Note when a fact was last observed and how sure it is by now."""
        self._observed[number] = _seconds(observed_at)
        self._confidence[number] = confidence
        self._written[number] = self._fixed[number] + json_bytes(confidence)

    def set_superseded(self, number: int, superseded: bool) -> None:
        """Note whether a fact is superseded."""
        self._superseded[number] = superseded


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()


def _none() -> "array[int]":
    return array("i")
