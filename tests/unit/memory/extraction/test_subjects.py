"""What a model says of somebody goes to whom it is about, and whom it makes up or mixes up gets nothing."""

from typing import Any

import pytest

from extraction_rooms import rereader_of
from interlayer.errors import Unavailable
from interlayer.memory.extraction.extractor import (
    Always,
    ExtractedEntity,
    ExtractedFact,
    ExtractedProperty,
    ExtractedRelation,
    Extraction,
    ExtractionTask,
)
from rooms import Room
from scripted_extractor import ScriptedExtractor

pytestmark = pytest.mark.anyio

TOM = "contact:tom.becker@acme.example"
ANNA = "contact:anna.schmidt@globex.example"
CALL = (
    "Call with Tom Becker (tom.becker@acme.example), buyer at Acme Pumps. Tom wants 40 seats. "
    "Anna Schmidt (anna.schmidt@globex.example) of Globex wants ISO 27001. She reports to Marcus Reid."
)
LISTED = (
    ExtractedEntity("Acme Pumps", "company"),
    ExtractedEntity("Anna Schmidt", "contact", ("anna.schmidt@globex.example",)),
    ExtractedEntity("Globex", "company"),
    ExtractedEntity("Marcus Reid", "contact"),
)
SEATS = ExtractedFact("Tom Becker wants 40 seats.", "Tom wants 40 seats", 0.9, subject="Tom Becker")
ISO = ExtractedFact("Anna Schmidt wants ISO 27001.", "wants ISO 27001", 0.9, subject="Anna Schmidt")
REPORTS = ExtractedRelation("Anna Schmidt", "reports to", "Marcus Reid", "She reports to Marcus Reid", 0.9)


async def told(
    room: Room,
    *facts: ExtractedFact,
    entity: str = TOM,
    content: str = CALL,
    entities: tuple[ExtractedEntity, ...] = LISTED,
    **more: Any,
) -> dict[str, Any]:
    room.extractor = ScriptedExtractor(lambda _: Extraction(facts, entities=entities, **more))
    answer: dict[str, Any] = await room.other().memorize(entity, content=content, name="Tom Becker")
    return answer


async def texts(room: Room, entity: str) -> list[str]:
    recalled = await room.other().recall(entity)
    return [one["text"] for one in recalled["facts"]] if recalled["found"] else []


def reasons(answer: dict[str, Any]) -> list[str]:
    parts = [*answer["facts"], *answer["properties"]]
    return [one["reason"] for one in parts if one["outcome"] == "rejected"]


async def test_each_statement_goes_to_whom_it_is_about(room: Room) -> None:
    title = ExtractedProperty("job_title", "buyer", "buyer at Acme Pumps", 0.9, subject="Tom Becker")
    answer = await told(room, SEATS, ISO, properties=[title], relations=[REPORTS])
    assert answer["gates"]["rejected"] == {}
    assert await texts(room, TOM) == [SEATS.text]
    assert await texts(room, ANNA) == [ISO.text]
    recalled = await room.other().recall(ANNA)
    assert recalled["entity"]["name"] == "Anna Schmidt"
    (relation,) = recalled["relations"]
    assert (relation["type"], relation["memory_id"]) == ("reports_to", answer["memory_id"])
    assert await texts(room, "contact:Marcus Reid") == []
    assert (await room.other().recall("contact:Marcus Reid"))["found"]


async def test_a_statement_without_a_subject_is_of_the_main_entity(room: Room) -> None:
    await told(room, ExtractedFact("Tom Becker wants 40 seats.", "Tom wants 40 seats", 0.9))
    assert await texts(room, TOM) == [SEATS.text]


async def test_properties_are_of_the_type_of_their_subject(room: Room) -> None:
    staff = ExtractedProperty("employees", 320, "320 employees", 0.9, subject="Acme Pumps")
    title = ExtractedProperty("job_title", "buyer", "buyer at Acme Pumps", 0.9, subject="Acme Pumps")
    content = f"{CALL} Acme Pumps has 320 employees."
    answer = await told(room, SEATS, content=content, properties=[staff, title])
    assert [one["value"] for one in (await room.other().recall("company:Acme Pumps"))["properties"]] == [320]
    assert answer["gates"]["rejected"] == {"unknown_property": 1}


