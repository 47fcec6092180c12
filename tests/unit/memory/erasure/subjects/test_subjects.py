"""A person who asks: where she is held, a copy of it, and her erasure from everything, with what is left and why."""

import json
from typing import Any

import pytest

from interlayer.answers import as_json
from interlayer.audit.reader import Audit
from interlayer.errors import Ambiguous, NotFound, Refused, Unavailable
from interlayer.memory.erasure.reasons import read_reason
from interlayer.memory.erasure.subjects.subject import Request
from interlayer.memory.requests import MemorizeRequest, PropertyCandidate, RelationCandidate
from interlayer.principal import Principal

pytestmark = pytest.mark.anyio

LISA = "contact:lisa.vogt@example.com"
ACME = "company:acme.example"
TOM = "contact:tom@acme.example"
RENEWAL: dict[str, Any] = {
    "name": "Renewal Lisa Vogt",
    "properties": [PropertyCandidate("stage", "proposal", 0.9)],
    "content": "Call QZ-77 or 0049 30 1234567 before Friday.",
    "idempotency_key": "d9",
}
WHY = read_reason("subject_request", "DPO-7")
MAIL = "Hello Tom, it is Jens Krueger now, no longer Lisa Vogt. Her address lisa.vogt@example.com is off."


async def fill(room: Any) -> None:
    await room.memorize(
        LISA,
        content="Lisa signs contracts. Lisa lives in Xanthia.",
        name="Lisa Vogt",
        identifiers={"phone": "+49 30 1234567", "crm_id": "QZ-77"},
        properties=[PropertyCandidate("location", "Xanthia", 0.9)],
        relations=[RelationCandidate("works_at", ACME)],
        idempotency_key="l1",
    )
    await room.facts(ACME, "Jens Krueger signs for Acme now, no longer Lisa Vogt.", "Acme sells pumps.")
    await room.memorize(TOM, content=MAIL, source="mail of Lisa Vogt", name="Tom Becker", idempotency_key="lisa vogt 1")
    await room.memorize(TOM, relations=[RelationCandidate("reports_to", LISA)])
    await room.memorize("deal:D-9", **RENEWAL)


def request(person: str = LISA, **more: Any) -> Request:
    return Request(person, **more)


async def find(room: Any, asked: Request) -> Any:
    return await room.memory.subjects.finder.find("acme", await room.memory.subjects.who.resolve("acme", asked))


async def erase(room: Any, asked: Request, **more: Any) -> Any:
    return await room.memory.subjects.eraser.erase(room.principal, asked, WHY, **more)


async def ref(room: Any, entity: str) -> str:
    return str((await room.recall(entity))["entity"]["ref"])


async def test_every_mention_is_found_by_identifier_and_by_name(room: Any) -> None:
    await fill(room)
    report = await find(room, request())
    acme, tom, deal = [await ref(room, one) for one in (ACME, TOM, "deal:D-9")]
    assert {(one.entity, one.place, one.certainty) for one in report.mentions} >= {
        (acme, "fact", "likely"),
        (tom, "fact", "certain"),
        (tom, "content", "certain"),
        (tom, "source", "likely"),
        (tom, "relation", "certain"),
        (deal, "name", "likely"),
        (deal, "content", "certain"),
        (deal, "fact", "certain"),
    }
    assert [one.entity for one in report.own] == [await ref(room, LISA)]
    assert report.receipts > 0
    assert report.identifiers == ("lisa.vogt@example.com", "+49301234567", "qz-77")


@pytest.mark.parametrize("person", ["Lisa Vogt", "lisa.vogt@example.com", "QZ-77", "+49 30 1234567"])
async def test_a_person_is_found_by_whatever_is_known(room: Any, person: str) -> None:
    await fill(room)
    assert [one.entity for one in (await find(room, request(person))).own] == [await ref(room, LISA)]


async def test_somebody_who_is_no_entity_is_found_where_she_is_named(room: Any) -> None:
    await room.facts(ACME, "Ask Mia Wong or mia@acme.example for the keys.")
    for person, certainty in (("Mia Wong", "likely"), ("mia@acme.example", "certain")):
        report = await find(room, request(person))
        assert report.own == ()
        assert {(one.place, one.certainty) for one in report.mentions} == {("fact", certainty)}


async def test_who_is_meant_by_a_name_that_several_bear_is_asked(room: Any) -> None:
    await room.facts("contact:a@acme.example", "Likes tea.", name="Kim Park")
    await room.facts("contact:b@acme.example", "Likes coffee.", name="Kim Park")
    with pytest.raises(Ambiguous):
        await find(room, request("Kim Park"))


