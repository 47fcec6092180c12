"""recall_entity, search_memory and list_entities: what is found, and what never is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.errors import InvalidInput
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.requests import Condition, PropertyCandidate, SearchRequest
from interlayer.text.budget import json_tokens

pytestmark = pytest.mark.anyio

FACTS = (
    "The nightly export of Acme takes eleven hours.",
    "Acme keeps patient data inside the European Union.",
    "The head office of Acme is in Rotterdam.",
    "Acme plans to hire forty engineers.",
)


async def test_the_fact_that_answers_comes_first(room: Any) -> None:
    await room.facts("company:acme.example", *FACTS)
    assert (await room.texts("company:acme.example", query="how long does the export take at night?"))[0] == FACTS[0]
    assert (await room.texts("company:acme.example", query="where is their office"))[0] == FACTS[2]


async def test_an_unknown_entity_is_an_answer_with_near_names(room: Any) -> None:
    await room.facts("company:acme.example", FACTS[0], name="Acme Pumps")
    answer = await room.recall("company:Acme Pump")
    assert not answer["found"]
    assert "company:Acme Pumps" in answer["near"]
    assert answer["facts"] == []


async def test_the_other_organization_knows_nothing(room: Any) -> None:
    await room.facts("company:acme.example", *FACTS)
    room.principal = type(room.principal)("globex", "tester")
    assert not (await room.recall("company:acme.example"))["found"]
    assert (await room.searcher.search(room.principal, SearchRequest(query="export"))).results == ()
    assert (await room.searcher.list_entities(room.principal, "company", [], 20, None)).entities == ()


@given(tokens=st.integers(min_value=100, max_value=4_000), size=st.integers(min_value=0, max_value=60))
async def test_an_answer_keeps_to_its_budget(room: Any, tokens: int, size: int) -> None:
    entity = f"company:of-{size}.example"
    if size:
        await room.facts(entity, *[f"Pump {number} of hall {number % 7} was inspected." for number in range(size)])
    answer = await room.recall(entity, max_tokens=tokens, limit=100)
    # One fact is always shown, however small the budget: an answer that says nothing helps nobody.
    assert json_tokens(answer) <= max(tokens, 330)


@pytest.mark.parametrize("query", [None, "which pump was said to be loud"])
async def test_a_budget_is_used_whatever_the_facts_are_written_in(room: Any, query: str | None) -> None:
    texts = [f'Pump {number} is "zu laut" für Halle {number}, 三百万 mal.' for number in range(40)]
    await room.facts("company:acme.example", *texts, source='an "e-mail" from Jürgen')
    await room.facts("company:acme.example", *texts[:20], source="another")  # surer by now
    answer = await room.recall("company:acme.example", max_tokens=2_000, limit=100, query=query)
    assert answer["omitted"]["facts"]
    next_fact = max(json_tokens(fact) for fact in answer["facts"])
    assert 2_000 - next_fact - 60 < json_tokens(answer) <= 2_000


async def test_pages_hold_every_fact_once_while_others_write(room: Any) -> None:
    await room.facts("company:acme.example", *[f"Pump {number} stands in hall {number}." for number in range(30)])
    seen: list[str] = []
    cursor: str | None = None
    for turn in range(10):
        answer = await room.recall("company:acme.example", limit=7, cursor=cursor)
        seen += [fact["text"] for fact in answer["facts"]]
        cursor = answer.get("next_cursor")
        if cursor is None:
            break
        await room.facts("company:acme.example", f"Valve {turn} is new in hall {turn}.")
    assert sorted(seen) == sorted(f"Pump {number} stands in hall {number}." for number in range(30))


async def test_a_query_has_a_limit(room: Any) -> None:
    with pytest.raises(InvalidInput, match="^query: .*limit"):
        await room.recall("company:acme.example", query="x" * 4_001)
    with pytest.raises(InvalidInput, match="^query: .*limit"):
        await room.searcher.search(room.principal, SearchRequest(query="x" * 4_001))


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "🙂", "W10", "bm90IGpzb24"])
async def test_a_foreign_cursor_is_refused(room: Any, cursor: str) -> None:
    await room.facts("company:acme.example", *FACTS)
    with pytest.raises(InvalidInput, match="^cursor"):
        await room.recall("company:acme.example", cursor=cursor)


async def test_as_of_answers_what_was_known_then(room: Any) -> None:
    await room.memorize("deal:D-1", properties=[PropertyCandidate("stage", "proposal", 0.9)])
    then = room.clock.now
    await room.memorize("deal:D-1", properties=[PropertyCandidate("stage", "won", 0.9)])
    now = await room.recall("deal:D-1", include=["properties", "history"])
    assert now["properties"][0]["value"] == "closed_won"
    assert [one["value"] for one in now["history"]] == ["closed_won", "proposal"]
    assert (await room.recall("deal:D-1", as_of=then))["properties"][0]["value"] == "proposal"


async def test_sources_quote_where_a_fact_came_from(room: Any) -> None:
    await room.memorize("company:acme.example", content="Acme sells pumps.", source="call 12")
    answer = await room.recall("company:acme.example", include=["facts", "sources"])
    assert answer["sources"][0]["excerpt"] == "Acme sells pumps."
    assert answer["sources"][0]["agent"] == "tester"
    assert answer["facts"][0]["memory_id"] == answer["sources"][0]["memory_id"]


async def test_search_finds_what_another_process_has_just_written(room: Any) -> None:
    await room.facts("company:acme.example", *FACTS)
    await room.other().facts("company:cold.example", "Cold Chain runs refrigerated trucks.")
    found = await room.searcher.search(room.principal, SearchRequest(query="refrigerated trucks", limit=1))
    assert found.results[0].fact.text == "Cold Chain runs refrigerated trucks."


@pytest.mark.parametrize(
    ("op", "value", "found"),
    [
        ("eq", 40, {"b"}),
        ("ne", 40, {"a", "c"}),
        ("gt", 40, {"c"}),
        ("gte", 40, {"b", "c"}),
        ("lt", 40, {"a"}),
        ("lte", 40, {"a", "b"}),
        ("in", [7, 1900], {"a", "c"}),
    ],
)
async def test_entities_are_filtered_by_indexed_properties(room: Any, op: Any, value: Any, found: set[str]) -> None:
    for name, employees in (("a", 7), ("b", 40), ("c", 1900)):
        await room.memorize(f"company:{name}.example", properties=[PropertyCandidate("employees", employees, 0.9)])
    where = [Condition("employees", op, value)]
    listed = await room.searcher.list_entities(room.principal, "company", where, 20, None)
    assert {one.name.split(".")[0] for one in listed.entities} == found


async def test_the_index_follows_a_change(room: Any) -> None:
    for stage in ("proposal", "won"):
        await room.memorize("deal:D-1", properties=[PropertyCandidate("stage", stage, 0.9)])
    for stage, count in (("proposal", 0), ("closed_won", 1)):
        where = [Condition("stage", "eq", stage)]
        listed = await room.searcher.list_entities(room.principal, "deal", where, 20, None)
        assert len(listed.entities) == count


async def test_listing_pages_through_all(room: Any) -> None:
    for number in range(25):
        await room.facts(f"company:c{number}.example", f"Company {number} sells pumps.")
    names: list[str] = []
    cursor: str | None = None
    while True:
        answer = await room.searcher.list_entities(room.principal, "company", [], 10, cursor)
        names += [one.name for one in answer.entities]
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert names == [f"c{number}.example" for number in range(25)]


@pytest.mark.parametrize(
    "where",
    [
        [Condition("colour", "eq", "red")],
        [Condition("website", "eq", "x.example")],
        [Condition("employees", "eq", "many")],
    ],
)
async def test_a_filter_that_cannot_be_answered_says_what_can(room: Any, where: list[Condition]) -> None:
    with pytest.raises(InvalidInput, match="^where"):
        await room.searcher.list_entities(room.principal, "company", where, 20, None)


async def test_observations_of_the_future_past_are_valid_only_when_they_were(room: Any) -> None:
    await room.facts("company:acme.example", FACTS[0], observed_at=datetime(2026, 2, 1, tzinfo=UTC))
    answer = await room.recall("company:acme.example", as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert answer["found"]
    assert answer["facts"] == []


async def test_the_views_used_longest_ago_make_room_for_others(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlayer.memory.entities.views.VIEW_FACTS_MAX", 7)
    words = ("one", "two", "three")
    heads: dict[str, Head] = {}
    for word in words:
        answer = await room.facts(f"company:{word}.example", *(f"{word} sells {what}." for what in ("pumps", "valves")))
        heads[word] = (await room.entities.head("acme", EntityId("company", answer["entity"]["id"]))).head
    views = {word: await room.entities.view("acme", heads[word]) for word in words}
    assert [await room.entities.view("acme", heads[word]) is views[word] for word in words] == [True] * 3  # six facts
    await room.facts("company:three.example", "Hoses are new at three.", "Its tanks come from Porto, three says.")
    kept = await room.entities.view("acme", heads["two"])
    assert kept is views["two"]
    assert await room.entities.view("acme", heads["one"]) is not views["one"]
    assert await room.texts("company:one.example", query="pumps")
