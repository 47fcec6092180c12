"""Texts that can hardly be told apart by eye have one skeleton; accents and case make no look-alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.confusables import look_alike, skeleton, without_accents


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u0410cme", "Acme"),  # Cyrillic
        ("\u0421arter", "Carter"),
        ("\u03b1pple", "apple"),  # Greek
        ("g00gle.com", "google.com"),
        ("paypa1", "paypal"),
        ("rnicrosoft.com", "microsoft.com"),
        ("vvest", "west"),
        ("\u041f\u0435\u0442\u0440\u043e\u0432", "\u041fe\u0442\u0440\u043e\u0432"),  # one letter of it is Latin
    ],
)
def test_what_looks_the_same_and_is_not_is_named(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("José", "Jose"), ("ACME", "acme"), ("straße", "strasse"), ("Acme", "Acne"), ("Ivan", "Ivan")],
)
def test_case_accents_and_other_letters_make_no_look_alike(one: str, other: str) -> None:
    assert not look_alike(one, other)


@given(st.text(max_size=20))
def test_a_skeleton_is_its_own(text: str) -> None:
    assert skeleton(without_accents(text)) == skeleton(text)
    assert not look_alike(text, text)
