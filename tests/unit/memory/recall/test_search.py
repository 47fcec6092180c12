"""search_memory finds by entity and words together, and `also` helps to find without leaving anything out."""

from typing import Any

import pytest

from interlayer.errors import InvalidInput
from interlayer.memory.requests import Condition, PropertyCandidate, SearchRequest

pytestmark = pytest.mark.anyio

ENDINGS = ["Grid", "Water", "Labs", "Freight", "Foods", "Optics"]
BEGINNINGS = ["Ostara", "Velmora", "Kestrin", "Dunmere", "Halvik", "Torwick", "Ostarra", "Velmore"]
COMPANIES = [f"{beginning} {ending}" for beginning in BEGINNINGS for ending in ENDINGS]


async def look_alikes(room: Any) -> None:
    """Tell of many companies with names and facts that are nearly the same; half of the facts have no name in them."""
    for number, company in enumerate(COMPANIES):
        who = "The company" if number % 2 else company
        await room.facts(
            f"company:c{number}.example",
            f"{who} has a budget of {number + 100},000 euros.",
            f"{who} pays its invoices within {number + 10} days.",
            f"{who} moved its archive to hall {number}.",
            name=company,
        )


async def search(room: Any, query: str, **more: Any) -> list[tuple[str, str]]:
    """Return whom and what a search finds, best first."""
    found = await room.searcher.search(room.principal, SearchRequest(query=query, **more))
    return [(one.entity.name, one.fact.text) for one in found.results]


@pytest.mark.timeout(120)
async def test_the_fact_of_whom_the_query_names_comes_first(room: Any) -> None:
    await look_alikes(room)
    for number, company in list(enumerate(COMPANIES))[::7]:
        name, text = (await search(room, f"What is the budget of {company}?"))[0]
        assert (name, f"{number + 100},000" in text) == (company, True)
        name, text = (await search(room, f"when does {company.lower()} pay"))[0]
        assert (name, f"{number + 10} days" in text) == (company, True)
        name, text = (await search(room, f"Where is the archive of c{number}.example?"))[0]
        assert (name, f"hall {number}." in text) == (company, True)


async def test_who_is_named_keeps_what_is_said_of_him_elsewhere(room: Any) -> None:
    await room.facts("company:shop.example", "The plugin costs 20 euros a month.", name="Shopforge")
    await room.facts("company:orbit.example", "They move their online store to Shopforge in May.", name="Orbit Retail")
    assert (await search(room, "Which customer moves its online store to Shopforge?"))[0][0] == "Orbit Retail"


async def test_a_name_in_the_query_lifts_no_filter(room: Any) -> None:
    vip = PropertyCandidate("industry", "shipping", 0.9)
    await room.facts("company:ostara.example", "The budget is 100 euros.", name="Ostara Grid")
    await room.facts("company:velmora.example", "The budget is 200 euros.", name="Velmora Grid", properties=[vip])
    await room.facts("contact:ann@ostara.example", "Her budget is 300 euros.", name="Ann Lee")
    query = "What is the budget of Ostara Grid?"
    assert {name for name, _ in await search(room, query, entity_type="contact")} == {"Ann Lee"}
    where = [Condition("industry", "eq", "shipping")]
    assert {name for name, _ in await search(room, query, entity_type="company", where=where)} == {"Velmora Grid"}
    room.principal = type(room.principal)("globex", "tester")
    assert await search(room, query) == []


async def test_expected_words_help_to_find_and_leave_nothing_out(room: Any) -> None:
    texts = (
        "The lorries leave at six.",
        "Ostara signed a framework agreement.",
        "Physio sessions twice a week since the fall.",
        "The canteen has new chairs.",
    )
    await room.facts("company:ostara.example", *texts)
    query = "What is being done about the accident?"
    assert (await search(room, query, also=["physio", "injury"]))[0][1] == texts[2]
    found = await room.texts("company:ostara.example", query=query, also=["physio", "injury"])
    assert found[0] == texts[2]
    assert set(found) >= set(await room.texts("company:ostara.example", query=query))


@pytest.mark.parametrize(
    ("also", "named"),
    [(["x"] * 11, "also: 11 phrases"), (["fine", "x" * 101], r"also\.1: "), (["\ud800"], r"also\.0: ")],
)
async def test_expected_words_are_few_and_short(room: Any, also: list[str], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{named}"):
        await search(room, "budget", also=also)
    with pytest.raises(InvalidInput, match=f"^{named}"):
        await room.recall("company:acme.example", query="budget", also=also)
