"""The neighbourhood of an entity: whom it is related to, what is known of those, and how two are connected."""

from datetime import timedelta
from typing import Any

import pytest

from interlayer.answers import as_json
from interlayer.errors import InvalidInput, NotFound
from interlayer.memory.requests import Condition, FactCandidate, PropertyCandidate, RelatedTo, RelationCandidate
from interlayer.text.budget import json_tokens

pytestmark = pytest.mark.anyio

HALCYON = "company:halcyon.example"


async def person(room: Any, name: str, *facts: str, title: str = "", **more: Any) -> dict[str, Any]:
    given = [PropertyCandidate("job_title", title, 0.9)] if title else []
    works = more.pop("relations", [RelationCandidate("works_at", HALCYON)])
    told = [FactCandidate(text, 0.9) for text in facts]
    return await room.memorize(
        f"contact:{name.lower()}@home.example", name=name, facts=told, properties=given, relations=works, **more
    )


async def staff(room: Any, count: int = 3) -> None:
    await room.facts(HALCYON, "Halcyon makes clocks.", name="Halcyon")
    for number in range(count):
        await person(
            room, f"P{number}", f"P{number} decides on tool {number}.", f"P{number} skis.", title=f"Head of {number}"
        )


@pytest.mark.on_disk
async def test_who_works_there_and_what_they_are_is_one_call(room: Any) -> None:
    await staff(room)
    told = await room.recall(HALCYON, query="who works at Halcyon and what are they?", follow=["works_at"])
    assert [fact["text"] for fact in told["facts"]] == ["Halcyon makes clocks."]
    assert [(one["name"], one["relation"], one["direction"]) for one in told["neighbours"]] == [
        (f"P{number}", "employs", "in") for number in (2, 1, 0)
    ]
    assert [one["properties"] for one in told["neighbours"]] == [{"job_title": f"Head of {n}"} for n in (2, 1, 0)]
    assert told["relations"] == [], "what is told of a neighbour is not told again"
    assert "neighbours" not in await room.recall(HALCYON), "and nothing where nobody asks"


async def test_the_best_facts_of_a_neighbour_answer_the_query(room: Any) -> None:
    await staff(room)
    told = await room.recall(HALCYON, query="who decides on tools?", follow=["*"], max_tokens=450)
    first = [one["facts"][0]["text"] for one in told["neighbours"] if one.get("facts")]
    assert first
    assert all("decides" in text for text in first)
    rich = await room.recall(HALCYON, query="who decides on tools?", follow=["*"])
    assert [len(one["facts"]) for one in rich["neighbours"]] == [2, 2, 2]


async def test_it_keeps_to_the_budget_and_says_who_was_left_out(room: Any) -> None:
    await staff(room, 12)
    for max_tokens in (300, 400, 900, 2_000):
        told = await room.recall(HALCYON, query="who decides?", follow=["*"], max_tokens=max_tokens)
        assert json_tokens(told) <= max_tokens
        assert told["facts"], "the entity itself comes first"
        left_out = 12 - len(told["neighbours"])
        assert told["omitted"].get("neighbours") == (f"{left_out}: max_tokens" if left_out else None)
    assert left_out == 0


async def test_who_is_asked_for_is_among_those_that_find_room(room: Any) -> None:
    await staff(room, 30)
    for number in (0, 17):
        given = [PropertyCandidate("job_title", "Chief Financial Officer", 0.9)]
        await room.memorize(f"contact:p{number}@home.example", properties=given)
    told = await room.recall(HALCYON, query="Who is the financial officer?", follow=["*"], max_tokens=900)
    assert len(told["neighbours"]) < 30
    assert [one["name"] for one in told["neighbours"][:2]] == ["P17", "P0"]


async def test_only_the_types_that_are_asked_for_are_followed_in_both_directions(room: Any) -> None:
    await staff(room, 1)
    await room.memorize(HALCYON, relations=[RelationCandidate("partner_of", "company:globex.example")])
    told = await room.recall(HALCYON, follow=["partner_of"])
    assert [one["relation"] for one in told["neighbours"]] == ["partner_of"]
    assert "direction" not in told["neighbours"][0]
    assert [one["type"] for one in told["relations"]] == ["employs"]
    assert len((await room.recall(HALCYON, follow=["*"]))["neighbours"]) == 2
    assert (await room.recall(HALCYON, follow=["reports_to"]))["neighbours"] == []


