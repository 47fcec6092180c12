"""How a server starts and ends: quickly, cleanly, beside others, and never leaving anything half written."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from organizations import home_of, listed, memorize, recall
from processes import KILL, command, environment, forked, status

pytestmark = pytest.mark.anyio

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


def started(home: Path, start: Callable[..., list[str]] = command) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        start("serve"),
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(HELLO).encode() + b"\n")
    process.stdin.flush()
    return process


def first_line(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, None], ids=["SIGTERM", "SIGINT", "end of input"])
def test_it_prints_the_protocol_and_nothing_else_and_ends_cleanly_within_five_seconds(
    home: Path, end: signal.Signals | None
) -> None:
    process = started(home)
    assert first_line(process)["result"]["serverInfo"]["name"] == "interlayer"
    start = time.monotonic()
    if end is None:
        printed, _ = process.communicate(timeout=5)
    else:
        process.send_signal(end)
        process.wait(timeout=5)
        printed, _ = process.communicate()
    assert process.returncode == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in printed.splitlines())
    assert time.monotonic() - start < 5
    assert not (home / "interlayer.db-wal").exists(), "the store was not closed"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_server_over_http_ends_cleanly_too(home: Path, end: signal.Signals) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        command("serve", "--http", f"127.0.0.1:{port}"), env=environment(home), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 45
    while status(f"http://127.0.0.1:{port}/readyz") != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(end)
    _, told = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Aborted" not in told
    assert not (home / "interlayer.db-wal").exists(), "the store was not closed"


async def test_many_servers_share_one_home(connect: Any, home: Path) -> None:
    async def agent(number: int) -> None:
        async with connect(AGENT=f"agent-{number}") as call:
            for turn in range(10):
                fact = f"Agent {number} inspected pump {turn}."
                await call("memorize", entity="company:acme.example", facts=[{"text": fact}])

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(agent, number)
    async with home_of(home, "default") as parts:
        assert len((await recall(parts, "company:acme.example"))["facts"]) == 30
        assert len(await listed(parts, ["company"])) == 1


async def test_what_was_acknowledged_survives_kill(connect: Any, home: Path) -> None:
    acknowledged: list[str] = []
    for turn in range(2):
        process = started(home, forked)
        first_line(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        for number in range(5):
            fact = f"Round {turn} inspected pump {number}."
            arguments = {"entity": "company:acme.example", "facts": [{"text": fact}]}
            request: dict[str, Any] = {"jsonrpc": "2.0", "id": 2 + number, "method": "tools/call"}
            request["params"] = {"name": "memorize", "arguments": arguments}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            if not first_line(process)["result"].get("isError"):
                acknowledged.append(fact)
        process.send_signal(KILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) == 10
    async with connect() as call:
        recalled = await call("recall_entity", entity="company:acme.example", limit=100, max_tokens=8000)
        assert sorted(fact["text"] for fact in recalled["facts"]) == sorted(acknowledged)
        found = await call("search_memory", query="Round inspected pump", limit=100, max_tokens=8000)
        assert len(found["results"]) == 10, "the vector layer did not catch up"


async def test_an_organization_sees_nothing_of_another_and_a_reader_may_not_write(connect: Any, home: Path) -> None:
    async with home_of(home, "one") as parts:
        await memorize(parts, "company:acme.example", content="Acme sells pumps.")
    async with connect(ORG="two", ROLES="reader") as call:
        assert not (await call("recall_entity", entity="company:acme.example"))["found"]
        assert (await call("search_memory", query="pumps"))["results"] == []
        assert "writer" in await call.error("memorize", entity="company:acme.example", content="Acme sells pumps.")