@pytest.mark.on_disk
async def test_nothing_of_an_erased_person_is_left_in_any_file(room: Any) -> None:
    await fill(room)
    before = room.place.raw()
    assert b"Vogt" in before
    assert b"Xanthia" in before
    certificate = await erase(room, request())
    left = room.place.raw().lower()
    for word in (b"vogt", b"xanthia", b"lisa.vogt@", b"qz-77", b"1234567"):
        assert word not in left, word
    assert certificate.erased["entities"].count == 1
    assert certificate.redacted["facts"].count >= 3
    assert certificate.redacted["contents"].count == 2
    assert {one.what for one in certificate.left} <= {"receipts", "audit events", "backups and exports"}
    assert "vogt" not in str(as_json(certificate)).lower()
    assert (await Audit(room.store, room.clock).verify(room.principal)).faults == []


async def test_what_others_say_is_kept_without_the_person(room: Any) -> None:
    await fill(room)
    await erase(room, request())
    other = room.other()
    assert sorted(await other.texts(ACME)) == [
        "Acme sells pumps.",
        "Jens Krueger signs for Acme now, no longer [erased person].",
    ]
    tom = await other.recall(TOM, include=["facts", "relations", "sources"])
    assert [(one["type"], one["name"]) for one in tom["relations"]] == [("works_at", "acme.example")], "by his address"
    assert "[erased person]" in str(tom["facts"])
    deal = await other.recall("deal:D-9")
    assert deal["entity"]["name"] == "Renewal [erased person]"
    assert deal["properties"][0]["value"] == "proposal"
    found = await other.search("who signs for Acme now?")
    assert "Jens Krueger signs for Acme now, no longer [erased person]." in {
        one["fact"]["text"] for one in found["results"]
    }
    assert not (await other.recall(LISA))["found"]
    assert not (await other.recall("deal:Renewal Lisa Vogt"))["found"]
    again = await other.memorize("deal:D-9", **RENEWAL)
    assert again["replayed"]
    assert "QZ-77" not in str(again)
    made = await room.rebuild()
    assert (made.added, made.removed) == (0, 0)


async def test_the_certificate_is_an_event_that_names_nobody(room: Any) -> None:
    await fill(room)
    certificate = await erase(room, request())
    events = [item.body for item in await room.trail.tail("acme", 50)]
    assert "vogt" not in str(events).lower()
    event = events[0]
    assert (event["type"], event["number"], event["hash"]) == (
        "subject.erased",
        certificate.event,
        certificate.event_hash,
    )
    assert await room.memory.subjects.eraser.certificate(room.principal, certificate.case) == certificate
    with pytest.raises(NotFound):
        await room.memory.subjects.eraser.certificate(room.principal, "d_none")


async def test_another_person_of_the_same_name_is_left_alone_unless_she_is_the_same(room: Any) -> None:
    await fill(room)
    namesake = "contact:lisa@other.example"
    await room.facts(namesake, "Lisa Vogt sings in a choir.", name="Lisa Vogt")
    certificate = await erase(room, request())
    assert await room.other().texts(namesake) == ["Lisa Vogt sings in a choir."]
    assert any("bears the same name" in one.why for one in certificate.left)
    again = await erase(room, request(namesake))
    assert again.erased["entities"].count == 1


async def test_only_certain_mentions_are_redacted_where_that_is_asked(room: Any) -> None:
    await fill(room)
    certificate = await erase(room, request(only_certain=True))
    texts = await room.other().texts(ACME)
    assert "Jens Krueger signs for Acme now, no longer Lisa Vogt." in texts
    assert "QZ-77" not in str(await room.other().texts("deal:D-9"))
    assert any("by name only" in one.why for one in certificate.left)


async def test_excluded_and_held_entities_are_left_alone_and_named(room: Any) -> None:
    await fill(room)
    acme, deal = await ref(room, ACME), await ref(room, "deal:D-9")
    entity = await room.memory.subjects.who.entity("acme", "deal:D-9")
    await room.memory.safeguards.holds.place(room.principal, entity, WHY)
    certificate = await erase(room, request(excluded=(acme,)))
    reasons = {one.what: one.why for one in certificate.left}
    assert "was left alone by --exclude" in reasons[f"fact of {acme}"]
    assert "legal hold" in reasons[f"content of {deal}"]
    assert "QZ-77" in str(await room.other().texts("deal:D-9"))


async def test_a_person_under_legal_hold_is_not_erased(room: Any) -> None:
    await fill(room)
    await room.memory.safeguards.holds.place(room.principal, await room.memory.subjects.who.entity("acme", LISA), WHY)
    with pytest.raises(Refused, match="legal hold"):
        await erase(room, request())
    assert (await room.recall(LISA))["found"]
    assert "Lisa Vogt" in str(await room.texts(ACME))


