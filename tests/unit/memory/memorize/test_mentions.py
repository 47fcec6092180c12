"""Whom a content tells of, found without a model: each statement at the entity it is about, nobody invented."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlayer.documents.reader import read
from interlayer.errors import InvalidInput
from interlayer.memory.log import keys
from interlayer.memory.memorize.mentions.people import introductions, looks_like_person
from interlayer.memory.memorize.mentions.surface import Surface
from interlayer.memory.projection.names import fill_names
from interlayer.storage.items import Delete

pytestmark = pytest.mark.anyio

KNOWN = {
    "company:acme.example": "Acme Corp",
    "company:acmelabs.example": "Acme Labs",
    "company:nordwind.example": "Nordwind Logistik GmbH",
    "company:vertex.example": "Vertex SAS",
    "contact:jane.miller@acme.example": "Jane Miller",
    "contact:jane.ross@acme.example": "Jane Ross",
    "contact:robert.hill@acme.example": "Robert Hill",
    "contact:paul.weber@nordwind.example": "Paul Weber",
    "contact:p.weber@acmelabs.example": "Paul Weber",
    "contact:luc.martin@vertex.example": "Luc Martin",
    "deal:D-900": "Acme renewal",
}
JANE, ROSS = "contact:jane.miller@acme.example", "contact:jane.ross@acme.example"
PAUL, ACME = "contact:paul.weber@nordwind.example", "company:acme.example"


@pytest.fixture
async def known(room: Any) -> Any:
    for entity, name in KNOWN.items():
        kind, _, key = entity.partition(":")
        identifier = {"company": "domain", "contact": "email"}.get(kind, "deal_id")
        await room.memorize(entity, name=name, identifiers={identifier: key})
    return room


async def tell(room: Any, entity: str | None, content: str) -> dict[str, list[str]]:
    """Memorize a content; return the statements by the name of whom they were kept for, the main entity first."""
    answer = await room.memorize(entity, content=content)
    reached = [answer, *answer.get("also", ())]
    return {one["entity"]["name"]: [fact["text"] for fact in one["facts"]] for one in reached}


async def related(room: Any, entity: str) -> list[tuple[str, str]]:
    answer = await room.recall(entity, include=["relations"])
    found = []
    for one in answer["relations"]:
        end = await room.recall(one.get("target") or one["source"], limit=1)
        found.append((one["type"], end["entity"]["name"]))
    return sorted(found)


@pytest.mark.parametrize(
    ("entity", "content", "expected"),
    [
        (
            JANE,
            (
                "From: Jane Miller <jane.miller@acme.example>\nSubject: Renewal\n\nHi team,\n\nwe have 300 users now. "
                "Jane Ross will take over the project in June. I am moving to Boston.\n\nBest regards,\nJane Miller"
            ),
            {
                "Jane Miller": ["I am moving to Boston."],
                "Acme Corp": ["we have 300 users now."],
                "Jane Ross": ["Jane Ross will take over the project in June."],
            },
        ),
        (
            None,
            (
                "Telefonat mit Paul Weber (Nordwind Logistik). Er ist Einkaufsleiter. Nordwind hat 120 Fahrzeuge. "
                "Das Budget liegt bei 80.000 Euro. Herr Weber möchte im Mai beginnen."
            ),
            {
                "Paul Weber": [
                    "Telefonat mit Paul Weber (Nordwind Logistik).",
                    "Er ist Einkaufsleiter.",
                    "Herr Weber möchte im Mai beginnen.",
                ],
                "Nordwind Logistik GmbH": ["Nordwind hat 120 Fahrzeuge.", "Das Budget liegt bei 80.000 Euro."],
            },
        ),
        (
            None,
            "Appel avec Luc Martin, directeur technique chez Vertex. Il veut un essai. Ils ont 45 utilisateurs.",
            {
                "Luc Martin": [
                    "Appel avec Luc Martin, directeur technique chez Vertex.",
                    "Il veut un essai.",
                ],
                "Vertex SAS": ["Ils ont 45 utilisateurs."],
            },
        ),
        (
            "contact:ines.garcia@solmar.example",
            (
                "De: Inés García <ines.garcia@solmar.example>\nAsunto: Oferta\n\nBuenos días,\n"
                "necesito la oferta antes del viernes. Prefiero hablar por la tarde.\n\nUn saludo,\nInés"
            ),
            {"Inés García": ["necesito la oferta antes del viernes.", "Prefiero hablar por la tarde."]},
        ),
        (
            ACME,
            (
                "[09:00] Rep: How many seats do you need?\n[09:01] Jane Miller: We need 40 seats.\n"
                "[09:02] Rep: We can give 10 percent."
            ),
            {"Acme Corp": ["Jane Miller: We need 40 seats.", "Rep: We can give 10 percent."]},
        ),
        (
            "deal:D-900",
            "Jane Miller confirmed the budget of $90,000. Stage: negotiation. We offered 5% discount.",
            {
                "Acme renewal": ["Stage: negotiation.", "We offered 5% discount."],
                "Jane Miller": ["Jane Miller confirmed the budget of $90,000."],
            },
        ),
        (
            JANE,
            "Prefers calls in the morning. Budget is $50,000. Likes golf.",
            {"Jane Miller": ["Prefers calls in the morning.", "Budget is $50,000.", "Likes golf."]},
        ),
    ],
    ids=["mail", "german call", "french call", "spanish mail", "chat", "note on a deal", "subjects left out"],
)
async def test_a_statement_goes_to_whom_it_is_about(
    known: Any, entity: str | None, content: str, expected: dict[str, list[str]]
) -> None:
    if entity and "solmar" in entity:
        await known.memorize(
            "contact:ines.garcia@solmar.example",
            name="Inés García",
            identifiers={"email": "ines.garcia@solmar.example"},
        )
    assert await tell(known, entity, content) == expected


async def test_what_a_mail_quotes_reaches_nobody(known: Any) -> None:
    content = (
        "From: Paul Weber <paul.weber@nordwind.example>\nSubject: Offer\n\nWe need 20 licences more.\n\n"
        "> On 1 March Ann Smith wrote:\n> Jane Miller takes the offer of 10,000 euros."
    )
    found = await tell(known, "company:nordwind.example", content)
    assert found == {"Nordwind Logistik GmbH": ["We need 20 licences more."], "Paul Weber": []}  # who works there


async def test_two_people_with_one_first_name_get_nothing_of_each_other(known: Any) -> None:
    found = await tell(known, ACME, "Jane Ross prefers e-mail. Jane wants to pay by card. She works from Paris.")
    assert found["Jane Ross"] == [
        "Jane Ross prefers e-mail.",
        "Jane wants to pay by card.",
        "Jane Ross works from Paris.",
    ]
    both = await tell(known, ACME, "Jane Ross met Jane Miller. Jane asked for a discount.")
    assert "Jane asked for a discount." in both["Acme Corp"]


async def test_companies_with_similar_names_get_nothing_of_each_other(known: Any) -> None:
    found = await tell(
        known,
        ACME,
        "Acme Labs signed with a competitor. Acme Corp has 900 seats. Acme Labs Group opens a plant. Acme is happy.",
    )
    assert found == {
        "Acme Corp": ["Acme Corp has 900 seats.", "Acme Labs Group opens a plant.", "Acme is happy."],
        "Acme Labs": ["Acme Labs signed with a competitor."],
    }


async def test_a_name_that_several_bear_is_listed_unless_something_tells_them_apart(known: Any) -> None:
    answer = await known.memorize(JANE, content="Paul Weber asked for a demo.")
    assert [one["mention"] for one in answer["ambiguous"]] == ["Paul Weber"]
    assert len(answer["ambiguous"][0]["candidates"]) == 2
    assert [fact["text"] for fact in answer["facts"]] == ["Paul Weber asked for a demo."]
    found = await known.memorize(JANE, content="Paul Weber of Nordwind wants a demo.")
    assert "ambiguous" not in found
    assert found["also"][0]["entity"]["name"] == "Paul Weber"
    assert "Paul Weber of Nordwind wants a demo." in await known.texts(PAUL)


async def test_a_namesake_of_another_house_is_somebody_else(known: Any) -> None:
    answer = await known.memorize(
        "company:globex.example", content="Main contact is Jane Miller, buyer (jane.miller@globex.example). She is new."
    )
    [other] = answer["also"]
    assert other["entity"]["created"]
    assert await known.texts(JANE) == []
    assert ("works_at", "globex.example") in await related(known, "contact:jane.miller@globex.example")


@pytest.mark.parametrize(
    ("content", "name", "title"),
    [
        ("Our CFO, Tim Burke, has to sign.", "Tim Burke", "CFO"),
        ("Tim Burke, our head of finance, has to sign.", "Tim Burke", "head of finance"),
        ("Our new contact is Tim Burke.", "Tim Burke", None),
        ("Please write to Tim Burke (tim.burke@acme.example).", "Tim Burke", None),
    ],
)
async def test_people_are_brought_in_by_title_part_or_address(
    known: Any, content: str, name: str, title: str | None
) -> None:
    mail = f"From: Jane Miller <jane.miller@acme.example>\n\nHello,\n\n{content}\n\nJane"
    answer = await known.memorize(JANE, content=mail)
    made = [one for one in answer["also"] if one["entity"]["created"]]
    assert [one["entity"]["name"] for one in made] == [name]
    assert ("works_at", "Acme Corp") in await related(known, made[0]["entity"]["ref"])
    values = {one["name"]: one["value"] for one in made[0]["properties"]}
    assert values.get("job_title") == title


async def test_whom_somebody_reports_to_is_brought_in(known: Any) -> None:
    await known.memorize(JANE, content="From: Jane Miller <jane.miller@acme.example>\n\nI report to Tim Burke.\n")
    assert ("reports_to", "Tim Burke") in await related(known, JANE)


@pytest.mark.parametrize(
    "content",
    [
        "My boss, Tim Burke (tim.burke@acme.example), signs.",
        "Tim Burke (tim.burke@acme.example) is my line manager.",
        "Mi jefe, Tim Burke (tim.burke@acme.example), firma los contratos.",
        "Mein Chef ist Tim Burke (tim.burke@acme.example), er unterschreibt die Verträge.",
        "Mon responsable est Tim Burke (tim.burke@acme.example), il signe les contrats.",
    ],
)
async def test_whose_superior_somebody_is_is_told_in_many_ways(known: Any, content: str) -> None:
    await known.memorize(JANE, content=f"From: Jane Miller <jane.miller@acme.example>\n\nHello,\n\n{content}\n")
    assert ("reports_to", "Tim Burke") in await related(known, JANE)


@pytest.mark.parametrize("label", ["Requester", "Reported by", "Gemeldet von", "Signalé par", "Solicitante"])
async def test_a_field_tells_who_has_raised_a_ticket(known: Any, label: str) -> None:
    content = f"Ticket T-77\n{label}: Jane Miller <jane.miller@acme.example>\nStatus: open\n\nThe export hangs."
    await known.memorize("ticket:T-77", content=content)
    assert await related(known, "ticket:T-77") == [("about", "Acme Corp"), ("about", "Jane Miller")]


@pytest.mark.parametrize("sender", ["Jane Miller <jane.miller@acme.example>", "Jane Miller (jane.miller@acme.example)"])
async def test_who_writes_in_a_ticket_has_raised_it(known: Any, sender: str) -> None:
    await known.memorize("ticket:T-78", content=f"Ticket T-78\nFrom: {sender}\nPriority: high\n\nThe export hangs.")
    assert await related(known, "ticket:T-78") == [("about", "Acme Corp"), ("about", "Jane Miller")]


async def test_a_ticket_is_about_its_customer_and_who_is_said_to_have_raised_it(known: Any) -> None:
    await known.memorize("ticket:T-79", content="T-79: Export hangs\nCustomer: Acme Labs\nPriority: high")
    assert await related(known, "ticket:T-79") == [("about", "Acme Labs")]
    await known.memorize("ticket:T-80", content="The export hangs. It was reported by Jane Miller on Monday.")
    assert await related(known, "ticket:T-80") == [("about", "Acme Corp"), ("about", "Jane Miller")]


async def test_the_contact_of_a_deal_has_raised_nothing(known: Any) -> None:
    answer = await known.memorize("deal:D-900", content="Contact: Jane Miller\nStage: negotiation.")
    assert not answer.get("relations")


async def test_a_copied_colleague_is_brought_in_where_the_text_names_him(known: Any) -> None:
    head = "From: Jane Miller <jane.miller@acme.example>\nCc: Tim Burke <tim.burke@acme.example>\nSubject: Offer\n\n"
    silent = await known.memorize(JANE, content=f"{head}We need 40 seats.\n")
    assert [one["entity"]["name"] for one in silent["also"]] == ["Acme Corp"]
    named = await known.memorize(JANE, content=f"{head}Tim Burke wants to sign in May.\n")
    assert "Tim Burke" in [one["entity"]["name"] for one in named["also"]]
    assert ("works_at", "Acme Corp") in await related(known, "contact:tim.burke@acme.example")


@pytest.mark.parametrize(
    "content",
    [
        "Microsoft Dynamics with Power Automate is solid for basics.",
        "Google Cloud was down on Monday. The Business Plan is too small. San Francisco is far.",
        "Customer Success will call. Quarterly Review is in May. Nexus Prime is a leading company for pumps.",
        "Yeah Alex, that works. Thanks Maria!",
        "Die Deutsche Bahn hat angerufen. Der Neue Vertrag gilt ab Mai.",
    ],
)
async def test_capital_letters_make_nobody(known: Any, content: str) -> None:
    answer = await known.memorize(JANE, content=content)
    assert not [one for one in answer.get("also", ()) if one["entity"]["created"]]


async def test_a_content_that_names_nobody_needs_an_entity(known: Any) -> None:
    with pytest.raises(InvalidInput, match="entity"):
        await known.memorize(None, content="The weather in San Francisco was nice on Monday.")


async def test_who_leaves_works_there_no_more(known: Any) -> None:
    await known.memorize(JANE, content="Jane Miller is a buyer at Acme Corp.")
    answer = await known.memorize(JANE, content="Jane Miller has left Acme Corp.")
    current = [one for one in (await known.recall(JANE))["relations"] if one.get("status", "current") == "current"]
    assert [one["type"] for one in answer["relations"]] == ["works_at"]
    assert not [one for one in current if one["type"] == "works_at"]


async def test_our_own_side_is_whom_nothing_is_told_of(known: Any) -> None:
    known.principal = replace(known.principal, user="rep@ours.example")
    content = (
        "From: Sam Fox <sam.fox@ours.example>\nTo: Jane Miller <jane.miller@acme.example>\n\n"
        "Hello Jane,\n\nwe can deliver in May. I will send the contract.\n\nSam Fox\nAccount Executive"
    )
    answer = await known.memorize(None, content=content)
    assert answer["entity"]["name"] == "Jane Miller"
    assert not answer.get("also")


async def test_a_name_that_the_caller_may_not_know_is_nobodys(known: Any) -> None:
    team = replace(known.principal, teams=frozenset({"board"}))
    outside, known.principal = known.principal, team
    eve = {"name": "Eve Stone", "identifiers": {"email": "eve.stone@vertex.example"}}
    await known.memorize("contact:eve.stone@vertex.example", visibility="team:board", **eve)
    inside = await tell(known, "company:vertex.example", "Eve Stone wants a demo.")
    assert "Eve Stone" in inside
    known.principal = outside
    answer = await known.memorize("company:vertex.example", content="Eve Stone wants a trial.")
    assert "also" not in answer
    assert "ambiguous" not in answer


class Counting:
    """Counts what is read of a store."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self.store, name)


