"""An interaction is one memory, reached from every entity it tells of: kept, found, replayed, erased as a whole."""

from typing import Any

import pytest

from interlayer.errors import InvalidInput, NotFound
from interlayer.memory.recall.explanation import Explanation
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate

pytestmark = pytest.mark.anyio

ANN, BOB, ACME = "contact:ann@acme.example", "contact:bob@acme.example", "company:acme.example"
MAIL = "Acme moves its plant to Oslo. Ann leads the project. Bob signs the contract."


def said(text: str, about: str | None = None) -> FactCandidate:
    return FactCandidate(text, 0.9, about=about)


async def told(room: Any, **given: Any) -> Any:
    """Memorize an interaction about a company and two people."""
    given = {
        "facts": [
            said("Acme moves its plant to Oslo."),
            said("Ann leads the project.", ANN),
            said("Bob signs the contract.", BOB),
        ],
        "properties": [PropertyCandidate("job_title", "project lead", 0.9, about=ANN)],
        "relations": [RelationCandidate("works_at", ACME, source=ANN), RelationCandidate("knows", BOB, source=ANN)],
        **given,
    }
    return await room.memorize(ACME, **given)


async def test_each_statement_goes_to_whom_it_is_about(room: Any) -> None:
    answer = await told(room)
    assert [one["text"] for one in answer["facts"]] == ["Acme moves its plant to Oslo."]
    also = {one["entity"]["name"]: one for one in answer["also"]}
    assert {name: [fact["text"] for fact in one["facts"]] for name, one in also.items()} == {
        "ann@acme.example": ["Ann leads the project."],
        "bob@acme.example": ["Bob signs the contract."],
    }
    assert also["ann@acme.example"]["properties"][0]["value"] == "project lead"
    assert {one["type"] for one in also["ann@acme.example"]["relations"]} == {"works_at", "knows"}
    assert all(one["entity"]["created"] for one in also.values())
    other = room.other()
    assert await other.texts(ANN) == ["Ann leads the project."]
    assert await other.texts(BOB) == ["Bob signs the contract."]
    assert await other.texts(ACME) == ["Acme moves its plant to Oslo."]


async def test_every_entity_names_the_one_memory_and_the_one_instant(room: Any) -> None:
    answer = await told(room, content=MAIL)
    recalled = [await room.other().recall(one, include=["facts", "sources", "history"]) for one in (ANN, BOB, ACME)]
    facts = [fact for one in recalled for fact in one["facts"]]
    assert {fact["memory_id"] for fact in facts} == {answer["memory_id"]}
    assert len({one["sources"][0]["recorded_at"] for one in recalled}) == 1
    assert {one["sources"][0]["memory_id"] for one in recalled} == {answer["memory_id"]}


async def test_a_call_without_an_entity_is_about_whom_its_first_statement_names(room: Any) -> None:
    answer = await room.memorize(None, facts=[said("Ann leads the project.", ANN), said("Bob signs.", BOB)])
    assert answer["entity"]["name"] == "ann@acme.example"
    assert [one["entity"]["name"] for one in answer["also"]] == ["bob@acme.example"]


async def test_a_call_that_names_nobody_is_refused_with_the_field(room: Any) -> None:
    with pytest.raises(InvalidInput, match="entity"):
        await room.memorize(None, facts=[said("Somebody leads the project.")])


async def test_two_spellings_of_one_entity_are_one_part(room: Any) -> None:
    await room.memorize(ANN, name="Ann Lee", facts=[said("Ann likes tea.")])
    answer = await room.memorize(
        ACME,
        facts=[said("Ann leads the project.", "contact:Ann Lee"), said("Ann left Oslo.", "contact:ANN@acme.example")],
    )
    assert len(answer["also"]) == 1
    assert len(answer["also"][0]["facts"]) == 2
    assert len(await room.other().texts(ANN)) == 3


async def test_two_new_names_of_one_address_are_one_part(room: Any) -> None:
    facts = [said("Ann leads the project.", ANN), said("Ann left Oslo.", "contact:Ann Lee <ann@acme.example>")]
    relations = [RelationCandidate("knows", "contact:Annie <ANN@acme.example>", source=BOB)]
    answer = await room.memorize(ACME, facts=[*facts, said("Bob signs.", BOB)], relations=relations)
    assert len(answer["also"]) == 2
    assert len(await room.other().texts(ANN)) == 2


