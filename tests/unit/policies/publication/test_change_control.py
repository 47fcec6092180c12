"""Approval, breaking the glass, waivers, and what a steward can try out before anything changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from interlayer.errors import Conflict, InvalidInput, NotFound, Refused
from interlayer.principal import Principal
from interlayer.storage.items import Key, Put
from interlayer_policies.governance import Facets, PolicyProblems

pytestmark = pytest.mark.anyio

LEGAL, ANN, BOB = (Principal("acme", name) for name in ("legal@acme.example", "ann", "bob"))
POLICY = """---
id: {0}
description: d
{1}
rules:
  - {{id: R1, key: k, text: {2}}}
---
# {0}
## Refunds of orders
Refunds of orders are paid within ten days.
"""
GUARDED = POLICY.format("claims", "approvers: [Legal@acme.example]", "Say nothing of claims.")
FREE = POLICY.format("tone", "tier: team", "Be kind to everybody.").replace("key: k, ", "")


def rules(answer: Any) -> list[str]:
    return [f"{one.policy_id}#{one.rule_id}" for one in answer.rules]


async def publish(world: Any, who: Principal, *texts: str, **options: Any) -> Any:
    return await world.governance.publish(who, world.files(*texts), reason="because", **options)


@pytest.fixture
async def guarded(world: Any) -> Any:
    await world.governance.ensure_published(ANN, world.files(GUARDED, FREE))
    return world


# Approval


async def test_a_guarded_change_waits_for_an_approver_and_then_holds_everywhere(guarded: Any) -> None:
    proposed = await publish(guarded, ANN, GUARDED.replace("nothing", "little"), FREE)
    assert (proposed.new, proposed.revision, proposed.proposal.waiting_for) == (False, 1, (("Legal@acme.example",),))
    assert "nothing" in (await guarded.context()).rules[0].text
    stewardship = guarded.another_process().stewardship
    [listed] = await stewardship.proposals(LEGAL)
    assert (listed.id, listed.changed, listed.author) == (proposed.proposal.id, ("claims",), "ann")
    done = await stewardship.approve(LEGAL, listed.id, "read it")
    assert (done.revision, done.new) == (2, True)
    assert "little" in (await guarded.context()).rules[0].text
    [newest, _] = await guarded.governance.history(ANN)
    assert (newest.author, newest.approved_by, newest.break_glass) == ("ann", (LEGAL.agent,), False)
    assert await stewardship.proposals(LEGAL) == []


async def test_what_nobody_guards_is_published_at_once(guarded: Any) -> None:
    done = await publish(guarded, ANN, GUARDED, FREE.replace("kind", "nice"))
    assert (done.new, done.proposal) == (True, None)


@pytest.mark.parametrize("who", [ANN, BOB])
async def test_only_an_approver_decides(guarded: Any, who: Principal) -> None:
    proposal = (await publish(guarded, ANN, FREE)).proposal
    with pytest.raises(Refused, match="decide"):
        await guarded.governance.stewardship.approve(who, proposal.id, "fine")


@pytest.mark.parametrize(("submitter", "author"), [(LEGAL, None), (ANN, "LEGAL@acme.example"), (LEGAL, "ann")])
async def test_nobody_approves_what_is_their_own(guarded: Any, submitter: Principal, author: str | None) -> None:
    proposal = (await publish(guarded, submitter, FREE, author=author)).proposal
    with pytest.raises(Refused, match="never for its author"):
        await guarded.governance.stewardship.approve(LEGAL, proposal.id, "fine")
    assert (await guarded.governance.history(ANN))[0].revision == 1


async def test_an_approver_cannot_be_taken_out_without_asking(guarded: Any) -> None:
    without = GUARDED.replace("[Legal@acme.example]", "[bob]")
    proposal = (await publish(guarded, ANN, without, FREE)).proposal
    assert set(proposal.groups) == {("Legal@acme.example",), ("bob",)}
    stewardship = guarded.governance.stewardship
    assert await stewardship.approve(BOB, proposal.id, "me") is None
    assert (await stewardship.proposals(ANN))[0].waiting_for == (("Legal@acme.example",),)
    assert (await stewardship.approve(LEGAL, proposal.id, "yes")).revision == 2


async def test_a_tier_has_approvers_too(world: Any) -> None:
    control = POLICY.format("control", "tier_approvers: {team: [bob]}", "Change with care.")
    await world.governance.ensure_published(ANN, world.files(control, FREE))
    proposal = (await publish(world, ANN, control, FREE.replace("kind", "nice"))).proposal
    assert proposal.groups == (("bob",),)
    gone = (await publish(world, ANN, FREE.replace("tier: team", "tier: org"))).proposal
    assert gone.groups == (("bob",),), "neither moving it to another tier nor removing the control avoids asking"


@pytest.mark.parametrize("way", ["supersedes: [claims]", "overrides: [claims#R1], "])
async def test_whoever_displaces_a_guarded_rule_asks_its_approvers(guarded: Any, way: str) -> None:
    by_name = way.startswith("overrides")
    other = POLICY.format("campaign", "" if by_name else way, "Speak of claims.")
    other = other.replace("key: k, ", way if by_name else "")
    waiting = await publish(guarded, ANN, GUARDED, FREE, other)
    assert (waiting.new, waiting.proposal.waiting_for) == (False, (("Legal@acme.example",),))


async def test_a_rejected_change_is_over(guarded: Any) -> None:
    proposal = (await publish(guarded, ANN, FREE)).proposal
    stewardship = guarded.governance.stewardship
    assert (await stewardship.reject(LEGAL, proposal.id, "no")).state == "rejected"
    with pytest.raises(Refused, match="rejected already"):
        await stewardship.approve(LEGAL, proposal.id, "on second thoughts")
    [kept] = await stewardship.proposals(ANN, everything=True)
    assert [(one.by, one.approved, one.reason) for one in kept.decisions] == [(LEGAL.agent, False, "no")]


async def test_a_proposal_never_undoes_what_was_published_meanwhile(guarded: Any) -> None:
    proposal = (await publish(guarded, ANN, GUARDED.replace("nothing", "little"), FREE)).proposal
    await publish(guarded, BOB, GUARDED, FREE.replace("kind", "nice"))
    with pytest.raises(Conflict, match="proposed on revision 1; in force is 2"):
        await guarded.governance.stewardship.approve(LEGAL, proposal.id, "yes")
    assert "nice" in str((await guarded.context()).rules)
    assert await guarded.governance.stewardship.proposals(LEGAL) == []
    [kept] = await guarded.governance.stewardship.proposals(LEGAL, everything=True)
    assert kept.state == "outdated"


async def test_an_approval_is_for_the_change_that_was_read_and_no_other(guarded: Any) -> None:
    both = GUARDED.replace("[Legal@acme.example]", "{of: [legal@acme.example, bob], quorum: 2}")
    proposal = (await publish(guarded, ANN, both, FREE)).proposal
    assert sorted(proposal.waiting_for) == [("Legal@acme.example",), *[("bob", "legal@acme.example")] * 2]
    stewardship = guarded.governance.stewardship
    assert await stewardship.approve(LEGAL, proposal.id, "fine") is None
    place = Key("governance", f"acme#proposal#{proposal.id}", "000")
    item = await guarded.store.get(place)
    other = [[path, text.replace("nothing", "anything")] for path, text in item.body["files"]]
    await guarded.store.transact([Put(place, {"files": other}, expect=item.version)])
    with pytest.raises(Conflict, match="not the change that was approved"):
        await stewardship.approve(BOB, proposal.id, "fine")
    assert "nothing" in str((await guarded.context()).rules)


async def test_two_approvals_at_once_publish_once(guarded: Any) -> None:
    proposal = (await publish(guarded, ANN, FREE)).proposal
    services = [guarded.governance.stewardship, guarded.another_process().stewardship]
    done: list[Any] = []

    async def approve(service: Any) -> None:
        try:
            done.append(await service.approve(LEGAL, proposal.id, "yes"))
        except (Conflict, Refused) as error:
            done.append(error)

    async with anyio.create_task_group() as group:
        for service in services:
            group.start_soon(approve, service)
    assert sum(not isinstance(one, Exception) for one in done) == 1
    assert (await guarded.governance.history(ANN))[0].revision == 2


async def test_breaking_the_glass_is_flagged_and_followed_up(guarded: Any) -> None:
    changed = GUARDED.replace("nothing", "little"), FREE.replace("kind", "nice")
    done = await publish(guarded, ANN, *changed, break_glass=True, only=["Claims"])
    assert (done.revision, done.new, done.changed) == (2, True, ("claims",)), "nothing else goes with it"
    assert (await guarded.governance.history(ANN))[0].break_glass
    stewardship = guarded.governance.stewardship
    [open_one] = await stewardship.proposals(ANN)
    assert (open_one.state, open_one.asked) == ("break_glass", ("claims",))
    assert await stewardship.approve(LEGAL, open_one.id, "it was right") is None
    assert await stewardship.proposals(ANN) == []
    rolled = await guarded.governance.rollback(ANN, 1, reason="back", break_glass=True, only=["claims"])
    assert (rolled.revision, rolled.changed, rolled.proposal.state) == (3, ("claims",), "break_glass")
    assert (await stewardship.reject(LEGAL, (await stewardship.proposals(ANN))[0].id, "no")).state == "rejected_later"


@pytest.mark.parametrize("only", [[], ["tone"]])
async def test_the_glass_is_broken_for_named_policies_only(guarded: Any, only: list[str]) -> None:
    other = FREE.replace("text: Be kind", "overrides: [claims#R1], text: Be kind")
    other = other.replace("tier: team", "")
    with pytest.raises(Refused, match="--only claims"):
        await publish(
            guarded,
            ANN,
            GUARDED.replace("nothing", "little") if not only else GUARDED,
            other,
            break_glass=True,
            only=only,
        )
    assert (await guarded.governance.history(ANN))[0].revision == 1
    assert (await publish(guarded, ANN, GUARDED, other, break_glass=True, only=["tone", "claims"])).new


async def test_the_glass_is_not_broken_again_while_somebody_has_to_look_at_it_for_long(guarded: Any) -> None:
    first = await publish(guarded, ANN, GUARDED.replace("nothing", "little"), FREE, break_glass=True, only=["claims"])
    guarded.clock.advance(days=6)
    await publish(guarded, ANN, GUARDED.replace("nothing", "less"), FREE, break_glass=True, only=["claims"])
    guarded.clock.advance(days=2)
    with pytest.raises(Refused, match=first.proposal.id):
        await publish(guarded, BOB, GUARDED, FREE, break_glass=True, only=["claims"])
    await guarded.governance.stewardship.reject(LEGAL, first.proposal.id, "no")
    assert (await publish(guarded, BOB, GUARDED, FREE, break_glass=True, only=["claims"])).new


async def test_changing_policies_takes_a_role(guarded: Any) -> None:
    reader = replace(LEGAL, roles=frozenset({"reader"}))
    proposal = (await publish(guarded, ANN, FREE)).proposal
    until = guarded.clock.now + timedelta(days=1)
    with pytest.raises(Refused, match="role"):
        await guarded.governance.stewardship.approve(reader, proposal.id, "yes")
    with pytest.raises(Refused, match="role"):
        await guarded.governance.stewardship.waive(reader, "tone#R1", {}, until, "yes")


async def test_the_history_of_one_policy_names_what_changed_it(guarded: Any) -> None:
    await publish(guarded, ANN, GUARDED, FREE.replace("kind", "nice"))
    await publish(
        guarded,
        BOB,
        GUARDED,
        FREE.replace("kind", "nice"),
        POLICY.format("new", "tier: team", "Wait.").replace("key: k, ", ""),
    )
    await publish(guarded, BOB, GUARDED, break_glass=True)
    changes = await guarded.governance.policy_history(ANN, "tone")
    assert [(one.publication.revision, one.version) for one in changes] == [(4, None), (2, 2), (1, 1)]


async def test_the_loser_of_a_race_is_told_what_changed(world: Any) -> None:
    await publish(world, ANN, FREE)
    outcomes: list[Any] = []

    async def attempt(service: Any, word: str) -> None:
        try:
            outcomes.append(await service.publish(ANN, world.files(FREE.replace("kind", word)), reason=word))
        except Conflict as error:
            outcomes.append(str(error))

    async with anyio.create_task_group() as group:
        for service, word in ((world.governance, "nice"), (world.another_process(), "fair")):
            group.start_soon(attempt, service, word)
    lost = [one for one in outcomes if isinstance(one, str)]
    assert len(lost) == 1
    assert "revision 2 was published by someone else" in lost[0]
    assert "changed tone" in lost[0]


async def test_a_policy_is_read_without_its_trials_by_whom_they_are_not_for(world: Any) -> None:
    tried = FREE.replace("rules:\n", "rules:\n  - {id: T1, trial: true, text: Never say foobar.}\n")
    await publish(world, ANN, tried)
    reader = replace(ANN, roles=frozenset({"reader", "writer"}))
    for version in (None, 1):
        shown = (await world.governance.policy(reader, "tone", version)).text
        assert "foobar" not in shown
        assert "Be kind to everybody." in shown
        assert "foobar" in (await world.governance.policy(replace(ANN, roles={"auditor"}), "tone", version)).text


# Waivers


async def waive(world: Any, rule: str = "tone#R1", days: float = 1, who: Principal = ANN, **scope: list[str]) -> Any:
    until = world.clock.now + timedelta(days=days)
    return await world.governance.stewardship.waive(who, rule, scope, until, "launch week")


async def test_a_waived_rule_is_named_and_comes_back_by_itself(guarded: Any) -> None:
    waiver = await waive(guarded, channels=["chat*"])
    chat = Facets(channel="Live chat")
    answer = await guarded.another_process().context(ANN, "Reply", chat)
    assert rules(answer) == ["claims#R1"]
    [lost] = answer.overridden
    assert (lost.policy_id, lost.rule_id, lost.by) == ("tone", "R1", f"waiver {waiver.id}")
    assert "launch week" in lost.why
    assert answer.valid_until == "2026-06-16T12:00:00.000000Z"
    assert rules(await guarded.context(facets=Facets(channel="email"))) == ["claims#R1", "tone#R1"]
    assert rules(await guarded.context()) == ["claims#R1", "tone#R1"], "a facet left out brings the rule back"
    assert len(rules(await guarded.context(facets=Facets(channel="chatter")))) == 2, "nobody declared that value"
    guarded.clock.advance(days=1)
    assert rules(await guarded.context(facets=chat)) == ["claims#R1", "tone#R1"]


async def test_a_waived_rule_is_not_checked(world: Any) -> None:
    checked = FREE.replace(
        "text: Be kind to everybody.", "text: Never say foo., check: {kind: forbid_terms, terms: [foobar]}"
    )
    await publish(world, ANN, checked)
    assert not (await world.governance.check(ANN, "foobar", Facets())).compliant
    await waive(world)
    assert (await world.governance.check(ANN, "foobar", Facets())).compliant


async def test_a_changed_rule_needs_a_new_waiver_and_another_publish_keeps_it(guarded: Any) -> None:
    await waive(guarded)
    await publish(guarded, ANN, GUARDED, FREE + "## More\nText.\n")
    assert rules(await guarded.context()) == ["claims#R1"]
    await publish(guarded, ANN, GUARDED, FREE.replace("kind", "nice"))
    assert rules(await guarded.context()) == ["claims#R1", "tone#R1"]
    assert [one.holds for one in await guarded.governance.stewardship.waivers(ANN)] == [False]


async def test_a_waiver_can_be_ended(guarded: Any) -> None:
    waiver = await waive(guarded)
    await guarded.governance.stewardship.end_waiver(BOB, waiver.id, "over")
    assert rules(await guarded.context()) == ["claims#R1", "tone#R1"]
    with pytest.raises(NotFound):
        await guarded.governance.stewardship.end_waiver(BOB, waiver.id, "again")


async def test_what_may_not_be_waived(guarded: Any) -> None:
    with pytest.raises(Refused, match="Legal|legal"):
        await waive(guarded, "claims#R1")
    assert (await waive(guarded, "claims#R1", who=LEGAL)).approver == LEGAL.agent
    with pytest.raises(NotFound, match="tone#R1"):
        await waive(guarded, "tone#R9")
    for days in (0, -1, 400):
        with pytest.raises(InvalidInput, match="^until"):
            await waive(guarded, days=days)
    with pytest.raises(InvalidInput, match="^scope"):
        await waive(guarded, channel=["chat"])
    law = POLICY.format("law", "tier: law", "Obey.")
    await publish(guarded, ANN, GUARDED, FREE, law)
    with pytest.raises(Refused, match="law"):
        await waive(guarded, "law#R1")


async def test_one_approver_waives_alone_only_what_he_approves_alone(world: Any) -> None:
    control = POLICY.format("control", "tier_approvers: {org: [bob]}", "Change with care.").replace("key: k, ", "")
    two = POLICY.format("two", "tier: team\napprovers: {of: [ann, bob], quorum: 2}", "Wait.").replace("key: k, ", "")
    await world.governance.ensure_published(ANN, world.files(GUARDED, control, two))
    for who in (LEGAL, BOB):
        with pytest.raises(Refused, match="to waive"):
            await waive(world, "claims#R1", who=who)
    with pytest.raises(Refused, match="2 of ann, bob"):
        await waive(world, "two#R1", who=BOB)
    assert (await waive(world, "control#R1", who=BOB)).approver == "bob"


async def test_a_waiver_granted_during_a_publish_is_kept(guarded: Any) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: publish(guarded, ANN, GUARDED, FREE + "## More\nText.\n"))
        group.start_soon(lambda: waive(guarded))
    assert len(await guarded.governance.stewardship.waivers(ANN)) == 1
    assert (await guarded.governance.history(ANN))[0].revision == 2


# Trying out


async def test_a_difference_shows_words_scopes_tokens_and_recent_calls(guarded: Any) -> None:
    for channel in ("email", "email", "chat"):
        await guarded.context(facets=Facets(channel=channel))
    narrowed = FREE.replace("tier: team", "tier: team\nscope: {channels: [chat]}").replace("kind", "very kind")
    found = await guarded.governance.planner.difference(ANN, guarded.files(GUARDED, narrowed))
    [one] = found.policies
    assert (one.id, one.outcome, one.scopes) == ("tone", "changed", ("every call", "channel=chat"))
    words = {line.what: line.words for line in one.lines}
    assert ("added", " very") in words["rule R1"]
    assert one.rule_tokens_after > one.rule_tokens_before
    calls = {call.facets["channel"]: (call.calls, call.lost, call.changed) for call in found.calls}
    assert calls == {("email",): (2, ("tone#R1",), ()), ("chat",): (1, (), ("tone#R1",))}
    assert found.replayed == 3
    assert (await guarded.governance.history(ANN))[0].revision == 1
    same = await guarded.governance.planner.difference(ANN, guarded.files(GUARDED, FREE))
    assert (same.policies, same.calls) == ((), ())


async def test_tests_are_told_one_by_one(world: Any) -> None:
    text = FREE.replace(
        "text: Be kind to everybody.",
        "text: Never say foo., check: {kind: forbid_terms, terms: [foobar]}, good: [fine, a foobar], bad: [foobar]",
    ).replace(
        "---\n#", "tests:\n  - {task: Pay a refund of an order, expect_rules: [R1], expect_sections: [gone]}\n---\n#"
    )
    cases = await world.governance.planner.test(world.files(text))
    assert [(case.line, case.passed) for case in cases] == [(6, False), (6, True), (6, True), (8, True), (8, False)]
    with pytest.raises(PolicyProblems):
        await world.governance.planner.test(world.files("---\nidd: x\n---\n"))


async def test_an_explanation_says_why_everything_is_in_or_out(guarded: Any) -> None:
    chat = POLICY.format("chat", "scope: {channels: [chat]}", "Be brief.").replace("key: k, ", "")
    later = POLICY.format("later", "effective: {from: 2027-01-01}", "Wait.").replace("key: k, ", "")
    below = POLICY.format("below", "tier: agent", "Say something of claims.")
    above = POLICY.format("above", "", "Say what the law says.").replace("key: k, ", "overrides: [below#R1], ")
    await publish(guarded, LEGAL, GUARDED, FREE, above, chat, later, below)
    await waive(guarded)
    found = await guarded.governance.explain(ANN, "Pay the refund of an order", Facets(channel="email"))
    verdicts = {one.ref: one.verdict for one in found.rules}
    assert verdicts == {
        "claims#R1": "delivered",
        "tone#R1": "waived",
        "chat#R1": "out_of_scope",
        "later#R1": "not_in_effect",
        "above#R1": "delivered",
        "below#R1": "overridden",
    }
    assert next(one.why for one in found.rules if one.ref == "chat#R1") == "channel is email, it is for chat"
    sections = {one.ref: one.verdict for one in found.sections}
    assert sections["chat#refunds-of-orders"] == "out_of_scope"
    assert sorted(sections.values()) == [
        "delivered",
        *["duplicate"] * 3,
        "not_in_effect",
        "out_of_scope",
    ]
    idle = await guarded.governance.explain(ANN, "Plan the holiday party", Facets())
    assert {one.verdict for one in idle.sections} == {"not_relevant", "not_in_effect"}


async def test_an_explanation_and_the_answer_give_one_score(world: Any) -> None:
    body = "".join(
        f"## Refunds of orders {n}\nRefunds of orders of kind {n} are paid within {n} days.\n" for n in range(3)
    )
    await publish(world, ANN, FREE.partition("## ")[0] + body, GUARDED)
    task = "Pay the refund of an order"
    found = await world.governance.explain(LEGAL, task, Facets())
    told = {f"{one.policy_id}#{one.section_id}": one.score for one in (await world.context(task)).sections}
    explained = {one.ref: one.score for one in found.sections if one.verdict == "delivered"}
    assert told
    assert explained == told
    assert found.answer.budget == (await world.governance.context(LEGAL, task, Facets())).budget
    assert [one.score for one in found.sections if one.verdict == "delivered"] == sorted(told.values(), reverse=True)
    assert any(one.relevance > (one.score or 0) + 0.01 for one in found.sections), (
        "a policy's later sections count less"
    )
    idle = await world.governance.explain(LEGAL, "Plan the holiday party", Facets())
    assert {one.score for one in idle.sections} == {None}