@pytest.mark.parametrize(
    "fact",
    [
        ExtractedFact("Tom Becker wants ISO 27001.", "wants ISO 27001", 0.9, subject="Tom Becker"),
        ExtractedFact("ISO 27001 is a must.", "wants ISO 27001", 0.9, subject="Tom Becker"),
        ExtractedFact("Tom Becker wants ISO 27001.", "wants ISO 27001", 0.9),
        ExtractedFact("Anna Schmidt wants 40 seats.", "Tom wants 40 seats", 0.9, subject="Anna Schmidt"),
        ExtractedFact("Marcus Reid wants ISO 27001.", "wants ISO 27001", 0.9, subject="Marcus Reid"),
        ExtractedFact("Globex wants 40 seats.", "Tom wants 40 seats", 0.9, subject="Globex"),
    ],
)
async def test_what_the_content_says_of_another_is_nobodys(room: Room, fact: ExtractedFact) -> None:
    answer = await told(room, SEATS, fact)
    assert answer["gates"]["rejected"] == {"other_entity": 1}
    assert await texts(room, TOM) == [SEATS.text]
    for other in (ANNA, "contact:Marcus Reid", "company:Globex"):
        assert await texts(room, other) == []


@pytest.mark.parametrize(
    "invented",
    [
        ExtractedEntity("Eve Stone", "contact"),
        ExtractedEntity("Eve Stone", "contact", ("eve@evil.example",)),
        ExtractedEntity("Eve Stone", "contact", ("anna.schmidt@globex.example",)),
        ExtractedEntity("Reid", "contact"),
        ExtractedEntity("buyer", "contact"),
        ExtractedEntity("Okta Moon", "planet"),
    ],
)
async def test_whom_the_content_does_not_name_is_not_created(room: Room, invented: ExtractedEntity) -> None:
    fact = ExtractedFact("ISO 27001 is wanted.", "wants ISO 27001", 0.9, subject=invented.name)
    answer = await told(room, SEATS, fact, entities=(invented,))
    assert answer["gates"]["rejected"] == {"other_entity": 1}
    assert await texts(room, TOM) == [SEATS.text]
    assert await texts(room, ANNA) == []
    for entity in (f"contact:{invented.name}", "contact:eve@evil.example"):
        if entity != "contact:Reid":
            assert not (await room.other().recall(entity))["found"]


async def test_the_address_of_one_does_not_make_another_of_him(room: Room) -> None:
    mixed = ExtractedEntity("Tom Becker", "contact", ("anna.schmidt@globex.example",))
    of_tom = ExtractedFact("ISO 27001 is wanted.", "wants ISO 27001", 0.9, subject="Tom Becker")
    of_anna = ExtractedFact("40 seats are wanted.", "Tom wants 40 seats", 0.9, subject="anna.schmidt@globex.example")
    answer = await told(room, SEATS, of_tom, of_anna, entities=(*LISTED, mixed))
    assert answer["gates"]["rejected"] == {"other_entity": 2}
    assert (await texts(room, TOM), await texts(room, ANNA)) == ([SEATS.text], [])


async def test_a_domain_that_gives_mailboxes_to_anybody_is_no_company(room: Room) -> None:
    listed = (ExtractedEntity("Gmail", "company", ("gmail.com",)),)
    content = "Tom Becker writes from tom.becker@gmail.com. Tom wants 40 seats."
    await told(room, SEATS, ExtractedFact("Mails come from it.", "tom.becker@gmail.com", 0.9, subject="Gmail"),
               content=content, entities=listed)  # fmt: skip
    assert not (await room.other().recall("company:gmail.com"))["found"]


async def test_a_known_entity_is_neither_renamed_nor_given_another_type(room: Room) -> None:
    await room.memorize("company:globex.example", name="Globex", facts=[], identifiers={"vat_id": "DE12345678"})
    listed = (
        ExtractedEntity("Globex", "contact"),
        ExtractedEntity("Globex Corporation", "company", ("globex.example",)),
    )
    content = "Globex Corporation (globex.example) buys Acme Pumps. Tom signs."
    fact = ExtractedFact("Globex Corporation buys Acme Pumps.", "buys Acme Pumps", 0.9, subject="Globex Corporation")
    await told(room, fact, content=content, entities=listed)
    recalled = await room.other().recall("company:globex.example")
    assert (recalled["entity"]["name"], [one["text"] for one in recalled["facts"]]) == ("Globex", [fact.text])
    assert not (await room.other().recall("contact:Globex"))["found"]


