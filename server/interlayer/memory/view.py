"""An entity as it stands: the fold of its log, with the indexes that recall and deduplication need.

A view is kept in memory and brought up to date by the memories it has not seen; it never outlives a change of the
entity unnoticed, because every use begins with a consistent read of the head.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.properties import Observed, PropertyState, combined, folded, observations
from interlayer.memory.records import Confirmation, EntityId, FactRecord, Memory, Relation
from interlayer.memory.schema import EntitySchema
from interlayer.models.embedder import Vectors
from interlayer.text.bm25 import Bm25
from interlayer.text.terms import terms, words


@dataclass(slots=True)
class FactState:
    """A fact and what the later log says of it. `number` is its place in the view's indexes."""

    record: FactRecord
    memory: Memory
    number: int
    confirmed_by: list[str] = field(default_factory=list[str])
    confidence: float = 0.0


class EntityView:
    """Everything known of one entity at `revision`."""

    def __init__(self, entity: EntityId, schema: EntitySchema, dims: int) -> None:
        self.entity = entity
        self.revision = 0
        self.facts: dict[str, FactState] = {}
        self.ordered: list[FactState] = []
        self.properties: dict[str, PropertyState] = {}
        self.relations: dict[Relation, Memory] = {}
        self.memories: dict[str, Memory] = {}
        self.lexical = Bm25()
        self._schema = schema
        self._exact: dict[str, str] = {}
        self._vectors: NDArray[np.float32] = np.zeros((8, dims), dtype=np.float32)

    @property
    def vectors(self) -> Vectors:
        """Return (n, dims) float32: the vector of every fact by number; zeros where there is none yet."""
        return self._vectors[: len(self.ordered)]

    def apply(self, memory: Memory, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Fold the next memory in."""
        self.revision = memory.revision
        self.memories[memory.id] = memory
        for fact in memory.facts:
            self._add(fact, memory, vectors.get(fact.id))
        for confirmation in memory.confirms:
            self._confirm(confirmation, memory)
        for relation in memory.relations:
            self.relations.setdefault(relation, memory)
        self.properties, _ = folded(self.properties, memory, self._schema)

    def observations(self) -> Iterator[Observed]:
        """Yield every observed value of the properties in use, also those that the schema does not take any more."""
        return observations(self.memories.values(), self._schema)

    def same_words(self, text: str) -> FactState | None:
        """Return the fact that says the same in the same words, whatever its case and punctuation."""
        fact_id = self._exact.get(exact_form(text))
        return self.facts.get(fact_id) if fact_id else None

    def _add(self, fact: FactRecord, memory: Memory, vector: NDArray[np.float32] | None) -> None:
        number = len(self.ordered)
        if number == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        if vector is not None:
            self._vectors[number] = vector
        state = FactState(fact, memory, number, confidence=fact.confidence)
        self.facts[fact.id] = state
        self.ordered.append(state)
        self._exact.setdefault(exact_form(fact.text), fact.id)
        self.lexical.add(terms(fact.text))

    def _confirm(self, confirmation: Confirmation, memory: Memory) -> None:
        state = self.facts.get(confirmation.fact_id)
        if state is None:
            return
        known = {state.memory.source or state.memory.id}
        known.update(self.memories[one].source or one for one in state.confirmed_by if one in self.memories)
        if (memory.source or memory.id) not in known:
            state.confidence = combined(state.confidence, confirmation.confidence)
        state.confirmed_by.append(memory.id)


def exact_form(text: str) -> str:
    """Return the words of a text, folded: two facts with equal forms are the same statement."""
    return " ".join(words(text))
