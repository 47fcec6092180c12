"""Deterministic checks find what they should, where it stands in the original, and nothing else."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer_policies.checks.checks import compiled
from interlayer_policies.checks.draft import Draft


def found(kind: str, text: str, **options: Any) -> list[str]:
    return [text[span.start : span.end] for span in compiled(kind, options)(Draft(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We guarantee it.", ["guarantee"]),
        ("GUARANTEED results", ["GUARANTEED"]),
        ("our guarantees", ["guarantees"]),
        ("gua\u200bran\u00adtee", ["gua\u200bran\u00adtee"]),
        ("guаrаntее", ["guаrаntее"]),  # Cyrillic а and е
        ("ｇｕａｒａｎｔｅｅ", ["ｇｕａｒａｎｔｅｅ"]),
        ("guaránteé", ["guaránteé"]),
        ("no warranty here", []),
        ("we are best in class!", ["best in class"]),
        ("best-in-\n  class tools", ["best-in-\n  class"]),
        ("the best intern in class", []),
        ("best in classes", ["best in classes"]),
        ("best in classical music", []),
        ("learn C++ now", ["C++"]),
        ("vitamin C", []),
    ],
)
def test_forbidden_terms_are_found_however_they_are_written(text: str, expected: list[str]) -> None:
    assert found("forbid_terms", text, terms=["guarantee", "best in class", "c++"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 30% discount", ["30%"]),
        ("30 % off", ["30 %"]),
        ("thirty percent off", ["thirty percent"]),
        ("twenty-five per cent off", ["twenty-five per cent"]),
        ("one hundred and five percent off", ["one hundred and five percent"]),
        ("half off today", ["half off"]),
        ("a third off the list", ["a third off"]),
        ("３０％ off", ["３０％"]),
        ("15.5% off", ["15.5%"]),
        ("15,5 % off", ["15,5 %"]),
        ("10 to 30% off", ["30%"]),
        ("15% off", []),
        ("30 people off", []),
        ("uptime of 99%, and " + "x" * 70 + " a discount", []),
        ("a quarter of them took off", []),
    ],
)
def test_a_percentage_near_a_word_is_limited(text: str, expected: list[str]) -> None:
    assert found("max_number", text, unit="%", near=["off", "discount"], max=15) == expected


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("$", "$1.2M and $900", ["$1.2M"]),
        ("USD", "450K usd, USD 3,000,000", ["450K usd", "USD 3,000,000"]),
        ("dollars", "two million dollars", ["two million dollars"]),
        ("€", "$5,000,000 or 2.000 €", []),
        ("days", "a 90001-day term, 100001 business days", ["90001-day", "100001 business days"]),
        ("", "the 90001st of 12", []),
    ],
)
def test_amounts_of_many_units_are_read(unit: str, text: str, expected: list[str]) -> None:
    limit = 100_000 if unit in {"$", "USD", "dollars", "€"} else 90_000
    if unit == "":
        assert found("max_number", text, max=90_000) == ["90001"]
    else:
        assert found("max_number", text, unit=unit, max=limit) == expected


def test_a_minimum_is_the_other_way_round() -> None:
    assert found("min_number", "notice of 10 days, then 40 days", unit="days", min=30) == ["10 days"]


def test_required_text_may_be_folded_and_its_absence_has_no_place() -> None:
    check = compiled("require_text", {"text": "Reply STOP  to opt out"})
    assert check(Draft("hello\nreply stop\nto opt\u200b out.")) == []
    assert [(span.start, span.end) for span in check(Draft("hello"))] == [(0, 0)]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("email", "write to sarah.chen@techflow.example now", ["sarah.chen@techflow.example"]),
        ("phone", "call +1 (206) 555-0100 or 206-555-0101", ["+1 (206) 555-0100", "206-555-0101"]),
        ("phone", "on 2026-11-23 at 10:15, order 4455667788", []),
        ("card", "4111 1111 1111 1111 and 4111 1111 1111 1112", ["4111 1111 1111 1111"]),
        ("card", "4111111111111111", ["4111111111111111"]),
        ("card", "0000 0000 0000 0000", []),
        ("iban", "DE89 3704 0044 0532 0130 00, DE89 3704 0044 0532 0130 01", ["DE89 3704 0044 0532 0130 00"]),
        ("national_id", "123-45-6789 and 000-12-3456", ["123-45-6789"]),
    ],
)
def test_personal_data_is_told_by_shape_and_checksum(kind: str, text: str, expected: list[str]) -> None:
    assert found("pii", text, kinds=[kind]) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("key AKIAIOSFODNN7EXAMPLE", 1),
        ("sk-abcdefghijklmnop1234", 1),
        ("ghp_abcdefghijklmnopqrst1234", 1),
        ("-----BEGIN RSA PRIVATE KEY-----", 1),
        ("password: hunter22", 1),
        ("Reset your password: the link is below.", 0),
        ("a task-based skill", 0),
    ],
)
def test_secrets_are_told_by_their_shape(text: str, count: int) -> None:
    assert len(found("secrets", text)) == count


def test_patterns_run_in_linear_time() -> None:
    draft = Draft("a" * 99_999 + "!")
    check = compiled("forbid_pattern", {"pattern": r"(a+)+$"})
    start = time.process_time()
    assert check(draft) == []
    assert time.process_time() - start < 1


def test_patterns_see_through_invisible_characters_and_do_not_mind_case() -> None:
    assert found("forbid_pattern", "ACT\u200b NOW", pattern=r"\bact now\b") == ["ACT\u200b NOW"]
    assert found("forbid_pattern", "Ціна 5 грн", pattern=r"ціна \d") == ["Ціна 5"]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("forbid_pattern", {"pattern": "(?=x)y"}, "pattern"),
        ("forbid_pattern", {"pattern": "("}, "pattern"),
        ("forbid_pattern", {"pattern": "a*"}, "empty text"),
        ("forbid_pattern", {"patern": "a"}, "did you mean 'pattern'"),
        ("forbid_terms", {}, "terms"),
        ("forbid_terms", {"terms": []}, "terms"),
        ("forbid_terms", {"terms": ["\u200b", ""]}, "empty"),
        ("forbid_terms", {"terms": ["\u200b"]}, "visible"),
        ("require_text", {"text": "\u200b"}, "visible"),
        ("max_number", {"max": "many"}, "max"),
        ("min_number", {"unit": "%"}, "min"),
        ("max_number", {"max": 1, "unit": "%", "near": ["!"]}, "near"),
        ("pii", {"kinds": ["emails"]}, "did you mean 'email'"),
        ("secrets", {"of": "whom"}, "unknown option"),
    ],
)
def test_a_check_that_cannot_work_is_refused(kind: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compiled(kind, options)


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("forbid_terms", {"terms": ["one two", "c++", "straße"]}),
    ("forbid_pattern", {"pattern": r"[a-z]+\d"}),
    ("max_number", {"unit": "%", "near": ["off"], "max": 3}),
    ("max_number", {"max": 3}),
    ("pii", {}),
    ("secrets", {}),
]


@given(st.text(max_size=200), st.sampled_from(KINDS))
def test_spans_always_lie_in_the_original_text(text: str, check: tuple[str, dict[str, Any]]) -> None:
    for span in compiled(*check)(Draft(text)):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1 ",
        "1",
        "a.b@",
        "+1-",
        "-",
        "é1 ",
        "AB12 ",
        "one ",
        "password: ",
        "eyJaaaaaaaaaa.",
        "% off 9",
        "0 ",
        "1,",
        "1.1,",
        "4111 ",
        "call 1",
        "between 1 and ",
        "12 ",
        "A1 ",
    ],
)
def test_no_text_of_the_largest_size_takes_long(kind: tuple[str, dict[str, Any]], unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    start = time.process_time()
    compiled(*kind)(Draft(text))
    assert time.process_time() - start < 5
