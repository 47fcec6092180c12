"""Tables break between words only; where that cannot be, each row is printed in lines of its own."""

import io

from rich.console import Console

from interlayer.app.table import print_table

ROWS = [
    {"ref": "competitor-pricing#R1", "why": "in scope", "text": "Never state the price of a competitor as a fact."},
    {"ref": "返金#期限", "why": "", "text": "[bold] is a text like any other"},
]


def printed(width: int, **options: frozenset[str]) -> str:
    out = io.StringIO()
    print_table(Console(file=out, width=width), ROWS, ("ref", "why", "text"), **options)
    return out.getvalue()


def test_no_word_is_broken_at_any_width() -> None:
    words = {word for row in ROWS for text in row.values() for word in text.split()}
    for width in range(30, 120):
        shown = printed(width)
        assert not {word for word in words if word not in shown}, width
        assert max(map(len, shown.splitlines())) <= width


def test_a_narrow_terminal_gets_one_value_a_line() -> None:
    assert "┃" in printed(60)
    lines = printed(40).splitlines()
    assert lines[0] == "competitor-pricing#R1"
    assert lines[1] == "  why: in scope"
    assert "  why: " not in lines[3:], "an empty value is left out"


def test_what_is_copied_stays_in_one_line() -> None:
    assert "Never state the price of a competitor as a fact." in printed(100, whole=frozenset({"text"}))
    assert "Never state the price of a competitor as a fact." not in printed(60)
