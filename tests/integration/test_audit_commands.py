"""`interlayer audit` as an auditor uses it, and the recipe of docs/auditing.md, which knows nothing of our code."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from command_line import interlayer
from interlayer.answers import as_json
from interlayer.app.composition import build
from interlayer.app.settings import load
from interlayer.ids import system_clock
from interlayer.memory.requests import FactCandidate, MemorizeRequest
from interlayer.principal import Principal
from interlayer_policies.governance import Facets
from processes import environment, forked

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs" / "auditing.md"
WRITER = Principal("default", "outbound-1")


async def deliver(home: Path, count: int, **ago: float) -> list[str]:
    """Deliver so many contexts, so long ago; return the ids of the receipts."""
    parts = build(load({"HOME": str(home)}, {}), lambda: system_clock() - timedelta(**ago))
    try:
        await parts.prepare()
        ask = parts.domains.governance.context
        made = [await ask(WRITER, f"Offer a discount, Zoë №{one}", Facets(channel="email")) for one in range(count)]
    finally:
        await parts.close()
    return [str(one.receipt_id) for one in made]


def forge(home: Path, sql: str, *parameters: Any) -> None:
    connection = sqlite3.connect(home / "interlayer.db")
    with connection:
        assert connection.execute(sql, parameters).rowcount > 0
    connection.close()


async def test_a_trail_is_sealed_anchored_verified_and_found_forged(home: Path, tmp_path: Path) -> None:
    made = await deliver(home, 3, hours=3)
    assert json.loads(interlayer(home, "audit", "verify", "--json").stdout)["unsealed"] == 3
    assert "3 receipts sealed in 1 segments" in interlayer(home, "audit", "seal").stdout
    anchor = str(tmp_path / "anchor")
    line = interlayer(home, "audit", "checkpoint", "--anchor", anchor)
    assert json.loads(line.stdout)["number"] == 2
    assert (tmp_path / "anchor").read_text(encoding="utf-8") == line.stdout
    done = interlayer(home, "audit", "verify", "--anchor", anchor)
    assert done.returncode == 0, done.stdout
    assert "2 events, 1 segments, 3 sealed receipts as written" in done.stdout
    assert "1 checkpoints compared" in done.stdout
    forge(home, "DELETE FROM items WHERE sort = ?", made[1])
    forge(home, "UPDATE items SET body = replace(body, 'local', 'nobody') WHERE sort = '000000000001'")
    done = interlayer(home, "audit", "verify", "--anchor", anchor)
    assert done.returncode == 1
    assert f"FAULT  receipt {made[1]}: missing" in done.stdout
    assert "FAULT  event 1: changed" in done.stdout
    report = json.loads(interlayer(home, "audit", "verify", "--json").stdout)
    assert not report["ok"]
    assert {(fault["what"], fault["name"]) for fault in report["faults"]} == {("receipt", made[1]), ("event", "1")}
    forge(home, "DELETE FROM items WHERE partition = 'default#chain' AND sort > '000000000001'")
    assert "event 2: missing" in interlayer(home, "audit", "verify", "--anchor", anchor).stdout
    assert "does not go on" in interlayer(home, "audit", "checkpoint", "--anchor", anchor).stderr


async def test_the_documented_recipe_verifies_an_export_without_our_code(home: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "verify.py"
    (text,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    recipe.write_text(text, encoding="utf-8")
    made = await deliver(home, 5, hours=3)
    made += await deliver(home, 2, minutes=1)
    interlayer(home, "audit", "seal")
    await deliver(home, 1)
    anchor, file = tmp_path / "anchor", tmp_path / "trail.jsonl"
    interlayer(home, "audit", "checkpoint", "--anchor", str(anchor))
    assert "records of default written" in interlayer(home, "audit", "export", str(file)).stderr
    assert file.stat().st_mode & 0o777 == 0o600

    def verify(content: str) -> "subprocess.CompletedProcess[str]":
        changed = tmp_path / "changed.jsonl"
        changed.write_text(content, encoding="utf-8")
        arguments = [sys.executable, "-I", str(recipe), str(changed), str(anchor)]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)

    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    good = verify("".join(lines))
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.split("\n")[-2] == "3 events, 7 receipts, 0 expired, 1 not sealed"
    places = {next(iter(json.loads(line))): number for number, line in enumerate(lines)}
    forged: dict[str, Callable[[str], str]] = {
        f"receipt {made[1]}: changed": lambda line: line.replace("discounts#R1@1", "discounts#R1@2"),
        f"receipt {made[0]}: missing": lambda line: "" if f'"id":"{made[0]}"' in line else line,
        "event 1: changed": lambda line: line.replace("policy.published", "policy.changed"),
        "event 3: missing": lambda line: "" if '"number":3' in line or '-000002","sequence' in line else line,
        "not the one that was sealed": lambda line: line.replace('"sequence":1', '"sequence":3'),
    }
    assert places["receipt"] > places["segment"] > 0
    for says, change in forged.items():
        done = verify("".join(change(line) for line in lines))
        assert done.returncode == 1
        assert says in done.stdout


async def test_the_tail_follows_what_a_running_server_seals(home: Path, connect: Any) -> None:
    await deliver(home, 2, minutes=5)
    arguments = forked("audit", "tail", "--follow", "--json")
    with subprocess.Popen(arguments, env=environment(home), stdout=subprocess.PIPE, text=True, bufsize=1) as tail:
        assert tail.stdout
        try:
            assert event(tail.stdout)["type"] == "policy.published"
            async with connect() as call:
                answer = await call("get_governance_context", task="Offer a discount")
                assert answer["receipt_id"]
                sealed = event(tail.stdout)
                assert (sealed["type"], sealed["actor"]) == ("receipts.sealed", "interlayer")
                assert sealed["detail"]["count"] == 2
        finally:
            tail.terminate()
    assert "receipts.sealed" in interlayer(home, "audit", "tail", "--limit", "1").stdout
    assert interlayer(home, "audit", "verify").returncode == 0


def event(lines: IO[str]) -> dict[str, Any]:
    return json.loads(lines.readline())


async def test_what_an_agent_had_been_told_is_printed_with_versions(home: Path) -> None:
    (receipt,) = await deliver(home, 1, hours=2)
    asked = ["audit", "receipts", "--agent", "outbound-1", "--policy", "discounts"]
    (found,) = json.loads(interlayer(home, *asked, "--json").stdout)
    assert found["id"] == receipt
    assert found["rules"]
    assert all(re.fullmatch(r"discounts#R\d+@1", rule) for rule in found["rules"])
    now, earlier = (f"{datetime.now(UTC) - timedelta(hours=ago):%Y-%m-%dT%H:%M:%SZ}" for ago in (0, 3))
    assert f"{receipt} context to outbound-1, revision 1" in interlayer(home, *asked, "--at", now).stdout
    none = interlayer(home, *asked, "--at", earlier)
    assert (none.returncode, none.stderr) == (1, "no such receipt\n")


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["audit", "verify"], {}, "INTERLAYER_ORG"),
        (["audit", "verify", "--anchor", "nowhere"], {}, "nowhere"),
        (["audit", "tail"], {"ROLES": "reader,writer"}, "auditor"),
        (["audit", "tail"], {"RECEIPT_DAYS": "179"}, "180"),
        (["audit", "tail"], {"RECEIPT_DAYS": "ten"}, "INTERLAYER_RECEIPT_DAYS"),
    ],
)
def test_a_mistake_is_one_line(home: Path, arguments: list[str], settings: dict[str, str], words: str) -> None:
    done = interlayer(home, *arguments, **settings)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("days", "given"), [(400, {}), (180, {"INTERLAYER_RECEIPT_DAYS": "180"})])
async def test_a_receipt_is_shown_until_its_days_are_over(home: Path, days: int, given: dict[str, str]) -> None:
    settings = load({"HOME": str(home)}, {"INTERLAYER_CONFIG": "/nowhere", **given})
    told: list[list[str]] = []
    for ago in (timedelta(days=days - 1), timedelta(days=days, minutes=1)):
        parts = build(settings, lambda ago=ago: system_clock() - ago)
        await parts.prepare()
        await parts.domains.governance.context(WRITER, f"A task {ago} ago", Facets())
        await parts.close()
        parts = build(settings)
        told.append([one.body["at"] for one in await parts.audit.receipts(settings.principal)])
        await parts.close()
    assert [len(one) for one in told] == [1, 1], "the older one has ended"


async def memorized(home: Path, **ago: float) -> dict[str, Any]:
    """Memorize one fact, so long ago; return the answer."""
    parts = build(load({"HOME": str(home)}, {}), lambda: system_clock() - timedelta(**ago))
    try:
        await parts.prepare()
        request = MemorizeRequest(entity="contact:zoe@acme.example", facts=[FactCandidate("Zoë sells pumps.", 0.9)])
        return as_json(await parts.memory.memorizer.memorize(WRITER, request))
    finally:
        await parts.close()


async def test_what_was_memorized_is_listed_sealed_and_verified_with_the_deliveries(home: Path) -> None:
    answer = await memorized(home, hours=3)
    (delivered,) = await deliver(home, 1, hours=2)
    (found,) = json.loads(interlayer(home, "audit", "receipts", "--kind", "memorize", "--json").stdout)
    assert (found["memory_id"], found["entity"]) == (answer["memory_id"], answer["entity"]["ref"])
    line = f"memorize by outbound-1, {answer['memory_id']} of {answer['entity']['ref']}\n  facts: 1 added\n"
    listed = interlayer(home, "audit", "receipts", "--agent", "outbound-1").stdout
    assert listed.endswith(line), "newest first"
    assert f"{delivered} context to outbound-1" in listed
    (told,) = json.loads(
        interlayer(home, "audit", "receipts", "--at", f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "--json").stdout
    )
    assert told["id"] == delivered, "what an agent had been told is no memory"
    assert "2 receipts sealed in 2 segments" in interlayer(home, "audit", "seal").stdout
    assert "2 sealed receipts as written" in interlayer(home, "audit", "verify").stdout
    forge(home, "UPDATE items SET body = replace(body, '\"added\":1', '\"added\":2') WHERE sort = ?", found["id"])
    assert f"FAULT  receipt {found['id']}: changed" in interlayer(home, "audit", "verify").stdout


async def test_an_imported_organization_verifies_under_its_new_name(home: Path, tmp_path: Path) -> None:
    await deliver(home, 2, hours=3)
    await memorized(home, hours=3)
    interlayer(home, "audit", "seal")
    file, other = str(tmp_path / "all.jsonl"), tmp_path / "other"
    assert interlayer(home, "export", file).returncode == 0
    assert interlayer(other, "--org", "copy", "import", file).returncode == 0
    done = interlayer(other, "--org", "copy", "audit", "verify")
    assert done.returncode == 0, done.stdout
    assert "2 events, 1 segments, 3 sealed receipts as written" in done.stdout
