"""The service: facets from connection, call and memory; what is held and unchanged; failures; receipts; checks."""

import json
from datetime import timedelta
from typing import Any

import pytest

from faulty import FaultyEmbedder, FaultyStore
from interlayer.answers import as_json
from interlayer.audit.trail import Trail
from interlayer.errors import InvalidInput, NotFound, Unavailable
from interlayer.models.embedder import EmbeddingModel, OneModel
from interlayer.models.scale import REFERENCE
from interlayer.principal import Principal
from interlayer.storage.items import Item
from interlayer_policies.governance import Facets, Governance, starter_files

pytestmark = pytest.mark.anyio

RULE = "---\nid: {0}\ndescription: d\nscope: {1}\nrules: [Always think of {0}.]\n---\n# {0}\n"
REFUNDS = "## Refunds\nCheck the invoice of the order before the refund is paid out.\n"
TASK = "Refund an order by its invoice"


def refs(answer: Any) -> list[str]:
    return [f"{rule.policy_id}#{rule.rule_id}" for rule in answer.rules]


async def test_agent_and_teams_come_from_the_connection_and_a_team_of_the_call_only_adds(world: Any) -> None:
    await world.publish(
        RULE.format("bots", "{agents: [outbound-*]}"),
        RULE.format("sales", "{teams: [sales]}"),
        RULE.format("support", "{teams: [support]}"),
    )
    me = Principal("acme", "outbound-1", teams=frozenset({"Sales"}))
    assert refs(await world.governance.context(me, TASK, Facets())) == ["bots#R1", "sales#R1"]
    with_team = await world.governance.context(me, TASK, Facets(team="support"))
    assert refs(with_team) == ["bots#R1", "sales#R1", "support#R1"]
    other = Principal("acme", "inbound", teams=frozenset({"legal"}))
    assert refs(await world.governance.context(other, TASK, Facets())) == []
    assert len((await world.context()).rules) == 3, "without teams every team is possible"


async def test_remembered_properties_of_the_entity_take_part(world: Any) -> None:
    await world.publish(RULE.format("late", "{entity_types: [deal], when: {stage: [closed_*], size: [3]}}"))
    world.entities.known = {"deal:1": {"stage": "Closed_Won", "size": 3.0}, "deal:2": {"stage": "open"}}
    assert refs(await world.context(TASK, Facets(entity="deal:1"))) == ["late#R1"]
    assert refs(await world.context(TASK, Facets(entity="deal:2"))) == []
    assert refs(await world.context(TASK, Facets(entity="contact:1"))) == []
    unknown = await world.context(TASK, Facets(entity="deal:3"))
    assert refs(unknown) == ["late#R1"]
    assert unknown.assumed == ("entity.size", "entity.stage")


async def test_what_the_caller_holds_is_not_sent_again(world: Any) -> None:
    await world.publish(RULE.format("a", "{}") + REFUNDS, RULE.format("b", "{}"))
    whole = await world.context(TASK)
    have = [whole.policies[0].etag, whole.sections[0].etag, "unknown"]
    rest = await world.context(TASK, have=have)
    assert rest.held == tuple(have[:2])
    assert refs(rest) == ["b#R1"]
    assert rest.sections == ()
    assert rest.etag == whole.etag
    assert rest.budget.used < whole.budget.used


async def test_an_unchanged_selection_is_one_line(world: Any) -> None:
    revision = await world.publish(RULE.format("a", "{channels: [email]}") + REFUNDS)
    whole = await world.context(TASK)
    again = await world.context(TASK, if_etag=whole.etag)
    assert again.unchanged
    assert (again.policies, again.rules, again.sections, again.omitted, again.overridden, again.held) == ((),) * 6
    assert (again.etag, again.revision) == (whole.etag, revision)
    assert again.receipt_id != whole.receipt_id
    assert not (await world.context(TASK, if_etag="000000000000")).unchanged


async def test_an_unrelated_publish_leaves_the_etag_alone_and_a_related_one_does_not(world: Any) -> None:
    first = RULE.format("a", "{channels: [email]}") + REFUNDS
    await world.publish(first)
    facets = Facets(channel="email")
    before = await world.context(TASK, facets)
    await world.publish(first, RULE.format("b", "{channels: [chat]}") + "## Dogs\nDogs are welcome on Fridays.\n")
    after = await world.context(TASK, facets)
    assert after.revision == before.revision + 1
    assert after.etag == before.etag
    await world.publish(first.replace("before the refund", "and the name before the refund"))
    assert (await world.context(TASK, facets)).etag != before.etag
    await world.publish(first.replace("Always think", "Always dream"))
    assert (await world.context(TASK, facets)).etag != before.etag


