"""What several may have, such as a phone number, makes no two people one and leads to nobody of another name."""

from typing import Any

import pytest

from interlayer.memory.entities.identities import Identities
from interlayer.memory.requests import FactCandidate
from interlayer.memory.schema.schema import IdentifierSchema, starter_schema

PHONE = "+49 89 1234567"
SCHEMA = starter_schema()

pytestmark = pytest.mark.anyio


async def tell(room: Any, entity: str, text: str = "They asked for an offer.", **given: Any) -> dict[str, Any]:
    return await room.memorize(entity, facts=[FactCandidate(text, 0.9)], **given)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"entity": "contact:Mallory"}, {"entity": "contact:ceo@acme.example"}),
        ({"entity": "contact:Mallory"}, {"entity": "contact:Jane Chief"}),
        ({"entity": "contact:ann@lee.example", "name": "Ann Lee"}, {"entity": "contact:tom@lee.example"}),
        ({"entity": "contact:ann@lee.example"}, {"entity": "contact:Tom Lee"}),
        ({"entity": "company:Acme Pumps"}, {"entity": "company:globex.example"}),
    ],
)
async def test_a_shared_phone_joins_no_two_names(room: Any, first: dict[str, str], second: dict[str, str]) -> None:
    one = await tell(room, **first, identifiers={"phone": PHONE})
    other = await tell(room, text="They pay late.", **second, identifiers={"phone": PHONE})
    assert other["entity"]["created"]
    assert other["entity"]["ref"] != one["entity"]["ref"]
    assert other["conflicts"] == [{"kind": "phone", "value": "+49891234567", "belongs_to": one["entity"]["ref"]}]
    again = await tell(room, text="They pay very late.", **second, identifiers={"phone": PHONE})
    assert again["entity"]["ref"] == other["entity"]["ref"]
    known = await room.recall(first["entity"])
    assert "They pay late." not in [fact["text"] for fact in known["facts"]]
    kept = await Identities(room.store, room.entities, room.schema).conflicts(room.principal)
    assert {one.kind for one in kept} == {"phone"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"entity": "contact:ben@halcyon.example"}, {"entity": "contact:Ben Carter"}),
        ({"entity": "contact:Ben Carter"}, {"entity": "contact:bcarter@halcyon.example"}),
        ({"entity": "contact:Carter, Ben"}, {"entity": "contact:b.c@halcyon.example", "name": "Ben Carter"}),
        ({"entity": f"contact:{PHONE}"}, {"entity": "contact:Ben Carter"}),
        ({"entity": "company:Acme GmbH"}, {"entity": "company:acme.example"}),
    ],
)
async def test_what_is_called_alike_is_found_by_it(room: Any, first: dict[str, str], second: dict[str, str]) -> None:
    one = await tell(room, **first, identifiers={"phone": PHONE})
    other = await tell(room, **second, identifiers={"phone": PHONE})
    assert other["entity"]["ref"] == one["entity"]["ref"]
    assert "conflicts" not in other


async def test_whoever_is_named_by_anothers_phone_is_named_by_his_name(room: Any) -> None:
    ann = await tell(room, f"contact:{PHONE}", name="Ann Lee")
    tom = await tell(room, f"contact:{PHONE}", "He likes tea.", name="Tom Holt")
    assert tom["entity"]["created"]
    assert tom["entity"]["name"] == "Tom Holt"
    assert [one["belongs_to"] for one in tom["conflicts"]] == [ann["entity"]["ref"]]
    again = await tell(room, f"contact:{PHONE}", "He likes cake.", name="Tom Holt")
    assert again["entity"]["ref"] == tom["entity"]["ref"]
    assert (await room.recall(f"contact:{PHONE}"))["entity"]["ref"] == ann["entity"]["ref"]
    assert (await room.recall("contact:Tom Holt"))["entity"]["ref"] == tom["entity"]["ref"]


async def test_a_mailbox_of_many_is_shared_and_that_of_a_person_is_not(room: Any) -> None:
    info, own = {"email": "info@acme.example"}, {"email": "ann.lee@acme.example"}
    ann = await tell(room, "contact:Ann Lee", identifiers=info)
    tom = await tell(room, "contact:Tom Holt", identifiers=info)
    assert tom["entity"]["ref"] != ann["entity"]["ref"]
    await tell(room, "contact:Ann Lee", identifiers=own)
    assert (await tell(room, "contact:Dr Lee-Cooper", identifiers=own))["entity"]["ref"] == ann["entity"]["ref"]


def test_a_schema_says_which_kinds_are_shared() -> None:
    assert SCHEMA.is_shared("phone", "+49891234567")
    assert SCHEMA.is_shared("email", "info@acme.example")
    assert not SCHEMA.is_shared("email", "ann.lee@acme.example")
    assert not SCHEMA.is_shared("crm_id", "info")
    kinds = {**SCHEMA.identifiers, "phone": IdentifierSchema(shared=False), "badge": IdentifierSchema(shared=True)}
    own = SCHEMA.model_copy(update={"identifiers": kinds})
    assert not own.is_shared("phone", "+49891234567")
    assert own.is_shared("badge", "7")
