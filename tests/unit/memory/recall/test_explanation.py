"""Every fact and value is traced to the words of its sources and to the agents that wrote it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.errors import NotFound
from interlayer.memory.requests import PropertyCandidate
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


async def fact_of(room: Any, entity: str = ACME) -> str:
    return str((await room.recall(entity))["facts"][0]["fact_id"])


async def test_a_fact_shows_its_words_among_those_around_them(room: Any) -> None:
    content = "We met in March. Acme runs its plant in Lisbon. They were kind to us."
    await room.memorize(ACME, content=content, source="call 7")
    found = await room.why.fact(
        room.principal, next(fact["fact_id"] for fact in (await room.recall(ACME))["facts"] if "Lisbon" in fact["text"])
    )
    [voice] = found.voices
    assert (voice.quote, voice.source, voice.agent) == ("Acme runs its plant in Lisbon.", "call 7", "tester")
    assert voice.before + voice.quote + voice.after == content
    assert found.fact.status == "current"
    assert found.entity.name == "acme.example"


async def test_every_voice_is_heard_in_its_own_words(room: Any) -> None:
    await room.facts(ACME, "Acme sells pumps.", source="call 1")
    room.principal = Principal("acme", "colleague")
    await room.memorize(ACME, content="acme sells pumps", source="mail 2")
    found = await room.why.fact(room.principal, await fact_of(room))
    assert [(one.agent, one.source, one.said) for one in found.voices] == [
        ("tester", "call 1", "Acme sells pumps."),
        ("colleague", "mail 2", "acme sells pumps"),
    ]
    assert found.fact.confidence > found.voices[0].confidence


async def test_a_superseded_fact_names_what_took_its_place(room: Any) -> None:
    first = await room.facts(ACME, "The headquarters is in Berlin.")
    second = await room.facts(ACME, "The headquarters is in Oslo.")
    found = await room.why.fact(room.principal, first["facts"][0]["fact_id"])
    assert found.fact.status == "superseded"
    assert [one.fact_id for one in found.contradicts] == [second["facts"][0]["fact_id"]]
    assert found.contradicts[0].status == "current"


async def test_a_value_shows_who_observed_which_one(room: Any) -> None:
    old = datetime(2026, 1, 5, tzinfo=UTC)
    await room.memorize("deal:D-1", content="Stage: won", source="mail 9")
    await room.memorize("deal:D-1", properties=[PropertyCandidate("stage", "proposal", 0.8)], observed_at=old)
    found = await room.why.property(room.principal, "deal:D-1", "stage")
    assert found.property.value == "closed_won"
    assert [(one.said, one.source) for one in found.voices] == [("closed_won", "mail 9"), ("proposal", "")]
    assert "won" in found.voices[0].quote


async def test_after_a_merge_both_voices_and_both_ids_lead_to_one_fact(room: Any) -> None:
    kept = await room.facts(ACME, "They sell pumps.", source="call 1")
    other = await room.facts("company:acme-inc.example", "They sell pumps.", source="call 2")
    await room.merger.merge(room.principal, ACME, "company:acme-inc.example", "the same")
    ids = [made["facts"][0]["fact_id"] for made in (kept, other)]
    found = [await room.why.fact(room.principal, one) for one in ids]
    assert found[0] == found[1]
    assert [one.source for one in found[0].voices] == ["call 1", "call 2"]


async def test_nothing_of_another_organization_is_traced(room: Any) -> None:
    await room.facts(ACME, "Acme sells pumps.")
    fact_id = await fact_of(room)
    stranger = Principal("globex", "tester")
    with pytest.raises(NotFound, match="^fact_id"):
        await room.why.fact(stranger, fact_id)
    with pytest.raises(NotFound, match="^entity"):
        await room.why.property(stranger, ACME, "industry")
    with pytest.raises(NotFound, match="^property"):
        await room.why.property(room.principal, ACME, "industry")
