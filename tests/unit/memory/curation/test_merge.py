"""Two entities that are one: merged in one step, nothing lost, taken back exactly, whoever writes meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlayer.errors import InvalidInput, NotFound, Refused, Unavailable
from interlayer.memory.curation import merge
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.requests import PARTS, Condition, FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.storage.items import Operation

pytestmark = pytest.mark.anyio

ACME, GLOBEX = "company:acme.example", "company:globex.example"
SPRING = datetime(2026, 1, 1, tzinfo=UTC)


def industry(value: str) -> list[PropertyCandidate]:
    return [PropertyCandidate("industry", value, 0.9)]


async def both(room: Any) -> tuple[str, str]:
    one = await room.facts(ACME, "Acme sells pumps.", name="Acme", properties=industry("pumps"), observed_at=SPRING)
    other = await room.facts(
        GLOBEX,
        "Globex sells valves.",
        "Acme sells pumps.",
        name="Globex",
        properties=industry("valves"),
        identifiers={"crm_id": "G-1"},
        relations=[RelationCandidate("supplies", "company:initech.example")],
        source="call 2",
    )
    return one["entity"]["ref"], other["entity"]["ref"]


async def told(room: Any, entity: str) -> dict[str, Any]:
    answer = await room.recall(entity, include=PARTS, max_tokens=8_000)
    answer.pop("revision", None)
    return answer


async def test_a_merged_entity_is_known_under_every_name_and_repeats_nothing(room: Any) -> None:
    one, other = await both(room)
    done = await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    assert (done.kept, done.merged, done.repeated) == (one, other, 1)
    for name in (ACME, GLOBEX, one, other, "company:Globex", "company:G-1"):
        answer = await told(room, name)
        assert answer["entity"]["ref"] == one
        assert {fact["text"] for fact in answer["facts"]} == {"Acme sells pumps.", "Globex sells valves."}
    assert {fact["confidence"] for fact in answer["facts"]} == {0.9, 0.99}
    assert answer["properties"][0]["value"] == "valves"
    assert len(answer["history"]) == 2
    initech = await told(room, "company:initech.example")
    assert initech["relations"][0]["entity"] == one


async def test_lists_and_searches_know_one_entity(room: Any) -> None:
    one, _ = await both(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    listed = await room.searcher.list_entities(
        room.principal, "company", [Condition("industry", "eq", "valves")], 9, None
    )
    assert [entry.ref for entry in listed.entities] == [one]
    found = await room.search("valves", entity_type="company", where=[Condition("industry", "eq", "valves")])
    assert {entry["entity"]["ref"] for entry in found["results"]} == {one}
    assert "Globex sells valves." in {entry["fact"]["text"] for entry in found["results"]}
    rebuilt = await room.rebuild()
    assert (rebuilt.added, rebuilt.removed) == (0, 0)


async def test_a_split_gives_back_what_was_there(room: Any) -> None:
    one, other = await both(room)
    before = [await told(room, name) for name in (ACME, GLOBEX)]
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.merger.split(room.principal, ACME, other, "not the same")
    after = [await told(room, name) for name in (ACME, GLOBEX)]
    assert after == before
    assert [answer["entity"]["ref"] for answer in after] == [one, other]
    assert [answer["entity"]["ref"] for answer in [await told(room.other(), name) for name in (ACME, GLOBEX)]] == [
        one,
        other,
    ]
    names = await room.identities.names(room.principal, ACME)
    assert [(entry.ref, entry.split, entry.reason) for entry in names.merged] == [(other, True, "same firm")]


async def test_what_was_memorized_since_stays(room: Any) -> None:
    _, other = await both(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.facts(GLOBEX, "They moved into a new hall.")
    done = await room.merger.split(room.principal, ACME, other, "not the same")
    assert done.stays == 1
    assert "They moved into a new hall." in await room.texts(ACME)
    assert "They moved into a new hall." not in await room.texts(GLOBEX)


async def test_the_past_before_a_merge_shows_one_alone(room: Any) -> None:
    await both(room)
    then = room.clock()
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    assert await room.texts(ACME, as_of=then) == ["Acme sells pumps."]


async def test_the_past_between_a_merge_and_its_split_shows_the_two_as_one(room: Any) -> None:
    _, other = await both(room)
    before = room.clock()
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.facts(ACME, "They moved into a new hall.")
    between = room.clock()
    known_then = await told(room, ACME)
    await room.merger.split(room.principal, ACME, other, "not the same")
    after = room.clock()
    await room.facts(GLOBEX, "Globex opened an office in Rome.")
    for where in (room, room.other()):
        then = await where.recall(ACME, include=PARTS, max_tokens=8_000, as_of=between)
        for part in ("facts", "properties", "relations", "history"):
            assert sorted(map(repr, then[part])) == sorted(map(repr, known_then[part]))
        assert await where.texts(ACME, as_of=before) == ["Acme sells pumps."]
        assert set(await where.texts(ACME, as_of=after)) == {"Acme sells pumps.", "They moved into a new hall."}
        assert set(await where.texts(GLOBEX, as_of=between)) == {"Globex sells valves.", "Acme sells pumps."}


@pytest.mark.on_disk
@pytest.mark.parametrize("whose", [ACME, GLOBEX])
async def test_a_statement_of_both_is_forgotten_by_the_id_that_either_gave_it(room: Any, whose: str) -> None:
    await both(room)
    shown = (await room.recall(whose))["facts"]
    (known,) = [fact["fact_id"] for fact in shown if fact["text"] == "Acme sells pumps."]
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.forgetter.forget(room.principal, "wrong", fact_id=known)
    for where in (room, room.other()):
        assert await where.texts(ACME) == ["Globex sells valves."]
    await room.store.close()
    content = room.place.raw("interlayer.db*")
    assert b"Acme sells pumps." not in content


@pytest.mark.parametrize("forgotten", [0, 1, 2])
async def test_a_statement_of_both_goes_on_in_the_voices_that_are_left(room: Any, forgotten: int) -> None:
    one = await room.facts(ACME, "Acme sells pumps.", source="call 1")
    two = await room.facts(GLOBEX, "Acme sells pumps.", source="call 2")
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    three = await room.facts(ACME, "Acme sells pumps.", source="call 3")
    voices = [one, two, three]
    await room.forgetter.forget(room.principal, "wrong", memory_id=voices.pop(forgotten)["memory_id"])
    for where in (room, room.other()):
        (fact,) = (await where.recall(ACME))["facts"]
        assert (fact["text"], fact["confidence"]) == ("Acme sells pumps.", 0.99)
        assert fact["memory_id"] in [voice["memory_id"] for voice in voices]
    await room.forgetter.forget(room.principal, "wrong", memory_id=voices.pop(0)["memory_id"])
    (fact,) = (await room.other().recall(ACME))["facts"]
    assert (fact["confidence"], fact["memory_id"]) == (0.9, voices[0]["memory_id"])
    assert [one["fact"]["text"] for one in (await room.search("pumps"))["results"]] == ["Acme sells pumps."]
    await room.forgetter.forget(room.principal, "wrong", fact_id=fact["fact_id"])
    assert await room.other().texts(ACME) == []


async def test_what_one_confirmed_of_the_other_is_its_own_after_a_split(room: Any) -> None:
    _, other = await both(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.facts(ACME, "Globex sells valves.", source="call 9")
    await room.merger.split(room.principal, ACME, other, "not the same")
    found = (await room.search("valves", limit=20))["results"]
    assert len({one["entity"]["ref"] for one in found if one["fact"]["text"] == "Globex sells valves."}) == 2
    shown = (await room.recall(ACME))["facts"]
    (own,) = [fact["fact_id"] for fact in shown if fact["text"] == "Globex sells valves."]
    await room.forgetter.forget(room.principal, "wrong", fact_id=own)
    for where in (room, room.other()):
        assert "Globex sells valves." not in await where.texts(ACME)
        assert "Globex sells valves." in await where.texts(GLOBEX)


async def test_what_is_forgotten_deep_inside_stays_forgotten_after_every_split(room: Any) -> None:
    _, other = await both(room)
    inner = await room.facts("company:hooli.example", "Hooli sells seals.", properties=industry("seals"))
    fresh = room.other()
    await fresh.merger.merge(room.principal, GLOBEX, "company:hooli.example", "same firm")
    assert "Hooli sells seals." in await fresh.texts(GLOBEX)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.forgetter.forget(room.principal, "wrong", memory_id=inner["memory_id"])
    await room.merger.split(room.principal, ACME, other, "not the same")
    for where in (room, fresh, room.other()):
        assert "Hooli sells seals." not in await where.texts(GLOBEX)
        assert (await where.recaller.properties(room.principal, GLOBEX)).values == {"industry": "valves"}


async def test_relations_to_what_is_deep_inside_are_shown(room: Any) -> None:
    await both(room)
    await room.memorize("company:hooli.example", relations=[RelationCandidate("supplies", GLOBEX)])
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.facts("company:umbrella.example", "Umbrella sells rain.")
    await room.merger.merge(room.principal, "company:umbrella.example", ACME, "same firm")
    shown = (await told(room, "company:umbrella.example"))["relations"]
    assert ("supplies", "in") in {(one["type"], one.get("direction")) for one in shown}


async def test_a_second_merge_counts_from_its_own_time(room: Any) -> None:
    _, other = await both(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.facts(ACME, "They moved into a new hall.")
    await room.merger.split(room.principal, ACME, other, "not the same")
    apart = room.clock()
    await room.merger.merge(room.principal, ACME, GLOBEX, "same after all")
    for where in (room, room.other()):
        assert "Globex sells valves." not in await where.texts(ACME, as_of=apart)
        assert len(await where.texts(ACME)) == 3
    assert (await room.merger.split(room.principal, ACME, other, "not the same")).stays == 0


async def test_merges_nest(room: Any) -> None:
    await both(room)
    third = await room.facts("company:hooli.example", "Hooli sells seals.")
    await room.merger.merge(room.principal, GLOBEX, ACME, "same firm")
    await room.merger.merge(room.principal, "company:hooli.example", GLOBEX, "same firm")
    for name in (ACME, GLOBEX):
        answer = await told(room.other(), name)
        assert answer["entity"]["ref"] == third["entity"]["ref"]
        assert len(answer["facts"]) == 3


async def test_contradictions_across_the_two_are_settled_by_time(room: Any) -> None:
    await room.facts(ACME, "The firm is headquartered in Oslo.", observed_at=SPRING)
    await room.facts(GLOBEX, "The firm is headquartered in Rome.", observed_at=SPRING + timedelta(days=9))
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    assert await room.texts(ACME) == ["The firm is headquartered in Rome."]


@pytest.mark.on_disk
async def test_forgetting_reaches_what_was_merged(room: Any) -> None:
    await both(room)
    merged = await room.facts(GLOBEX, "A secret pier of Globex.")
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.forgetter.forget(room.principal, "wrong", memory_id=merged["memory_id"])
    assert "A secret pier of Globex." not in await room.texts(ACME, limit=50)
    await room.forgetter.forget(room.principal, "asked to", entity=ACME)
    for name in (ACME, GLOBEX, "company:Globex"):
        assert not (await room.recall(name))["found"]
    await room.store.close()
    content = room.place.raw("interlayer.db*")
    assert b"valves" not in content
    assert b"pier" not in content


@pytest.mark.on_disk
async def test_what_was_forgotten_of_the_other_stays_forgotten_after_a_split(room: Any) -> None:
    _, other = await both(room)
    secret = await room.facts(
        GLOBEX, "A marvellous pier of Globex.", properties=[PropertyCandidate("headquarters", "Zyxburg", 0.9)]
    )
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.forgetter.forget(room.principal, "wrong", memory_id=secret["memory_id"])
    await room.projector.drain("acme")
    content = room.place.raw()
    assert b"Zyxburg" not in content
    assert b"marvellous" not in content
    await room.merger.split(room.principal, ACME, other, "not the same")
    assert "A marvellous pier of Globex." not in await room.texts(GLOBEX)


async def test_what_one_confirmed_of_the_other_stays_with_both_after_a_split(room: Any) -> None:
    _, other = await both(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    again = await room.facts(ACME, "Globex sells valves.", source="call 9")
    assert again["facts"][0]["outcome"] == "merged"
    await room.merger.split(room.principal, ACME, other, "not the same")
    for name in (ACME, GLOBEX):
        assert "Globex sells valves." in await room.other().texts(name)


async def test_a_relation_to_a_forgotten_entity_is_not_shown(room: Any) -> None:
    await both(room)
    await room.forgetter.forget(room.principal, "asked to", entity="company:initech.example")
    assert (await told(room, GLOBEX))["relations"] == []


async def test_what_makes_no_sense_is_refused(room: Any) -> None:
    one, other = await both(room)
    await room.facts("contact:ann@acme.example", "Ann likes tea.")
    with pytest.raises(Refused, match="same entity"):
        await room.merger.merge(room.principal, ACME, "company:Acme", "x")
    with pytest.raises(Refused, match="cannot be merged"):
        await room.merger.merge(room.principal, ACME, "contact:ann@acme.example", "x")
    with pytest.raises(NotFound, match="Near: company:"):
        await room.merger.merge(room.principal, ACME, "company:globx.example", "x")
    with pytest.raises(InvalidInput, match="reason"):
        await room.merger.merge(room.principal, ACME, GLOBEX, " ")
    with pytest.raises(Refused, match="not merged into"):
        await room.merger.split(room.principal, ACME, other, "x")
    assert [(await told(room, name))["entity"]["ref"] for name in (ACME, GLOBEX)] == [one, other]


async def test_a_conflict_is_listed_until_the_two_are_merged(room: Any) -> None:
    one, other = await both(room)
    await room.memorize(ACME, identifiers={"crm_id": "G-1"})
    (conflict,) = await room.identities.conflicts(room.principal)
    assert (conflict.kind, conflict.claimed_by.ref, conflict.belongs_to.ref) == ("crm_id", one, other)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    assert await room.identities.conflicts(room.principal) == []


async def test_writers_to_both_meanwhile_lose_nothing(room: Any) -> None:
    await both(room)
    rooms = [room, room.other()]

    async def write(number: int) -> None:
        await rooms[number % 2].facts((ACME, GLOBEX)[number % 2], f"The pier of hall {chr(65 + number)} is open.")

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(write, number)
            if number == 4:
                tasks.start_soon(room.merger.merge, room.principal, ACME, GLOBEX, "same firm")
    shown = await rooms[1].texts(ACME, limit=50)
    assert {f"The pier of hall {chr(65 + number)} is open." for number in range(10)} <= set(shown)


class Failing:
    """A store whose writes fail from the n-th on, before or after they are applied."""

    def __init__(self, store: Any, after: int) -> None:
        self._store = store
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def transact(self, operations: Sequence[Operation]) -> None:
        if self._after % 2:
            await self._store.transact(operations)
        raise Unavailable("killed")


@pytest.mark.parametrize("after", [0, 1])
async def test_a_merge_that_is_cut_off_has_happened_or_has_not(room: Any, after: int) -> None:
    one, other = await both(room)
    working = room.trail._store
    room.trail._store = Failing(working, after)
    with pytest.raises(Unavailable):
        await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    room.trail._store = working
    refs = {(await told(room.other(), name))["entity"]["ref"] for name in (ACME, GLOBEX)}
    assert refs == ({one} if after else {one, other})


STEPS = st.lists(
    st.tuples(st.sampled_from(["say", "merge", "split"]), st.integers(0, 2), st.integers(0, 2), st.integers(0, 99)),
    max_size=14,
)
CITIES = ("Kyiv", "Lima", "Oslo")


class Model:
    """Three entities: each owns what was said to it or to what it had absorbed, and shows what its group owns."""

    def __init__(self) -> None:
        self.own = [{f"Has an office in {city}."} for city in CITIES]
        self.inside: dict[int, int] = {}

    def top(self, number: int) -> int:
        while number in self.inside:
            number = self.inside[number]
        return number

    def shown(self, number: int) -> set[str]:
        members = [one for one in range(3) if self.top(one) == self.top(number)]
        return {fact for member in members for fact in self.own[member]}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_no_fact_is_ever_lost_or_told_of_another(room: Any, steps: list[tuple[str, int, int, int]]) -> None:
    model, run = Model(), f"{room.clock().timestamp():.0f}"
    names = [f"company:{letter}{run}.example" for letter in "abc"]
    founded = [await room.facts(name, f"Has an office in {city}.") for name, city in zip(names, CITIES, strict=True)]
    refs = [answer["entity"]["ref"] for answer in founded]
    for action, one, other, value in steps:
        if action == "say":
            text = f"Hall {value} burned down."
            await room.facts(names[one], text, source=f"{value}")
            model.own[model.top(one)] |= {text} - model.shown(one)
        elif action == "merge" and model.top(one) != model.top(other):
            await room.merger.merge(room.principal, names[one], names[other], "x")
            model.inside[model.top(other)] = model.top(one)
        elif action == "split" and model.inside.get(other) == model.top(one):
            await room.merger.split(room.principal, names[one], refs[other], "x")
            del model.inside[other]
        fresh = room.other()
        for number, name in enumerate(names):
            assert set(await fresh.texts(name, limit=100, max_tokens=8_000)) == model.shown(number)
            assert set(await room.texts(name, limit=100, max_tokens=8_000)) == model.shown(number)


async def test_what_is_near_across_two_entities_is_linked_while_they_are_one(room: Any, monkeypatch: Any) -> None:
    early = await room.facts(ACME, "The support is sold.", "Pumps are built.", name="Acme", observed_at=SPRING)
    later = await room.facts(GLOBEX, "The support was dropped.", "They build pumps.", name="Globex")
    support, pumps = (fact["fact_id"] for fact in early["facts"])
    dropped = later["facts"][0]["fact_id"]

    def near(candidates: Sequence[FactCandidate], *_: Any, **__: Any) -> list[Decision]:
        one, other = candidates
        return [Decision(one, "added", likely=(support,)), Decision(other, "added", alike=(pumps,))]

    before = [await room.recall(name) for name in (ACME, GLOBEX)]
    monkeypatch.setattr(merge, "reconcile", near)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    for one in (room, room.other()):
        told = await one.recall(ACME)
        assert [(fact["text"], fact.get("newer"), fact.get("like")) for fact in told["facts"]] == [
            ("They build pumps.", None, 1),
            ("The support was dropped.", None, None),
            ("The support is sold.", dropped, None),
        ]
        [last] = (await one.recall(ACME, cursor=told["next_cursor"]))["facts"]
        assert last["text"] == "Pumps are built."
        found = await one.why.fact(one.principal, support)
        assert [near.fact_id for near in found.likely] == [dropped]
    await room.merger.split(room.principal, ACME, later["entity"]["ref"], "two firms")
    after = [await room.recall(name) for name in (ACME, GLOBEX)]
    assert [answer["facts"] for answer in after] == [answer["facts"] for answer in before]
