"""What was known and valid then, and where it comes from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlayer.errors import InvalidInput
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate

pytestmark = pytest.mark.anyio

DEAL = "deal:D-1"
SPRING = datetime(2025, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def stage(value: str) -> list[PropertyCandidate]:
    return [PropertyCandidate("stage", value, 0.9)]


async def test_what_was_filled_in_later_is_shown_as_valid_then_and_said_to_be(room: Any) -> None:
    for number, value in enumerate(("discovery", "proposal", "won")):
        await room.memorize(DEAL, properties=stage(value), observed_at=SPRING + 10 * number * DAY)
    told = await room.recall(DEAL, as_of=SPRING + 15 * DAY)
    assert told["properties"][0]["value"] == "proposal"
    assert told["degraded"][0].startswith("as_of: nothing was recorded yet")
    before = await room.recall(DEAL, as_of=SPRING - DAY)
    assert before["properties"] == before["facts"] == []
    assert "degraded" not in before


async def test_what_became_known_later_is_not_shown_as_known_then(room: Any) -> None:
    await room.memorize(DEAL, properties=stage("discovery"), observed_at=SPRING)
    then = room.clock()
    await room.memorize(DEAL, properties=stage("proposal"), observed_at=SPRING + DAY)
    assert (await room.recall(DEAL, as_of=then))["properties"][0]["value"] == "discovery"
    assert (await room.recall(DEAL))["properties"][0]["value"] == "proposal"


async def test_each_fact_has_a_time_of_its_own(room: Any) -> None:
    early = FactCandidate("The pilot has begun.", 0.9, (SPRING).isoformat().replace("+00:00", ".000000Z"))
    late = FactCandidate("The pilot was praised.", 0.9)
    await room.memorize(DEAL, facts=[early, late])
    assert await room.texts(DEAL, as_of=SPRING + DAY) == ["The pilot has begun."]


async def test_what_was_recorded_by_then_is_asked_apart_from_what_held_then(room: Any) -> None:
    await room.memorize(DEAL, properties=stage("discovery"), observed_at=SPRING)
    then = room.clock()
    await room.memorize(DEAL, properties=stage("proposal"), observed_at=SPRING + 5 * DAY)
    await room.memorize(DEAL, properties=stage("won"), observed_at=SPRING + 20 * DAY)

    async def value(**at: datetime) -> Any:
        return (await room.recall(DEAL, **at))["properties"][0]["value"]

    now = room.clock()
    assert await value(known_at=then) == "discovery"
    assert await value(known_at=now) == "closed_won"
    assert await value(known_at=now, as_of=SPRING + 10 * DAY) == "proposal"
    assert await value(known_at=then, as_of=SPRING + 10 * DAY) == "discovery"


async def test_nothing_is_shown_as_known_before_it_was_recorded(room: Any) -> None:
    before = room.clock()
    await room.facts(DEAL, "The pilot has begun.", observed_at=SPRING)
    told = await room.recall(DEAL, known_at=before)
    assert told["facts"] == []
    assert told["degraded"] == ["known_at: nothing was recorded yet then"]


async def test_what_replaced_a_fact_later_is_not_known_before(room: Any) -> None:
    told = await room.facts(DEAL, "The pilot runs in Oslo.")
    then = room.clock()
    moved = FactCandidate("The pilot was moved.", 0.9, replaces=told["facts"][0]["fact_id"])
    await room.memorize(DEAL, facts=[moved])
    assert await room.texts(DEAL, known_at=then) == ["The pilot runs in Oslo."]
    assert await room.texts(DEAL) == ["The pilot was moved."]


async def test_a_cursor_of_one_instant_is_not_taken_for_another(room: Any) -> None:
    await room.facts(DEAL, "The pilot has begun.", "The contract was signed.")
    first = await room.recall(DEAL, limit=1, known_at=room.clock())
    with pytest.raises(InvalidInput, match="cursor"):
        await room.recall(DEAL, limit=1, cursor=first["next_cursor"])


async def test_relations_are_shown_from_when_they_were_known(room: Any) -> None:
    await room.facts(DEAL, "The pilot has begun.")
    await room.facts("company:acme.example", "Acme sells pumps.")
    then = room.clock()
    await room.memorize(DEAL, relations=[RelationCandidate("sold_to", "company:acme.example")])
    for entity in (DEAL, "company:acme.example"):
        assert (await room.recall(entity, as_of=then))["relations"] == []
        assert len((await room.recall(entity))["relations"]) == 1


async def test_a_fact_is_traced_to_the_words_it_rests_on(room: Any) -> None:
    filler = "Nothing to see in this sentence about the weather. " * 1_800
    text = f"{filler}\n\nThe pump contract is worth $72K.\n\n{filler}\n\nLegal has signed the pump contract."
    await room.memorize(DEAL, content=text, source="call 7")
    told = await room.recall(DEAL, query="pump contract", limit=2, include=["facts", "sources"])
    assert {fact["text"] for fact in told["facts"]} == {
        "The pump contract is worth $72K.",
        "Legal has signed the pump contract.",
    }
    (origin,) = told["sources"]
    assert origin["excerpt"] == "The pump contract is worth $72K. … Legal has signed the pump contract."
    assert (origin["source"], origin["agent"]) == ("call 7", "tester")


async def test_every_observed_value_is_in_the_history_also_those_that_lost(room: Any) -> None:
    await room.memorize(DEAL, properties=stage("proposal"), observed_at=SPRING + DAY)
    await room.memorize(DEAL, properties=stage("discovery"), observed_at=SPRING)
    await room.memorize(DEAL, properties=stage("proposal"), observed_at=SPRING + 2 * DAY)
    told = await room.recall(DEAL, include=["history"])
    assert [one["value"] for one in told["history"]] == ["proposal", "proposal", "discovery"]
