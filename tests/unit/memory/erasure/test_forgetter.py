"""forget: gone from every layer, and nothing else gone with it. And the outbox: nothing is ever only half there."""

from typing import Any

import pytest

from interlayer.errors import InvalidInput, NotFound, Unavailable
from interlayer.memory.requests import FactCandidate, PropertyCandidate, SearchRequest

pytestmark = pytest.mark.anyio

SECRET = "Zebulon prefers turquoise submarines."
OTHER = "The warehouse has nine gates."


@pytest.mark.on_disk
async def test_a_forgotten_entity_leaves_no_word_on_disk(room: Any) -> None:
    await room.memorize("contact:zeb@acme.example", content=f"{SECRET} {OTHER}", name="Zebulon", idempotency_key="k")
    answer = await room.forgetter.forget(room.principal, "request 7", entity="contact:zeb@acme.example")
    assert answer.erased.entities == 1
    assert answer.erased.facts == 2
    for name in ("contact:zeb@acme.example", "contact:Zebulon"):
        assert not (await room.other().recall(name))["found"]
    assert await room.index.ids("acme") == set()
    for word in (b"turquoise", b"Zebulon", b"zeb@acme"):
        assert word not in room.place.raw()


@pytest.mark.on_disk
async def test_a_forgotten_fact_is_blotted_out_of_its_source(room: Any) -> None:
    stored = await room.memorize("contact:zeb@acme.example", content=f"{OTHER} {SECRET}", idempotency_key="k")
    fact = next(one for one in stored["facts"] if one["text"] == SECRET)
    await room.forgetter.forget(room.principal, "request 8", fact_id=fact["fact_id"])
    assert await room.other().texts("contact:zeb@acme.example") == [OTHER]
    assert b"turquoise" not in room.place.raw()
    again = await room.memorize("contact:zeb@acme.example", content="anything", idempotency_key="k")
    assert [one["text"] for one in again["facts"]] == [OTHER]


async def test_forgetting_a_call_keeps_what_another_one_says_too(room: Any) -> None:
    first = await room.facts("company:acme.example", "Acme sells pumps.", "Acme is in Oslo.")
    await room.facts("company:acme.example", "ACME sells pumps!")
    await room.forgetter.forget(room.principal, "wrong file", memory_id=first["memory_id"])
    assert await room.texts("company:acme.example") == ["ACME sells pumps!"]
    assert await room.other().texts("company:acme.example") == ["ACME sells pumps!"]


async def test_forgetting_a_call_takes_back_the_value_it_set(room: Any) -> None:
    for stage in ("proposal", "won"):
        last = await room.memorize("deal:D-1", properties=[PropertyCandidate("stage", stage, 0.9)])
    await room.forgetter.forget(room.principal, "mistake", memory_id=last["memory_id"])
    answer = await room.recall("deal:D-1")
    assert answer["properties"][0]["value"] == "proposal"
    listed = await room.searcher.list_entities(room.principal, "deal", [], 20, None)
    assert listed.entities[0].properties == {"stage": "proposal"}


async def test_the_trail_says_that_and_why_but_not_what(room: Any) -> None:
    await room.facts("contact:zeb@acme.example", SECRET)
    await room.forgetter.forget(
        room.principal, "Subject request", reference="GDPR-9/2026", entity="contact:zeb@acme.example"
    )
    event = (await room.trail.tail("acme", 1))[0].body
    assert (event["type"], event["actor"]) == ("memory.erased", "tester")
    assert (event["detail"]["reason"], event["detail"]["reference"]) == ("subject_request", "GDPR-9/2026")
    assert "turquoise" not in str(event)
    assert "zeb@" not in str(event)


async def test_the_trail_names_what_was_erased_by_its_ids(room: Any) -> None:
    told = await room.facts("company:acme.example", "Acme sells pumps.", "Acme is in Oslo.")
    first, second = (fact["fact_id"] for fact in told["facts"])
    entity = told["entity"]["ref"]
    await room.forgetter.forget(room.principal, "wrong", fact_id=first)
    event = (await room.trail.tail("acme", 1))[0].body
    assert (event["subject"], event["detail"]["entity"]) == (first, entity)
    assert event["detail"]["ids"] == {"facts": [first]}
    await room.forgetter.forget(room.principal, "wrong file", memory_id=told["memory_id"])
    event = (await room.trail.tail("acme", 1))[0].body
    assert event["subject"] == told["memory_id"]
    assert event["detail"]["ids"] == {"memories": [told["memory_id"]], "facts": [second]}
    again = await room.facts("company:acme.example", "Acme sells valves.")
    await room.forgetter.forget(room.principal, "request", entity=entity)
    event = (await room.trail.tail("acme", 1))[0].body
    assert event["subject"] == entity
    assert event["detail"]["ids"] == {"memories": [again["memory_id"]], "facts": [again["facts"][0]["fact_id"]]}