async def test_no_rule_in_scope_is_a_statement_with_a_receipt(world: Any) -> None:
    await world.publish(RULE.format("a", "{channels: [email]}"))
    nothing = await world.context(TASK, Facets(channel="chat"))
    assert (nothing.rules, nothing.sections, nothing.assumed, nothing.unchanged) == ((), (), (), False)
    assert nothing.etag
    assert nothing.receipt_id.startswith("rc_")


@pytest.mark.parametrize(
    ("task", "options"),
    [("", {}), ("  ", {}), ("x" * 8_001, {}), (TASK, {"max_tokens": 0}), (TASK, {"max_tokens": 8_001})],
)
async def test_a_call_that_makes_no_sense_is_refused(world: Any, task: str, options: Any) -> None:
    with pytest.raises(InvalidInput):
        await world.context(task, **options)


async def test_without_any_published_policies_no_action_may_be_taken(world: Any) -> None:
    with pytest.raises(Unavailable, match="No policies are published.*no externally visible or irreversible action"):
        await world.context()


async def test_another_process_sees_a_publish_at_once(world: Any) -> None:
    other = world.another_process()
    await world.publish(RULE.format("a", "{}"))
    assert refs(await other.context(world.me, TASK, Facets())) == ["a#R1"]
    await world.publish(RULE.format("b", "{}"))
    assert refs(await other.context(world.me, TASK, Facets())) == ["b#R1"]


async def test_organizations_do_not_see_each_other(world: Any) -> None:
    await world.publish(RULE.format("a", "{}"))
    stranger = Principal("globex", "bot")
    with pytest.raises(Unavailable):
        await world.governance.context(stranger, TASK, Facets())
    await world.governance.publish(stranger, world.files(RULE.format("z", "{}")), reason="theirs")
    assert refs(await world.governance.context(stranger, TASK, Facets())) == ["z#R1"]
    assert refs(await world.context()) == ["a#R1"]


async def receipts_of(world: Any) -> list[Item]:
    page = await world.store.query("audit", f"acme#receipts#{world.clock():%Y%m%d%H}")
    return list(page.items)


async def test_a_receipt_holds_what_was_delivered_and_never_the_task(world: Any) -> None:
    await world.publish(RULE.format("a", "{channels: [email]}") + REFUNDS)
    facets = Facets(channel="email", entity="contact:sarah@techflow.example")
    answer = await world.context("Refund the invoice of mister Zebulon", facets)
    world.clock.advance(seconds=1)
    await world.governance.check(world.me, "Dear mister Zebulon", facets)
    context, check = await receipts_of(world)
    assert context.key.sort == answer.receipt_id
    assert context.body["kind"] == "context"
    assert check.body["kind"] == "check"
    assert context.body["rules"] == ["a#R1@1"]
    assert context.body["sections"] == ["a#refunds@1"]
    assert context.body["etag"] == answer.etag
    assert context.body["facets"]["channel"] == "email"
    assert len(context.body["task_hmac"]) == 64
    assert "Zebulon" not in json.dumps([context.body, check.body])
    assert "sarah" not in json.dumps([context.body, check.body])


async def test_receipts_of_one_task_bear_one_seal_in_every_process(world: Any) -> None:
    await world.publish(RULE.format("a", "{}"))
    for governance in (world.governance, world.another_process(), world.another_process()):
        await governance.context(world.me, TASK, Facets())
    await world.context("another task")
    seals = [item.body["task_hmac"] for item in await receipts_of(world)]
    assert len(seals) == 4
    assert len(set(seals)) == 2


@pytest.fixture
def failing(world: Any, embedder: Any) -> tuple[Governance, FaultyStore, FaultyEmbedder]:
    store, model = FaultyStore(world.store), FaultyEmbedder(embedder)
    models = OneModel(EmbeddingModel(model, REFERENCE))
    return Governance(store, Trail(store, world.clock), models, world.entities, world.clock), store, model


async def test_the_last_good_set_serves_through_an_outage_and_then_no_more(world: Any, failing: Any) -> None:
    governance, store, _ = failing
    await world.publish(RULE.format("a", "{}"))
    await governance.context(world.me, TASK, Facets())
    store.away = {"read", "write"}
    world.clock.now += timedelta(seconds=299)
    stale = await governance.context(world.me, TASK, Facets())
    assert refs(stale) == ["a#R1"]
    assert stale.degraded == ("store",)
    world.clock.now += timedelta(seconds=2)
    with pytest.raises(Unavailable, match="no externally visible or irreversible action"):
        await governance.context(world.me, TASK, Facets())
    store.away = set()
    fresh = await governance.context(world.me, TASK, Facets())
    assert fresh.degraded == ()
    found = [
        item for hour in ("2026061512",) for item in (await world.store.query("audit", f"acme#receipts#{hour}")).items
    ]
    assert stale.receipt_id in [item.key.sort for item in found], "the receipt was kept until the store came back"


