"""What a check sees and does not count: what is denied, quoted, or a figure of another subject."""

import time
from typing import Any

import pytest

from interlayer_policies.checks.checks import compiled, subjects
from interlayer_policies.checks.draft import Draft

DISCOUNT: dict[str, Any] = {"unit": "%", "near": ["discount"], "max": 15}
GUARANTEE: dict[str, Any] = {"terms": ["guarantee"]}


def told(kind: str, options: dict[str, Any], text: str) -> list[tuple[str, str | None]]:
    return [(text[one.start : one.end], one.why) for one in compiled(kind, options).findings(Draft(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We cannot offer 30% off.", [("30%", "denied")]),
        ("We'd love to give 30% off, but we can't.", [("30%", "denied")]),
        ("We cannot, alas, give 30% off.", [("30%", "denied")]),
        ("30 % Rabatt sind leider nicht möglich.", [("30 %", "denied")]),
        ("我们不能给您30%的折扣。", [("30%", "denied")]),
        ('You wrote "we need 30% off".', [("30%", "quoted")]),
        ("You asked for a 30% discount.", [("30%", "quoted")]),
        ("> 30% off, please\nWe will see.", [("30%", "quoted")]),
        ("Customer: I want 30% off.\nAgent: I see.", [("30%", "quoted")]),
        ("Availability was 98.7% and the discount is 5%.", [("98.7%", "other_subject")]),
        ("A competitor offers a 30% discount.", [("30%", "other_subject")]),
    ],
)
def test_a_figure_that_is_denied_quoted_or_of_something_else_is_doubtful(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert told("max_number", DISCOUNT, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "We normally can't go above 15%, but for you I will make it a 25% discount.",
        "Not more than a 40% discount.",
        "Don't miss our 30% discount!",
        'We give you a "30%" discount.',
        "You asked for a 30% discount, and it is approved.",
        "As you asked, a 30% discount.",
        "If you are not happy with us, a 30% discount is yours.",
        "No setup fee, with a 30% discount.",
    ],
)
def test_what_only_sounds_like_a_refusal_or_a_quotation_counts(text: str) -> None:
    assert None in [why for _, why in told("max_number", DISCOUNT, text)]


def test_no_number_of_doubts_hides_a_violation() -> None:
    text = "We cannot offer 30% off. " * 120 + "You get 25% off."
    found = told("max_number", DISCOUNT, text)
    assert [one for one in found if one[1] is None] == [("25%", None)]
    assert len(found) == 51


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("We do not guarantee it.", "denied"),
        ("You asked whether we guarantee it.", "quoted"),
        ("There is no doubt: we guarantee it.", None),
        ("We do not only hope so, we guarantee it.", None),
    ],
)
def test_a_term_is_doubtful_where_it_is_denied_or_quoted(text: str, why: str | None) -> None:
    assert told("forbid_terms", GUARANTEE, text) == [("guarantee", why)]


def test_a_word_of_the_lists_stands_for_its_concept_and_any_other_for_itself() -> None:
    assert told("max_number", DISCOUNT, "Wir geben 30 % Rabatt.") == [("30 %", None)]
    assert told("max_number", DISCOUNT, "We knock 30% from the price.") == [("30%", None)]
    widgets = {"unit": "%", "near": {"en": ["widget"], "de": ["Bauteil"]}, "max": 15}
    assert told("max_number", widgets, "30% Rabatt. 20% Bauteile.") == [("20%", None)]
    assert subjects("max_number", DISCOUNT) == ["discount"]
    assert subjects("max_number", widgets) == []


def test_units_of_time_convert_and_currencies_only_at_a_rate() -> None:
    days: dict[str, Any] = {"unit": "days", "near": ["refund"], "max": 30}
    assert told("max_number", days, "A refund within one month.") == []
    assert told("max_number", days, "A refund within eight weeks.") == [("eight weeks", None)]
    credit: dict[str, Any] = {"unit": "$", "near": ["credit"], "max": 100}
    assert told("max_number", credit, "A credit of 99 €.") == [("99 €", "other_subject")]
    at_a_rate = {**credit, "rates": {"EUR": 1.1}}
    assert told("max_number", at_a_rate, "A credit of 99 €.") == [("99 €", None)]
    assert told("max_number", at_a_rate, "A credit of 90 €.") == []


@pytest.mark.parametrize("wrong", [{"near": {}}, {"near": {"en": []}}, {"rates": 1.1}, {"rates": {"EUR": "much"}}])
def test_options_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="near|rates|en|EUR"):
        compiled("max_number", {**DISCOUNT, **wrong})


@pytest.mark.parametrize(
    "unit",
    [
        "no 30% discount ",
        "discount ",
        '"you wrote 30% ',
        "you asked for 30% off, ",
        "- 30%\n",
        "| 30% ",
        "reduce price 30% ",
        "half ",
        "we cannot ",
        "> 30% off\n",
        "保证30%",
        "10 % and ",
    ],
)
def test_time_is_linear_in_the_length_of_a_text(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = (unit * characters)[:characters]
        start = time.process_time()
        compiled("max_number", DISCOUNT).findings(Draft(text))
        compiled("forbid_terms", GUARANTEE | {"terms": ["discount", "保证"]}).findings(Draft(text))
        return time.process_time() - start

    seconds(1_000)
    assert seconds(80_000) < 30 * max(seconds(10_000), 0.01)
