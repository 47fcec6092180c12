"""Cursors: opaque to the caller, checked when they come back.

A cursor carries marks of what earlier pages have shown, not a place in a ranking: others write between two pages, and
a place would then repeat what was shown and skip what was not.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.errors import InvalidInput

_MARK_BYTES: Final = 5  # of 10,000 facts shown and as many to come, one is taken for another in 11,000 walks
MARK_TOKENS: Final = 2
"""What one more mark adds to a cursor, and so to an answer."""
CURSOR_TOKENS: Final = 40
"""What a cursor takes beside its marks, with the reason for it."""

Marks = NDArray[np.uint64]


def mark(name: str) -> int:
    """Return the short form of an id by which a cursor knows it."""
    return int.from_bytes(blake2b(name.encode(), digest_size=_MARK_BYTES).digest(), "big")


def digest_of(*asked: Any) -> str:
    """Return the short form of a question: a cursor only continues the question that it came with."""
    return blake2b(repr(asked).encode(), digest_size=6).hexdigest()


def check_same(given: str, digest: str) -> None:
    """Raise `InvalidInput` unless a cursor's digest is that of the question."""
    if given != digest:
        raise InvalidInput("cursor", "belongs to another query.", "Keep query and filters as they were.")


def encode(state: Any, shown: Marks | Sequence[int] = ()) -> str:
    """Return a cursor that carries the state and the marks of what was shown."""
    whole = np.asarray(shown, dtype=">u8").view(np.uint8).reshape(-1, 8)
    marks = whole[:, 8 - _MARK_BYTES :].tobytes()
    text = json.dumps(state, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text + b"\n" + marks).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> tuple[list[Any], Marks]:
    """Return the state of a cursor, a list of values of these types, and the marks. Raises `InvalidInput`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text, _, marks = base64.b64decode(padded, altchars=b"-_", validate=True).partition(b"\n")
        state = json.loads(text)
    except (ValueError, binascii.Error):
        state, marks = None, b""
    if not isinstance(state, list) or [type(one) for one in state] != list(kinds) or len(marks) % _MARK_BYTES:
        raise InvalidInput("cursor", "is not one of this tool's.", "Pass next_cursor as it was, or leave it out.")
    parts = range(0, len(marks), _MARK_BYTES)
    return state, np.array([int.from_bytes(marks[at : at + _MARK_BYTES], "big") for at in parts], dtype=np.uint64)
