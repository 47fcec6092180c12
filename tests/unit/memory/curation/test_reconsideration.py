"""What is stored is compared once more under the rules of today: nothing is lost, and a second run changes nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize import decision
from interlayer.memory.reconciliation.reconcile import Decision, reconcile
from interlayer.memory.requests import FactCandidate

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
CARS = "Acme leases twelve cars in Oslo."
PUMPS = "Acme sells pumps to shipyards."
HARBOUR = "The harbour was dredged by the crew."


def merging(*_: Any, **__: Any) -> list[Decision]:
    """Reconcile as careless rules would: the first statement of an entity swallows all others."""
    candidates, _vectors, view = _[:3]
    decided: list[Decision] = []
    for number, candidate in enumerate(candidates):
        known = next((fact.record.id for fact in view.ordered), None)
        if known or number:
            decided.append(Decision(candidate, "merged", 0.9, known or 0))
        else:
            decided.append(Decision(candidate, "added"))
    return decided


def superseding(*_: Any, **__: Any) -> list[Decision]:
    """Reconcile as careless rules would: every statement supersedes all before it."""
    candidates, _vectors, view = _[:3]
    older = tuple(fact.record.id for fact in view.ordered)
    return [Decision(candidate, "added", supersedes=older) for candidate in candidates]


async def entity_of(room: Any) -> EntityId:
    ref = (await room.recall(ACME))["entity"]["ref"]
    return EntityId(*ref.split(":"))


async def reconsider(room: Any) -> Any:
    return await room.memory.reconsideration.apply(room.principal, await entity_of(room))


async def test_what_was_merged_away_in_other_words_comes_back(room: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(decision, "reconcile", merging)
    for number, text in enumerate((CARS, PUMPS, HARBOUR, CARS)):
        await room.facts(ACME, text, source=f"call {number}")
    monkeypatch.undo()
    assert await room.texts(ACME) == [CARS]
    planned = await room.memory.reconsideration.compare(room.principal, await entity_of(room))
    assert set(planned.added) == {PUMPS, HARBOUR}
    assert await room.texts(ACME) == [CARS], "comparing writes nothing"
    assert await reconsider(room) == planned
    assert set(await room.texts(ACME)) == {CARS, PUMPS, HARBOUR}
    found = (await room.search("shipyards"))["results"]
    assert found[0]["fact"]["text"] == PUMPS
    made = await room.rebuild()
    assert (made.added, made.removed) == (0, 0)


async def test_what_was_superseded_and_still_holds_is_current_again(room: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(decision, "reconcile", superseding)
    for text in (CARS, PUMPS):
        await room.facts(ACME, text)
    monkeypatch.undo()
    assert await room.texts(ACME) == [PUMPS]
    changed = await reconsider(room)
    assert changed.released == (CARS,)
    assert set(await room.texts(ACME)) == {CARS, PUMPS}
    assert set(await room.other().texts(ACME)) == {CARS, PUMPS}


async def test_a_second_run_finds_nothing_to_do_and_writes_nothing(room: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(decision, "reconcile", merging)
    for text in (CARS, PUMPS):
        await room.facts(ACME, text)
    monkeypatch.undo()
    await reconsider(room)
    before = await room.recall(ACME)
    assert (await reconsider(room)).is_empty
    assert await room.recall(ACME) == before


async def test_what_a_caller_said_stays(room: Any) -> None:
    told = await room.facts(ACME, CARS, PUMPS, HARBOUR)
    cars, pumps, _ = (fact["fact_id"] for fact in told["facts"])
    await room.memorize(ACME, facts=[FactCandidate("The fleet was sold.", 0.9, replaces=cars)])
    await room.memorize(ACME, facts=[FactCandidate(PUMPS, 0.9, ended=True)])
    before = await room.recall(ACME, include=["facts", "history"])
    assert (await reconsider(room)).is_empty
    after = await room.recall(ACME, include=["facts", "history"])
    assert {fact["fact_id"]: fact["status"] for fact in after["facts"]} == {
        fact["fact_id"]: fact["status"] for fact in before["facts"]
    }
    assert pumps in {fact["fact_id"] for fact in after["facts"] if fact["status"] == "superseded"}


async def test_what_came_with_a_merged_entity_is_given_back_by_a_split(room: Any) -> None:
    other = "company:globex.example"
    await room.facts(ACME, CARS)
    await room.facts(other, PUMPS)
    before = await room.texts(other)
    ref = (await room.recall(other))["entity"]["ref"]
    await room.merger.merge(room.principal, ACME, other, "same firm")
    await room.facts(ACME, HARBOUR)
    await reconsider(room)
    assert set(await room.texts(ACME)) == {CARS, PUMPS, HARBOUR}
    await room.merger.split(room.principal, ACME, ref, "two firms")
    assert await room.texts(other) == before
    assert set(await room.texts(ACME)) == {CARS, HARBOUR}


async def test_a_long_log_is_revised_in_portions(room: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(decision, "reconcile", merging)
    texts = [f"Berth {number} was dredged on pier {number * 7}." for number in range(130)]
    for text in texts:
        await room.facts(ACME, text)
    monkeypatch.undo()
    await reconsider(room)
    assert set(await room.texts(ACME, limit=200, max_tokens=100_000)) == set(texts)
    assert (await reconsider(room)).is_empty


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    calls=st.lists(
        st.lists(
            st.sampled_from([CARS, PUMPS, HARBOUR, "Acme has 280 employees.", "Acme has 312 employees."]),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    ),
    careless=st.sampled_from([merging, superseding, reconcile]),
)
async def test_no_statement_is_lost(room: Any, monkeypatch: Any, calls: Sequence[list[str]], careless: Any) -> None:
    room.principal = type(room.principal)(f"org{room.clock().timestamp():.0f}", "tester")
    monkeypatch.setattr(decision, "reconcile", careless)
    for number, texts in enumerate(calls):
        await room.facts(ACME, *dict.fromkeys(texts), source=f"call {number}")
    monkeypatch.setattr(decision, "reconcile", reconcile)
    entity = await entity_of(room)
    organization = room.principal.organization
    stored = await room.entities.head(organization, entity)
    log = await room.entities.log(organization, stored.head)
    kept = {one.text for entry in log for one in (*entry.facts, *entry.confirms)}
    await reconsider(room)
    assert set(await room.texts(ACME, include=["facts", "history"], limit=50)) == kept
    assert (await reconsider(room)).is_empty
