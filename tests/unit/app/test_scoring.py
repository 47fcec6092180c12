"""Scores go by content: figures and words, whatever the wording and the name."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from interlayer.app.bar_chart import bars
from interlayer.app.evaluation.scoring import Stored, agrees, says, score
from interlayer.memory.schema.property import PropertySchema

NOW = datetime(2026, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "expected", "same"),
    [
        ("Acme Inc is based in Oslo.", "They're based in Oslo", True),
        ("Acme has 40 employees in Oslo.", "Acme has 40 employees", True),
        ("Acme has 45 employees.", "Acme has 40 employees", False),
        ("Acme employs four hundred fifty thousand people", "Acme employs $450K people", True),
        ("Acme likes tea.", "Acme has an office in Rome", False),
        ("Acme has been evaluating Gong.", "They've also been evaluating Gong", True),
    ],
)
def test_a_fact_says_another_by_figures_and_words(stored: str, expected: str, same: bool) -> None:
    assert says(stored, expected, {"acm"}) is same


@pytest.mark.parametrize(
    ("kind", "stored", "expected", "same"),
    [
        ({"type": "date"}, "2026-03-01", "March 1, 2026", True),
        ({"type": "number"}, 12, "13", False),
        ({"type": "text"}, "Head of Sales", "head of sales", True),
        ({"type": "text"}, "Head of Sales", "Head of Finance in Rome", False),
        ({"type": "list"}, ["lock-in", "security holes"], ["security holes", "lock-in"], True),
        ({"type": "list"}, ["lock-in"], ["security holes", "lock-in"], False),
        ({"type": "number"}, 12, "many", False),
    ],
)
def test_a_property_agrees_in_its_normal_form(
    kind: dict[str, str], stored: object, expected: object, same: bool
) -> None:
    assert agrees(PropertySchema.model_validate(kind), stored, expected) is same


def test_what_nobody_expected_costs_precision_and_problems_are_counted() -> None:
    facts = [
        Stored("Acme sells pumps.", quote="pumps", observed_at=NOW),
        Stored("She signs next quarter.", quote=None, observed_at=NOW),
        Stored("Acme sells many pumps.", quote="pumps", observed_at=NOW),
    ]
    found = score(["They sell pumps", "They left Oracle"], facts, {}, {}, {}, ["Acme"])
    assert found.shares() == {
        "fact_recall": 0.5,
        "fact_precision": 0.6667,
        "property_recall": 1.0,
        "property_precision": 1.0,
    }
    assert (found.dangling, found.unanchored, found.repeated, found.unquoted) == (1, 1, 1, 1)
    assert found.missed == ["They left Oracle"]


def test_a_chart_is_well_formed_whatever_it_is_called() -> None:
    drawn = ET.fromstring(bars("a < b & c", {"x<y": {"recall": 0.5, "precision": 1.0}}))  # noqa: S314 - our own
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 4
