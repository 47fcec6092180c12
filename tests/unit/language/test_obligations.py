"""What a sentence obliges to is told in four languages, and what only describes is not taken for an order."""

import pytest

from interlayer.language.obligations import (
    denies,
    find_obligation,
    is_other_language,
    is_statement,
    offers_choice,
    opens_with_condition,
    opens_with_pointer,
)

BINDING = """
must_not | Users must not log in as root.
must_not | NEVER join two tables by hand.
must_not | Please do not send the keys by mail.
must_not | Passwords are strictly prohibited in tickets.
must_not | No employee may share a badge.
must_not | Deploys on Fridays are not allowed.
must_not | You should lock it and must never leave it open.
must_not | If you find a badge, do not use it.
must_not | Secrets: never log them.
must | Access shall be reviewed each year.
must | All staff are required to wear badges.
must | Rooms may only be used by authorized staff.
must | Only the manager may sign.
must | If you find a fault you must report it.
must | Staff who enter the vault must sign the book.
must | All badges that are lost must be blocked.
must | Our policy requires that all disks are encrypted.
may | No approval is required below 100 euros.
may | You may need to restart it.
should | Answers should be short.
should_not | Answers should not be longer than a page.
must_not | Kundendaten dürfen nicht an Dritte weitergegeben werden.
must_not | Die Weitergabe von Passwörtern ist streng verboten.
must_not | Kein Mitarbeiter darf Ausweise teilen.
must_not | Passwörter niemals im Klartext speichern.
must | Daten müssen verschlüsselt werden.
must | Rabatte dürfen nur mit Freigabe gewährt werden.
must | Wenn ein Kunde kündigt, müssen Sie die Frist nennen.
must | Für Zahlungen ist eine Freigabe erforderlich.
may | Eine Freigabe ist nicht erforderlich.
should_not | Antworten sollten nicht länger als eine Seite sein.
must_not | Les employés ne doivent jamais partager leurs badges.
must_not | Il est strictement interdit de divulguer ces données.
must_not | N'offrez jamais plus de 15 %.
must_not | Aucun employé ne peut entrer seul.
must | Les mots de passe doivent contenir douze caractères.
must | L'accès ne peut être accordé que par le responsable.
must | Si un client résilie, vous devez annoncer le délai.
must_not | Los empleados no deben compartir contraseñas.
must_not | Queda terminantemente prohibido revelar datos.
must_not | No ofrezca descuentos.
must | Los agentes deben citar la fuente.
must | Es obligatorio cifrar los discos.
may | No es necesario pedir permiso.
should | Se recomienda usar un gestor.
"""

NOT_BINDING = """
subordinate | Use a loader for data that must be there before the page is drawn.
subordinate | If a password must be shared, use the vault.
subordinate | When a customer needs to complain, open a ticket.
subordinate | Daten, die gelöscht werden müssen, liegen im Archiv.
statement | Recordings are never deleted.
statement | No fees on this account.
statement | ctx.this: Never changes
none | It always returns a list.
none | The fair is in May 2027.
none | Must I sign this?
none | The word "must" is old.
subordinate | This is a must.
"""


def cases(text: str) -> list[tuple[str, str]]:
    return [(line.split(" | ")[0], line.split(" | ")[1]) for line in text.strip().splitlines()]


@pytest.mark.parametrize(("force", "sentence"), cases(BINDING))
def test_a_sentence_that_binds_says_how_strongly(force: str, sentence: str) -> None:
    found = find_obligation(sentence)
    assert found is not None
    assert (found.force, found.place) == (force, "main")


@pytest.mark.parametrize(("place", "sentence"), cases(NOT_BINDING))
def test_what_describes_or_depends_does_not_bind(place: str, sentence: str) -> None:
    found = find_obligation(sentence)
    assert (found.place if found else "none") == place
    assert found is None or found.place != "main"


@pytest.mark.parametrize(
    "text", ["The customer is king.", "Der Kunde ist König.", "Prices are in euros.", "We love tea."]
)
def test_a_statement_is_no_order(text: str) -> None:
    assert is_statement(text)


@pytest.mark.parametrize("text", ["Be kind.", "Ask for the invoice.", "Confirm the price is current.", "Say it."])
def test_an_order_is_no_statement(text: str) -> None:
    assert not is_statement(text)


def test_a_language_that_is_not_known_is_told() -> None:
    assert is_other_language("割引は15％まで。")
    assert not is_other_language("Be kind to everybody.")


def test_what_a_sentence_rests_on_is_seen() -> None:
    assert opens_with_condition("When you answer as the billing bot")
    assert opens_with_condition("Für Kunden in Frankreich")
    assert not opens_with_condition("Whenceforth it is so")
    assert opens_with_pointer("This must be encrypted.")
    assert not opens_with_pointer("Das Passwort muss lang sein.")
    assert offers_choice("Passwords must meet one of the following")
    assert denies("Offer no discount.")
    assert not denies("Say that nothing is lost.")
