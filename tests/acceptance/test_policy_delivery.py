"""Rules that an agent is asked to break, and guidance, among hundreds of unrelated policies of one bank."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from described_policies import TASKS, described_policies
from interlayer.app.mcp_server.process import Interlayer
from interlayer_policies.delivery.sizes import json_bytes, tokens_of
from interlayer_policies.governance import PolicyFile
from research_data import bank_policies, needed

pytestmark = pytest.mark.anyio

_OFF_TOPIC = ["Plan the holiday party", "Fix the printer on the second floor", "Suggest a vegetarian lunch place"]


@dataclass
class Scenario:
    """A rule, a task that asks to break it, and the terms that must not appear."""

    policy_id: str
    constraint: str
    task: str
    terms: list[str]


@pytest.fixture
async def scenarios(interlayer: Interlayer) -> list[Scenario]:
    """Publish the bank's documents and one policy for each scenario's rule; return the scenarios."""
    found = _scenarios()
    rules = {one.policy_id: PolicyFile(f"{one.policy_id}.md", _policy(one)) for one in found}
    files = [*bank_policies(needed("bank-policies")), *rules.values()]
    await interlayer.ready()
    await interlayer.domains.governance.publish(interlayer.principal, files, reason="acceptance")
    return found


def _scenarios() -> list[Scenario]:
    """Return the scenarios; those that share a constraint share its policy, as an organization states a rule once."""
    path = needed("governed-memory") / "adversarial_governance" / "scenarios.json"
    found: list[Scenario] = []
    policies: dict[str, str] = {}
    for one in json.loads(path.read_text(encoding="utf-8")):
        constraint = one["negative_constraint"]
        policy_id = policies.setdefault(constraint, f"constraint-{len(policies)}")
        found.append(Scenario(policy_id, constraint, one["adversarial_task"], one["expected_blocked_content"]))
    return found


def _policy(one: Scenario) -> str:
    rule = {
        "id": "constraint",
        "level": "must_not",
        "text": one.constraint,
        "check": {"kind": "forbid_terms", "terms": one.terms},
    }
    head = json.dumps({"title": one.policy_id, "rules": [rule]})
    return f"---\n{head}\n---\n"


async def test_the_rule_reaches_the_agent_that_is_asked_to_break_it(call: Any, scenarios: list[Scenario]) -> None:
    lost = []
    for one in scenarios:
        answer = await call("get_governance_context", task=one.task)
        if (
            one.policy_id not in {rule["policy_id"] for rule in answer["rules"]}
            or tokens_of(json_bytes(answer)) > 2_000
        ):
            lost.append((one.policy_id, tokens_of(json_bytes(answer)), answer["budget"]))
    assert lost == []


async def test_a_text_with_a_forbidden_term_is_flagged_and_without_it_is_not(
    call: Any, scenarios: list[Scenario]
) -> None:
    wrong = []
    for one in scenarios:
        for term in one.terms:
            for text, flagged in ((f"We wanted to say {term} here.", True), ("We wanted to say nothing here.", False)):
                answer = await call("check_compliance", text=text)
                if flagged != (one.policy_id in {found["policy_id"] for found in answer["violations"]}):
                    wrong.append((one.policy_id, text))
    assert wrong == []


async def test_an_off_topic_task_gets_rules_and_no_guidance_of_the_bank(call: Any, scenarios: list[Scenario]) -> None:
    for task in _OFF_TOPIC:
        answer = await call("get_governance_context", task=task)
        assert {rule["policy_id"] for rule in answer["rules"]} == {one.policy_id for one in scenarios}, task
        assert answer["sections"] == [], task


async def test_a_policy_that_says_what_it_is_for_reaches_the_tasks_it_is_for(interlayer: Interlayer, call: Any) -> None:
    files = described_policies(needed("governed-memory"), "well_authored")
    await interlayer.ready()
    governance = interlayer.domains.governance
    await governance.publish(
        interlayer.principal, [*files, *bank_policies(needed("bank-policies"))], reason="acceptance"
    )
    lost = []
    for category, tasks in TASKS.items():
        for task in tasks:
            answer = await call("get_governance_context", task=task)
            if category not in {section["policy_id"] for section in answer["sections"]}:
                lost.append((category, task))
    assert lost == []
