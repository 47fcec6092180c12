"""Who is told what: memories of a team or one's own, and values that are too sensitive for a caller."""

from dataclasses import replace
from typing import Any

import pytest

from interlayer.answers import as_json
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.memory.memory import Memory
from interlayer.memory.requests import (
    Condition,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RecallRequest,
    RelationCandidate,
    SearchRequest,
)
from interlayer.memory.schema.schema import parse_schema
from interlayer.principal import Principal
from rooms import Room

pytestmark = pytest.mark.anyio

SCHEMA = parse_schema(
    """
entities:
  employee:
    identifiers: [email]
    pronouns: [she]
    properties:
      title: {type: text, indexed: true}
      city: {type: text, sensitivity: personal}
      salary: {type: number, indexed: true, sensitivity: restricted}
      diagnosis: {type: text, indexed: true, sensitivity: restricted}
      born: {type: date, sensitivity: restricted}
identifiers:
  email: {pattern: '[^@ ]+@[^@ ]+'}
""",
    "schema",
)
ANN = "employee:ann@acme.example"
ALL = ["properties", "facts", "relations", "sources", "history"]
READER = Principal("acme", "desk", frozenset({"reader", "writer"}), frozenset({"sales"}), "bob")
HR = replace(READER, roles=READER.roles | {"reader:restricted"}, user="hera")


@pytest.fixture
def staff(room: Room) -> Room:
    return room.under(SCHEMA)


async def memorize(room: Room, principal: Principal, entity: str = ANN, **more: Any) -> dict[str, Any]:
    return as_json(await room.memorizer.memorize(principal, MemorizeRequest(entity=entity, **more)))


async def recall(room: Room, principal: Principal, entity: str = ANN, **more: Any) -> dict[str, Any]:
    request = RecallRequest(entity=entity, include=more.pop("include", ALL), **more)
    return as_json(await room.recaller.recall(principal, request))


def texts(answer: dict[str, Any]) -> list[str]:
    return [one["text"] for one in answer["facts"]]


async def told_of_her_pay(room: Room) -> None:
    values = [PropertyCandidate("salary", 250_000, 0.9), PropertyCandidate("diagnosis", "chronic migraine", 0.9)]
    await memorize(room, HR, properties=[*values, PropertyCandidate("title", "CTO", 0.9)])
    facts = ("She was told about her chronic migraine.", "Ann earns 250k a year.", "Ann runs the Oslo office.")
    await memorize(room, HR, facts=[FactCandidate(one, 0.9) for one in facts])


async def test_a_reader_is_told_no_restricted_value_in_any_way(staff: Room) -> None:
    await told_of_her_pay(staff)
    answer = await recall(staff, READER)
    assert texts(answer) == ["Ann runs the Oslo office."]
    assert [one["name"] for one in answer["properties"]] == ["title"]
    assert [one["name"] for one in answer["withheld"]] == ["diagnosis", "salary"]
    listed = await staff.searcher.list_entities(READER, "employee", [], 10, None)
    assert listed.entities[0].properties == {"title": "CTO"}
    assert [one.name for one in listed.withheld or ()] == ["diagnosis", "salary"]
    found = await staff.searcher.search(READER, SearchRequest(query="migraine, salary of 250k a year"))
    assert [one.fact.text for one in found.results] == ["Ann runs the Oslo office."]
    for told in (answer, as_json(listed), as_json(found)):
        assert "migraine" not in str(told)
        assert "250" not in str(told)
    known = await staff.recaller.properties(READER, ANN)
    assert (known.values, list(known.voices)) == ({"title": "CTO"}, ["title"])
    full = await recall(staff, HR)
    assert len(full["facts"]) == len(full["properties"]) == 3
    assert "withheld" not in full or full["withheld"] is None


@pytest.mark.parametrize(("value", "op"), [(1, "gt"), (250_000, "eq"), (2, "ne")])
async def test_a_condition_on_a_withheld_property_is_refused_whatever_is_stored(
    staff: Room, value: Any, op: Any
) -> None:
    where = [Condition("salary", op, value)]
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(InvalidInput, match="not yours to filter by") as raised:
            await staff.searcher.list_entities(READER, "employee", where, 10, None)
        with pytest.raises(InvalidInput, match="not yours to filter by"):
            await staff.searcher.search(READER, SearchRequest(query="x", entity_type="employee", where=where))
        said.append(str(raised.value))
        await told_of_her_pay(staff)
    assert said[0] == said[1]
    assert (await staff.searcher.list_entities(HR, "employee", where[:1], 10, None)).entities


