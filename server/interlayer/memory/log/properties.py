"""Which of the observed values of a property is current: the update policies, folded one observation at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from interlayer.memory.log.records import LogEntry, Observation
from interlayer.memory.schema.schema import EntitySchema, PropertySchema

Outcome = Literal["set", "updated", "confirmed", "kept", "rejected"]
_CONFIDENCE_MAX = 0.99


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation and the memory that made it."""

    observation: Observation
    memory_id: str
    source: str | None
    agent: str
    recorded_at: str

    @classmethod
    def of(cls, observation: Observation, memory: LogEntry) -> "Observed":
        """Return the observation with its provenance."""
        return cls(observation, memory.id, memory.source, memory.agent, memory.recorded_at)


@dataclass(frozen=True, slots=True)
class PropertyState:
    """The current value, what it rests on, and every observation in the order of arrival."""

    value: Any
    confidence: float
    observed_at: str
    basis: Observed
    history: tuple[Observed, ...] = field(default=())


def fold(state: PropertyState | None, new: Observed, schema: PropertySchema) -> tuple[PropertyState, Outcome]:
    """Return the state after an observation, and what became of it.

    An older observation never displaces a newer one; a confirmation renews the time that a value was last seen
    and, when it comes from somewhere else, raises its confidence.
    """
    seen = new.observation
    if state is None:
        return PropertyState(seen.value, seen.confidence, seen.observed_at, new, (new,)), "set"
    history = (*state.history, new)
    policy = schema.update
    if policy == "append":
        merged = list(dict.fromkeys([*state.value, *seen.value]))
        if merged == state.value:
            return replace(_confirm(state, new), history=history), "confirmed"
        latest = max(state.observed_at, seen.observed_at)
        return PropertyState(merged, max(state.confidence, seen.confidence), latest, new, history), "updated"
    if seen.value == state.value:
        return replace(_confirm(state, new), history=history), "confirmed"
    if _displaces(policy, state, seen):
        return PropertyState(seen.value, seen.confidence, seen.observed_at, new, history), "updated"
    return replace(state, history=history), "kept"


def folded(
    states: Mapping[str, PropertyState], memory: LogEntry, schema: EntitySchema
) -> tuple[dict[str, PropertyState], dict[str, Outcome]]:
    """Return the states after everything that a memory observed, and what became of each property.

    What was observed under another schema counts as it reads under this one, or not at all.
    """
    after, outcomes = dict(states), dict[str, Outcome]()
    for stored in memory.properties:
        reading = schema.reading(stored.name, stored.value)
        if reading is None:
            continue
        name, value = reading
        seen = stored if (name, value) == (stored.name, stored.value) else replace(stored, name=name, value=value)
        new = Observed.of(seen, memory)
        after[name], outcomes[name] = fold(after.get(name), new, schema.current[name])
    return after, outcomes


def values_body(states: Mapping[str, PropertyState]) -> dict[str, Any]:
    """Take the current value of each property, as the body of a head holds them."""
    return {name: state.value for name, state in states.items()}


def observations(memories: Iterable[LogEntry], schema: EntitySchema) -> Iterator[Observed]:
    """Yield every observation of the properties in use, as it was made, under the property's name of today."""
    for memory in memories:
        for seen in memory.properties:
            name = schema.current_name(seen.name)
            if name in schema.current:
                yield Observed.of(replace(seen, name=name), memory)


def _displaces(policy: str, state: PropertyState, seen: Observation) -> bool:
    match policy:
        case "keep_first":
            return seen.observed_at < state.observed_at
        case "max":
            return bool(_rank(seen.value) > _rank(state.value))
        case "min":
            return bool(_rank(seen.value) < _rank(state.value))
        case _:
            newer = seen.observed_at > state.observed_at
            return newer or (seen.observed_at == state.observed_at and seen.confidence >= state.confidence)


def _confirm(state: PropertyState, new: Observed) -> PropertyState:
    confidence = max(state.confidence, new.observation.confidence)
    if all((old.source or old.memory_id) != (new.source or new.memory_id) for old in state.history):
        confidence = combined(state.confidence, new.observation.confidence)
    return replace(state, confidence=confidence, observed_at=max(state.observed_at, new.observation.observed_at))


def combined(one: float, other: float) -> float:
    """Return the confidence of a statement that two independent sources make (noisy or), rounded to 3 digits."""
    return round(min(_CONFIDENCE_MAX, max(one, other, 1 - (1 - one) * (1 - other))), 3)


def _rank(value: Any) -> Any:
    return value["amount"] if isinstance(value, dict) else value
