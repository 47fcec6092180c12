"""What stands between a caller and an erasure: codes for reasons, a quota, legal holds, and a time to take it back."""

from datetime import timedelta
from typing import Any, cast

import pytest

from interlayer.audit.reader import Audit
from interlayer.errors import InvalidInput, NotFound, Refused, Unavailable
from interlayer.memory.erasure.reasons import read_reason
from interlayer.memory.log.records import EntityId
from interlayer.memory.requests import PropertyCandidate, RelationCandidate
from interlayer.memory.schema.schema import starter_schema
from interlayer.principal import Principal
from interlayer_tools import Domains
from interlayer_tools.forget import TOOL, ForgetInput

pytestmark = pytest.mark.anyio

ANN = "contact:ann@acme.example"
ACME = "company:acme.example"


@pytest.mark.parametrize("text", ["subject_request", "Subject request", "SUBJECT-REQUEST."])
def test_a_code_is_known_in_any_writing(text: str) -> None:
    reason = read_reason(text, "DPO-17/2026")
    assert reason.record == {"reason": "subject_request", "reference": "DPO-17/2026"}
    assert not reason.reworded


@pytest.mark.parametrize("reference", ["Ann Lee asked", "ann@acme.example", "x" * 65, "-5"])
def test_a_reference_is_no_prose(reference: str) -> None:
    with pytest.raises(InvalidInput, match="reference"):
        read_reason("mistake", reference)


async def test_words_of_a_reason_are_not_kept(room: Any) -> None:
    await room.facts(ANN, "Ann likes tea.")
    answer = await room.forgetter.forget(room.principal, "Zzann Lee (zzann@acme.example) asked for it", entity=ANN)
    assert answer.recorded_as.startswith("other; the words of the reason are not kept")
    assert (await room.trail.tail("acme", 1))[0].body["detail"]["reason"] == "other"
    everything = [item.body for table in ("memory", "audit") async for item in room.store.scan(table, "acme#")]
    assert "zzann" not in str(everything).lower()


async def forget_over_mcp(room: Any, principal: Principal, **given: str) -> Any:
    return await TOOL.run(Domains(room.memory, cast(Any, None)), principal, ForgetInput(reason="mistake", **given))


async def test_a_caller_erases_no_more_than_its_quota_on_a_day(room: Any) -> None:
    for number in range(25):
        await room.facts(f"contact:person{number}@acme.example", "Likes tea.")
    for number in range(20):
        await forget_over_mcp(room, room.principal, entity=f"contact:person{number}@acme.example")
    with pytest.raises(Refused, match=r"20 erasures a day.*2026-03-02 00:00 UTC.*interlayer memory forget"):
        await forget_over_mcp(room, room.principal, entity="contact:person20@acme.example")
    assert (await room.recall("contact:person20@acme.example"))["found"]
    await forget_over_mcp(room, Principal("acme", "another"), entity="contact:person21@acme.example")
    await room.forgetter.forget(room.principal, "mistake", entity="contact:person22@acme.example")  # an operator
    room.clock.now += timedelta(days=1)
    await forget_over_mcp(room, room.principal, entity="contact:person20@acme.example")


async def test_the_quota_is_that_of_the_person_whichever_agent_is_used(room: Any) -> None:
    for number in range(21):
        await room.facts(f"contact:person{number}@acme.example", "Likes tea.")
    for number in range(20):
        caller = Principal("acme", f"agent{number}", user="mallory")
        await forget_over_mcp(room, caller, entity=f"contact:person{number}@acme.example")
    with pytest.raises(Refused):
        await forget_over_mcp(
            room, Principal("acme", "agent20", user="mallory"), entity="contact:person20@acme.example"
        )


def test_forget_needs_a_role_of_its_own() -> None:
    assert TOOL.role == "eraser"


async def test_what_is_erased_is_never_told_as_a_failure(room: Any) -> None:
    await room.facts(ANN, "Ann likes tea.")

    async def full() -> None:
        raise Unavailable("database or disk is full")

    working, room.store.scrub = room.store.scrub, full
    answer = await room.forgetter.forget(room.principal, "mistake", entity=ANN)
    assert answer.erased.entities == 1
    assert "disk is full" in answer.pending
    assert not (await room.other().recall(ANN))["found"]
    room.store.scrub = working
    assert await room.projector.drain("acme")  # it is made up for
    assert not await room.projector.drain("acme")


