"""What a call proposes to remember, before it is checked: from the calling agent, or found in plain content.

Without a model, content yields one fact a sentence, and a property wherever a `find` pattern of the schema matches.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.memory.schema import EntitySchema
from interlayer.text.sentences import Sentence, sentences

SENTENCE_CONFIDENCE: Final = 0.7  # the words are the source's own, but nobody judged them
PATTERN_CONFIDENCE: Final = 0.8


def facts_of(content: str) -> Iterator[FactCandidate]:
    """Yield a fact for each sentence of plain content."""
    for sentence in sentences(content):
        yield FactCandidate(sentence.text, SENTENCE_CONFIDENCE, span=(sentence.start, sentence.end))


def properties_of(content: str, schema: EntitySchema, taken: Sequence[str]) -> Iterator[PropertyCandidate]:
    """Yield the properties that the schema's patterns find, except those `taken`; the last mention counts."""
    found: list[Sentence] = list(sentences(content))
    for name, schema_of_property in schema.current.items():
        if name in taken:
            continue
        best: PropertyCandidate | None = None
        for sentence in found:
            for finder in schema_of_property.finders:
                match = finder.search(sentence.text)
                if match:
                    span = (sentence.start, sentence.end)
                    best = PropertyCandidate(name, match.group(1), PATTERN_CONFIDENCE, span)
                    break
        if best:
            yield best
