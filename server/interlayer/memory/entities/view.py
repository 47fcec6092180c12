"""An entity as it stands: the fold of its log, with the indexes that recall and deduplication need.

A view is kept in memory and brought up to date by the memories it has not seen; it never outlives a change of the
entity unnoticed, because every use begins with a consistent read of the head.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from interlayer.language.comparison.tokens import exact_form
from interlayer.language.soft_match import WordIndex
from interlayer.language.terms import words
from interlayer.memory.entities.fact_columns import Traits
from interlayer.memory.log.properties import Observed, PropertyState, combined, folded, observations
from interlayer.memory.log.records import (
    Confirmation,
    EntityId,
    FactId,
    FactRecord,
    LogEntry,
    Merged,
    Relation,
    Split,
    statement_of,
)
from interlayer.memory.schema.schema import EntitySchema
from interlayer.models.embedder import Space, Vectors
from interlayer.storage.items import LAST


@dataclass(slots=True, eq=False)
class FactState:
    """A fact and what the later log says of it. `number` is its place in the view's indexes.

    `said_as` are the ids under which the log names the statement.
    """

    record: FactRecord
    memory: LogEntry
    number: int
    confirmed_by: list[str] = field(default_factory=list[str])
    said_as: set[str] = field(default_factory=set[str])
    confidence: float = 0.0
    seen_at: str = ""
    contradicts: "list[FactState]" = field(default_factory=list["FactState"])

    @property
    def superseded_by(self) -> "FactState | None":
        """The last observed of the facts that contradict this one, if it was observed later than this one.

        What one memory says is told in order, so that its own last word counts as later.
        """
        if not self.contradicts:
            return None
        latest = max(self.contradicts, key=lambda other: (other.seen_at, other.number))
        later = latest.seen_at > self.seen_at
        corrected = latest.memory is self.memory and latest.seen_at == self.seen_at and latest.number > self.number
        return latest if later or corrected else None


class EntityView:
    """Everything known of one entity at `revision`, without what was kept long enough."""

    def __init__(self, entity: EntityId, schema: EntitySchema, space: Space | None = None) -> None:
        dims = space.dims if space else 0
        self.space = space
        self.entity = entity
        self.revision = 0
        self.facts: dict[str, FactState] = {}
        self.ordered: list[FactState] = []
        self.properties: dict[str, PropertyState] = {}
        self.relations: dict[Relation, LogEntry] = {}
        self.memories: dict[str, LogEntry] = {}
        self.stated: set[Relation] = set()  # those of hidden memories too: their places are taken
        self.oldest = LAST  # when the oldest memory in here was recorded
        self.words = WordIndex()
        self.vector_sum: NDArray[np.float32] = np.zeros(dims, dtype=np.float32)
        self.traits = Traits()
        self._lacking: set[int] = set()
        self._schema = schema
        self._exact: dict[str, str] = {}
        self._same = FactAliases()
        self._standing: dict[str, FactState] = {}
        self._opposed: dict[str, list[str]] = {}
        self._vectors: NDArray[np.float32] = np.zeros((8, dims), dtype=np.float32)

    @property
    def vectors(self) -> Vectors:
        """Return (n, dims) float32: the vector of every fact by number; zeros where there is none yet."""
        return self._vectors[: len(self.ordered)]

    @property
    def lacking(self) -> dict[str, str]:
        """Return the texts, by id, of the facts that have no vector yet."""
        return {fact.record.id: fact.record.text for fact in (self.ordered[number] for number in sorted(self._lacking))}

    def give(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Take vectors, by fact id, of facts that lack them."""
        for number in [one for one in self._lacking if self.ordered[one].record.id in vectors]:
            self._place(number, vectors[self.ordered[number].record.id])

    def apply(self, memory: LogEntry, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Fold the next memory in."""
        self.revision = memory.revision
        self.memories[memory.id] = memory
        self.stated.update(memory.relations)
        if not isinstance(memory, Merged | Split):
            self.oldest = min(self.oldest, memory.recorded_at)
        if isinstance(memory, Merged):
            self._adopt(memory)
        for fact in memory.facts:
            self._add(fact, memory, vectors.get(fact.id))
        for confirmation in memory.confirms:
            self._confirm(confirmation, memory)
        for relation in memory.relations:
            self.relations.setdefault(relation, memory)
        self.properties, _ = folded(self.properties, memory, self._schema)

    def move(self, space: Space, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Take the vectors of another space, by fact id, in place of those that are here; all else stays."""
        self.space = space
        self._vectors = np.zeros((max(len(self.ordered), 8), space.dims), dtype=np.float32)
        self.vector_sum = np.zeros(space.dims, dtype=np.float32)
        self._lacking = set(range(len(self.ordered)))
        for fact in self.ordered:
            if fact.record.id in vectors:
                self._place(fact.number, vectors[fact.record.id])

    def observations(self) -> Iterator[Observed]:
        """Yield every observed value of the properties in use, also those that the schema does not take any more."""
        return observations(self.memories.values(), self._schema)

    def fact(self, fact_id: str) -> FactState | None:
        """Return the fact of an id, which may be that of another voice of the same statement."""
        return self.facts.get(fact_id) or self._standing.get(self._same.root(fact_id))

    def same_words(self, text: str) -> FactState | None:
        """Return the fact that says the same in the same words, whatever its case and punctuation."""
        fact_id = self._exact.get(exact_form(text))
        return self.facts.get(fact_id) if fact_id else None

    def _adopt(self, merge: Merged) -> None:
        """Note which facts of the absorbed entity repeat or contradict facts of this one."""
        for one, other in merge.same:
            self._join(one, other)
        for one, other in merge.opposed:
            self._opposed.setdefault(statement_of(one), []).append(other)

    def _join(self, fact_id: str, other: str) -> None:
        """Note that two ids name one statement."""
        former, root = self._same.join(fact_id, other)
        if former in self._standing:
            self._standing.setdefault(root, self._standing[former])

    def _add(self, fact: FactRecord, memory: LogEntry, vector: NDArray[np.float32] | None) -> None:
        said_in = self.memories.get(FactId.parse(fact.id).memory, memory)
        found = words(fact.text)
        exact = exact_form(fact.text)
        standing = self.fact(fact.id) or self.facts.get(self._exact.get(exact, ""))
        if standing:  # an entity that was merged says what is known already
            self._join(fact.id, standing.record.id)
            standing.said_as.add(fact.id)
            self._oppose(standing, fact)
            if vector is not None and standing.record.id == fact.id:
                self._place(standing.number, vector)
            if said_in is memory or said_in.id not in (standing.memory.id, *standing.confirmed_by):
                self._voice(standing, said_in, fact.confidence, fact.observed_at)
            return
        number = len(self.ordered)
        if number == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._lacking.add(number)
        if vector is not None:
            self._place(number, vector)
        state = FactState(fact, said_in, number, confidence=fact.confidence, seen_at=fact.observed_at)
        state.said_as.add(fact.id)
        self.facts[fact.id] = state
        self._standing[self._same.root(fact.id)] = state
        self.ordered.append(state)
        self._exact.setdefault(exact, fact.id)
        self.words.add(found)
        self.traits.add(fact, said_in)
        self._oppose(state, fact)
        self._weigh(state)

    def _place(self, number: int, vector: NDArray[np.float32]) -> None:
        self.vector_sum += vector - self._vectors[number]
        self._vectors[number] = vector
        self._lacking.discard(number)

    def _oppose(self, state: FactState, said: FactRecord) -> None:
        against = (*said.contradicts, *self._opposed.get(statement_of(said.id), ()))
        for other in filter(None, map(self.fact, against)):
            if other is not state and other not in state.contradicts:
                state.contradicts.append(other)
                other.contradicts.append(state)

    def _confirm(self, said: Confirmation, memory: LogEntry) -> None:
        state = self.fact(said.fact_id)
        if state is None:  # what it confirmed went away with an entity that was split off: it stands for itself
            own = _own(said, memory)
            self._add(own, memory, None)
            state = self.fact(own.id)
        else:
            self._voice(state, memory, said.confidence, said.observed_at)
        if state:
            state.said_as.add(said.fact_id)

    def _voice(self, state: FactState, memory: LogEntry, confidence: float, observed_at: str) -> None:
        """Add one more voice to a known fact."""
        known = {state.memory.voice}
        known.update(self.memories[one].voice for one in state.confirmed_by if one in self.memories)
        if memory.voice not in known:
            state.confidence = combined(state.confidence, confidence)
        state.confirmed_by.append(memory.id)
        state.seen_at = max(state.seen_at, observed_at)
        self.traits.seen(state.number, state.seen_at, state.confidence)
        self._weigh(state)

    def _weigh(self, state: FactState) -> None:
        """Bring the status of a fact and of what contradicts it up to date."""
        if state.contradicts:
            for one in (state, *state.contradicts):
                self.traits.set_superseded(one.number, one.superseded_by is not None)


def _own(said: Confirmation, memory: LogEntry) -> FactRecord:
    """Turn a confirmation of a memory into a fact of its own."""
    own = str(FactId.parse(said.fact_id).voiced_by(memory.id))
    return FactRecord(own, said.text, said.confidence, said.observed_at, said.span)


def valid_then(memory: LogEntry, as_of: str) -> LogEntry:
    """Return a memory with only what it observed up to an instant; relations hold from when the memory was observed."""
    return replace(
        memory,
        facts=tuple(fact for fact in memory.facts if fact.observed_at <= as_of),
        confirms=tuple(one for one in memory.confirms if one.observed_at <= as_of),
        properties=tuple(seen for seen in memory.properties if seen.observed_at <= as_of),
        relations=memory.relations if memory.observed_at <= as_of else (),
    )


class FactAliases:
    """Groups of fact ids that name one statement (a union-find; chains are as short as merges are few)."""

    def __init__(self) -> None:
        self._leads_to: dict[str, str] = {}

    def root(self, fact_id: str) -> str:
        """Return the id that stands for the group."""
        root = statement_of(fact_id)
        while root in self._leads_to:
            root = self._leads_to[root]
        return root

    def join(self, fact_id: str, other: str) -> tuple[str, str]:
        """Put two groups together under the root of `other`; return the former root of the first, and the root."""
        former, root = self.root(fact_id), self.root(other)
        if former != root:
            self._leads_to[former] = root
        return former, root
