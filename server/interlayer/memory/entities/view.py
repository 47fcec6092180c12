"""An entity as it stands: the fold of its log, with the indexes that recall and deduplication need.

A view is kept in memory and brought up to date by the memories it has not seen; it never outlives a change of the
entity unnoticed, because every use begins with a consistent read of the head.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interlayer.language.comparison.tokens import exact_form
from interlayer.language.soft_match import WordIndex
from interlayer.language.terms import words
from interlayer.memory.entities.fact_columns import Traits
from interlayer.memory.entities.fact_groups import NO_GROUPS, FactGroups
from interlayer.memory.entities.fact_state import FactState, last_word
from interlayer.memory.entities.surroundings import Surroundings
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
from interlayer.memory.log.relations import RelationFold, RelationState
from interlayer.memory.schema.relation import NO_RULES, RelationRules
from interlayer.memory.schema.schema import EntitySchema
from interlayer.models.embedder import Space, Vectors, unit
from interlayer.storage.items import LAST

Link = Literal["contradicts", "likely", "alike"]


class EntityView:
    """Everything known of one entity at `revision`, without what was kept long enough."""

    def __init__(
        self,
        entity: EntityId,
        schema: EntitySchema,
        space: Space | None = None,
        rules: RelationRules = NO_RULES,
    ) -> None:
        dims = space.dims if space else 0
        self.space = space
        self.entity = entity
        self.revision = 0
        self.facts: dict[str, FactState] = {}
        self.ordered: list[FactState] = []
        self.states: dict[str, PropertyState] = {}  # those of emptied properties too
        self.linked = RelationFold(rules)
        self.memories: dict[str, LogEntry] = {}
        self.stated: set[Relation] = set()  # those of hidden memories too: their places are taken
        self.oldest = LAST  # when the oldest memory in here was recorded
        self.words = WordIndex()
        self.vector_sum: NDArray[np.float32] = np.zeros(dims, dtype=np.float32)
        self.traits = Traits()
        self.around = Surroundings()
        self.rows: set[str] = set()  # the ids of the statements that memories in here made first
        self.withheld: frozenset[str] = frozenset()  # properties whose values were left out
        self.cut: frozenset[str] = frozenset()  # memories of which something was left out
        self._lacking: set[int] = set()
        self._schema = schema
        self._exact: dict[str, str] = {}
        self._same = FactAliases()
        self._standing: dict[str, FactState] = {}
        self._noted: dict[str, list[tuple[Link, str]]] = {}  # what merges say of statements to come
        self._awaited: dict[str, list[tuple[Link, FactState]]] = {}  # links to statements to come
        self._grouped: FactGroups | None = NO_GROUPS
        self._linked: dict[FactState, None] = {}
        self._successions: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        self._vectors: NDArray[np.float32] = np.zeros((8, dims), dtype=np.float32)
        self._passages: Vectors | None = None

    @property
    def vectors(self) -> Vectors:
        """Return (n, dims) float32: the vector of every fact by number; zeros where there is none yet."""
        return self._vectors[: len(self.ordered)]

    def vectors_by_id(self) -> dict[str, NDArray[np.float32]]:
        """Return the vector of every fact that has one, under each id that names it."""
        known = (fact for fact in self.ordered if fact.number not in self._lacking)
        return {one: self._vectors[fact.number] for fact in known for one in (fact.record.id, *fact.said_as)}

    @property
    def passage_vectors(self) -> Vectors:
        """Return (facts, dims) float32: the direction of the facts of the passage of each together."""
        if self._passages is None:
            new = np.diff(self.around.passages[self.around.facts], prepend=-1) > 0
            summed = np.add.reduceat(self.vectors, np.flatnonzero(new)) if len(new) else self.vectors
            self._passages = unit(summed)[np.cumsum(new) - 1]
        return self._passages

    @property
    def relations(self) -> Mapping[Relation, RelationState]:
        """Return the state of every relation that anything was said of."""
        return self.linked.states

    @property
    def properties(self) -> dict[str, PropertyState]:
        """Return the state of every property that has a value, by name."""
        return {name: state for name, state in self.states.items() if not state.emptied}

    @property
    def lacking(self) -> dict[str, str]:
        """Return the texts, by id, of the facts that have no vector yet."""
        return {fact.record.id: fact.record.text for fact in (self.ordered[number] for number in sorted(self._lacking))}

    @property
    def groups(self) -> FactGroups:
        """Which facts stand behind others when they are read."""
        if self._grouped is None:
            self._grouped = FactGroups.of(self._linked)
        return self._grouped

    @property
    def successions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (n,) int64 twice: the numbers of superseded facts, and of the current one in the place of each."""
        if self._successions is None:
            over = [self.ordered[number] for number in np.flatnonzero(self.traits.superseded).tolist()]
            pairs = [(fact.number, last.number) for fact in over if (last := last_word(fact)).is_current]
            former, latter = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
            self._successions = former, latter
        return self._successions

    def give(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Take vectors, by fact id, of facts that lack them."""
        for number in [one for one in self._lacking if self.ordered[one].record.id in vectors]:
            self._place(number, vectors[self.ordered[number].record.id])

    def apply(self, memory: LogEntry, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Fold the next memory in."""
        self.revision = memory.revision
        self.memories[memory.id] = memory
        self.stated.update(one.relation for one in memory.relations)
        if not isinstance(memory, Merged | Split):
            self.oldest = min(self.oldest, memory.recorded_at)
        if isinstance(memory, Merged):
            self._adopt(memory)
        self._state(memory, vectors)
        for confirmation in memory.confirms:
            self._confirm(confirmation, memory)
        for fact_id in memory.closes:
            if closed := self.fact(fact_id):
                self._end(closed, memory, memory.observed_at)
        self.linked.add(memory)
        self.states, _ = folded(self.states, memory, self._schema)

    def move(self, space: Space, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Take the vectors of another space, by fact id, in place of those that are here; all else stays."""
        self.space = space
        self._vectors = np.zeros((max(len(self.ordered), 8), space.dims), dtype=np.float32)
        self.vector_sum = np.zeros(space.dims, dtype=np.float32)
        self._passages = None
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
        return self.in_form(exact_form(text))

    def in_form(self, exact: str) -> FactState | None:
        """Return the fact of an exact form."""
        fact_id = self._exact.get(exact)
        return self.facts.get(fact_id) if fact_id else None

    def _adopt(self, merge: Merged) -> None:
        """Note which facts of the absorbed entity repeat, contradict or come near to facts of this one."""
        for one, other in merge.same:
            self._join(one, other)
        noted: Mapping[Link, Sequence[tuple[str, str]]] = {
            "contradicts": merge.opposed,
            "likely": merge.likely,
            "alike": merge.alike,
        }
        for link, pairs in noted.items():
            for one, other in pairs:
                self._noted.setdefault(statement_of(one), []).append((link, other))

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
            self._link(standing, fact)
            if vector is not None and standing.record.id == fact.id:
                self._place(standing.number, vector)
            if said_in is memory or said_in.id not in (standing.memory.id, *standing.confirmed_by):
                self._voice(standing, said_in, fact)
            self._told(standing, fact, said_in)
            return
        number = len(self.ordered)
        if number == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._lacking.add(number)
        self._passages = None
        if vector is not None:
            self._place(number, vector)
        state = FactState(fact, said_in, number, confidence=fact.confidence, seen_at=fact.observed_at)
        state.said_as.add(fact.id)
        self.facts[fact.id] = state
        self._standing[self._same.root(fact.id)] = state
        self.ordered.append(state)
        self._exact.setdefault(exact, fact.id)
        self.words.add(found)
        self.around.add_fact(found, len(fact.text), (said_in.content_of or "") if fact.span else "")
        self.traits.add(fact, said_in)
        if not fact.ended:
            state.voices.append((said_in.recorded_at, fact.observed_at))
        self._link(state, fact)
        self._told(state, fact, said_in)
        self._weigh(state)

    def _state(self, memory: LogEntry, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Add the facts of a memory, each in its place among the words that were left out."""
        context = list(memory.context)
        for fact in memory.facts:
            while context and fact.span and context[0][0] < fact.span[0]:
                self._surround(context.pop(0)[1], memory)
            self._add(fact, memory, vectors.get(fact.id))
            self.rows.add(fact.id)
        for _, left_out in context:
            self._surround(left_out, memory)

    def _surround(self, text: str, memory: LogEntry) -> None:
        self.around.add_context(text.split(), len(text), memory.content_of or "")

    def _place(self, number: int, vector: NDArray[np.float32]) -> None:
        self.vector_sum += vector - self._vectors[number]
        self._vectors[number] = vector
        self._passages = None
        self._lacking.discard(number)

    def _link(self, state: FactState, said: FactRecord) -> None:
        """Link a fact with what it names, with what a merge says of it, and with what named it before it came."""
        statement = statement_of(said.id)
        named: Mapping[Link, Sequence[str]] = {
            "contradicts": said.contradicts,
            "likely": said.likely,
            "alike": said.alike,
        }
        links: list[tuple[Link, str]] = [(link, other) for link, others in named.items() for other in others]
        for link, other_id in (*links, *self._noted.get(statement, ())):
            if other := self.fact(other_id):
                self._pair(link, state, other)
            else:
                self._awaited.setdefault(statement_of(other_id), []).append((link, state))
        for link, other in self._awaited.pop(statement, ()):
            self._pair(link, state, other)

    def _pair(self, link: Link, one: FactState, other: FactState) -> None:
        """Link two facts, each with the other."""
        mine: list[FactState] = getattr(one, link)
        if other is one or other in mine:
            return
        theirs: list[FactState] = getattr(other, link)
        mine.append(other)
        theirs.append(one)
        if link == "contradicts":
            self._weigh(one)
        else:
            self._linked |= {one: None, other: None}
            self._grouped = None

    def _told(self, state: FactState, said: FactRecord | Confirmation, memory: LogEntry) -> None:
        """Follow what a voice says of a fact in so many words: that it is over, or takes the place of others."""
        if said.ended:
            self._end(state, memory, said.observed_at)
        for other in filter(None, map(self.fact, said.replaces)):
            if other is not state:
                other.replaced[state] = max(memory.recorded_at, other.replaced.get(state, ""))
                self._pair("contradicts", state, other)
                self._weigh(state)

    def _end(self, state: FactState, memory: LogEntry, observed_at: str) -> None:
        state.ended = max(state.ended or ("", ""), (memory.recorded_at, observed_at))
        self._weigh(state)

    def _confirm(self, said: Confirmation, memory: LogEntry) -> None:
        state = self.fact(said.fact_id)
        if state is None:  # what it confirmed went away with an entity that was split off: it stands for itself
            own = _own(said, memory)
            self._add(own, memory, None)
            state = self.fact(own.id)
        else:
            self._voice(state, memory, said)
            self._told(state, said, memory)
        if state:
            state.said_as.add(said.fact_id)

    def _voice(self, state: FactState, memory: LogEntry, said: FactRecord | Confirmation) -> None:
        """Add one more voice to a known fact; one that says that it is over confirms nothing."""
        known = {state.memory.witness}
        known.update(self.memories[one].witness for one in state.confirmed_by if one in self.memories)
        state.confirmed_by.append(memory.id)
        if said.ended:
            return
        if memory.witness not in known:
            state.confidence = combined(state.confidence, said.confidence)
        state.voices.append((memory.recorded_at, said.observed_at))
        state.seen_at = max(state.seen_at, said.observed_at)
        self.traits.seen(state.number, state.seen_at, state.confidence)
        self._weigh(state)

    def _weigh(self, state: FactState) -> None:
        """Bring the status of a fact and of what contradicts it up to date."""
        for one in (state, *state.contradicts):
            self.traits.set_superseded(one.number, not one.is_current)
        self._successions = None
        if self._linked:
            self._grouped = None


def _own(said: Confirmation, memory: LogEntry) -> FactRecord:
    """Turn a confirmation of a memory into a fact of its own."""
    own = str(FactId.parse(said.fact_id).voiced_by(memory.id))
    return FactRecord(
        own, said.text, said.confidence, said.observed_at, said.span, replaces=said.replaces, ended=said.ended
    )


def valid_then(memory: LogEntry, as_of: str) -> LogEntry:
    """Return a memory with only what it observed up to an instant."""
    return replace(
        memory,
        facts=tuple(fact for fact in memory.facts if fact.observed_at <= as_of),
        confirms=tuple(one for one in memory.confirms if one.observed_at <= as_of),
        properties=tuple(seen for seen in memory.properties if seen.observed_at <= as_of),
        relations=tuple(one for one in memory.relations if (one.observed_at or memory.observed_at) <= as_of),
        closes=memory.closes if memory.observed_at <= as_of else (),
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
