"""`interlayer policy` and `install` as a steward types them: what is printed, written and refused."""

import json
import os
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from interlayer.main import cli
from processes import environment, forked

TONE = """---
id: tone
title: Tone of messages
description: How messages to customers sound, which words stay out of them, and why.
rules: [Be kind to everybody.]
---
## Greeting
Greet people by the name that they use themselves.
"""
CLAIMS = """---
id: claims
title: Legal claims
description: What may be promised about law, warranties and certificates, and who signs it off.
approvers: [legal]
scope: {channels: [email]}
rules: [Never promise a certificate.]
---
"""
Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, in a folder of its own, on a home of its own."""
    monkeypatch.chdir(tmp_path)
    inherited = {name: None for name in os.environ if name.startswith("INTERLAYER_")}

    def invoke(*arguments: str, agent: str = "ann", fails: bool = False) -> Result:
        settings = {**inherited, "INTERLAYER_HOME": str(home), "INTERLAYER_AGENT": agent, "COLUMNS": "200"}
        done = CliRunner().invoke(cli, arguments, env=settings)
        assert (done.exit_code != 0) is fails, done.output
        assert "Traceback" not in done.output
        return done

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "tone.md").write_text(TONE, encoding="utf-8")
    return folder


def told(done: Result) -> Any:
    return json.loads(done.stdout)


def publish(run: Run, *options: str, **as_whom: Any) -> Result:
    return run("policy", "publish", "policies", "--reason", "because", *options, **as_whom)


def approve(run: Run, proposal: str, agent: str = "legal", **options: Any) -> Result:
    return run("policy", "approve", proposal, "--reason", "yes", agent=agent, **options)


def test_a_warning_is_printed_and_does_not_stop_a_publish(run: Run, folder: Path) -> None:
    (folder / "vague.md").write_text("---\ntitle: Policy 7\ndescription: Rules\n---\nDo as asked.\n", encoding="utf-8")
    linted = run("policy", "lint", "policies")
    assert "vague.md:2: title: 'Policy 7' does not say what it is about; name its subject (warning)" in linted.stdout
    assert "files: 2, errors: 0" in linted.stdout
    assert "warnings; `interlayer policy lint`" in publish(run).stdout


def test_a_failing_test_is_told_and_stops_a_publish(run: Run, folder: Path) -> None:
    wrong = TONE.replace("rules:", "tests: [{task: Greet people by name, expect_rules: [R2]}]\nrules:")
    (folder / "tone.md").write_text(wrong, encoding="utf-8")
    tested = run("policy", "test", "policies", fails=True)
    assert "FAIL tone.md:5: 'Greet people by name' gets rule tone#R2" in tested.stdout
    [case] = told(run("policy", "test", "policies", "--json", fails=True))
    assert (case["file"], case["line"]) == ("tone.md", 5)
    assert "tone.md:5" in publish(run, fails=True).stderr
    assert told(run("policy", "history", "--json"))[0]["revision"] == 1


def test_a_published_change_can_be_compared_followed_and_taken_back(run: Run, folder: Path) -> None:
    publish(run)
    (folder / "tone.md").write_text(TONE.replace("Be kind", "Be very kind"), encoding="utf-8")
    compared = told(run("policy", "diff", "policies", "--json"))
    [policy] = compared["policies"]
    assert (policy["id"], policy["outcome"], policy["scopes"]) == ("tone", "changed", ["every call"])
    assert ["added", " very"] in policy["lines"][0]["words"]
    assert compared["rule_tokens_after"] > compared["rule_tokens_before"]
    done = told(publish(run, "--author", "Bea", "--json"))
    assert (done["revision"], done["changed"]) == (3, ["tone"])
    assert "Nothing changes" in run("policy", "diff", "policies").stdout
    assert "(nothing changed)" in publish(run).stdout
    newest, oldest = told(run("policy", "history", "tone", "--json"))
    assert (newest["version"], newest["author"], oldest["version"]) == (2, "Bea", 1)
    assert "Be kind" in run("policy", "show", "tone", "--version", "1").stdout
    run("policy", "rollback", "2", "--reason", "too much")
    assert "Be kind" in run("policy", "show", "tone").stdout
    assert "history" in run("policy", "rollback", "9", "--reason", "none", fails=True).stderr
    assert "tone" in run("policy", "show", "tone", "--version", "7", fails=True).stderr


def test_an_explanation_names_facets_verdicts_and_scores(run: Run, folder: Path) -> None:
    (folder / "claims.md").write_text(CLAIMS, encoding="utf-8")
    approve(run, told(publish(run, "--json"))["proposal"]["id"])
    asked = ("policy", "explain", "Greet the customer by name", "--channel", "chat", "--agent", "bot")
    found = told(run(*asked, "--json"))
    assert {rule["ref"]: rule["verdict"] for rule in found["rules"]} == {
        "claims#R1": "out_of_scope",
        "tone#R1": "delivered",
    }
    [section] = found["sections"]
    assert section["score"] == found["answer"]["sections"][0]["score"]
    assert 0 < found["answer"]["budget"]["rules"] < found["answer"]["budget"]["used"] < 2_000
    assert "channel is chat, it is for email" in run(*asked).stdout


def test_a_proposal_is_approved_or_rejected_by_whom_it_is_for(run: Run, folder: Path) -> None:
    (folder / "claims.md").write_text(CLAIMS, encoding="utf-8")
    first = told(publish(run, "--json"))["proposal"]["id"]
    assert "never for its author" in run("policy", "approve", first, "--reason", "me", fails=True).stderr
    assert "nothing was published" in run("policy", "reject", first, "--reason", "no", agent="legal").stdout
    assert "No proposals wait" in run("policy", "proposals").stdout
    second = told(publish(run, "--json"))["proposal"]["id"]
    assert "revision 2" in approve(run, second).stdout
    states = {one["id"]: one["state"] for one in told(run("policy", "proposals", "--all", "--json"))}
    assert states == {first: "rejected", second: "published"}
    (folder / "claims.md").write_text(CLAIMS.replace("promise", "invent"), encoding="utf-8")
    assert "--only claims" in publish(run, "--break-glass", fails=True).stderr
    assert "published without approval" in publish(run, "--break-glass", "--only", "claims").stdout
    [open_one] = told(run("policy", "proposals", "--json"))
    assert open_one["state"] == "break_glass"
    rejected = run("policy", "reject", open_one["id"], "--reason", "undo it", agent="legal")
    assert "`interlayer policy rollback 2 --reason TEXT`" in rejected.stdout
    assert told(run("policy", "history", "--json"))[0]["break_glass"] is True


def test_a_waiver_is_granted_listed_and_ended(run: Run, folder: Path) -> None:
    (folder / "claims.md").write_text(CLAIMS, encoding="utf-8")
    approve(run, told(publish(run, "--json"))["proposal"]["id"])
    grant = ("policy", "waive", "tone#R1", "--until", "2999-01-01", "--reason", "fair", "--channels", "chat")
    assert "within a year" in run(*grant, fails=True).stderr
    assert run("policy", "waive", "tone#R1", "--until", "soon", "--reason", "fair", fails=True).exit_code == 2
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    grant = tuple(until if one == "2999-01-01" else one for one in grant)
    run(*grant)
    assert "legal" in run(*("claims#R1" if one == "tone#R1" else one for one in grant), fails=True).stderr
    [waiver] = told(run("policy", "waivers", "--json"))
    assert (waiver["rule"], waiver["approver"], waiver["holds"]) == ("tone#R1", "ann", True)
    explained = told(run("policy", "explain", "Say hello", "--channel", "chat", "--json"))
    assert [one["verdict"] for one in explained["rules"] if one["ref"] == "tone#R1"] == ["waived"]
    assert "in force again" in run("policy", "end-waiver", waiver["id"], "--reason", "over").stdout
    assert "No rule is waived" in run("policy", "waivers").stdout
    assert "waivers" in run("policy", "end-waiver", waiver["id"], "--reason", "over", fails=True).stderr


def test_of_publishes_at_once_each_loser_is_told_what_changed(run: Run, folder: Path, home: Path) -> None:
    publish(run)
    started: list[subprocess.Popen[str]] = []
    for number in range(2):
        own = folder.parent / f"own-{number}"
        own.mkdir()
        (own / "tone.md").write_text(TONE.replace("kind", f"kind {number}"), encoding="utf-8")
        arguments = forked("policy", "publish", str(own), "--reason", f"by {number}")
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(arguments, env=environment(home), stdout=pipe, stderr=pipe, text=True))
    ended = [(*process.communicate(timeout=60), process.returncode) for process in started]
    won = [out for out, _, code in ended if code == 0]
    lost = [error for _, error, code in ended if code != 0]
    assert won
    assert all("was published by someone else meanwhile and changed tone" in error for error in lost), lost
    assert told(run("policy", "history", "--json"))[0]["revision"] == 2 + len(won)


def test_rule_files_of_a_repository_become_policies_that_can_be_published(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "api").mkdir(parents=True)
    (root / "AGENTS.md").write_text("# Working here\nBe quick.\n## Commits\n- Never commit keys.\n", encoding="utf-8")
    (root / "api" / "CLAUDE.md").write_text("# Interface\n- Paths must be versioned.\n", encoding="utf-8")
    printed = run("policy", "import", str(root)).stdout
    assert "AGENTS.md -> policies/agents.md: 1 rules, 1 sections; for every call" in printed
    assert "  R1 must_not (line 4): Commits: Never commit keys." in printed
    assert "api/CLAUDE.md -> policies/api-claude.md: 1 rules, 0 sections; for tasks tagged api, api/*" in printed
    again = run("policy", "import", str(root), fails=True)
    assert "policies holds agents.md, api-claude.md already" in again.stderr
    rows = told(run("policy", "import", str(root), "--force", "--json"))
    assert [(row["source"], row["policy"], row["tags"]) for row in rows] == [
        ("AGENTS.md", "policies/agents.md", []),
        ("api/CLAUDE.md", "policies/api-claude.md", ["api", "api/*"]),
    ]
    assert "errors: 0" in run("policy", "lint", "policies").stdout
    assert "2 added" in publish(run).stdout
    for tag, rules in (("api/users.py", {"agents#R1", "api-claude#R1"}), ("web/page.ts", {"agents#R1"})):
        found = told(run("policy", "explain", "Add a path", "--tag", tag, "--json"))
        assert {rule["ref"] for rule in found["rules"] if rule["verdict"] == "delivered"} == rules


def test_install_writes_instructions_beside_the_configuration_and_takes_them_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Mine.\n", encoding="utf-8")
    run("install", "claude-code", "--write", "--instructions")
    assert "interlayer" in json.loads((tmp_path / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]
    assert "check_compliance" in (tmp_path / "CLAUDE.md").read_text(encoding="utf-8")
    assert (tmp_path / ".claude" / "skills" / "interlayer" / "SKILL.md").exists()
    assert "nothing to change" in run("install", "claude-code", "--write", "--instructions").stdout
    assert "took out of" in run("install", "claude-code", "--instructions", "--remove").stdout
    assert (tmp_path / "CLAUDE.md").read_text(encoding="utf-8") == "Mine.\n"
    assert "check_compliance" in run("install", "agents-md").stdout
    assert not (tmp_path / "AGENTS.md").exists()
    assert "check_compliance" in run("install", "claude-desktop", "--instructions").stdout
    assert "--instructions" in run("install", "cursor", "--remove", fails=True).stderr


def test_a_damaged_set_is_named_with_its_remedy_until_it_is_mended(
    run: Run, home: Path, folder: Path, serving: Any
) -> None:
    run("policy", "publish", str(folder), "--reason", "first")
    with serving(home) as address:
        assert degraded(address) == []
    with sqlite3.connect(home / "interlayer.db") as file:
        where = "partition LIKE '%#policy#tone'"
        [row] = file.execute(f"SELECT body FROM items WHERE {where}").fetchall()  # noqa: S608
        body = json.loads(row[0]) | {"text": "Anything goes."}
        file.execute(f"UPDATE items SET body = ? WHERE {where}", [json.dumps(body)])  # noqa: S608
    file.close()
    done = run("doctor", fails=True)
    assert "FAULT  published policies" in done.output
    assert "tone v1" in done.output
    assert "--break-glass" in done.output
    with serving(home, 503) as address:  # nothing to go by: it has not read the set while it was whole
        assert any(said.startswith("policies: ") and "--break-glass" in said for said in problems(address))
        wait_until(lambda: any("tone v1" in said for said in degraded(address)))
        run("policy", "publish", str(folder), "--reason", "mended", "--break-glass")
        wait_until(lambda: problems(address) == degraded(address) == [])
    assert "FAULT" not in run("doctor").output


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def readiness(address: str) -> dict[str, list[str]]:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
            body: dict[str, list[str]] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = json.load(error)
    return body


def problems(address: str) -> list[str]:
    return readiness(address)["problems"]


def degraded(address: str) -> list[str]:
    return readiness(address)["degraded"]