async def test_a_relation_is_followed_by_any_of_its_names(room: Any) -> None:
    await staff(room, 1)
    for name in ("works_at", "employs", "employee_of", "employees"):
        assert [one["name"] for one in (await room.recall(HALCYON, follow=[name]))["neighbours"]] == ["P0"], name
    told = await room.recall("contact:P0", follow=["employer"])
    assert [(one["name"], one["relation"]) for one in told["neighbours"]] == [("Halcyon", "works_at")]
    nobody = await room.recall("contact:P0", follow=["employs"])
    assert (nobody["neighbours"], nobody["omitted"].get("neighbours")) == ([], None), "he employs nobody"
    misspelt = await room.recall("contact:P0", follow=["works_att", "*"])
    assert misspelt["omitted"]["neighbours"] == "works_att: unknown type of relation; the nearest is works_at"
    assert misspelt["neighbours"]
    with pytest.raises(InvalidInput, match="follow"):
        await room.recall("contact:P0", follow=["x"] * 11)


async def test_who_has_left_is_no_neighbour_any_more(room: Any) -> None:
    await staff(room, 2)
    then = room.clock.now
    room.clock.now += timedelta(hours=1)
    await room.memorize("contact:P0", relations=[RelationCandidate("works_at", "company:globex.example")])
    await room.memorize("contact:P1", relations=[RelationCandidate("works_at", HALCYON, ended=True)])
    assert (await room.recall(HALCYON, follow=["*"]))["neighbours"] == []
    listed = await room.searcher.list_entities(room.principal, "contact", [], 9, None, RelatedTo(HALCYON, "employs"))
    assert listed.entities == ()
    found = await room.search("who decides on a tool at Halcyon?")
    assert not [one for one in found["results"] if "related" in one]
    assert await path(room, "contact:P0", "contact:P1") == []
    past = await room.recall(HALCYON, follow=["*"], as_of=then)
    assert [one["name"] for one in past["neighbours"]] == ["P1", "P0"], "but was one then"
    assert [one["properties"] for one in past["neighbours"]] == [{"job_title": "Head of 1"}, {"job_title": "Head of 0"}]


async def test_of_many_relations_those_that_are_followed_come_first(room: Any) -> None:
    for number in range(55):
        works = [RelationCandidate("employed_at_first", HALCYON)]
        await room.memorize(f"contact:c{number}@home.example", relations=works)
    await person(room, "Ann", relations=[RelationCandidate("works_at", HALCYON)])
    told = await room.recall(HALCYON, follow=["works_at"])
    assert [one["name"] for one in told["neighbours"]] == ["Ann"]
    everybody = await room.recall(HALCYON, follow=["*"], max_tokens=8_000)
    assert len(everybody["neighbours"]) == 50
    assert "list_entities" in everybody["omitted"]["neighbours"]


async def test_an_entity_is_one_neighbour_however_often_it_is_related(room: Any) -> None:
    await staff(room, 1)
    await room.memorize("contact:P0", relations=[RelationCandidate("founder_of", HALCYON)])
    told = await room.recall(HALCYON, follow=["*"])
    assert [one["name"] for one in told["neighbours"]] == ["P0"]
    assert len(told["relations"]) == 1


async def test_facts_that_are_over_are_not_told_of_a_neighbour(room: Any) -> None:
    await person(room, "Ann", "Ann leads the Oslo office.")
    gone = [FactCandidate("Ann no longer leads the Oslo office.", 0.9, replaces="Ann leads the Oslo office.")]
    await room.memorize("contact:Ann", facts=gone)
    told = await room.recall(HALCYON, follow=["*"], query="who leads the Oslo office?")
    assert [fact["text"] for fact in told["neighbours"][0]["facts"]] == ["Ann no longer leads the Oslo office."]


async def test_neighbours_come_with_the_first_page_alone(room: Any) -> None:
    await staff(room)
    await room.facts(HALCYON, "Halcyon is old.", "Halcyon is Danish.")
    first = await room.recall(HALCYON, follow=["*"], limit=1)
    assert "neighbours" in first
    second = await room.recall(HALCYON, follow=["*"], limit=1, cursor=first["next_cursor"])
    assert second["facts"]
    assert "neighbours" not in second


