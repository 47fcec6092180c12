"""The command line as a person uses it: one line when something is wrong, never a stack trace."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import interlayer
from interlayer_policies.governance import starter_files
from processes import command, environment

POLICY = """---
id: greeting
title: Greeting
description: How to greet.
owner: brand@company.example
rules:
  - {id: R1, level: must, text: Greet people by their first name.}
---
# Greeting
## Why
People answer sooner when they are greeted by name.
"""


def started(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a program of its own."""
    return subprocess.run(
        command(*arguments),
        env=environment(home, **settings),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_demo_keeps_every_promise(home: Path) -> None:
    done = started(home, "demo", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["broken"] == []
    assert sum("promise" in step for step in report["steps"]) == 5


def test_doctor_finds_nothing_wrong_in_a_new_home(home: Path) -> None:
    done = started(home, "doctor", "--json")
    assert done.returncode == 0
    findings = {one["name"]: one["ok"] for one in json.loads(done.stdout)}
    stores = {"item store", "stored schema", "published policies", "vector index"}
    assert set(findings) == {"program", "home", "schema", "policies", *stores, "clock", "embedder", "model"}
    assert all(findings.values())


def test_doctor_names_a_damaged_store_and_the_remedy(home: Path) -> None:
    home.mkdir()
    (home / "interlayer.db").write_bytes(b"no database" * 100)
    done = started(home, "doctor")
    assert done.returncode == 1
    assert "FAULT  item store" in done.stdout
    assert "restore a backup" in done.stdout


def test_a_schema_that_does_not_hold_is_refused_with_its_place(home: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("entities:\n  deal:\n    properties:\n      stage: {type: colour}\n", encoding="utf-8")
    done = interlayer(home, "doctor", SCHEMA=str(schema))
    assert done.returncode == 1
    assert "entities.deal.properties.stage.type" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "--http", "0.0.0.0:8000"], "authentication"),
        (["serve", "--http", "nowhere"], "127.0.0.1:8000"),
        (["policy", "publish", "missing", "--reason", "x"], "missing"),
        (["policy", "show", "discount"], "discounts"),
        (["memory", "show", "planet:mars"], "company"),
        (["--org", "a#b", "doctor"], "INTERLAYER_ORG"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(home: Path, arguments: list[str], words: str) -> None:
    program = started if arguments[0] == "serve" else interlayer
    done = program(home, *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_published_set_replaces_the_starter_set_and_a_broken_one_changes_nothing(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "greeting.md").write_text(POLICY, encoding="utf-8")
    done = interlayer(home, "policy", "publish", str(folder), "--reason", "first own set")
    assert done.returncode == 0, done.stderr
    assert "1 added" in done.stdout
    assert f"{len(starter_files())} removed" in done.stdout
    (folder / "broken.md").write_text(POLICY.replace("id: R1,", "id: R1, colour: red,"), encoding="utf-8")
    done = interlayer(home, "policy", "publish", str(folder), "--reason", "mistake")
    assert done.returncode == 1
    assert "broken.md" in done.stderr
    shown = interlayer(home, "policy", "show")
    assert "revision 2" in shown.stdout
    assert "greeting" in shown.stdout
    assert "First" not in interlayer(home, "policy", "show", "greeting", "--version", "1").stderr


def test_what_a_server_stored_is_shown_as_a_dossier(home: Path) -> None:
    hello = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {
                "name": "memorize",
                "arguments": {"entity": "deal:D-7", "content": "Stage: negotiation\nAcme asked for a pilot."},
            },
        },
    ]
    process = subprocess.Popen(
        command("serve"), env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for message in hello:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        if "id" in message:
            process.stdout.readline()
    process.communicate(timeout=10)
    shown = interlayer(home, "memory", "show", "deal:D-7", "--history")
    assert shown.returncode == 0
    assert "negotiation" in shown.stdout
    assert "Acme asked for a pilot." in shown.stdout
    told = json.loads(interlayer(home, "memory", "show", "deal:D-7", "--json").stdout)
    assert told["properties"][0]["value"] == "negotiation"
    fact_id = told["facts"][0]["fact_id"]
    asked = json.loads(
        interlayer(home, "memory", "show", "deal:D-7", "--query", "pilot", "--limit", "1", "--json").stdout
    )
    assert [fact["text"] for fact in asked["facts"]] == ["Acme asked for a pilot."]
    before = json.loads(interlayer(home, "memory", "show", "deal:D-7", "--as-of", "2020-01-01", "--json").stdout)
    assert before["facts"] == before["properties"] == []
    assert interlayer(home, "memory", "show", "deal:D-7", "--as-of", "then").returncode == 2
    traced = interlayer(home, "memory", "why", fact_id)
    assert "local" in traced.stdout
    assert "pilot" in traced.stdout
    value = json.loads(interlayer(home, "memory", "why", "deal:D-7", "stage", "--json").stdout)
    assert value["voices"][0]["quote"] in "Stage: negotiation"
    assert interlayer(home, "memory", "why", "f_nothing_0").returncode == 1
    assert interlayer(home, "memory", "show", "deal:D-8").returncode == 1
    then = interlayer(home, "memory", "show", "deal:D-7", "--known-at", "2020-01-01", "--json")
    assert json.loads(then.stdout)["facts"] == []
    assert interlayer(home, "memory", "reconsider", "--dry-run").stdout == "0 of 1 entities would change\n"
    again = interlayer(home, "memory", "reconsider", "deal:D-7", "--json")
    assert (again.returncode, again.stdout) == (0, "")
    assert interlayer(home, "memory", "reconsider", "deal:D-8").returncode == 1
    rebuilt = interlayer(home, "reconcile", "--rebuild")
    assert "2 facts" in rebuilt.stdout


def test_what_was_turned_down_is_reviewed_from_the_command_line(home: Path) -> None:
    program = (
        "import anyio, sys; from pathlib import Path\n"
        "from interlayer.app.composition import opened; from interlayer.app.settings import load\n"
        "from interlayer.memory.requests import FactCandidate, MemorizeRequest, PropertyCandidate\n"
        "async def run():\n"
        "    settings = load({})\n"
        "    async with opened(settings) as parts:\n"
        "        facts = [FactCandidate('Acme sells pumps.', 0.9), FactCandidate('...', 0.9)]\n"
        "        values = [PropertyCandidate('employees', 'many', 0.9)]\n"
        "        call = MemorizeRequest(entity='company:acme.example', facts=facts, properties=values)\n"
        "        await parts.memory.memorizer.memorize(settings.principal, call)\n"
        "anyio.run(run)\n"
    )
    subprocess.run([sys.executable, "-c", program], env=environment(home), cwd=home.parent, check=True, timeout=60)
    table = interlayer(home, "memory", "rejected")
    assert table.returncode == 0, table.stderr
    assert "2 rejected" in table.stdout
    found = {
        one["reason"][:4]: one["id"] for one in json.loads(interlayer(home, "memory", "rejected", "--json").stdout)
    }
    counts = json.loads(interlayer(home, "memory", "rejected", "--summary", "--json").stdout)
    assert [sorted(one.items()) for one in counts.values()] == [[("empty", 1), ("type", 1)]]
    assert "empty" in interlayer(home, "memory", "rejected", "--summary").stdout
    refused = interlayer(home, "memory", "admit", found["type"])
    assert refused.returncode == 1
    assert "dismiss" in refused.stderr
    admitted = interlayer(home, "memory", "admit", found["empt"], "--reason", "it is their motto")
    assert admitted.returncode == 0, admitted.stderr
    assert "added: ..." in admitted.stdout
    assert interlayer(home, "memory", "dismiss", found["type"]).returncode == 0
    assert "0 rejected" in interlayer(home, "memory", "rejected", "--entity", "company:acme.example").stdout
    assert interlayer(home, "memory", "dismiss", found["type"]).returncode == 1


def test_install_prints_or_merges_the_configuration(home: Path) -> None:
    printed = interlayer(home, "install", "cursor")
    entry = json.loads(printed.stdout)["mcpServers"]["interlayer"]
    assert entry["args"] == ["serve"]
    assert entry["env"]["INTERLAYER_HOME"] == str(home)
    assert interlayer(home, "install", "cursor", "--write").returncode == 0
    written = json.loads((home.parent / ".cursor" / "mcp.json").read_text(encoding="utf-8"))
    assert written["mcpServers"]["interlayer"] == entry


def test_install_leaves_a_secret_where_it_is_and_makes_paths_whole(home: Path) -> None:
    settings = {"MODEL_API_KEY": "sk-canary", "POLICIES": "rules", "CONFIG": "mine.toml"}
    printed = interlayer(home, "install", "claude-desktop", **settings)
    entry = json.loads(printed.stdout)["mcpServers"]["interlayer"]
    assert entry["env"]["INTERLAYER_POLICIES"] == str(home.parent / "rules")
    assert entry["env"]["INTERLAYER_CONFIG"] == str(home.parent / "mine.toml")
    assert "sk-canary" not in printed.stdout + printed.stderr
    assert f"write model_api_key into {home / 'interlayer.toml'}" in printed.stderr


def test_an_organization_goes_through_a_pipe_into_another_home(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    assert interlayer(home, "export", str(file)).returncode == 0
    with file.open("rb") as content:
        done = subprocess.run(
            command("import", "-"),
            env=environment(tmp_path / "second"),
            stdin=content,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "items are now in default" in done.stderr
    assert interlayer(home, "import", str(home / "nothing")).returncode != 0


def test_a_collection_file_becomes_a_schema_that_serves(home: Path, tmp_path: Path) -> None:
    collection = {"entityType": "ship", "properties": [{"systemName": "deck", "type": "options", "options": "A, B"}]}
    (tmp_path / "collections.json").write_text(json.dumps([collection]), encoding="utf-8")
    made = tmp_path / "schema.yaml"
    assert (
        interlayer(home, "schema", "import", str(tmp_path / "collections.json"), "--output", str(made)).returncode == 0
    )
    assert interlayer(home, "doctor", SCHEMA=str(made)).returncode == 0
    (tmp_path / "collections.json").write_text("[{]", encoding="utf-8")
    wrong = interlayer(home, "schema", "import", str(tmp_path / "collections.json"))
    assert wrong.returncode == 1
    assert "no JSON" in wrong.stderr
