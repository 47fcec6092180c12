"""Names that may be of one bearer, and those that are not, however much they have in common."""

import pytest

from interlayer.language.fuzzy_names import sound_of, stands_for, words_lacking


@pytest.mark.parametrize(
    ("one", "other", "lacking"),
    [
        ("Ben Carter", "Ben Cartre", 0),
        ("Carter, Ben", "Ben Carter", 0),
        ("B. Carter", "Ben Carter", 0),
        ("Acme GmbH", "Acme", 0),
        ("José Núñez", "Jose Nunez", 0),
        ("Ben", "Ben Carter", 1),
        ("Ben Carter", "Ben A. Carter", 1),
        ("Ben Carter", "Ann Carter", None),
        ("B. C.", "Ben Carter", None),
        ("Store 12", "Store 14", None),
        ("Mallory", "Jane Chief", None),
    ],
)
def test_two_names_are_compared_word_by_word(one: str, other: str, lacking: int | None) -> None:
    assert words_lacking(one, other) == lacking
    assert words_lacking(other, one) == lacking


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("bcarter", "Ben Carter"),
        ("ben.c", "Ben Carter"),
        ("jd", "Jane Doe"),
        ("getacme", "Acme GmbH"),
        ("ibm", "International Business Machines"),
    ],
)
def test_a_mailbox_or_domain_may_stand_for_a_name(handle: str, name: str) -> None:
    assert stands_for(handle, name)


@pytest.mark.parametrize(("handle", "name"), [("ceo", "Mallory"), ("sales", "Ben Carter"), ("globex", "Acme Pumps")])
def test_another_one_does_not(handle: str, name: str) -> None:
    assert not stands_for(handle, name)


def test_words_that_sound_alike_share_a_code() -> None:
    words = ("carter", "cartre", "robert", "rupert", "ashcraft", "tymczak", "pfister")
    assert [sound_of(word) for word in words] == ["c636", "c636", "r163", "r163", "a261", "t522", "p236"]