async def test_nothing_is_delivered_without_a_receipt(world: Any, failing: Any) -> None:
    governance, store, _ = failing
    await world.publish(RULE.format("a", "{}"))
    await governance.context(world.me, TASK, Facets())
    store.away = {"write"}
    with pytest.raises(Unavailable):
        await governance.context(world.me, TASK, Facets())
    with pytest.raises(Unavailable):
        await governance.check(world.me, "text", Facets())


async def test_a_start_without_the_store_refuses(world: Any, failing: Any) -> None:
    governance, store, _ = failing
    store.away = {"read"}
    with pytest.raises(Unavailable, match="no externally visible or irreversible action"):
        await governance.context(world.me, TASK, Facets())


@pytest.mark.parametrize("fault", ["away", "late"])
async def test_without_the_embedder_words_alone_decide(world: Any, failing: Any, fault: str) -> None:
    governance, _, model = failing
    await world.publish(RULE.format("a", "{}") + REFUNDS)
    await governance.context(world.me, "another task", Facets())
    setattr(model, fault, True)
    got = await governance.context(world.me, TASK, Facets())
    assert got.degraded == ("vector",)
    assert [section.section_id for section in got.sections] == ["refunds"]
    off_topic = await governance.context(world.me, "Plan the company holiday party", Facets())
    assert off_topic.sections == ()
    setattr(model, fault, False)
    assert (await governance.context(world.me, TASK, Facets())).degraded == ()


async def test_a_set_loaded_without_the_embedder_gets_its_vectors_later(world: Any, failing: Any) -> None:
    governance, _, model = failing
    await world.publish(RULE.format("a", "{}") + REFUNDS)
    model.away = True
    assert (await governance.context(world.me, TASK, Facets())).degraded == ("vector",)
    model.away = False
    world.clock.now += timedelta(seconds=6)
    assert (await governance.context(world.me, TASK, Facets())).degraded == ()


CHECKED = """---
id: offers
description: d
scope: {channels: [email]}
params: {limit: {value: 15, merge: min}}
rules:
  - text: Never offer more than {limit}%.
    key: k
    check: {kind: max_number, unit: '%', near: ['off'], max: '{limit}'}
    remedy: Stay at {limit}% or below.
    bad: [99% off]
  - {level: should_not, text: Avoid hype., check: {kind: forbid_terms, terms: [revolutionary], }, bad: [revolutionary]}
  - Be kind.
---
# offers
"""


async def test_a_check_finds_violations_where_they_stand_and_says_what_it_did_not_look_at(world: Any) -> None:
    revision = await world.publish(CHECKED)
    text = "A revolutionary offer: twenty percent off."
    got = await world.governance.check(world.me, text, Facets(channel="email"))
    assert not got.compliant
    assert [(v.rule_id, v.level, text[v.start : v.end], v.excerpt) for v in got.violations] == [
        ("R2", "should_not", "revolutionary", "revolutionary"),
        ("R1", "must_not", "twenty percent", "twenty percent"),
    ]
    assert got.violations[1].remedy == "Stay at 15% or below."
    assert got.not_checked == ("offers#R3",)
    assert got.revision == revision
    mild = await world.governance.check(world.me, "A revolutionary offer", Facets(channel="email"))
    assert mild.compliant
    assert len(mild.violations) == 1
    elsewhere = await world.governance.check(world.me, text, Facets(channel="chat"))
    assert elsewhere.compliant
    assert elsewhere.not_checked == ()
    assert (await world.governance.check(world.me, text, Facets())).assumed == ("channel",)


async def test_a_check_uses_the_merged_value(world: Any) -> None:
    stricter = CHECKED.replace("id: offers", "id: team\ntier: team").replace("value: 15", "value: 10")
    await world.publish(CHECKED, stricter)
    got = await world.governance.check(world.me, "12% off", Facets(channel="email"))
    assert [(v.policy_id, v.remedy) for v in got.violations] == [("offers", "Stay at 10% or below.")]


async def test_a_check_refuses_no_text_and_too_much(world: Any) -> None:
    await world.publish(CHECKED)
    for text in ("", "x" * 100_001):
        with pytest.raises(InvalidInput):
            await world.governance.check(world.me, text, Facets())


