"""Whatever is erased, redacted, set aside, restored or rewritten under another schema, the trail answers for it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlayer.audit.reader import Audit
from interlayer.audit.trail import Event
from interlayer.memory.erasure.reasons import read_reason
from interlayer.memory.erasure.subjects.subject import Request
from interlayer.memory.requests import PropertyCandidate, RelationCandidate
from interlayer.principal import Principal
from rooms import Room

pytestmark = pytest.mark.anyio

LISA, TOM, ACME = "contact:lisa.vogt@example.com", "contact:tom@acme.example", "company:acme.example"
WHY = read_reason("subject_request", "DPO-7")


@pytest.fixture
async def known(room: Any) -> Any:
    """Return a room of an organization with a trail, in which three know of each other."""
    room.principal = replace(room.principal, roles=room.principal.roles | {"privacy", "eraser"})
    await room.trail.commit(room.principal, Event("policy.rejected", "policies", {}), [])
    await room.memorize(
        LISA,
        content="Lisa signs contracts. Lisa lives in Xanthia.",
        name="Lisa Vogt",
        properties=[PropertyCandidate("location", "Xanthia", 0.9)],
        relations=[RelationCandidate("works_at", ACME)],
    )
    await room.facts(ACME, "Jens Krueger signs for Acme now, no longer Lisa Vogt.", "Acme sells pumps.")
    await room.memorize(TOM, content="Hello Tom, Lisa Vogt is off.", source="mail of Lisa Vogt", name="Tom Becker")
    await room.memorize(TOM, relations=[RelationCandidate("reports_to", LISA)])
    return room


async def faults(room: Any) -> list[str]:
    auditor = Principal("acme", "auditor", frozenset({"auditor"}))
    report = await Audit(room.store, room.clock).verify(auditor)
    assert report.compared
    assert report.uncovered == 0
    return [str(fault) for fault in report.faults]


async def test_a_person_who_is_erased_everywhere_leaves_a_trail_in_order(known: Any) -> None:
    assert await faults(known) == []
    await known.memory.subjects.eraser.erase(known.principal, Request(LISA), WHY)
    assert await faults(known) == []


async def test_an_erasure_that_is_taken_back_leaves_a_trail_in_order(known: Any, graced: Room) -> None:
    await graced.forgetter.forget(known.principal, "subject_request", entity=LISA)
    assert await faults(known) == []
    grace = graced.memory.safeguards.grace
    [case] = await grace.listed("acme")
    await grace.restore(known.principal, case.id)
    assert (await known.recall(LISA))["found"]
    assert await faults(known) == []


async def test_what_was_kept_long_enough_leaves_a_trail_in_order(known: Any) -> None:
    types = {
        name: one.model_copy(update={"retention": "90d"}) if name == "contact" else one
        for name, one in known.schema.entities.items()
    }
    short = known.under(known.schema.model_copy(update={"entities": types}))
    known.clock.now += timedelta(days=60)
    await known.facts(TOM, "Tom sells pumps.")
    known.clock.now += timedelta(days=60)
    counts = await short.expirer.expire(known.principal)
    assert counts["memories"] > 2
    assert await faults(known) == []
