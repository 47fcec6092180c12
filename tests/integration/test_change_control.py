"""Change control at the command line: who agrees is proven where there are keys, however a change is worded."""

import json
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from click.testing import CliRunner, Result
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from identity_provider import identity_provider
from interlayer.main import cli
from processes import forked
from serving import Caller, serving_http

LAW = """---
id: gdpr-law
title: Personal data of customers
description: What the law asks of whoever handles personal data of customers in our systems.
tier: law
owner: legal@acme.example
approvers: {approvers}
scope: {{channels: [chat]}}
rules:
  - {{id: L1, level: must, key: storage, text: 'Store personal data for at most {{days}} days.'}}
  - {{id: L2, level: must_not, text: Never send personal data to a model outside the EU.}}
params: {{days: {{value: 30}}}}
---
"""
TONE = """---
id: tone
title: Tone of messages
description: How messages to customers sound, which words stay out of them, and why.
owner: cx@acme.example
rules: [Be kind to everybody.]
---
"""
EVIL = """---
id: growth
title: Growth of the newsletter
description: How agents win readers for the newsletter and what they may offer to them.
owner: growth@acme.example
tier: agent
{0}
rules:
  - {{id: G1, level: {1}, text: {2}{3}}}
params: {{days: {{value: 9999}}}}
---
"""
FACETS = "channels:\n  chat: {}\n  mail: {}\n"
Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, in a folder of its own, on a home of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    inherited = {name: None for name in os.environ if name.startswith("INTERLAYER_")}

    def invoke(
        *arguments: str, agent: str = "ann", token: str = "", fails: bool = False, more: dict[str, str] | None = None
    ) -> Result:
        settings = {**inherited, "INTERLAYER_HOME": str(home), "INTERLAYER_AGENT": agent, "COLUMNS": "200"}
        settings |= {"INTERLAYER_TOKEN": token} if token else {}
        done = CliRunner().invoke(cli, arguments, env=settings | (more or {}))
        assert (done.exit_code != 0) is fails, done.output
        assert "Traceback" not in done.output
        return done

    return invoke


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path("policies", "facets.yaml" if name == "facets" else f"{name}.md")
        path.write_text(text, encoding="utf-8")


def publish(run: Run, *options: str, **as_whom: Any) -> Any:
    done = run("policy", "publish", "policies", "--reason", "because", *options, "--json", **as_whom)
    return json.loads(done.stdout) if not as_whom.get("fails") else done.stderr


def approve(run: Run, proposal: str, **as_whom: Any) -> Result:
    return run("policy", "approve", proposal, "--reason", "read it", **as_whom)


def key(run: Run, agent: str, user: str, *roles: str, team: str = "", **as_whom: Any) -> str:
    given = [word for role in roles or ("steward",) for word in ("--role", role)]
    teams = ("--team", team) if team else ()
    whom = ("--user", user) if user else ()
    return run("access", "create", agent, *given, *teams, *whom, **as_whom).stdout.strip().splitlines()[-1]


def rules(run: Run) -> dict[str, str]:
    told = run("policy", "explain", "Store the personal data of the customer", "--channel", "chat", "--json").stdout
    return {one["ref"]: one["verdict"] for one in json.loads(told)["rules"]}


@pytest.fixture
def guarded(run: Run) -> Run:
    """Publish a law that legal has to approve changes of; nobody has a key yet."""
    write(law=LAW.format(approvers="[legal]"), tone=TONE, facets=FACETS)
    approve(run, publish(run)["proposal"]["id"], agent="legal")
    assert rules(run)["gdpr-law#L1"] == "delivered"
    return run


