"""Tables of the command line break no word, and become lists where they would have to."""

import io
import re

import pytest
from rich.console import Console

from interlayer.app.tables import print_table

TEXT = "Never offer [more] than 15% without approval."
ROWS = [
    {"ref": "discounts#R1", "is": "delivered", "why": "in scope", "text": TEXT},
    {"ref": "gdpr#erasure", "is": "out of scope", "why": "region is US, it is for EU", "text": "Erase it."},
]


def printed(width: int) -> str:
    out = io.StringIO()
    print_table(Console(file=out, width=width), ROWS, ("ref", "is", "why", "text"))
    return out.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 112, 200])
def test_every_word_stands_whole_on_its_line(width: int) -> None:
    shown = printed(width)
    words = {word for row in ROWS for cell in row.values() for word in cell.split()}
    assert words <= set(re.split(r"[\s│]+", shown))
    assert max(map(len, shown.splitlines())) <= width


def test_a_narrow_page_is_given_a_list() -> None:
    assert "┃" in printed(80)
    assert printed(40).splitlines()[:4] == [
        "discounts#R1",
        "  is: delivered",
        "  why: in scope",
        "  text: Never offer [more] than 15%",
    ]
    assert printed(40).splitlines()[4] == "    without approval."
