"""Markdown cut into sections at its first- and second-level headings, and long sections into parts that fit an answer.

A part begins where a reader would turn the page: at a heading, a paragraph, an entry of a list or a row of a table.
What it needs of the text before it comes along: the headings that it stands under, the line that introduces its list,
the head of its table, the opening of its code.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from interlayer.text.budget import CHARS_PER_TOKEN, text_tokens
from interlayer_policies.document.fences import code_lines, fence_mark
from interlayer_policies.document.names import slug, unique
from interlayer_policies.document.policy import Section

PART_TOKENS_MAX: Final = 500
"""Guidance always has a third of the default budget of 2,000 tokens: a part, with title and score, fits into it."""

_HEADING: Final = re.compile(r"^(#{1,2})[ \t]+(.*?)[ \t]*#*$")
_SUBHEADING: Final = re.compile(r"^(#{3,6})[ \t]+\S")
_ENTRY: Final = re.compile(r"^(?P<indent>[ \t]*)(?:[-*+]|\(?[\da-z]{1,3}[.)])[ \t]+\S")
_ROW: Final = re.compile(r"^\s*\|")
_RULED: Final = re.compile(r"^\s*\|?\s*:?-{2,}[-\s|:]*$")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_OVERVIEW: Final = "overview"


def split_sections(lines: Sequence[str], first_line: int) -> tuple[str | None, list[Section]]:
    """Return the first heading and the sections; text under no heading is the overview.

    The overview has an empty title: the caller knows the policy's.
    """
    first_heading: str | None = None
    found: list[tuple[str | None, list[str], int]] = [(None, [], first_line)]
    for number, (line, in_code) in enumerate(zip(lines, code_lines(lines), strict=True), first_line):
        heading = None if in_code else _HEADING.match(line)
        if heading is None:
            found[-1][1].append(line)
            continue
        if first_heading is None:
            first_heading = heading[2]
            if heading[1] == "#":
                continue
        found.append((heading[2], [], number))
    sections: list[Section] = []
    taken: set[str] = set()
    for heading, body, line in found:
        text = "\n".join(body).strip()
        if text:
            section_id = unique(_OVERVIEW if heading is None else slug(heading), taken)
            sections.append(Section(section_id, heading or "", text, line))
    return first_heading, sections


def divide(section: Section) -> list[Section]:
    """Return the parts of a section, or the section itself if it is short enough.

    The first part keeps the id; the others are `id.2` and on. Their titles say which of how many they are.
    """
    total = text_tokens(section.text)
    if total <= PART_TOKENS_MAX:
        return [section]
    parts = _pack(list(_pieces(section.text.split("\n"))), total)
    if len(parts) == 1:
        return [section]
    return [
        replace(
            section,
            id=section.id if number == 1 else f"{section.id}.{number}",
            title=f"{section.title} ({number} of {len(parts)})",
            text=part.text,
            line=section.line + (part.offset + 1 if number > 1 else 0),
        )
        for number, part in enumerate(parts, 1)
    ]


def whole_section(reference: str) -> str:
    """Return the section, or the `policy#section`, that a part is of; a section's own id has no dot in it."""
    owner, hash_mark, section_id = reference.rpartition("#")
    return f"{owner}{hash_mark}{section_id.partition('.')[0]}"


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines that stay together, how many stand before them in the section, and what a part that they open repeats.

    `turns` where a new subject begins.
    """

    lines: tuple[str, ...]
    offset: int
    context: tuple[str, ...] = ()
    closing: str = ""
    turns: bool = False

    @property
    def tokens(self) -> int:
        return text_tokens("\n".join(self.lines)) + 1


@dataclass(slots=True)
class _Part:
    """Pieces that are delivered together."""

    offset: int = 0
    lines: list[str] = field(default_factory=list[str])
    tokens: int = 0
    closing: str = ""

    @property
    def text(self) -> str:
        closed = [*self.lines, self.closing] if self.closing else self.lines
        return "\n".join(closed).strip("\n").rstrip()


def _pack(pieces: Sequence[_Piece], total: int) -> list[_Part]:
    """Return parts of about the same size, none larger than the limit unless a single piece is."""
    wanted = total / math.ceil(total / PART_TOKENS_MAX)
    parts: list[_Part] = []
    for piece in pieces:
        last = parts[-1] if parts else None
        if last is not None and not any(line.strip() for line in piece.lines):
            last.lines += piece.lines
            continue
        full = last is None or last.tokens + piece.tokens > PART_TOKENS_MAX
        if last is None or full or (piece.turns and last.tokens >= 0.8 * wanted):
            opening = [line for line in piece.context if line]
            last = _Part(piece.offset, opening, text_tokens("\n".join(opening)))
            parts.append(last)
        last.lines += piece.lines
        last.tokens += piece.tokens
        last.closing = piece.closing
    return [part for part in parts if part.text]


@dataclass(slots=True)
class _Surroundings:
    """What was read before a piece: the headings that it stands under, the line that introduces it, its parents."""

    headings: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    lead: str = ""
    parents: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def enter(self, level: int, line: str) -> None:
        """Note a heading; those of its level and below end."""
        self.headings = [one for one in self.headings if one[0] < level] + [(level, line)]
        self.lead, self.parents = "", []

    def context(self, indent: int | None = None) -> tuple[str, ...]:
        """Return the lines to repeat; for an entry of a list those of its parents too."""
        lines = [line for _, line in self.headings]
        if indent is not None:
            self.parents = [one for one in self.parents if one[0] < indent]
            lines += [self.lead, *(line for _, line in self.parents)]
        return tuple(lines)


def _pieces(lines: Sequence[str]) -> Iterator[_Piece]:
    """Yield what a section consists of, in order; nothing is left out."""
    around = _Surroundings()
    pending: list[str] = []  # a heading goes with what stands under it
    in_code = code_lines(lines)
    start = 0
    while start < len(lines):
        end, kind = _extent(lines, in_code, start)
        block = tuple(lines[start:end])
        if kind == "heading":
            around.enter(len(lines[start]) - len(lines[start].lstrip("#")), lines[start])
            pending += block
        elif kind == "blank" and pending:
            pending += block
        else:
            for piece in _of_block(block, kind, start, around):
                yield _below(pending, piece) if pending else piece
                pending = []
        start = end
    if pending:
        yield _Piece(tuple(pending), len(lines) - len(pending))


def _below(heading: Sequence[str], piece: _Piece) -> _Piece:
    """Return a piece with the heading that it stands under, which it need not repeat any more."""
    outer = tuple(line for line in piece.context if line not in heading)
    lines = (*heading, *piece.lines)
    return replace(piece, lines=lines, offset=piece.offset - len(heading), context=outer, turns=True)


def _extent(lines: Sequence[str], in_code: Sequence[bool], start: int) -> tuple[int, str]:
    """Return where the block that begins in a line ends, and what it is."""
    end = start + 1
    line = lines[start]
    if in_code[start]:
        mark = fence_mark(line)
        while end < len(lines) and in_code[end]:
            end += 1
            if lines[end - 1].strip().startswith(mark) and not lines[end - 1].strip().strip(mark[0]):
                break
        return end, "code"
    if not line.strip():
        return end, "blank"
    if _SUBHEADING.match(line):
        return end, "heading"
    kind = "table" if _ROW.match(line) else "entry" if _ENTRY.match(line) else "text"
    while end < len(lines) and lines[end].strip() and not in_code[end]:
        other = "table" if _ROW.match(lines[end]) else "entry" if _ENTRY.match(lines[end]) else "text"
        if _SUBHEADING.match(lines[end]) or other == "entry" or (kind == "table") != (other == "table"):
            break
        end += 1
    return end, kind


def _of_block(block: tuple[str, ...], kind: str, offset: int, around: _Surroundings) -> Iterator[_Piece]:
    """Yield a block whole, or in pieces where it is a table or too long."""
    if kind == "table":
        yield from _rows(block, offset, around.context())
    elif kind == "code":
        yield from _code(block, offset, around.context())
    elif kind == "entry":
        found = _ENTRY.match(block[0])
        indent = len((found["indent"] if found else "").expandtabs(4))
        yield from _prose(block, offset, around.context(indent), turns=False)
        around.parents.append((indent, block[0]))
    else:
        yield from _prose(block, offset, around.context(), turns=kind == "text")
        if kind == "text":
            around.lead = _lead(block)
            around.parents = []


def _lead(block: Sequence[str]) -> str:
    """Return the sentence that introduces what follows, empty where none does."""
    said = " ".join(line.strip() for line in block)
    return _SENTENCE_END.split(said)[-1] if said.endswith((":", "：")) else ""


def _rows(block: tuple[str, ...], offset: int, context: tuple[str, ...]) -> Iterator[_Piece]:
    head = block[:2] if len(block) > 2 and _RULED.match(block[1]) else ()
    if head:
        yield _Piece(block[:3], offset, context)
    for number, row in enumerate(block[3 if head else 0 :], 3 if head else 0):
        yield _Piece((row,), offset + number, (*context, *head))


def _code(block: tuple[str, ...], offset: int, context: tuple[str, ...]) -> Iterator[_Piece]:
    whole = _Piece(block, offset, context)
    mark = fence_mark(block[0])
    if whole.tokens <= PART_TOKENS_MAX or not mark:
        yield whole
        return
    last = len(block) - 1
    for number, line in enumerate(block):
        closing = "" if number == last and fence_mark(line) else mark
        yield _Piece((line,), offset + number, (*context, block[0]) if number else context, closing)


def _prose(block: tuple[str, ...], offset: int, context: tuple[str, ...], *, turns: bool) -> Iterator[_Piece]:
    whole = _Piece(block, offset, context, turns=turns)
    if whole.tokens <= PART_TOKENS_MAX:
        yield whole
        return
    for number, text in enumerate(_short_enough("\n".join(block))):
        yield _Piece((text,), offset, context, turns=turns and not number)


def _short_enough(text: str) -> Iterator[str]:
    """Yield the sentences of a text; of one that is too long by itself, as many words as fit."""
    for sentence in _SENTENCE_END.split(text):
        rest = sentence
        while text_tokens(rest) > PART_TOKENS_MAX:
            room = len(rest.encode()[: int(CHARS_PER_TOKEN * PART_TOKENS_MAX)].decode(errors="ignore"))
            cut = max(rest.rfind(" ", 0, room), rest.rfind("\n", 0, room))
            cut = cut if cut > 0 else room
            yield rest[:cut]
            rest = rest[cut:].lstrip()
        if rest:
            yield rest
