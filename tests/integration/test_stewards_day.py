"""What a steward asks beside publishing: which words callers use, what would change, who owns what, what trials do."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from steward_desk import Desk

REFUNDS = """---
id: refunds
title: Refunds of orders
description: When money goes back to a customer, how much an agent may promise and who approves more.
owner: finance@company.example
scope: {audiences: [customer], regions: [EU]}
params: {limit: {value: 100, merge: min}}
rules:
  - id: R1
    level: must_not
    key: refund.max
    text: Never promise a refund above {limit} dollars.
    check: {kind: max_number, unit: dollars, near: [refund, back], max: '{limit}'}
    good: [I can refund 80 dollars today.]
    bad: [You will get a refund of 250 dollars.]
---
## Deadlines
A refund is paid within ten days of the request.
"""
FACETS = """audiences:
  customer: {aliases: [client]}
  prospect: {aliases: [lead]}
regions:
  EU: {aliases: [Europe]}
  DE: {in: EU}
"""

WINTER = """---
id: winter
title: Winter campaign
description: A higher refund limit for the weeks before the holidays, agreed with finance.
owner: Finance
scope: {audiences: [customer]}
effective: {from: 2026-12-01, until: 2026-12-31}
params: {limit: {value: 300}}
rules:
  - id: R1
    level: must_not
    overrides: [refunds#R1]
    text: Never promise a refund above {limit} dollars.
    check: {kind: max_number, unit: dollars, near: [refund, back], max: '{limit}'}
    bad: [You will get a refund of 450 dollars.]
---
"""
TONE = """---
id: tone
title: Tone of messages
description: How messages to customers sound, which words stay out of them, and why.
rules: [Be kind to everybody.]
---
"""


@pytest.fixture
def desk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    found = Desk(home, tmp_path / "policies")
    found.write(refunds=REFUNDS, facets=FACETS)
    return found


def test_the_vocabulary_is_listed_with_the_policies_that_name_each_value(desk: Desk) -> None:
    desk.publish()
    values = {(one["facet"], one["value"]): one for one in desk.told("vocabulary")["values"]}
    assert values["region", "DE"]["lies_in"] == ["EU"]
    assert values["audience", "customer"]["aliases"] == ["client"]
    assert {key: one["policies"] for key, one in values.items()} == {
        ("audience", "customer"): 1,
        ("audience", "prospect"): 0,
        ("region", "EU"): 1,
        ("region", "DE"): 0,
    }
    assert "client" in desk.run("vocabulary").stdout


def test_words_of_callers_that_reach_no_policy_are_counted_with_what_they_may_mean(desk: Desk) -> None:
    desk.publish()
    desk.ask(audience="Clients", region="Germany")
    desk.ask(audience="costumer", times=2)
    desk.check("A text", audience="Lead", region="unknown")
    found = desk.told("vocabulary", "--used")
    assert found["calls"] == 4
    assert [(one["facet"], one["value"], one["calls"], one["standing"]) for one in found["used"]] == [
        ("audience", "costumer", 2, "unknown"),
        ("audience", "Lead", 1, "in_no_scope"),
        ("region", "unknown", 1, "not_given"),
    ]
    assert (found["used"][0]["nearest"], found["used"][1]["means"]) == ("customer", "prospect")
    printed = desk.run("vocabulary", "--used").stdout
    assert "not in the vocabulary: counts as not given" in printed
    assert "facets.yaml" in printed
    assert desk.told("vocabulary", "--used", "--since", "2999-01-01")["used"] == []


def test_a_folder_is_explained_at_another_date_before_it_is_published(desk: Desk) -> None:
    desk.publish()
    desk.write(winter=WINTER)
    asked = ("explain", "A refund for the customer", "--audience", "client", "--region", "DE", "--folder", "policies")
    verdicts = {
        at: {one["ref"]: (one["verdict"], one["why"]) for one in desk.told(*asked, "--at", at)["rules"]}
        for at in ("2026-11-30", "2026-12-31", "2027-01-01")
    }
    assert verdicts["2026-11-30"]["winter#R1"] == ("not_in_effect", "from 2026-12-01 until 2026-12-31")
    assert verdicts["2026-12-31"]["winter#R1"][0] == "delivered"
    assert verdicts["2026-12-31"]["refunds#R1"] == ("overridden", "by winter#R1: overrides it by name")
    assert verdicts["2027-01-01"]["refunds#R1"][0] == "delivered"
    assert "winter#R1" not in {one["ref"] for one in desk.told(*asked[:-2])["rules"]}
    assert "no date" in desk.run(*asked, "--at", "1.12.2026", fails=True).stderr


def test_a_day_begins_and_ends_in_the_time_zone_of_the_organization(desk: Desk) -> None:
    desk.write(winter=WINTER)
    asked = ("explain", "A refund", "--folder", "policies", "--at")
    for zone, last, first_after in (
        ("UTC", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z"),
        ("America/New_York", "2027-01-01T04:59:00Z", "2027-01-01T05:00:00Z"),
    ):
        for at, verdict in ((last, "delivered"), (first_after, "not_in_effect")):
            found = desk.told(*asked, at, INTERLAYER_TIME_ZONE=zone)
            assert {one["verdict"] for one in found["rules"] if one["ref"] == "winter#R1"} == {verdict}, (zone, at)
    assert "Europe/Berlin" in desk.run("owners", fails=True, INTERLAYER_TIME_ZONE="Europe/Nowhere").stderr


def test_the_last_day_of_a_waiver_is_included_as_that_of_a_policy_is(desk: Desk) -> None:
    desk.publish()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    grant = ("waive", "refunds#R1", "--until", day.isoformat(), "--reason", "fair")
    said = desk.run(*grant, INTERLAYER_TIME_ZONE="America/New_York").stdout
    assert f"is waived until {day} (America/New_York), that day included" in said
    [waiver] = desk.told("waivers")
    assert datetime.fromisoformat(waiver["until"]) > datetime.combine(day + timedelta(days=1), time(4), UTC)


def test_revisions_are_compared_with_each_other_and_with_a_folder(desk: Desk) -> None:
    desk.publish()
    desk.write(refunds=REFUNDS.replace("value: 100", "value: 150"))
    desk.publish()
    desk.write(winter=WINTER, facets=FACETS.replace("[client]", "[client, buyer]"))
    outcomes = {
        named: {one["id"]: one["outcome"] for one in desk.told("diff", *named)["policies"]}
        for named in (("2", "3"), ("3", "2"), ("2",), ("policies",), ("2", "policies"))
    }
    assert outcomes["2", "3"] == outcomes["3", "2"] == outcomes[("2",)] == {"refunds": "changed"}
    assert outcomes[("policies",)] == {"winter": "added", "facets.yaml": "changed"}
    assert outcomes["2", "policies"] == {"refunds": "changed", "winter": "added", "facets.yaml": "changed"}
    assert "[-100-]{+150+}" in desk.run("diff", "2", "3").stdout
    assert "[-150-]{+100+}" in desk.run("diff", "3", "2").stdout
    assert "{+, buyer+}" in desk.run("diff", "policies").stdout
    assert "Nothing changes" in desk.run("diff", "3", "3").stdout
    assert "revision 9 was never published" in desk.run("diff", "9", "3", fails=True).stderr


def test_a_rollback_is_looked_at_first(desk: Desk) -> None:
    desk.publish()
    desk.write(refunds=REFUNDS.replace("value: 100", "value: 150"))
    desk.publish()
    assert "[-150-]{+100+}" in desk.run("rollback", "2", "--dry-run").stdout
    assert [one["id"] for one in desk.told("rollback", "2", "--dry-run")["policies"]] == ["refunds"]
    assert desk.told("history")[0]["revision"] == 3
    assert "--reason" in desk.run("rollback", "2", fails=True).stderr


def test_a_single_policy_is_published_and_the_rest_stays(desk: Desk) -> None:
    desk.publish()
    desk.write(refunds=REFUNDS.replace("value: 100", "value: 150"), tone=TONE, winter="---\nid: [\n---\n")
    done = desk.publish("--only", "Tone")
    assert (done["revision"], done["added"], done["changed"], done["removed"]) == (3, ["tone"], [], [])
    assert "value: 100" in desk.run("show", "refunds").stdout
    assert desk.publish("--only", "refunds", "--only", "tone")["changed"] == ["refunds"]
    assert "winter.md" in desk.run("publish", "policies", "--reason", "r", "--only", "winter", fails=True).stderr
    (desk.folder / "winter.md").unlink()
    said = desk.run("publish", "policies", "--reason", "r", "--only", "tones", fails=True).stderr
    assert "did you mean 'tone'?" in said
    (desk.folder / "tone.md").unlink()
    assert (
        "publish the whole folder"
        in desk.run("publish", "policies", "--reason", "r", "--only", "tone", fails=True).stderr
    )
    desk.write(refunds=REFUNDS, facets=FACETS.replace("client", "buyer"))
    assert desk.publish("--only", "facets.yaml")["changed"] == ["facets.yaml"]


def test_a_budget_says_what_each_scope_is_given(desk: Desk) -> None:
    desk.write(refunds=REFUNDS, facets=FACETS, tone=TONE)
    proposed = desk.told("budget", str(desk.folder))
    desk.publish()
    assert desk.told("budget") == proposed
    everything, elsewhere = proposed
    assert (everything["call"], everything["policies"], everything["rules"]) == ("open", 2, 2)
    assert (elsewhere["call"], elsewhere["policies"], elsewhere["facets"]) == ("elsewhere", 1, {})
    assert everything["tokens"] + everything["left"] == 2_000
    assert everything["tokens"] > elsewhere["tokens"]
    assert everything["most"][0][0] == "refunds"
    assert "whose facets no scope names" in desk.run("budget").stdout


def test_owners_are_listed_and_those_whom_nobody_can_ask_are_warned_of(desk: Desk) -> None:
    desk.write(tone=TONE, winter=WINTER)
    desk.publish()
    found = {one["owner"]: (one["policies"], bool(one["warning"])) for one in desk.told("owners")}
    assert found == {
        "": (["tone"], True),
        "Finance": (["winter"], True),
        "finance@company.example": (["refunds"], False),
    }
    (desk.folder / "winter.md").unlink()
    assert "Finance" not in desk.run("owners", "policies").stdout
    assert "nobody answers for these" in desk.run("owners").stdout


def test_prose_that_still_says_a_former_value_is_named_with_its_line(desk: Desk) -> None:
    desk.write(
        refunds=REFUNDS + "Refunds up to 100 dollars are paid at once,\nwithin a hundred days.\n",
        tone=TONE + "## Refunds\nSay that a refund of $100 is possible.\n## Prices\nA lamp costs 100 dollars.\n",
    )
    desk.publish()
    changed = (desk.folder / "refunds.md").read_text(encoding="utf-8").replace("value: 100", "value: 150")
    desk.write(refunds=changed)
    told = {(one["file"], one["line"]): one["message"] for one in desk.told("lint", "policies")}
    said = {place: message for place, message in told.items() if "100" in message and "changes" in message}
    assert list(said) == [("refunds.md", 19), ("tone.md", 8)]
    assert "says '100 dollars', but limit changes from 100 to 150; write {limit} there" in said["refunds.md", 19]
    assert "refunds changes its limit from 100 to 150; change it too if it is the same" in said["tone.md", 8]
    assert [one["line"] for one in desk.told("diff", "policies")["warnings"]] == [19, 8]
    assert "refunds.md:19" in desk.run("diff", "policies").stdout
    assert {one["line"] for one in desk.publish()["warnings"]} >= {19, 8}
    assert not [one for one in desk.told("lint", "policies") if "changes" in one["message"]]


def test_lint_needs_no_home_and_makes_none(desk: Desk) -> None:
    assert "errors: 0" in desk.run("lint", "policies").stdout
    desk.write(refunds=REFUNDS.replace("scope: {", "scope: {entity_types: [deel], "))
    assert "'deel' does not exist; did you mean 'deal'?" in desk.run("lint", "policies", fails=True).stdout
    assert not desk.home.exists() or not list(desk.home.iterdir())


def test_a_campaign_that_raises_a_limit_asks_the_approvers_of_the_limit(desk: Desk) -> None:
    desk.write(refunds=REFUNDS.replace("params:", "approvers: [cfo]\nparams:"))
    desk.run("approve", desk.publish()["proposal"]["id"], "--reason", "yes", agent="cfo")
    desk.write(winter=WINTER)
    assert desk.told("diff", "policies")["approvals"] == [["cfo"]]
    assert "needs the approval of cfo" in desk.run("diff", "policies").stdout
    proposal = desk.publish()["proposal"]
    assert (proposal["state"], proposal["groups"]) == ("pending", [["cfo"]])
    assert "revision 3" in desk.run("approve", proposal["id"], "--reason", "yes", agent="cfo").stdout


def test_tests_of_policies_give_dates_entities_and_drafts(desk: Desk) -> None:
    tests = """tests:
  - {task: A refund please, audience: client, at: 2026-12-31, expect_rules: [winter#R1], expect_not: [R1]}
  - {task: A refund please, audience: client, at: 2027-01-01, expect_rules: [R1], expect_not: ['winter#R1', deadlines]}
  - {task: Write to them, audience: lead, expect_not: [R1]}
  - {draft: I will refund 250 dollars., at: 2026-11-01, expect_violations: [R1]}
  - {draft: I will refund 250 dollars., at: 2026-12-02, expect_violations: []}
  - {draft: I will refund 500 dollars., at: 2026-12-02, expect_violations: ['winter#R1']}
  - {task: Close it, entity: {type: deal, properties: {stage: won}}, expect_rules: ['deals#R1']}
  - {task: Close it, entity: {type: deal, properties: {stage: [lost]}}, expect_not: ['deals#R1']}
rules:"""
    deals = "---\nid: deals\ndescription: What holds for deals.\nscope: {entity_types: [deal], when: {stage: [won]}}\n"
    desk.write(
        refunds=REFUNDS.replace("rules:", tests), winter=WINTER, deals=deals + "rules: [Always celebrate.]\n---\n"
    )
    cases = desk.told("test", "policies", fails=True)
    failed = [(one["line"], one["failure"]) for one in cases if one["failure"]]
    assert failed == [(10, "test fails: 'A refund please' is given refunds#deadlines")]
    assert {one["line"] for one in cases} >= {9, 10, 11, 12, 13, 14, 15, 16}
    wrong = tests.replace("expect_violations: []", "expect_rules: [R1]").replace("[R1], expect_not", "[R7], expect_not")
    desk.write(refunds=REFUNDS.replace("rules:", wrong))
    said = desk.run("lint", "policies", fails=True).stdout
    assert "expect_violations: [] for a draft that is fine" in said
    desk.write(refunds=REFUNDS.replace("rules:", tests.replace("deadlines]", "deadline]")))
    assert (
        "test: no rule or section 'deadline'; did you mean 'deadlines'?"
        in desk.run("lint", "policies", fails=True).stdout
    )


STRICTER = """---
id: stricter
title: Stricter refunds
description: A lower refund limit for customers that is tried out before it binds anybody.
owner: finance@company.example
trial: true
scope: {audiences: [customer]}
params: {limit: {value: 50}}
rules:
  - id: R1
    level: must_not
    overrides: [refunds#R1]
    text: Never promise a refund above {limit} dollars.
    check: {kind: max_number, unit: dollars, near: [refund, back], max: '{limit}'}
    bad: [You will get a refund of 60 dollars.]
tests:
  - {task: A refund please, audience: customer, expect_rules: [R1], expect_not: ['refunds#R1']}
  - {draft: You will get a refund of 70 dollars., audience: customer, expect_violations: [R1]}
---
## Vouchers
Offer a voucher for the next order before a refund is promised to the customer.
"""


def test_a_policy_in_trial_reaches_nobody_and_is_counted_against_calls_and_drafts(desk: Desk) -> None:
    desk.publish()
    asked: dict[str, Any] = {"audience": "client", "region": "DE", "channel": "email"}
    task = "May I promise a refund or offer a voucher for the next order?"
    before = desk.ask(task, **asked)
    desk.write(stricter=STRICTER)
    assert all(case["failure"] == "" for case in desk.told("test", "policies"))
    desk.publish()
    after = desk.ask(task, **asked)
    assert (after.rules, after.sections, after.etag, after.assumed) == (
        before.rules,
        before.sections,
        before.etag,
        before.assumed,
    )
    desk.ask("Write to a lead", audience="lead")
    draft = "Good news: you get a refund of 80 dollars."
    assert desk.check(draft, audience="client").violations == ()
    assert desk.check("You get a refund of 20 dollars.", audience="client").compliant
    report = desk.told("trial")
    assert (report["calls"], report["drafts"]) == (3, 2)
    rows = {(one["ref"], one["kind"]): one for one in report["trials"]}
    rule, section = rows["stricter#R1", "rule"], rows["stricter#vouchers", "section"]
    assert (rule["state"], rule["delivered"], rule["drafts"], rule["flagged"]) == ("in_trial", 1, 2, 1)
    assert (rule["channels"], rule["audiences"]) == ({"not given": 2, "email": 1}, {"client": 3})
    assert (rule["agents"], rule["displaced"]) == ({"support-7": 3}, {"refunds#R1": 3})
    assert len(rule["receipts"]) == 3
    [flag] = rule["flagged_drafts"]
    [[start, end]] = flag["places"]
    assert "80 dollars" in draft[start:end]
    assert flag["receipt_id"] in rule["receipts"]
    assert (section["delivered"], section["flagged"]) == (1, 0)
    assert draft not in json.dumps(report)
    assert f"stricter#R1 would flag {flag['receipt_id']}" in desk.run("trial", "stricter").stdout
    assert "in trial are stricter" in desk.run("trial", "refunds", fails=True).stderr
    assert "stricter                 v1    Stricter refunds (in trial)" in desk.run("show").stdout
    explained = desk.told("explain", task, "--audience", "client")
    assert {one["ref"]: (one["verdict"], one["why"].partition(";")[0]) for one in explained["rules"]} == {
        "refunds#R1": ("delivered", "assumed: region"),
        "stricter#R1": ("trial", "in trial: would be delivered"),
    }


def test_a_trial_is_promoted_by_publishing_it_without_the_word(desk: Desk) -> None:
    desk.write(stricter=STRICTER, refunds=REFUNDS.replace("params:", "approvers: [cfo]\nparams:"))
    desk.run("approve", desk.publish()["proposal"]["id"], "--reason", "yes", agent="cfo")
    desk.ask(audience="client", region="DE")
    desk.write(stricter=STRICTER.replace("trial: true\n", ""))
    changes = desk.told("diff", "policies")
    [changed] = changes["policies"]
    assert [line["what"] for line in changed["lines"]] == ["trial"]
    assert changed["rule_tokens_after"] > changed["rule_tokens_before"] == 0
    assert [(one["gained"], one["lost"]) for one in changes["calls"]] == [(["stricter#R1"], ["refunds#R1"])]
    assert changes["approvals"] == [["cfo"]]
    desk.run("approve", desk.publish()["proposal"]["id"], "--reason", "yes", agent="cfo")
    assert {one.policy_id for one in desk.ask(audience="client", region="DE").rules} == {"stricter"}
    rows = desk.told("trial")["trials"]
    assert {(one["ref"], one["state"], one["delivered"]) for one in rows} == {("stricter#R1", "ended", 1)}
    assert "Nothing is in trial" in desk.run("trial", "--since", "2999-01-01").stdout


def test_a_single_rule_in_trial_leaves_the_rest_of_its_policy_in_force(desk: Desk) -> None:
    more = "  - {id: R2, trial: true, text: Always mention the order number.}\n---\n## Deadlines"
    desk.write(refunds=REFUNDS.replace("---\n## Deadlines", more))
    desk.publish()
    assert [one.rule_id for one in desk.ask(audience="client").rules] == ["R1"]
    assert [(one["ref"], one["delivered"]) for one in desk.told("trial")["trials"]] == [("refunds#R2", 1)]
    desk.write(refunds=REFUNDS.replace("---\n## Deadlines", more.replace("trial: true, ", "")))
    assert "[- [in trial]-]" in desk.run("diff", "policies").stdout


def test_a_rule_in_trial_contradicts_nothing_yet(desk: Desk) -> None:
    head = "---\nid: {0}\ndescription: Words on greeting people in letters.\n{2}rules:\n"
    one = head + "  - {{id: R1, key: k, level: {1}, text: Greet.}}\n---\n"
    desk.write(a=one.format("a", "must", ""), b=one.format("b", "must_not", ""))
    assert "incompatible" in desk.run("lint", "policies", fails=True).stdout
    desk.write(b=one.format("b", "must_not", "trial: true\n"))
    [found] = [one for one in desk.told("lint", "policies") if "incompatible" in one["message"]]
    assert found["severity"] == "warning"
