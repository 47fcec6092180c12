"""Segments: what a sealed list of receipts is called, and how it is recognized."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from interlayer.audit.receipts import canonical_json, end_of

SEALED: Final = "receipts.sealed"
"""Type of the event that brings a segment into the audit trail."""

_NAME: Final = re.compile(r"(\d{10})-(\d{6})", re.ASCII)
_SEQUENCES: Final = 10**6


def segment_name(hour: str, sequence: int) -> str:
    """Return the name of a segment: its hour and its number within the hour, from 1."""
    return f"{hour}-{sequence:06d}"


def segment_code(name: str) -> int | None:
    """Return a name as a number that sorts like the name; None when it is not the name of a segment."""
    match = _NAME.fullmatch(name)
    try:
        return int(match[1] + match[2]) if match and end_of(match[1]) else None
    except ValueError:
        return None


def segment_hour(code: int) -> str:
    """Return the hour of a segment that is given as a number."""
    return f"{code // _SEQUENCES:010d}"


def segment_of(code: int) -> str:
    """Return the name of a segment that is given as a number."""
    return segment_name(segment_hour(code), code % _SEQUENCES)


def segment_digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a segment in canonical JSON."""
    return hashlib.sha256(canonical_json(body)).hexdigest()


def sealed_by(event: Mapping[str, Any]) -> str | None:
    """Return the name of the segment that an event says it seals, None if it is another event."""
    detail = event.get("detail")
    name = detail.get("segment") if event.get("type") == SEALED and isinstance(detail, dict) else None
    return name if isinstance(name, str) and segment_code(name) is not None else None