@pytest.mark.on_disk
async def test_entities_are_listed_by_whom_they_are_related_to(room: Any) -> None:
    await staff(room, 5)
    await room.facts("contact:zoe@other.example", "Zoe is elsewhere.", name="Zoe")
    await room.memorize(HALCYON, relations=[RelationCandidate("client_of", "contact:broker@b.example")])

    async def names(**more: Any) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await room.searcher.list_entities(
                room.principal, "contact", more.get("where", []), 2, cursor, RelatedTo(HALCYON, more.get("relation"))
            )
            found += [one.name for one in page.entities]
            cursor = page.next_cursor
            if cursor is None:
                return found

    staffed = [f"P{number}" for number in range(5)]
    assert sorted(await names()) == sorted([*staffed, "broker@b.example"])
    assert await names(relation="works_at") == staffed
    assert await names(relation="works_at", where=[Condition("job_title", "eq", "Head of 3")]) == ["P3"]
    assert await names(relation="reports_to") == []
    with pytest.raises(NotFound, match="related_to"):
        await room.searcher.list_entities(room.principal, "contact", [], 2, None, RelatedTo("company:nowhere.example"))


async def test_what_was_merged_is_listed_once_as_what_it_is_now(room: Any) -> None:
    await staff(room, 3)
    await person(room, "Twin", "Twin is P2.")
    await room.merger.merge(room.principal, "contact:P2", "contact:Twin", "one person")
    for limit in (1, 10):
        found: list[str] = []
        cursor: str | None = None
        while not found or cursor:
            page = await room.searcher.list_entities(
                room.principal, "contact", [], limit, cursor, RelatedTo(HALCYON, "works_at")
            )
            found += [one.name for one in page.entities]
            cursor = page.next_cursor
        assert found == ["P0", "P1", "P2"]
    assert [one["name"] for one in (await room.recall(HALCYON, follow=["*"]))["neighbours"]] == ["P2", "P1", "P0"]


async def test_a_hit_says_how_it_is_related_to_whom_the_query_names(room: Any) -> None:
    await staff(room, 2)
    await room.facts("contact:zoe@other.example", "Zoe decides on tool 7.", name="Zoe")
    found = await room.search("who decides on a tool at Halcyon?")
    ties = {one["entity"]["name"]: one.get("related") for one in found["results"]}
    company = (await room.recall(HALCYON))["entity"]["ref"]
    assert ties["P0"] == {"type": "works_at", "to": company, "name": "Halcyon"}
    assert ties["Zoe"] is None
    assert ties.get("Halcyon") is None
    back = await room.search("what makes the company of P1?")
    ties = {one["entity"]["name"]: one.get("related") for one in back["results"]}
    assert (ties["Halcyon"]["type"], ties["Halcyon"]["name"]) == ("employs", "P1")


async def path(room: Any, start: str, end: str, steps: int = 3) -> list[str]:
    found = await room.memory.find_paths(room.principal, start, end, steps)
    return [" ".join(step.to.name for step in one.steps) for one in found.paths]


@pytest.mark.on_disk
async def test_two_people_know_each_other_by_way_of_their_company(room: Any) -> None:
    await staff(room, 2)
    await person(room, "Zoe", relations=[RelationCandidate("knows", "contact:P0")])
    assert await path(room, "contact:P0", "contact:P1") == ["Halcyon P1"]
    assert await path(room, "contact:Zoe", "contact:P1") == ["P0 Halcyon P1"]
    assert await path(room, "contact:Zoe", "contact:P1", 2) == []
    assert await path(room, "contact:P0", HALCYON) == ["Halcyon"]
    found = as_json(await room.memory.find_paths(room.principal, "contact:Zoe", HALCYON, 2))
    assert [(one["relation"], one["reverse"]) for one in found["paths"][0]["steps"]] == [
        ("knows", False),
        ("works_at", False),
    ]
    with pytest.raises(InvalidInput, match="same"):
        await path(room, "contact:P0", "contact:p0@home.example")
    with pytest.raises(NotFound, match="to:"):
        await path(room, "contact:P0", "contact:nobody@x.example")


async def test_many_relations_of_one_end_are_cut_and_said(room: Any) -> None:
    await room.facts(HALCYON, "Halcyon makes clocks.", name="Halcyon")
    for number in range(105):
        await person(room, f"P{number}")
    await person(room, "Zoe", relations=[RelationCandidate("knows", "contact:P104")])
    found = as_json(await room.memory.find_paths(room.principal, HALCYON, "contact:Zoe", 3))
    assert [one["name"] for one in found["cut"]] == ["Halcyon"]
    assert [step["to"]["name"] for step in found["paths"][0]["steps"]] == ["P104", "Zoe"], "found from the other end"
    assert not as_json(await room.memory.find_paths(room.principal, "contact:P0", "contact:Zoe", 3))["cut"]
