"""The receipt of a memorize call: written with it or not at all, and without a word of what was said."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from interlayer.errors import InvalidInput, Unavailable
from interlayer.memory.extraction.extractor import ExtractedFact
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.storage.items import Key, VersionConflict
from scripted_extractor import says

pytestmark = pytest.mark.anyio

JO = "contact:jo.quill@acme.example"


async def receipts(room: Any) -> list[dict[str, Any]]:
    """Return the receipts by the ids of their memories, in the order of their making."""
    found = [item async for item in room.store.scan("audit", "acme#receipts#")]
    assert all(item.body["at"] for item in found)
    return [dict(item.body) for item in sorted(found, key=lambda item: item.key.sort)]


async def test_every_call_leaves_one_with_what_became_of_it(room: Any) -> None:
    first = await room.facts(JO, "Jo sells pumps.", "???", source="call")
    second = await room.memorize(
        JO,
        facts=[FactCandidate("Jo SELLS pumps", 0.9)],
        properties=[PropertyCandidate("job_title", "captain", 0.9)],
        relations=[RelationCandidate("works_at", "company:acme.example")],
    )
    one, other = await receipts(room)
    assert (one["kind"], one["agent"], one["memory_id"]) == ("memorize", "tester", first["memory_id"])
    assert one["entity"] == other["entity"] == first["entity"]["ref"]
    assert (one["facts"], one["properties"], one["relations"]) == ({"added": 1}, {}, 0)
    assert (sum(one["rejected"].values()), one["has_source"]) == (1, True)
    assert other["memory_id"] == second["memory_id"]
    assert (other["facts"], other["properties"], other["relations"]) == ({"merged": 1}, {"set": 1}, 1), (
        "and whose she is"
    )
    assert (other["rejected"], other["has_source"]) == ({}, False)


async def test_it_holds_no_word_and_whoever_has_the_words_can_show_it(room: Any) -> None:
    content = "Jo Quill keeps a submarine in Oslo."
    await room.memorize(JO, content=content, name="Jo Quill", source="mailbox of Bea")
    await room.facts(JO, "Jo sells pumps.", "Jo likes tea.")
    found = await receipts(room)
    text = json.dumps(found).lower()
    assert not [word for word in ("quill", "submarine", "oslo", "mailbox", "pumps", "tea") if word in text]
    key = bytes.fromhex((await room.store.get(Key("governance", "acme#policies", "receipt-key"))).body["key"])
    said = [content, "Jo sells pumps.\nJo likes tea."]
    assert [one["content_hmac"] for one in found] == [
        hmac.new(key, words.encode(), hashlib.sha256).hexdigest() for words in said
    ]


async def test_a_call_of_which_nothing_is_left_names_nobody(room: Any) -> None:
    await room.facts(JO, "???")
    (one,) = await receipts(room)
    assert (one["entity"], one["facts"]) == (None, {})
    assert one["rejected"]
    assert "quill" not in json.dumps(one)


async def test_a_call_that_failed_or_was_made_before_leaves_none(room: Any) -> None:
    await room.facts(JO, "Jo sells pumps.", idempotency_key="k")
    assert (await room.facts(JO, "Jo sells pumps.", idempotency_key="k"))["replayed"]
    with pytest.raises(InvalidInput):
        await room.facts("nobody", "Jo sells pumps.")
    transact = room.store.transact

    async def away(_: Any) -> None:
        raise Unavailable("away")

    room.store.transact = away
    with pytest.raises(Unavailable):
        await room.facts(JO, "Jo sells valves.")
    room.store.transact = transact
    assert len(await receipts(room)) == 1


async def test_a_lost_race_leaves_one(room: Any) -> None:
    await room.facts(JO, "Jo sells pumps.")
    transact, failures = room.store.transact, [1, 2]

    async def failing(operations: Any) -> None:
        if failures:
            failures.pop()
            raise VersionConflict([operations[0].key])
        await transact(operations)

    room.store.transact = failing
    await room.facts(JO, "Jo sells valves.")
    assert [one["facts"] for one in await receipts(room)] == [{"added": 1}] * 2


async def test_an_admission_has_its_receipt_and_the_trail_names_nobody_who_was_not_remembered(room: Any) -> None:
    floating = [ExtractedFact(text, "It grew", 0.8) for text in ("Its plant opens soon.", "Its plant is green.")]
    room.extractor = says(*floating)
    await room.other().memorize(JO, content="Acme sells pumps. It grew.")
    one, other = [one.id for one in await room.rejections.listed(room.principal)]
    await room.rejections.dismiss(room.principal, one)
    answer = await room.rejections.admit(room.principal, other, "he said so")
    _, admitted = await receipts(room)
    assert (admitted["memory_id"], admitted["entity"]) == (answer.memory_id, answer.entity.ref)
    events = [item.body for item in await room.trail.tail("acme", 10)]
    assert [(one["type"], one["subject"]) for one in events] == [
        ("memory.admitted", "contact"),
        ("memory.dismissed", "contact"),
    ]
