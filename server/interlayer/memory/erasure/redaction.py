"""What is left of a log, a source and an answer when something in them is erased. Pure functions."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, Final

from interlayer.memory.log.records import statement_of
from interlayer.memory.memorize.commit import SOURCE_PART
from interlayer.storage.items import Item, Operation, Put

_ERASED: Final = "▒"


def blot_out(parts: Sequence[Item], spans: Sequence[tuple[int, int]], texts: Sequence[str]) -> Iterator[Operation]:
    """Yield the parts of a source with the spans, and the very words wherever they stand, overwritten in place."""
    content = "".join(part.body["text"] for part in parts)
    redacted = content
    for start, end in spans:
        redacted = redacted[:start] + _ERASED * (end - start) + redacted[end:]
    for text in texts:
        words = re.escape(text.rstrip(".!?… "))
        redacted = (
            re.sub(words, lambda said: _ERASED * len(said[0]), redacted, flags=re.IGNORECASE) if words else redacted
        )
    for number, part in enumerate(parts):
        text = redacted[number * SOURCE_PART : (number + 1) * SOURCE_PART]
        if text != part.body["text"]:
            yield Put(part.key, {"text": text}, part.version)


def without_properties(item: Item, names: Set[str]) -> Operation | None:
    """Build the operation that takes properties, and their earlier values, out of an answer kept for replay."""
    answer: Mapping[str, Any] = item.body["answer"]
    left = [one for one in answer["properties"] if one["name"] not in names]
    if len(left) == len(answer["properties"]):
        return None
    return Put(item.key, {"answer": {**answer, "properties": left}}, item.version)


def without_answer(item: Item, ids: Set[str]) -> Operation:
    """Build the operation that takes a fact out of an answer kept for replay."""
    answer: Mapping[str, Any] = item.body["answer"]
    origins = {statement_of(one) for one in ids}
    named = [{statement_of(str(fact.get(name))) for name in ("fact_id", "duplicate_of")} for fact in answer["facts"]]
    facts = [fact for fact, names in zip(answer["facts"], named, strict=True) if not origins & names]
    return Put(item.key, {"answer": {**answer, "facts": facts}}, item.version)
