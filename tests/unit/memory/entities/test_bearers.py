"""Who bears a name: of any type, by name or identifier, as far as the caller may know."""

from typing import Any

import pytest

from interlayer.principal import Principal

pytestmark = pytest.mark.anyio


async def bearers(room: Any, name: str) -> list[str]:
    return sorted(one.handle for one in await room.identities.bearers(room.principal, name))


async def partly(room: Any, name: str) -> list[str]:
    return sorted(one.handle for one in await room.identities.partly_called(room.principal, name))


async def told(room: Any) -> None:
    await room.facts("contact:anna@halcyon.example", "She leads IT.", name="Anna Schmidt")
    await room.facts("contact:anna@northgate.example", "She buys.", name="Anna Schmidt")
    await room.facts("contact:maria@halcyon.example", "She signs.", name="Maria Lopez")
    await room.facts("company:halcyon.example", "They build boats.", name="Halcyon")
    await room.facts("deal:D-101", "They want 40 seats.", name="Halcyon")


async def test_a_name_is_looked_for_in_every_type(room: Any) -> None:
    await told(room)
    assert await bearers(room, "maria lopez") == ["contact:maria@halcyon.example"]
    assert await bearers(room, "anna@halcyon.example") == ["contact:anna@halcyon.example"]
    both = await room.identities.bearers(room.principal, "Halcyon")
    assert {one.type for one in both} == {"company", "deal"}
    assert [one.type for one in await room.identities.bearers(room.principal, "company:Halcyon")] == ["company"]
    assert await bearers(room, "Nobody") == []


async def test_namesakes_are_told_apart_by_their_identifiers(room: Any) -> None:
    await told(room)
    assert await bearers(room, "Anna Schmidt") == ["contact:anna@halcyon.example", "contact:anna@northgate.example"]


async def test_a_first_name_is_part_of_a_name(room: Any) -> None:
    await told(room)
    assert await partly(room, "Maria") == ["contact:maria@halcyon.example"]
    assert len(await partly(room, "anna")) == 2
    assert await partly(room, "Ann") == []


async def test_one_that_was_merged_answers_to_its_names_as_the_other(room: Any) -> None:
    await told(room)
    await room.merger.merge(
        room.principal, "contact:anna@halcyon.example", "contact:anna@northgate.example", "one person"
    )
    assert len(await bearers(room, "Anna Schmidt")) == 1


async def test_names_that_others_keep_to_themselves_are_not_told(room: Any) -> None:
    await told(room)
    mine, room.principal = room.principal, Principal("acme", "assistant", user="maria")
    await room.facts("contact:zoe@halcyon.example", "She leaves.", name="Zoe Winter", visibility="private")
    assert await bearers(room, "Zoe Winter") == await partly(room, "Zoe") == ["contact:zoe@halcyon.example"]
    room.principal = mine
    assert await bearers(room, "Zoe Winter") == []
    assert await partly(room, "Zoe") == []