async def test_forget_says_who_still_names_what_is_forgotten(room: Any) -> None:
    await room.facts(ANN, "Ann likes tea.", name="Ann Lee")
    await room.facts(ACME, "Ann Lee signs for Acme.", "Ask ann@acme.example for the keys.", "Leeann sells pumps.")
    answer = await room.forgetter.forget(room.principal, "mistake", entity=ANN)
    acme = (await room.recall(ACME))["entity"]["ref"]
    assert [(one.entity, one.facts) for one in answer.still_named] == [(acme, 2)]


async def test_nothing_is_still_named_where_nothing_is(room: Any) -> None:
    await room.facts(ANN, "Ann likes tea.", name="Ann Lee")
    await room.facts(ACME, "Leeann sells pumps to ann@acme.example.org.")
    assert (await room.forgetter.forget(room.principal, "mistake", entity=ANN)).still_named is None


async def test_what_is_under_legal_hold_is_not_forgotten_until_it_is_released(room: Any) -> None:
    told = await room.facts(ANN, "Ann likes tea.", "Ann lives in Oslo.")
    entity = EntityId(*told["entity"]["ref"].split(":"))
    hold = await room.memory.safeguards.holds.place(room.principal, entity, read_reason("other", "CASE-1"))
    for named in (
        {"entity": ANN},
        {"fact_id": told["facts"][0]["fact_id"]},
        {"memory_id": told["memory_id"]},
    ):
        with pytest.raises(Refused, match=r"legal hold.*CASE-1.*interlayer subject release"):
            await room.forgetter.forget(room.principal, "mistake", **named)
    assert [hold] == await room.memory.safeguards.holds.listed("acme")
    await room.memory.safeguards.holds.release(room.principal, entity, read_reason("other", "CASE-1"))
    await room.forgetter.forget(room.principal, "mistake", entity=ANN)
    with pytest.raises(NotFound):
        await room.memory.safeguards.holds.place(room.principal, entity, read_reason("other", "CASE-1"))


async def test_retention_leaves_what_is_under_legal_hold(room: Any) -> None:
    schema = starter_schema()
    contact = schema.entities["contact"].model_copy(update={"retention": "90d"})
    kept = room.under(schema.model_copy(update={"entities": {**schema.entities, "contact": contact}}))
    told = await kept.facts(ANN, "Ann likes tea.")
    entity = EntityId(*told["entity"]["ref"].split(":"))
    await kept.memory.safeguards.holds.place(kept.principal, entity, read_reason("other", "CASE-1"))
    kept.clock.now += timedelta(days=100)
    assert await kept.expirer.expire(kept.principal) == {"entities": 0, "memories": 0, "facts": 0, "held": 1}
    await kept.memory.safeguards.holds.release(kept.principal, entity, read_reason("other", "CASE-1"))
    assert await kept.expirer.expire(kept.principal) == {"entities": 1, "memories": 1, "facts": 1}


async def fill(room: Any) -> dict[str, Any]:
    await room.facts(ACME, "Acme sells pumps.")
    await room.memorize(
        ANN,
        content="Ann rides turquoise submarines. Ann lives in Oslo.",
        properties=[PropertyCandidate("location", "Oslo", 0.9)],
        relations=[RelationCandidate("works_at", ACME)],
        name="Ann Lee",
        idempotency_key="k",
    )
    return await room.memorize(
        ANN,
        content="Ann lives in Oslo. Ann sails to Bergen.",
        properties=[PropertyCandidate("location", "Bergen", 0.9)],
    )


async def seen(room: Any) -> Any:
    """Return all that is shown, without scores."""
    other = room.other()
    recalled = await other.recall(ANN, include=["properties", "facts", "relations", "sources", "history"])
    listed = await other.searcher.list_entities(room.principal, "contact", [], 20, None)
    found = await other.search("turquoise submarines")
    return (
        {name: value for name, value in recalled.items() if name not in {"revision", "near"}},
        [(one.ref, one.name, one.properties) for one in listed.entities],
        {one["fact"]["text"] for one in found["results"]},
        (await other.recall(ACME))["relations"],
    )


