"""What a call proposes to remember, before it is checked: from the calling agent, or found in plain content.

Without a model, content yields one fact a sentence, and a property wherever a `find` pattern of the schema matches.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.memory.finding import find
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.memory.schema import EntitySchema, PropertySchema
from interlayer.text.sentences import Sentence, sentences

SENTENCE_CONFIDENCE: Final = 0.7  # the words are the source's own, but nobody judged them
PATTERN_CONFIDENCE: Final = 0.8
DERIVED_CONFIDENCE: Final = 0.75  # the value stands at its name, but nobody wrote a pattern for it


def facts_of(content: str) -> Iterator[FactCandidate]:
    """Yield a fact for each sentence of plain content, under the label of its paragraph: who says it, or on what."""
    for sentence in sentences(content):
        text = f"{sentence.label}: {sentence.text}" if sentence.label else sentence.text
        yield FactCandidate(text, SENTENCE_CONFIDENCE, span=(sentence.start, sentence.end))


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
            yield PropertyCandidate(name, stated[0], confidence, (stated[1].start, stated[1].end))


def _by_pattern(found: Sequence[Sentence], declared: PropertySchema) -> tuple[str, Sentence] | None:
    for sentence in reversed(found):
        for finder in declared.finders:
            match = finder.search(sentence.text)
            if match:
                return str(match.group(1)), sentence
    return None
