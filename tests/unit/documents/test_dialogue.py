"""Speakers keep their turns, log entries and chats their own times, and a document its date."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from interlayer.documents.reader import read
from interlayer.documents.times import read_time

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def said(content: str) -> list[str]:
    return [piece.said for piece in read(content, NOW).statements]


def test_a_speaker_stands_before_each_sentence_of_a_turn_and_of_no_other() -> None:
    content = "Mara: We run 12 sites. The lease ends in May.\n\nPavel: Ours is in Brno.\n\nMara: I see you have plans."
    assert said(content) == [
        "Mara: We run 12 sites.",
        "Mara: The lease ends in May.",
        "Pavel: Ours is in Brno.",
        "Mara: I see you have plans.",
    ]


def test_talk_that_states_nothing_is_left_out() -> None:
    content = "Mara: Thanks, Pavel! Sounds good.\nPavel: Budget?\nMara: Yes, absolutely.\nPavel: We have 9,000 euros."
    assert said(content) == ["Pavel: We have 9,000 euros."]


@pytest.mark.parametrize(
    "content",
    [
        "[2026-03-04 09:15] mara: We signed.\n[2026-03-04 09:16] pavel: We ship on Monday.",
        "04.03.2026, 09:15 - mara: We signed.\n04.03.2026, 09:16 - pavel: We ship on Monday.",
        "Date: 4 March 2026\n[09:15] mara: We signed.\n[09:16] ↳ pavel: We ship on Monday.",
        "Date: 4 March 2026\nmara (9:15 AM): We signed.\npavel (9:16 AM): We ship on Monday.",
        "Date: 4 March 2026\nmara  9:15 AM\nWe signed.\npavel  9:16 AM\nWe ship on Monday.",
    ],
)
def test_a_message_of_a_chat_has_its_own_time(content: str) -> None:
    first, second = read(content, NOW).statements
    assert (first.said, first.written_at) == ("mara: We signed.", datetime(2026, 3, 4, 9, 15, tzinfo=UTC))
    assert (second.said, second.written_at) == ("pavel: We ship on Monday.", datetime(2026, 3, 4, 9, 16, tzinfo=UTC))


def test_entries_of_a_log_have_their_own_dates() -> None:
    content = "2026-01-08 | Call | 6 locations\n2026-02-11 | Call | now 7 locations\n2099-01-01: opening planned"
    assert [(piece.text, piece.written_at) for piece in read(content, NOW).statements] == [
        ("2026-01-08 | Call | 6 locations", datetime(2026, 1, 8, tzinfo=UTC)),
        ("2026-02-11 | Call | now 7 locations", datetime(2026, 2, 11, tzinfo=UTC)),
        ("2099-01-01: opening planned", None),
    ]


@pytest.mark.parametrize(
    "head", ["Date: 3 March 2026", "Datum: 3. März 2026", "Fecha: 3 de marzo de 2026", "# Minutes of 3 March 2026"]
)
def test_a_document_says_when_it_was_written(head: str) -> None:
    (piece,) = read(f"{head}\n\nThe lease ends tomorrow.", NOW).statements
    assert piece.written_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_a_comment_below_a_line_with_a_date_has_that_date() -> None:
    content = "The export fails.\n\n--- Comment of Ann, 2026-02-04 09:10 ---\nIt works again."
    last = list(read(content, NOW).statements)[-1]
    assert (last.text, last.written_at) == ("It works again.", datetime(2026, 2, 4, 9, 10, tzinfo=UTC))


def test_labels_of_fields_are_no_speakers() -> None:
    content = "Status: open. Priority: high. The export fails. Elena is in copy."
    assert said(content) == ["Status: open.", "Priority: high.", "The export fails.", "Elena is in copy."]
    assert said("Our office moved: we are in Lyon now. The budget is still 9,000 euros.") == [
        "Our office moved: we are in Lyon now.",
        "The budget is still 9,000 euros.",
    ]


def test_a_message_alone_keeps_its_questions() -> None:
    assert said("Mara: Hey Pavel! Did you move to Brno?") == ["Mara: Did you move to Brno?"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-14T08:30:00+02:00", datetime(2026, 1, 14, 8, 30, tzinfo=timezone(timedelta(hours=2)))),
        ("Wed, 14 Jan 2026 08:30:00 -0500", datetime(2026, 1, 14, 8, 30, tzinfo=timezone(timedelta(hours=-5)))),
        ("14.01.2026 um 8:30", datetime(2026, 1, 14, 8, 30, tzinfo=UTC)),
        ("le 14 janvier 2026 à 18h05", datetime(2026, 1, 14, 18, 5, tzinfo=UTC)),
        ("Tuesday, January 14, 2026 2:45 PM", datetime(2026, 1, 14, 14, 45, tzinfo=UTC)),
        ("03/04/2026", None),
        ("January", None),
        ("31.02.2026", None),
    ],
)
def test_a_time_is_read_where_it_is_sure(text: str, expected: datetime | None) -> None:
    assert read_time(text) == expected
