"""The properties that plain content states, before they are checked: found without a model, by the schema."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from interlayer.documents.document import Document
from interlayer.documents.reader import read
from interlayer.memory.requests import PropertyCandidate
from interlayer.memory.schema.schema import EntitySchema, PropertySchema
from interlayer.memory.schema.value_patterns import find
from interlayer.text.sentences import Sentence

PATTERN_CONFIDENCE: Final = 0.8
DERIVED_CONFIDENCE: Final = 0.75  # the value stands at its name, but nobody wrote a pattern for it


def properties_of(
    content: str,
    schema: EntitySchema,
    taken: Sequence[str],
    document: Document | None = None,
    bears: Callable[[str], bool] = bool,
) -> Iterator[PropertyCandidate]:
    """Yield the properties that plain content states, except those `taken`.

    Where the schema has patterns for a property the last mention counts; the rest is found as `value_patterns` says.
    `document` is the content as it was read. What stands in a signature is said of whoever wrote it: it counts where
    `bears` knows the writer as the entity.
    """
    found = list(_stating(content, document or read(content), bears))
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


def _stating(content: str, document: Document, bears: Callable[[str], bool]) -> Iterator[Sentence]:
    """Yield the pieces that may state a value, rows of tables as they stand.

    In a dialogue a question counts: one asks what the other confirms.
    """
    for piece in document.pieces:
        is_told = {"statement": True, "fragment": True, "header": not piece.writer, "question": bool(piece.label)}
        if is_told.get(piece.kind):
            row = content[piece.start : piece.end]
            yield Sentence(row if row.startswith("|") else piece.text, piece.start, piece.end, piece.label)
        elif piece.kind == "signature" and piece.writer and bears(piece.writer):
            yield Sentence(piece.text, piece.start, piece.end)


def _by_pattern(found: Sequence[Sentence], declared: PropertySchema) -> tuple[str, Sentence] | None:
    for sentence in reversed(found):
        for finder in declared.finders:
            match = finder.search(sentence.text)
            if match:
                return str(match.group(1)), sentence
    return None