async def test_names_are_looked_up_at_once_however_many_there_are(known: Any) -> None:
    mentions = known.memorizer._preparation._mentions
    directory = mentions._directory
    counting = directory._store = Counting(directory._store)
    words = " ".join(f"Word{n} Thing{n} is there." for n in range(60))
    answer = await known.memorize(ACME, content=f"{words} Jane Miller met Paul Weber of Nordwind.")
    assert answer["entity"]["name"] == "Acme Corp"
    assert counting.calls.count("get_many") <= 3
    assert counting.calls.count("query") <= 5  # one for each name that somebody bears


async def left(room: Any, word: str) -> list[str]:
    return [
        f"{item.key.partition}/{item.key.sort}"
        async for item in room.store.scan("memory", "acme#n#")
        if word in item.key.partition
    ]


async def test_nothing_of_a_forgotten_name_stays_unless_somebody_else_bears_it(known: Any) -> None:
    assert len(await left(known, "paul weber")) == 3
    await known.forgetter.forget(known.principal, "gone", entity=PAUL)
    assert len(await left(known, "paul weber")) == 2
    await known.forgetter.forget(known.principal, "gone", entity="contact:p.weber@acmelabs.example")
    assert await left(known, "paul weber") == []
    await known.forgetter.forget(known.principal, "gone", entity="company:nordwind.example")
    assert await left(known, "nordwind") == []


