"""Slips in front matter are told in their author's words: the line, and what to write."""

import pytest

from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile


def problems(head: str) -> list[str]:
    found = parse(PolicyFile("a.md", f"---\n{head}\n---\n# T\n## S\nText.\n"))
    return [] if isinstance(found, Policy) else [str(one) for one in found]


@pytest.mark.parametrize(
    ("head", "line", "words"),
    [
        ("rules:\n  - Never say: we promise it.", 3, "quotes: - 'Never say: we promise it.'"),
        ("rules:\n  - text: Never say: we can.\n    level: must", 3, "quotes: 'Never say: we can.'"),
        ("rules:\n  - Don't say hi: never.", 3, "'Don''t say hi: never.'"),
        ("title: Refunds: how and when", 2, "'Refunds: how and when'"),
        ("rules:\n- {level: must, text: a: b}", 3, "inside of { }"),
        ("rules:\n\t- Never lie.", 3, "a tab; use blanks"),
        ("scope:\n\tregions: [EU]", 3, "a tab; use blanks"),
        ("rules:\n  - {limit} euros must do.", 3, "write '{limit} euros must do.'"),
        ("rules:\n  - text: {limit} euros must do.\n    level: must", 3, "write '{limit} euros must do.'"),
        ("rules:\n  - {text: Not over {limit} euros., level: must}", 3, "quotes inside of { }"),
        ("rules:\n  - text: Never.\n    check: {kind: max_number, max: {limit}}", 4, "write '{limit}'"),
        ("rules:\n  - *Never* shout.", 3, "write '*Never* shout.'"),
        ("rules:\n  - @home must lock.", 3, "write '@home must lock.'"),
        ('rules:\n  - "Never" is a word.', 3, "'\"Never\" is a word.'"),
        ("rules:\n  - Never promise tier #1.", 3, "'Never promise tier #1.'"),
        ("rules:\n  - 'It must be\ntitle: x", 3, "never closed"),
        ("rules:\n  - text: 'Never.'\n   level: must", 4, "align it"),
        ("effective: {from: 01.12.2026}", 2, "write 2026-12-01"),
        ("effective: {until: 1/12/2026}", 2, "write 2026-12-01 or 2026-01-12"),
        ("effective: {from: 1. Dezember 2026}", 2, "write 2026-12-01"),
        ("effective: {from: 2026/12/01}", 2, "write 2026-12-01"),
        ("effective: {from: tomorrow}", 2, "such as 2026-12-01"),
        ("effective: {from: 2026-13-01}", 2, "no such day"),
        ("title: true", 2, "truth value; put it in quotes: 'true'"),
        ("title: 2026", 2, "number; put it in quotes: '2026'"),
        ("rules: Never lie.", 2, "write [Never lie.]"),
        ("rules:\n  - [Never lie.]", 3, "- 'Never lie.'"),
        ("tests:\n  - Offer it", 3, "{task: 'Offer it'"),
        ("scope: EU", 2, "{regions: [EU]}"),
        ("params: {limit: 5}", 2, "{value: 5}"),
        ("rules:\n  - {text: Never., level: always}", 3, "'always' is no level; write one of must_not"),
        ("id: my policy", 2, "a blank in it"),
        ("id: a/b", 2, "letters, digits and . _ -"),
        ("id: facets.yaml", 2, "name of the vocabulary"),
        ("rules: [{id: R1, text: Never.}, {id: r1, text: Never.}]", 2, "differ only by case"),
    ],
)
def test_a_slip_is_named_with_its_line_and_what_to_write(head: str, line: int, words: str) -> None:
    [found] = problems(head)
    assert found.startswith(f"a.md:{line}: "), found
    assert words in found


def test_a_comment_behind_a_rule_and_a_folded_text_are_no_slips() -> None:
    assert problems("rules:\n  - Never lie. # legal asked for it\n  - text: >\n      Never\n      steal.\n") == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Rabatte über 15 % sind verboten.", "must_not"),
        ("Les agents doivent citer la source.", "must"),
        ("No ofrezca descuentos.", "must_not"),
        ("Answers should be short.", "should"),
        ("Agents may round prices.", "may"),
        ("Be kind. Never shout.", "must_not"),
        ("Offer no discount.", "must_not"),
        ("Ask for the invoice.", "must"),
    ],
)
def test_a_plain_sentence_tells_its_level(text: str, level: str) -> None:
    found = parse(PolicyFile("a.md", f"---\nrules: [{text!r}]\n---\n"))
    assert isinstance(found, Policy)
    assert found.rules[0].level == level


@pytest.mark.parametrize("text", ["Der Kunde ist König.", "Our prices are in euros.", "割引は15％まで。"])
def test_a_sentence_that_tells_no_level_asks_for_it(text: str) -> None:
    [found] = problems(f"rules:\n  - {text}")
    assert found.startswith("a.md:3: rule R1: ")
    assert "say the level: write `level: must_not`" in found
    assert problems(f"rules:\n  - {{level: must, text: {text}}}") == []
