"""What a sieve holds back, the pattern surely does not find; and of ordinary sentences it holds back most."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.sieve import sieve

WORDS = sorted(words("change_announcements"))
CHANGE = rf"(?i)(?<![\w-])\b(?:{pattern(WORDS)}|now [a-z]+s)\b(?! of\b)"
FOUND = re.compile(CHANGE)
MAY_FIND = sieve(CHANGE)


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=5), st.sampled_from(" \u00a0\n-"))
def test_what_is_held_back_is_not_found(parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert MAY_FIND(text) or not FOUND.search(text)


@pytest.mark.parametrize("text", ["The pump stands in hall 3.", "Die Pumpe steht in Halle 3.", "", "\ud800 \U0001f600"])
def test_an_ordinary_sentence_is_held_back(text: str) -> None:
    assert not MAY_FIND(text)


@pytest.mark.parametrize("text", ["ÉCARTÉ hier", "hier écarté", "le\u00a0mois\u00a0dernier écarté."])
def test_accents_and_any_blank_are_let_through(text: str) -> None:
    assert sieve(r"(?i)\b(?:écarté)\b")(text)
