"""lint: what keeps a policy from being found, checks that flag too much, and scopes that collect too many rules."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.rules import sent_rules
from interlayer_policies.delivery.sizes import tokens_of
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.document.vocabulary import Vocabulary
from interlayer_policies.review.lint import lint, parsed
from interlayer_policies.review.rule_budget import OPEN_TOKENS_CAP, SCOPE_TOKENS_CAP, crowded
from research_data import needed

FOUND = """---
id: refunds
title: Refunds of orders
description: When an order is paid back, how long it takes, and who approves a larger sum.
owner: finance@company.example
---
## Deadline
An order is paid back within ten days.
"""


def warnings(*texts: str) -> list[str]:
    return [str(one) for one in lint([PolicyFile(f"p{number}.md", text) for number, text in enumerate(texts)])]


# Wording


def test_a_policy_that_says_what_it_is_about_has_no_warning() -> None:
    assert warnings(FOUND) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("description: When", "# When", 2, "no description"),
        ("When an order is paid back, how long it takes, and who approves a larger sum.", "About refunds", 4, "short"),
        ("When an order is paid back, how long it takes, and who approves a larger sum.",
         "The refund of an ordered order, refunding refunds, refunds of orders", 4, "short"),
        ("title: Refunds of orders", "title: How long paying back an order takes, who approves the larger sum", 4,
         "repeats the title"),
        ("title: Refunds of orders", "title: Policy 12 (new version)", 3, "does not say"),
        ("An order is paid back within ten days.", "word " * 1_000, 7, "delivered in 4 parts"),
        ("## Deadline\nAn order", "An order " * 200, 7, "no ## headings"),
        ("## Deadline\nAn order is paid back within ten days.", "## Cats\nFeed cats twice.", 4, "shares no word"),
    ],
)  # fmt: skip
def test_what_keeps_a_policy_from_being_found_is_named(before: str, after: str, line: int, words: str) -> None:
    assert before in FOUND
    found = warnings(FOUND.replace(before, after))
    assert [one for one in found if one.startswith(f"p0.md:{line}: ") and words in one], found


def test_two_policies_with_one_description_cannot_be_told_apart() -> None:
    other = FOUND.replace("id: refunds", "id: returns").replace("title: Refunds", "title: Returns")
    [warning] = warnings(FOUND, other)
    assert warning.startswith("p1.md:4: description: is that of refunds too")


@pytest.mark.parametrize("number", range(5))
def test_the_badly_described_twin_is_warned_of_and_the_well_described_one_is_not(number: int) -> None:
    pairs = json.loads((needed("governed-memory") / "governance_pairs" / "variable_pairs.json").read_text())
    body = f"owner: a@b.example\n---\n## Content\n{pairs[number]['well_authored']['description']}\n"
    found = {
        kind: warnings(f"---\ntitle: {json.dumps(one['name'])}\ndescription: {json.dumps(one['description'])}\n{body}")
        for kind in ("well_authored", "poorly_authored")
        if (one := pairs[number][kind])
    }
    assert found["well_authored"] == []
    assert any("description" in one for one in found["poorly_authored"])


# Checks


def test_single_forbidden_words_ask_for_good_examples_at_their_line() -> None:
    check = "check: {kind: forbid_terms, terms: [%s]}\n    bad: [We beat %s.]"
    rule = f"rules:\n  - text: Never name a rival.\n    {check}\n---"
    text = FOUND.replace("---\n##", rule % ("Acme, Acme Cloud Ltd", "Acme") + "\n##")
    [warning] = warnings(text)
    assert warning.startswith("p0.md:7: rule R1: its check forbids single words ('Acme')")
    assert "good examples" in warning
    assert warnings(text.replace("    bad:", "    good: [We beat everybody.]\n    bad:")) == []
    assert warnings(text.replace("[Acme, Acme", "[Acme").replace("beat Acme", "beat Acme Cloud Ltd")) == []


# Rules of a scope


def policy(name: str, scope: str, rules: int, extra: str = "") -> str:
    text = "  - text: In case {} number {} do exactly what the handbook says there.\n"
    lines = "".join(text.format(name, number) for number in range(rules))
    description = f"What case {name} of the handbook asks, whom, and when."
    return f"---\nid: {name}\ndescription: {description}\n{extra}scope: {scope}\nrules:\n{lines}---\n"


def crowds(texts: Sequence[str]) -> list[str]:
    return [one for one in warnings(*texts) if "tokens of rules" in one]


def test_few_rules_are_no_crowd() -> None:
    assert crowds([policy("a", "{}", 5), policy("b", "{channels: [chat]}", 5)]) == []


def test_rules_of_every_call_over_the_cap_are_told_once() -> None:
    found = crowds([policy("a", "{}", 45), policy("b", "{channels: [chat]}", 5)])
    assert len(found) == 2
    assert any(one.startswith("p0.md:1: every call is given") and f"over {SCOPE_TOKENS_CAP}" in one for one in found)
    assert any("a call that gives no facet" in one and f"over {OPEN_TOKENS_CAP}" in one for one in found)


def test_scopes_that_cannot_meet_are_not_added_up() -> None:
    apart = [policy(f"r{n}", f"{{regions: [land-{n}]}}", 12) for n in range(6)]
    [found] = crowds(apart)
    assert "a call that gives no facet" in found


def test_scopes_that_meet_only_together_are_found_with_the_facets_that_do_it() -> None:
    texts = [
        policy("a", "{channels: [email]}", 14),
        policy("b", "{audiences: [prospect]}", 14),
        policy("c", "{regions: [eu]}", 15),
        policy("d", "{regions: [us]}", 2),
    ]
    _, found = sorted(crowds(texts), key=lambda one: "a call with" in one)
    assert "a call with audience=prospect, channel=email, region=eu is given some" in found
    for name in ("a (", "b (", "c ("):
        assert name in found


def test_what_is_overridden_or_not_in_effect_at_that_time_does_not_count() -> None:
    first, second = (
        policy(name, "{}", 24, "params: {days: {value: 3}}\n").replace("there.", "there in {days} days.")
        for name in ("a", "b")
    )
    assert crowds([first, second])
    assert crowds([text.replace("  - text", "  - key: k\n    text") for text in (first, second)]) == []
    early = policy("a", "{}", 24, "effective: {until: 2026-06-30}\n")
    late = policy("b", "{}", 24, "effective: {from: 2026-07-01}\n")
    assert crowds([early, late]) == []
    both = crowds([early, late.replace("2026-07-01", "2026-06-01")])
    assert any("from 2026-06-01 on" in one for one in both)


def test_the_figure_is_what_a_call_is_given_and_files_may_come_in_any_order() -> None:
    texts = [policy(f"p{n}", f"{{channels: [c{n % 3}], audiences: [a{n % 2}]}}", 6) for n in range(12)]
    files = [PolicyFile(f"p{n}.md", text) for n, text in enumerate(texts)]
    told = crowded(parsed(files)[0], Vocabulary())
    assert told
    for _ in range(3):
        random.shuffle(files)
        assert crowded(parsed(files)[0], Vocabulary()) == told


def test_many_scopes_take_no_time_that_grows_with_their_combinations() -> None:
    """Twelve facets of fifty values have more combinations than can ever be looked at; this ends all the same."""
    keys = ["channels", "audiences", "regions", "teams", "agents", "tags", "entity_types"]
    scopes = [f"{{{', '.join(f'{key}: [v{(n * 7 + k) % 50}]' for k, key in enumerate(keys))}}}" for n in range(150)]
    assert crowds([policy(f"p{n}", scope, 1) for n, scope in enumerate(scopes)])


_SCOPE = st.fixed_dictionaries(
    {},
    optional={key: st.sampled_from(["[x]", "[y]", "[x, y]", "['*']"]) for key in ("channels", "audiences", "regions")},
)


@given(st.lists(_SCOPE, min_size=1, max_size=12))
def test_every_figure_is_that_of_a_call_and_no_declared_scope_over_the_cap_is_missed(
    scopes: list[dict[str, str]],
) -> None:
    texts = [
        policy(f"p{n}", f"{{{', '.join(f'{key}: {values}' for key, values in scope.items())}}}", 1).replace(
            "In case", "In case of doubt " * 25
        )
        for n, scope in enumerate(scopes)
    ]
    files = [PolicyFile(f"p{n}.md", text) for n, text in enumerate(texts)]
    policies = [one for one in map(parse, files) if isinstance(one, Policy)]
    snapshot = Snapshot(0, [Edition(one, 1) for one in policies], [], None)
    facets = sorted({facet for one in policies for facet, _ in one.scope.limits})
    tokens: dict[tuple[str, ...], int] = {}
    for values in product(("x", "y", "·"), repeat=len(facets)):
        situation = {facet: (value,) for facet, value in zip(facets, values, strict=True)}
        rules = govern(snapshot, situation, datetime(2026, 1, 1, tzinfo=UTC)).rules
        tokens[values] = tokens_of(sent_rules(snapshot, rules, situation).size)
    found = [crowd for crowd in crowded(policies, Vocabulary()) if not crowd.is_open]
    for crowd in found:
        values = tuple(crowd.situation.get(facet, ("·",))[0] for facet in facets)
        assert crowd.tokens == tokens[values]
        assert crowd.tokens > SCOPE_TOKENS_CAP
    assert bool(found) is (max(tokens.values()) > SCOPE_TOKENS_CAP)


# What is never delivered


def limit(name: str, more: str = "", rule: str = "") -> str:
    return (
        f"---\nid: {name}\n{more}params: {{cap: {{value: 100}}}}\n"
        f"rules:\n  - {{id: R1, key: refund.max, text: 'Refund at most {{cap}} euros.'{rule}}}\n---\n"
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("tier: law\n", "rule R1 is never delivered anywhere: b#R1 takes its place (same key refund.max, same"),
        ("scope: {regions: [de]}\n", "rule R1 is never delivered where region=de: b#R1 takes its place"),
        (
            "effective: {from: 2026-12-01, until: 2026-12-31}\n",
            "rule R1 is never delivered from 2026-12-01 until 2026-12-31: b#R1 takes its place",
        ),
    ],
)
def test_a_rule_that_another_displaces_is_told_where_and_when(other: str, said: str) -> None:
    assert any(said in one for one in warnings(limit("a"), limit("b", other)))


def test_a_rule_is_told_who_overrides_it_by_name() -> None:
    found = warnings(limit("a"), limit("b", "tier: org\n", ", overrides: [a#R1]"))
    [told] = [one for one in found if "overrides it by name" in one]
    assert told.startswith("p0.md:")
    assert "b#R1 takes its place" in told


@pytest.mark.parametrize(
    ("more", "rule", "said"),
    [
        ("tier: agent\nsupersedes: [a]\n", "", "a is of the tier org, which one of the tier agent never removes"),
        ("tier: agent\n", ", overrides: [a#R1]", "a#R1 is of the tier org, which one of the tier agent never"),
        ("", ", overrides: [a#R9]", "there is no rule 'a#R9'"),
    ],
)
def test_what_may_not_displace_a_rule_is_refused(more: str, rule: str, said: str) -> None:
    files = [PolicyFile(f"{name}.md", text) for name, text in (("a", limit("a")), ("b", limit("b", more, rule)))]
    assert any(said in str(one) for one in lint(files) if one.severity == "error")
