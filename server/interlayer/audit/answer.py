"""What auditors are answered: audit data as it is stored, and the records of an export.

Whoever forges a store can put anything anywhere, so what is stored is shown as it is found: a `body` is the JSON object
in that place, and nothing is promised of its fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the chain."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt, with its id among the fields of its body."""

    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailHeader:
    """The first record of an export: what it is, of whom, and from when."""

    format: str
    version: int
    organization: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event in an export."""

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """A sealed segment in an export, right after the event that sealed it."""

    segment: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRecord:
    """A receipt in an export, with its id among its fields."""

    receipt: Mapping[str, Any]


TrailRecord = TrailHeader | EventRecord | SegmentRecord | ReceiptRecord
