"""What is left of a log, a source and an answer when something in them is erased. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from interlayer.memory.commits import SOURCE_PART
from interlayer.memory.records import Confirmation, EntityId, FactRecord, Memory, origin_of, voice_of, voiced
from interlayer.storage.items import Item, Operation, Put

_ERASED: Final = "▒"


def home(entity: EntityId, memory: Memory) -> tuple[EntityId, int]:
    """Return whose log holds a memory, and under which revision: it may have come with an entity that was merged."""
    return memory.home or (entity, memory.revision)


def without_memory(log: Sequence[Memory], memory_id: str) -> Iterator[Memory]:
    """Yield the log without a memory; the facts that others confirm go on as said by the first of those."""
    orphans = {
        origin_of(fact.id): fact.contradicts
        for memory in log
        for fact in memory.facts
        if voice_of(fact.id) == memory_id
    }
    for memory in log:
        if memory.id == memory_id:
            continue
        facts = [fact for fact in memory.facts if voice_of(fact.id) != memory_id]
        left: list[Confirmation] = []
        for one in memory.confirms:
            against = orphans.pop(origin_of(one.fact_id), None)
            if against is None:
                left.append(one)
            else:
                own = voiced(memory.id, one.fact_id)
                facts.append(FactRecord(own, one.text, one.confidence, one.observed_at, one.span, against))
        if (len(facts), len(left)) == (len(memory.facts), len(memory.confirms)):
            yield memory
        else:
            yield replace(memory, facts=tuple(facts), confirms=tuple(left))


def without_fact(memory: Memory, ids: Set[str]) -> Memory:
    """Return a memory without what names a statement by one of its ids, or confirms it."""
    facts = tuple(fact for fact in memory.facts if fact.id not in ids)
    confirms = tuple(one for one in memory.confirms if one.fact_id not in ids)
    if len(facts) == len(memory.facts) and len(confirms) == len(memory.confirms):
        return memory
    return replace(memory, facts=facts, confirms=confirms)


def blotted(parts: Sequence[Item], spans: Sequence[tuple[int, int]], texts: Sequence[str]) -> Iterator[Operation]:
    """Yield the parts of a source with the spans, and the very words wherever they stand, overwritten in place."""
    content = "".join(part.body["text"] for part in parts)
    blotted = content
    for start, end in spans:
        blotted = blotted[:start] + _ERASED * (end - start) + blotted[end:]
    for text in texts:
        blotted = blotted.replace(text, _ERASED * len(text))
    for number, part in enumerate(parts):
        text = blotted[number * SOURCE_PART : (number + 1) * SOURCE_PART]
        if text != part.body["text"]:
            yield Put(part.key, {"text": text}, part.version)


def without_answer(item: Item, ids: Set[str]) -> Operation:
    """Return what takes a fact out of an answer kept for replay."""
    answer: Mapping[str, Any] = item.body["answer"]
    facts = [fact for fact in answer["facts"] if fact["fact_id"] not in ids]
    return Put(item.key, {"answer": {**answer, "facts": facts}}, item.version)
