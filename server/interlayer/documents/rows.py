"""Rows of data in a text: CSV, tables of Markdown, JSON. Each row or object becomes one statement: names and values.

The standard library reads CSV and JSON; what is ours is to tell that it is data, and where each row stands.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from interlayer.documents.lines import Line

_DELIMITERS: Final = (",", ";", "\t", "|")
_HEAD_CELL: Final = re.compile(r"\"?[^\W\d_][\w .#/%()€$&'-]{0,39}\"?")
_SEPARATOR: Final = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELLS_MAX: Final = 200
_DEPTH_MAX: Final = 50
_LEAF: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"(?P<key>\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row by the names of their columns, as one statement, and where it stands in the text."""

    text: str
    start: int
    end: int


def state(cells: Sequence[tuple[str, str]]) -> str:
    """Write names and values as one statement: "name: Ann, city: Graz"."""
    return ", ".join(f"{name}: {value}" if name else value for name, value in cells if value)


def csv_rows(lines: Sequence[Line]) -> list[Row]:
    """Return the rows of lines that are CSV with a head, none if they are not."""
    delimiter = _delimiter(lines[0].text) if len(lines) > 1 else None
    cells = _cells(lines, delimiter) if delimiter else []
    if len(cells) < 2 or not _is_head(cells[0].cells, delimiter or ""):
        return []
    head, *body = cells
    width = len(head.cells)
    whole = sum(len(row.cells) == width for row in body)
    if whole < 0.8 * len(body) or (width == 2 and len(body) < 2):
        return []
    names = [name.strip() for name in head.cells]
    found = [(row, state(list(zip(names, row.cells, strict=False)))) for row in body]
    return [Row(text, lines[row.first].start, lines[row.last].end) for row, text in found if text]


@dataclass(frozen=True, slots=True)
class _Cells:
    cells: list[str]
    first: int
    last: int


def _cells(lines: Sequence[Line], delimiter: str) -> list[_Cells]:
    """Read lines as CSV; a cell in quotes may go over several of them."""
    reader = csv.reader([f"{line.text}\n" for line in lines], delimiter=delimiter)
    found: list[_Cells] = []
    before = 0
    try:
        for cells in reader:
            last = min(reader.line_num, len(lines)) - 1
            found.append(_Cells([" ".join(cell.split()) for cell in cells], min(before, last), last))
            before = reader.line_num
    except csv.Error:  # a cell longer than the standard library takes
        return found[:1]
    return found


def _delimiter(head: str) -> str | None:
    """Return the mark that parts a line of column names."""
    counted = {sign: head.count(sign) for sign in _DELIMITERS}
    sign = max(counted, key=lambda one: counted[one])
    return sign if 0 < counted[sign] < _CELLS_MAX else None


def _is_head(cells: Sequence[str], delimiter: str) -> bool:
    """Whether cells name columns: short, each another one, no sentence among them."""
    named = [cell.strip() for cell in cells]
    if len(named) < 2 or len(set(named)) < len(named) or not all(map(_HEAD_CELL.fullmatch, named)):
        return False
    spaced = sum(cell != cell.lstrip() for cell in cells[1:])
    words = max(len(cell.split()) for cell in named)
    return words <= 4 and (delimiter != "," or not spaced)


def is_table_line(line: Line) -> bool:
    """Whether a line is a row of a table of Markdown."""
    return line.text.lstrip().startswith("|") and line.text.count("|") > 1


def table_rows(lines: Sequence[Line]) -> list[Row]:
    """Return the rows of a table of Markdown with the names of its columns; without a head, as they stand."""
    head = _table_cells(lines[0].text)
    has_head = len(lines) > 1 and bool(_SEPARATOR.match(lines[1].text.strip()))
    names = head if has_head else []
    found: list[Row] = []
    for line in lines[2 if has_head else 0 :]:
        cells = _table_cells(line.text)
        text = state(list(zip([*names, *[""] * (len(cells) - len(names))], cells, strict=False)))
        if text and not _SEPARATOR.match(line.text.strip()):
            found.append(Row(text, line.start, line.end))
    return found


def _table_cells(text: str) -> list[str]:
    bare = text.strip().removeprefix("|").removesuffix("|")
    return [" ".join(cell.replace("\\|", "|").replace("**", "").split()) for cell in re.split(r"(?<!\\)\|", bare)]


def json_rows(text: str, offset: int) -> list[Row] | None:
    """Return the objects of a text that is JSON, or JSON in lines; None if it is neither."""
    bare = text.strip()
    if len(bare) < 2 or bare[0] + bare[-1] not in {"{}", "[]"}:
        return None
    start = offset + len(text) - len(text.lstrip())
    whole = _parsed(bare)
    if whole is not None:
        return list(_located(whole, bare, start)) or [Row(bare, start, start + len(bare))]
    found: list[Row] = []
    for line in bare.splitlines(keepends=True):
        said = line.strip().rstrip(",")
        one = _parsed(said) if said[:1] == "{" else None
        if said and one is None:
            return None
        if said:
            found += _located(one, said, start + len(line) - len(line.lstrip()))
        start += len(line)
    return found


def _parsed(text: str) -> Any:
    """Read JSON with its numbers as they are written; None for what is none."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _located(value: Any, text: str, offset: int) -> Iterator[Row]:
    """Yield the objects of a value as rows; each goes from its first value to its last one in the text."""
    places = [match.span() for match in _LEAF.finditer(text) if not match["key"]]
    used = 0
    for path, cells, count in _objects(value, "", 0):
        first, last = min(used, len(places) - 1), min(used + count, len(places)) - 1
        used += count
        said = state(cells)
        if said and 0 <= first <= last:
            yield Row(f"{path}: {said}" if path else said, offset + places[first][0], offset + places[last][1])
        elif said:
            yield Row(f"{path}: {said}" if path else said, offset, offset + len(text))


def _objects(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[tuple[str, str]], int]]:
    """Yield each object and list that has values of its own: the way to it, its values, how many leaves it has."""
    pairs = list(value.items()) if isinstance(value, dict) else [("", one) for one in value]  # type: ignore[reportUnknownVariableType]
    plain = [(str(name), _plain(one)) for name, one in pairs if not _is_nested(one)]
    if plain:
        yield path, plain, sum(len(one) if isinstance(one, list) else 1 for _, one in pairs if not _is_nested(one))
    if depth < _DEPTH_MAX:
        for name, one in pairs:
            if _is_nested(one):
                yield from _objects(one, f"{path} {name}".strip(), depth + 1)


def _is_nested(value: Any) -> bool:
    """Whether a value is an object or a list that holds one; a list of plain values is one value."""
    if isinstance(value, list):
        return any(isinstance(one, dict | list) for one in value)  # type: ignore[reportUnknownVariableType]
    return isinstance(value, dict)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(one) for one in value)  # type: ignore[reportUnknownVariableType]
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())


def parted(row: Row, longest: int) -> list[Row]:
    """Return a row in parts that are no longer than a statement may be, cut between its values."""
    if len(row.text) <= longest:
        return [row]
    cuts = [0]
    last = 0
    for match in re.finditer(r", (?=[^,:]{1,60}: )", row.text):
        if match.end() - cuts[-1] > longest and last > cuts[-1]:
            cuts.append(last)
        last = match.end()
    parts = [row.text[start:end].rstrip(", ") for start, end in pairwise([*cuts, len(row.text)])]
    return [Row(part[at : at + longest], row.start, row.end) for part in parts for at in range(0, len(part), longest)]
