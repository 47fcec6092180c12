"""Before something is erased, its caller is shown what would go, in every entity that it reaches."""

from typing import Any

import pytest

from interlayer.errors import InvalidInput, NotFound
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


async def listed(room: Any, **what: str) -> list[Any]:
    return list(await room.memory.list_erasure(room.principal, **what))


async def test_an_entity_goes_with_all_that_is_known_of_it(room: Any) -> None:
    await room.facts(ACME, "They use Okta.")
    await room.memorize(ACME, properties=[PropertyCandidate("employees", 5, 0.9)])
    [one] = await listed(room, entity=ACME)
    assert (one.entity.name, one.memories, one.facts, one.properties) == (
        "acme.example",
        2,
        ("They use Okta.",),
        ("employees",),
    )
    assert one.since.startswith("2026-03-01T09:")


async def test_an_interaction_is_listed_with_all_of_whom_it_tells(room: Any) -> None:
    said = await room.memorize(
        ACME,
        facts=[
            FactCandidate("They use Okta.", 0.9),
            FactCandidate("Maria decides.", 0.9, about="contact:maria@acme.example"),
        ],
    )
    found = {one.entity.name: one.facts for one in await listed(room, memory_id=said["memory_id"])}
    assert found == {"acme.example": ("They use Okta.",), "maria@acme.example": ("Maria decides.",)}


async def test_what_others_say_too_stays(room: Any) -> None:
    said = await room.facts(ACME, "They use Okta.", "They build pumps.", source="call 1")
    await room.facts(ACME, "They build pumps.", source="mail 2")
    [one] = await listed(room, memory_id=said["memory_id"])
    assert (one.facts, one.kept) == (("They use Okta.",), ("They build pumps.",))


async def test_a_fact_goes_alone(room: Any) -> None:
    said = await room.facts(ACME, "They use Okta.", "They build pumps.")
    [one] = await listed(room, fact_id=said["facts"][1]["fact_id"])
    assert one.facts == ("They build pumps.",)


async def test_what_a_caller_may_not_see_is_unknown_to_him(room: Any) -> None:
    await room.facts(ACME, "They use Okta.")
    mine, room.principal = room.principal, Principal("acme", "assistant", user="maria")
    said = await room.facts(ACME, "They may be bought.", visibility="private")
    room.principal = mine
    for what in ({"memory_id": said["memory_id"]}, {"fact_id": said["facts"][0]["fact_id"]}):
        with pytest.raises(NotFound):
            await listed(room, **what)
    assert [(one.memories, one.facts) for one in await listed(room, entity=ACME)] == [(1, ("They use Okta.",))]
    with pytest.raises(InvalidInput):
        await listed(room)
