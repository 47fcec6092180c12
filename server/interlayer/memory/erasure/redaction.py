"""What is left of a log, a source and an answer when something in them is erased. Pure functions.

An answer goes on without the digest of its call, which was made of the words that are gone.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
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


def without_properties(item: Item, names: Set[str], refs: Set[str]) -> Operation | None:
    """Build the operation that takes properties of an entity, and their earlier values, out of an answer.

    `refs` are the entity, and those that were merged into it.
    """

    def rest(said: Mapping[str, Any]) -> Mapping[str, Any]:
        if said["entity"]["ref"] not in refs:
            return said
        return {**said, "properties": [one for one in said["properties"] if one["name"] not in names]}

    answer: Mapping[str, Any] = item.body["answer"]
    left = _each(answer, rest)
    return None if left == answer else Put(item.key, {"answer": left}, item.version)


def without_answer(item: Item, ids: Set[str]) -> Operation:
    """Build the operation that takes a fact out of an answer kept for replay."""
    origins = {statement_of(one) for one in ids}

    def rest(said: Mapping[str, Any]) -> Mapping[str, Any]:
        facts = said["facts"]
        named = [{statement_of(str(fact.get(name))) for name in ("fact_id", "duplicate_of")} for fact in facts]
        return {**said, "facts": [fact for fact, names in zip(facts, named, strict=True) if not origins & names]}

    return Put(item.key, {"answer": _each(item.body["answer"], rest)}, item.version)


def without_part(item: Item, interaction: str, refs: Set[str]) -> Operation:
    """Build the operation that takes an entity out of an answer that tells of it beside another one."""
    answer: Mapping[str, Any] = item.body["answer"]
    if answer["memory_id"] == interaction:
        also = [one for one in answer.get("also") or () if one["entity"]["ref"] not in refs]
        answer = {**answer, "also": also or None}
    return Put(item.key, {"answer": answer}, item.version)


def _each(answer: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Change what an answer says of the main entity, and of each other one."""
    changed = change(answer)
    also = answer.get("also")
    return {**changed, "also": [change(one) for one in also]} if also else changed
