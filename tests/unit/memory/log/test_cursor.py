"""Walks over pages while others write: everything that was there and stays is shown once, and nothing twice."""

import itertools
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.errors import InvalidInput
from interlayer.memory.requests import Condition, PropertyCandidate
from interlayer.text.budget import json_tokens

pytestmark = pytest.mark.anyio

PARTS = ["pump", "valve", "seal", "rotor", "flange", "gasket"]
ORGANIZATIONS = itertools.count()
Ask = Callable[[str | None], Awaitable[dict[str, Any]]]


def statement(number: int) -> str:
    return f"The {PARTS[number % len(PARTS)]} with number {number} stands in hall {number // 3}."


async def pages(ask: Ask) -> AsyncGenerator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        answer = await ask(cursor)
        yield answer
        cursor = answer.get("next_cursor")
        if cursor is None:
            return


def ids(answer: dict[str, Any]) -> list[str]:
    facts = answer["facts"] if "facts" in answer else [result["fact"] for result in answer["results"]]
    return [fact["fact_id"] for fact in facts]


class Others:
    """What other agents do between two pages."""

    def __init__(self, room: Any, entities: list[str], chance: random.Random) -> None:
        self.room, self.entities, self.chance = room, entities, chance
        self.stated: dict[str, tuple[str, str]] = {}
        self.count = 0

    async def state(self) -> None:
        """Say something new."""
        entity = self.entities[self.count % len(self.entities)]
        text = statement(self.count)
        made = await self.room.facts(entity, text, source=f"call {self.count % 4}")
        self.stated[made["facts"][0]["fact_id"]] = (entity, text)
        self.count += 1

    async def repeat(self) -> None:
        """Say something again, from another source: it is surer and newer than it was."""
        if self.stated:
            entity, text = self.stated[self.chance.choice(sorted(self.stated))]
            await self.room.facts(entity, text, source="somebody else")

    async def forget(self) -> None:
        """Take something back."""
        if self.stated:
            gone = self.chance.choice(sorted(self.stated))
            del self.stated[gone]
            await self.room.forgetter.forget(self.room.principal, "asked to", fact_id=gone)

    async def do(self) -> None:
        await self.chance.choice([self.state, self.repeat, self.forget])()


@pytest.mark.parametrize("how", ["recall", "query", "search"])
@settings(max_examples=12)
@given(there=st.integers(5, 50), limit=st.integers(1, 20), entities=st.integers(1, 3), seed=st.integers(0, 2**32))
async def test_a_walk_is_right_while_others_write_confirm_and_forget(
    room: Any, how: str, there: int, limit: int, entities: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    room.principal = type(room.principal)(f"org-{next(ORGANIZATIONS)}", "tester")
    names = [f"company:{number}.example" for number in range(entities if how == "search" else 1)]
    others = Others(room, names, chance)
    for _ in range(there):
        await others.state()
    before = set(others.stated)

    async def ask(cursor: str | None) -> dict[str, Any]:
        if how == "search":
            answer: dict[str, Any] = await room.search("pump number", limit=limit, cursor=cursor)
        else:
            query = "which pump stands where" if how == "query" else None
            answer = await room.recall(names[0], query=query, limit=limit, cursor=cursor)
        return answer

    shown: list[str] = []
    async for answer in pages(ask):
        shown += ids(answer)
        if len(shown) < 80:  # a search shows what is new as well, so it ends when no more comes
            await others.do()
    assert len(shown) == len(set(shown))
    assert before & set(others.stated) <= set(shown)
    assert how == "search" or set(shown) <= before


async def test_a_page_after_a_hundred_has_the_rest_of_a_search(room: Any) -> None:
    await room.facts("company:acme.example", *[statement(number) for number in range(260)])
    shown = [one async for answer in pages(lambda c: room.search("number", limit=60, cursor=c)) for one in ids(answer)]
    assert len(shown) == len(set(shown)) == 260


async def test_a_filter_that_few_meet_finds_them_among_many(room: Any) -> None:
    for number in range(3):
        await room.memorize(
            f"company:rare{number}.example",
            content=f"Spare part {number} is late.",
            properties=[PropertyCandidate("employees", 7, 0.9)],
        )
    for number in range(6):
        await room.facts(
            f"company:many{number}.example", *[f"The pump {number} {n} needs a spare part now." for n in range(60)]
        )
    where = [Condition("employees", "eq", 7)]
    found = await room.search("pump spare part", entity_type="company", where=where, limit=10)
    assert {result["entity"]["name"] for result in found["results"]} == {f"rare{n}.example" for n in range(3)}
    assert "next_cursor" not in found


async def test_a_filter_finds_what_stands_in_a_merged_entity(room: Any) -> None:
    await room.memorize("company:a.example", properties=[PropertyCandidate("employees", 7, 0.9)])
    await room.facts("company:b.example", "The spare part is late.")
    await room.merger.merge(room.principal, "company:a.example", "company:b.example", "the same")
    where = [Condition("employees", "eq", 7)]
    found = await room.search("spare part", entity_type="company", where=where)
    assert [result["fact"]["text"] for result in found["results"]] == ["The spare part is late."]


async def test_superseded_facts_hide_none_that_are_in_force(room: Any) -> None:
    for year in range(130):
        await room.facts("company:acme.example", f"The headquarters is in Town{year}.", source=f"report {year}")
    await room.facts("company:globex.example", "Globex sells maps of headquarters.")
    found = await room.search("headquarters in which town", limit=5)
    names = {result["entity"]["name"] for result in found["results"]}
    assert names == {"acme.example", "globex.example"}


async def test_a_cursor_continues_only_its_own_question(room: Any) -> None:
    await room.facts("company:acme.example", *[statement(number) for number in range(20)])
    cursor = (await room.search("pump", limit=2))["next_cursor"]
    with pytest.raises(InvalidInput, match="another query"):
        await room.search("valve", limit=2, cursor=cursor)
    cursor = (await room.recall("company:acme.example", limit=2))["next_cursor"]
    with pytest.raises(InvalidInput, match="another query"):
        await room.recall("company:acme.example", query="pump", cursor=cursor)


@given(tokens=st.integers(100, 2_000))
async def test_every_page_keeps_to_its_budget(room: Any, tokens: int) -> None:
    await room.facts("company:acme.example", *[statement(number) for number in range(40)])
    walk = pages(lambda c: room.search("number", limit=40, max_tokens=tokens, cursor=c))
    sizes = [(json_tokens(answer), len(answer["results"])) async for answer in walk]
    assert all(size <= tokens or count == 1 for size, count in sizes)