async def test_policies_are_shown_as_written_and_unknown_ones_lead_to_near_ones(world: Any) -> None:
    first, second = RULE.format("offers", "{}"), RULE.format("offers", "{}") + REFUNDS
    await world.publish(first)
    await world.publish(second)
    assert (await world.governance.policy(world.me, "offers")).text == second
    assert (await world.governance.policy(world.me, "offers", 1)).text == first
    with pytest.raises(NotFound, match="offers"):
        await world.governance.policy(world.me, "offer")
    with pytest.raises(NotFound, match="no version 3"):
        await world.governance.policy(world.me, "offers", 3)
    listing = await world.governance.published(world.me)
    assert [(entry.id, entry.version, entry.title) for entry in listing.policies] == [("offers", 2, "offers")]


async def test_the_starter_policies_govern_from_the_first_call(world: Any) -> None:
    await world.governance.ensure_published(world.me, starter_files())
    got = await world.governance.check(world.me, "I can offer you a 30% discount.", Facets())
    assert [v.policy_id for v in got.violations] == ["discounts"]


async def test_a_rule_whose_merged_check_has_nothing_left_to_look_for_is_not_checked(world: Any) -> None:
    text = "---\nid: {0}\ntier: {1}\nparams: {{words: {{value: [{0}], merge: intersect}}}}\nrules:\n"
    text += "  - {{text: 'Never say {{words}}.', key: k, check: {{kind: forbid_terms, terms: '{{words}}'}}}}\n---\n"
    await world.publish(text.format("a", "org"), text.format("b", "team"))
    got = await world.governance.check(world.me, "a b", Facets())
    assert (got.compliant, got.not_checked) == (True, ("a#R1",))


CAPPED = """---
id: {0}
title: {1}
description: {1} of the shop.
rules:
  - id: R1
    text: Never promise more than 15% off.
    check: {{kind: max_number, unit: '%', near: [off], max: 15}}
  - Never speak about the audit.
---
"""


async def test_a_policy_is_named_once_and_its_rules_say_only_what_they_ask(world: Any) -> None:
    await world.publish(RULE.format("a", "{channels: [email]}"), CAPPED.format("b", "Discounts"))
    got = as_json(await world.context("Write a letter", Facets(channel="email")))
    assert [sorted(policy) for policy in got["policies"]] == [
        ["etag", "policy_id", "tier", "title", "version"],
        ["etag", "policy_id", "tier", "title", "version", "why"],
    ]
    assert {policy["policy_id"]: policy.get("why") for policy in got["policies"]} == {"a": "channel=email", "b": None}
    assert all(sorted(rule) == ["level", "policy_id", "rule_id", "text"] for rule in got["rules"])
    assert len(got["rules"]) == 3


async def test_what_the_task_would_break_comes_first_then_what_it_is_about(world: Any) -> None:
    invoices = "---\nid: invoices\ndescription: d\nrules: [Keep every unpaid invoice for ten years.]\n---\n"
    await world.publish(RULE.format("a", "{}"), invoices, CAPPED.format("prices", "Discounts"))
    assert refs(await world.context("Say hello")) == ["prices#R1", "prices#R2", "a#R1", "invoices#R1"]
    about = await world.context("Ask for the unpaid invoice")
    assert refs(about)[0] == "invoices#R1"
    breaks = await world.context("Offer the customer 40% off")
    first, second = breaks.rules[:2]
    assert (first.rule_id, first.why, second.rule_id, second.why) == ("R1", "the task as told breaks it", "R2", None)
    assert {*refs(about)} == {*refs(breaks)}


async def test_held_policies_are_told_by_etag_and_a_changed_rule_is_sent_again(world: Any) -> None:
    first = [RULE.format("a", "{}"), CAPPED.format("b", "Discounts")]
    await world.publish(*first)
    have = [policy.etag for policy in (await world.context(TASK)).policies]
    assert refs(await world.context(TASK, have=have)) == []
    await world.publish(first[0], first[1].replace("15", "10") + "# b\n## More\nGuidance alone changes no etag.\n")
    again = await world.context(TASK, have=have)
    assert refs(again) == ["b#R1", "b#R2"], "all rules of a policy that changed"
    assert again.held == (have[0],) or again.held == (have[1],)


async def test_guidance_keeps_a_third_of_the_budget_however_many_rules_there_are(world: Any) -> None:
    crowd = [RULE.format(f"p{n}", "{}") for n in range(60)]
    await world.publish(*crowd, RULE.format("refunds", "{}") + REFUNDS)
    got = await world.context(TASK, max_tokens=600)
    assert len(got.rules) == 61
    assert [section.section_id for section in got.sections] == ["refunds"]
    assert got.budget.exceeded_by == got.budget.used - 600 > 0
    assert got.budget.rules / len(got.rules) <= 30
    without = await world.context("Whistle a song", max_tokens=600)
    assert without.sections == ()
    assert without.budget.used < got.budget.used