async def test_of_two_of_one_name_neither_gets_what_may_be_of_the_other(room: Room) -> None:
    other = ExtractedEntity("Tom Becker", "contact", ("t.becker@globex.example",))
    content = "Tom Becker called. Tom Becker (t.becker@globex.example) wants SAP. He has 12 users."
    fact = ExtractedFact("Tom Becker has 12 users.", "He has 12 users", 0.9, subject="Tom Becker")
    known = ExtractedFact("Tom Becker wants SAP.", "wants SAP", 0.9, subject="t.becker@globex.example")
    answer = await told(room, fact, known, content=content, entities=(other,))
    assert reasons(answer) == ["other_entity: several are called Tom Becker"]
    assert await texts(room, TOM) == []
    assert await texts(room, "contact:t.becker@globex.example") == [known.text]


async def test_a_name_that_several_bear_gets_nothing_and_fails_no_call(room: Room) -> None:
    for host in ("acme", "globex"):
        await room.memorize(f"contact:anna@{host}.example", name="Anna Schmidt", facts=[], identifiers={"crm_id": host})
    listed = (ExtractedEntity("Anna Schmidt", "contact"),)
    fact = ExtractedFact("Anna Schmidt wants SAP.", "Anna Schmidt wants SAP", 0.9, subject="Anna Schmidt")
    content = "Tom wants 40 seats. Anna Schmidt wants SAP."
    answer = await told(room, SEATS, fact, content=content, entities=listed)
    assert answer["gates"]["rejected"] == {"other_entity": 1}
    for host in ("acme", "globex"):
        assert await texts(room, f"contact:anna@{host}.example") == []


@pytest.mark.parametrize(
    ("relation", "code"),
    [
        (
            ExtractedRelation("Tom Becker", "reports_to", "Marcus Reid", "She reports to Marcus Reid", 0.9),
            "other_entity",
        ),
        (ExtractedRelation("Anna Schmidt", "reports_to", "Eve", "She reports to Marcus Reid", 0.9), "other_entity"),
        (ExtractedRelation("Anna Schmidt", "works_at", "Acme Pumps", "Anna Schmidt", 0.9), "other_entity"),
        (ExtractedRelation("Tom Becker", "works_at", "Acme Pumps", "he works at Acme", 0.9), "ungrounded"),
        (ExtractedRelation("Tom Becker", "works_at", "Acme Pumps", "buyer at Acme Pumps", 0.2), "low_confidence"),
        (ExtractedRelation("Tom Becker", "***", "Acme Pumps", "buyer at Acme Pumps", 0.9), "not_in_form"),
    ],
)
async def test_a_relation_that_the_content_does_not_state_is_turned_down(
    room: Room, relation: ExtractedRelation, code: str
) -> None:
    answer = await told(room, SEATS, relations=[relation])
    assert answer["gates"]["rejected"] == {code: 1}
    recalled = await room.other().recall(TOM if relation.source == "Tom Becker" else ANNA)
    made = [(one["type"], one["name"]) for one in recalled.get("relations", ())]
    assert (relation.type, relation.target) not in made


async def test_a_pronoun_is_of_whom_the_sentence_before_names(room: Room) -> None:
    of_tom = ExtractedFact("Tom Becker reports to Marcus Reid.", "She reports to Marcus Reid", 0.9)
    of_anna = ExtractedFact("Anna Schmidt reports to Marcus Reid.", "She reports to Marcus Reid", 0.9, subject=ANNA)
    answer = await told(room, of_tom, of_anna)
    assert reasons(answer) == ["other_entity: the content says it of Anna Schmidt"]
    assert (await texts(room, TOM), await texts(room, ANNA)) == ([], [of_anna.text])


async def test_a_relation_that_is_denied_or_over_is_not_taken_for_current(room: Room) -> None:
    content = "Tom Becker no longer works at Acme Pumps."
    relation = ExtractedRelation("Tom Becker", "works_at", "Acme Pumps", "no longer works at Acme Pumps", 0.9)
    answer = await told(room, content=content, relations=[relation])
    assert answer["gates"]["rejected"] == {"ungrounded": 1}
    assert (await room.other().recall(TOM)).get("relations", []) == []


async def test_a_later_reading_is_of_the_main_entity_alone(room: Room) -> None:
    def fail(_: ExtractionTask) -> Any:
        raise Unavailable("HTTP 503.")

    room.extractor = ScriptedExtractor(fail)
    await room.other().memorize(TOM, content=CALL, name="Tom Becker")
    plain = await texts(room, ANNA)
    model = ScriptedExtractor(lambda _: Extraction((SEATS, ISO), entities=LISTED))
    rereader = rereader_of(room.other(), Always(model))
    (change,) = [one async for one in rereader.work_off(room.principal, early=True)]
    assert not isinstance(change, str)
    assert change.rejected == {"other_entity": 1}
    assert (await texts(room, TOM), await texts(room, ANNA)) == ([SEATS.text], plain)
