"""An entity as it stands: the fold of its log, with the indexes that recall and deduplication need.

A view is kept in memory and brought up to date by the memories it has not seen; it never outlives a change of the
entity unnoticed, because every use begins with a consistent read of the head.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.properties import Observed, PropertyState, combined, folded, observations
from interlayer.memory.records import Confirmation, EntityId, FactRecord, Memory, Relation
from interlayer.memory.schema import EntitySchema
from interlayer.memory.survivors import is_structure
from interlayer.memory.traits import Traits
from interlayer.memory.word_index import WordIndex
from interlayer.models.embedder import Vectors
from interlayer.storage.items import LAST
from interlayer.text.terms import words


@dataclass(slots=True, eq=False)
class FactState:
    """A fact and what the later log says of it. `number` is its place in the view's indexes."""

    record: FactRecord
    memory: Memory
    number: int
    confirmed_by: list[str] = field(default_factory=list[str])
    confidence: float = 0.0
    seen_at: str = ""
    contradicts: "list[FactState]" = field(default_factory=list["FactState"])

    @property
    def superseded_by(self) -> "FactState | None":
        """The last observed of the facts that contradict this one, if it was observed later than this one."""
        latest = max(self.contradicts, key=lambda other: (other.seen_at, other.number), default=None)
        return latest if latest and latest.seen_at > self.seen_at else None


class EntityView:
    """Everything known of one entity at `revision`, without what was kept long enough."""

    def __init__(self, entity: EntityId, schema: EntitySchema, dims: int) -> None:
        self.entity = entity
        self.revision = 0
        self.facts: dict[str, FactState] = {}
        self.ordered: list[FactState] = []
        self.properties: dict[str, PropertyState] = {}
        self.relations: dict[Relation, Memory] = {}
        self.memories: dict[str, Memory] = {}
        self.stated: set[Relation] = set()  # those of hidden memories too: their places are taken
        self.oldest = LAST  # when the oldest memory in here was recorded
        self.words = WordIndex()
        self.vector_sum: NDArray[np.float32] = np.zeros(dims, dtype=np.float32)
        self.traits = Traits()
        self._schema = schema
        self._exact: dict[str, str] = {}
        self._same: dict[str, str] = {}
        self._opposed: dict[str, list[str]] = {}
        self._vectors: NDArray[np.float32] = np.zeros((8, dims), dtype=np.float32)

    @property
    def vectors(self) -> Vectors:
        """Return (n, dims) float32: the vector of every fact by number; zeros where there is none yet."""
        return self._vectors[: len(self.ordered)]

    def apply(self, memory: Memory, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Fold the next memory in."""
        self.revision = memory.revision
        self.memories[memory.id] = memory
        self.stated.update(memory.relations)
        if not is_structure(memory):
            self.oldest = min(self.oldest, memory.recorded_at)
        self._same |= dict(memory.same)
        for one, other in memory.opposed:
            self._opposed.setdefault(one, []).append(other)
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

    def fact(self, fact_id: str) -> FactState | None:
        """Return the fact of an id, or the fact that it was found to repeat when two entities were merged."""
        return self.facts.get(fact_id) or self.facts.get(self._same.get(fact_id, ""))

    def _add(self, fact: FactRecord, memory: Memory, vector: NDArray[np.float32] | None) -> None:
        known = self._same.get(fact.id)
        if known in self.facts:
            self._confirm(Confirmation(known, 1.0, fact.text, fact.confidence, fact.observed_at, fact.span), memory)
            return
        number = len(self.ordered)
        if number == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        if vector is not None:
            self._vectors[number] = vector
            self.vector_sum += vector
        state = FactState(fact, memory, number, confidence=fact.confidence, seen_at=fact.observed_at)
        against = (*fact.contradicts, *self._opposed.get(fact.id, ()))
        for other in filter(None, map(self.facts.get, against)):
            state.contradicts.append(other)
            other.contradicts.append(state)
        self.facts[fact.id] = state
        self.ordered.append(state)
        found = words(fact.text)
        self._exact.setdefault(" ".join(found), fact.id)
        self.words.add(found)
        self.traits.add(fact, memory)
        self._weigh(state)

    def _confirm(self, confirmation: Confirmation, memory: Memory) -> None:
        state = self.facts.get(confirmation.fact_id)
        if state is None:  # what it confirmed went away with an entity that was split off: it stands for itself
            said = confirmation
            fact = FactRecord(said.fact_id, said.text, said.confidence, said.observed_at, said.span)
            self._add(fact, memory, None)
            return
        known = {state.memory.source or state.memory.id}
        known.update(self.memories[one].source or one for one in state.confirmed_by if one in self.memories)
        if (memory.source or memory.id) not in known:
            state.confidence = combined(state.confidence, confirmation.confidence)
        state.confirmed_by.append(memory.id)
        state.seen_at = max(state.seen_at, confirmation.observed_at)
        self.traits.seen(state.number, state.seen_at, state.confidence)
        self._weigh(state)

    def _weigh(self, state: FactState) -> None:
        """Bring the status of a fact and of what contradicts it up to date."""
        if state.contradicts:
            for one in (state, *state.contradicts):
                self.traits.set_superseded(one.number, one.superseded_by is not None)


def valid_then(memory: Memory, as_of: str) -> Memory:
    """Return a memory with only what it observed up to an instant; relations hold from when the memory was observed."""
    return replace(
        memory,
        facts=tuple(fact for fact in memory.facts if fact.observed_at <= as_of),
        confirms=tuple(one for one in memory.confirms if one.observed_at <= as_of),
        properties=tuple(seen for seen in memory.properties if seen.observed_at <= as_of),
        relations=memory.relations if memory.observed_at <= as_of else (),
    )


def exact_form(text: str) -> str:
    """Return the words of a text, folded: two facts with equal forms are the same statement."""
    return " ".join(words(text))
