"""Checks tell what breaks a rule from what only looks so, on labelled texts and on real ones."""

from pathlib import Path

import pytest

from interlayer_policies.checks.draft import Draft
from labelled_texts import OWN, STARTER_DISCOUNT, business_texts, check_of, tallies
from research_data import needed

RECALL = 0.9
FALSE_ALARMS = 0.08
FALSE_DISCOUNTS = 3


def texts(source: str) -> Path:
    return OWN if source == "own" else needed(source)


@pytest.mark.parametrize("source", ["own", "compliance"])
def test_violations_are_found_and_harmless_texts_are_not_flagged(source: str) -> None:
    tally = tallies(texts(source))["all"]
    assert tally.recall >= RECALL, tally.wrong
    assert tally.false_alarms <= FALSE_ALARMS, tally.wrong


def test_real_business_texts_offer_no_discount() -> None:
    check = check_of(STARTER_DISCOUNT)
    hits = [
        text[span.start - 60 : span.end + 40]
        for text in business_texts(needed("governed-memory"))
        for span in check(Draft(text))
    ]
    assert len(hits) <= FALSE_DISCOUNTS, hits
