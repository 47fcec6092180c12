"""Rules that an agent is asked to break, and guidance, among hundreds of unrelated policies of one bank."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from interlayer.app.process import Interlayer, running
from interlayer.app.serving import build_server
from interlayer.app.settings import load
from interlayer.text.budget import json_tokens
from interlayer_policies.governance import PolicyFile
from research_data import needed

pytestmark = pytest.mark.anyio

_OFF_TOPIC = ["Plan the holiday party", "Fix the printer on the second floor", "Suggest a vegetarian lunch place"]


@dataclass
class Scenario:
    """A rule, a task that asks to break it, and the terms that must not appear."""

    policy_id: str
    constraint: str
    task: str
    terms: list[str]


@dataclass
class Bank:
    """A server whose policies are the bank's documents and one policy for each scenario's rule."""

    client: Client
    scenarios: list[Scenario]

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        assert isinstance(result.structured_content, dict)
        return result.structured_content


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncGenerator[Bank]:
    scenarios = _scenarios()
    documents = (needed("bank-policies") / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    files = [
        PolicyFile(f"{one['id']}.md", f"# {one['title']}\n\n{one['content']}\n")
        for one in (json.loads(line) for line in documents)
    ]
    files += {one.policy_id: PolicyFile(f"{one.policy_id}.md", _policy(one)) for one in scenarios}.values()
    interlayer = Interlayer(load({"HOME": str(tmp_path / "home")}, {}))
    async with running(interlayer), Client(build_server(interlayer)) as client:
        await client.call_tool("get_governance_context", {"task": "wait until the server is built"})
        await interlayer.domains.governance.publish(interlayer.principal, files, reason="acceptance")
        yield Bank(client, scenarios)


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


async def test_the_rule_reaches_the_agent_that_is_asked_to_break_it(bank: Bank) -> None:
    lost = []
    for one in bank.scenarios:
        answer = await bank.call("get_governance_context", task=one.task)
        if one.policy_id not in {rule["policy_id"] for rule in answer["rules"]} or json_tokens(answer) > 2_000:
            lost.append((one.policy_id, json_tokens(answer), answer["budget"]))
    assert lost == []


async def test_a_text_with_a_forbidden_term_is_flagged_and_without_it_is_not(bank: Bank) -> None:
    wrong = []
    for one in bank.scenarios:
        for term in one.terms:
            for text, flagged in ((f"We wanted to say {term} here.", True), ("We wanted to say nothing here.", False)):
                answer = await bank.call("check_compliance", text=text)
                if flagged != (one.policy_id in {found["policy_id"] for found in answer["violations"]}):
                    wrong.append((one.policy_id, text))
    assert wrong == []


@pytest.mark.parametrize("task", _OFF_TOPIC)
async def test_an_off_topic_task_gets_rules_and_no_guidance_of_the_bank(bank: Bank, task: str) -> None:
    answer = await bank.call("get_governance_context", task=task)
    assert {rule["policy_id"] for rule in answer["rules"]} == {one.policy_id for one in bank.scenarios}
    assert answer["sections"] == []
