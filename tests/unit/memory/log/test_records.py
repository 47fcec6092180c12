"""Entries of the log: four events, each read back as what it was, also from logs of earlier versions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.log.records import (
    EntityId,
    FactId,
    FactRecord,
    LogEntry,
    Memorized,
    Merged,
    Reextracted,
    Split,
    entry_body,
    read_entry,
    statement_of,
)

AT = "2026-03-01T09:00:00.000000Z"
COMMON: dict[str, Any] = {
    "id": "m_1",
    "revision": 3,
    "agent": "tester",
    "recorded_at": AT,
    "observed_at": AT,
    "extractor": "caller",
}
FACT = FactRecord("f_1_0", "Acme leases a plant.", 0.9, AT)
ENTRIES: list[LogEntry] = [
    Memorized(
        **COMMON, facts=(FactRecord("f_1_0", "Acme leases a plant.", 0.9, AT),), has_content=True, pending="away"
    ),
    Reextracted(**COMMON, extracts="m_0"),
    Merged(**COMMON, absorbs=EntityId("company", "e_2"), same=(("f_2_0", "f_1_0"),)),
    Split(**COMMON, releases=EntityId("company", "e_2")),
]
IDS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_an_entry_is_read_back_as_what_it_was(entry: LogEntry) -> None:
    assert read_entry(entry_body(entry)) == entry


@pytest.mark.parametrize(
    ("extractor", "has_content", "pending"),
    [
        ("pending (model/a unavailable: no answer within 45 s)", True, "model/a unavailable: no answer within 45 s"),
        (
            "caller+pending (the model cannot be told: gone.\nTry again)",
            True,
            "the model cannot be told: gone.\nTry again",
        ),
        ("caller+pending (away)", False, ""),
        ("caller+plain", True, ""),
    ],
)
def test_a_log_that_noted_open_readings_in_prose_is_understood(extractor: str, has_content: bool, pending: str) -> None:
    entry = read_entry({**COMMON, "extractor": extractor, "has_content": has_content})
    assert isinstance(entry, Memorized)
    assert entry.pending == pending


def test_voices_and_content_follow_from_the_event() -> None:
    told, read, *_ = ENTRIES
    assert (told.content_of, told.voice) == ("m_1", "m_1")
    assert (read.content_of, read.voice) == ("m_0", "m_0")  # no witness of its own beside the call that brought it


@given(IDS, st.integers(0, 6_000), IDS)
def test_a_fact_keeps_its_statement_whoever_voices_it(memory: str, number: int, voice: str) -> None:
    first = FactId.of(f"m_{memory}", number)
    assert str(first) == f"f_{memory}_{number}"
    assert FactId.parse(str(first)) == first
    other = first.voiced_by(f"m_{voice}")
    assert FactId.parse(str(other)) == other
    assert statement_of(str(other)) == statement_of(str(first)) == first.statement
