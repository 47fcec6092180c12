"""Mails: heads, greetings, signatures, footers and quotations are told from what is said, in several languages."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from interlayer.documents.document import Document
from interlayer.documents.reader import read

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def said(document: Document) -> list[str]:
    return [piece.said for piece in document.statements]


def kinds(document: Document) -> dict[str, str]:
    return {piece.text: piece.kind for piece in document.pieces}


ENGLISH = """From: Olga Brandt <olga.brandt@fernhill.example>
To: Sales <sales@vendor.example>
Sent: 14 January 2026
Subject: Order of 40 pumps

Hi Tim,

I hope you are well. We take 40 large pumps. Could you send the invoice to Graz?

Kind regards
Olga Brandt
Head of Purchasing | Fernhill Ltd
Phone: +43 316 555 010

Confidentiality notice: this message is for the addressee only. Please consider the environment before printing.
"""


def test_only_what_is_stated_is_a_statement() -> None:
    assert said(read(ENGLISH, NOW)) == ["We take 40 large pumps."]


def test_each_part_of_a_mail_is_named() -> None:
    found = kinds(read(ENGLISH, NOW))
    assert found["Subject: Order of 40 pumps"] == "header"
    assert found["Hi Tim,"] == "greeting"
    assert found["I hope you are well."] == "greeting"
    assert found["Could you send the invoice to Graz?"] == "question"
    assert found["Phone: +43 316 555 010"] == "signature"
    assert found["Please consider the environment before printing."] == "disclaimer"


def test_a_mail_names_who_takes_part_and_when_it_was_sent() -> None:
    document = read(ENGLISH, NOW)
    assert [(one.name, one.address, one.role) for one in document.participants] == [
        ("Olga Brandt", "olga.brandt@fernhill.example", "from"),
        ("Sales", "sales@vendor.example", "to"),
    ]
    assert document.written_at == datetime(2026, 1, 14, tzinfo=UTC)
    assert {piece.writer for piece in document.pieces} == {"olga.brandt@fernhill.example"}


@pytest.mark.parametrize(
    ("head", "greeting", "statement", "closing"),
    [
        ("Von: Jörg Weiß <w@tal.example>\nBetreff: Termin", "Guten Tag,", "Wir ziehen nach Kiel um.", "Viele Grüße"),
        (
            "De : Luc Petit <luc@val.example>\nObjet : Devis",
            "Bonjour Anne,",
            "Nous prenons 12 postes.",
            "Cordialement,",
        ),
        ("De: Eva Ruiz <eva@sol.example>\nAsunto: Plazo", "Hola Juan,", "El plazo es de 30 días.", "Un saludo,"),
        (
            "Da: Ugo Neri <ugo@lago.example>\nOggetto: Sede",
            "Buongiorno,",
            "La sede si trova a Como.",
            "Cordiali saluti",
        ),
        ("De: Rui Melo <rui@mar.example>\nAssunto: Prazo", "Bom dia,", "O prazo termina em maio.", "Cumprimentos,"),
        (
            "Van: Piet Bos <p@dijk.example>\nOnderwerp: Mei",
            "Beste Jan,",
            "Wij leveren in mei.",
            "Met vriendelijke groet",
        ),
    ],
)
def test_mails_of_other_languages_are_read_alike(head: str, greeting: str, statement: str, closing: str) -> None:
    name = head.split()[2 if " :" in head else 1]
    assert said(read(f"{head}\n{greeting}\n{statement}\n{closing}\n{name}", NOW)) == [statement]
    assert said(read(f"{head}\n{statement} {closing.strip(',')}, {name}", NOW)) == [statement]


@pytest.mark.parametrize("signature", ["Rhea", "Rhea Holm", "Rhea Holm, Buyer", "Regards, Rhea Holm"])
def test_a_name_at_the_end_of_a_line_signs_a_mail(signature: str) -> None:
    content = f"From: Rhea Holm <rhea@holm.example>\nWe close the plant in Oslo. {signature}"
    assert said(read(content, NOW)) == ["We close the plant in Oslo."]


def test_quoted_mail_is_not_said_anew() -> None:
    content = (
        "We accept 5 percent.\n\nOn Mon, 2 Feb 2026 at 10:00, Tim Roe <tim@vendor.example> wrote:\n"
        "> We offer 5 percent.\n> Best\n> Tim"
    )
    assert said(read(content, NOW)) == ["We accept 5 percent."]
    head = "Von: Tim <tim@vendor.example>\nGesendet: 2. Februar 2026"
    below = f"Wir nehmen an.\n\n-----Ursprüngliche Nachricht-----\n{head}\n\nWir bieten 5 Prozent."
    assert "Wir bieten 5 Prozent." not in said(read(below, NOW))


def test_forwarded_mail_counts_with_its_own_date() -> None:
    content = (
        "From: Ann Roe <ann@roe.example>\nDate: 3 March 2026\nSubject: Fwd: Delay\n\nPlease read.\n\n"
        "---------- Forwarded message ---------\nFrom: Ben Cox <ben@cox.example>\nDate: 20 February 2026\n"
        "Subject: Delay\n\nThe plant starts next month.\n"
    )
    (piece,) = [one for one in read(content, NOW).statements if "plant" in one.text]
    assert piece.written_at == datetime(2026, 2, 20, tzinfo=UTC)
    assert piece.writer == "ben@cox.example"


def test_a_thread_between_rules_keeps_the_words_of_each_mail() -> None:
    content = (
        "From: Ann <ann@roe.example>\nDate: Feb 3, 2026, 10:15 AM\nSubject: Price\n\nWe pay 10 euros.\n\n---\n\n"
        "From: Ben <ben@cox.example>\nDate: Feb 1, 2026\nSubject: Price\n\nWe ask 12 euros.\n"
    )
    found = {piece.text: piece.written_at for piece in read(content, NOW).statements}
    assert found == {
        "We pay 10 euros.": datetime(2026, 2, 3, 10, 15, tzinfo=UTC),
        "We ask 12 euros.": datetime(2026, 2, 1, tzinfo=UTC),
    }


def test_a_mail_as_it_was_sent_is_decoded() -> None:
    content = (
        "MIME-Version: 1.0\nFrom: Ann Roe <ann@roe.example>\nTo: ben@cox.example\n"
        "Date: Tue, 03 Mar 2026 10:00:00 +0100\n"
        'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: quoted-printable\n\n'
        "Hallo Ben,\ndie Pr=C3=A4mie betr=C3=A4gt 400 Euro, zahl=\nbar im Mai.\nGru=C3=9F\nAnn\n"
    )
    (piece,) = read(content, NOW).statements
    assert piece.text == "die Prämie beträgt 400 Euro, zahlbar im Mai."
    assert piece.written_at == datetime(2026, 3, 3, 10, tzinfo=timezone(timedelta(hours=1)))


def test_a_list_without_blanks_is_no_signature() -> None:
    assert "Kafka" in " ".join(said(read("They run:\n-Kafka\n-Redis\n-Nomad")))


def test_what_has_only_the_look_of_a_mail_stays() -> None:
    assert said(read("From: 3 March\nTo: 5 March\nThe hall is closed.", NOW))[-1] == "The hall is closed."
    assert said(read("They thank us for the visit and want 3 more. The NDA is confidential.", NOW)) == [
        "They thank us for the visit and want 3 more.",
        "The NDA is confidential.",
    ]
