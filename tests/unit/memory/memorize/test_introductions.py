"""Who is brought in by notes and mails in four languages: by meetings, by those beside him, by heads and signatures."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

KNOWN = {
    "company:harbor.example": "Harbor Foods",
    "company:lindner.example": "Lindner Logistik GmbH",
    "company:opaline.example": "Opaline SAS",
    "contact:eva.braun@lindner.example": "Eva Braun",
}
HARBOR, LINDNER, OPALINE = [*KNOWN][:3]


@pytest.fixture
async def known(room: Any) -> Any:
    for entity, name in KNOWN.items():
        kind, _, key = entity.partition(":")
        await room.memorize(entity, name=name, identifiers={{"company": "domain"}.get(kind, "email"): key})
    return room


async def tell(room: Any, entity: str | None, content: str) -> dict[str, list[str]]:
    """Memorize a content; return the statements by the name of whom they were kept for."""
    answer = await room.memorize(entity, content=content)
    reached = [answer, *answer.get("also", ())]
    return {one["entity"]["name"]: [fact["text"] for fact in one["facts"]] for one in reached}


async def created(room: Any, entity: str, content: str) -> list[str]:
    answer = await room.memorize(entity, content=content)
    return sorted(one["entity"]["name"] for one in answer.get("also", ()) if one["entity"]["created"])


@pytest.mark.parametrize(
    ("entity", "content", "expected"),
    [
        (HARBOR, "Call with Nina Holt from Harbor Foods. Nina wants a pilot.", {"Nina Holt": "Nina wants a pilot."}),
        (HARBOR, "Met Nina Holt and Sam Reyes at Harbor Foods. Sam runs sales.", {"Sam Reyes": "Sam runs sales."}),
        (
            HARBOR,
            "Spoke with Nina Holt. She takes over purchasing from Ralph Dorn. Ralph moves to Leeds.",
            {"Nina Holt": "She takes over purchasing from Ralph Dorn.", "Ralph Dorn": "Ralph moves to Leeds."},
        ),
        (HARBOR, "Met with Nina Holt, whose team is small. Nina uses Excel.", {"Nina Holt": "Nina uses Excel."}),
        (
            LINDNER,
            "Anruf von Udo Kern. Er braucht Ersatz. Seine Kollegin, Lea Voigt, prüft das Angebot.",
            {"Udo Kern": "Er braucht Ersatz.", "Lea Voigt": "Seine Kollegin, Lea Voigt, prüft das Angebot."},
        ),
        (
            LINDNER,
            "Termin mit Udo Kern von Lindner Logistik. Kern plant drei Lager.",
            {"Udo Kern": "Kern plant drei Lager."},
        ),
        (
            OPALINE,
            "Appel de Jeanne Morel. Elle veut un devis. Son assistant, Guy Tessier, gère les rendez-vous.",
            {"Jeanne Morel": "Elle veut un devis.", "Guy Tessier": "Son assistant, Guy Tessier, gère les rendez-vous."},
        ),
        (
            HARBOR,
            "Llamada con Pilar Soto de Harbor Foods. Su jefe, Raúl Vega, decide en mayo.",
            {"Raúl Vega": "Su jefe, Raúl Vega, decide en mayo."},
        ),
    ],
)
async def test_notes_bring_in_whom_their_writer_met(
    known: Any, entity: str, content: str, expected: dict[str, str]
) -> None:
    found = await tell(known, entity, content)
    for name, statement in expected.items():
        assert statement in found[name]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("M. Guy Tessier, leur directeur financier, signe les contrats.", "Guy Tessier"),
        ("Gespräch mit Frau Lea Voigt von Lindner Logistik.", "Lea Voigt"),
        ("Llamada de Pilar Soto, responsable de compras.", "Pilar Soto"),
    ],
)
async def test_a_name_is_kept_without_what_stands_beside_it(known: Any, content: str, name: str) -> None:
    assert await created(known, LINDNER, content) == [name]


@pytest.mark.parametrize(
    "content",
    [
        "Visit to Silver Creek went well. Power Apps fails on Apple Watch. The Financial Times wrote about it.",
        "Call with Blue Ocean about New Year plans. Labor Day is a holiday. Galaxy Tab orders are late.",
        "Der Rheinische Merkur hat berichtet. Am Tag der Deutschen Einheit ist zu. Termin mit Deutsche Bahn steht.",
        "Le Figaro Magazine a publié un article. Réunion avec Air France lundi. Jeudi Saint est férié.",
        "El Mundo Deportivo publicó la noticia. Reunión con Banco Popular. Viernes Santo cerramos.",
    ],
)
async def test_products_places_holidays_and_newspapers_are_nobody(known: Any, content: str) -> None:
    assert await created(known, HARBOR, content) == []


MAIL = (
    "From: Rita Sacco <r.sacco@marmi.example>\nTo: sales@vendor.example\n"
    "Cc: Elio Neri <e.neri@{cc}>, Ugo Testa <u.testa@marmi.example>\n\nHello,\n\n"
    "we bought two presses. Elio will sign on Monday.\n\nBest regards\nRita Sacco\nMarmi SpA"
)


async def test_a_writers_house_and_those_copied_are_taken_in_if_the_mail_tells_of_them(known: Any) -> None:
    found = await tell(known, "contact:r.sacco@marmi.example", MAIL.format(cc="marmi.example"))
    assert found == {
        "Rita Sacco": [],
        "Marmi SpA": ["we bought two presses."],
        "Elio Neri": ["Elio will sign on Monday."],
    }


async def test_who_is_copied_at_another_house_is_not_brought_in(known: Any) -> None:
    found = await tell(known, "contact:r.sacco@marmi.example", MAIL.format(cc="vendor.example"))
    assert "Elio Neri" not in found


async def test_a_mailbox_that_anybody_may_have_is_no_house(known: Any) -> None:
    content = "From: Rita Sacco <rita.sacco@gmail.com>\n\nHello,\n\nwe bought two presses.\n\nRita"
    assert await tell(known, "contact:rita.sacco@gmail.com", content) == {"Rita Sacco": ["we bought two presses."]}


async def test_a_person_known_by_an_address_learns_the_name(known: Any) -> None:
    await known.memorize("contact:ralph@harbor.example", identifiers={"email": "ralph@harbor.example"})
    found = await tell(known, "contact:ralph@harbor.example", "Ralph Dorn called. He said the printer is down.")
    assert [*found] == ["Ralph Dorn"]
    other = await tell(known, "contact:ralph@harbor.example", "Sara Dorn called. She wants a refund.")
    assert "Sara Dorn wants a refund." not in other["Ralph Dorn"]


async def test_each_entry_of_a_log_with_marks_is_a_statement_of_its_own(known: Any) -> None:
    content = (
        "2026-01-08 10:02 CALL Eva Braun (Lindner Logistik), 5 min\n"
        "2026-01-08 10:08 NOTE Eva works from Graz until Easter\n2026-01-08 10:09 NOTE Their lease ends in March"
    )
    found = await tell(known, LINDNER, content)
    assert any("Graz" in fact and "lease" not in fact for fact in found["Eva Braun"])
    assert any("lease" in fact for fact in found["Lindner Logistik GmbH"])


async def test_a_late_pronoun_means_the_person_last_told_of(known: Any) -> None:
    found = await tell(known, LINDNER, "Eva Braun prefers mail. Mondays are bad for her; after ten is fine.")
    assert "Mondays are bad for her; after ten is fine." in found["Eva Braun"]
