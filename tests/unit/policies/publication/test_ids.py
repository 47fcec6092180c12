"""Ids of policies and rules hold letters of any script and case, digits, . _ and -; they are compared without case."""

from datetime import timedelta
from typing import Any

import pytest

from interlayer.principal import Principal
from interlayer_policies.governance import PolicyFile
from interlayer_policies.publication.problems import PolicyProblems

pytestmark = pytest.mark.anyio

STEWARD = Principal("acme", "ann", roles=frozenset({"steward", "reader"}))
ONE = "---\nid: HR-7.2_Leave\ndescription: d\nrules:\n  - {id: No.1, level: must, text: Ask first.}\n---\n"
PLAIN = "---\nid: {0}\ndescription: d\nrules: [Think of it.]\n---\n# {0}\n"


async def test_ids_are_delivered_as_they_are_written(world: Any) -> None:
    await world.publish(ONE, PLAIN.format("返金"))
    answer = await world.context()
    assert {(rule.policy_id, rule.rule_id) for rule in answer.rules} == {("HR-7.2_Leave", "No.1"), ("返金", "R1")}


async def test_a_policy_is_found_by_its_id_in_any_case(world: Any) -> None:
    await world.publish(ONE)
    for name in ("HR-7.2_Leave", "hr-7.2_leave", "HR-7.2_LEAVE"):
        assert (await world.governance.policy(world.me, name)).text == ONE
        assert len(await world.governance.policy_history(world.me, name)) == 1


async def test_another_case_of_an_id_is_the_next_version_of_the_same_policy(world: Any) -> None:
    await world.publish(PLAIN.format("Refunds"))
    done = await world.governance.publish(world.me, world.files(PLAIN.format("refunds")), reason="spelling")
    assert (done.added, done.changed, done.removed) == ((), ("refunds",), ())
    assert (await world.governance.policy(world.me, "REFUNDS")).version == 2


async def test_ids_that_differ_only_by_case_are_refused_by_name(world: Any) -> None:
    with pytest.raises(PolicyProblems) as error:
        await world.publish(PLAIN.format("Refunds"), PLAIN.format("refunds"))
    assert "'refunds'" in str(error.value)
    assert "'Refunds'" in str(error.value)
    assert "differ only by case" in str(error.value)


async def test_references_mean_a_policy_or_rule_in_any_case(world: Any) -> None:
    newer = (
        "---\nid: newer\ndescription: d\nsupersedes: [OLD]\n"
        "rules:\n  - {id: R1, level: may, text: Take two., overrides: ['hr-7.2_leave#NO.1']}\n"
        "tests:\n  - {task: Ask for leave, expect_rules: [r1], expect_not: ['HR-7.2_LEAVE#no.1']}\n---\n"
    )
    await world.publish(ONE, PLAIN.format("Old"), newer)
    answer = await world.context()
    assert {(rule.policy_id, rule.rule_id) for rule in answer.rules} == {("newer", "R1")}


async def test_a_rule_is_waived_by_its_reference_in_any_case(world: Any) -> None:
    await world.publish(ONE)
    until = world.clock() + timedelta(days=1)
    waiver = await world.governance.stewardship.waive(STEWARD, "hr-7.2_leave#NO.1", {}, until, "launch")
    assert waiver.rule == "HR-7.2_Leave#No.1"
    assert (await world.context()).rules == ()


async def test_the_approvers_of_a_policy_are_asked_whatever_the_case_of_its_id(world: Any) -> None:
    kept = "---\nid: Refunds\ndescription: d\napprovers: [boss]\nrules: [Think of it.]\n---\n"
    await world.publish(kept)
    done = await world.governance.publish(
        world.me,
        [PolicyFile("p0.md", kept.replace("Refunds", "REFUNDS").replace("approvers: [boss]\n", ""))],
        reason="x",
    )
    assert done.proposal is not None
    assert done.proposal.groups == (("boss",),)
