"""Entities that may be one: found with reasons, whatever is common left aside, and what people decide is kept."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.errors import InvalidInput
from interlayer.memory.curation.duplicates.duplicates import Duplicates
from interlayer.memory.curation.duplicates.likeness import Population
from interlayer.memory.curation.duplicates.profile import Profile
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.memory.schema.schema import starter_schema

CONTACT = starter_schema().entities["contact"]
SYLLABLES = ("ka", "ro", "min", "tes", "lu", "ban", "vi", "sol", "der", "na")


def profile(number: int, name: str, identifiers: dict[str, Sequence[str]] | None = None, **values: Any) -> Profile:
    known = {kind: tuple(all_values) for kind, all_values in (identifiers or {}).items()}
    head = Head(EntityId("contact", f"e_{number:016d}"), name, (name,), known, 1, "", "", values)
    return Profile.of(head, CONTACT)


def crowd(size: int, seed: int = 1) -> list[Profile]:
    drawn = random.Random(seed)  # noqa: S311 - names, no secrets

    def word() -> str:
        return "".join(drawn.choices(SYLLABLES, k=3))

    return [
        profile(n, f"{word()} {word()}", company=word(), location=drawn.choice(("Berlin", "Paris")))
        for n in range(size)
    ]


def probability(one: Profile, other: Profile, others: int = 30) -> float:
    return Population([one, other, *crowd(others)]).likeness(one, other).probability


@pytest.mark.parametrize("others", [0, 30, 2_000])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (profile(1, "Ben Carter", company="Halcyon"), profile(2, "Ben Carter", company="Halcyon")),
        (profile(1, "Ben Carter", company="Halcyon"), profile(2, "Ben Cartre", company="Halcyon", location="Oslo")),
        (profile(1, "Carter, Ben", company="Halcyon"), profile(2, "Ben Carter", company="Halcyon Ltd")),
        (
            profile(1, "Priya Nair", {"email": ["priya.nair@halcyon.example"]}),
            profile(2, "Nair Priya", {"email": ["p.nair@halcyon.example"]}),
        ),
        (profile(1, "Priya Nair", {"phone": ["+4989123456"]}), profile(2, "Priya Nair", {"phone": ["089123456"]})),
    ],
)
def test_one_person_in_two_records_is_found(one: Profile, other: Profile, others: int) -> None:
    assert probability(one, other, others) >= 0.9


@pytest.mark.parametrize("others", [30, 2_000])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (profile(1, "Ben Carter", company="Halcyon"), profile(2, "Ann Carter", company="Halcyon")),
        (profile(1, "Ben Carter", location="Berlin"), profile(2, "Ben Holt", location="Berlin")),
        (
            profile(1, "Ben Carter", {"email": ["ben@gmail.com"]}, location="Berlin"),
            profile(2, "Ben Holt", {"email": ["holt@gmail.com"]}, location="Berlin"),
        ),
        (
            profile(1, "Ann Lee", {"phone": ["+4989123456"], "email": ["ann@lee.example"]}, location="Paris"),
            profile(2, "Tom Lee", {"phone": ["+4989123456"], "email": ["tom@lee.example"]}, location="Paris"),
        ),
    ],
)
def test_two_people_with_much_in_common_are_not(one: Profile, other: Profile, others: int) -> None:
    assert probability(one, other, others) < 0.9


def test_a_name_that_many_bear_does_not_make_two_one() -> None:
    namesakes = [profile(1_000 + number, "Maria Garcia", company=f"company {number}") for number in range(60)]
    one, other = namesakes[0], namesakes[1]
    assert Population([*namesakes, *crowd(300)]).likeness(one, other).probability < 0.5


@given(st.integers(0, 10_000))
def test_likeness_does_not_depend_on_the_order(seed: int) -> None:
    people = crowd(6, seed)
    population = Population(people)
    one, other = people[:2]
    there, back = population.likeness(one, other), population.likeness(other, one)
    assert there.probability == pytest.approx(back.probability)
    assert set(there.fields) == set(back.fields)


def found(pairs: Sequence[Any]) -> set[frozenset[str]]:
    return {frozenset((pair.one.name, pair.other.name)) for pair in pairs}


async def tell(room: Any, name: str, company: str) -> str:
    said = await room.memorize(
        f"contact:{name}", properties=[PropertyCandidate("company", company, 0.9)], identifiers={"crm_id": name + "-1"}
    )
    return said["entity"]["ref"]


@pytest.mark.anyio
async def test_pairs_are_offered_until_somebody_decides(room: Any) -> None:
    search = Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)
    ben, bern = await tell(room, "Ben Carter", "Halcyon"), await tell(room, "Ben Cartre", "Halcyon")
    await tell(room, "Zoe Winter", "Halcyon")
    done = await search.search(room.principal)
    assert (done.entities, done.changed, done.found) == (3, 3, 1)
    [pair] = await search.open(room.principal)
    assert {pair.one.ref, pair.other.ref} == {ben, bern}
    assert {why.field for why in pair.reasons} == {"name", "company"}
    assert {(why.one, why.other) for why in pair.reasons if why.field == "company"} == {("halcyon", "halcyon")}
    await search.distinguish(room.principal, bern, ben, "two people, asked them")
    assert await search.open(room.principal) == []
    assert (await search.search(room.principal, anew=True)).found == 0
    assert await search.open(room.principal) == []


@pytest.mark.anyio
async def test_only_what_is_new_or_changed_is_compared_again(room: Any) -> None:
    search = Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)
    await tell(room, "Ben Carter", "Halcyon")
    await tell(room, "Zoe Winter", "Halcyon")
    await search.search(room.principal)
    room.clock.now += timedelta(minutes=1)
    await tell(room, "Zoe Wintre", "Halcyon")
    done = await search.search(room.principal)
    assert (done.entities, done.changed, done.found) == (3, 1, 1)
    assert found(await search.open(room.principal)) == {frozenset(("Zoe Winter", "Zoe Wintre"))}


@pytest.mark.anyio
async def test_what_became_one_or_is_gone_is_not_offered(room: Any) -> None:
    search = Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)
    ben, bern = await tell(room, "Ben Carter", "Halcyon"), await tell(room, "Ben Cartre", "Halcyon")
    zoe, _ = await tell(room, "Zoe Winter", "Halcyon"), await tell(room, "Zoe Wintre", "Halcyon")
    await search.search(room.principal)
    assert len(await search.open(room.principal)) == 2
    await room.merger.merge(room.principal, ben, bern, "one man")
    await room.forgetter.forget(room.principal, "asked", entity=zoe)
    assert await search.open(room.principal) == []


@pytest.mark.anyio
async def test_one_entity_cannot_be_two(room: Any) -> None:
    search = Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)
    ben = await tell(room, "Ben Carter", "Halcyon")
    with pytest.raises(InvalidInput, match="one entity already"):
        await search.distinguish(room.principal, ben, "contact:Ben Carter", "why")


async def named(room: Any, entity: str, **given: Any) -> str:
    said = await room.memorize(entity, facts=[FactCandidate("They asked for an offer.", 0.9)], **given)
    return said["entity"]["ref"]


def search_of(room: Any) -> Duplicates:
    return Duplicates(room.store, room.entities, room.trail, room.schema, room.clock)


@pytest.mark.anyio
async def test_two_of_one_interaction_with_an_address_each_are_two(room: Any) -> None:
    ann, other = "contact:ann.lee@acme.example", "contact:a.lee@acme.example"
    told = [FactCandidate("Ann Lee asked for an offer.", 0.9), FactCandidate("She likes tea.", 0.9, about=other)]
    await room.memorize(ann, name="Ann Lee", facts=told)
    await room.memorize(other, name="Ann Lee", facts=[FactCandidate("She sells pumps.", 0.9)])
    assert (await search_of(room).search(room.principal)).compared == 1
    assert await search_of(room).open(room.principal) == []


@pytest.mark.anyio
async def test_who_is_related_to_somebody_is_another_one(room: Any) -> None:
    reports = [RelationCandidate("reports_to", "contact:a.lee@acme.example")]
    await named(room, "contact:ann.lee@acme.example", name="Ann Lee", relations=reports)
    await named(room, "contact:a.lee@acme.example", name="Ann Lee")
    await search_of(room).search(room.principal)
    assert await search_of(room).open(room.principal) == []


@pytest.mark.anyio
async def test_two_names_of_one_interaction_may_be_of_one(room: Any) -> None:
    told = [FactCandidate("She likes tea.", 0.9, about="contact:Priya Nayar")]
    await room.memorize("contact:priya.nair@acme.example", name="Priya Nair", facts=told)
    await search_of(room).search(room.principal)
    [pair] = await search_of(room).open(room.principal)
    assert "told of in one interaction" in {why.said for why in pair.reasons}


@pytest.mark.anyio
async def test_what_was_decided_holds_for_what_becomes_a_part(room: Any) -> None:
    ben = await named(room, "contact:ben@halcyon.example", name="Ben Carter")
    bern = await named(room, "contact:b.carter@halcyon.example", name="Ben Cartre")
    search = search_of(room)
    await search.distinguish(room.principal, ben, bern, "two people, asked them")
    third = await named(room, "contact:Benjamin")
    await room.merger.merge(room.principal, third, ben, "one man")
    await named(room, third, name="Ben Carter")
    await search.search(room.principal, anew=True)
    assert await search.open(room.principal) == []


@pytest.mark.anyio
async def test_characters_that_look_alike_are_always_offered(room: Any) -> None:
    for number in range(40):
        await named(room, f"company:Common {number}")
    await named(room, "company:Common Pumps")
    await named(room, "company:C\u043emmon Pumps")
    await search_of(room).search(room.principal)
    [pair] = await search_of(room).open(room.principal)
    assert pair.reasons[0].said == "look-alike characters"


@pytest.mark.anyio
async def test_what_was_told_and_is_not_probable_among_many_goes(room: Any) -> None:
    for number in range(60):
        await named(room, f"contact:maria.{number}@company-{number}.example", name="Maria Garcia")
    search = search_of(room)
    assert await search.open(room.principal)
    await search.search(room.principal)
    assert await search.open(room.principal) == []
