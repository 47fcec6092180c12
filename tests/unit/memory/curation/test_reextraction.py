"""Content read again where it is not as simple: after a merge, within one, and with many who confirm what was read."""

from typing import Any

import pytest

from extraction_rooms import rereader_of
from interlayer.memory.extraction.extractor import Always, ExtractedFact
from interlayer.memory.requests import FactCandidate
from rooms import Room
from scripted_extractor import ScriptedExtractor, says

pytestmark = pytest.mark.anyio

ACME, GLOBEX = "company:acme.example", "company:globex.example"
CONTENT = "Globex sells valves. It is based in Oslo."
VALVES = ("Globex sells valves.", "Globex sells valves")
OSLO = ("Globex is based in Oslo.", "It is based in Oslo")


async def read_by(room: Room, model: ScriptedExtractor, content: str = CONTENT) -> dict[str, Any]:
    """Memorize content of Globex as a model reads it."""
    room.extractor = model
    answer = await room.other().memorize(GLOBEX, content=content, name="Globex")
    room.extractor = None
    return answer


async def read_again(room: Room, memory_id: str, model: ScriptedExtractor) -> Any:
    rereader = rereader_of(room.other(), Always(model))
    return await rereader.apply(room.principal, await rereader.read(room.principal, memory_id, model))


async def two(room: Room) -> tuple[str, str]:
    """Return the id of what was memorized of Globex, and that of the entity."""
    await room.facts(ACME, "Acme sells pumps.", name="Acme")
    told = await read_by(room, says(VALVES))
    return told["memory_id"], told["entity"]["ref"]


async def test_content_that_was_merged_and_split_off_is_read_again_where_it_is(room: Room) -> None:
    memory_id, globex = await two(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await room.merger.split(room.principal, ACME, globex, "not so")
    change = await read_again(room, memory_id, says(VALVES, OSLO))
    assert (change.added, change.dropped) == ((OSLO[0],), ())
    assert set(await room.other().texts(GLOBEX)) == {VALVES[0], OSLO[0]}
    assert await room.other().texts(ACME) == ["Acme sells pumps."]


async def test_content_that_is_read_again_while_merged_goes_back_with_its_entity(room: Room) -> None:
    memory_id, globex = await two(room)
    await room.merger.merge(room.principal, ACME, GLOBEX, "same firm")
    await read_again(room, memory_id, says(OSLO))
    for one in (room, room.other()):
        assert set(await one.texts(ACME)) == {"Acme sells pumps.", OSLO[0]}
    await room.facts(ACME, "Acme has two plants.")
    await read_again(room, memory_id, says(VALVES, OSLO))
    assert set(await room.other().texts(ACME)) == {"Acme sells pumps.", "Acme has two plants.", VALVES[0], OSLO[0]}
    await room.merger.split(room.principal, ACME, globex, "not so")
    for one in (room, room.other()):
        assert set(await one.texts(GLOBEX)) == {VALVES[0], OSLO[0]}
        assert set(await one.texts(ACME)) == {"Acme sells pumps.", "Acme has two plants."}
    await room.facts(GLOBEX, "Globex hires.")
    await room.forgetter.forget(room.principal, "asked to", memory_id=memory_id)
    assert await room.other().texts(GLOBEX) == ["Globex hires."]
    found = await room.search("Oslo valves")
    assert not {VALVES[0], OSLO[0]} & {one["fact"]["text"] for one in found["results"]}


async def test_what_is_read_again_deep_inside_goes_back_with_every_split(room: Room) -> None:
    memory_id, globex = await two(room)
    third = (await room.facts("company:initech.example", "Initech prints.", name="Initech"))["entity"]["ref"]
    await room.merger.merge(room.principal, "company:initech.example", GLOBEX, "same firm")
    await room.merger.merge(room.principal, ACME, "company:initech.example", "same firm")
    await read_again(room, memory_id, says(OSLO))
    assert set(await room.other().texts(ACME)) == {"Acme sells pumps.", "Initech prints.", OSLO[0]}
    await room.merger.split(room.principal, ACME, third, "not so")
    assert set(await room.other().texts("company:initech.example")) == {"Initech prints.", OSLO[0]}
    await room.merger.split(room.principal, "company:initech.example", globex, "not so")
    assert await room.other().texts(GLOBEX) == [OSLO[0]]
    assert await room.other().texts("company:initech.example") == ["Initech prints."]


async def test_a_fact_that_very_many_confirm_goes_on_when_it_is_not_read_any_more(room: Room) -> None:
    memory_id, _ = await two(room)
    for number in range(85):
        await room.facts(GLOBEX, "globex sells valves", source=f"call {number}")
    await read_again(room, memory_id, says(OSLO))
    assert {one.casefold().rstrip(".") for one in await room.other().texts(GLOBEX)} == {
        "globex sells valves",
        "globex is based in oslo",
    }


async def test_many_facts_that_others_confirm_go_on_when_they_are_not_read_any_more(room: Room) -> None:
    texts = [f"Globex sells valve V-{number}." for number in range(85)]
    model = says(*[ExtractedFact(text, text.rstrip("."), 0.9) for text in texts])
    told = await read_by(room, model, " ".join(texts) + " It is based in Oslo.")
    for number, text in enumerate(texts):
        await room.facts(GLOBEX, text, source=f"call {number}")
    await read_again(room, told["memory_id"], says(OSLO))
    known = await room.other().texts(GLOBEX, limit=100, max_tokens=8_000)
    assert set(known) == {*texts, OSLO[0]}
    assert len(known) == 86


async def test_what_was_said_to_be_replaced_or_over_stays_so_when_its_content_is_read_again(room: Room) -> None:
    told = await read_by(room, says(VALVES, OSLO))
    valves = told["facts"][0]["fact_id"]
    replacing = FactCandidate("The range was changed.", 0.9, replaces=valves)
    await room.memorize(GLOBEX, facts=[replacing, FactCandidate(OSLO[0], 0.9, ended=True)])
    assert await room.texts(GLOBEX) == [replacing.text]
    for _ in range(2):
        await read_again(room, told["memory_id"], says(VALVES, OSLO))
        assert await room.other().texts(GLOBEX) == [replacing.text]
    history = await room.other().texts(GLOBEX, include=["facts", "history"])
    assert set(history) == {replacing.text, VALVES[0], OSLO[0]}
