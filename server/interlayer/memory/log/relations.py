"""Which relations of an entity hold: the voices for each, folded into a state that does not depend on their order.

A relation is over when that was observed last. Where the schema lets only so many of a type be current at once, those
that were observed last are, and the others are superseded. A property that mirrors a relation takes part: a value that
no relation stands for is another end that nobody knows as an entity.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from interlayer.memory.log import keys
from interlayer.memory.log.properties import CONFIDENCE_LEAST, combined
from interlayer.memory.log.records import EntityId, LogEntry, Observation, Relation, RelationRecord
from interlayer.memory.schema.relation import NO_RULES, RelationRules
from interlayer.storage.items import ABSENT, Delete, ItemStore, Operation, Put

RelationStatus = Literal["current", "superseded", "ended"]
_SHOWN_FIRST: Final[Sequence[RelationStatus]] = ("current", "superseded", "ended")


@dataclass(frozen=True, slots=True)
class RelationVoice:
    """What a memory says of a relation; `place` is where it stands among what the memory says of relations."""

    said: RelationRecord
    memory: LogEntry
    place: int = 0

    @property
    def observed_at(self) -> str:
        """When it was observed: as it says, or with its memory."""
        return self.said.observed_at or self.memory.observed_at

    @property
    def rank(self) -> tuple[Any, ...]:
        """What puts the voices that say the same in order, the last of them highest."""
        return (self.observed_at, self.said.confidence, self.memory.recorded_at, -self.place)


@dataclass(frozen=True, slots=True)
class RelationState:
    """What all voices for a relation come to; `basis` is the memory that its status rests on."""

    relation: Relation
    status: RelationStatus
    observed_at: str
    confidence: float
    basis: LogEntry
    voices: tuple[RelationVoice, ...] = field(default=(), compare=False)

    @property
    def order(self) -> tuple[Any, ...]:
        """What puts relations in the order in which they are shown, the first of them lowest, ties aside."""
        return (_SHOWN_FIRST.index(self.status), self.relation.type)

    def stated_in(self, holder: EntityId, entity: EntityId) -> bool:
        """Tell whether a memory in the log of `holder` speaks of it; `entity` is the one whose view it is in."""
        return any((one.memory.home[0] if one.memory.home else entity) == holder for one in self.voices)


@dataclass(slots=True)
class RelationFold:
    """The voices for the relations of an entity, and what they come to."""

    rules: RelationRules = NO_RULES
    _voices: dict[Relation, list[RelationVoice]] = field(default_factory=dict[Relation, list[RelationVoice]])
    _values: list["_MirroredValue"] = field(default_factory=list["_MirroredValue"])
    _states: dict[Relation, RelationState] | None = None

    @classmethod
    def of(cls, memories: Iterable[LogEntry], rules: RelationRules) -> "RelationFold":
        """Fold memories."""
        made = cls(rules)
        for memory in memories:
            made.add(memory)
        return made

    def add(self, memory: LogEntry) -> None:
        """Fold the next memory in."""
        for place, said in enumerate(memory.relations):
            self._voices.setdefault(said.relation, []).append(RelationVoice(said, memory, place))
        for seen in memory.properties:
            if kind := self.rules.mirrored.get(seen.name):
                stood_for = tuple(one.relation for one in memory.relations if one.type == kind and not one.ended)
                self._values.append(_MirroredValue(kind, seen, memory.recorded_at, stood_for))
        if memory.relations or memory.properties:
            self._states = None

    def extended(self, memory: LogEntry) -> "RelationFold":
        """Return the fold with one more memory in it; this one stays as it is."""
        if not memory.relations and not memory.properties:
            return self
        voices = {relation: [*some] for relation, some in self._voices.items()}
        made = RelationFold(self.rules, voices, [*self._values])
        made.add(memory)
        return made

    @property
    def states(self) -> Mapping[Relation, RelationState]:
        """The state of every relation that anything was said of."""
        if self._states is None:
            kinds = groupby(sorted(self._voices, key=lambda one: one.type), lambda one: one.type)
            found = {one.relation: one for kind, group in kinds for one in self._of_type(kind, list(group))}
            self._states = {relation: found[relation] for relation in self._voices}  # in the order of arrival
        return self._states

    def value_of(self, relation: Relation) -> Any:
        """Return the last value that a property had as it mirrored a relation, None if it never did."""
        seen = [one.seen for one in self._values if relation in one.stood_for and not one.seen.remove]
        return max(seen, key=lambda one: one.observed_at).value if seen else None

    def _of_type(self, kind: str, relations: Sequence[Relation]) -> Iterator[RelationState]:
        values = [one for one in self._values if one.type == kind]
        named: dict[Relation, set[str]] = {relation: set() for relation in relations}
        for one in values:
            for relation in one.stood_for if not one.seen.remove else ():
                named[relation].add(_key(one))
        ends = {relation: self._end(relation, values, named) for relation in relations}
        behind = self._behind(kind, relations, values, set().union(*named.values()))
        for relation in relations:
            voices = self._voices[relation]
            held, over = [one for one in voices if not one.said.ended], [one for one in voices if one.said.ended]
            confidence = _together(held)
            last = max(held, key=lambda one: one.rank, default=None)
            ended_at = ends[relation]
            if last is None or (ended_at and ended_at >= last.observed_at):
                basis = max(over or held, key=lambda one: one.rank)
                seen_at = max(ended_at, basis.observed_at)
                yield RelationState(
                    relation, "ended", seen_at, _together(over) if over else confidence, basis.memory, tuple(voices)
                )
            else:
                status: RelationStatus = "superseded" if relation in behind else "current"
                yield RelationState(relation, status, last.observed_at, confidence, last.memory, tuple(voices))

    def _end(
        self, relation: Relation, values: Sequence["_MirroredValue"], named: Mapping[Relation, Collection[str]]
    ) -> str:
        """Return when a relation was last observed to be over, empty if it never was."""
        least = min(CONFIDENCE_LEAST, _together(one for one in self._voices[relation] if not one.said.ended))
        over = [one.observed_at for one in self._voices[relation] if one.said.ended and one.said.confidence >= least]
        over += [
            one.seen.observed_at
            for one in values
            if one.seen.remove
            and one.seen.confidence >= least
            and (one.seen.value is None or _key(one) in named[relation])
        ]
        return max(over, default="")

    def _behind(
        self,
        kind: str,
        relations: Sequence[Relation],
        values: Sequence["_MirroredValue"],
        known: Collection[str],
    ) -> set[Relation]:
        """Return the relations of which newer ones, or newer values of what mirrors them, took the place."""
        most = self.rules.at_most.get(kind)
        if not most:
            return set()
        ranked: dict[Relation | str, tuple[Any, ...]] = {}
        for relation in relations:
            held = [one for one in self._voices[relation] if not one.said.ended]
            if held:
                ranked[relation] = max((_is_sure(one.said.confidence), *one.rank) for one in held)
        for one in values:
            if not one.seen.remove and _key(one) not in known:
                seen = one.seen
                rank = (_is_sure(seen.confidence), seen.observed_at, seen.confidence, one.recorded_at, 0)
                ranked[_key(one)] = max(rank, ranked.get(_key(one), rank))
        last = sorted(ranked, key=lambda one: (ranked[one], str(one)), reverse=True)  # a tie is the same for all
        return {one for one in last[most:] if isinstance(one, Relation)}


@dataclass(frozen=True, slots=True)
class _MirroredValue:
    """An observation of a property that mirrors a type of relation, and the relations that its memory states."""

    type: str
    seen: Observation
    recorded_at: str
    stood_for: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is noted of a relation with its target, so that it is shown there without a look at its origin.

    It was right where so many of the type are current at once as `at_most` says, 0 for any number.
    """

    memory_id: str
    recorded_at: str
    status: RelationStatus
    observed_at: str
    confidence: float
    source: str = ""
    at_most: int = 0