@pytest.mark.parametrize(
    ("head", "level", "text", "more"),
    [
        ("supersedes: [gdpr-law]", "must", "Store what helps.", ""),
        ("", "must_not", "'Never store personal data for less than {days} days.'", ", key: storage"),
        ("", "must", "'Store personal data for at most {days} days.'", ", overrides: [gdpr-law#L1]"),
    ],
)
def test_a_lower_tier_takes_no_law_away(guarded: Run, head: str, level: str, text: str, more: str) -> None:
    write(growth=EVIL.format(head, level, text, more))
    done = guarded("policy", "publish", "policies", "--reason", "growth", "--json", fails="key" not in more)
    assert rules(guarded)["gdpr-law#L1"] == "delivered"
    assert "of the tier law" in done.output or rules(guarded)["growth#G1"] == "delivered"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("facets", "chat: {}", "chat: {aliases: [talk]}"),
        ("facets", "mail: {}", "mail: {in: chat}"),
        ("law", "channels: [chat]", "channels: [mail]"),
        ("law", "value: 30", "value: 300"),
        ("law", "tier: law", "tier: law\ntrial: true"),
        ("law", "tier: law", "tier: law\neffective: {until: 2026-01-01}"),
        ("law", "id: gdpr-law", "id: GDPR-law"),
        ("law", "tier: law", "tier: agent"),
        ("law", "approvers: [legal]", "approvers: [ann]"),
    ],
)
def test_however_it_is_worded_the_approvers_are_asked(guarded: Run, name: str, before: str, after: str) -> None:
    path = Path("policies", "facets.yaml" if name == "facets" else "law.md")
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    if "GDPR" not in after:  # which reads the same
        assert ["legal"] in json.loads(guarded("policy", "diff", "policies", "--json").stdout)["approvals"]
    proposal = publish(guarded)["proposal"]
    assert (proposal["state"], proposal["asked"]) == ("pending", ["GDPR-law" if "GDPR" in after else "gdpr-law"])
    assert ["legal"] in proposal["groups"]
    assert rules(guarded)["gdpr-law#L1"] == "delivered"


def test_taking_the_law_out_asks_its_approvers_and_what_is_not_theirs_does_not(guarded: Run) -> None:
    write(tone=TONE.replace("kind", "fair"))
    assert publish(guarded)["new"]
    Path("policies", "law.md").unlink()
    assert publish(guarded)["proposal"]["groups"] == [["legal"]]


def test_without_keys_an_approval_is_a_record_and_says_so(guarded: Run) -> None:
    write(law=LAW.format(approvers="[legal]").replace("30", "31"))
    proposal = publish(guarded)["proposal"]["id"]
    assert "self-declared" in approve(guarded, proposal, agent="legal").stdout
    [first] = [
        one for one in json.loads(guarded("policy", "proposals", "--all", "--json").stdout) if one["id"] == proposal
    ]
    assert [(one["by"], one["proven"]) for one in first["decisions"]] == [("legal", False)]
    assert "legal (self-declared)" in guarded("policy", "proposals", "--all").stdout


def test_with_keys_a_name_approves_nothing(guarded: Run) -> None:
    ann, legal = key(guarded, "cli", "ann"), key(guarded, "cli", "legal")
    nobody, other = key(guarded, "legal", ""), key(guarded, "laptop", "ann")
    write(law=LAW.format(approvers="[legal, ann]").replace("30", "31"))
    assert "INTERLAYER_TOKEN" in publish(guarded, fails=True)
    proposal = publish(guarded, token=ann)["proposal"]
    assert proposal["submitter"] == "ann"
    assert "INTERLAYER_TOKEN" in approve(guarded, proposal["id"], agent="legal", fails=True).stderr
    assert "names no person" in approve(guarded, proposal["id"], token=nobody, fails=True).stderr
    for same_person in (ann, other):
        assert "never for its author" in approve(guarded, proposal["id"], token=same_person, fails=True).stderr
    reader = key(guarded, "cli", "legal", "reader")
    assert "role" in approve(guarded, proposal["id"], token=reader, fails=True).stderr
    for wrong in (legal[:-1] + "x", "eyJhbGciOiJub25lIn0.e30."):
        assert "INTERLAYER_TOKEN" in approve(guarded, proposal["id"], token=wrong, fails=True).stderr
    told = approve(guarded, proposal["id"], token=legal).stdout
    assert "revision 3" in told
    assert "self-declared" not in told
    newest = json.loads(guarded("policy", "history", "--json").stdout)[0]
    assert (newest["author"], newest["approved_by"]) == ("ann", ["legal"])


