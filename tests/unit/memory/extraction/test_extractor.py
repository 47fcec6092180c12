"""When a model fails, whatever the failure, content is remembered the plain way and the answer says so."""

from typing import Any

import pytest

from interlayer.errors import Unavailable
from interlayer.memory.extraction.extractor import ExtractedFact, ExtractedProperty, Extraction, ExtractionTask
from interlayer.storage.items import Operation, VersionConflict
from scripted_extractor import ScriptedExtractor, SilentExtractor, says

pytestmark = pytest.mark.anyio

CONTENT = "Acme sells pumps. Acme is in Oslo."
GOOD = ExtractedFact("Acme sells pumps.", "Acme sells pumps", 0.9)


def raising(error: Exception) -> ScriptedExtractor:
    def answer(_: ExtractionTask) -> Any:
        raise error

    return ScriptedExtractor(answer)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (raising(Unavailable("HTTP 503. Try later.")), "HTTP 503. Try later"),
        (raising(Unavailable("key AKIAQWERTYUIOPASDFGH is not valid")), "is not valid"),
        (raising(KeyError("facts")), "KeyError"),
        (SilentExtractor(), "no answer within 0.01 s"),
        (ScriptedExtractor(lambda _: None), "NoneType"),
        (ScriptedExtractor(lambda _: {"facts": []}), "dict"),
        (ScriptedExtractor(lambda _: Extraction(["Acme"])), "str is no fact"),  # type: ignore[list-item]
        (ScriptedExtractor(lambda _: Extraction([ExtractedFact("a", "b", float("nan"))])), "confidence"),
        (ScriptedExtractor(lambda _: Extraction([ExtractedFact("a", "b", 7)])), "confidence"),
        (ScriptedExtractor(lambda _: Extraction([ExtractedFact("a\x00", "b", 0.9)])), "control character"),
        (ScriptedExtractor(lambda _: Extraction([ExtractedFact("a\ud800", "b", 0.9)])), "surrogate"),
        (ScriptedExtractor(lambda _: Extraction([ExtractedFact(None, "b", 0.9)])), "NoneType"),  # type: ignore[arg-type]
        (ScriptedExtractor(lambda _: Extraction([GOOD] * 2_001)), "over 2000"),
        (ScriptedExtractor(lambda _: Extraction([], [ExtractedProperty("a", 1, None, 1)])), "NoneType"),  # type: ignore[arg-type]
    ],
)
async def test_a_model_that_fails_costs_no_content(room: Any, model: Any, why: str) -> None:
    room.extractor = model
    answer = await room.other().memorize("company:acme.example", content=CONTENT)
    assert answer["extractor"].startswith(f"pending ({model.name} unavailable: ")
    assert why in answer["extractor"]
    assert "AKIA" not in answer["extractor"]
    assert set(await room.texts("company:acme.example")) == {"Acme sells pumps.", "Acme is in Oslo."}


async def test_recall_says_that_a_source_is_still_to_be_read_until_it_is_forgotten(room: Any) -> None:
    room.extractor = raising(Unavailable("HTTP 503."))
    process = room.other()
    await process.facts("company:acme.example", "Acme has two plants.")
    assert "pending" not in await process.recall("company:acme.example")
    answer = await process.memorize("company:acme.example", content=CONTENT)
    for one in (process, room.other()):
        pending = (await one.recall("company:acme.example", query="pumps"))["pending"]
        assert pending["sources"] == 1
        assert "still to read" in pending["why"]
    await process.forgetter.forget(process.principal, "asked to", memory_id=answer["memory_id"])
    assert "pending" not in await process.recall("company:acme.example")


async def test_a_model_that_finds_nothing_is_believed_and_the_source_kept(room: Any) -> None:
    room.extractor = says()
    answer = await room.other().memorize("company:acme.example", content=CONTENT)
    assert (answer["extractor"], answer["facts"]) == ("scripted", [])
    assert (await room.recall("company:acme.example"))["found"]


async def test_a_model_is_not_asked_without_content(room: Any) -> None:
    room.extractor = says(GOOD)
    answer = await room.other().facts("company:acme.example", "Acme sells pumps.")
    assert answer["extractor"] == "caller"
    assert not room.extractor.tasks


async def test_a_model_is_asked_once_however_often_the_write_is_tried(room: Any) -> None:
    room.extractor = says(GOOD)
    other = room.other()
    transact, failures = other.store.transact, [1, 2, 3]

    async def failing(operations: list[Operation]) -> None:
        if failures and any(operation.key.sort == "now" for operation in operations):
            failures.pop()
            raise VersionConflict([operations[0].key])
        await transact(operations)

    other.store.transact = failing
    answer = await other.memorize("company:acme.example", content=CONTENT)
    assert [one["text"] for one in answer["facts"]] == ["Acme sells pumps."]
    assert len(room.extractor.tasks) == 1
