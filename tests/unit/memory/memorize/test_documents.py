"""What becomes of whole documents: only their statements are facts, with the dates and the writers that they name."""

from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

MAIL = """From: Olga Brandt <olga.brandt@fernhill.example>
Sent: 14 January 2026

Hi Tim,

We ran the test yesterday. When do you ship?

Kind regards
Olga Brandt
Phone: +43 316 555 0100
"""


async def test_what_states_nothing_is_counted_by_its_reason_and_needs_no_review(room: Any) -> None:
    answer = await room.memorize("company:fernhill.example", content=MAIL)
    assert [fact["text"] for fact in answer["facts"]] == ["We ran the test yesterday (2026-01-13)."]
    rejected = answer["gates"]["rejected"]
    assert (rejected["greeting"], rejected["question"], rejected["furniture"]) == (1, 1, 5)
    assert answer["gates"]["checked"] == answer["gates"]["passed"] + sum(rejected.values())


async def test_content_without_a_statement_is_kept(room: Any) -> None:
    answer = await room.memorize("company:fernhill.example", content="Hi Tim, how are you?")
    assert answer["memory_id"]
    assert answer["facts"] == []


async def test_the_date_of_a_document_is_when_it_was_observed_if_the_call_does_not_say(room: Any) -> None:
    await room.memorize("company:fernhill.example", content=MAIL)
    (fact,) = (await room.recall("company:fernhill.example"))["facts"]
    assert fact["observed_at"].startswith("2026-01-14")


async def test_a_call_that_says_when_is_believed_and_relative_times_count_from_the_document(room: Any) -> None:
    at = datetime(2026, 1, 20, tzinfo=UTC)
    await room.memorize("company:fernhill.example", content=MAIL, observed_at=at)
    (fact,) = (await room.recall("company:fernhill.example"))["facts"]
    assert fact["observed_at"].startswith("2026-01-20")
    assert fact["text"] == "We ran the test yesterday (2026-01-13)."


async def test_each_entry_of_a_log_is_observed_on_its_own_day(room: Any) -> None:
    content = "2026-01-08 | Call | they run 6 halls\n2026-01-12 | Visit | the chief is Ann Roe"
    await room.memorize("company:fernhill.example", content=content, observed_at=datetime(2026, 1, 20, tzinfo=UTC))
    facts = (await room.recall("company:fernhill.example"))["facts"]
    assert {fact["observed_at"][:10] for fact in facts} == {"2026-01-08", "2026-01-12"}


async def test_a_signature_tells_of_its_writer_alone(room: Any) -> None:
    writer = await room.memorize("contact:olga.brandt@fernhill.example", content=MAIL)
    assert [one["name"] for one in writer["properties"]] == ["phone", "company"]
    other = await room.memorize("contact:tim@vendor.example", content=MAIL)
    assert other["properties"] == []


async def test_what_a_caller_states_is_taken_whatever_its_form(room: Any) -> None:
    answer = await room.facts("company:fernhill.example", "Thanks for the pumps!")
    assert answer["facts"][0]["outcome"] == "added"
