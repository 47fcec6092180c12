"""A call outlives the process that waits for a model to read its content."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from interlayer.errors import Conflict, InvalidInput
from interlayer.memory.extraction.extractor import Extraction, ExtractionTask
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from scripted_extractor import SilentExtractor, says

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
CONTENT = "Acme sells pumps. The key is AKIAQWERTYUIOPASDFGH."
LATER = timedelta(minutes=2)


class Slow(SilentExtractor):
    """Is asked, and never answers in time."""

    timeout_s = 60.0

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.answers = anyio.Event()

    async def extract(self, task: ExtractionTask) -> Extraction:
        self.asked.set()
        await self.answers.wait()
        return await says(("Acme sells pumps.", "Acme sells pumps")).extract(task)


async def died(room: Any, **call: Any) -> None:
    """Have a process end, at whatever it is doing, when its model has been asked."""
    room.extractor = Slow()
    process = room.other()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: process.memorize(ACME, **{"content": CONTENT, **call}))
        await room.extractor.asked.wait()
        tasks.cancel_scope.cancel()


async def resumed(room: Any) -> list[str]:
    return [one async for one in room.memorizer.in_flight.resume("acme", room.memorizer.remember)]


@pytest.fixture
def reader(room: Any) -> Any:
    room.extractor = says(("Acme sells pumps.", "Acme sells pumps"))
    return room.other()


async def test_what_a_dead_process_had_read_is_memorized_by_another(room: Any, reader: Any) -> None:
    given = [FactCandidate("Acme has two plants.", 0.8)]
    values = [PropertyCandidate("employees", 40, 0.8)]
    at = room.clock.now - timedelta(days=3)
    await died(
        room,
        facts=given,
        properties=values,
        source="mail 7",
        observed_at=at,
        relations=[RelationCandidate("works_with", ACME)],
    )
    assert await reader.texts(ACME) == []
    assert await resumed(reader) == []
    assert await reader.texts(ACME) == [], "its process may still be at work"
    room.clock.now += LATER
    assert await resumed(reader) == []
    answer = await reader.recall(ACME)
    assert {fact["text"] for fact in answer["facts"]} == {"Acme sells pumps.", "Acme has two plants."}
    assert {(one["name"], one["value"]) for one in answer["properties"]} == {("employees", 40)}
    assert {fact["source"] for fact in answer["facts"]} == {"mail 7"}
    assert {fact["observed_at"][:10] for fact in answer["facts"]} == {f"{at:%Y-%m-%d}"}
    assert await reader.memorizer.in_flight.waiting("acme") == []


async def test_a_call_is_kept_as_it_was_sent(room: Any) -> None:
    facts = [FactCandidate("Acme has two plants.", 0.8, about=ACME, ended=True)]
    values = [PropertyCandidate("employees", 40, 0.8, about=ACME, remove=True), PropertyCandidate("industry", "x", 0.9)]
    relations = [RelationCandidate("works_at", ACME, ACME, True, "2026-01-02T00:00:00.000000Z", 0.7)]
    await died(room, facts=facts, properties=values, relations=relations)
    (call,) = await room.memorizer.in_flight.waiting("acme")
    assert (call.request.facts, call.request.properties, call.request.relations) == (facts, values, relations)


async def test_secrets_are_blotted_out_before_a_call_is_kept(room: Any) -> None:
    await died(room, facts=[FactCandidate("The key is AKIAQWERTYUIOPASDFGH.", 0.9)])
    (call,) = await room.memorizer.in_flight.waiting("acme")
    assert call.request.content.startswith("Acme sells pumps. The key is ")
    assert "AKIA" not in repr(call.request)


async def test_very_long_content_is_kept_whole(room: Any, reader: Any) -> None:
    content = "Ж" * 100_000 + " Acme sells pumps. " + "漢" * 90_000
    await died(room, content=content)
    (call,) = await reader.memorizer.in_flight.waiting("acme")
    assert call.request.content == content


async def test_a_call_that_was_answered_or_refused_is_kept_no_more(reader: Any) -> None:
    await reader.memorize(ACME, content=CONTENT)
    assert await reader.memorizer.in_flight.waiting("acme") == []
    with pytest.raises(InvalidInput):
        await reader.memorize(ACME, content=CONTENT, relations=[RelationCandidate("works_at", "nobody:x")])
    assert await reader.memorizer.in_flight.waiting("acme") == []


async def test_a_process_that_wakes_late_stores_nothing_twice(room: Any, reader: Any) -> None:
    room.extractor = slow = Slow()
    process = room.other()
    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            with pytest.raises(Conflict):
                await process.memorize(ACME, content=CONTENT)

        tasks.start_soon(call)
        await slow.asked.wait()
        room.clock.now += LATER
        assert await resumed(reader) == []
        slow.answers.set()
    answer = await reader.recall(ACME, include=["facts", "sources"])
    assert [fact["text"] for fact in answer["facts"]] == ["Acme sells pumps."]
    assert len(answer["sources"]) == 1


async def test_a_call_that_its_caller_repeated_is_not_memorized_again(room: Any, reader: Any) -> None:
    await died(room, idempotency_key="mail-7")
    again = await reader.memorize(ACME, content=CONTENT, idempotency_key="mail-7")
    room.clock.now += LATER
    assert await resumed(reader) == []
    answer = await reader.recall(ACME, include=["facts", "sources"])
    assert {fact["memory_id"] for fact in answer["facts"]} == {again["memory_id"]}
    assert len(answer["sources"]) == 1
    assert await reader.memorizer.in_flight.waiting("acme") == []


async def test_what_cannot_be_memorized_any_more_is_told_once(room: Any, reader: Any) -> None:
    room.extractor = Slow()
    process = room.other()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: process.memorize("company:Twin Works", content=CONTENT))
        await room.extractor.asked.wait()
        tasks.cancel_scope.cancel()
    for key in ("one.example", "two.example"):
        await reader.memorize(f"company:{key}", name="Twin Works", facts=[FactCandidate("It sells pumps.", 0.9)])
    room.clock.now += LATER
    (told,) = await resumed(reader)
    assert "2 entities bear" in told
    assert await resumed(reader) == []


async def test_forgetting_an_entity_takes_what_was_not_read_of_it(room: Any, reader: Any) -> None:
    await reader.facts(ACME, "Acme has two plants.")
    await reader.facts("company:other.example", "Other has a plant.")
    await died(room)
    await reader.forgetter.forget(reader.principal, "asked to", entity="company:other.example")
    assert len(await reader.memorizer.in_flight.waiting("acme")) == 1
    await reader.forgetter.forget(reader.principal, "asked to", entity=ACME)
    assert await reader.memorizer.in_flight.waiting("acme") == []
    room.clock.now += LATER
    assert await resumed(reader) == []
    assert not (await reader.recall(ACME))["found"]
