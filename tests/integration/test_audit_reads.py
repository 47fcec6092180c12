"""Who has seen what of somebody, as an auditor asks it on the command line, and the trail for other tools."""

import json
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from mcp import Client

from command_line import interlayer
from interlayer.app.composition import build
from interlayer.app.settings import load
from interlayer.ids import system_clock
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.principal import Principal
from processes import environment, forked
from serving import Caller, server_process

pytestmark = pytest.mark.anyio

ZOE = "contact:zoe.quill@acme.example"
QUERY = "What does Zoë keep in Oslo?"


async def read(home: Path, who: Principal, query: str = QUERY, **ago: float) -> str:
    """Let somebody recall Zoë so long ago; return her `type:id`."""
    parts = build(load({"HOME": str(home)}, {}), lambda: system_clock() - timedelta(**ago))
    try:
        await parts.prepare()
        request = MemorizeRequest(entity=ZOE, facts=[FactCandidate("Zoë keeps a submarine in Oslo.", 0.9)])
        await parts.memory.memorizer.memorize(Principal("default", "crm-sync"), request)
        answer = await parts.memory.recall(who, RecallRequest(entity=ZOE, query=query))
        assert answer.entity
        return answer.entity.ref
    finally:
        await parts.close()


async def test_reads_over_the_protocol_are_on_record(home: Path, connect: Any) -> None:
    async with connect(USER="mia", AGENT="support-2") as call:
        told = await call("memorize", entity=ZOE, facts=[{"text": "Zoë keeps a submarine."}])
        await call("recall_entity", entity=ZOE, query=QUERY)
        await call("search_memory", query="submarine")
        await call("list_entities", entity_type="contact")
        await call.client.read_resource(f"entity://{told['entity']['ref'].replace(':', '/')}")
    found = json.loads(interlayer(home, "audit", "reads", ZOE, "--json").stdout)
    assert [one["kind"] for one in found] == ["resource", "list", "search", "recall"]
    assert {(one["agent"], one["user"]) for one in found} == {("support-2", "mia")}
    assert "submarine" not in json.dumps(found)
    assert interlayer(home, "audit", "verify").returncode == 0


async def test_a_read_that_was_answered_is_on_record_though_the_process_is_killed(home: Path) -> None:
    with server_process(home, start=forked) as (address, process):
        async with Client(f"{address}/mcp") as client:
            call = Caller(client)
            await call("memorize", entity=ZOE, facts=[{"text": "Zoë keeps a submarine."}])
            for number in range(20):
                await call("recall_entity", entity=ZOE, query=f"question {number}")
            process.kill()
            process.wait()
    found = json.loads(interlayer(home, "audit", "reads", ZOE, "--limit", "100", "--json").stdout)
    assert len(found) == 20


async def test_who_knew_what_by_when_and_for_whom(home: Path) -> None:
    ref = await read(home, Principal("default", "support-2", user="mia"), days=3)
    await read(home, Principal("default", "sales-1"), hours=1)
    listed = interlayer(home, "audit", "reads", ZOE).stdout.splitlines()
    assert [line.split(" recall by ")[1] for line in listed[::2]] == ["sales-1", "support-2 for mia"]
    assert f"  {ref}: revision 2, 1 facts" in listed
    then = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    told = json.loads(interlayer(home, "audit", "who-knew", ZOE, "--at", then, "--json").stdout)
    assert [(one["agent"], one["user"], one["reads"]) for one in told["knowers"]] == [
        ("crm-sync", "", 0),
        ("support-2", "mia", 1),
    ]
    assert told["knowers"][1]["revisions"] == [1]
    said = interlayer(home, "audit", "who-knew", ref).stdout
    assert "sales-1: 1 reads" in said
    assert f"  facts: {told['knowers'][1]['facts'][0]}" in said
    nobody = interlayer(home, "audit", "who-knew", "contact:nobody@acme.example")
    assert (nobody.returncode, nobody.stdout) == (1, "nobody, as far as receipts are kept\n")


async def test_words_are_shown_to_be_those_of_a_receipt(home: Path, tmp_path: Path) -> None:
    await read(home, Principal("default", "support-2"), hours=3)
    (one,) = json.loads(interlayer(home, "audit", "receipts", "--kind", "recall", "--json").stdout)
    file = tmp_path / "query.txt"
    file.write_text(f"{QUERY}\n", encoding="utf-8")
    done = interlayer(home, "audit", "prove", one["id"], "--text", str(file))
    assert done.returncode == 0, done.stdout
    assert "not sealed yet: these are its words (query_hmac)" in done.stdout
    interlayer(home, "audit", "seal")
    assert "sealed in segment" in interlayer(home, "audit", "prove", one["id"], "--text", str(file)).stdout
    file.write_text("something else", encoding="utf-8")
    done = interlayer(home, "audit", "prove", one["id"], "--text", str(file), "--json")
    assert (done.returncode, json.loads(done.stdout)["field"]) == (1, "")