async def test_an_erasure_goes_by_the_preview_that_was_shown(room: Any) -> None:
    await fill(room)
    preview = await room.memory.subjects.eraser.preview(room.principal, request())
    assert (preview.erased, preview.redacted > 5) == (1, True)
    await room.facts(TOM, "Lisa Vogt called again.")
    with pytest.raises(Refused, match="preview"):
        await erase(room, request(), token=preview.token)
    assert (await room.recall(LISA))["found"]
    preview = await room.memory.subjects.eraser.preview(room.principal, request())
    assert (await erase(room, request(), token=preview.token)).erased["entities"].count == 1


async def test_rejected_candidates_and_claims_go_as_well(room: Any) -> None:
    await fill(room)
    await room.memorize(ACME, properties=[PropertyCandidate("no_such_property", "Lisa Vogt", 0.9)])
    await room.facts("contact:max@acme.example", "Max likes tea.")
    await room.memorize("contact:max@acme.example", identifiers={"email": "lisa.vogt@example.com"}, name="Max Roe")
    places = {one.place for one in (await find(room, request())).mentions}
    assert {"rejected", "conflict"} <= places
    await erase(room, request())
    everything = [item.body async for item in room.store.scan("memory", "acme#")]
    assert "vogt" not in str(everything).lower()


@pytest.mark.parametrize("step", range(8))
async def test_an_erasure_that_was_killed_is_completed_by_the_next_one(room: Any, step: int) -> None:
    await fill(room)
    commit, left = room.trail.commit, step

    async def commit_or_die(*given: Any) -> None:
        nonlocal left
        if not left:
            raise Unavailable("killed")
        left -= 1
        await commit(*given)

    room.trail.commit = commit_or_die
    try:
        await erase(room, request())
    except Unavailable:
        room.trail.commit = commit
        await erase(room.other(), request())
    everything = [item.body async for item in room.store.scan("memory", "acme#")]
    assert "vogt" not in str(everything).lower()
    assert [item async for item in room.store.scan("memory", "acme#d")] == []
    event = (await room.trail.tail("acme", 1))[0].body
    assert event["type"] == "subject.erased"
    assert event["detail"]["erased"]["entities"]["count"] == 1


async def test_the_copy_for_the_person_holds_all_that_is_hers(room: Any) -> None:
    await fill(room)
    records = [one async for one in room.memory.subjects.dossier.records(room.principal, request())]
    kinds = [one.record for one in records]
    assert (kinds[0], kinds[-1], records[-1].body["records"]) == ("header", "end", len(records))
    assert {"entity", "memory", "content", "mention", "receipt"} <= set(kinds)
    text = json.dumps([one.body for one in records])
    for words in ("Xanthia", "no longer Lisa Vogt", "mail of Lisa Vogt", "QZ-77"):
        assert words in text
    assert "Acme sells pumps." not in text


async def test_what_could_be_taken_back_is_erased_for_good(graced: Any) -> None:
    await fill(graced)
    await graced.forgetter.forget(graced.principal, "mistake", entity=LISA)
    [case] = await graced.memory.safeguards.grace.listed("acme")
    await erase(graced, request("Lisa Vogt", names=("lisa.vogt@example.com",)))
    assert await graced.memory.safeguards.grace.listed("acme") == []
    with pytest.raises(NotFound):
        await graced.memory.safeguards.grace.restore(graced.principal, case.id)


async def test_who_looked_at_a_person_is_on_record(room: Any) -> None:
    await fill(room)
    await room.memory.subjects.finder.report(room.principal, request())
    receipts = [item.body async for item in room.store.scan("audit", "acme#receipts")]
    [looked] = [body for body in receipts if body["kind"] == "subject"]
    assert await ref(room, LISA) in str(looked)
    assert "vogt" not in str(looked).lower()


async def test_a_person_of_whom_nothing_is_held_is_told_so(room: Any) -> None:
    await fill(room)
    report = await find(room, request("nobody@example.org"))
    assert (report.own, report.mentions) == ((), ())


async def test_what_only_a_team_or_nobody_else_may_see_is_redacted_as_well(room: Any) -> None:
    await fill(room)
    for visibility in ("private", "team:sales"):
        caller = Principal("acme", "tester", teams=frozenset({"sales"}))
        given = MemorizeRequest(
            entity="deal:D-9", name="Secret of Lisa Vogt", content="Lisa Vogt may leave.", visibility=visibility
        )
        await room.memorizer.memorize(caller, given)
    await erase(room, request())
    everything = [item.body async for item in room.store.scan("memory", "acme#")]
    assert "vogt" not in str(everything).lower()
