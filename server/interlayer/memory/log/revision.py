"""What is left of a log when memories or a fact are taken out of it. Pure functions."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from interlayer.language.comparison.tokens import exact_form
from interlayer.memory.log.records import (
    Confirmation,
    EntityId,
    FactId,
    FactRecord,
    LogEntry,
    Merged,
    Reextracted,
    Split,
    statement_of,
)


def expired(log: Sequence[LogEntry], cutoff: str) -> set[str]:
    """Return the ids of the memories that were recorded before an instant; what was merged or split is no memory."""
    return {memory.id for memory in log if memory.recorded_at < cutoff and not is_structure(memory)}


def is_structure(memory: LogEntry) -> bool:
    """Tell whether an entry of a log only says that an entity was merged into this one or split off."""
    return isinstance(memory, Merged | Split)


def without_memories(
    log: Sequence[LogEntry], gone: AbstractSet[str], only: AbstractSet[str] | None = None
) -> list[LogEntry]:
    """Return the log without some memories; the facts that others confirm go on as said by the first of those.

    With `only`, the memories stay for now, and no more than the facts of these ids are taken out of them.
    """

    def is_gone(fact: FactRecord) -> bool:
        return FactId.parse(fact.id).memory in gone and (only is None or fact.id in only)

    orphans = {statement_of(fact.id): fact for memory in log for fact in memory.facts if is_gone(fact)}
    survivors: list[LogEntry] = []
    for memory in log:
        if memory.id in gone and only is None:
            continue
        facts = [fact for fact in memory.facts if not is_gone(fact)]
        left: list[Confirmation] = []
        for one in memory.confirms:
            first = orphans.pop(statement_of(one.fact_id), None)
            if first is None:
                left.append(one)
            else:
                facts.append(_handed_over(first, one, memory.id))
        if (len(facts), len(left)) == (len(memory.facts), len(memory.confirms)):
            survivors.append(memory)
        else:
            survivors.append(replace(memory, facts=tuple(facts), confirms=tuple(left)))
    return survivors


def _handed_over(first: FactRecord, voice: Confirmation, memory_id: str) -> FactRecord:
    """Return a fact as another voice says it; what it stands against and near to is as before."""
    return FactRecord(
        str(FactId.parse(voice.fact_id).voiced_by(memory_id)),
        voice.text,
        voice.confidence,
        voice.observed_at,
        voice.span,
        first.contradicts,
        voice.given,
        first.likely,
        first.alike,
        voice.replaces,
        voice.ended,
    )


def list_shared_facts(log: Sequence[LogEntry], gone: AbstractSet[str]) -> list[str]:
    """Return the ids of the facts that stand on some memories and that others confirm."""
    confirmed = {statement_of(one.fact_id) for memory in log if memory.id not in gone for one in memory.confirms}
    facts = (fact.id for memory in log for fact in memory.facts if FactId.parse(fact.id).memory in gone)
    return [fact for fact in facts if statement_of(fact) in confirmed]


def without_fact(memory: LogEntry, ids: AbstractSet[str]) -> LogEntry:
    """Return a memory without what names a statement by one of its ids, or confirms it.

    Its context goes too: the words of the statement may stand in it once more.
    """
    facts = tuple(fact for fact in memory.facts if fact.id not in ids)
    confirms = tuple(one for one in memory.confirms if one.fact_id not in ids)
    if len(facts) == len(memory.facts) and len(confirms) == len(memory.confirms):
        return memory
    return replace(memory, facts=facts, confirms=confirms, context=())


def unread(log: Sequence[LogEntry], memory_id: str) -> list[LogEntry]:
    """Return the log as if the content of a memory had never been read: what its caller stated is still there.

    Gone are what was read of it with the call and what was read of it since. Facts that others confirm go on as said
    by the first of those.
    """
    later = set(later_readings(log, memory_id))
    said = {fact.id for memory in log if memory.id == memory_id for fact in memory.facts if not fact.given}
    rest = without_memories(without_memories(log, later), {memory_id}, frozenset(said))
    return [_without_readings(memory) if memory.id == memory_id else memory for memory in rest]


def place_in(entity: EntityId, entry: LogEntry) -> tuple[EntityId, int]:
    """Tell whose log holds an entry, and under which revision: it may have come with an entity that was merged."""
    return entry.home or (entity, entry.revision)


def later_readings(log: Sequence[LogEntry], memory_id: str) -> list[str]:
    """List the ids of what was read later of the content of a memory."""
    return [one.id for one in log if isinstance(one, Reextracted) and one.extracts == memory_id]


def readings_of(log: Sequence[LogEntry], memory_id: str) -> list[LogEntry]:
    """List the readings of the content of a memory: the memory itself without what its caller stated, later ones."""
    found: list[LogEntry] = []
    for memory in log:
        if memory.id == memory_id:
            facts = tuple(one for one in memory.facts if not one.given)
            confirms = tuple(one for one in memory.confirms if not one.given)
            properties = tuple(one for one in memory.properties if not one.given)
            found.append(replace(memory, facts=facts, confirms=confirms, properties=properties))
        elif isinstance(memory, Reextracted) and memory.extracts == memory_id:
            found.append(memory)
    return found


def with_reading(
    log: Sequence[LogEntry], made: LogEntry, origin: LogEntry, place: tuple[EntityId, int]
) -> list[LogEntry]:
    """Return a log with a new reading of the content of `origin`, which lies in the log and at the revision of `place`.

    It stands at the end, or behind what came with the entity that its content came with.
    """
    if origin.home is None:
        return [*log, made]
    last = max(number for number, one in enumerate(log) if one.home and one.home[0] == place[0])
    moved = replace(made, revision=log[last].revision, home=place)
    return [*log[: last + 1], moved, *log[last + 1 :]]


def keep_ids(made: Reextracted, rest: Sequence[LogEntry], former: Sequence[LogEntry]) -> Reextracted:
    """Return a new reading in which what former ones said in the same words is the same statement as before.

    So what others said of it holds on. `rest` is the log without the former readings.
    """
    taken = {statement_of(fact.id) for memory in rest for fact in memory.facts}
    known = {exact_form(fact.text): FactId.parse(fact.id) for memory in former for fact in memory.facts}
    again = {fact.id: known.get(exact_form(fact.text)) for fact in made.facts}
    ids = {new: str(old.voiced_by(made.id)) for new, old in again.items() if old and old.statement not in taken}

    def named(others: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ids.get(other, other) for other in others)

    facts = (
        replace(
            fact,
            id=ids.get(fact.id, fact.id),
            contradicts=named(fact.contradicts),
            likely=named(fact.likely),
            alike=named(fact.alike),
            replaces=named(fact.replaces),
        )
        for fact in made.facts
    )
    return replace(made, facts=tuple(facts)) if ids else made


def _without_readings(memory: LogEntry) -> LogEntry:
    confirms = tuple(one for one in memory.confirms if one.given)
    properties = tuple(one for one in memory.properties if one.given)
    return replace(memory, confirms=confirms, properties=properties)
