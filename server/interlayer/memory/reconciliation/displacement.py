"""Facts and properties that state the same: what displaces the one takes the other along.

A fact states a value if the plain reading finds it in the fact's words, or if the value was read from them. Only a
fact that states nothing else is taken along: one outdated clause must not hide a whole sentence.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from interlayer.language.distinction import names
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.terms import content_words, stem, terms
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.log.properties import PropertyState, folded
from interlayer.memory.log.records import LogEntry, Observation
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.schema.schema import EntitySchema
from interlayer.memory.schema.types import ValueProblem

_READ_MAX: Final = 64  # facts of an entity that are read for one displaced value
_PARTS: Final = re.compile(rf"(?i)[,;:–—]\s|\b(?:{lexicon.pattern(lexicon.words('coordinators'))})\b")
_SAID_BESIDE: Final = 2  # content words of another part of a sentence with which it says something of its own


def values_of(text: str, schema: EntitySchema) -> Mapping[str, tuple[Any, float]]:
    """Return the values that a statement states, in normal form, by property, each with its confidence."""
    found: dict[str, tuple[Any, float]] = {}
    for one in properties_of(text, schema, ()):
        try:
            found[one.name] = (schema.current[one.name].normal(one.value), one.confidence)
        except ValueProblem:
            continue
    return found


def follow_facts(
    decisions: Sequence[Decision],
    view: EntityView,
    schema: EntitySchema,
    given: Collection[str],
    observed_at: str,
    *,
    beside: bool,
) -> list[Observation]:
    """Return the values of properties from now on where facts give way that stated their current values.

    Each is what the fact in their place states; none where that says that they are over. `given` are the properties
    that the call sets itself; `observed_at` is the time of facts that have none, `beside` says that there is content
    beside what the caller states.
    """
    found: dict[str, Observation] = {}
    for one in decisions:
        said = one.candidate
        displaced = {name for fact in _giving_way(one, view) for name in _current_values(fact, view, schema)}
        stated = values_of(said.text, schema) if displaced and not one.ended else {}
        for name in displaced - set(given):
            current, seen = view.properties[name].value, said.observed_at or observed_at
            value, confidence = stated.get(name, (current, said.confidence))
            is_over = value == current
            if not is_over or said.ended:
                sure, is_given = min(confidence, said.confidence), beside and said.origin == "caller"
                found[name] = Observation(name, value, sure, seen, said.span, is_given, is_over)
    return list(found.values())


def _giving_way(one: Decision, view: EntityView) -> Iterator[FactState]:
    """Yield the facts that a decision ends or takes the place of."""
    names = () if one.superseded_by else (*one.supersedes, *one.replaces)
    for name in dict.fromkeys((*names, *((one.duplicate_of,) if one.ended else ()))):
        if isinstance(name, str) and (fact := view.fact(name)):
            yield fact


def facts_displaced(
    view: EntityView, memory: LogEntry, schema: EntitySchema, own_names: Collection[str]
) -> tuple[str, ...]:
    """Return the current facts that state nothing but a value that a memory displaces.

    `own_names` are the entity's.
    """
    after, outcomes = folded(view.properties, memory, schema)
    against = {name for fact in memory.facts for name in (*fact.contradicts, *fact.replaces)}
    own = {stem(word) for name in own_names for word in content_words(name)}
    found: dict[str, None] = {}
    for name, outcome in outcomes.items():
        before = view.properties.get(name)
        if outcome not in {"updated", "removed"} or before is None or before.emptied or isinstance(before.value, list):
            continue
        if after[name].value != before.value:
            for fact in _stating(name, before, view, schema):
                if fact.record.id not in against and _says_only(name, before.value, fact.record.text, schema, own):
                    found[fact.record.id] = None
    return tuple(found)


def _current_values(fact: FactState, view: EntityView, schema: EntitySchema) -> Iterator[str]:
    """Yield the properties whose current value a fact states."""
    stated = values_of(fact.record.text, schema)
    for name, state in view.properties.items():
        if state.emptied or isinstance(state.value, list):
            continue
        if (name in stated and stated[name][0] == state.value) or _was_read_from(fact, state):
            yield name


def _stating(name: str, before: PropertyState, view: EntityView, schema: EntitySchema) -> Iterator[FactState]:
    """Yield the current facts that state a value of a property, newest first."""
    read = 0
    for fact in reversed(view.ordered):
        if not fact.is_current or read == _READ_MAX:
            continue
        if _was_read_from(fact, before):
            yield fact
        elif _mentions(fact.record.text, before.value):
            read += 1
            if values_of(fact.record.text, schema).get(name, (None, 0.0))[0] == before.value:
                yield fact


def _was_read_from(fact: FactState, state: PropertyState) -> bool:
    """Whether the current value was read where a fact stands in its source."""
    span = fact.record.span
    return span is not None and any(
        seen.memory_id == fact.memory.id
        and seen.observation.value == state.value
        and seen.observation.span is not None
        and seen.observation.span[0] < span[1]
        and span[0] < seen.observation.span[1]
        for seen in state.history
    )


def _mentions(text: str, value: Any) -> bool:
    """Whether a text has what a value is made of: its number, or a word of it."""
    amount = value["amount"] if isinstance(value, dict) else value
    if isinstance(amount, bool):
        return True
    if isinstance(amount, int | float) or str(amount)[:1].isdigit():
        return bool(numbers(text))
    return bool({*terms(str(amount).replace("_", " "))} & {*terms(text)})


def _says_only(name: str, value: Any, text: str, schema: EntitySchema, own: Collection[str]) -> bool:
    """Whether a statement says nothing beside the value of a property, and of nobody else."""
    known = {*own, *terms(str(value)), *terms(name.replace("_", " "))}
    if any(set(terms(one)) - known for one in names(text)):
        return False
    parts = [part for part in _PARTS.split(text) if part.strip()]
    beside = [part for part in parts if values_of(part, schema).get(name, (None, 0.0))[0] != value]
    if len(beside) == len(parts):
        return len(parts) == 1
    return all(len(set(terms(part)) - known) < _SAID_BESIDE for part in beside)
