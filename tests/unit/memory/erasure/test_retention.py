"""Retention: what was kept long enough is in no answer at once, and in no file after the sweep."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.answers import as_json
from interlayer.errors import InvalidInput
from interlayer.memory.recall.answer import TypedProperties
from interlayer.memory.requests import Condition, PropertyCandidate, RelationCandidate, SearchRequest
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.schema import Schema, parse_schema, starter_schema

pytestmark = pytest.mark.anyio

ANN = "contact:ann@acme.example"


def keeping(**durations: str) -> Schema:
    schema = starter_schema()
    kept = {name: schema.entities[name].model_copy(update={"retention": one}) for name, one in durations.items()}
    return schema.model_copy(update={"entities": {**schema.entities, **kept}})


@pytest.fixture
async def kept(room: Any) -> AsyncGenerator[Any]:
    """Return a room whose contacts are kept for 90 days."""
    room.schema = keeping(contact="90d")
    made = room.other()
    yield made
    await made.store.close()


def located(place: str) -> list[PropertyCandidate]:
    return [PropertyCandidate("location", place, 0.9)]


async def found_by(room: Any, query: str, **more: Any) -> list[str]:
    answer = await room.searcher.search(room.principal, SearchRequest(query=query, **more))
    return [one.fact.text for one in answer.results]


async def listed(room: Any, *where: Condition) -> list[Any]:
    answer = await room.searcher.list_entities(room.principal, "contact", list(where), 20, None)
    return [(one.name, one.properties) for one in answer.entities]


@pytest.mark.parametrize(
    ("now", "duration", "expected"),
    [
        ("2026-03-31", "90d", "2025-12-31"),
        ("2026-03-31", "2w", "2026-03-17"),
        ("2026-03-31", "1m", "2026-02-28"),
        ("2024-02-29", "1y", "2023-02-28"),
        ("2026-01-15", "24m", "2024-01-15"),
        ("2026-01-15", "9999y", "0001-01-01"),
    ],
)
def test_durations_follow_the_calendar(now: str, duration: str, expected: str) -> None:
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert before(instant, duration).date().isoformat() == expected


@pytest.mark.parametrize("duration", ["", "0d", "90", "d", "-1d", "1.5y", "90 d", "90d ", "7Y", "99999d", 120])
def test_what_is_no_duration_stops_the_start(duration: object) -> None:
    with pytest.raises(InvalidInput, match=r"entities\.person\.retention"):
        parse_schema(f"entities: {{person: {{retention: {duration!r}}}}}", "file")


async def test_no_answer_shows_what_was_kept_long_enough(kept: Any) -> None:
    await kept.memorize(ANN, properties=located("Oslo"), content="Ann rides turquoise submarines.", name="Ann Lee")
    kept.clock.now += timedelta(days=60)
    await kept.memorize(ANN, properties=[PropertyCandidate("job_title", "pilot", 0.9)], content="Ann likes tea.")
    assert len(await kept.texts(ANN)) == 2
    kept.clock.now += timedelta(days=40)
    for one in (kept, kept.other()):
        answer = await one.recall(ANN, include=("properties", "facts", "sources", "history"))
        assert [fact["text"] for fact in answer["facts"]] == ["Ann likes tea."]
        assert "Oslo" not in str(answer)
        assert "turquoise" not in str(answer)
        past = await one.recall(ANN, as_of=one.clock.now - timedelta(days=50), query="submarines")
        assert past["facts"] == []
        assert await found_by(one, "turquoise submarines") == ["Ann likes tea."]
        assert await listed(one) == [("Ann Lee", {"job_title": "pilot"})]
        assert await listed(one, Condition("location", "eq", "Oslo")) == []
        assert await listed(one, Condition("job_title", "contains", "pil")) == [("Ann Lee", {"job_title": "pilot"})]
        assert await found_by(one, "tea", entity_type="contact", where=[Condition("location", "ne", "Rome")]) == []
        assert (await one.recaller.properties(one.principal, ANN)).values == {"job_title": "pilot"}


async def test_an_entity_with_nothing_left_is_not_known_any_more(kept: Any) -> None:
    await kept.memorize(
        ANN,
        properties=located("Oslo"),
        content="Ann likes tea.",
        name="Ann Lee",
        relations=[RelationCandidate("works_at", "company:Acme")],
    )
    assert (await kept.recall("company:Acme"))["relations"]
    kept.clock.now += timedelta(days=91)
    for one in (kept, kept.other()):
        assert not (await one.recall(ANN))["found"]
        assert (await one.recall("contact:Ann Le"))["near"] == []
        assert await listed(one) == []
        assert await found_by(one, "tea") == []
        assert (await one.recall("company:Acme"))["relations"] == []
        assert await one.recaller.properties(one.principal, ANN) == TypedProperties(
            type="contact", values={}, voices={}
        )
    assert (await kept.expirer.expire(kept.principal))["entities"] == 1
    answer = await kept.facts(ANN, "Ann likes tea.")
    assert answer["entity"]["created"]


@pytest.mark.on_disk
async def test_the_sweep_erases_for_good_and_says_so_without_content(kept: Any) -> None:
    await kept.memorize(ANN, content="Ann rides turquoise submarines.", source="mauve note", idempotency_key="crimson")
    await kept.facts("company:acme.example", "Acme paints turquoise gates.")
    kept.clock.now += timedelta(days=60)
    await kept.facts(ANN, "Ann likes tea.")
    kept.clock.now += timedelta(days=40)
    planned = await kept.expirer.expire(kept.principal, dry_run=True)
    assert planned == {"entities": 0, "memories": 1, "facts": 1}
    assert b"submarines" in kept.place.raw()
    assert await kept.expirer.expire(kept.principal) == planned
    assert await kept.expirer.expire(kept.principal) == {"entities": 0, "memories": 0, "facts": 0}
    for word in (b"submarines", b"mauve", b"crimson"):
        assert word not in kept.place.raw()
    event = (await kept.trail.tail("acme", 1))[0].body
    assert (event["type"], event["detail"]["retention"]) == ("memory.expired", "90d")
    assert event["detail"]["counts"]["memories"] == 1
    assert await kept.other().texts(ANN) == ["Ann likes tea."]
    assert await kept.texts("company:acme.example") == ["Acme paints turquoise gates."]


async def test_what_a_younger_memory_says_too_goes_on_in_its_words(kept: Any) -> None:
    await kept.facts(ANN, "Ann likes green tea.")
    kept.clock.now += timedelta(days=60)
    second = await kept.facts(ANN, "ANN likes green tea!", source="another call")
    kept.clock.now += timedelta(days=40)
    hidden = await kept.recall(ANN)
    await kept.expirer.expire(kept.principal)
    swept = await kept.other().recall(ANN)
    for answer in (hidden, swept):
        assert [fact["text"] for fact in answer["facts"]] == ["ANN likes green tea!"]
        assert answer["facts"][0]["memory_id"] == second["memory_id"]
    assert hidden["facts"][0]["fact_id"] == swept["facts"][0]["fact_id"]
    assert await found_by(kept.other(), "green tea") == ["ANN likes green tea!"]


async def test_a_relation_whose_first_statement_is_hidden_can_be_stated_again(kept: Any) -> None:
    works = [RelationCandidate("works_at", "company:acme.example")]
    await kept.memorize(ANN, relations=works)
    kept.clock.now += timedelta(days=91)
    again = await kept.memorize(ANN, relations=works)
    await kept.expirer.expire(kept.principal)
    answer = await kept.other().recall("company:acme.example")
    assert [one["memory_id"] for one in answer["relations"]] == [again["memory_id"]]


@pytest.mark.on_disk
async def test_a_target_that_nothing_was_said_of_goes_with_the_last_relation(kept: Any) -> None:
    await kept.memorize("company:Acme", relations=[RelationCandidate("hosts", "contact:Zebulon")])
    kept.clock.now += timedelta(days=91)
    assert (await kept.expirer.expire(kept.principal))["entities"] == 0
    await kept.forgetter.forget(kept.principal, "request", entity="company:Acme")
    assert (await kept.expirer.expire(kept.principal))["entities"] == 1
    assert b"Zebulon" not in kept.place.raw()


@pytest.mark.on_disk
async def test_very_many_memories_expire_in_portions(kept: Any) -> None:
    for number in range(120):
        await kept.memorize(ANN, content=f"Ann saw pump {number} in hall {number}.", idempotency_key=str(number))
    kept.clock.now += timedelta(days=60)
    await kept.facts(ANN, "Ann likes tea.")
    kept.clock.now += timedelta(days=40)
    assert (await kept.expirer.expire(kept.principal))["memories"] == 120
    assert await kept.other().texts(ANN) == ["Ann likes tea."]
    assert b"hall 77" not in kept.place.raw()


async def test_without_retention_everything_is_kept(room: Any) -> None:
    await room.facts(ANN, "Ann likes tea.")
    room.clock.now += timedelta(days=40_000)
    assert await room.expirer.expire(room.principal) == {"entities": 0, "memories": 0, "facts": 0}
    assert await room.texts(ANN) == ["Ann likes tea."]


CALLS = st.lists(
    st.tuples(
        st.integers(0, 50),  # days before the call
        st.lists(st.sampled_from(["Ann likes tea.", "Ann has nine gates.", "ANN LIKES TEA"]), min_size=1, max_size=2),
        st.sampled_from(["Oslo", "Rome", ""]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.timeout(180)
@settings(max_examples=10)
@given(calls=CALLS)
async def test_the_sweep_changes_no_answer(kept: Any, calls: list[Any]) -> None:
    principal = kept.principal = type(kept.principal)(f"org{kept.clock.now.timestamp():.0f}", "tester")
    for days, facts, place, related in calls:
        kept.clock.now += timedelta(days=days)
        more: dict[str, Any] = {"relations": [RelationCandidate("works_at", "company:Acme")]} if related else {}
        await kept.facts(ANN, *facts, properties=located(place) if place else (), source=f"day {days}", **more)

    async def answers(room: Any) -> list[Any]:
        shown = [
            await room.recall(name, include=("properties", "facts", "relations")) for name in (ANN, "company:Acme")
        ]
        for answer in shown:
            answer.pop("revision", None)
            answer.get("entity", {}).pop("updated_at", None)
        wheres = [[], [Condition("location", "eq", "Oslo")], [Condition("location", "gt", "P")]]
        lists = [as_json(await room.searcher.list_entities(principal, "contact", where, 9, None)) for where in wheres]
        for answer in lists:
            for one in answer["entities"]:
                one.pop("updated_at")
        return [*shown, *lists]

    hidden = await answers(kept)
    fresh = kept.other()
    fresh.principal = principal
    assert await answers(fresh) == hidden
    await fresh.expirer.expire(principal)
    assert await answers(fresh) == hidden
    assert await answers(kept) == hidden
    await fresh.store.close()
