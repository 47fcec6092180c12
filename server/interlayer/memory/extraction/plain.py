"""The properties that plain content states, before they are checked: found without a model, by the schema.

A value counts only where its sentence states it of the entity; `language.stated` tells. Values are read by the
conventions of the whole content. What can be read in two ways goes on as it is written, to be turned down by name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from interlayer.documents.document import Document, Piece
from interlayer.documents.reader import read
from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.stated.assertion import Place
from interlayer.language.stated.job_titles import JobTitle, job_titles, titles_of_line
from interlayer.language.writing.conventions import Conventions, conventions_of
from interlayer.memory.requests import PropertyCandidate
from interlayer.memory.schema.property import PropertySchema
from interlayer.memory.schema.schema import EntitySchema
from interlayer.memory.schema.types import AmbiguousValue, ValueProblem
from interlayer.memory.schema.value_patterns import find, place_in
from interlayer.text.sentences import Sentence, label_of

PATTERN_CONFIDENCE: Final = 0.8
DERIVED_CONFIDENCE: Final = 0.75  # the value stands at its name, but nobody wrote a pattern for it

_ADDRESSES: Final = frozenset({"email", "phone", "url"})
"""Types of values that somebody may be asked to use: the wish states them."""
_NO_VALUES: Final = words("no_values")
_DENYING: Final = words("negations", "denials")
_OLD: Final = re.compile(rf"(?i)(?:{pattern(words('words_before_old_values', 'former'))})(?![^\W_])")
_JOBS: Final = words("names_of_job_properties")
_SPEAKERS: Final = words("speakers")
_STRUCK: Final = re.compile(r"~~.+?~~|<(s|del|strike)\b[^>]*>.*?</\1>", re.DOTALL | re.IGNORECASE)
_TELLING: Final = frozenset({"statement", "fragment", "question"})
_MARK: Final = 20  # characters of what opens or closes a part that is struck out
_ENDS: Final = " \t.,;:!*\"'"

Bears = Callable[[str], bool]
"""Tells whether a name or an address is the entity's."""


def properties_of(
    content: str,
    schema: EntitySchema,
    taken: Sequence[str],
    document: Document | None = None,
    bears: Bears = bool,
    said_on: date | None = None,
) -> Iterator[PropertyCandidate]:
    """Yield the properties that plain content states, except those `taken`.

    Where the schema has patterns for a property the last mention counts; the rest is found as `value_patterns` says.
    `document` is the content as it was read, `said_on` the day of one that tells none. What stands in a signature is
    said of whoever wrote it: it counts where `bears` knows the writer as the entity.
    """
    text = _Text.of(content, document or read(content), bears, said_on)
    for name, declared in schema.current.items():
        if name in taken:
            continue
        stated, confidence = text.by_pattern(declared, name), PATTERN_CONFIDENCE
        if not stated and name in schema.derived:
            normal = declared.normal
            reading = text.conventions
            stated = find(text.sentences, schema.derived[name], lambda raw: normal(raw, reading))  # noqa: B023
            confidence = DERIVED_CONFIDENCE
        if not stated and declared.type == "text" and name in _JOBS and "he" in schema.pronouns:
            stated, confidence = text.job_title(), DERIVED_CONFIDENCE
        if stated:
            span = (stated[1].start, stated[1].end)
            yield PropertyCandidate(name, stated[0], confidence, span, "plain")


