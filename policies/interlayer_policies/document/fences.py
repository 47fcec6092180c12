"""Which lines of a Markdown text are code: what looks like a heading or a list there is neither."""

import re
from collections.abc import Sequence
from typing import Final

_FENCE: Final = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>.*)$")


def code_lines(lines: Sequence[str]) -> list[bool]:
    """Return for each line whether it belongs to a fence, its first and last line included.

    A fence ends at a mark of its own kind that is at least as long, so a shorter one within it is code too. One that
    nobody closes reaches to the end.
    """
    found: list[bool] = []
    mark = ""
    for line in lines:
        opening = _FENCE.match(line)
        if mark:
            found.append(True)
            ends = opening and not opening["info"].strip() and opening["mark"].startswith(mark)
            mark = "" if ends else mark
        else:
            # Backticks behind an opening are no fence but code within a line: ```like this```.
            if opening and not (opening["mark"][0] == "`" and "`" in opening["info"]):
                mark = opening["mark"]
            found.append(bool(mark))
    return found


def fence_mark(line: str) -> str:
    """Return the mark that a line opens a fence with, empty for any other line."""
    opening = _FENCE.match(line)
    return opening["mark"] if opening else ""
