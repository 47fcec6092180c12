"""What is left of a log when memories or a fact are taken out of it. Pure functions."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from interlayer.memory.records import Confirmation, FactRecord, Memory


def expired(log: Sequence[Memory], cutoff: str) -> set[str]:
    """Return the ids of the memories that were recorded before an instant; what was merged or split is no memory."""
    return {memory.id for memory in log if memory.recorded_at < cutoff and not is_structure(memory)}


def is_structure(memory: Memory) -> bool:
    """Tell whether an entry of a log only says that an entity was merged into this one or split off."""
    return bool(memory.absorbs or memory.releases)


def without_memories(log: Sequence[Memory], gone: AbstractSet[str]) -> list[Memory]:
    """Return the log without some memories; the facts that others confirm go on with the first of those."""
    orphans = {fact.id for memory in log if memory.id in gone for fact in memory.facts}
    survivors: list[Memory] = []
    for memory in log:
        if memory.id in gone:
            continue
        orphans -= {fact.id for fact in memory.facts}
        promoted = {one.fact_id: one for one in reversed(memory.confirms) if one.fact_id in orphans}
        orphans -= promoted.keys()
        survivors.append(_promoted(memory, [one for one in memory.confirms if promoted.get(one.fact_id) is one]))
    return survivors


def without_fact(memory: Memory, fact_id: str) -> Memory:
    """Return a memory without a fact and what confirms it."""
    facts = tuple(fact for fact in memory.facts if fact.id != fact_id)
    confirms = tuple(one for one in memory.confirms if one.fact_id != fact_id)
    if len(facts) == len(memory.facts) and len(confirms) == len(memory.confirms):
        return memory
    return replace(memory, facts=facts, confirms=confirms)


def origin_of(fact_id: str) -> str:
    """Return the id of the memory that first stated a fact."""
    return f"m_{fact_id.removeprefix('f_').rpartition('_')[0]}"


def adopted(memory: Memory) -> Iterator[str]:
    """Yield the ids of erased memories whose facts go on in this one."""
    yield from dict.fromkeys(origin for fact in memory.facts if (origin := origin_of(fact.id)) != memory.id)


def _promoted(memory: Memory, confirms: Sequence[Confirmation]) -> Memory:
    if not confirms:
        return memory
    facts = [FactRecord(one.fact_id, one.text, one.confidence, one.observed_at, one.span) for one in confirms]
    left = tuple(one for one in memory.confirms if one not in confirms)
    return replace(memory, facts=(*memory.facts, *facts), confirms=left)