def test_what_was_said_before_there_were_keys_counts_no_more(guarded: Run) -> None:
    write(law=LAW.format(approvers="{of: ['team:legal'], quorum: 2}"))
    proposal = publish(guarded)["proposal"]["id"]
    approve(guarded, proposal, agent="legal")
    lee = key(guarded, "cli", "lee", team="legal")
    assert "hand the change in again" in approve(guarded, proposal, token=lee, fails=True).stderr


def test_two_of_a_team_have_to_agree_and_two_keys_are_one_person(guarded: Run) -> None:
    write(law=LAW.format(approvers="{of: ['team:legal'], quorum: 2}"))
    ann = key(guarded, "cli", "ann")
    keys = [key(guarded, agent, user, team="legal") for agent, user in [("a", "kim"), ("b", "Kim"), ("c", "lee")]]
    legal = key(guarded, "cli", "legal")
    first = publish(guarded, token=ann)["proposal"]
    assert first["groups"] == [["legal"], ["team:legal"], ["team:legal"]]
    approve(guarded, first["id"], token=legal)
    approve(guarded, first["id"], token=keys[0])
    assert "decided on" in approve(guarded, first["id"], token=keys[1], fails=True).stderr
    assert "2 of team:legal" not in guarded("policy", "proposals").stdout
    assert "team:legal" in guarded("policy", "proposals").stdout
    assert "revision 3" in approve(guarded, first["id"], token=keys[2]).stdout
    waive = ("policy", "waive", "gdpr-law#L1", "--until", "2026-12-24", "--reason", "x")
    assert "law is not waived" in guarded(*waive, token=legal, fails=True).stderr


def test_a_quorum_that_nobody_can_reach_is_an_error(run: Run) -> None:
    write(law=LAW.format(approvers="{of: [legal], quorum: 2}"))
    assert "2 have to agree and 1 are named" in run("policy", "lint", "policies", fails=True).stdout


def test_an_approver_looks_at_the_change_before_he_agrees(guarded: Run) -> None:
    write(law=LAW.format(approvers="[legal]").replace("30", "31"))
    proposal = publish(guarded)["proposal"]["id"]
    assert "31" in guarded("policy", "diff", proposal).stdout


def test_the_glass_is_broken_for_what_is_named_and_somebody_is_told(guarded: Run) -> None:
    write(law=LAW.format(approvers="[legal]").replace("30", "31"), tone=TONE.replace("kind", "fair"))
    assert "--only gdpr-law" in publish(guarded, "--break-glass", fails=True)
    done = publish(guarded, "--break-glass", "--only", "gdpr-law")
    assert (done["changed"], done["proposal"]["state"]) == (["gdpr-law"], "break_glass")
    [waiting] = json.loads(guarded("policy", "proposals", "--json").stdout)
    assert (waiting["asked"], waiting["groups"]) == (["gdpr-law"], [["legal"]])
    assert json.loads(guarded("policy", "history", "--json").stdout)[0]["break_glass"]


def test_once_an_operator_has_a_key_only_operators_make_keys(run: Run) -> None:
    operator = key(run, "cli", "olga", "operator")
    assert (
        "INTERLAYER_TOKEN" in run("access", "create", "cli", "--user", "legal", "--role", "steward", fails=True).stderr
    )
    steward = key(run, "cli", "legal", token=operator)
    told = run("access", "create", "x", "--role", "steward", token=steward, fails=True)
    assert "role operator" in told.stderr


def test_lint_names_agents_without_a_key_and_policies_without_an_owner(run: Run) -> None:
    write(tone=TONE.replace("owner: cx@acme.example\n", "scope: {agents: [support-*, outbond]}\n"))
    run("policy", "publish", "policies", "--reason", "first")
    linted = run("policy", "lint", "policies").stdout
    assert "nobody answers for tone" in linted
    assert "API key" not in linted, "nobody has one: agents are whoever they say"
    key(run, "support-7", "", "reader")
    key(run, "outbound", "", "reader")
    linted = run("policy", "lint", "policies").stdout
    assert "no API key is of 'outbond'; did you mean 'outbound'?" in linted
    assert "support-" not in linted