async def test_a_writer_who_may_not_read_is_told_no_stored_value(staff: Room) -> None:
    await told_of_her_pay(staff)
    writer = Principal("acme", "form", frozenset({"writer"}))
    older = staff.clock.now.replace(year=2020)
    for who in (writer, READER):
        answer = await memorize(staff, who, properties=[PropertyCandidate("salary", 100_000, 0.9)], observed_at=older)
        assert answer["properties"][0]["value"] == 100_000
        assert "250" not in str(answer)
    blind = await memorize(
        staff,
        writer,
        facts=[FactCandidate("Ann runs the Oslo office.", 0.9)],
        properties=[PropertyCandidate("title", "CEO", 0.9)],
    )
    assert blind["properties"][0]["outcome"] == "set"
    assert (blind["facts"][0]["outcome"], blind.get("related")) == ("added", None)
    assert blind["entity"]["created"]
    assert [one["value"] for one in (await recall(staff, HR))["properties"] if one["name"] == "salary"] == [250_000]


async def test_values_in_other_forms_are_withheld_with_the_facts_that_say_them(staff: Room) -> None:
    await memorize(staff, HR, properties=[PropertyCandidate("born", "1984-05-12", 0.9)])
    for text in ("Ann was born on 12 May 1984.", "Her birthday is 1984-05-12.", "Ann joined in May 2019."):
        await memorize(staff, HR, facts=[FactCandidate(text, 0.9)])
    assert texts(await recall(staff, READER)) == ["Ann joined in May 2019."]


async def test_an_excerpt_quotes_nothing_around_what_was_read_of_a_withheld_value(staff: Room) -> None:
    content = "Ann runs the Oslo office. Diagnosis: chronic migraine. She has a chronic migraine since May."
    await memorize(staff, HR, content=content, properties=[PropertyCandidate("diagnosis", "chronic migraine", 0.9)])
    answer = await recall(staff, READER)
    assert texts(answer) == ["Ann runs the Oslo office."]
    assert "migraine" not in str(answer)
    (fact,) = answer["facts"]
    assert "migraine" not in str(as_json(await staff.why.fact(READER, fact["fact_id"])))
    with pytest.raises(Refused, match="restricted"):
        await staff.why.property(READER, ANN, "diagnosis")


async def test_the_role_reader_can_be_narrowed_and_widened_again(staff: Room) -> None:
    narrow = Memory.over(staff.store, staff.spaces, SCHEMA, staff.clock, reader_sees="internal")
    await memorize(staff, HR, properties=[PropertyCandidate("city", "Oslo", 0.9)])
    wide = replace(READER, roles=READER.roles | {"reader:personal"})
    seen = [
        len((await memory.recaller.recall(who, RecallRequest(entity=ANN))).properties)
        for memory, who in ((staff.memory, READER), (narrow, READER), (narrow, wide))
    ]
    assert seen == [1, 0, 1]


async def test_what_is_private_is_there_for_its_user_alone(staff: Room) -> None:
    mine, other = READER, replace(READER, user="cid")
    await memorize(staff, mine, facts=[FactCandidate("Ann wants to leave.", 0.9)], visibility="private", name="Annie")
    assert texts(await recall(staff, mine)) == ["Ann wants to leave."]
    assert texts(await recall(staff, replace(mine, agent="phone"))) == ["Ann wants to leave."]
    unknown = await recall(staff, other)
    assert (unknown["found"], unknown["near"]) == (False, [])
    assert not (await staff.searcher.search(other, SearchRequest(query="Ann leave"))).results
    assert not (await staff.searcher.list_entities(other, "employee", [], 10, None)).entities
    with pytest.raises(NotFound):
        await staff.identities.names(other, ANN)
    fact = (await recall(staff, mine))["facts"][0]["fact_id"]
    with pytest.raises(NotFound):
        await staff.why.fact(other, fact)
    with pytest.raises(NotFound):
        await staff.forgetter.forget(other, "asked to", fact_id=fact)
    with pytest.raises(NotFound):
        await staff.forgetter.forget(other, "asked to", entity=ANN)
    answer = await memorize(staff, other, facts=[FactCandidate("Ann runs the Oslo office.", 0.9)])
    assert (answer["entity"]["created"], answer["entity"]["name"]) == (True, "ann@acme.example")
    assert texts(await recall(staff, other)) == ["Ann runs the Oslo office."]
    assert len((await recall(staff, mine))["facts"]) == 2


