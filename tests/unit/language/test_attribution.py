"""Of whom a text says something: by the names, speakers and pronouns around it."""

import pytest

from interlayer.language.attribution import MAIN, Attribution, Spoken
from interlayer.text.sentences import sentences

TOM, ANNA, HUGO = 0, 1, 2
PEOPLE = (("Tom Becker", "tom@acme.example"), ("Anna Schmidt", "anna@acme.example"), ("Hugo Becker",))


def judged(
    content: str, quote: str, statement: str, who: int, *, speaker: str = "", is_near: bool = False
) -> str | None:
    spoken = [Spoken(one.start, one.end, speaker) for one in sentences(content)]
    start = content.index(quote)
    attribution = Attribution(content, PEOPLE, spoken)
    return attribution.is_of_another(statement, (start, start + len(quote)), who, {TOM, ANNA, HUGO}, is_near=is_near)


@pytest.mark.parametrize(
    ("content", "statement", "who", "other"),
    [
        ("Anna wants SAP.", "Anna Schmidt wants SAP.", ANNA, None),
        ("Anna wants SAP.", "Tom Becker wants SAP.", TOM, "Anna Schmidt"),
        ("Tom Becker wants Oracle and Anna wants SAP.", "wants SAP", ANNA, None),
        ("Tom Becker wants Oracle and Anna wants SAP.", "wants SAP", TOM, "Anna Schmidt"),
        ("Tom Becker wants Oracle and Anna wants SAP.", "wants Oracle", ANNA, "Tom Becker"),
        ("Anna, our buyer, will run the project.", "runs the project", ANNA, None),
        ("Anna, our buyer, will run the project.", "runs the project", TOM, "Anna Schmidt"),
        ("Anna owns sales, Hugo (no relation) finance.", "Hugo owns finance", HUGO, None),
        ("Anna owns sales, Hugo (no relation) finance.", "Anna owns finance", ANNA, "Hugo Becker"),
        ("Ansprechpartnerin ist Frau Anna Schmidt, für die IT Herr Tom Becker.", "Tom Becker für IT", TOM, None),
        ("Tom Becker and Anna want SAP.", "Tom Becker and Anna Schmidt want SAP.", TOM, None),
        ("Anna reports to Tom Becker.", "Anna Schmidt reports to Tom Becker.", ANNA, None),
        ("Anna reports to Tom Becker.", "Hugo Becker reports to Tom Becker.", HUGO, "Tom Becker"),
    ],
)
def test_a_part_of_a_sentence_is_of_whom_it_names(content: str, statement: str, who: int, other: str | None) -> None:
    assert judged(content, content, statement, who) == other


@pytest.mark.parametrize(
    ("who", "speaker", "other"),
    [
        (TOM, "Tom Becker", None),
        (TOM, "tom@acme.example", None),
        (ANNA, "Tom Becker", "Tom Becker"),
        (ANNA, "", ""),
    ],
)
def test_what_is_said_in_the_first_person_is_of_the_speaker(who: int, speaker: str, other: str | None) -> None:
    content = "I approve everything over 100 dollars."
    assert judged(content, content, "approves everything over 100 dollars", who, speaker=speaker) == other


@pytest.mark.parametrize(("who", "other"), [(ANNA, None), (TOM, "Anna Schmidt"), (HUGO, "Anna Schmidt")])
def test_a_pronoun_is_of_whom_the_sentence_before_names(who: int, other: str | None) -> None:
    content = "Tom Becker called. Anna joined us. She wants SAP."
    assert judged(content, "She wants SAP", "wants SAP", who, is_near=who == MAIN) == other


@pytest.mark.parametrize(("who", "other"), [(TOM, None), (ANNA, "")])
def test_where_nobody_is_named_it_is_of_whom_the_text_is_about(who: int, other: str | None) -> None:
    content = "Anna called. The budget is 9,000 dollars."
    assert judged(content, "The budget is 9,000", "budget 9,000 dollars", who, is_near=who == MAIN) == other


def test_a_text_in_other_words_is_judged_by_the_part_that_is_quoted() -> None:
    content = "Tom Becker will Oracle, Anna braucht SAP."
    assert judged(content, "Anna braucht SAP", "is in need of it", ANNA) is None
    assert judged(content, "Anna braucht SAP", "is in need of it", TOM) == "Anna Schmidt"


def test_a_name_that_two_share_tells_neither_from_the_other() -> None:
    content = "Becker wants SAP."
    assert judged(content, content, "wants SAP", TOM) is None
    assert judged(content, content, "wants SAP", HUGO) is None
    assert judged(content, content, "wants SAP", ANNA) is not None
