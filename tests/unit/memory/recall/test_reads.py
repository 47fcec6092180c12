"""Receipts of reads: each names who was shown what by ids and versions, no word of it, and costs no answer."""

import json
from datetime import timedelta
from typing import Any

import pytest

from interlayer.answers import as_json
from interlayer.audit.queries import ReceiptFilter, SoughtEntity
from interlayer.audit.reader import Audit, Sealer
from interlayer.audit.reads import READS, ReadReceipts
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Event
from interlayer.errors import NotFound, Unavailable
from interlayer.memory.memory import Memory
from interlayer.memory.requests import PropertyCandidate, RecallRequest, RelationCandidate, SearchRequest
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

JO = "contact:jo.quill@acme.example"
MIA = Principal("acme", "support-2", user="mia")
QUERY = "Where is the submarine of Jo?"


@pytest.fixture
async def told(room: Any) -> Any:
    """Return a room of an organization with a trail, in which something is known of Jo."""
    await room.trail.commit(room.principal, Event("policy.published", "policies", {}), [])
    room.first = await room.memorize(
        JO, content="Jo Quill keeps a submarine in Oslo.", properties=[PropertyCandidate("job_title", "captain", 0.9)]
    )
    room.second = await room.facts(JO, "Jo sells pumps.")
    room.ref = room.first["entity"]["ref"]
    room.audit = Audit(room.store, room.clock)
    return room


async def receipts(room: Any, *kinds: str, **sought: Any) -> list[dict[str, Any]]:
    found = await room.audit.receipts(room.principal, ReceiptFilter(kinds=kinds or READS, **sought))
    return [dict(one.body) for one in found]


async def test_a_recall_says_who_was_shown_which_facts_values_and_version(told: Any) -> None:
    answer = await told.memory.recall(MIA, RecallRequest(entity=JO, query=QUERY))
    (one,) = await receipts(told)
    assert (one["kind"], one["agent"], one["user"]) == ("recall", "support-2", "mia")
    assert one["entities"] == [
        {
            "entity": told.ref,
            "revision": answer.revision,
            "facts": [fact.fact_id for fact in answer.facts],
            "properties": {"job_title": told.first["memory_id"]},
        }
    ]
    assert "degraded" not in as_json(answer)


async def test_a_search_a_list_an_explanation_and_a_resource_leave_theirs(told: Any) -> None:
    memory: Memory = told.memory
    found = await memory.search(MIA, SearchRequest(query="submarine in Oslo"))
    await memory.list_entities(MIA, "contact", [], 20, None)
    await memory.explain_property(MIA, JO, "job_title")
    await memory.explain_fact(MIA, found.results[0].fact.fact_id)
    await memory.recall(MIA, RecallRequest(entity=told.ref), "resource")
    resource, fact, value, listed, search = await receipts(told)
    assert [one["kind"] for one in (resource, fact, value, listed, search)] == [
        "resource", "explain", "explain", "list", "search",
    ]  # fmt: skip
    assert search["entities"][0]["facts"] == [one.fact.fact_id for one in found.results]
    assert (listed["entity_type"], listed["entities"][0]["properties"]) == ("contact", ["job_title"])
    assert value["entities"] == [
        {"entity": told.ref, "properties": {"job_title": told.first["memory_id"]}, "sources": [told.first["memory_id"]]}
    ]
    assert {one["entities"][0]["entity"] for one in (resource, fact, listed)} == {told.ref}


async def test_a_recall_with_neighbours_and_a_path_name_everybody_who_was_shown(told: Any) -> None:
    company = "company:quill.example"
    await told.memorize(JO, relations=[RelationCandidate("works_at", company)])
    answer = await told.memory.recall(MIA, RecallRequest(entity=company, query=QUERY, follow=["*"]))
    way = await told.memory.find_paths(MIA, company, JO, 1)
    path, recall = await receipts(told)
    assert answer.entity
    assert answer.neighbours
    assert [one["entity"] for one in recall["entities"]] == [answer.entity.ref, told.ref]
    assert recall["entities"][1] == {
        "entity": told.ref,
        "facts": [fact.fact_id for fact in answer.neighbours[0].facts or ()],
        "properties": ["job_title"],
        "relations": 1,
    }
    assert len(way.paths) == 1
    assert path["entities"] == [{"entity": answer.entity.ref}, {"entity": told.ref, "relations": 1}]
    assert path["kind"] == "path"


async def test_no_word_of_what_was_asked_or_shown_is_in_it_and_whoever_has_the_query_can_show_it(told: Any) -> None:
    await told.memory.recall(MIA, RecallRequest(entity=JO, query=QUERY, include=["properties", "facts", "sources"]))
    await told.memory.recall(MIA, RecallRequest(entity="contact:bo.hale@acme.example", query=QUERY))
    await told.memory.search(MIA, SearchRequest(query=QUERY))
    found = await receipts(told)
    text = json.dumps(found).lower()
    words = ("quill", "hale", "acme.example", "submarine", "oslo", "captain", "pumps", "where is")
    assert not [word for word in words if word in text]
    for one in found:
        assert (await told.audit.prove(MIA, one["id"], QUERY)).field == "query_hmac"
        assert (await told.audit.prove(MIA, one["id"], QUERY + "\n")).holds
        assert not (await told.audit.prove(MIA, one["id"], QUERY + " ")).holds
    assert (await told.audit.prove(MIA, found[1]["id"], "contact:bo.hale@acme.example")).field == "asked_hmac"
    with pytest.raises(NotFound, match="rc_nothing"):
        await told.audit.prove(MIA, "rc_nothing", QUERY)


