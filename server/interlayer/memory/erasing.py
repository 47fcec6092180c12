"""What is left of a log, a source and an answer when something in them is erased. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlayer.memory.commits import SOURCE_PART
from interlayer.memory.records import EntityId, Memory
from interlayer.storage.items import Item, Operation, Put

_ERASED: Final = "▒"


def home(entity: EntityId, memory: Memory) -> tuple[EntityId, int]:
    """Return whose log holds a memory, and under which revision: it may have come with an entity that was merged."""
    return memory.home or (entity, memory.revision)


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