@dataclass(frozen=True, slots=True)
class _Text:
    """A content as it is searched: its sentences, how it writes values, and who wrote which part of it."""

    sentences: Sequence[Sentence]
    conventions: Conventions
    bears: Bears
    writers: Mapping[int, tuple[str, str]]
    signed: frozenset[int]

    @classmethod
    def of(cls, content: str, document: Document, bears: Bears, said_on: date | None) -> "_Text":
        written_on = document.written_at.date() if document.written_at else said_on
        names = {one.address: one.name for one in document.participants if one.address and one.name}
        told = [(piece, text) for piece in document.pieces if (text := _text_of(piece, content, bears))]
        return cls(
            tuple(Sentence(text, piece.start, piece.end, piece.label) for piece, text in told),
            replace(conventions_of(content), written_on=written_on),
            bears,
            {piece.start: (piece.writer, names.get(piece.writer, piece.writer)) for piece, _ in told if piece.writer},
            frozenset(piece.start for piece, _ in told if piece.kind == "signature"),
        )

    def by_pattern(self, declared: PropertySchema, name: str) -> tuple[Any, Sentence] | None:
        """Return the last value that a pattern of the schema finds, as it is stored, and its sentence."""
        conventions = replace(self.conventions, written_on=None) if name.endswith("since") else self.conventions
        for at in self._from_last() if declared.find else ():
            sentence = self.sentences[at]
            for finder in declared.finders:
                for match in reversed(list(finder.finditer(sentence.text))):
                    place = place_in(self.sentences, at, match.span())
                    value = _value_at(match, place, declared, conventions)
                    if value is not None:
                        return value, sentence
        return None

    def _from_last(self) -> Sequence[int]:
        """Return the places of the sentences from the last one, those of signatures behind all: they are the oldest."""
        places = range(len(self.sentences) - 1, -1, -1)
        return sorted(places, key=lambda at: self.sentences[at].start in self.signed)

    def job_title(self) -> tuple[str, Sentence] | None:
        """Return the last job title that is said of the entity, and its sentence."""
        for sentence in (self.sentences[at] for at in self._from_last()):
            signed = titles_of_line(sentence.text) if sentence.start in self.signed else ()
            if written := next((one for one in signed if not self.bears(one)), ""):  # Tom Baker is no baker
                return written, sentence
            for title in job_titles(sentence.text):
                place = Place(sentence.text, title.start, title.end)
                if self._is_held(title, sentence) and place.states():
                    return title.text, sentence
        return None

    def _is_held(self, title: JobTitle, sentence: Sentence) -> bool:
        """Whether a title is the entity's: by name, or by "I" where it writes or speaks."""
        if title.holder and title.holder not in _SPEAKERS:
            return not title.holder[0].isupper() or self.bears(title.holder)
        return self._speaks(sentence)

    def _speaks(self, sentence: Sentence) -> bool:
        """Whether "I" in a sentence is the entity: nobody else is known to write or to say it."""
        label = sentence.label or label_of(sentence.text)
        if " " in label and label.istitle():
            return self.bears(label)
        writer = self.writers.get(sentence.start, ())
        return not writer or any(map(self.bears, writer))


def _text_of(piece: Piece, content: str, bears: Bears) -> str:
    """Return the words of a piece without those struck out; empty for what states nothing of the entity."""
    if piece.kind == "signature":
        return piece.text if piece.writer and bears(piece.writer) else ""
    if piece.kind not in _TELLING and (piece.kind != "header" or piece.writer):
        return ""
    row = content[piece.start : piece.end]
    if _STRUCK.search(content, max(0, piece.start - _MARK), piece.end + _MARK):
        bare = _STRUCK.sub(lambda struck: " " * len(struck[0]), content)
        return " ".join(bare[piece.start : piece.end].split())
    return row if row.startswith("|") else piece.text


def _value_at(match: Any, place: Place, declared: PropertySchema, conventions: Conventions) -> Any:
    """Return the value that a pattern has found in normal form, as written if that is ambiguous; None if it is none."""
    raw = str(match.group(1))
    if place.is_old:
        newer = declared.newer(place.sentence[match.end() :])
        if newer is None:
            return None
        raw = newer
    elif not place.states(wishes_count=declared.type in _ADDRESSES):
        return None
    if declared.type in {"text", "list"}:
        return _worded(raw, declared)
    try:
        return declared.normal(raw.strip(), conventions)
    except AmbiguousValue:
        return raw.strip()
    except ValueProblem:
        return None


def _worded(raw: str, declared: PropertySchema) -> Any:
    """Return a text or a list without what says that there is no value, and None if nothing is left."""
    bare = raw.strip(_ENDS)
    if not bare or bare.split()[0].casefold() in _DENYING or _OLD.match(bare):
        return None
    if declared.type == "text":
        return None if bare.casefold() in _NO_VALUES else bare
    try:
        entries = [entry.strip(_ENDS) for entry in declared.normal(bare)]
    except ValueProblem:
        return None
    return [entry for entry in entries if entry and entry.casefold() not in _NO_VALUES] or None
