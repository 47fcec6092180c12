"""From lines that are read to pieces: blocks of lines that belong together, and in each its sentences or rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from interlayer.documents.document import Kind, Piece
from interlayer.documents.kinds import kind_of
from interlayer.documents.lines import BULLET, HEADING, RULE, Line, word_count, written
from interlayer.documents.rows import Row, csv_rows, is_table_line, json_rows, parted, table_rows
from interlayer.documents.sentence_spans import fit, sentence_spans

_LABEL: Final = re.compile(r"\s*(?:\*\*|__)?[\w][\w '/&().-]{0,40}:(?:\*\*|__)?\s+\S")
_CONTINUED: Final = re.compile(r"\s|[a-zà-öø-ÿ]")
_MARKUP: Final = re.compile(r"\*\*|__|`")
_BOLD: Final = re.compile(r"\s*(?:\*\*|__)[^*_]{1,80}(?:\*\*|__):?\s*$")
_BOX: Final = re.compile(r"\[[ xX]\]\s+")
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_LEAD_WORDS: Final = 30
_ITEM_WORDS: Final = 3
_ANSWER_WORDS: Final = 4


@dataclass(slots=True)
class _Lead:
    """What the next items of a list are of: a line that ends in a colon, or the heading above them."""

    text: str = ""
    is_heading: bool = False

    def label(self, item: str) -> str:
        """Return the label of an item: a heading only where the item is too short to be understood alone."""
        is_plain = word_count(item) >= _ITEM_WORDS or ":" in item
        return "" if self.is_heading and is_plain else self.text


class Blocks:
    """Cuts the lines of one text into pieces.

    `names` are those of whoever wrote a mail, by writer; `called` are the words of the names of all who are there.
    """

    def __init__(self, text: str, longest: int, names: dict[str, tuple[str, ...]], called: frozenset[str]) -> None:
        self._text = text
        self._longest = longest
        self._names = names
        self._called = called
        self._lead = _Lead()

    def pieces(self, lines: Sequence[Line]) -> Iterator[Piece]:
        """Yield the pieces of lines in order."""
        for is_marked, group in groupby(lines, key=lambda line: line.kind is not None):
            if is_marked:
                yield from self._marked(list(group))
            else:
                for block in _blocks(list(group)):
                    yield from self._read_block(block)

    def _marked(self, lines: Sequence[Line]) -> Iterator[Piece]:
        """Yield a piece for each line that is known not to be text of its own."""
        self._lead = _Lead()
        for line in written(lines):
            for start, end in fit(self._text, line.start, line.end, self._longest):
                yield self._piece(line, start, end, line.kind)

    def _read_block(self, block: Sequence[Line]) -> Iterator[Piece]:
        first = block[0]
        if RULE.match(first.text):
            self._lead = _Lead()
            return
        if HEADING.match(first.text) or (len(block) == 1 and _BOLD.match(first.text)):
            self._lead = _Lead(_clean(first.text.lstrip(" #")).rstrip(" :#"), is_heading=True)
            yield from self._parts(first, first.start, first.end, "furniture")
            return
        rows = self._rows(block)
        if rows is not None:
            yield from (self._row(first, part) for row in rows for part in parted(row, self._longest))
            return
        yield from self._sentences(block)

    def _rows(self, block: Sequence[Line]) -> list[Row] | None:
        """Return the rows of a block of data, None if it is none."""
        if is_table_line(block[0]):
            return table_rows(block)
        if block[0].text.lstrip()[:1] in {"{", "["} and not block[0].speaker:
            return json_rows(self._text[block[0].start : block[-1].end], block[0].start)
        return None if block[0].speaker else csv_rows(block) or None

    def _row(self, line: Line, row: Row) -> Piece:
        return Piece(row.text, row.start, row.end, "statement", "", line.written_at, line.writer)

    def _sentences(self, block: Sequence[Line]) -> Iterator[Piece]:
        first = block[0]
        is_item = bool(BULLET.match(first.said))
        start = first.start + first.body
        said = self._text[start : block[-1].end]
        if not is_item and _is_lead(said):
            self._lead = _Lead(_clean(said).rstrip(" :"), is_heading=not _is_sentence_lead(said))
            if not _is_sentence_lead(said):
                yield from self._parts(first, start, block[-1].end, "furniture")
                return
        for begin, end in _with_answers(said, sentence_spans(said, self._longest), is_dialogue=bool(first.speaker)):
            yield self._item(first, start + begin, start + end, is_item=is_item)
        if not is_item and not _is_lead(said):
            self._lead = _Lead()

    def _item(self, line: Line, start: int, end: int, *, is_item: bool) -> Piece:
        """Return a sentence, under what the list that it stands in is of."""
        piece = self._piece(line, start, end, None)
        label = self._lead.label(piece.text) if is_item and not line.speaker else ""
        if not label:
            return piece
        found = "statement" if piece.kind == "fragment" and any(map(str.isalnum, piece.text)) else piece.kind
        return Piece(piece.text, start, end, found, label, piece.written_at, piece.writer)

    def _parts(self, line: Line, start: int, end: int, kind: Kind) -> Iterator[Piece]:
        for first, last in fit(self._text, start, end, self._longest):
            yield self._piece(line, first, last, kind)

    def _piece(self, line: Line, start: int, end: int, kind: Kind | None) -> Piece:
        text = _clean(self._text[start:end])
        found = kind or kind_of(_BOX.sub("", text), self._names.get(line.writer, ()), self._called)
        return Piece(text, start, end, found, line.speaker, line.written_at, line.writer)


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the lines of each paragraph; a bullet and a `Label: value` line each stand alone, data stands together.

    Such a line goes on in the next one only if that is indented or begins in lower case.
    """
    for is_blank, group in groupby(_fenced(lines), key=lambda line: line.is_blank):
        paragraph = list(group)
        if is_blank:
            continue
        if len(paragraph) > 1 and csv_rows(paragraph):
            yield paragraph
            continue
        yield from _cut(paragraph)