@pytest.mark.parametrize("what", ["entity", "memory_id", "fact_id"])
async def test_what_is_forgotten_with_grace_is_hidden_at_once_and_can_be_taken_back(graced: Any, what: str) -> None:
    last = await fill(graced)
    before = await seen(graced)
    named = {"entity": ANN, "memory_id": last["memory_id"], "fact_id": last["facts"][-1]["fact_id"]}[what]
    answer = await graced.forgetter.forget(graced.principal, "mistake", **{what: named})
    hidden = await seen(graced)
    assert hidden != before
    assert "Bergen" not in str(hidden[0].get("facts"))
    assert (await Audit(graced.store, graced.clock).verify(graced.principal)).faults == []
    if what == "entity":
        assert not hidden[0]["found"]
        assert "submarines" not in str(hidden)
    [case] = await graced.memory.safeguards.grace.listed("acme")
    assert case.id in answer.restorable
    await graced.memory.safeguards.grace.restore(graced.principal, case.id)
    assert await seen(graced) == before
    assert (await Audit(graced.store, graced.clock).verify(graced.principal)).faults == []
    assert await graced.memory.safeguards.grace.listed("acme") == []
    await graced.facts(ANN, "Ann has a dog.")
    assert "Ann has a dog." in await graced.other().texts(ANN)
    with pytest.raises(NotFound):
        await graced.memory.safeguards.grace.restore(graced.principal, case.id)


async def test_what_was_given_away_meanwhile_is_not_taken_back(graced: Any) -> None:
    await fill(graced)
    await graced.forgetter.forget(graced.principal, "mistake", entity=ANN)
    await graced.facts(ANN, "Another Ann.")
    [case] = await graced.memory.safeguards.grace.listed("acme")
    with pytest.raises(Refused, match="given to another entity"):
        await graced.memory.safeguards.grace.restore(graced.principal, case.id)
    assert await graced.other().texts(ANN) == ["Another Ann."]


@pytest.mark.on_disk
async def test_when_the_grace_is_over_no_word_is_left_on_disk(graced: Any) -> None:
    await fill(graced)
    await graced.forgetter.forget(graced.principal, "mistake", entity=ANN)
    assert b"turquoise" in graced.place.raw()
    graced.clock.now += timedelta(days=6)
    await graced.expirer.expire(graced.principal)
    assert len(await graced.memory.safeguards.grace.listed("acme")) == 1
    await graced.expirer.expire(graced.principal, until=graced.clock.now + timedelta(days=2))
    assert len(await graced.memory.safeguards.grace.listed("acme")) == 0
    for word in (b"turquoise", b"ann@acme", b"Ann Lee"):
        assert word not in graced.place.raw()


async def test_many_facts_forgotten_with_grace_come_back(graced: Any) -> None:
    for number in range(40):
        await graced.memorize(ACME, content=f"Pump {number} stands in hall {number}.", idempotency_key=f"k{number}")
    before = sorted(await graced.texts(ACME, limit=200, max_tokens=8_000))
    await graced.forgetter.forget(graced.principal, "mistake", entity=ACME)
    [case] = await graced.memory.safeguards.grace.listed("acme")
    await graced.memory.safeguards.grace.restore(graced.principal, case.id)
    assert sorted(await graced.other().texts(ACME, limit=200, max_tokens=8_000)) == before
    again = await graced.memorize(ACME, content="Pump 3 stands in hall 3.", idempotency_key="k3")
    assert again["replayed"]
    assert (await Audit(graced.store, graced.clock).verify(graced.principal)).faults == []


async def test_what_a_process_left_that_died_before_it_erased_is_swept(graced: Any) -> None:
    await fill(graced)

    async def die(*_: Any) -> None:
        raise Unavailable("killed")

    graced.trail.commit, working = die, graced.trail.commit
    with pytest.raises(Unavailable):
        await graced.forgetter.forget(graced.principal, "mistake", entity=ANN)
    graced.trail.commit = working
    assert await graced.memory.safeguards.grace.listed("acme") == []
    assert (await graced.recall(ANN))["found"]
    graced.clock.now += timedelta(hours=2)
    await graced.expirer.expire(graced.principal)
    left = [item.key async for item in graced.store.scan("memory", "acme#g")]
    assert left == []
