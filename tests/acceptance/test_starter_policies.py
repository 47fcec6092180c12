"""The starter policies as a newcomer meets them: every rule in scope, guidance where it helps, silence where not."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("task", "policy"),
    [
        ("Compare our price with a competitor's monthly plan", "competitor-pricing"),
        ("Tell the prospect about the feature that ships next quarter", "roadmap"),
        ("Mention how much revenue another customer gained", "customer-privacy"),
        ("Offer thirty percent off to close the deal", "discounts"),
        ("Promise that the product makes them compliant with the law", "legal-claims"),
        ("Delete everything we hold about this person", "data-deletion"),
    ],
)
async def test_the_governing_policy_reaches_the_agent(call: Any, task: str, policy: str) -> None:
    answer = await call("get_governance_context", task=task, channel="email", audience="prospect")
    delivered = {one["policy_id"] for one in [*answer["rules"], *answer["sections"]]}
    assert policy in delivered
    assert answer["budget"]["used"] <= 2_000


@pytest.mark.parametrize("task", ["Plan the company holiday party", "Find a restaurant for Friday", "Fix the printer"])
async def test_an_off_topic_task_gets_rules_and_no_guidance(call: Any, task: str) -> None:
    answer = await call("get_governance_context", task=task)
    assert answer["rules"]
    assert answer["sections"] == []


@pytest.mark.parametrize(
    ("task", "policy"),
    [
        ("Write an e-mail to Mira Okafor that offers an 18% discount if Halden Analytics signs.", "discounts"),
        ("Draft a reply to Jonas Feld: he wants all his personal data deleted", "data-deletion"),
        ("The customer from Blue Harbor is angry and wants to talk to a manager", "escalation"),
    ],
)
async def test_names_do_not_hide_what_a_task_is_about(call: Any, task: str, policy: str) -> None:
    answer = await call("get_governance_context", task=task)
    assert policy in {section["policy_id"] for section in answer["sections"]}


async def test_what_the_caller_holds_is_not_sent_again(call: Any) -> None:
    task = "Offer a discount to a prospect"
    first = await call("get_governance_context", task=task)
    have = [one["etag"] for one in [*first["policies"], *first["sections"]]]
    again = await call("get_governance_context", task=task, have=have)
    assert again["rules"] == []
    assert again["sections"] == []
    assert sorted(again["held"]) == sorted(have)
    assert again["etag"] == first["etag"]
