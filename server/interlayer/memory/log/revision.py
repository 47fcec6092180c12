"""What is left of a log when memories or a fact are taken out of it. Pure functions."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from interlayer.memory.log.records import Confirmation, EntityId, FactRecord, Memory, origin_of, voice_of, voiced


def expired(log: Sequence[Memory], cutoff: str) -> set[str]:
    """Return the ids of the memories that were recorded before an instant; what was merged or split is no memory."""
    return {memory.id for memory in log if memory.recorded_at < cutoff and not is_structure(memory)}


def is_structure(memory: Memory) -> bool:
    """Tell whether an entry of a log only says that an entity was merged into this one or split off."""
    return bool(memory.absorbs or memory.releases)


def without_memories(
    log: Sequence[Memory], gone: AbstractSet[str], only: AbstractSet[str] | None = None
) -> list[Memory]:
    """Return the log without some memories; the facts that others confirm go on as said by the first of those.

    With `only`, the memories stay for now, and no more than the facts of these ids are taken out of them.
    """

    def is_gone(fact: FactRecord) -> bool:
        return voice_of(fact.id) in gone and (only is None or fact.id in only)

    orphans = {origin_of(fact.id): fact.contradicts for memory in log for fact in memory.facts if is_gone(fact)}
    survivors: list[Memory] = []
    for memory in log:
        if memory.id in gone and only is None:
            continue
        facts = [fact for fact in memory.facts if not is_gone(fact)]
        left: list[Confirmation] = []
        for one in memory.confirms:
            against = orphans.pop(origin_of(one.fact_id), None)
            if against is None:
                left.append(one)
            else:
                own = voiced(memory.id, one.fact_id)
                facts.append(FactRecord(own, one.text, one.confidence, one.observed_at, one.span, against, one.given))
        if (len(facts), len(left)) == (len(memory.facts), len(memory.confirms)):
            survivors.append(memory)
        else:
            survivors.append(replace(memory, facts=tuple(facts), confirms=tuple(left)))
    return survivors


def shared_facts(log: Sequence[Memory], gone: AbstractSet[str]) -> list[str]:
    """Return the ids of the facts that stand on some memories and that others confirm."""
    confirmed = {origin_of(one.fact_id) for memory in log if memory.id not in gone for one in memory.confirms}
    facts = (fact.id for memory in log for fact in memory.facts if voice_of(fact.id) in gone)
    return [fact for fact in facts if origin_of(fact) in confirmed]


def without_fact(memory: Memory, ids: AbstractSet[str]) -> Memory:
    """Return a memory without what names a statement by one of its ids, or confirms it."""
    facts = tuple(fact for fact in memory.facts if fact.id not in ids)
    confirms = tuple(one for one in memory.confirms if one.fact_id not in ids)
    if len(facts) == len(memory.facts) and len(confirms) == len(memory.confirms):
        return memory
    return replace(memory, facts=facts, confirms=confirms)


def unread(log: Sequence[Memory], memory_id: str) -> list[Memory]:
    """Return the log as if the content of a memory had never been read: what its caller stated is still there.

    Gone are what was read of it with the call and what was read of it since. Facts that others confirm go on as said
    by the first of those.
    """
    later = {memory.id for memory in log if memory.extracts == memory_id}
    said = {fact.id for memory in log if memory.id == memory_id for fact in memory.facts if not fact.given}
    rest = without_memories(without_memories(log, later), {memory_id}, frozenset(said))
    return [_without_readings(memory) if memory.id == memory_id else memory for memory in rest]


def readings_of(log: Sequence[Memory], memory_id: str) -> list[Memory]:
    """Return what was read of the content of a memory: the memory itself without what its caller stated, later ones."""
    found: list[Memory] = []
    for memory in log:
        if memory.id == memory_id:
            facts = tuple(one for one in memory.facts if not one.given)
            confirms = tuple(one for one in memory.confirms if not one.given)
            properties = tuple(one for one in memory.properties if not one.given)
            found.append(replace(memory, facts=facts, confirms=confirms, properties=properties))
        elif memory.extracts == memory_id:
            found.append(memory)
    return found


def with_reading(log: Sequence[Memory], made: Memory, origin: Memory, place: tuple[EntityId, int]) -> list[Memory]:
    """Return a log with a new reading of the content of `origin`, which lies in the log and at the revision of `place`.

    It stands at the end, or behind what came with the entity that its content came with.
    """
    if origin.home is None:
        return [*log, made]
    last = max(number for number, one in enumerate(log) if one.home and one.home[0] == place[0])
    moved = replace(made, revision=log[last].revision, home=place)
    return [*log[: last + 1], moved, *log[last + 1 :]]


def _without_readings(memory: Memory) -> Memory:
    confirms = tuple(one for one in memory.confirms if one.given)
    properties = tuple(one for one in memory.properties if one.given)
    return replace(memory, confirms=confirms, properties=properties)