async def test_an_index_of_names_that_lacks_some_is_filled(known: Any) -> None:
    place = keys.borne("acme", "jane miller")
    [bearer] = [one async for one in known.store.scan("memory", place.partition) if one.key != place]
    await known.store.transact([Delete(place), Delete(bearer.key)])
    assert "also" not in await known.memorize(ACME, content="Jane Miller prefers e-mail.")
    assert await fill_names(known.store, "acme", known.schema) == 1
    assert await fill_names(known.store, "acme", known.schema) == 0
    assert "Jane Miller" in await tell(known, ACME, "Jane Miller dislikes calls.")


POOL = (
    "Jane Ann Lee Miller Acme Labs GmbH Frau Herr Mr. Dr. CFO buyer, our unser notre with mit called said is ist est "
    "( ) : ; , . ! ? \" ' - & at bei chez of von from I we wir nous she er They Call Ticket T-7 D-900 Monday Mai @ "
    "ann@lee.example (ann@lee.example) reports to left joined contact Ansprechpartner \n From: > -- é 日本 😀"
).split(" ")


@given(st.lists(st.sampled_from(POOL), max_size=40).map(" ".join))
def test_words_in_any_order_bring_in_names_of_people_only(content: str) -> None:
    for passage in Surface(content, read(content)).passages:
        taken: list[int] = []
        for one in introductions(passage):
            assert looks_like_person(passage.tokens[one.first : one.last])
            assert one.name in passage.text
            taken += range(one.first, one.last)
        assert len(taken) == len(set(taken))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(st.sampled_from(POOL), min_size=3, max_size=40).map(" ".join))
async def test_every_statement_is_kept_once_whomever_it_goes_to(known: Any, content: str) -> None:
    document = read(content)
    told = await known.memorizer._preparation._mentions.told(known.principal, content, document, None, None)
    for piece in document.pieces:
        about = told.about((piece.start, piece.end))
        assert about is None or any(about is one for one in told.subjects)
    for one in told.relations:
        assert all(end is None or any(end is other for other in told.subjects) for end in (one.source, one.target))
