"""What contradicts an older statement takes its place, whatever the order of arrival, and nothing is ever lost."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlayer.language.comparison.judgement import compare
from interlayer.language.comparison.statement import Statement
from interlayer.language.comparison.verdict import Verdict
from interlayer.memory.requests import FactCandidate
from interlayer.models.local import static_vectors

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
SPRING = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_S = 365 * 86_400.0


def says(newer: str, older: str, later_s: float = YEAR_S) -> bool:
    one, other = static_vectors([newer, older])
    own = frozenset({"acm"})
    return compare(Statement.of(newer), Statement.of(older), float(one @ other), later_s, own) is Verdict.REPLACED


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("Acme uses PostgreSQL as its primary database", "Acme uses Oracle as its primary database"),
        ("Their primary database is PostgreSQL", "Their primary database is Oracle"),
        ("Acme migrated its primary database to PostgreSQL", "Acme uses Oracle as its primary database"),
        ("The budget for the project is $540K", "The budget for the project is $450K"),
        ("Acme has 312 employees", "Acme has 280 employees"),
        ("Acme is headquartered in Austin", "Acme is headquartered in San Francisco"),
        ("Sarah works at Initech", "Sarah works at Globex"),
        ("The deal is in the Proposal stage", "The deal is in the Discovery stage"),
        ("The renewal date is 1 May 2027", "The renewal date is 1 March 2027"),
        ("The buyer does not prefer to be called in the morning", "The buyer prefers to be called in the morning"),
        ("Update: Acme has doubled its sales team to 80 people", "Acme has a sales team of about 40 people"),
    ],
)
def test_another_value_of_the_same_attribute_contradicts(newer: str, older: str) -> None:
    assert says(newer, older)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("Ann has a dog", "Ann has a cat"),
        ("They use Jira", "They use Slack"),
        ("The office in Munich has 20 people", "The office in Berlin has 20 people"),
        ("Ann visited Rome in May", "Ann visited Paris in May"),
        ("Ann likes tea", "Ann likes coffee"),
        ("Acme is a customer of Globex", "Acme is a customer of Initech"),
        ("AWS migration facing procurement delays", "AWS migration planned for Q2"),
        ("Anna: That bowl is lovely!", "Anna: That bowl is gorgeous!"),
        ("Acme updated its logo", "Acme has 280 employees"),
        ("No way!", "Way to go!"),
    ],
)
def test_what_can_be_so_beside_the_other_does_not(newer: str, older: str) -> None:
    assert not says(newer, older)


def test_figures_that_come_in_a_row_are_a_list() -> None:
    assert not says("Acme has 312 employees", "Acme has 280 employees", later_s=5)


async def test_a_newer_statement_supersedes_an_older_one(room: Any) -> None:
    first = await room.facts(ACME, "Acme uses Oracle as its primary database.", observed_at=SPRING)
    later = await room.facts(ACME, "Acme uses PostgreSQL as its primary database.")
    assert later["facts"][0]["outcome"] == "superseded_older"
    assert later["facts"][0]["supersedes"] == first["facts"][0]["fact_id"]
    assert await room.texts(ACME) == ["Acme uses PostgreSQL as its primary database."]
    told = await room.recall(ACME, include=["facts", "history"])
    assert {fact["text"]: fact["status"] for fact in told["facts"]} == {
        "Acme uses Oracle as its primary database.": "superseded",
        "Acme uses PostgreSQL as its primary database.": "current",
    }


async def test_an_older_statement_that_comes_late_goes_into_history(room: Any) -> None:
    current = await room.facts(ACME, "Acme uses PostgreSQL as its primary database.")
    late = await room.facts(ACME, "Acme uses Oracle as its primary database.", observed_at=SPRING)
    assert late["facts"][0]["outcome"] == "added"
    assert current["facts"][0]["fact_id"] in late["facts"][0]["reason"]
    assert await room.texts(ACME) == ["Acme uses PostgreSQL as its primary database."]


async def test_what_is_said_again_later_is_current_again(room: Any) -> None:
    for text, day in (("Oracle", 0), ("PostgreSQL", 10), ("Oracle", 20)):
        await room.facts(
            ACME,
            f"Acme uses {text} as its primary database.",
            observed_at=SPRING + timedelta(days=day),
            source=f"{day}",
        )
    assert await room.texts(ACME) == ["Acme uses Oracle as its primary database."]


async def test_forgetting_what_superseded_makes_the_older_one_current(room: Any) -> None:
    await room.facts(ACME, "Acme uses Oracle as its primary database.", observed_at=SPRING)
    later = await room.facts(ACME, "Acme uses PostgreSQL as its primary database.")
    await room.forgetter.forget(room.principal, "wrong", memory_id=later["memory_id"])
    assert await room.texts(ACME) == ["Acme uses Oracle as its primary database."]


async def test_the_past_shows_what_was_current_then(room: Any) -> None:
    await room.facts(ACME, "Acme uses Oracle as its primary database.")
    then = room.clock()
    await room.facts(ACME, "Acme uses PostgreSQL as its primary database.")
    assert await room.texts(ACME, as_of=then) == ["Acme uses Oracle as its primary database."]


async def test_a_search_finds_what_is_current(room: Any) -> None:
    await room.facts(ACME, "Acme uses Oracle as its primary database.", observed_at=SPRING)
    await room.facts(ACME, "Acme uses PostgreSQL as its primary database.")
    found = await room.search("primary database")
    assert [one["fact"]["text"] for one in found["results"]] == ["Acme uses PostgreSQL as its primary database."]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_order_of_arrival_does_not_matter(room: Any, order: tuple[int, ...]) -> None:
    cities = ("Oslo", "Rome", "Lima")
    for number in order:
        at = SPRING + timedelta(days=30 * number)
        await room.facts(ACME, f"Acme is headquartered in {cities[number]}.", observed_at=at)
    assert await room.texts(ACME) == ["Acme is headquartered in Lima."]
    assert len(await room.texts(ACME, include=["facts", "history"])) == 3


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    said=st.lists(
        st.tuples(st.sampled_from(["Oslo", "Rome", "Lima", "Kyiv"]), st.integers(0, 9)), min_size=1, max_size=8
    )
)
async def test_the_current_value_is_one_that_was_observed_last(room: Any, said: list[tuple[str, int]]) -> None:
    entity = f"company:{room.clock().timestamp():.0f}.example"
    for city, day in said:
        await room.facts(
            entity, f"Acme is headquartered in {city}.", observed_at=SPRING + timedelta(days=day), source=f"{city}{day}"
        )
    last = max(day for _, day in said)
    shown = await room.texts(entity)
    assert shown
    assert {f"Acme is headquartered in {city}." for city, day in said if day == last} >= set(shown)
    everything = await room.texts(entity, include=["facts", "history"])
    assert set(everything) == {f"Acme is headquartered in {city}." for city, _ in said}


async def test_what_is_outdated_in_a_part_is_shown_behind_what_replaces_it_and_not_as_current(room: Any) -> None:
    whole = "They have 90 ferries on the Gale plan at €19 per ferry and look at the Storm plan."
    await room.memorize(ACME, facts=[FactCandidate(whole, 0.9)], observed_at=SPRING)
    await room.memorize(
        ACME, facts=[FactCandidate("They have 75 ferries, not 90.", 0.9)], observed_at=SPRING + timedelta(days=30)
    )
    newer, older = (await room.recall(ACME, query="How many ferries do they have?"))["facts"]
    assert (newer["text"], newer["status"]) == ("They have 75 ferries, not 90.", "current")
    assert (older["text"], older["status"], older["newer"]) == (whole, "superseded", newer["fact_id"])


async def test_what_took_a_facts_place_answers_what_that_one_was_asked_for(room: Any) -> None:
    told = ["The crews write on paper only.", "Acme is a member of the guild.", "The crews meet every Tuesday."]
    await room.memorize(ACME, facts=[FactCandidate(text, 0.9) for text in told], observed_at=SPRING)
    newer = "Ten have slates by now, so paper only is no longer true."
    await room.memorize(ACME, facts=[FactCandidate(newer, 0.9)], observed_at=SPRING + timedelta(days=30))
    best, *_ = (await room.recall(ACME, query="What do the crews write on?"))["facts"]
    assert best["text"] == newer
