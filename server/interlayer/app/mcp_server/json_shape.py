"""How much a JSON text is made of, told before it is parsed: parsing builds a value for each part of it.

Four megabytes of brackets take a second to parse, and minutes to hold against a model; counting them stops early.
"""

import re
from typing import Final

PARTS_MAX: Final = 50_000
"""Strings, lists, objects and commas in what is parsed; the largest call that is good for something has 9,000."""

DEPTH_MAX: Final = 64

# Up to the next part: an opening or closing bracket, a comma, or a string, which may lack its end. It matches at each
# place, so that no text is looked at twice.
_PART: Final = r'[^"\[\]{},]*+(?:([\[{])|([\]}])|,|"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\Z)'
_IN_BYTES: Final = re.compile(_PART.encode(), re.DOTALL)
_IN_TEXT: Final = re.compile(_PART, re.DOTALL)


def describe_excess(json: bytes | str) -> str:
    """Say what a JSON text has too much of to be parsed; empty for what can be."""
    parts = _IN_BYTES.finditer(json) if isinstance(json, bytes) else _IN_TEXT.finditer(json)
    depth = 0
    for number, part in enumerate(parts):
        if number >= PARTS_MAX:
            return f"more than {PARTS_MAX} values, keys and commas"
        if part.lastindex == 1:
            depth += 1
            if depth > DEPTH_MAX:
                return f"lists and objects within each other, more than {DEPTH_MAX} deep"
        elif part.lastindex == 2:
            depth -= 1
    return ""