async def test_a_statement_about_the_main_entity_by_another_name_stays_with_it(room: Any) -> None:
    await room.memorize(ANN, name="Ann Lee", facts=[said("Ann likes tea.")])
    answer = await room.memorize(ANN, facts=[said("Ann leads the project.", "contact:Ann Lee")])
    assert answer.get("also") is None
    assert len(answer["facts"]) == 1


async def test_a_replay_answers_for_the_whole_and_adds_nothing(room: Any) -> None:
    first = await told(room, idempotency_key="k")
    again = await told(room, idempotency_key="k")
    assert again["replayed"]
    assert again["also"] == first["also"]
    assert await room.other().texts(BOB) == ["Bob signs the contract."]


async def test_a_refused_statement_of_one_entity_refuses_the_whole(room: Any) -> None:
    with pytest.raises(InvalidInput):
        await told(room, relations=[RelationCandidate("works_at", "company:", source=ANN)])
    for one in (ANN, BOB, ACME):
        assert not (await room.other().recall(one))["found"]


@pytest.mark.on_disk
async def test_forgetting_the_memory_takes_it_back_from_all(room: Any) -> None:
    kept = await room.memorize(BOB, facts=[said("Bob plays chess.")])
    answer = await told(room, content=MAIL)
    erased = await room.forgetter.forget(room.principal, "request 7", memory_id=answer["memory_id"])
    assert erased.erased.memories == 3
    assert erased.erased.facts == 3
    other = room.other()
    assert await other.texts(BOB) == ["Bob plays chess."]
    assert await other.texts(ANN) == []
    assert await other.texts(ACME) == []
    await room.projector.drain("acme")
    assert await room.index.ids("acme") == {kept["facts"][0]["fact_id"]}
    assert b"Ann leads" not in room.place.raw()
    with pytest.raises(NotFound):
        await room.forgetter.forget(room.principal, "again", memory_id=answer["memory_id"])


@pytest.mark.on_disk
async def test_forgetting_one_of_them_takes_its_words_out_of_the_content_and_the_answer(room: Any) -> None:
    facts = [
        said("Acme moves its plant to Oslo."),
        FactCandidate("Ann leads the project.", 0.9, span=(30, 52), about=ANN),
    ]
    await told(room, content=MAIL, facts=facts, relations=[], idempotency_key="k")
    await room.forgetter.forget(room.principal, "request 7", entity=ANN)
    other = room.other()
    assert not (await other.recall(ANN))["found"]
    assert "Acme moves its plant to Oslo." in await other.texts(ACME)
    assert b"Ann leads" not in room.place.raw()
    again = await told(room, content=MAIL, facts=facts, relations=[], idempotency_key="k")
    assert again["replayed"]
    assert not any(one["entity"]["name"] == "ann@acme.example" for one in again.get("also", ()))


@pytest.mark.on_disk
async def test_forgetting_a_fact_of_another_entity_goes_by_its_id(room: Any) -> None:
    answer = await told(room, content=MAIL, idempotency_key="k")
    fact = next(one for one in answer["also"] if one["entity"]["name"] == "bob@acme.example")["facts"][0]
    await room.forgetter.forget(room.principal, "request 7", fact_id=fact["fact_id"])
    assert await room.other().texts(BOB) == []
    assert b"Bob signs" not in room.place.raw()


async def test_two_of_them_that_are_merged_still_hold_one_memory(room: Any) -> None:
    answer = await told(room)
    await room.merger.merge(room.principal, ANN, BOB, "the same")
    recalled = await room.other().recall(ANN, include=["facts", "sources"])
    assert {fact["text"] for fact in recalled["facts"]} == {"Ann leads the project.", "Bob signs the contract."}
    assert [one["memory_id"] for one in recalled["sources"]] == [answer["memory_id"]]
    await room.forgetter.forget(room.principal, "request 7", memory_id=answer["memory_id"])
    assert await room.other().texts(ANN) == []


async def test_why_says_the_interaction_that_brought_it(room: Any) -> None:
    answer = await told(room, content=MAIL)
    fact = answer["also"][0]["facts"][0]
    explained = await Explanation(room.store, room.entities, room.schema).fact(room.principal, fact["fact_id"])
    assert {voice.memory_id for voice in explained.voices} == {answer["memory_id"]}


async def test_what_is_turned_down_of_one_is_told_and_creates_nobody(room: Any) -> None:
    answer = await room.memorize(ACME, facts=[said("Acme moves."), said("My password is hunter2-Xy77!", ANN)])
    assert any(one["outcome"] == "rejected" for one in answer["facts"])
    assert answer["gates"]["rejected"] == {"secret": 1}
    assert not (await room.other().recall(ANN))["found"]
