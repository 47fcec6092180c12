"""Cursors: opaque to the caller, checked when they come back."""

import base64
import binascii
import json
from typing import Any

from interlayer.errors import InvalidInput


def encode(state: Any) -> str:
    """Return a cursor that carries the state."""
    return base64.urlsafe_b64encode(json.dumps(state, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """Return the state of a cursor: a list of values of these types. Raises `InvalidInput`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        state = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error):
        state = None
    if not isinstance(state, list) or [type(value) for value in state] != list(kinds):
        raise InvalidInput("cursor", "is not one of this tool's.", "Pass next_cursor as it was, or leave it out.")
    return state
