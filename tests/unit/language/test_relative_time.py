"""Relative time is resolved where it is certain, and nothing else in a text changes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.relative_time import anchor

SATURDAY = datetime(2026, 2, 21, 10, tzinfo=UTC)
PIECES = [
    "today", "Yesterday", "tomorrow's", "last week", "next quarter", "this year", "by Friday", "next Monday",
    "in two weeks", "3 months ago", "end of month", "by EOQ", "the day after tomorrow", "Friday next week",
    "in 900 years",
    "this weekend", "(2026-02-20)", "2026", "March 3", "the", "over", "of", "Acme", "pays", ".", ",", "(",
    ")", "-", "\n", "'s",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We launch next quarter.", "We launch next quarter (2026-Q2)."),
        ("Yesterday she called.", "Yesterday (2026-02-20) she called."),
        ("yesterday's call", "yesterday's (2026-02-20) call"),
        ("The pilot ended last week", "The pilot ended last week (2026-02-09 to 2026-02-15)"),
        ("The plant opens next month.", "The plant opens next month (2026-03)."),
        ("Sign by Friday!", "Sign by Friday (2026-02-27)!"),
        ("Call on Tuesday next week", "Call on Tuesday next week (2026-02-24)"),
        ("Met last Friday", "Met last Friday (2026-02-20)"),
        ("Meet next Friday", "Meet next Friday (2026-02-27)"),
        ("Ready in two weeks", "Ready in two weeks (2026-03-07)"),
        ("Ready in three months", "Ready in three months (2026-05)"),
        ("Founded 2 years ago", "Founded 2 years ago (2024)"),
        ("Das kam vor 3 Tagen.", "Das kam vor 3 Tagen (2026-02-18)."),
        ("Vor einem Jahr gegründet", "Vor einem Jahr (2025) gegründet"),
        ("In zwei Wochen ist Schluss", "In zwei Wochen (2026-03-07) ist Schluss"),
        ("Il a signé il y a 2 semaines.", "Il a signé il y a 2 semaines (2026-02-07)."),
        ("Il y a un mois, il a signé", "Il y a un mois (2026-01), il a signé"),
        ("dans trois jours", "dans trois jours (2026-02-24)"),
        ("Se firmó hace 3 días", "Se firmó hace 3 días (2026-02-18)"),
        ("dentro de dos meses", "dentro de dos meses (2026-04)"),
        ("due by end of month", "due by end of month (2026-02-28)"),
        ("by the end of next quarter", "by the end of next quarter (2026-06-30)"),
        ("closes EOQ", "closes EOQ (2026-03-31)"),
        ("the day after tomorrow", "the day after tomorrow (2026-02-23)"),
        ("this year and last year", "this year (2026) and last year (2025)"),
    ],
)
def test_what_is_certain_is_put_behind(text: str, expected: str) -> None:
    assert anchor(text, SATURDAY) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Gestern kam der Vertrag, morgen wird geliefert.",
            "Gestern (2026-02-20) kam der Vertrag, morgen (2026-02-22)",
        ),
        ("Das Werk öffnet nächsten Monat.", "nächsten Monat (2026-03)."),
        ("Nous avons signé hier.", "hier (2026-02-20)."),
        ("La visite est la semaine prochaine.", "semaine prochaine (2026-02-23 to 2026-03-01)."),
        ("Mañana firmamos.", "Mañana (2026-02-22) firmamos."),
        ("El año pasado crecieron.", "año pasado (2025) crecieron."),
        ("Ieri hanno firmato.", "Ieri (2026-02-20) hanno"),
        ("O contrato termina no próximo ano.", "próximo ano (2027)."),
        ("Zij komen overmorgen.", "overmorgen (2026-02-23)."),
    ],
)
def test_days_and_periods_of_other_languages_are_known(text: str, expected: str) -> None:
    assert expected in anchor(text, SATURDAY)


@pytest.mark.parametrize(
    "text",
    [
        "Am Morgen ist sie nicht hier.",
        "Hier ist der Vertrag.",
        "Zij is hier in de morgen.",
        "Por la mañana no está en la oficina.",
        "Guten Morgen zusammen!",
    ],
)
def test_a_word_that_is_a_day_elsewhere_is_none_here(text: str) -> None:
    assert anchor(text, SATURDAY) == text


@pytest.mark.parametrize(
    "text",
    [
        "Ann steht vor 3 Türen.",
        "Il y a 30 jours de congé.",
        "Hace 3 días que no funciona.",
        "Recently they grew, and soon they will again.",
        "Over the last year they grew.",
        "In the last week of March they sign.",
        "They met on 2026-02-20 (yesterday).",
        "We sign tomorrow, February 22.",
        "Next quarter (2026-Q2) is planned.",
        "USA Today and tomorrow.io are firms; so is monday.com.",
        "We use it by Monday.com.",
        "Friday was fine.",
        "Signed 2026-03-31, paid March 3, 2026, due Q3 2026.",
        "The day-to-day work is today-proof.",
    ],
)
def test_what_is_not_certain_or_dated_already_is_left(text: str) -> None:
    assert anchor(text, SATURDAY) == text


INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join), INSTANTS)
def test_an_anchored_text_is_not_anchored_again(text: str, instant: datetime) -> None:
    once = anchor(text, instant)
    assert anchor(once, instant) == once


@given(st.text(max_size=300), INSTANTS)
def test_any_text_is_taken_and_keeps_its_words(text: str, instant: datetime) -> None:
    rest = iter(anchor(text, instant))
    assert all(character in rest for character in text)


@given(st.text(st.characters(exclude_characters="aeoyAEOY"), max_size=300), INSTANTS)
def test_a_text_without_relative_time_stays_as_it_is(text: str, instant: datetime) -> None:
    assert anchor(text, instant) == text


def test_long_text_takes_no_long_time() -> None:
    for unit in ("the ", "by ", "in two ", "last ", "next week ", "1 ", "end of "):
        assert len(anchor(unit * 40_000, SATURDAY)) >= len(unit) * 40_000
