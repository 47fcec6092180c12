"""Tables that break no word and squeeze no text: where the page is too narrow for one, the same as a list."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_TITLE: Final = "bold cyan"
_BESIDE_CELL: Final = 3  # a border and two blanks
_BORDER: Final = 1
_INDENT: Final = 2
_TEXT_MIN: Final = 24  # of a text that would take twice as much
_WHOLE: Final = frozenset({"id", "at", "until", "last"})  # what is read at a glance is not broken over lines


def print_table(
    console: Console, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str = ""
) -> None:
    """Print rows under the names of the columns."""
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = _widths(console.width, [list(columns), *cells], [column in _WHOLE for column in columns])
    if not rows:
        return
    if widths is None:
        if title:
            console.print(Text(title, style=_TITLE))
        _print_list(console, cells, columns)
        return
    table = Table(title=title or None, title_justify="left", title_style=_TITLE)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))  # Text: data is never markup
    console.print(table)


def _widths(page: int, lines: Sequence[Sequence[str]], whole: Sequence[bool]) -> list[int] | None:
    """Return how wide each column is to be; None where a word would have to be broken, or a text squeezed."""
    columns = [*zip(*lines, strict=True)]
    wanted = [max(cell_len(line) for cell in column for line in (cell.splitlines() or [""])) for column in columns]
    least = [
        full if is_whole else max((cell_len(word) for cell in column for word in cell.split()), default=0)
        for column, full, is_whole in zip(columns, wanted, whole, strict=True)
    ]
    spare = page - _BORDER - _BESIDE_CELL * len(columns) - sum(least)
    if spare < 0:
        return None
    widths = list(least)
    # What lacks least is served first, so that short columns are whole and texts share what is left.
    for served, number in enumerate(sorted(range(len(widths)), key=lambda at: wanted[at] - least[at])):
        given = min(wanted[number] - least[number], spare // (len(widths) - served))
        widths[number] += given
        spare -= given
    squeezed = any(width < _TEXT_MIN and full > 2 * _TEXT_MIN for width, full in zip(widths, wanted, strict=True))
    return None if squeezed else widths


def _print_list(console: Console, cells: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    """Print each row by its first cell, with what else it says below."""
    for row in cells:
        console.print(Text(row[0], style="bold"), soft_wrap=True)
        for name, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                text = Text(f"{name}: {cell}").wrap(console, max(1, console.width - 2 * _INDENT))
                for number, line in enumerate(text):
                    line.rstrip()
                    console.print(Text(" " * (_INDENT if number == 0 else 2 * _INDENT)) + line, soft_wrap=True)
