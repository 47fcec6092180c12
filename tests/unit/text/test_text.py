"""Terms, sentences, BM25, fusion and budgets."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.terms import terms
from interlayer.text.bm25 import Bm25
from interlayer.text.budget import json_tokens, text_tokens
from interlayer.text.fusion import min_max
from interlayer.text.sentences import sentences


def test_terms_are_stemmed_without_stop_words_and_keep_negation() -> None:
    assert terms("The customer's pumps were not running") == ["custom", "pump", "not", "run"]


def test_a_label_line_a_bullet_and_a_wrapped_paragraph_are_told_apart() -> None:
    document = (
        "# Note\n\nIndustry: transport\nThe company has\n1,900 employees. It grows.\n"
        "- [ ] call Petra\n- send\n  the plan\n> quoted\n"
    )
    assert [sentence.text for sentence in sentences(document)] == [
        "Industry: transport",
        "The company has 1,900 employees.",
        "It grows.",
        "call Petra",
        "send the plan",
    ]


def test_abbreviations_and_amounts_do_not_end_a_sentence() -> None:
    found = [sentence.text for sentence in sentences("Dr. Smith of Acme Inc. pays $4.5M a year. He is glad.")]
    assert found == ["Dr. Smith of Acme Inc. pays $4.5M a year.", "He is glad."]


@given(st.text(max_size=400))
def test_a_sentence_stands_where_it_says(document: str) -> None:
    for sentence in sentences(document):
        assert 0 <= sentence.start < sentence.end <= len(document)
        assert set(sentence.text) - {" "} <= set(document[sentence.start : sentence.end])


def test_bm25_prefers_the_rarer_word_and_the_shorter_document() -> None:
    index = Bm25()
    for text in ("pump pump valve", "pump hall gate wall floor roof", "valve"):
        index.add(terms(text))
    scores = index.scores(terms("valve"))
    assert scores[2] > scores[0] > scores[1] == 0
    assert index.scores([]).tolist() == [0, 0, 0]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), max_size=8), st.sets(st.sampled_from("abcdefg")))
def test_what_each_term_adds_is_what_bm25_scores(documents: list[list[str]], query: set[str]) -> None:
    index = Bm25()
    for document in documents:
        index.add(document)
    impacts = index.impacts()
    assert len(impacts) == len(documents)
    np.testing.assert_allclose(impacts.weighted(dict.fromkeys(query, 1.0)), index.scores(query), rtol=1e-5)
    np.testing.assert_allclose(impacts.weighted(dict.fromkeys(query, 0.5)), index.scores(query) / 2, rtol=1e-5)
    for term in query:
        assert impacts.of(term)[0].tolist() == [n for n, document in enumerate(documents) if term in document]


@given(st.lists(st.floats(min_value=-1e3, max_value=1e3, width=32), max_size=20))
def test_scaled_scores_keep_their_order_between_0_and_1(values: list[float]) -> None:
    scaled = min_max(np.array(values, dtype=np.float32))
    assert all(0 <= one <= 1 for one in scaled)
    order = np.argsort(np.array(values, dtype=np.float32), kind="stable")
    assert all(scaled[a] <= scaled[b] for a, b in pairwise(order))


def test_rows_of_scores_are_scaled_each_by_itself() -> None:
    scaled = min_max(np.array([[1, 3, 2], [40, 20, 30], [7, 7, 7]], dtype=np.float32))
    assert scaled.tolist() == [[0, 1, 0.5], [1, 0, 0.5], [0, 0, 0]]


@pytest.mark.parametrize("text", ["Acme sells pumps.", "Größe 42 für Ærø", "日本語のテキスト"])
def test_tokens_are_never_estimated_under_a_quarter_of_the_bytes(text: str) -> None:
    assert text_tokens(text) >= len(text.encode()) / 4
    assert json_tokens({"text": text}) > text_tokens(text)
