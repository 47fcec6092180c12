"""An answer of which a part is lost: what it may have been about is read plainly, counted, and read again later."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction_rooms import rereader_of
from interlayer.errors import Unavailable
from interlayer.memory.extraction.candidates import extract_from
from interlayer.memory.extraction.extractor import (
    Always,
    Extracted,
    ExtractedFact,
    ExtractedProperty,
    Extraction,
    ExtractionTask,
    KnownSubject,
    LostEntry,
)
from interlayer.memory.extraction.model_answer import AnswerReader
from interlayer.memory.gates.context import GateContext
from interlayer.memory.memorize.call import GateResult
from interlayer.memory.memorize.intake import gate, read_plainly
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.structured import NotInForm, parsed, whole_objects
from rooms import Room
from scripted_extractor import ScriptedExtractor

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
CONTENT = "Acme sells pumps in Norway. Acme opened an office in Lyon. Acme has 40 employees."
PUMPS = ExtractedFact("Acme sells pumps in Norway.", "sells pumps in Norway", 0.9)
LYON = ExtractedFact("Acme opened an office in Lyon.", "opened an office in Lyon", 0.9)
STAFF = ExtractedFact("Acme has 40 employees.", "has 40 employees", 0.9)
EMPLOYEES = ExtractedProperty("employees", 40, "40 employees", 0.9)
REST = LostEntry("the rest of the answer cannot be read")


def answers(*facts: ExtractedFact, lost: tuple[LostEntry, ...] = (), **more: Any) -> ScriptedExtractor:
    return ScriptedExtractor(lambda _: Extraction(facts, lost=lost, **more))


async def told(room: Room, model: ScriptedExtractor, content: str = CONTENT) -> dict[str, Any]:
    room.extractor = model
    answer: dict[str, Any] = await room.other().memorize(ACME, content=content, name="Acme")
    return answer


def added(answer: dict[str, Any]) -> list[str]:
    return [one["text"] for one in answer["facts"] if one["outcome"] == "added"]


async def test_sentences_that_no_usable_quote_touches_are_read_plainly_and_pending(room: Room) -> None:
    answer = await told(room, answers(PUMPS, lost=(REST,), properties=[]))
    assert added(answer) == [PUMPS.text, LYON.text, STAFF.text]
    assert answer["gates"] == {"checked": 5, "passed": 4, "rejected": {"not_in_form": 1}}
    assert {one["name"]: one["value"] for one in answer["properties"]} == {
        "employees": 40
    }  # stated in an open sentence
    assert answer["extractor"] == f"scripted+pending (its answer was read in part; {REST.why})"
    assert (await room.recall(ACME))["pending"]["sources"] == 1


async def test_an_entry_whose_quote_is_known_opens_its_own_sentence_alone(room: Room) -> None:
    lost = LostEntry("facts.1.confidence: has to be a number", "Acme opened an office.", "an office in Lyon")
    answer = await told(room, answers(PUMPS, lost=(lost,)))
    assert added(answer) == [PUMPS.text, LYON.text]
    (rejected,) = (one for one in answer["facts"] if one["outcome"] == "rejected")
    assert (rejected["text"], rejected["reason"]) == (lost.text, f"not_in_form: {lost.why}")


async def test_a_property_leaves_its_sentence_open_and_is_kept(room: Room) -> None:
    answer = await told(room, answers(PUMPS, LYON, lost=(REST,), properties=[EMPLOYEES]))
    assert added(answer) == [PUMPS.text, LYON.text, STAFF.text]
    assert [(one["value"], one["confidence"]) for one in answer["properties"]] == [(40, 0.9)]


async def test_only_the_passage_in_which_something_was_lost_is_open(room: Room) -> None:
    passage = CONTENT[: CONTENT.index("Acme has")]
    answer = await told(room, answers(PUMPS, lost=(LostEntry("cut", passage=passage),)))
    assert added(answer) == [PUMPS.text, LYON.text]


async def test_a_quote_that_was_not_copied_opens_the_sentence_that_it_is_like(room: Room) -> None:
    reworded = ExtractedFact(LYON.text, "they opened a new office, in Lyon", 0.9)
    answer = await told(room, answers(PUMPS, reworded))
    assert added(answer) == [PUMPS.text, LYON.text]
    assert answer["gates"]["rejected"] == {"ungrounded": 1}
    assert "+pending (" in answer["extractor"]


async def test_a_quote_that_is_like_nothing_is_turned_down_and_that_is_all(room: Room) -> None:
    invented = ExtractedFact("Acme has a plant on the moon.", "a plant on the moon", 0.9)
    answer = await told(room, answers(PUMPS, invented))
    assert added(answer) == [PUMPS.text]
    assert answer["extractor"] == "scripted"


async def test_a_known_fact_that_was_made_up_is_counted_and_its_statement_stays(room: Room) -> None:
    answer = await told(room, answers(PUMPS, unknown_facts=2))
    assert added(answer) == [PUMPS.text]
    assert answer["gates"] == {"checked": 3, "passed": 1, "rejected": {"unknown_fact": 2}}
    assert answer["extractor"] == "scripted"


async def test_what_was_lost_is_kept_for_review_without_its_secrets(room: Room) -> None:
    lost = LostEntry("facts.0.quote: is missing", "The key is AKIAQWERTYUIOPASDFGH.", "")
    answer = await told(room, answers(PUMPS, lost=(lost,)))
    assert "AKIA" not in json.dumps(answer)
    (rejected,) = await room.other().rejections.listed(room.principal)
    assert (rejected.reason.partition(":")[0], "AKIA" in str(rejected.text)) == ("not_in_form", False)


async def settle(room: Room, model: ScriptedExtractor) -> list[Any]:
    rereader = rereader_of(room.other(), Always(model))
    return [one async for one in rereader.work_off(room.principal, early=True)]


async def test_content_read_in_part_is_read_again_until_an_answer_is_whole(room: Room) -> None:
    await told(room, answers(PUMPS, lost=(REST,)))
    (why,) = await settle(room, answers(PUMPS, lost=(REST,)))
    assert why.endswith(f"its answer was read in part; {REST.why}")  # nothing new: nothing is written
    office = ExtractedFact("Acme has an office in Lyon.", LYON.quote, 0.9)
    (change,) = await settle(room, answers(PUMPS, office, lost=(REST,)))
    assert (change.changed, change.dropped) == (((LYON.text, office.text),), ())
    assert (await room.other().recall(ACME))["pending"]["sources"] == 1
    (change,) = await settle(room, answers(PUMPS, LYON))
    assert change.dropped == (STAFF.text,)  # the whole answer passes it over
    assert set(await room.other().texts(ACME)) == {PUMPS.text, LYON.text}
    assert "pending" not in await room.other().recall(ACME)
    assert await settle(room, answers(STAFF)) == []


async def test_of_a_model_that_is_never_whole_the_eighth_reading_counts(room: Room) -> None:
    model = answers(PUMPS, lost=(REST,))
    await told(room, model)
    for _ in range(7):
        assert isinstance((await settle(room, model))[0], str)
    (change,) = await settle(room, model)
    assert change.by == "scripted+plain"
    assert set(await room.other().texts(ACME)) == {PUMPS.text, LYON.text, STAFF.text}
    assert "pending" not in await room.other().recall(ACME)
    assert await settle(room, model) == []


async def test_what_a_failing_model_left_gives_way_to_a_reading_in_part(room: Room) -> None:
    def fail(_: ExtractionTask) -> Any:
        raise Unavailable("HTTP 503.")

    await told(room, ScriptedExtractor(fail))
    (change,) = await settle(room, answers(ExtractedFact("Acme sells to Norway.", PUMPS.quote, 0.9), lost=(REST,)))
    assert not isinstance(change, str)
    assert set(await room.other().texts(ACME)) == {"Acme sells to Norway.", LYON.text, STAFF.text}
    assert (await room.other().recall(ACME))["pending"]["sources"] == 1


async def test_a_reading_in_part_never_displaces_a_whole_one(room: Room) -> None:
    answer = await told(room, answers(PUMPS, LYON))
    model = answers(PUMPS, lost=(REST,))
    with pytest.raises(Unavailable, match="read in part"):
        await rereader_of(room.other(), Always(model)).read(room.principal, answer["memory_id"], model)


OBSERVED = datetime(2026, 2, 21, 10, tzinfo=UTC)
SCHEMA = starter_schema()
PLACES = ("Oslo", "Lyon", "Tampere", "Porto", "Graz")
MANGLED: tuple[dict[str, Any], ...] = (
    {"confidence": -3},
    {"text": None},
    {"text": ["Acme"]},
    {"quote": None},
    {"quote": 5, "text": 5},
    {"observed_at": {}},
    {"quote": "words that are nowhere"},
)


def extracted(text: str) -> Extracted | None:
    """Return the candidates of an answer as they come out of asking a model; None where nothing is usable."""
    reader = AnswerReader()
    try:
        found: Extraction | None = reader.read(parsed(text))
    except NotInForm as mistake:
        found = mistake.usable or reader.gather(whole_objects(text))
    if found is None:
        return None
    main = KnownSubject(ACME, ("Acme",))
    task = ExtractionTask(CONTENT, SCHEMA, main, OBSERVED, {}, bears=lambda named: named == "acme")
    read = anyio.run(partial(extract_from, ScriptedExtractor(lambda _: found), task))
    assert isinstance(read, Extracted)
    return read


def gated(content: str, found: Extracted | None) -> GateResult:
    schema = SCHEMA
    context = GateContext("company", schema.entities["company"], schema.gates, OBSERVED, "Acme", ("Acme",))
    reading = replace(read_plainly(content, OBSERVED), extracted=found, failed=None if found else "not in form")
    return gate(MemorizeRequest(entity=ACME, content=content), context, reading)


@given(st.lists(st.none() | st.sampled_from(MANGLED), min_size=5, max_size=5), st.integers(0, 900))
@settings(max_examples=150, deadline=None)
def test_no_sentence_vanishes_whatever_became_of_the_answer(mangled: list[dict[str, Any] | None], end: int) -> None:
    content = " ".join(f"Acme opened an office in {place}." for place in PLACES)
    facts = [
        {"text": f"Acme opened an office in {place}.", "quote": f"office in {place}", "confidence": 0.9, **(bad or {})}
        for place, bad in zip(PLACES, mangled, strict=True)
    ]
    result = gated(content, extracted(json.dumps({"facts": facts, "properties": []})[:end]))
    stored = " ".join(one.text for one in result.facts)
    missing = [place for place in PLACES if place not in stored]
    strays = sum(bad == MANGLED[-1] for bad in mangled)
    assert len(missing) <= result.gates.rejected["ungrounded"] <= strays  # turned down with a count, or stored
    if any(bad and bad != MANGLED[-1] for bad in mangled) or end < len(json.dumps({"facts": facts, "properties": []})):
        assert result.pending
    assert result.gates.checked == result.gates.passed + result.gates.rejected.total()


async def test_a_property_that_a_model_says_is_gone_is_cleared(room: Room) -> None:
    await told(room, answers(STAFF, properties=[EMPLOYEES]))
    assert [one["name"] for one in (await room.other().recall(ACME))["properties"]] == ["employees"]
    gone = ExtractedProperty("employees", None, "the headcount is not known any more", 0.9, remove=True)
    room.clock.now += timedelta(days=1)
    answer = await told(room, answers(properties=[gone]), "Ann says that the headcount is not known any more.")
    assert answer["gates"]["rejected"] == {}
    assert (await room.other().recall(ACME))["properties"] == []
