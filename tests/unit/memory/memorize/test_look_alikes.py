"""A new entity that looks like a known one is told so, at once, to whoever may see that one."""

from dataclasses import replace
from typing import Any

import pytest

from interlayer.memory.curation.duplicates.duplicates import Duplicates
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate

pytestmark = pytest.mark.anyio


async def tell(room: Any, entity: str, **given: Any) -> dict[str, Any]:
    return await room.memorize(entity, facts=[FactCandidate("They asked for an offer.", 0.9)], **given)


def told(answer: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    return [(one["entity"], tuple(one["reasons"])) for one in answer.get("looks_like", ())]


async def test_a_second_ben_carter_of_a_company_is_not_made_without_a_hint(room: Any) -> None:
    works = [PropertyCandidate("company", "Halcyon", 0.9)]
    ben = await tell(room, "contact:ben.carter@halcyon.example", name="Ben Carter", properties=works)
    again = await tell(room, "contact:b.carter@halcyon.example", name="Ben Carter", properties=works)
    assert again["entity"]["created"]
    assert again["looks_like"] == [
        {
            "entity": ben["entity"]["ref"],
            "name": "Ben Carter",
            "reasons": ["same name", "same domain"],
            "to": again["entity"]["ref"],
        }
    ]
    more = await tell(room, "contact:b.carter@halcyon.example", name="Ben Carter", properties=works)
    assert "looks_like" not in more


@pytest.mark.parametrize(
    ("known", "new", "reason"),
    [
        (("company:Acme GmbH", {}), ("company:Acme", {}), "same name in another form"),
        (("contact:Ben Carter", {}), ("contact:Carter, Ben", {}), "same name in another form"),
        (("contact:José Núñez", {}), ("contact:Jose Nunez", {}), "same name in another form"),
        (("contact:Ben Carter", {}), ("contact:Ben Cartre", {}), "similar name"),
        (("contact:Ben Carter", {}), ("contact:B. Carter", {}), "similar name"),
        (("company:Solaria Grid", {}), ("company:Solara Grid", {}), "similar name"),
        (("company:acme.example", {}), ("company:Acme", {}), "name in the address"),
        (("contact:ben.carter@halcyon.example", {}), ("contact:Ben Carter", {}), "name in the address"),
        (("company:Acme", {}), ("company:\u0410cme", {}), "look-alike characters"),
        (("company:google.example", {}), ("company:g00gle.example", {}), "look-alike characters"),
        (("company:acme.example", {}), ("company:xn--cme-5cd.example", {}), "look-alike characters"),
        (
            ("contact:ann@microsoft.example", {"name": "Ann Lee"}),
            ("contact:ann@rnicrosoft.example", {"name": "Ann Lee"}),
            "look-alike characters",
        ),
        (("contact:ceo@google.example", {}), ("contact:ceo@g00gle.example", {}), "look-alike characters"),
        (
            ("contact:Mallory", {"identifiers": {"phone": "+49 89 1"}}),
            ("contact:Jane Chief", {"identifiers": {"phone": "+49 89 1"}}),
            "same phone",
        ),
    ],
)
async def test_whom_a_new_one_looks_like_is_told_with_the_reason(
    room: Any, known: tuple[str, dict[str, Any]], new: tuple[str, dict[str, Any]], reason: str
) -> None:
    first = await tell(room, known[0], **known[1])
    second = await tell(room, new[0], **new[1])
    assert second["entity"]["created"]  # and never joined
    [(entity, reasons)] = told(second)
    assert (entity, reasons[0]) == (first["entity"]["ref"], reason)


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ("contact:Ben Carter", "contact:Ann Carter"),
        ("contact:ben@halcyon.example", "contact:ben@globex.example"),
        ("company:acme.example", "company:acme.test"),
        ("company:Store 12", "company:Store 14"),
        ("contact:Acme", "company:Acme"),
        ("contact:Ben <ben@halcyon.example>", "contact:Ben <ben@globex.example>"),
        ("contact:Jon Smith <jon.smith@halcyon.example>", "contact:John Smith <j.smith@globex.example>"),
    ],
)
async def test_of_whom_nothing_but_a_little_is_alike_nothing_is_told(room: Any, known: str, new: str) -> None:
    await tell(room, known)
    assert told(await tell(room, new)) == []


async def test_the_target_of_a_relation_is_looked_at_too(room: Any) -> None:
    acme = await tell(room, "company:Acme GmbH")
    said = await tell(room, "contact:Zoe Winter", relations=[RelationCandidate("works_at", "company:Acme")])
    assert [(one["entity"], one["to"]) for one in said["looks_like"]] == [
        (acme["entity"]["ref"], said["relations"][0]["target"])
    ]


async def test_two_of_whom_one_call_tells_are_two(room: Any) -> None:
    said = await tell(
        room, "contact:Ben Carter", relations=[RelationCandidate("reports_to", "contact:b.carter@halcyon.example")]
    )
    assert told(said) == []


async def test_nothing_is_told_of_whom_the_caller_may_not_see(room: Any) -> None:
    await tell(room, "contact:Ben Carter", visibility="private")
    await tell(room, "contact:Zoe Winter")
    room.principal = replace(room.principal, agent="other", user="tom")
    assert told(await tell(room, "contact:Ben Cartre")) == []
    room.principal = replace(room.principal, roles=frozenset({"writer"}))
    assert told(await tell(room, "contact:Zoe Wintre")) == []


async def test_what_is_gone_or_has_become_one_is_not_told(room: Any) -> None:
    ben, bern = await tell(room, "contact:Ben Carter"), await tell(room, "contact:Ben Cartre")
    await room.merger.merge(room.principal, ben["entity"]["ref"], bern["entity"]["ref"], "one man")
    assert [entity for entity, _ in told(await tell(room, "contact:B. Carter"))] == [ben["entity"]["ref"]]
    zoe = await tell(room, "contact:Zoe Winter")
    await room.forgetter.forget(room.principal, "asked", entity=zoe["entity"]["ref"])
    assert told(await tell(room, "contact:Zoe Wintre")) == []


async def test_what_is_told_waits_for_a_decision_from_then_on(room: Any) -> None:
    search = Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)
    ben, bern = await tell(room, "contact:Ben Carter"), await tell(room, "contact:Ben Cartre")
    [pair] = await search.open(room.principal)
    assert {pair.one.ref, pair.other.ref} == {ben["entity"]["ref"], bern["entity"]["ref"]}
    since = pair.found_at
    room.clock.now = room.clock.now.replace(year=room.clock.now.year + 1)
    await search.search(room.principal)
    [pair] = await search.open(room.principal)
    assert pair.found_at == since
    await search.distinguish(room.principal, pair.one.ref, pair.other.ref, "two people, asked them")
    assert await search.open(room.principal) == []


async def test_an_answer_that_is_kept_names_nobody_else(room: Any) -> None:
    await tell(room, "contact:Ben Carter")
    assert told(await tell(room, "contact:Ben Cartre", idempotency_key="k"))
    assert told(await tell(room, "contact:Ben Cartre", idempotency_key="k")) == []