def _with_answers(text: str, spans: Iterator[tuple[int, int]], *, is_dialogue: bool) -> Iterator[tuple[int, int]]:
    """Join a short question with its short answer: "Decision maker? Yes." In a dialogue somebody else answers."""
    held: tuple[int, int] | None = None
    for start, end in spans:
        is_short = word_count(text[start:end]) <= _ANSWER_WORDS and not is_dialogue
        is_question = text[start:end].endswith("?")
        if held and is_short and not is_question:
            yield held[0], end
            held = None
            continue
        if held:
            yield held
        held = (start, end) if is_short and is_question else None
        if held is None:
            yield start, end
    if held:
        yield held


def _fenced(lines: Sequence[Line]) -> Iterator[Line]:
    """Leave out the marks around code."""
    return (line for line in lines if not _FENCE.match(line.text))


def _cut(paragraph: Sequence[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    alone = False
    for line in paragraph:
        said = line.said
        is_row = is_table_line(line)
        separate = line.opens or bool(BULLET.match(said) or _LABEL.match(said)) or is_row
        closed = bool(HEADING.match(line.text) or RULE.match(line.text))
        if block and is_row and is_table_line(block[-1]):
            block.append(line)
            continue
        if block and (separate or closed or (alone and not _CONTINUED.match(line.text)) or _ends(block[-1])):
            yield block
            block = []
        if not block:
            alone = separate
        block.append(line)
        if closed:
            yield block
            block = []
    if block:
        yield block


def _ends(line: Line) -> bool:
    return is_table_line(line)


def _is_lead(text: str) -> bool:
    return text.rstrip().rstrip("*_").endswith((":", "：")) and word_count(text) <= _LEAD_WORDS


def _is_sentence_lead(text: str) -> bool:
    """Whether what leads in says something by itself: "They need the following by March:", but not "Key points:"."""
    said = text.split()
    return len(said) > 3 and sum(word[0].islower() for word in said) * 2 >= len(said)


def _clean(text: str) -> str:
    bullet = BULLET.match(text)
    bare = text[bullet.end() :] if bullet else text
    return " ".join(_MARKUP.sub("", bare).split())
