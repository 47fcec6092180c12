"""What is left of a log, a source and an answer when something in them is erased. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from interlayer.memory.commits import SOURCE_PART
from interlayer.memory.records import EntityId, FactRecord, Memory
from interlayer.storage.items import Item, Operation, Put

_ERASED: Final = "▒"


def home(entity: EntityId, memory: Memory) -> tuple[EntityId, int]:
    """Return whose log holds a memory, and under which revision: it may have come with an entity that was merged."""
    return memory.home or (entity, memory.revision)


def without_memory(log: Sequence[Memory], memory_id: str) -> Iterator[Memory]:
    """Yield the log without a memory; the facts that others confirm go on with the first of those."""
    orphans = {fact.id for memory in log if memory.id == memory_id for fact in memory.facts}
    for memory in log:
        if memory.id == memory_id:
            continue
        promoted = [one for one in memory.confirms if one.fact_id in orphans]
        orphans -= {one.fact_id for one in promoted}
        facts = [FactRecord(one.fact_id, one.text, one.confidence, one.observed_at, one.span) for one in promoted]
        if facts:
            left = tuple(one for one in memory.confirms if one not in promoted)
            yield replace(memory, facts=(*memory.facts, *facts), confirms=left)
        else:
            yield memory


def without_fact(memory: Memory, fact_id: str) -> Memory:
    """Return a memory without a fact and what confirms it."""
    facts = tuple(fact for fact in memory.facts if fact.id != fact_id)
    confirms = tuple(one for one in memory.confirms if one.fact_id != fact_id)
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


def without_answer(item: Item, fact_id: str) -> Operation:
    """Return what takes a fact out of an answer kept for replay."""
    answer: Mapping[str, Any] = item.body["answer"]
    facts = [fact for fact in answer["facts"] if fact["fact_id"] != fact_id]
    return Put(item.key, {"answer": {**answer, "facts": facts}}, item.version)
