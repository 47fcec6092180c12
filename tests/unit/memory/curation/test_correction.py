"""A person sets right what is remembered: by words, by hand, and without losing what held before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
OLD = datetime(2026, 2, 1, tzinfo=UTC)


async def named(room: Any, words: str, **more: Any) -> list[str]:
    return [one.text for one in await room.memory.facts_named(room.principal, ACME, words, **more)]


async def fact_id(room: Any, words: str) -> str:
    [found] = await room.memory.facts_named(room.principal, ACME, words)
    return str(found.fact_id)


async def test_words_name_the_facts_that_hold_them_all(room: Any) -> None:
    await room.facts(ACME, "The budget is $150,000.", "The budget is decided by Maria Lopez.", "They use Okta.")
    assert await named(room, "Okta") == ["They use Okta."]
    assert len(await named(room, "budgets")) == 2
    assert await named(room, "the budget is $150,000") == ["The budget is $150,000."]
    assert await named(room, "weather in Oslo") == []
    assert await named(room, await fact_id(room, "okta")) == ["They use Okta."]


async def test_words_name_what_holds_and_the_past_only_on_demand(room: Any) -> None:
    await room.facts(ACME, "The budget is $150,000.", observed_at=OLD)
    await room.facts(ACME, "The budget is $120,000.")
    assert await named(room, "budget") == ["The budget is $120,000."]
    assert len(await named(room, "budget", past=True)) == 2


async def test_a_statement_takes_the_place_of_another_and_says_so(room: Any) -> None:
    await room.facts(ACME, "The budget is $150,000.", observed_at=OLD)
    done = await room.memory.corrections.replace_fact(
        room.principal, ACME, await fact_id(room, "budget"), "Money is short this year."
    )
    assert [one.text for one in done.no_longer] == ["The budget is $150,000."]
    assert [one.text for one in done.now] == ["Money is short this year."]
    [fact] = (await room.recall(ACME))["facts"]
    assert (fact["text"], fact["source"], fact["memory_id"]) == (
        "Money is short this year.",
        "corrected by tester",
        done.memory_id,
    )
    history = await room.recall(ACME, include=["facts", "history"])
    assert {one["text"]: one["status"] for one in history["facts"]}["The budget is $150,000."] == "superseded"


async def test_a_dry_run_says_the_same_and_writes_nothing(room: Any) -> None:
    await room.facts(ACME, "The budget is $150,000.", observed_at=OLD)
    asked = room.principal, ACME, await fact_id(room, "budget"), "The budget is $90,000."
    before = await room.recall(ACME)
    would = await room.memory.corrections.replace_fact(*asked, dry_run=True)
    assert would.memory_id == ""
    assert await room.recall(ACME) == before
    done = await room.memory.corrections.replace_fact(*asked)
    assert [one.text for one in would.now] == [one.text for one in done.now]
    assert would.no_longer == done.no_longer


async def test_a_fact_is_over_without_being_lost(room: Any) -> None:
    await room.facts(ACME, "They use Okta.", "They build pumps.", observed_at=OLD)
    done = await room.memory.corrections.end_fact(room.principal, ACME, await fact_id(room, "okta"))
    assert [one.text for one in done.no_longer] == ["They use Okta."]
    assert await room.texts(ACME) == ["They build pumps."]
    assert "They use Okta." in await room.texts(ACME, include=["facts", "history"])


@pytest.mark.parametrize(
    ("entity", "name", "first", "second"),
    [
        (ACME, "employees", 500, 40),
        (ACME, "customer_since", "2019-05-01", "2021-05-01"),
        ("deal:D-1", "competitors", ["Zendesk", "Freshdesk"], ["Intercom"]),
    ],
)
async def test_a_value_is_set_whatever_the_schema_keeps(
    room: Any, entity: str, name: str, first: Any, second: Any
) -> None:
    await room.memorize(entity, properties=[PropertyCandidate(name, first, 0.99)], observed_at=OLD)
    done = await room.memory.corrections.set_value(room.principal, entity, name, second)
    assert [(one.name, one.previous, one.value) for one in done.values] == [(name, first, second)]
    assert {one["name"]: one["value"] for one in (await room.recall(entity))["properties"]}[name] == second


async def test_a_value_takes_along_what_states_the_old_one(room: Any) -> None:
    await room.memorize(
        ACME,
        facts=[FactCandidate("Acme has 500 employees.", 0.9)],
        properties=[PropertyCandidate("employees", 500, 0.9)],
        observed_at=OLD,
    )
    done = await room.memory.corrections.set_value(room.principal, ACME, "employees", "460")
    assert [one.text for one in done.no_longer] == ["Acme has 500 employees."]
    assert [one.value for one in done.values] == [460]


async def test_an_entry_goes_out_of_a_list_and_a_property_is_emptied(room: Any) -> None:
    await room.memorize("deal:D-1", properties=[PropertyCandidate("competitors", ["Zendesk", "Freshdesk"], 0.9)])
    done = await room.memory.corrections.remove_value(room.principal, "deal:D-1", "competitors", ["zendesk"])
    assert [one.value for one in done.values] == [["Freshdesk"]]
    done = await room.memory.corrections.remove_value(room.principal, "deal:D-1", "competitors")
    assert [one.value for one in done.values] == [None]
    with pytest.raises(NotFound, match="no competitors"):
        await room.memory.corrections.remove_value(room.principal, "deal:D-1", "competitors")


@pytest.mark.parametrize("turned", [False, True])
async def test_a_relation_is_over_named_from_either_end(room: Any, turned: bool) -> None:
    anna = "contact:anna@acme.example"
    await room.facts(ACME, "They build pumps.")
    await room.memorize(anna, relations=[RelationCandidate("works_at", ACME)], observed_at=OLD)
    asked = (ACME, "employs", anna) if turned else (anna, "works_at", ACME)
    for dry_run in (True, False):
        done = await room.memory.corrections.end_relation(room.principal, *asked, dry_run=dry_run)
        assert [(one.type, one.other.name, one.holds) for one in done.relations] == [
            ("works_at", "acme.example", False)
        ]
        assert bool(done.memory_id) is not dry_run
    assert not (await room.recall(anna))["relations"]
    with pytest.raises(NotFound, match="no current"):
        await room.memory.corrections.end_relation(room.principal, *asked)


async def test_a_value_that_stands_for_a_relation_changes_that_too(room: Any) -> None:
    anna = "contact:anna@acme.example"
    await room.facts(ACME, "They build pumps.", name="Acme")
    await room.memorize(anna, relations=[RelationCandidate("works_at", ACME)], observed_at=OLD)
    done = await room.memory.corrections.set_value(room.principal, anna, "company", "Orbit")
    assert [one.value for one in done.values] == ["Orbit"]
    assert [(one.type, one.other.name, one.holds) for one in done.relations] == [("works_at", "Acme", False)]


async def test_what_a_gate_turns_down_is_said_with_its_reason(room: Any) -> None:
    await room.facts(ACME, "They use Okta.")
    done = await room.memory.corrections.set_value(room.principal, ACME, "employees", "many")
    assert not done.values
    assert done.rejected[0].startswith("type")
    with pytest.raises(InvalidInput, match="employees"):
        await room.memory.corrections.set_value(room.principal, ACME, "staff", 3)


async def test_a_correction_is_seen_by_whoever_sees_what_it_corrects(room: Any) -> None:
    maria = Principal("acme", "assistant", user="maria", teams=frozenset({"sales"}))
    mine = room.principal
    await room.facts(ACME, "They use Okta.")
    room.principal = maria
    await room.facts(ACME, "They may be bought.", visibility="private")
    await room.facts(ACME, "They pay late.", visibility="team:sales")
    corrections = room.memory.corrections
    await corrections.replace_fact(maria, ACME, await fact_id(room, "bought"), "They were bought by Orbit.")
    await corrections.replace_fact(maria, ACME, await fact_id(room, "late"), "They pay within a week.")
    assert set(await room.texts(ACME)) == {"They use Okta.", "They were bought by Orbit.", "They pay within a week."}
    hidden = await fact_id(room, "Orbit")
    room.principal = mine
    assert await room.texts(ACME) == ["They use Okta."]
    assert await named(room, "bought", past=True) == []
    with pytest.raises(NotFound):
        await corrections.end_fact(mine, ACME, hidden)


async def test_correcting_needs_the_role_that_writes(room: Any) -> None:
    await room.facts(ACME, "They use Okta.")
    reader = Principal("acme", "reading", roles=frozenset({"reader"}))
    with pytest.raises(Refused, match="writer"):
        await room.memory.corrections.end_fact(reader, ACME, await fact_id(room, "Okta"))
    assert await room.texts(ACME) == ["They use Okta."]
