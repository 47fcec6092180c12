"""Properties found in plain content by the schema alone: what is stated is found, what is not certain is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.schema.schema import parse_schema

SCHEMA = parse_schema(
    """
entities:
  account:
    properties:
      account_phase: {type: enum, values: [Trial, Onboarding, Live, "Winding Down"]}
      risk_level: {type: enum, values: {Low: [], Elevated: [raised], Severe: []}}
      fleet_size: {type: enum, values: [1-9, 10-49, 50-199, 200+], description: Size of the fleet by vehicle count.}
      order_value: {type: number, description: Value of the order.}
      go_live_date: {type: date}
      budget_holder: {type: boolean}
      billing_email: {type: email}
      slogan: {type: text}
""",
    "test",
).entities["account"]


def found(text: str) -> dict[str, Any]:
    return {one.name: SCHEMA.properties[one.name].normal(one.value) for one in properties_of(text, SCHEMA, [])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Account phase: Onboarding", {"account_phase": "Onboarding"}),
        ("They are currently in the **Trial** phase of the programme.", {"account_phase": "Trial"}),
        ("| Phase | Winding Down |", {"account_phase": "Winding Down"}),
        ("The phase is now live.", {"account_phase": "Live"}),
        ("Elevated risk level, says the auditor.", {"risk_level": "Elevated"}),
        ("Risk remains severe.", {"risk_level": "Severe"}),
        ("They run 64 vehicles out of Leeds.", {"fleet_size": "50-199"}),
        ("A 1,200-vehicle operation.", {"fleet_size": "200+"}),
        ("The order value is $45K.", {"order_value": 45_000}),
        ("Order val ~1.2M", {"order_value": 1_200_000}),
        ("The go-live date is targeted at 3 May 2027.", {"go_live_date": "2027-05-03"}),
        ("- Go live 2027-05-03 if the pilot holds", {"go_live_date": "2027-05-03"}),
        ("Budget holder: yes", {"budget_holder": True}),
        ("She is the budget holder.", {"budget_holder": True}),
        ("He's not the budget holder.", {"budget_holder": False}),
        ("Billing email: accounts@fleet.example", {"billing_email": "accounts@fleet.example"}),
    ],
)
def test_what_stands_at_its_name_is_found(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "They hope to move to the Live phase next year.",
        "It is not a severe risk.",
        "The trial went well.",
        "They hired 12 vehicles cleaners and 30 people.",
        "The budget holder is the CFO.",
        "We met on 3 May 2027.",
        "Phase: Trial. Phase: Live.",
        "Slogan of the year",
        "The order was worth it.",
    ],
)
def test_what_is_planned_denied_contradicted_or_elsewhere_is_not(text: str) -> None:
    assert found(text) == {}


def test_the_majority_of_mentions_decides() -> None:
    assert found("Phase: Trial.\nPhase: Live.\nThey are in the live phase.") == {"account_phase": "Live"}


def test_what_the_caller_gives_is_not_looked_for() -> None:
    assert not list(properties_of("Account phase: Live", SCHEMA, ["account_phase"]))


WORDS = st.sampled_from(
    "phase risk level low severe live trial vehicles 12 1,200 order value $4k go date 2027-05-03 is not budget holder"
    " : | - . \n yes no billing email a@b.example moved to".split(" ")
)


@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_is_taken_and_every_finding_is_a_value_at_a_place_in_it(text: str) -> None:
    for one in properties_of(text, SCHEMA, []):
        assert SCHEMA.properties[one.name].normal(one.value) is not None
        assert one.span
        assert 0 <= one.span[0] < one.span[1] <= len(text)
        assert 0 < one.confidence < 1
