"""A short statement that pins down nothing new is merged; one that pins down anything new is not."""

import pytest

from interlayer.language.quantities.numbers import numbers
from interlayer.language.restatement import Pinned


@pytest.mark.parametrize(
    ("new", "known"),
    [
        ("Contract value ~$72K", "The budget for the rollout is allocated at $72,000"),
        ("The rollout budget is seventy-two thousand", "Budget is around $72K for the rollout"),
        ("Timeline: Q3 2027", "Targeting Q3 2027 for the rollout"),
        ("Team of ~140 nurses", "The nursing team has 140 nurses across 9 wards"),
        ("About 510-540 beds", "They run 520 beds, up from 480 last year"),
        ("Company on Azure", "Their infrastructure runs on Azure"),
    ],
)
def test_what_is_known_in_other_words_restates(new: str, known: str) -> None:
    pinned = Pinned.of(new)
    assert pinned
    assert pinned.stands_in(known)


@pytest.mark.parametrize(
    ("new", "known"),
    [
        ("Contract value ~$72K", "They lost $72K to churn"),
        ("Renewal: Q3 2027", "Targeting Q3 2027 for the rollout"),
        ("Team of 150 nurses", "The nursing team has 140 nurses across 9 wards"),
        ("About 600 beds", "They run 520 beds, up from 480 last year"),
        ("Azure migration is delayed", "Their infrastructure runs on Azure"),
        ("Discount: 15%", "Churn is 15%"),
        ("No budget of $72K", "Budget is around $72K for the rollout"),
    ],
)
def test_what_says_anything_more_does_not(new: str, known: str) -> None:
    pinned = Pinned.of(new)
    assert pinned is None or not pinned.stands_in(known)


def test_several_claims_in_a_row_are_known_one_by_one() -> None:
    known = ["Their infrastructure runs on Azure", "They plan to rewrite the planner in Rust"]
    row = Pinned.of("Company on Azure, planning a Rust rewrite")
    assert row
    assert row.stands_in_parts(known)
    for other in ("Agent 2 inspected pump 2", "Ann met Carl and Bob", "Company on Azure, planning a Go rewrite"):
        pinned = Pinned.of(other)
        assert pinned
        assert not pinned.stands_in_parts(
            [*known, "Agent 2 inspected pump 0", "Agent 1 inspected pump 2", "Bob is tall"]
        )


def test_a_statement_that_pins_nothing_down_or_says_much_is_left_to_the_cosine() -> None:
    assert Pinned.of("They are happy with the service") is None
    assert (
        Pinned.of("The 12 nurses of the night shift asked for better lamps, chairs, tea, rest rooms and gloves") is None
    )


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
