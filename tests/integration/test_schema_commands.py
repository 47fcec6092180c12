"""`interlayer schema` as an operator uses it, on a home that a server has written to."""

import json
import subprocess
from pathlib import Path

import pytest

from command_line import interlayer
from processes import environment, forked

BEFORE = """version: 1
entities:
  deal:
    description: A sale.
    identifiers: [deal_id]
    properties:
      stage:
        type: enum
        values: {open: [], won: [], lost: []}
        indexed: true
        find: ['stage: {value}']
      days: {type: integer, unit: days, description: How long it took.}
identifiers:
  deal_id: {pattern: 'D-[0-9]+'}
"""
RENAMED = BEFORE.replace("      stage:\n", "      phase:\n        was: [stage]\n")
FEWER = BEFORE.replace(", lost: []", "")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    places: dict[str, str] = {}
    for name, text in {"before": BEFORE, "renamed": RENAMED, "fewer": FEWER}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        places[name] = str(tmp_path / f"{name}.yaml")
    return places


@pytest.fixture
def lived_in(home: Path, files: dict[str, str]) -> Path:
    """Return a home in which two deals are remembered under BEFORE."""
    calls = [
        {"name": "memorize", "arguments": {"entity": f"deal:{key}", "content": f"Stage: {stage}"}}
        for key, stage in (("D-1", "open"), ("D-2", "lost"))
    ]
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    process = subprocess.Popen(
        forked("serve"),
        env=environment(home, SCHEMA=files["before"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number, (method, params) in enumerate([("initialize", hello), *(("tools/call", call) for call in calls)]):
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        assert "error" not in json.loads(process.stdout.readline())
        if not number:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    process.communicate(timeout=10)
    return home


def test_show_prints_tables_or_json(home: Path, files: dict[str, str]) -> None:
    shown = interlayer(home, "schema", "show", SCHEMA=files["before"])
    assert "integer (days)" in shown.stdout
    assert "open, won, lost" in shown.stdout
    told = json.loads(interlayer(home, "schema", "show", "--json", SCHEMA=files["before"]).stdout)
    assert told["entities"]["deal"]["properties"]["days"]["unit"] == "days"
    assert not home.exists()


def test_check_prints_each_mistake_with_its_line(home: Path, tmp_path: Path, files: dict[str, str]) -> None:
    assert interlayer(home, "schema", "check", files["before"]).returncode == 0
    broken = tmp_path / "broken.yaml"
    broken.write_text(BEFORE.replace("type: integer", "typ: integer").replace("indexed: true", "indexed: 3"), "utf-8")
    done = interlayer(home, "schema", "check", str(broken))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{broken}:10: entities.deal.properties.stage.indexed: takes true or false",
        f"{broken}:12: entities.deal.properties.days.type: is missing; add it",
        f"{broken}:12: entities.deal.properties.days.typ: unknown key; did you mean type?",
    ]
    done = interlayer(home, "doctor", SCHEMA=str(broken))
    assert f"{broken}:10: entities.deal.properties.stage.indexed" in done.stdout


def test_a_start_refuses_and_apply_opens_the_way(lived_in: Path, files: dict[str, str]) -> None:
    refused = interlayer(lived_in, "memory", "show", "deal:D-1", SCHEMA=files["renamed"])
    assert refused.returncode == 1
    assert f"interlayer schema plan {files['renamed']}" in refused.stderr
    fault = interlayer(lived_in, "doctor", SCHEMA=files["renamed"])
    assert "FAULT  stored schema" in fault.stdout
    planned = interlayer(lived_in, "schema", "plan", SCHEMA=files["renamed"])  # without FILE: the configured schema
    assert "2 of 2 stored values are shown under the name deal.phase" in planned.stdout
    assert "2 of 2 entities looked at would be rewritten" in planned.stdout
    applied = interlayer(lived_in, "schema", "apply", files["renamed"], SCHEMA=files["before"])
    assert applied.returncode == 0, applied.stderr
    assert f"Set INTERLAYER_SCHEMA to {files['renamed']}" in applied.stderr
    shown = json.loads(interlayer(lived_in, "memory", "show", "deal:D-1", "--json", SCHEMA=files["renamed"]).stdout)
    assert [(one["name"], one["value"]) for one in shown["properties"]] == [("phase", "open")]
    assert interlayer(lived_in, "doctor", SCHEMA=files["renamed"]).returncode == 0
    again = interlayer(lived_in, "schema", "apply", files["renamed"], SCHEMA=files["renamed"])
    assert "Nothing changes" in again.stdout


def test_breaking_changes_are_applied_only_when_allowed(lived_in: Path, files: dict[str, str]) -> None:
    told = json.loads(interlayer(lived_in, "schema", "plan", files["fewer"], "--json", SCHEMA=files["before"]).stdout)
    assert told["breaking"] == 1
    (change,) = told["changes"]
    assert (change["place"], change["kind"], change["stored"], change["affected"]) == ("deal.stage", "breaking", 2, 1)
    assert change["effect"].startswith("1 of 2 stored values of deal.stage are not among the new values")
    assert len(change["examples"]) == 1
    refused = interlayer(lived_in, "schema", "apply", files["fewer"], SCHEMA=files["before"])
    assert refused.returncode == 1
    assert "--allow-breaking" in refused.stderr
    assert interlayer(lived_in, "memory", "show", "deal:D-2", SCHEMA=files["before"]).returncode == 0
    done = interlayer(lived_in, "schema", "apply", files["fewer"], "--allow-breaking", "--json", SCHEMA=files["before"])
    assert json.loads(done.stdout)["index_items"] == {"written": 0, "removed": 1}
    shown = interlayer(lived_in, "memory", "show", "deal:D-2", "--history", "--json", SCHEMA=files["fewer"])
    assert json.loads(shown.stdout)["properties"] == []
    assert [one["value"] for one in json.loads(shown.stdout)["history"]] == ["lost"]