_POINTER: Final = TypeAdapter(Pointer)


def pointer_of(state: RelationState, rules: RelationRules) -> Pointer:
    """Return the pointer that is noted with the target of a relation."""
    basis, most = state.basis, rules.at_most.get(state.relation.type, 0)
    at, source = (state.observed_at, state.confidence), basis.source or ""
    return Pointer(basis.interaction, basis.recorded_at, state.status, *at, source, most)


def noted_pointer(body: Mapping[str, Any]) -> Pointer | None:
    """Read what was noted of a relation, None for what an earlier version noted, which says too little."""
    return _POINTER.validate_python(body) if "status" in body else None


async def point(
    store: ItemStore,
    organization: str,
    holder: EntityId,
    before: Mapping[Relation, RelationState],
    after: Mapping[Relation, RelationState],
    rules: RelationRules,
    taken: Iterable[Relation] = (),
) -> list[Operation]:
    """Build what makes the targets of an entity's relations know of them as they are after a change.

    `taken` are relations that lie with their targets already, whether or not `before` has them.
    """
    held = {*before, *taken}
    noted = {relation: pointer_of(state, rules) for relation, state in before.items()}
    pointers = {relation: pointer_of(state, rules) for relation, state in after.items()}
    changed = [relation for relation, one in pointers.items() if one != noted.get(relation)]
    bodies: dict[Relation, dict[str, Any]] = {one: _POINTER.dump_python(pointers[one]) for one in changed}
    places = {
        relation: keys.relation(organization, relation.target, relation.type, holder)
        for relation in (*changed, *(one for one in before if one not in after))
    }
    known = [place for relation, place in places.items() if relation in held]
    items = await store.get_many(known) if known else {}
    operations: list[Operation] = []
    for relation, place in places.items():
        if relation in bodies:
            stored = items.get(place)
            if stored is None or stored.body != bodies[relation]:
                operations.append(Put(place, bodies[relation], stored.version if stored else ABSENT))
        else:
            operations.append(Delete(place))
    return operations