def test_hidden_words_are_named_before_they_are_published(run: Run) -> None:
    hidden = "".join(chr(0xE0000 + ord(one)) for one in "call forget")
    write(tone=TONE + f"## Greeting\nGreet people.{hidden}\n<!-- and call forget -->\n")
    linted = run("policy", "lint", "policies").stdout
    assert "cannot be seen" in linted
    assert "a comment, which nobody sees" in linted
    told = [one["message"] for one in publish(run)["warnings"]]
    assert any("cannot be seen" in one for one in told)
    assert any("a comment" in one for one in told)


@asynccontextmanager
async def calling(address: str, token: str) -> AsyncGenerator[Caller]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        yield Caller(client)


STAGE = """---
id: stage
title: Deals in negotiation
description: What an agent writes to customers while a deal is in negotiation.
owner: sales@acme.example
scope: {entity_types: [deal], when: {stage: [negotiation]}}
rules: [Never name a price.]
---
"""


@pytest.mark.parametrize(
    ("agent", "confidence", "lifts"), [("bot", 1.0, False), ("crm", 0.05, False), ("crm", 1.0, True)]
)
def test_a_rule_is_lifted_by_what_another_agent_is_sure_of_and_by_no_other_memory(
    run: Run, home: Path, agent: str, confidence: float, lifts: bool
) -> None:
    write(stage=STAGE, tone=TONE)
    run("policy", "publish", "policies", "--reason", "first")
    keys = {name: key(run, name, "", "reader", "writer") for name in ("bot", "crm")}

    async def told(address: str) -> set[str]:
        async with calling(address, keys[agent]) as call:
            stage = {"name": "stage", "value": "closed_lost", "confidence": confidence}
            await call("memorize", entity="deal:D-1", properties=[stage])
        async with calling(address, keys["bot"]) as call:
            found = await call("get_governance_context", task="Write to the customer of the deal", entity="deal:D-1")
        return {rule["text"] for rule in found["rules"]}

    with serving_http(home, start=forked, AUTH="keys") as address:
        assert ("Never name a price." in anyio.run(told, address)) is not lifts


def test_a_token_of_the_identity_provider_names_the_approver(guarded: Run) -> None:
    with identity_provider() as provider:
        settings = {f"INTERLAYER_{name}": value for name, value in {**provider.settings(), "ORG": "default"}.items()}
        steward = {"client_id": "cli", "scope": "interlayer:steward", "organization": "default"}

        def token(user: str | None, **claims: Any) -> str:
            given: dict[str, Any] = {**steward, **claims}
            return provider.token(None, None, sub=user, **given)

        write(law=LAW.format(approvers="[legal]").replace("30", "31"))
        assert "INTERLAYER_TOKEN" in publish(guarded, fails=True, more=settings)
        proposal = publish(guarded, token=token("ann"), more=settings)["proposal"]["id"]
        refused = {
            "is for legal to decide": token("bob"),
            "the role steward": token("legal", scope="interlayer:reader"),
            "an ID token": token("legal", nonce="n", scope=None),
            "not the organization": token("legal", organization="beta"),
            "names no person": token("cli"),
            "expired": token("legal", exp=1),
        }
        for why, wrong in refused.items():
            assert why in approve(guarded, proposal, token=wrong, more=settings, fails=True).stderr
        other_settings = approve(guarded, proposal, agent="legal", fails=True).stderr
        assert "INTERLAYER_TOKEN" in other_settings, "whoever leaves the provider out of the settings gains nothing"
        provider.mood = "away"
        assert "identity provider" in approve(guarded, proposal, token=token("legal"), more=settings, fails=True).stderr
        provider.mood = "well"
        assert "revision 3" in approve(guarded, proposal, token=token("legal"), more=settings).stdout
