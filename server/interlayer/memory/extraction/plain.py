"""The properties that plain content states, before they are checked: found without a model, by the schema."""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.memory.requests import PropertyCandidate
from interlayer.memory.schema.schema import EntitySchema, PropertySchema
from interlayer.memory.schema.value_patterns import find
from interlayer.text.sentences import Sentence, sentences

PATTERN_CONFIDENCE: Final = 0.8
DERIVED_CONFIDENCE: Final = 0.75  # the value stands at its name, but nobody wrote a pattern for it


def properties_of(content: str, schema: EntitySchema, taken: Sequence[str]) -> Iterator[PropertyCandidate]:
    """Yield the properties that plain content states, except those `taken`.

    Where the schema has patterns for a property the last mention counts; the rest is found as `finding` says.
    """
    found: list[Sentence] = list(sentences(content))
    for name, declared in schema.current.items():
        if name in taken:
            continue
        if declared.find:
            stated, confidence = _by_pattern(found, declared), PATTERN_CONFIDENCE
        elif name in schema.derived:
            stated, confidence = find(found, schema.derived[name], declared.normal), DERIVED_CONFIDENCE
        else:
            continue
        if stated:
            span = (stated[1].start, stated[1].end)
            yield PropertyCandidate(name, stated[0], confidence, span, "plain")


def _by_pattern(found: Sequence[Sentence], declared: PropertySchema) -> tuple[str, Sentence] | None:
    for sentence in reversed(found):
        for finder in declared.finders:
            match = finder.search(sentence.text)
            if match:
                return str(match.group(1)), sentence
    return None
