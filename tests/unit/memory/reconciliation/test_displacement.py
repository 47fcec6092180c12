"""What displaces a property takes along the facts that state the old value, and the other way round."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.memory.requests import FactCandidate, PropertyCandidate

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
STAFF = "Acme has 280 employees."
CARS = "Acme leases twelve cars in Oslo."
SPRING = datetime(2026, 1, 5, tzinfo=UTC)


def employees(count: int) -> list[PropertyCandidate]:
    return [PropertyCandidate("employees", count, 0.9)]


async def current(room: Any) -> set[str]:
    return set(await room.texts(ACME))


async def value(room: Any) -> Any:
    return {one["name"]: one["value"] for one in (await room.recall(ACME))["properties"]}.get("employees")


async def test_a_displaced_value_takes_along_the_fact_that_states_it(room: Any) -> None:
    await room.memorize(
        ACME, facts=[FactCandidate(STAFF, 0.9), FactCandidate(CARS, 0.9)], properties=employees(280), name="Acme"
    )
    told = await room.memorize(ACME, properties=employees(310))
    assert await current(room) == {CARS}
    history = await room.recall(ACME, include=["facts", "history"])
    assert {fact["text"]: fact["status"] for fact in history["facts"]} == {STAFF: "superseded", CARS: "current"}
    await room.forgetter.forget(room.principal, "wrong", memory_id=told["memory_id"])
    assert await current(room) == {STAFF, CARS}
    assert await value(room) == 280


async def test_a_confirmed_value_and_one_that_comes_too_late_take_nothing_along(room: Any) -> None:
    await room.memorize(ACME, facts=[FactCandidate(STAFF, 0.9)], properties=employees(280))
    await room.memorize(ACME, properties=employees(280))
    await room.memorize(ACME, properties=employees(190), observed_at=SPRING)
    assert await current(room) == {STAFF}


async def test_a_fact_that_says_more_than_the_value_stays(room: Any) -> None:
    more = "Acme has 280 employees, and the founder lives in a castle."
    await room.memorize(ACME, facts=[FactCandidate(more, 0.9)], properties=employees(280))
    await room.memorize(ACME, properties=employees(310))
    assert await current(room) == {more}


async def test_a_sentence_that_says_more_than_a_displaced_value_is_not_shown_as_current(room: Any) -> None:
    more = "Acme has 280 employees, and the founder lives in a castle."
    await room.memorize(ACME, content=more, name="Acme")
    [before] = (await room.recall(ACME))["facts"]
    await room.memorize(ACME, properties=employees(310))
    [after] = (await room.recall(ACME))["facts"]
    assert (before["text"], before["status"]) == (more, "current")
    assert (after["text"], after["status"]) == (more, "superseded")


async def test_a_fact_about_something_else_stays(room: Any) -> None:
    plant = "The plant in Lyon has 280 employees."
    await room.memorize(ACME, facts=[FactCandidate(plant, 0.9)], properties=employees(280), name="Acme")
    await room.memorize(ACME, properties=employees(310))
    assert await current(room) == {plant}


async def test_a_sentence_that_a_value_was_read_from_goes_with_it(room: Any) -> None:
    await room.memorize(ACME, content=f"{STAFF} {CARS}")
    assert await value(room) == 280
    await room.memorize(ACME, properties=employees(310))
    assert await current(room) == {CARS}


async def test_a_fact_in_place_of_one_that_states_a_value_updates_the_property(room: Any) -> None:
    first = await room.memorize(ACME, facts=[FactCandidate(STAFF, 0.9)], properties=employees(280))
    newer = FactCandidate("Acme has 310 employees.", 0.9, replaces=first["facts"][0]["fact_id"])
    told = await room.memorize(ACME, facts=[newer])
    assert [(one["name"], one["outcome"], one["value"]) for one in told["properties"]] == [
        ("employees", "updated", 310)
    ]
    assert await value(room) == 310
    assert await current(room) == {newer.text}


async def test_a_fact_beside_others_updates_nothing(room: Any) -> None:
    await room.memorize(ACME, facts=[FactCandidate(CARS, 0.9)], properties=employees(280), name="Acme")
    told = await room.memorize(ACME, facts=[FactCandidate("The plant in Lyon has 310 employees.", 0.9)])
    assert told["properties"] == []
    assert await value(room) == 280


async def test_a_fact_that_is_over_takes_its_value_with_it(room: Any) -> None:
    await room.memorize(ACME, facts=[FactCandidate(STAFF, 0.9)], properties=employees(280), name="Acme")
    told = await room.memorize(ACME, facts=[FactCandidate(STAFF, 0.9, ended=True)])
    assert [(one["name"], one["outcome"]) for one in told["properties"]] == [("employees", "removed")]
    assert await value(room) is None
    assert await current(room) == set()


async def test_a_value_that_is_taken_away_takes_along_the_fact_that_states_it(room: Any) -> None:
    await room.memorize(ACME, facts=[FactCandidate(STAFF, 0.9)], properties=employees(280), name="Acme")
    await room.memorize(ACME, properties=[PropertyCandidate("employees", None, 0.9, remove=True)])
    assert await value(room) is None
    assert await current(room) == set()