async def test_who_knew_what_at_an_instant(told: Any) -> None:
    await told.memory.recall(MIA, RecallRequest(entity=JO))
    then = told.clock.now
    told.clock.now += timedelta(days=3)
    third = await told.facts(JO, "Jo moved to Bergen.")
    await told.memory.recall(MIA, RecallRequest(entity=JO))
    await told.memory.search(Principal("acme", "sales-1"), SearchRequest(query="Bergen"))
    await told.facts("contact:other@acme.example", "Nobody knows Jo.")
    sought = SoughtEntity(refs=[told.ref])
    writer, reader = await told.audit.knowers(told.principal, sought, then)
    assert (writer.agent, writer.reads, writer.memorized[0]) == ("tester", 0, told.second["memory_id"])
    assert set(writer.memorized) == {told.first["memory_id"], told.second["memory_id"]}
    assert (reader.agent, reader.user, reader.reads, reader.revisions) == ("support-2", "mia", 1, [2])
    new = third["facts"][0]["fact_id"]
    assert new not in reader.facts
    assert reader.properties == {"job_title": [told.first["memory_id"]]}
    _, reader, searcher = await told.audit.knowers(told.principal, sought, None)
    assert (reader.reads, reader.revisions) == (2, [2, 3])
    assert new in reader.facts
    assert (searcher.agent, searcher.user, searcher.facts[0]) == ("sales-1", "", new)


async def test_receipts_are_found_by_caller_kind_entity_revision_and_time(told: Any) -> None:
    await told.memory.recall(MIA, RecallRequest(entity=JO))
    between = told.clock()
    told.clock.now += timedelta(hours=30)
    await told.facts(JO, "Jo moved to Bergen.")
    await told.memory.recall(Principal("acme", "sales-1"), RecallRequest(entity=JO))
    await told.memory.search(MIA, SearchRequest(query="pumps"))
    asked = "contact:bo.hale@acme.example"
    await told.memory.recall(MIA, RecallRequest(entity=asked))

    async def agents(*kinds: str, **sought: Any) -> list[str]:
        return [f"{one['agent']} {one['kind']}" for one in await receipts(told, *kinds, **sought)]

    jo = SoughtEntity(refs=[told.ref])
    assert await agents(user="mia", since=between) == ["support-2 recall", "support-2 search"]
    assert await agents(entity=jo, until=between) == ["support-2 recall"]
    assert await agents("recall", entity=jo) == ["sales-1 recall", "support-2 recall"]
    assert await agents(entity=jo, version=3) == ["sales-1 recall"]
    assert await agents(agent="sales-1") == ["sales-1 recall"]
    assert await agents(entity=SoughtEntity(refs=[], names=[asked])) == ["support-2 recall"]
    assert await agents("memorize", entity=jo) == ["tester memorize"] * 3


async def test_who_is_forgotten_is_not_named_by_them(told: Any) -> None:
    await told.memory.recall(MIA, RecallRequest(entity=JO, query=QUERY))
    await told.forgetter.forget(told.principal, "asked for", entity=JO)
    (one,) = await receipts(told, entity=SoughtEntity(refs=[told.ref]))
    assert "quill" not in json.dumps(one).lower()
    assert not (await told.recall(told.ref))["found"]


async def test_they_are_sealed_like_the_others(told: Any) -> None:
    await told.memory.recall(MIA, RecallRequest(entity=JO))
    told.clock.now += timedelta(minutes=1)
    assert (await Sealer(told.store, told.trail, told.clock).seal(told.principal)).receipts == 3
    (one,) = await receipts(told)
    assert (await told.audit.prove(MIA, one["id"], "")).sealed_in


async def test_an_answer_whose_receipt_cannot_be_written_says_so_and_it_is_written_later(told: Any) -> None:
    note = told.store.note

    async def away(_: Any) -> None:
        raise Unavailable("The disk is full.")

    told.store.note = away
    answer = await told.memory.recall(MIA, RecallRequest(entity=JO))
    assert answer.found
    assert answer.degraded == ("receipt: that of this read is written later: The disk is full.",)
    assert await receipts(told) == []
    told.store.note = note
    await told.memory.reads.settle()
    assert [one["kind"] for one in await receipts(told)] == ["recall"]
    await told.memory.reads.settle()
    assert len(await receipts(told)) == 1


async def test_nothing_is_shown_without_one_where_that_is_demanded(told: Any) -> None:
    async def away(_: Any) -> None:
        raise Unavailable("The disk is full.")

    told.store.note = away
    book = ReceiptBook(told.store, told.clock)
    strict = ReadReceipts(told.store, book, required=True)
    object.__setattr__(told.memory, "reads", strict)
    with pytest.raises(Unavailable, match="nothing is shown: The disk is full"):
        await told.memory.recall(MIA, RecallRequest(entity=JO))
    with pytest.raises(Unavailable, match="nothing is shown"):
        await told.memory.list_entities(MIA, "contact", [], 20, None)
