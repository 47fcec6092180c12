"""From Markdown with front matter to a policy; what is wrong is named with file, line and the nearest known word."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer_policies.document.parser import parse, without_trials
from interlayer_policies.document.policy import Policy, PolicyFile, Problem

FULL = """---
id: refunds
title: Refunds
description: Who may give money back.
owner: finance@company.example
tier: unit
scope:
  agents: [support-*]
  regions: [NO, EU]
  when: {stage: [open, 3]}
effective: {from: 2026-01-01, until: 2026-12-31}
supersedes: [old-refunds]
params: {limit: {value: 50, merge: min}, words: {value: [a, b], merge: union}}
rules:
  - Never refund more than {limit} dollars.
  - text: Ask for the invoice.
    key: refund.invoice
  - {id: R9, level: SHOULD NOT, text: 'Avoid {words}.'}
tests:
  - {task: Refund the order, expect_rules: R1}
---
# Refund handbook
Intro.

## Small refunds
Text one.
```
## not a heading
```
## Small refunds
Text two.
"""


def parsed(text: str) -> Policy:
    result = parse(PolicyFile("area/refunds.md", text))
    assert isinstance(result, Policy), result
    return result


def problems(text: str) -> list[Problem]:
    result = parse(PolicyFile("area/refunds.md", text))
    assert isinstance(result, list)
    return result


def test_every_key_is_understood() -> None:
    policy = parsed(FULL)
    assert (policy.id, policy.title, policy.tier) == ("refunds", "Refunds", "unit")
    assert dict(policy.scope.limits) == {"agent": ("support-*",), "region": ("eu", "no"), "entity.stage": ("3", "open")}
    assert policy.effective.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert policy.effective.end == datetime(2027, 1, 1, tzinfo=UTC), "an until date includes its whole day"
    assert policy.supersedes == ("old-refunds",)
    assert policy.values == {"limit": 50.0, "words": ("a", "b")}


def test_rules_get_ids_by_position_and_levels_by_their_first_words() -> None:
    assert [(rule.id, rule.level) for rule in parsed(FULL).rules] == [
        ("R1", "must_not"),
        ("R2", "must"),
        ("R9", "should_not"),
    ]
    text = '---\nrules: ["Don\'t shout.", Do not run., DO NOT walk., Be kind., Offer no discount.]\n---\n'
    assert [rule.level for rule in parsed(text).rules] == ["must_not", "must_not", "must_not", "must", "must_not"]


def test_sections_are_split_at_second_level_headings_outside_of_code() -> None:
    sections = parsed(FULL).sections
    assert [section.id for section in sections] == ["overview", "small-refunds", "small-refunds-2"]
    assert sections[0].title == "Refunds"
    assert "## not a heading" in sections[1].text


def test_plain_markdown_is_guidance() -> None:
    policy = parsed("# How we greet\nSay hello first.\n")
    assert (policy.id, policy.title, policy.rules) == ("area-refunds", "How we greet", ())
    assert [(s.id, s.text) for s in policy.sections] == [("overview", "Say hello first.")]


def test_windows_lines_and_a_byte_order_mark_change_nothing() -> None:
    assert parsed("\ufeff" + FULL.replace("\n", "\r\n")) == parsed(FULL)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("owner:", "ownr:", 5, ["ownr", "'owner'"]),
        ("  regions:", "  region:", 9, ["scope.region", "'regions'"]),
        ("    key: refund", "    kye: refund", 17, ["kye", "'key'"]),
        ("tier: unit", "tier: galaxy", 6, ["tier", "'law'", "'agent'"]),
        ("SHOULD NOT", "PERHAPS", 18, ["must_not, must, should_not, should, may"]),
        ("{limit} dollars", "{limt} dollars", 15, ["R1", "{limt}", "params"]),
        ("id: R9", "id: R2", 18, ["'R2'", "twice"]),
        ("merge: min", "merge: union", 13, ["limit", "list"]),
        ("until: 2026-12-31", "until: 2025-12-31", 11, ["until", "from"]),
        ("until: 2026-12-31", "until: soon", 11, ["effective"]),
        ("[old-refunds]", "[refunds]", 12, ["itself"]),
        ("id: refunds", "id: Re Funds", 2, ["id"]),
        ("title: Refunds", "id: other", 3, ["'id'", "twice"]),
        ("owner: finance", "owner: [", 5, ["opened and never closed"]),
        ("  when: {stage: [open, 3]}", "  channels: []", 10, ["channels"]),
        ("text: Ask", "txt: Ask", 16, ["text"]),
    ],
)
def test_a_mistake_is_named_with_its_line(before: str, after: str, line: int, words: list[str]) -> None:
    assert before in FULL
    found = problems(FULL.replace(before, after, 1))
    message = "; ".join(problem.message for problem in found)
    assert {problem.file for problem in found} == {"area/refunds.md"}
    assert line in {problem.line for problem in found}, found
    for word in words:
        assert word in message


def test_every_mistake_of_a_file_is_found_at_once() -> None:
    text = FULL.replace("owner:", "ownr:").replace("tier: unit", "tier: none").replace("  regions:", "  region:")
    assert len(problems(text)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "---\nid: a\n# never closed\n",
        "---\n- a\n- b\n---\n",
        "---\nx: &a [1]\ny: *a\n---\n",
        "---\nid: " + "[" * 500 + "\n---\n",
        "---\nid: !!python/object:os.system x\n---\n",
        "x" * 200_001,
    ],
)
def test_what_is_no_policy_is_a_problem_and_never_a_crash(text: str) -> None:
    assert problems(text)


def test_yaml_words_for_truth_are_plain_words(recwarn: Any) -> None:
    scope = parsed("---\nscope: {regions: [NO, no, On], channels: off, when: {active: true}}\n---\n").scope
    assert scope.patterns("region") == {"no", "on"}
    assert scope.patterns("channel") == {"off"}
    assert scope.patterns("entity.active") == {"true"}
    assert not recwarn.list


def test_front_matter_that_is_never_opened_is_told() -> None:
    text = FULL.removeprefix("---\n")
    assert text != FULL
    [problem] = parse(PolicyFile("a.md", text))  # type: ignore[misc]
    assert "put --- into the first line" in str(problem)
    plain = parse(PolicyFile("a.md", "# Note\nid: is a word here\n\n---\nMore.\n"))
    assert isinstance(plain, Policy), "a rule across a page of guidance is none"


@pytest.mark.parametrize(
    "written",
    [
        "rules:\n  - Be kind.\n  - text: Never say größer.  # not yet\n    trial: true\n\n  - Be brief.\ntitle: T",
        "rules:\n- Be kind.\n- {trial: true, text: Never say größer.}\n- Be brief.",
        "rules: [Be kind., {text: Never say größer., trial: true}, Be brief.]\ntitle: Größe",
        "title: Maß\nrules:\n  - Be kind.\n  - text: Never say größer.\n    trial: true\n  - {id: R3, text: Be brief.}",
        "rules:\n  - Be kind.\n  - text: >\n      Never say\n      größer.\n    trial: true\n  - Be brief.",
    ],
)
def test_a_text_without_its_trials_is_the_policy_without_them(written: str) -> None:
    text = f"---\nid: a\n{written}\n---\n## Greeting\nGreet.\n"
    assert isinstance(parse(PolicyFile("a.md", text)), Policy)
    shown = without_trials(PolicyFile("a.md", text))
    assert "größer" not in shown
    rest = parse(PolicyFile("a.md", shown.replace("{trial: true}", "{trial: true, text: Wait.}")))
    assert isinstance(rest, Policy)
    assert [(rule.id, rule.text) for rule in rest.rules if not rule.trial] == [("R1", "Be kind."), ("R3", "Be brief.")]
    assert [section.text for section in rest.sections] == ["Greet."]
