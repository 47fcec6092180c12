"""Quantities of real sentences: numerals, ranges, amounts of a unit, and values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.quantities.amounts import amounts
from interlayer.language.quantities.numbers import numbers, within
from interlayer.language.quantities.numerals import is_number_word, numerals
from interlayer.language.quantities.ranges import linked
from interlayer.language.quantities.units import before, behind, currency_of, names_of
from interlayer.language.quantities.values import Money, money_of, number_of

PIECES = [
    "1", "12", "300", "450 000", "1,250.5", "1.2.3", "five", "hundred", "million", "half a", "and", "one", "k", "m",
    "-", " ", "\n", "\x1c", "\u2003", "$", "€", "%", "percent", "to", "between", "from", "days", "v", ".", ",", ":",
    "٣", "²", "İ",
]  # fmt: skip


def ends(text: str) -> list[float | tuple[float, float]]:
    """Return the numbers of a text, ranges as pairs."""
    return [one.low if one.low == one.high else (one.low, one.high) for one in numbers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The budget is $450K.", [450_000]),
        ("Four hundred and fifty thousand dollars, not five hundred", [450_000, 500]),
        ("twenty-five seats, then ten and thirty more", [25, 10, 30]),
        ("half a million users on two dozen servers", [500_000, 24]),
        ("5 hundred thousand, or 2.4 million", [500_000, 2_400_000]),
        ("3 crore rupees and 20 lakh", [30_000_000, 2_000_000]),
        ("Der Preis beträgt 1,5 Millionen Euro, das Angebot 50.000 Euro", [1_500_000, 50_000]),
        ("un budget de 450 000 €, et 1.234.567,89 €", [450_000, 1_234_567.89]),
        ("CHF 1'250'000 im Jahr", [1_250_000]),
        ("pays 1.250 s less, but €1.250", [1.25, 1_250]),
        ("１２ seats", [12]),
        ("one of them has 3,5", [3.5]),
        ("version 1.2.3 came on 12.05.2026 in Q4", [1, 2, 3, 12, 5, 2026, 4]),
        ("in Q4 300 people came", [4, 300]),
    ],
)
def test_numbers_are_read_in_any_form(text: str, expected: list[float]) -> None:
    assert ends(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("280-310 employees", [(280, 310)]),
        ("$10-30k a year", [(10_000, 30_000)]),
        ("a term of two to three years", [(2, 3)]),
        ("between 40 and 85 users, 9 and 3", [(40, 85), 9, 3]),
        ("10% to 20% off, 5 up to 7", [(10, 20), (5, 7)]),
        ("it grew from 10 to 20", [10, 20]),
        ("2026-03-31, 10-12-2026, 9:00-17:00", [2026, 3, 31, 10, 12, 2026, 9, 0, 17, 0]),
        ("slow cycles—2-3 weeks", [(2, 3)]),
        ("5 or 6 of them", [5, 6]),
    ],
)
def test_a_range_is_told_from_dates_times_and_changes(text: str, expected: list[float | tuple[float, float]]) -> None:
    assert ends(text) == expected


def test_a_range_around_a_known_number_is_no_news_and_order_counts() -> None:
    assert within(numbers("it takes between 10 and 30 days"), numbers("it takes 20 days"))
    assert not within(numbers("from 40 to 85"), numbers("from 85 to 40"))
    assert not within(numbers("due on 10-12-2026"), numbers("due on 11-12-2026"))


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("%", "thirty percent, 30 per cent or 5%, half off", [30, 30, 5, 50]),
        ("%", "between ten and 30 percent, two-thirds off the price", [10, 30, 200 / 3]),
        ("$", "$1.2m, us$ 900, 5 m dollars and 450k usd; €7", [1_200_000, 900, 5_000_000, 450_000]),
        ("$", "a total of 5 million dollars", [5_000_000]),
        ("$", "$10-30k", [10_000, 30_000]),
        ("€", "2.000 € und 80 euro, chf 5", [2_000, 80]),
        ("CHF", "chf 1'500 or 20 francs", [1_500, 20]),
        ("days", "within 30 business days, a 14-day term, 10-20 days", [30, 14, 10, 20]),
        ("m", "5 m of cable, 7m", [5, 7]),
        ("", "v2 has 3 parts, q4 300 users, 1.2.3", [3, 300]),
        ("", "$5 m", [5_000_000]),
    ],
)
def test_amounts_bear_their_unit(unit: str, text: str, expected: list[float]) -> None:
    assert [one.value for one in amounts(text, unit)] == pytest.approx(expected)


def test_an_amount_stands_where_its_unit_ends() -> None:
    text = "cut by thirty percent, then us$ 5 million"
    assert [text[one.start : one.end] for one in amounts(text, "percent")] == ["thirty percent"]
    assert [text[one.start : one.end] for one in amounts(text, "USD")] == ["us$ 5 million"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5), ("-3%", -3), ("30 percent", 30), ("1,250", 1_250), ("1.200,50", 1_200.5), ("450 K", 450_000),
        ("four hundred", 400), ("450000,", 450_000), ("3,5", 3.5), ("1,2,3", None), ("12.05.2026", None), ("v2", None),
        ("many", None), ("10-20", None), ("", None),
    ],
)  # fmt: skip
def test_a_value_is_one_number_and_nothing_else(text: str, value: float | None) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("$450,000", Money(450_000, "USD")),
        ("1.200 €", Money(1_200, "EUR")),
        ("CHF 1'200", Money(1_200, "CHF")),
        ("USD 1.2M", Money(1_200_000, "USD")),
        ("~450K", Money(450_000, None)),
        ("two million pounds", Money(2_000_000, "GBP")),
        ("450 SEK", Money(450, "SEK")),
        ("$5 or €6", None),
        ("A$5", Money(5, "AUD")),
        ("a lot of dollars", None),
    ],
)
def test_money_is_an_amount_with_the_code_of_its_currency(text: str, money: Money | None) -> None:
    assert money_of(text) == money


def test_units_have_all_their_names() -> None:
    assert names_of("dollars") == names_of("$") > {"usd", "dollar"}
    assert names_of("percentage points") == names_of("%")
    assert names_of("Seats") == {"seats"}
    assert (currency_of("₹"), currency_of("rupees"), currency_of("seats")) == ("INR", "INR", None)
    assert behind(["days"]).match(" business days")
    assert behind(["box"]).match("-boxes")
    assert before(["$"]).search("a$ ")


def test_numerals_know_their_place_magnitude_and_whether_they_are_bound() -> None:
    text = "q4: 450k in two hundred and five boxes"
    found = numerals(text)
    assert [text[one.start : one.end] for one in found] == ["4", "450k", "two hundred and five"]
    assert [(one.value, one.magnitude) for one in found] == [(4, 1), (450_000, 1_000), (205, 1)]
    assert [one.bound for one in found] == [True, False, False]
    assert is_number_word("seventeen")
    assert not is_number_word("seat")


def test_alternatives_are_no_range() -> None:
    low, high = numerals(text := "10 or 30 percent")
    assert linked(text, low, high) == "alternative"
    assert linked(text, high, low) is None


@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60), st.sampled_from("% $ m".split())
)
def test_any_text_is_read_in_order_without_doubles(text: str, unit: str) -> None:
    found = numerals(text.lower(), letters_apart=True)
    assert all(0 <= one.start < one.end <= len(text.lower()) for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))
    assert all(one.low <= one.high for one in numbers(text))
    assert all(one.start < one.end for one in amounts(text.lower(), unit))
    number_of(text)
    money_of(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$450K", [(450_000, 450_000)]),
        ("four hundred fifty thousand", [(450_000, 450_000)]),
        ("three thousand two hundred and five", [(3_205, 3_205)]),
        ("280-310 people", [(280, 310)]),
        ("$1.2-1.5M", [(1_200_000, 1_500_000)]),
        ("from 40 to 85", [(40, 40), (85, 85)]),
        ("2026-03-31", [(2026, 2026), (3, 3), (31, 31)]),
        ("one of them", []),
        ("under 200ms", [(200, 200)]),
        ("five and six", [(5, 5), (6, 6)]),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, found: list[tuple[float, float]]) -> None:
    assert [(number.low, number.high) for number in numbers(text)] == found
