"""Reads a content: what it is, and its pieces, each with its place, its kind, its speaker and its date.

Nothing is left out for its form or its length: what states nothing is a piece too, of another kind.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from interlayer.documents.blocks import Blocks
from interlayer.documents.dialogue import mark_dates, mark_turns
from interlayer.documents.document import Document, Participant, Piece
from interlayer.documents.lines import Line, lines_of
from interlayer.documents.mail import mark_mails, names_of
from interlayer.documents.markup import Seen, is_html, seen
from interlayer.documents.mime import sent_text
from interlayer.documents.rows import json_rows, parted

_FRONT_MATTER: Final = re.compile(r"---\s*$")
_EVER: Final = datetime.max.replace(tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)  # the sun rises that much earlier elsewhere


def read(content: str, observed_at: datetime | None = None, longest: int = 1_000) -> Document:
    """Read a content; no piece of it is longer than `longest` characters.

    What it says of the time after it was observed is not when it was written.
    """
    rows = json_rows(content, 0)
    if rows is not None:
        return Document(tuple(Piece(part.text, part.start, part.end) for row in rows for part in parted(row, longest)))
    sent = sent_text(content)
    if sent is not None:
        document = _read_text(sent, observed_at, longest)
        return replace(document, pieces=tuple(_look_up(document.pieces, content)))
    if is_html(content):
        view = seen(content)
        document = _read_text(view.text, observed_at, longest)
        return replace(document, pieces=tuple(_place(document.pieces, view)))
    return _read_text(content, observed_at, longest)


def _place(pieces: Sequence[Piece], view: Seen) -> Iterator[Piece]:
    """Yield the pieces of what is seen, each with its place in the source."""
    for piece in pieces:
        start, end = view.place(piece.start), view.place(max(piece.end - 1, piece.start), last=True)
        yield replace(piece, start=start, end=max(end, start + 1))


def _look_up(pieces: Sequence[Piece], content: str) -> Iterator[Piece]:
    """Yield the pieces of a mail that was encoded, each with its place; what stands nowhere as it is has the whole."""
    last = 0
    for piece in pieces:
        start = content.find(piece.text, last)
        if start >= 0:
            last = start + len(piece.text)
            yield replace(piece, start=start, end=last)
        else:
            yield replace(piece, start=0, end=len(content))


def _read_text(text: str, observed_at: datetime | None, longest: int) -> Document:
    lines = lines_of(text)
    latest = observed_at + _AHEAD if observed_at else _EVER
    _mark_front_matter(lines)
    people = mark_mails(lines, latest)
    mark_dates(lines, latest)
    turns = mark_turns(lines, latest)
    blocks = Blocks(text, longest, _names(people), _called(people, lines))
    pieces = blocks.pieces(lines)
    return Document(tuple(_as_told(pieces) if turns == 1 else pieces), tuple(people))


def _as_told(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Let the questions of a message count that somebody chose to have remembered by itself."""
    for piece in pieces:
        yield replace(piece, kind="statement") if piece.kind == "question" else piece


def _mark_front_matter(lines: Sequence[Line]) -> None:
    """Mark the block between rules at the head of a text, if each of its lines is a name and a value."""
    if not lines or not _FRONT_MATTER.match(lines[0].text):
        return
    for number, line in enumerate(lines[1:60], 1):
        if _FRONT_MATTER.match(line.text):
            for one in lines[: number + 1]:
                one.kind = "header"
            return
        if line.text and not re.match(r"[\w-]+\s*:|\s+\S|- ", line.text):
            return


def _called(people: Sequence[Participant], lines: Sequence[Line]) -> frozenset[str]:
    """Return the words, folded, of the names of all who take part."""
    named = {person.name for person in people} | {line.speaker for line in lines}
    return frozenset(word.strip("@.,()").casefold() for name in named for word in name.split())


def _names(people: Sequence[Participant]) -> dict[str, tuple[str, ...]]:
    """Return how whoever wrote a mail signs it, by address, or by name where no address is known."""
    return {one.address or one.name: names_of(one) for one in people if one.role == "from"}
