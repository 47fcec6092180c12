"""`remove`: a property is emptied, a list loses an entry; answers, filters, history and as-of follow."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.memory.requests import Condition, PropertyCandidate

pytestmark = pytest.mark.anyio


def day(number: int) -> datetime:
    return datetime(2025, 5, number, tzinfo=UTC)


async def put(room: Any, entity: str, name: str, value: Any, at: int, *, remove: bool = False) -> dict[str, Any]:
    given = [PropertyCandidate(name, value, 0.9, remove=remove)]
    (outcome,) = (await room.memorize(entity, properties=given, observed_at=day(at)))["properties"]
    return outcome


async def values(room: Any, entity: str, **more: Any) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in (await room.recall(entity, **more))["properties"]}


async def listed(room: Any, name: str, value: Any) -> int:
    where = [Condition(name, "eq", value)]
    return len((await room.searcher.list_entities(room.principal, "deal", where, 20, None)).entities)


async def test_an_emptied_property_is_in_no_answer_and_no_filter(room: Any) -> None:
    await put(room, "deal:D-1", "stage", "negotiation", 1)
    assert await listed(room, "stage", "negotiation") == 1
    outcome = await put(room, "deal:D-1", "stage", None, 2, remove=True)
    assert (outcome["outcome"], outcome["previous"], outcome.get("value")) == ("removed", "negotiation", None)
    assert await values(room, "deal:D-1") == {}
    assert await listed(room, "stage", "negotiation") == 0
    assert await values(room, "deal:D-1", as_of=day(1)) == {"stage": "negotiation"}
    history = (await room.recall("deal:D-1", include=["history"]))["history"]
    assert [(one["value"], one.get("removed")) for one in history] == [(None, True), ("negotiation", None)]


async def test_an_emptied_property_stays_empty_for_older_news_and_takes_newer(room: Any) -> None:
    await put(room, "deal:D-1", "stage", "negotiation", 1)
    await put(room, "deal:D-1", "stage", "", 3, remove=True)
    assert (await put(room, "deal:D-1", "stage", "proposal", 2))["outcome"] == "kept"
    assert (await put(room, "deal:D-1", "stage", "closed won", 4))["outcome"] == "set"
    assert await values(room, "deal:D-1") == {"stage": "closed_won"}
    assert await listed(room, "stage", "closed_won") == 1


async def test_a_list_loses_an_entry(room: Any) -> None:
    await put(room, "deal:D-1", "competitors", ["Zola", "Quill"], 1)
    outcome = await put(room, "deal:D-1", "competitors", "zola", 2, remove=True)
    assert (outcome["outcome"], outcome["value"]) == ("removed", ["Quill"])
    assert (await put(room, "deal:D-1", "competitors", ["Mint"], 3))["value"] == ["Quill", "Mint"]


async def test_another_value_is_not_taken_away(room: Any) -> None:
    await put(room, "deal:D-1", "stage", "negotiation", 1)
    outcome = await put(room, "deal:D-1", "stage", "proposal", 2, remove=True)
    assert (outcome["outcome"], outcome["reason"]) == ("kept", "the current value is another one")


async def test_a_discount_may_fall(room: Any) -> None:
    await put(room, "deal:D-1", "discount_percent", 20, 1)
    assert (await put(room, "deal:D-1", "discount_percent", 10, 2))["outcome"] == "updated"


async def test_an_ambiguous_value_is_turned_down_by_name(room: Any) -> None:
    outcome = await put(room, "deal:D-1", "close_date", "03/05/2027", 1)
    assert outcome["outcome"] == "rejected"
    assert outcome["reason"].startswith("ambiguous: close_date is ambiguous: '03/05/2027' may be 2027-05-03 or")


async def test_one_call_takes_an_entry_out_and_adds_another(room: Any) -> None:
    await put(room, "deal:D-1", "competitors", ["Zola", "Quill"], 1)
    given = [
        PropertyCandidate("competitors", ["Mint"], 0.9),
        PropertyCandidate("competitors", ["Zola"], 0.9, remove=True),
    ]
    (outcome,) = (await room.memorize("deal:D-1", properties=given, observed_at=day(2)))["properties"]
    assert outcome["value"] == ["Quill", "Mint"]
