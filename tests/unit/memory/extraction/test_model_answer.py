"""A model's answer read entry by entry: what has one meaning is read, a bad entry costs no other, nothing vanishes."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.extraction.extractor import ExtractedFact, Extraction, KnownFact
from interlayer.memory.extraction.merging import amended, merged
from interlayer.memory.extraction.model_answer import UNJUDGED, AnswerReader
from interlayer.models.structured import NotInForm, parsed, whole_objects

KNOWN = (KnownFact("f_1", "Acme uses Oracle."), KnownFact("f_2", "Ann Lee is the CFO."))
FACT = {"text": "Acme sells pumps.", "quote": "sells pumps", "confidence": 0.9}
SOLD = ExtractedFact("Acme sells pumps.", "sells pumps", 0.9)
PROPERTY = {"name": "seats", "value": 40, "quote": "40 seats", "confidence": 0.95}


def read(data: Any) -> Extraction:
    """Return all that is usable of an answer, whatever is wrong with the rest; nothing of it: an empty extraction."""
    try:
        return AnswerReader(KNOWN).read(data)
    except NotInForm as mistake:
        return mistake.usable or Extraction()


def fact(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**FACT, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("said", "confidence"),
    [
        (1, 1.0),
        ("0.9", 0.9),
        ("0,9", 0.9),
        ("90%", 0.9),
        ("90 %", 0.9),
        (90, 0.9),
        ("high", 0.9),
        ("Low", 0.4),
        (None, UNJUDGED),
        (..., UNJUDGED),
    ],
)
def test_a_confidence_that_has_one_meaning_is_read(said: Any, confidence: float) -> None:
    found = AnswerReader().read({"facts": [fact(confidence=said)]})
    assert found.facts[0].confidence == pytest.approx(confidence)
    assert not found.lost


BAD_FACTS: dict[str, Any] = {
    "confidence over one": fact(confidence=7),
    "confidence below zero": fact(confidence=-0.1),
    "confidence in other words": fact(confidence="I think so"),
    "confidence as an object": fact(confidence={"value": 0.9}),
    "confidence as truth": fact(confidence=True),
    "confidence that is no number": fact(confidence=math.nan),
    "confidence beyond numbers": fact(confidence=10**400),
    "null text": fact(text=None),
    "blank text": fact(text=" "),
    "text as a list": fact(text=["Acme", "sells pumps."]),
    "missing text": fact(text=...),
    "missing quote": fact(quote=...),
    "null quote": fact(quote=None),
    "quote as a number": fact(quote=5),
    "control character": fact(text="Acme\u0000"),
    "half an emoji": fact(text="Acme \ud83d"),
    "time as a number": fact(observed_at=2026),
    "subject as a list": fact(subject=["Acme"]),
    "a text": "Acme sells pumps.",
    "a number": 5,
    "null": None,
}


@pytest.mark.parametrize("bad", BAD_FACTS.values(), ids=list(BAD_FACTS))
def test_a_bad_fact_costs_no_other_and_is_named(bad: Any) -> None:
    answer = {"facts": [FACT, bad, {**FACT, "text": "Acme is in Oslo."}], "properties": [PROPERTY]}
    with pytest.raises(NotInForm, match=r"facts\.1") as told:
        AnswerReader().read(answer)
    found: Extraction = told.value.usable
    assert [one.text for one in found.facts] == [FACT["text"], "Acme is in Oslo."]
    assert [one.value for one in found.properties] == [40]
    (lost,) = found.lost
    assert lost.why.startswith("facts.1")
    assert lost.text
    assert json.dumps([lost.text, lost.quote], ensure_ascii=False).encode()  # a store can carry it


@pytest.mark.parametrize(
    "bad",
    [
        {**PROPERTY, "name": None},
        {**PROPERTY, "value": None},
        {**PROPERTY, "value": {}},
        {**PROPERTY, "value": [["a"]]},
        {**PROPERTY, "value": math.inf},
        {**PROPERTY, "value": 10**400},
        {"name": "seats", "value": 40},
    ],
)
def test_a_bad_property_costs_no_other(bad: Any) -> None:
    found = read({"facts": [FACT], "properties": [bad, PROPERTY]})
    assert [one.value for one in found.properties] == [40]
    assert len(found.facts) == len(found.lost) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"facts": [FACT]},
        {"facts": FACT, "properties": None},
        {"facts": [[FACT]], "notes": "none"},
        {"extraction": {"facts": [FACT], "properties": []}},
        [FACT],
        [{"facts": [FACT]}],
        {"facts": [{**FACT, "status": "new", "why": [1]}]},
    ],
)
def test_what_has_one_meaning_is_read_however_it_is_wrapped(answer: Any) -> None:
    assert AnswerReader().read(answer).facts == [SOLD]


@pytest.mark.parametrize("answer", [{}, [], 5, None, {"facts": "Acme"}, {"facts": [5]}, {"text": "Acme"}])
def test_of_an_answer_without_anything_usable_nothing_is_left(answer: Any) -> None:
    if answer == []:  # a list without entries is one: the model found nothing
        assert AnswerReader().read(answer) == Extraction([], [], [], [], lost=[])
        return
    with pytest.raises(NotInForm, match="facts") as told:
        AnswerReader().read(answer)
    assert told.value.usable is None


@pytest.mark.parametrize(
    ("label", "named", "unknown"),
    [
        ("F1", "f_1", 0),
        ("f2.", "f_2", 0),
        ("[F2]", "f_2", 0),
        (2, "f_2", 0),
        ("F1: Acme uses Oracle.", "f_1", 0),
        (["F2", "F1"], "f_2", 0),
        ("acme uses oracle", "f_1", 0),
        ("", None, 0),
        (None, None, 0),
        (False, None, 0),
        ([], None, 0),
        ("none", None, 0),
        ("F3", None, 1),
        ("F0", None, 1),
        ("f_1k2j3h4", None, 1),
        ({"id": "F1"}, None, 1),
    ],
)
def test_a_known_fact_is_named_by_its_label_and_none_is_made_up(label: Any, named: str | None, unknown: int) -> None:
    found = AnswerReader(KNOWN).read({"facts": [fact(replaces=label, ended="true")]})
    (one,) = found.facts
    assert (one.replaces, found.unknown_facts, one.ended) == (named, unknown, True)
    assert AnswerReader(KNOWN).read({"facts": [fact(repeats=label, ended=None)]}).facts[0].repeats == named


def test_a_property_may_go_with_or_without_a_value() -> None:
    for value, kept in (("", None), (None, None), ([], None), ("Globex", "Globex"), (["Globex"], ["Globex"])):
        (one,) = read({"facts": [], "properties": [{**PROPERTY, "value": value, "remove": True}]}).properties
        assert (one.value, one.remove) == (kept, True)


def test_an_answer_that_breaks_off_keeps_its_entries_and_says_that_there_was_more() -> None:
    text = json.dumps({"facts": [FACT, {**FACT, "text": "Acme is in Oslo."}], "properties": [PROPERTY]})
    found = AnswerReader().gather(whole_objects(text[:-20]))
    assert found
    assert [one.text for one in found.facts] == [FACT["text"], "Acme is in Oslo."]
    assert [one.why for one in found.lost] == ["the rest of the answer cannot be read"]
    assert AnswerReader().gather(whole_objects("{" * 50)) is None


def test_a_correction_that_holds_only_what_it_corrects_loses_nothing_of_the_first_answer() -> None:
    first = read({"facts": [FACT, fact(text=None, quote="is in Oslo")], "properties": [PROPERTY]})
    second = read({"facts": [{"text": "Acme is in Oslo.", "quote": "It is in Oslo", "confidence": 0.9}]})
    found = amended(first, second)
    assert {one.text for one in found.facts} == {FACT["text"], "Acme is in Oslo."}
    assert [one.value for one in found.properties] == [40]
    assert not found.lost
    dropped = amended(first, read({"facts": [FACT]}))  # it left out what it could not put in form
    assert len(dropped.facts) == 1
    assert [one.quote for one in dropped.lost] == ["is in Oslo"]


def test_of_a_fact_that_two_passages_state_what_either_says_of_known_facts_is_kept() -> None:
    one = Extraction([ExtractedFact("Acme left Oracle.", "left Oracle", 0.7, replaces="f_1")], unknown_facts=1)
    other = Extraction([ExtractedFact("acme left Oracle", "left Oracle", 0.9, ended=True)])
    (found,) = merged([one, other]).facts
    assert (found.confidence, found.replaces, found.ended) == (0.9, "f_1", True)
    assert merged([one, other]).unknown_facts == 1


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("sells pumps")
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
ENTRY = (
    st.just(FACT)
    | VALUE
    | st.dictionaries(st.sampled_from([*FACT, *PROPERTY, "replaces", "repeats", "ended", "remove"]), VALUE)
)


@given(st.lists(ENTRY, max_size=5), st.lists(ENTRY, max_size=5))
def test_every_entry_of_any_answer_is_read_or_lost_with_a_reason(facts: list[Any], properties: list[Any]) -> None:
    answer = {"facts": facts, "properties": properties}
    try:
        found = AnswerReader(KNOWN).read(answer)
    except NotInForm as mistake:
        found = mistake.usable
        if found is None:
            assert str(mistake)
            return
    entries = sum(len(one) if isinstance(one, list) else 1 for one in [*facts, *properties])
    assert len(found.facts) + len(found.properties) + len(found.lost) == entries
    assert all(one.text.strip() and one.quote.strip() and 0 <= one.confidence <= 1 for one in found.facts)
    assert all(one.why for one in found.lost)


@given(st.text(alphabet='{}[]":,\\ntrue0.9 ', max_size=60), st.integers(0, 200))
def test_reading_any_text_raises_nothing_but_what_is_wrong_with_it(noise: str, end: int) -> None:
    text = noise + json.dumps({"facts": [FACT], "properties": [PROPERTY]})[:end]
    objects = whole_objects(text)
    found = AnswerReader().gather(objects)
    assert found is None or found.lost
    try:
        AnswerReader().read(parsed(text))
    except NotInForm as mistake:
        assert str(mistake)