async def test_a_team_sees_its_memories_and_nobody_else(staff: Room) -> None:
    legal = replace(READER, teams=frozenset({"Legal"}), user="lea")
    await memorize(staff, legal, properties=[PropertyCandidate("title", "CEO", 0.9)], visibility="team:legal")
    await memorize(staff, READER, facts=[FactCandidate("Ann runs the Oslo office.", 0.9)])
    where = [Condition("title", "eq", "CEO")]
    listed = [await staff.searcher.list_entities(who, "employee", where, 10, None) for who in (legal, READER)]
    assert [len(one.entities) for one in listed] == [1, 0]
    assert [len((await recall(staff, who))["properties"]) for who in (legal, READER)] == [1, 0]


async def test_a_narrower_memory_supersedes_nothing_for_others(staff: Room) -> None:
    await memorize(
        staff, READER, facts=[FactCandidate("Ann uses Okta.", 0.9)], properties=[PropertyCandidate("title", "CTO", 0.9)]
    )
    before = await recall(staff, HR)
    gone = [FactCandidate("Ann no longer uses Okta.", 0.9)]
    await memorize(staff, READER, facts=gone, properties=[PropertyCandidate("title", "CEO", 0.9)], visibility="private")
    assert await recall(staff, HR) == before
    own = await recall(staff, READER, include=["properties", "facts"])
    assert texts(own) == ["Ann no longer uses Okta."]
    assert own["properties"][0]["value"] == "CEO"
    assert (await staff.recaller.properties(READER, ANN)).values == {}


async def test_a_wider_memory_widens(staff: Room) -> None:
    said = [FactCandidate("Ann runs the Oslo office.", 0.9)]
    await memorize(staff, READER, facts=said, visibility="private")
    await memorize(staff, HR, facts=said)
    assert texts(await recall(staff, replace(HR, user="cid"))) == ["Ann runs the Oslo office."]
    assert texts(await recall(staff, READER)) == ["Ann runs the Oslo office."]


async def test_what_a_private_memory_relates_to_is_unknown_until_a_wider_one_does(staff: Room) -> None:
    await memorize(
        staff, READER, relations=[RelationCandidate("knows", "employee:eve@acme.example")], visibility="private"
    )
    assert not (await recall(staff, HR, "employee:eve@acme.example"))["found"]
    await memorize(staff, HR, relations=[RelationCandidate("manages", "employee:eve@acme.example")])
    eve = await recall(staff, HR, "employee:eve@acme.example")
    assert [one["type"] for one in eve["relations"]] == ["manages"]
    assert [one["type"] for one in (await recall(staff, HR))["relations"]] == ["manages"]
    assert len((await recall(staff, READER, "employee:eve@acme.example"))["relations"]) == 2


async def test_a_merge_and_a_split_keep_who_sees_what(staff: Room) -> None:
    await memorize(staff, READER, facts=[FactCandidate("Ann wants to leave.", 0.9)], visibility="private")
    await memorize(staff, READER, "employee:a.chen@acme.example", facts=[FactCandidate("Ann runs Oslo.", 0.9)])
    await staff.merger.merge(READER, "employee:a.chen@acme.example", ANN, "the same")
    assert texts(await recall(staff, HR, "employee:a.chen@acme.example")) == ["Ann runs Oslo."]
    assert not (await recall(staff, HR))["found"]
    assert sorted(texts(await recall(staff, READER))) == ["Ann runs Oslo.", "Ann wants to leave."]
    absorbed = (await staff.identities.names(READER, ANN)).merged[0].ref
    await staff.merger.split(READER, "employee:a.chen@acme.example", absorbed, "not the same")
    assert not (await recall(staff, HR))["found"]
    assert texts(await recall(staff, READER)) == ["Ann wants to leave."]


async def test_what_a_gate_turned_down_of_a_private_call_is_shown_to_its_user(staff: Room) -> None:
    given = [PropertyCandidate("height", "2 m", 0.9)]
    await memorize(staff, READER, properties=given, facts=[FactCandidate("Ann left.", 0.9)], visibility="private")
    other = replace(READER, user="cid")
    assert [len(await staff.rejections.listed(who)) for who in (READER, other)] == [1, 0]


@pytest.mark.parametrize("told", ["everybody", "team:", "team", "private:user:bob", "public"])
async def test_a_visibility_that_is_none_is_refused(staff: Room, told: str) -> None:
    with pytest.raises(InvalidInput, match="visibility"):
        await memorize(staff, READER, facts=[FactCandidate("Ann left.", 0.9)], visibility=told)
