"""Whatever the text: places are right, nothing is invented, nothing is too long, and time stays linear."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.documents.kinds import kind_of
from interlayer.documents.reader import read

PARTS = st.sampled_from(
    [
        "From: Ann <ann@roe.example>", "Subject: Re: x", "Date: 3 March 2026", "> quoted", "Ann: I pay you.",
        "Bob: yes!", "[09:15] ann: hello there", "- item", "1. item", "# Title", "| a | b |", "|---|---|", "a,b,c",
        "1,2,3", '{"a": [1]}', "[1, 2]", "<p>We <b>pay</b></p>", "</p>", "<!-- x", "Best regards", "---", "-- ",
        "They need:", "", "  ", "\u2028", "客户要300个。他们在东京。", "Wir treffen uns am 3. März.",
        "On 1 May Ann wrote:", "```", "😀", "x" * 1_200,
    ]
)  # fmt: skip
CONTENTS = st.lists(PARTS | st.text(max_size=40), max_size=14).map("\n".join)


@given(CONTENTS)
def test_a_piece_stands_where_it_says_and_invents_no_word(content: str) -> None:
    for piece in read(content).pieces:
        assert 0 <= piece.start < piece.end <= len(content)
        assert len(piece.text) <= 1_000
        if not set("<{[|,;\t*`_") & set(content):  # no data, no HTML, no marks of type
            assert "".join(piece.text.split()) in "".join(content[piece.start : piece.end].split())


@given(CONTENTS, st.integers(40, 120))
def test_no_piece_is_longer_than_it_may_be(content: str, longest: int) -> None:
    assert all(len(piece.text) <= longest for piece in read(content, longest=longest).pieces)


def test_what_is_too_long_is_cut_and_kept() -> None:
    clause = "the plant in Graz has a line for pumps, "
    found = [piece.text for piece in read(clause * 60).statements]
    assert len(found) > 1
    assert "".join("".join(found).split()) == "".join((clause * 60).split())
    assert [piece.text for piece in read("客户要三百个座位。" * 300).statements] == ["客户要三百个座位。"] * 300


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("M. Petit et Mme. Roy signent. Ils paient.", ["M. Petit et Mme. Roy signent.", "Ils paient."]),
        ("Wir liefern am 3. Mai bzw. am 4. Juni.", ["Wir liefern am 3. Mai bzw. am 4. Juni."]),
        ("They visited the Bank. Robert leads it.", ["They visited the Bank.", "Robert leads it."]),
        ("契約は三年です。本社は京都にあります。", ["契約は三年です。", "本社は京都にあります。"]),
        ("Decision maker? Ann Roe. She pays.", ["Decision maker? Ann Roe.", "She pays."]),
    ],
)
def test_sentences_are_cut_where_they_end(content: str, expected: list[str]) -> None:
    assert [piece.text for piece in read(content).statements] == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What is the price?", "question"),
        ("Was kostet das?", "question"),
        ("They moved to Azure, right?", "question"),
        ("They moved all of it to Azure, right?", "statement"),
        ("They take 40 pumps of type B. Could you ship them?", "statement"),
        ("Dear Dr. Roe,", "greeting"),
        ("Vielen Dank für Ihre Nachricht.", "greeting"),
        ("Merci pour votre réponse.", "greeting"),
        ("Looking forward to hearing from you!", "greeting"),
        ("Thanks for the call, we decided to buy the large plan.", "statement"),
        ("Sounds good, thanks!", "greeting"),
        ("Ja, genau.", "fragment"),
        ("D'accord, parfait.", "fragment"),
        ("👍", "fragment"),
        ("(Word count: 178)", "disclaimer"),
        ("[laughs]", "furniture"),
        ("Sent from my phone", "disclaimer"),
        ("No discount was agreed.", "statement"),
        ("1,200 users.", "statement"),
    ],
)
def test_what_states_nothing_is_told_by_its_words(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a ",
        "?",
        "\n",
        "\u2028",
        "<",
        "<!--",
        "</p><p><b>",
        "From: a\n",
        "a:\n",
        "- a\n",
        "a,b\n",
        "I: we\n",
        "。",
        "> a\n",
    ],
)
def test_time_grows_with_the_length_of_the_text(part: str) -> None:
    read("Warm up. It is loaded now.")
    taken: list[float] = []
    for length in (5_000, 40_000):
        start = time.process_time()
        read((part * length)[:length])
        taken.append(time.process_time() - start)
    assert taken[1] < 8 * 4 * max(taken[0], 0.02)