@pytest.mark.parametrize(
    "names", [{}, {"entity": "company:a.example", "fact_id": "f_1"}, {"fact_id": "f_1", "memory_id": "m_1"}]
)
async def test_exactly_one_thing_is_named(room: Any, names: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="exactly one"):
        await room.forgetter.forget(room.principal, "why", **names)


@pytest.mark.parametrize("names", [{"entity": "company:a.example"}, {"fact_id": "f_1"}, {"memory_id": "nonsense"}])
async def test_what_is_not_known_cannot_be_forgotten(room: Any, names: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        await room.forgetter.forget(room.principal, "why", **names)


async def test_what_is_forgotten_can_be_learned_again(room: Any) -> None:
    await room.facts("contact:Ann Lee", "Ann likes tea.")
    await room.forgetter.forget(room.principal, "request", entity="contact:Ann Lee")
    answer = await room.facts("contact:Ann Lee", "Ann likes tea.")
    assert answer["entity"]["created"]
    assert await room.texts("contact:ann lee") == ["Ann likes tea."]


class BrokenIndex:
    """An index that cannot be reached."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise Unavailable(f"{name}: no index")

        return fail


async def test_what_a_dead_index_missed_is_replayed(room: Any) -> None:
    living, room.index = room.index, BrokenIndex()
    broken = room.other()
    await broken.facts("company:acme.example", "Acme sells pumps.")
    with pytest.raises(Unavailable):
        await broken.projector.drain("acme")
    assert await broken.texts("company:acme.example", query="pumps") == ["Acme sells pumps."]
    room.index = living
    successor = room.other()
    assert await successor.projector.drain("acme") == 1
    assert len(await living.ids("acme")) == 1
    found = await successor.searcher.search(room.principal, SearchRequest(query="pumps"))
    assert len(found.results) == 1


async def test_a_row_erased_while_it_waited_does_not_come_back(room: Any) -> None:
    other = room.other()
    stored = await other.facts("company:acme.example", "Acme sells pumps.", "Acme is in Oslo.")
    await room.forgetter.forget(room.principal, "request", fact_id=stored["facts"][0]["fact_id"])
    await other.projector.drain("acme")
    assert await room.index.ids("acme") == {stored["facts"][1]["fact_id"]}


async def test_erasing_while_the_index_is_away_is_told_and_made_up_for(room: Any) -> None:
    await room.facts("company:acme.example", "Acme sells pumps.")
    await room.projector.drain("acme")
    living, room.index = room.index, BrokenIndex()
    answer = await room.other().forgetter.forget(room.principal, "request", entity="company:acme.example")
    assert "vectors" in answer.pending
    room.index = living
    await room.other().projector.drain("acme")
    assert await living.ids("acme") == set()


@pytest.mark.on_disk
async def test_a_thousand_facts_are_forgotten_at_once(room: Any) -> None:
    for start in range(0, 1_000, 250):
        facts = [FactCandidate(f"Pump {number} stands in hall {number}.", 0.9) for number in range(start, start + 250)]
        await room.memorize("company:acme.example", facts=facts, content=f"Note {start} about the pumps of Acme.")
    answer = await room.forgetter.forget(room.principal, "request", entity="company:acme.example")
    assert answer.erased.facts >= 1_000
    assert b"Pump 77" not in room.place.raw()


async def test_a_lost_index_is_rebuilt_from_the_log(room: Any) -> None:
    stored = await room.facts("company:acme.example", "Acme sells pumps.", "Acme is in Oslo.")
    await room.facts("contact:ann@acme.example", "Ann likes tea.")
    await room.projector.drain("acme")
    lost = await room.index.ids("acme")
    await room.index.remove("acme", [stored["facts"][0]["fact_id"]])
    made = await room.rebuild()
    assert (made.facts, made.added, made.removed) == (3, 1, 0)
    assert await room.index.ids("acme") == lost


async def test_rows_of_no_fact_are_removed_by_a_rebuild(room: Any) -> None:
    await room.facts("company:acme.example", "Acme sells pumps.")
    await room.projector.drain("acme")
    made = await room.rebuild("contact")
    assert (made.facts, made.removed) == (0, 1)


@pytest.mark.on_disk
async def test_an_erasure_that_is_cut_off_is_in_force_and_completed_by_the_next_start(room: Any) -> None:
    for number in range(60):
        await room.memorize("company:acme.example", content=f"Acme has a marvellous pier called Zyx{number}.")
    await room.projector.drain("acme")

    async def killed(_: Any) -> None:
        raise Unavailable("killed")

    working = room.store.transact
    commit = room.trail.commit

    async def commit_and_die(*arguments: Any) -> None:
        await commit(*arguments)
        room.store.transact = killed

    room.trail.commit = commit_and_die
    answer = await room.forgetter.forget(room.principal, "asked to", entity="company:acme.example")
    room.store.transact = working
    assert answer.pending
    other = room.other()
    assert not (await other.recall("company:acme.example"))["found"]
    await other.projector.drain("acme")
    left = room.place.raw()
    assert b"marvellous" not in left
    assert b"Zyx" not in left