async def test_who_is_forgotten_is_found_by_id_and_named_nowhere(home: Path) -> None:
    ref = await read(home, Principal("default", "support-2"), hours=3)
    parts = build(load({"HOME": str(home)}, {}))
    await parts.memory.forgetter.forget(Principal("default", "privacy"), "asked for", entity=ZOE)
    await parts.close()
    assert "recall by support-2" in interlayer(home, "audit", "reads", ref).stdout
    assert interlayer(home, "audit", "reads", ZOE).returncode == 1
    with sqlite3.connect(home / "interlayer.db") as store:
        bodies = [body for (body,) in store.execute("SELECT body FROM items WHERE tbl = 'audit'")]
    store.close()
    assert not [body for body in bodies if b"quill" in body.lower() or "Zoë".encode() in body]


async def test_an_export_goes_on_where_the_last_one_ended(home: Path, tmp_path: Path) -> None:
    await read(home, Principal("default", "support-2"), hours=3)
    interlayer(home, "audit", "seal")
    cursor, file = str(tmp_path / "cursor"), tmp_path / "records.jsonl"

    def exported(form: str, *more: str) -> list[dict[str, Any]]:
        done = interlayer(home, "audit", "export", str(file), "--format", form, *more)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    first = exported("jsonl", "--cursor", cursor)
    assert [kind_of(one) for one in first] == ["policy.published", "memorize", "recall", "receipts.sealed"]
    assert exported("jsonl", "--cursor", cursor) == []
    await read(home, Principal("default", "sales-1"), hours=1)
    assert exported("jsonl", "--cursor", cursor) == [], "what is not sealed comes later"
    interlayer(home, "audit", "seal")
    assert len(exported("jsonl", "--cursor", cursor)) == 3
    assert len(exported("jsonl")) == 7
    other = interlayer(home, "--org", "other", "audit", "export", str(file), "--format", "ocsf", "--cursor", cursor)
    assert (other.returncode, "is of default" in other.stderr) == (1, True)
    for one in exported("ocsf"):
        check_api_activity(one)


def kind_of(record: dict[str, Any]) -> str:
    return str(record["event"]["type"] if "event" in record else record["receipt"]["kind"])


# What the published schema demands: https://schema.ocsf.io/1.4.0/classes/api_activity
REQUIRED = {
    "activity_id": int,
    "category_uid": int,
    "class_uid": int,
    "type_uid": int,
    "time": int,
    "severity_id": int,
    "metadata": dict,
    "actor": dict,
    "api": dict,
    "src_endpoint": dict,
}
ACTIVITIES = {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 99: "Other"}


def check_api_activity(one: dict[str, Any]) -> None:
    for name, kind in REQUIRED.items():
        assert isinstance(one[name], kind), name
    assert (one["category_uid"], one["class_uid"]) == (6, 6003)
    assert one["type_uid"] == 600_300 + one["activity_id"]
    assert one["activity_name"] == ACTIVITIES[one["activity_id"]]
    assert one["severity_id"] in {0, 1, 2, 3, 4, 5, 6, 99}
    assert one["time"] > 1_600_000_000_000, "milliseconds"
    assert one["metadata"]["version"] == "1.4.0"
    assert one["metadata"]["product"]["vendor_name"]
    assert one["api"]["operation"]
    assert {"app_name", "user", "process", "session"} & one["actor"].keys()
    assert {"name", "ip", "hostname", "svc_name", "uid"} & one["src_endpoint"].keys()
    for resource in one.get("resources", ()):
        assert resource["uid"]
    assert one["unmapped"]["at"]


async def test_the_tail_shows_receipts_as_they_are_written(home: Path, connect: Any) -> None:
    await read(home, Principal("default", "support-2"), hours=3)
    arguments = forked("audit", "tail", "--follow", "--receipts", "--json")
    with subprocess.Popen(arguments, env=environment(home), stdout=subprocess.PIPE, text=True, bufsize=1) as tail:
        assert tail.stdout
        try:
            assert told(tail.stdout)["type"] == "policy.published"
            async with connect() as call:
                await call("recall_entity", entity=ZOE)
                while (one := told(tail.stdout)).get("kind") != "recall":
                    assert one["type"] == "receipts.sealed"
                assert one["agent"] == "local"
        finally:
            tail.terminate()


def told(lines: IO[str]) -> dict[str, Any]:
    return json.loads(lines.readline())
