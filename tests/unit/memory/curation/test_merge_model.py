"""Random histories of a few entities that are merged, split, written to and forgotten, compared with plain sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.memory.requests import FactCandidate, PropertyCandidate

pytestmark = pytest.mark.anyio

TEXTS = (
    "Acme sells pumps.",
    "The warehouse stands in Oslo.",
    "Twelve trucks carry the freight.",
    "Maria prefers letters over calls.",
)
ENTITIES = 3
ORGANIZATIONS = count()
NUMBERS = st.integers(0, ENTITIES - 1)
STEPS = st.one_of(
    st.tuples(st.just("memorize"), NUMBERS, st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.just("memorize"), NUMBERS, st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.just("observe"), NUMBERS, st.integers(0, 300)),
    st.tuples(st.just("replace"), NUMBERS, st.integers(0, len(TEXTS) ** 2 - 1)),
    st.tuples(st.just("end"), NUMBERS, st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.just("merge"), NUMBERS, NUMBERS),
    st.tuples(st.just("merge"), NUMBERS, NUMBERS),
    st.tuples(st.just("split"), NUMBERS, st.just(0)),
    st.tuples(st.just("split"), NUMBERS, st.just(0)),
    st.tuples(st.just("forget fact"), NUMBERS, st.integers(0, 9)),
    st.tuples(st.just("forget memory"), NUMBERS, st.integers(0, 9)),
    st.tuples(st.just("forget entity"), NUMBERS, st.just(0)),
)


@dataclass
class Node:
    """What one entity was told itself, and what it is part of."""

    said: dict[str, str] = field(default_factory=dict[str, str])  # text by memory
    observed: dict[str, tuple[datetime, int]] = field(default_factory=dict[str, tuple[datetime, int]])
    ref: str = ""
    parent: int | None = None
    before: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])  # answers before the merge


class World:
    """The model beside the real thing; two processes take turns."""

    def __init__(self, room: Any) -> None:
        self.rooms = [room, room.other()]
        self.fresh = room.other()
        principal = type(room.principal)(f"org{next(ORGANIZATIONS)}", "tester")
        for one in (*self.rooms, self.fresh):
            one.principal = principal
        self.nodes = [Node() for _ in range(ENTITIES)]
        self.turn = 0
        self.values = count(1)
        self.snapshots: list[tuple[datetime, str, set[str]]] = []
        self.all_current = True  # nothing was said to be replaced or over

    @property
    def room(self) -> Any:
        self.turn += 1
        return self.rooms[self.turn % 2]

    def root(self, number: int) -> int:
        while (parent := self.nodes[number].parent) is not None:
            number = parent
        return number

    def tree(self, number: int) -> list[Node]:
        return [node for place, node in enumerate(self.nodes) if self.root(place) == self.root(number)]

    def texts(self, number: int) -> set[str]:
        return {text for node in self.tree(number) for text in node.said.values()}

    def changed(self, number: int) -> None:
        for node in self.tree(number):
            node.before.clear()

    async def answer(self, number: int) -> dict[str, Any]:
        answer = await self.room.recall(name(number), include=["facts", "properties", "relations", "history"], limit=50)
        del answer["revision"]
        return dict(answer)

    async def do(self, what: str, number: int, other: int) -> None:
        known = bool(self.nodes[self.root(number)].ref)
        match what:
            case "memorize" | "replace" | "end":
                await self.say(what, number, other)
            case "observe":
                await self.observe(number, other)
            case "merge" if known and self.nodes[self.root(other)].ref and self.root(number) != self.root(other):
                await self.merge(self.root(number), self.root(other))
            case "split" if self.nodes[number].parent is not None:
                await self.split(number)
            case "forget fact" | "forget memory" if known:
                await self.forget(what, number, other)
            case "forget entity" if known:
                await self.room.forgetter.forget(self.rooms[0].principal, "request", entity=name(number))
                for node in self.tree(number):
                    self.nodes[self.nodes.index(node)] = Node()
                self.snapshots.clear()
            case _:
                pass

    async def say(self, what: str, number: int, other: int) -> None:
        match what:
            case "replace" if self.nodes[self.root(number)].ref:
                await self.replace(number, *divmod(other, len(TEXTS)))
            case "end":
                self.all_current = False
                await self.memorize(number, TEXTS[other], ended=True)
            case _:
                await self.memorize(number, TEXTS[other % len(TEXTS)])

    async def replace(self, number: int, new: int, old: int) -> None:
        """Say something that is to take the place of a known fact."""
        facts = (await self.room.recall(name(number), include=["facts", "history"], limit=50))["facts"]
        known = next((fact["fact_id"] for fact in facts if fact["text"] == TEXTS[old]), None)
        if known and new != old:
            self.all_current = False
            await self.memorize(number, TEXTS[new], replaces=known)

    async def memorize(self, number: int, text: str, **said: Any) -> None:
        self.changed(number)
        fact = FactCandidate(text, 0.9, **said)
        answer = await self.room.memorize(name(number), facts=[fact], source=f"call {self.turn % 3}")
        node = self.nodes[self.root(number)]
        node.said[answer["memory_id"]] = text
        assert node.ref in ("", answer["entity"]["ref"])
        node.ref = answer["entity"]["ref"]

    async def observe(self, number: int, day: int) -> None:
        self.changed(number)
        value = next(self.values)
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=value)
        given_value = [PropertyCandidate("employees", value, 0.9)]
        answer = await self.room.memorize(name(number), properties=given_value, observed_at=at)
        node = self.nodes[self.root(number)]
        node.observed[answer["memory_id"]] = (at, value)
        node.ref = answer["entity"]["ref"]

    async def merge(self, one: int, other: int) -> None:
        before = {place: await self.answer(place) for place in (one, other)}
        await self.room.merger.merge(self.rooms[0].principal, name(one), name(other), "same firm")
        for node in self.tree(one):  # what is around this merge is not as it was any more
            node.before.clear()
        self.nodes[other].parent = one
        self.nodes[other].before = before

    async def split(self, number: int) -> None:
        node = self.nodes[number]
        parent = node.parent
        assert parent is not None
        if self.nodes[parent].parent is not None:
            return
        await self.room.merger.split(self.rooms[0].principal, name(parent), node.ref, "two firms")
        before, node.parent, node.before = node.before, None, {}
        for place, answer in before.items():
            assert await self.answer(place) == answer
        for one in self.tree(parent):
            one.before.clear()

    async def forget(self, what: str, number: int, choice: int) -> None:
        facts = (await self.room.recall(name(number), limit=50))["facts"]
        memories = [memory for node in self.tree(number) for memory in (*node.said, *node.observed)]
        if not facts or not memories:
            return
        self.changed(number)
        self.snapshots.clear()
        if what == "forget fact":
            fact = facts[choice % len(facts)]
            await self.room.forgetter.forget(self.rooms[0].principal, "request", fact_id=fact["fact_id"])
            for node in self.tree(number):
                node.said = {memory: text for memory, text in node.said.items() if text != fact["text"]}
            return
        memory = memories[choice % len(memories)]
        await self.room.forgetter.forget(self.rooms[0].principal, "request", memory_id=memory)
        for node in self.tree(number):
            node.said.pop(memory, None)
            node.observed.pop(memory, None)

    async def check(self, where: Any) -> None:
        for number in range(ENTITIES):
            root = self.nodes[self.root(number)]
            answer = await where.recall(name(number), limit=50, include=["facts", "properties", "history"])
            assert answer["found"] == bool(root.ref)
            if not answer["found"]:
                continue
            assert answer["entity"]["ref"] == root.ref
            shown = [fact["text"] for fact in answer["facts"]]
            assert len(shown) == len(set(shown))
            assert set(shown) == self.texts(number)
            current = await where.texts(name(number), limit=50)
            assert set(current) == {fact["text"] for fact in answer["facts"] if fact["status"] == "current"}
            assert not self.all_current or set(current) == set(shown)
            seen = [one for node in self.tree(number) for one in node.observed.values()]
            values = {one["value"] for one in answer["properties"]}
            assert values == ({max(seen)[1]} if seen else set())
            assert (await where.recaller.properties(where.principal, name(number))).values.get("employees") in (
                values or {None}
            )

    async def check_past(self, where: Any) -> None:
        roots = {node.ref for node in self.nodes if node.parent is None}
        for at, ref, texts in self.snapshots:
            if ref in roots:
                assert {fact["text"] for fact in (await where.recall(ref, limit=50, as_of=at))["facts"]} == texts


def name(number: int) -> str:
    return f"company:e{number}.example"


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=12, max_size=30))
async def test_no_fact_is_lost_or_shown_with_another_entity(room: Any, steps: Sequence[tuple[str, int, int]]) -> None:
    world = World(room)
    for number in range(ENTITIES):
        await world.memorize(number, TEXTS[number])
    for what, number, other in steps:
        await world.do(what, number, other)
        await world.check(world.room)
        for place, node in enumerate(world.nodes):
            if node.ref and node.parent is None and world.texts(place):
                world.snapshots.append((room.clock.now, node.ref, world.texts(place)))
    await world.check(world.fresh)
    await world.check_past(world.fresh)
    organization = world.fresh.principal.organization
    made = await world.fresh.rebuild(organization=organization)
    assert (made.added, made.removed) == (0, 0)
    for text in TEXTS:
        found = (await world.fresh.search(text, limit=20))["results"]
        holders = {one["entity"]["ref"] for one in found if one["fact"]["text"] == text}
        told = {
            node.ref for place, node in enumerate(world.nodes) if node.parent is None and text in world.texts(place)
        }
        assert holders <= told
        assert holders == told or not world.all_current
