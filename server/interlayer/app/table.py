"""Tables whose cells break between words only; where they do not fit into the terminal, one row below the other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_FRAME: Final = 3  # columns of the terminal that a column of the table takes beside its text


def print_table(
    console: Console,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    title: str = "",
    whole: frozenset[str] = frozenset(),
) -> None:
    """Print rows, of which the columns in `whole` are never broken over lines; nothing if there are none."""
    if not rows:
        return
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = _widths(cells, columns, console.width, whole)
    if widths is None:
        _print_one_by_one(console, cells, columns, title)
        return
    table = Table(title=title or None, title_justify="left", title_style="bold cyan")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))  # Text: data is never markup
    console.print(table)


def _widths(
    cells: Sequence[Sequence[str]], columns: Sequence[str], available: int, whole: frozenset[str]
) -> list[int] | None:
    """Return how wide each column is, so that no word is broken; None where the terminal is too narrow for that."""
    longest, least = list[int](), list[int]()
    for number, column in enumerate(columns):
        texts = [column, *(row[number] for row in cells)]
        longest.append(max(map(cell_len, texts)))
        pieces = texts if column in whole else [word for text in texts for word in text.split()]
        least.append(max(map(cell_len, pieces), default=1))
    room = available - 1 - _FRAME * len(columns) - sum(least)
    if room < 0:
        return None
    widths = list(least)
    narrow_first = sorted(range(len(columns)), key=lambda number: longest[number] - least[number])
    for waiting, number in zip(range(len(columns), 0, -1), narrow_first, strict=True):
        more = min(longest[number] - least[number], room // waiting)
        widths[number] += more
        room -= more
    return widths


def _print_one_by_one(console: Console, cells: Sequence[Sequence[str]], columns: Sequence[str], title: str) -> None:
    if title:
        console.print(Text(title, style="bold cyan"))
    for row in cells:
        console.print(Text(row[0], style="bold"))
        for column, text in zip(columns[1:], row[1:], strict=True):
            if text:
                console.print(Text(f"  {column}: {text}"))
