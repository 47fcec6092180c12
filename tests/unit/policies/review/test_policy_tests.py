"""Tests of policies: other policies never make them fail, and one that fails says what an explanation says."""

from typing import Any

import pytest

from interlayer_policies.document.policy import PolicyFile
from interlayer_policies.governance import Facets, PolicyProblems, starter_files

pytestmark = pytest.mark.anyio

HOME = PolicyFile(
    "home.md",
    "---\nid: home\ndescription: Working from home.\n---\n# Working from home\n"
    "## Days\nTell your team lead on which days you work from home.\n"
    "## Equipment\nThe company pays for a desk, a chair and a screen. A manager takes over cases of who is ill.\n",
)
LONG = "Ask for the form, fill it in and bring it back. " * 12
NEARER = (
    "---\nid: nearer-{0}\ntitle: Refund an order by its invoice\n---\n## Refund an order by its invoice\n{1}Shop {0}.\n"
)
REFUNDS = (
    "---\nid: refunds\ndescription: Refunds of orders.\n"
    "tests: [{{task: {0}, expect_sections: [refund]}}]\n"
    "---\n## Refund\nRefund the order by its invoice. {1}\n"
)


async def test_a_harmless_policy_never_keeps_the_starter_policies_from_being_published(world: Any) -> None:
    published = await world.governance.publish(world.me, [*starter_files(), HOME], reason="x")
    assert published.revision == 1


async def test_a_test_holds_however_many_other_policies_are_as_relevant(world: Any) -> None:
    test = REFUNDS.format("Refund an order by its invoice", LONG)
    others = [NEARER.format(number, LONG) for number in range(40)]
    await world.publish(test, *others)
    given = (await world.context("Refund an order by its invoice")).sections
    assert "refunds" not in {section.policy_id for section in given}, "the others take the room"
    with pytest.raises(PolicyProblems, match="is not given section"):
        await world.publish(REFUNDS.format("Water the plants in the hall", LONG), *others)


async def test_a_failing_test_says_what_an_explanation_says(world: Any) -> None:
    task = "Water the plants in the hall"
    await world.publish("---\nid: refunds\ndescription: Refunds of orders.\n---\n## Refund\nRefund the order.\n")
    explained = await world.governance.explain(world.me, task, Facets())
    with pytest.raises(PolicyProblems) as failed:
        await world.publish(
            "---\nid: refunds\ndescription: Refunds of orders.\n"
            f"tests: [{{task: {task}, expect_sections: [refund]}}]\n---\n## Refund\nRefund the order.\n"
        )
    (verdict,) = explained.sections
    assert verdict.verdict == "not_relevant"
    assert f"{verdict.why} (relevance {verdict.relevance}, cosine {verdict.cosine}" in str(failed.value)
