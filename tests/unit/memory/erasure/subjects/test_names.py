"""What a person is called by, and where a text says so."""

from typing import Any

import pytest

from interlayer.memory.erasure.subjects.names import SubjectNames
from interlayer.memory.log.records import EntityId, Head


def head(name: str, *names: str, **identifiers: str) -> Head:
    borne = {kind: (value,) for kind, value in identifiers.items()}
    return Head(EntityId("contact", "e_1"), name, (name, *names), borne, 1, "", "", {})


ANN = SubjectNames.of([head("Ann Lee", "Annabel Lee-Cooper", email="ann@acme.example", phone="+14155550100")])


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("Write to Ann@ACME.example.", "certain"),
        ("mailto:ann@acme.example?subject=x", "certain"),
        ("Call +1 (415) 555-0100 after noon.", "certain"),
        ("Call 001 415 555 0100.", "certain"),
        ("Ask ANN LEE's team.", "likely"),
        ("Lee, Ann signed.", "likely"),
        ("Ann  \n Lee signed.", "likely"),
        ("\uff21nn Lee signed.", "likely"),
        ("Annabel Lee-Cooper", "likely"),
        ("Leeann Lee signed.", None),
        ("Ann Leeson signed.", None),
        ("joann lee", None),
        ("Ann signed.", None),
        ("ann@acme.example.org", None),
        ("joann@acme.example", None),
        ("4155550100233", None),
    ],
)
def test_a_text_names_the_person_for_certain_or_likely_or_not(text: str, certainty: str | None) -> None:
    assert ANN.certainty([text]) == certainty


def test_redaction_takes_out_names_and_identifiers_and_nothing_else() -> None:
    text = "Ann Lee (ann@acme.example) knows Ann Leeson; Lee, Ann is in."
    assert ANN.redact(text) == "[erased person] ([erased person]) knows Ann Leeson; [erased person] is in."
    assert ANN.blot("Zoë met Ann Lee in Köln") == "Zoë met ▒▒▒▒▒▒▒ in Köln"


def test_places_hold_in_texts_whose_letters_fold_to_several() -> None:
    assert ANN.blot("Straße ﬁnal Ann Lee İstanbul") == "Straße ﬁnal ▒▒▒▒▒▒▒ İstanbul"


@pytest.mark.parametrize(
    ("known", "more", "told", "passed_over"),
    [
        ([head("Ann", email="ann@acme.example")], [], ("ann@acme.example",), ("ann",)),
        ([head("Ann", email="ann@acme.example")], ["Ann"], ("ann@acme.example", "ann"), ()),
        ([head("Zebulon")], [], ("zebulon",), ()),
    ],
)
def test_a_name_of_one_word_is_looked_for_only_when_asked_or_alone(
    known: Any, more: list[str], told: tuple[str, ...], passed_over: tuple[str, ...]
) -> None:
    names = SubjectNames.of(known, more)
    assert (names.told, names.passed_over) == (told, passed_over)
