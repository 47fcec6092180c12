"""The tables of a draft, in pipes or tabs: what stands over a cell, at the head of its row, and before the table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from interlayer_policies.checks.draft import Draft

_LINE: Final = re.compile(r"[^\n]*")
_PARTED: Final = re.compile(r"[|\t]")
_RULED: Final = re.compile(r"[\s|:+=-]*$")
_CAPTION_WORDS: Final = 12

Words = tuple[int, int]
"""The words [first, last) of a draft."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What says of what a cell is: the cell over its column, the first cell of its row, the words before the table."""

    column: Words
    row: Words
    caption: Words


def labels(draft: Draft) -> Mapping[int, Labels]:
    """Return the labels of each word that stands in a cell of a table."""
    found: dict[int, Labels] = {}
    for rows in _tables(draft):
        head = rows[0]
        caption = (max(0, head[0][0] - _CAPTION_WORDS), head[0][0])
        for number, row in enumerate(rows):
            opening = next((cell for cell in row if cell[0] < cell[1]), row[0])
            for column, cell in enumerate(row):
                over = head[column] if number and column < len(head) else (0, 0)
                told = Labels(over, opening if cell != opening else (0, 0), caption)
                found.update(dict.fromkeys(range(*cell), told))
    return found


def _tables(draft: Draft) -> Iterator[Sequence[Sequence[Words]]]:
    """Yield tables as rows of cells; a line alone is none, unless pipes stand at both its ends."""
    rows: list[Sequence[Words]] = []
    if not _PARTED.search(draft.lower):
        return
    for match in _LINE.finditer(draft.lower):
        line = match[0]
        if _PARTED.search(line):
            if not _RULED.match(line):
                rows.append(_cells(draft, match.start(), line))
        elif rows and (match.start() < match.end() or line):
            yield from [rows] if len(rows) > 1 else []
            rows = []
    yield from [rows] if len(rows) > 1 else []


def _cells(draft: Draft, offset: int, line: str) -> list[Words]:
    edges = [0, *(match.start() + 1 for match in _PARTED.finditer(line)), len(line) + 1]
    return [
        (draft.word_at(offset + start), draft.word_at(max(offset + start, offset + end - 1)))
        for start, end in pairwise(edges)
    ]
