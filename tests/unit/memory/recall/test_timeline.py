"""A timeline says what became known of an entity when, and what took the place of what."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.errors import InvalidInput, NotFound
from interlayer.memory.recall.timeline.answer import TimelineEvent
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


def day(number: int) -> datetime:
    return datetime(2026, 2, number, tzinfo=UTC)


async def events(room: Any, entity: str = ACME, **more: Any) -> list[TimelineEvent]:
    return list((await room.memory.timeline(room.principal, entity, **more)).events)


async def test_events_stand_in_the_order_in_which_they_were_observed(room: Any) -> None:
    await room.facts(ACME, "The budget is $120,000.", observed_at=day(20), source="mail 2")
    await room.facts(ACME, "The budget is $150,000.", observed_at=day(3), source="call 1")
    first, second = await events(room)
    assert (first.at, first.text, first.source) == ("2026-02-03T00:00:00Z", "The budget is $150,000.", "call 1")
    assert first.replaced_by
    assert first.replaced_by.text == second.text == "The budget is $120,000."
    assert [one.text for one in second.replaces or ()] == ["The budget is $150,000."]


async def test_of_three_values_each_takes_the_place_of_the_one_before(room: Any) -> None:
    for number, amount in ((1, "150"), (2, "120"), (3, "110")):
        await room.facts(ACME, f"The budget is ${amount},000.", observed_at=day(number))
    replaced = [[other.text for other in one.replaces or ()] for one in await events(room)]
    assert replaced == [[], ["The budget is $150,000."], ["The budget is $120,000."]]


async def test_what_is_over_says_since_when_and_by_whom(room: Any) -> None:
    await room.facts(ACME, "They use Okta.", observed_at=day(1))
    room.principal = Principal("acme", "colleague")
    await room.memorize(ACME, facts=[FactCandidate("They use Okta.", 0.9, ended=True)], observed_at=day(9))
    last = (await events(room))[-1]
    assert (last.event, last.text, last.agent, last.at[:10]) == (
        "fact_ended",
        "They use Okta.",
        "colleague",
        "2026-02-09",
    )


async def test_values_are_set_changed_and_removed(room: Any) -> None:
    for number, value in ((1, 10), (2, 10), (3, 20)):
        await room.memorize(ACME, properties=[PropertyCandidate("employees", value, 0.9)], observed_at=day(number))
    gone = PropertyCandidate("employees", None, 0.9, remove=True)
    await room.memorize(ACME, properties=[gone], observed_at=day(4))
    told = [(one.event, one.previous, one.value) for one in await events(room, name="employees")]
    assert told == [("property_set", None, 10), ("property_changed", 10, 20), ("property_removed", 20, None)]


async def test_an_older_value_that_is_told_later_stands_where_it_belongs(room: Any) -> None:
    for number, value in ((5, 20), (1, 10)):
        await room.memorize(ACME, properties=[PropertyCandidate("employees", value, 0.9)], observed_at=day(number))
    told = [(one.event, one.previous, one.value) for one in await events(room)]
    assert told == [("property_set", None, 10), ("property_changed", 10, 20)]


async def test_a_time_and_a_property_narrow_it(room: Any) -> None:
    await room.facts(ACME, "They use Okta.", observed_at=day(1))
    await room.memorize(ACME, properties=[PropertyCandidate("employees", 5, 0.9)], observed_at=day(5))
    await room.facts(ACME, "They use Entra for mail.", observed_at=day(9))
    assert [one.text for one in await events(room, since=day(6))] == ["They use Entra for mail."]
    assert [one.text for one in await events(room, until=day(2))] == ["They use Okta."]
    assert [one.property for one in await events(room, name="employees")] == ["employees"]
    with pytest.raises(InvalidInput, match="employees"):
        await events(room, name="staff")


async def test_a_merge_is_told_with_who_did_it(room: Any) -> None:
    await room.facts(ACME, "They use Okta.")
    await room.facts("company:acme-old.example", "They build pumps.", name="Acme Pumps")
    await room.merger.merge(room.principal, ACME, "company:acme-old.example", "one firm")
    merged = next(one for one in await events(room) if one.event == "merged")
    assert merged.other
    assert (merged.other.name, merged.agent, merged.source) == ("Acme Pumps", "tester", "one firm")
    assert {one.text for one in await events(room)} >= {"They use Okta.", "They build pumps."}


async def test_relations_begin_and_end_for_both_ends(room: Any) -> None:
    anna, orbit = "contact:anna@acme.example", "company:orbit.example"
    await room.facts(ACME, "They build pumps.", name="Acme")
    await room.facts(orbit, "They build boats.", name="Orbit")
    for number, company in ((3, ACME), (9, orbit)):
        await room.memorize(
            anna, name="Anna", relations=[RelationCandidate("works_at", company)], observed_at=day(number)
        )
    told = [(one.at[8:10], one.event, one.other and one.other.name) for one in await events(room, anna) if one.relation]
    assert sorted(told) == [
        ("03", "relation_begun", "Acme"),
        ("09", "relation_begun", "Orbit"),
        ("09", "relation_ended", "Acme"),
    ]
    [seen] = [one for one in await events(room, orbit) if one.relation]
    assert (seen.event, seen.other and seen.other.name) == ("relation_begun", "Anna")
    over = RelationCandidate("works_at", orbit, ended=True)
    await room.memorize(anna, relations=[over], observed_at=day(20))
    last = [one for one in await events(room, anna) if one.relation][-1]
    assert (last.event, last.at[8:10], last.other and last.other.name) == ("relation_ended", "20", "Orbit")
    seen = [(one.event, one.relation, one.at[8:10]) for one in await events(room, orbit) if one.relation]
    assert seen == [("relation_begun", "employs", "09"), ("relation_ended", "employs", "20")]


async def test_auditors_are_told_on_whose_behalf_an_agent_called(room: Any) -> None:
    room.principal = Principal("acme", "assistant", user="maria")
    await room.facts(ACME, "They use Okta.")
    assert [(one.agent, one.user) for one in await events(room)] == [("assistant", "maria")]
    room.principal = Principal("acme", "assistant", roles=frozenset({"reader"}))
    assert [(one.agent, one.user) for one in await events(room)] == [("assistant", None)]


async def test_what_others_keep_to_themselves_is_in_no_timeline(room: Any) -> None:
    await room.facts(ACME, "They use Okta.", observed_at=day(1))
    mine = room.principal
    room.principal = Principal("acme", "assistant", user="maria")
    await room.facts(ACME, "They use Okta no longer.", visibility="private", observed_at=day(2))
    hidden = "company:hidden.example"
    await room.facts(hidden, "It may be bought.", visibility="private")
    room.principal = mine
    [only] = await events(room)
    assert (only.text, only.replaced_by) == ("They use Okta.", None)
    with pytest.raises(NotFound):
        await events(room, hidden)
