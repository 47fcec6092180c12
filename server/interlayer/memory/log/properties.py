"""Which of the observed values of a property is current: the update policies, folded one observation at a time.

What was observed later counts over what was observed before, whatever the confidence of the two, unless there is hardly
any in it; of the same time the surer one does. A property that was emptied keeps its state, so that what was observed
before that does not fill it again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from interlayer.memory.log.records import Head, LogEntry, Observation
from interlayer.memory.schema.schema import EntitySchema, PropertySchema

Outcome = Literal["set", "updated", "confirmed", "kept", "removed", "rejected"]
CONFIDENCE_LEAST: Final = 0.5
"""A later observation with less confidence than this does not displace a surer one."""

_CONFIDENCE_MAX: Final = 0.99


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
    """The current value, what it rests on, and every observation in the order of arrival.

    `removals` counts the observations that took something away; with `emptied` they have left no value.
    """

    value: Any
    confidence: float
    observed_at: str
    basis: Observed
    history: tuple[Observed, ...] = field(default=())
    removals: int = 0
    emptied: bool = False


def fold(state: PropertyState | None, new: Observed, schema: PropertySchema) -> tuple[PropertyState, Outcome]:
    """Return the state after an observation, and what became of it.

    An older observation never displaces a newer one; a confirmation renews the time that a value was last seen
    and, when it comes from somewhere else, raises its confidence.
    """
    seen = new.observation
    if seen.remove:
        return _without(state, new, schema)
    if state is None:
        return PropertyState(seen.value, seen.confidence, seen.observed_at, new, (new,)), "set"
    history = (*state.history, new)
    if state.emptied or schema.update == "append":
        change = _filled if state.emptied else _appended
        return change(state, new, history, schema)
    if seen.value == state.value:
        return replace(_confirm(state, new), history=history), "confirmed"
    if _displaces(schema.update, state, seen):
        made = PropertyState(seen.value, seen.confidence, seen.observed_at, new, history, state.removals)
        return made, "updated"
    return replace(state, history=history), "kept"


def why_kept(state: PropertyState, seen: Observation, schema: PropertySchema) -> str:
    """Say why an observation has changed nothing; `state` is the one that it met."""
    if seen.remove:
        is_older = state.emptied or seen.observed_at < state.observed_at
        return "what is there was observed later" if is_older else "the current value is another one"
    if schema.update in {"max", "min", "keep_first"}:
        kept = {"max": "the highest value", "min": "the lowest value", "keep_first": "what was observed first"}
        return f"the schema keeps {kept[schema.update]} (update: {schema.update})"
    if seen.observed_at < state.observed_at:
        return "an older observation does not displace the current value"
    return f"a weaker observation does not displace a surer one of its time, nor any under {CONFIDENCE_LEAST}"


def _filled(
    state: PropertyState, new: Observed, history: tuple[Observed, ...], schema: PropertySchema
) -> tuple[PropertyState, Outcome]:
    """Return the state of an emptied property after a value."""
    seen = new.observation
    value = _standing(seen.value, history) if schema.type == "list" else seen.value
    is_over = schema.type != "list" and (seen.observed_at < state.observed_at or _is_over(seen, history))
    if is_over or value == []:
        return replace(state, history=history), "kept"
    return PropertyState(value, seen.confidence, seen.observed_at, new, history, state.removals), "set"


def _appended(
    state: PropertyState, new: Observed, history: tuple[Observed, ...], _: PropertySchema
) -> tuple[PropertyState, Outcome]:
    """Return the state of a list after further entries."""
    seen = new.observation
    more = _standing(seen.value, history) if state.removals else seen.value
    merged = list(dict.fromkeys([*state.value, *more]))
    if merged == state.value:
        outcome: Outcome = "confirmed" if more else "kept"
        return replace(_confirm(state, new) if more else state, history=history), outcome
    latest = max(state.observed_at, seen.observed_at)
    confidence = max(state.confidence, seen.confidence)
    return PropertyState(merged, confidence, latest, new, history, state.removals), "updated"


def _standing(entries: Iterable[str], history: Sequence[Observed]) -> list[str]:
    """Return the entries of the last list of a history that nothing observed later takes away."""
    later = list(_later_removals(history))
    return [entry for entry in entries if not any(_takes(one, entry) for one in later)]


def _is_over(seen: Observation, history: Sequence[Observed]) -> bool:
    """Whether the last value of a history was taken away by something observed later."""
    return any(one.value == seen.value for one in _later_removals(history))


def _later_removals(history: Sequence[Observed]) -> Iterator[Observation]:
    last = history[-1].observation.observed_at
    return (one.observation for one in history if one.observation.remove and one.observation.observed_at > last)


def _without(state: PropertyState | None, new: Observed, schema: PropertySchema) -> tuple[PropertyState, Outcome]:
    """Return the state after an observation that takes a value away, or the entries of a list."""
    seen = new.observation
    emptied = PropertyState(None, seen.confidence, seen.observed_at, new, (new,), 1, emptied=True)
    if state is None:
        return (emptied if seen.value is None else replace(emptied, observed_at="")), "kept"
    history, removals = (*state.history, new), state.removals + 1
    untouched = replace(state, history=history, removals=removals)
    if state.emptied or not _outweighs(state, seen):
        return untouched, "kept"
    if schema.type == "list":
        left = [entry for entry in state.value if not _takes(seen, entry) or _is_seen_later(entry, state, seen)]
        if left == state.value:
            return untouched, "kept"
        if left:
            return replace(untouched, value=left, basis=new), "removed"
    elif seen.observed_at < state.observed_at or (seen.value is not None and seen.value != state.value):
        return untouched, "kept"
    return replace(emptied, history=history, removals=removals), "removed"


def _takes(removal: Observation, entry: str) -> bool:
    """Whether a removal takes an entry out of a list: it names it, in whatever case, or it names none."""
    return removal.value is None or entry.casefold() in {str(one).casefold() for one in removal.value}


def _is_seen_later(entry: str, state: PropertyState, removal: Observation) -> bool:
    said = (one.observation for one in state.history if not one.observation.remove)
    return any(one.observed_at > removal.observed_at and entry in one.value for one in said)


def folded(
    states: Mapping[str, PropertyState], memory: LogEntry, schema: EntitySchema
) -> tuple[dict[str, PropertyState], dict[str, Outcome]]:
    """Return the states after everything that a memory observed, and what became of each property.

    What was observed under another schema counts as it reads under this one, or not at all.
    """
    after, outcomes = dict(states), dict[str, Outcome]()
    for stored in memory.properties:
        reading = schema.reading(stored.name, stored.value, emptied=stored.remove and stored.value is None)
        if reading is None:
            continue
        name, value = reading
        seen = stored if (name, value) == (stored.name, stored.value) else replace(stored, name=name, value=value)
        new = Observed.of(seen, memory)
        after[name], outcomes[name] = fold(after.get(name), new, schema.current[name])
    return after, outcomes


def values_body(states: Mapping[str, PropertyState]) -> dict[str, Any]:
    """Take the current value of each property that has one, as the body of a head holds them."""
    return {name: state.value for name, state in states.items() if not state.emptied}


def with_values(head: Head, states: Mapping[str, PropertyState]) -> Head:
    """Return a head with the current value of each property, and who says so."""
    voices = {name: (round(state.confidence, 3), _only_agent(state)) for name, state in states.items()}
    values = values_body(states)
    observed = tuple(sorted({*head.observed, *states}))
    told = {name: _observed_values(state) for name, state in states.items()} if head.labels else {}
    voiced = {name: voices[name] for name in values}
    return replace(head, properties=values, voices=voiced, observed=observed, values=told)


def found_by(head: Head) -> dict[str, list[Any]]:
    """Return by which values an entity is found: the current ones, and what may be current for some alone."""
    return {
        name: [*([head.properties[name]] if name in head.properties else ()), *head.values.get(name, ())]
        for name in {**head.properties, **head.values}
    }


def _observed_values(state: PropertyState) -> tuple[Any, ...]:
    found: list[Any] = []
    for seen in state.history:
        if not seen.observation.remove and seen.observation.value not in found:
            found.append(seen.observation.value)
    return tuple(found)


def _only_agent(state: PropertyState) -> str:
    """Name the only agent who observed the current value; empty where several did."""
    agents = {state.basis.agent, *(seen.agent for seen in state.history if seen.observation.value == state.value)}
    return agents.pop() if len(agents) == 1 else ""


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
            newer = seen.observed_at > state.observed_at and _outweighs(state, seen)
            return newer or (seen.observed_at == state.observed_at and seen.confidence >= state.confidence)


def _outweighs(state: PropertyState, seen: Observation) -> bool:
    """Whether there is enough confidence in an observation to displace an earlier one."""
    return seen.confidence >= min(CONFIDENCE_LEAST, state.confidence)


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