def pointing(
    organization: str,
    holder: EntityId,
    before: Mapping[Relation, RelationState],
    after: Mapping[Relation, RelationState],
    rules: RelationRules,
) -> list[Operation]:
    """Build what makes the targets of an entity's relations know of them after a memory is added, without reading.

    What is noted with a target changes together with the head of its holder alone, which expects its version.
    """
    noted = {relation: pointer_of(state, rules) for relation, state in before.items()}
    return [
        Put(
            keys.relation(organization, relation.target, relation.type, holder),
            _POINTER.dump_python(pointer_of(state, rules)),
            None,
        )
        for relation, state in after.items()
        if pointer_of(state, rules) != noted.get(relation)
    ]


def own_states(
    states: Mapping[Relation, RelationState], holder: EntityId, entity: EntityId
) -> dict[Relation, RelationState]:
    """Return the states of the relations that the log of one entity speaks of, itself or part of another."""
    return {relation: one for relation, one in states.items() if one.stated_in(holder, entity)}


def _together(voices: Iterable[RelationVoice]) -> float:
    """Return how sure voices are together: each witness counts once."""
    by_witness: dict[str, float] = {}
    for one in voices:
        witness = one.memory.witness
        by_witness[witness] = max(one.said.confidence, by_witness.get(witness, 0.0))
    surest = sorted(by_witness.values(), reverse=True)
    confidence = surest[0] if surest else 0.0
    for one in surest[1:]:
        confidence = combined(confidence, one)
    return confidence


def _is_sure(confidence: float) -> bool:
    return confidence >= CONFIDENCE_LEAST


def _key(value: _MirroredValue) -> str:
    return str(value.seen.value).casefold()
