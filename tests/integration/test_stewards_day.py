"""What a steward asks beside publishing: which words callers use, what would change, who owns what, what trials do."""

from pathlib import Path

import pytest

from steward_desk import Desk

REFUNDS = """---
id: refunds
title: Refunds of orders
description: When money goes back to a customer, how much an agent may promise and who approves more.
owner: finance@company.example
scope: {audiences: [customer], regions: [EU]}
params: {limit: {value: 100, merge: min}}
rules:
  - id: R1
    level: must_not
    key: refund.max
    text: Never promise a refund above {limit} dollars.
    check: {kind: max_number, unit: dollars, near: [refund, back], max: '{limit}'}
    good: [I can refund 80 dollars today.]
    bad: [You will get a refund of 250 dollars.]
---
## Deadlines
A refund is paid within ten days of the request.
"""
FACETS = """audiences:
  customer: {aliases: [client]}
  prospect: {aliases: [lead]}
regions:
  EU: {aliases: [Europe]}
  DE: {in: EU}
"""


@pytest.fixture
def desk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    found = Desk(home, tmp_path / "policies")
    found.write(refunds=REFUNDS, facets=FACETS)
    return found


def test_the_vocabulary_is_listed_with_the_policies_that_name_each_value(desk: Desk) -> None:
    desk.publish()
    values = {(one["facet"], one["value"]): one for one in desk.told("vocabulary")["values"]}
    assert values["region", "DE"]["lies_in"] == ["EU"]
    assert values["audience", "customer"]["aliases"] == ["client"]
    assert {key: one["policies"] for key, one in values.items()} == {
        ("audience", "customer"): 1,
        ("audience", "prospect"): 0,
        ("region", "EU"): 1,
        ("region", "DE"): 0,
    }
    assert "client" in desk.run("vocabulary").stdout


def test_words_of_callers_that_reach_no_policy_are_counted_with_what_they_may_mean(desk: Desk) -> None:
    desk.publish()
    desk.ask(audience="Clients", region="Germany")
    desk.ask(audience="costumer", times=2)
    desk.check("A text", audience="Lead", region="unknown")
    found = desk.told("vocabulary", "--used")
    assert found["calls"] == 4
    assert [(one["facet"], one["value"], one["calls"], one["standing"]) for one in found["used"]] == [
        ("audience", "costumer", 2, "unknown"),
        ("audience", "Lead", 1, "in_no_scope"),
        ("region", "unknown", 1, "not_given"),
    ]
    assert (found["used"][0]["nearest"], found["used"][1]["means"]) == ("customer", "prospect")
    printed = desk.run("vocabulary", "--used").stdout
    assert "not in the vocabulary: counts as not given" in printed
    assert "facets.yaml" in printed
    assert desk.told("vocabulary", "--used", "--since", "2999-01-01")["used"] == []
