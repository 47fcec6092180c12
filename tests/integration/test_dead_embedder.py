"""The model of the vectors is away: whatever is told is kept and found by words, and gets its vectors afterwards."""

import json
import socket
import subprocess
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from command_line import interlayer
from embeddings_server import Endpoint
from embeddings_server import serving as embeddings_at
from serving import Caller

pytest.importorskip("litellm", reason="the extra `models` is not installed")
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

YARD = "company:yard.example"
PLAIN = """\
---
id: plain
title: Plain
owner: desk@example.com
tier: org
rules:
  - {id: R1, level: must, key: plain.polite, text: Be polite.}
---
# Plain

## Manners

Greet by name.
"""
WAIT_S = 90
BOUND_S = 45  # far over what a call may take, far under what a model that hangs would take with every attempt


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    with embeddings_at() as served:
        yield served


@pytest.fixture
def settings(endpoint: Endpoint, tmp_path: Path) -> dict[str, str]:
    """Configure a server whose policies ask nothing of the model: hashed words are a poor one."""
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "plain.md").write_text(PLAIN, encoding="utf-8")
    return {**model_at(endpoint.address), "POLICIES": str(policies)}


def model_at(address: str) -> dict[str, str]:
    return {"EMBEDDER": "hosted_vllm/some-model", "EMBEDDER_API_BASE": address}


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(answer: dict[str, Any]) -> set[str]:
    return {result["fact"]["text"] for result in answer["results"]}


async def told(call: Any, text: str) -> dict[str, Any]:
    with anyio.fail_after(BOUND_S):
        return await call("memorize", entity=YARD, facts=[{"text": text}])


async def undegraded(call: Any, tool: str, **arguments: Any) -> dict[str, Any]:
    with anyio.fail_after(WAIT_S):
        while "degraded" in (answer := await call(tool, **arguments)):  # noqa: ASYNC110 - nothing tells when it is back
            await anyio.sleep(0.5)
    return answer


def run(home: Path, settings: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return interlayer(home, *arguments, "--json", **settings)


@pytest.mark.parametrize("fault", ["429", "500", "hang"])
async def test_a_call_is_answered_in_bounded_time_and_catches_up(
    connect: Any, endpoint: Endpoint, settings: dict[str, str], fault: str
) -> None:
    async with connect(**settings) as call:
        assert "degraded" not in await told(call, "The yard builds ferries.")
        endpoint.always = fault
        kept = await told(call, "The crane Goliath lifts 900 tons.")
        [said] = kept["degraded"]
        assert said.startswith("vectors: they follow")
        assert "some-model" in said
        assert kept["facts"][0]["outcome"] == "added"
        again = await told(call, "the crane GOLIATH lifts 900 tons")
        assert (again["facts"][0]["outcome"], again["facts"][0]["similarity"]) == ("merged", 1.0)
        guarded = await told(call, "The crane Goliath lifts 950 tons.")  # another number is another statement
        assert guarded["facts"][0]["outcome"] in {"added", "superseded_older"}
        with anyio.fail_after(BOUND_S):
            answer = await call("search_memory", query="crane Goliath")
        assert any("Goliath" in text for text in found(answer))
        assert answer["degraded"][0].startswith("vectors: found by words alone")
        with anyio.fail_after(BOUND_S):
            recalled = await call("recall_entity", entity=YARD, query="how much does Goliath lift")
        assert recalled["degraded"][0].startswith("vectors: ")
        assert "Goliath" in recalled["facts"][0]["text"]
        with anyio.fail_after(BOUND_S):
            erased = await call("forget", fact_id=kept["facts"][0]["fact_id"], reason="asked to")
        assert "pending" not in erased  # what is erased waits for no model
        endpoint.always = ""
        endpoint.gone.set()
        answer = await undegraded(call, "search_memory", query="crane Goliath")
        assert "The crane Goliath lifts 950 tons." in found(answer)
        await undegraded(call, "recall_entity", entity=YARD, query="what does Goliath lift")
        assert "degraded" not in await told(call, "The yard has two docks.")


async def test_a_server_starts_on_a_new_home_without_its_model(serving: Any, home: Path) -> None:
    port = unused_port()
    settings = model_at(f"http://127.0.0.1:{port}/v1")
    with serving(home, **settings) as url:
        async with Client(f"{url}/mcp") as client:
            call = Caller(client)
            first = await told(call, "The yard builds ferries.")
            assert "some-model" in first["degraded"][0]
            assert (await told(call, "The yard builds ferries."))["facts"][0]["outcome"] == "merged"
            recalled = await call("recall_entity", entity=YARD, query="ferries")
            assert [fact["text"] for fact in recalled["facts"]] == ["The yard builds ferries."]
            assert found(await call("search_memory", query="ferries")) == {"The yard builds ferries."}
            assert (await call("get_governance_context", task="Write an email"))["rules"]
            with anyio.fail_after(WAIT_S):
                while not (degraded := readiness(url)["degraded"]):  # noqa: ASYNC110
                    await anyio.sleep(0.5)
            assert degraded[0].startswith("embedder: hosted_vllm/some-model")
            doctor = await anyio.to_thread.run_sync(run, home, settings, "doctor")
            assert doctor.returncode == 1
            assert [one["name"] for one in json.loads(doctor.stdout) if not one["ok"]] == ["embedder"]
            with embeddings_at(port):
                answer = await undegraded(call, "search_memory", query="ferries")
                assert found(answer) == {"The yard builds ferries."}
                with anyio.fail_after(WAIT_S):
                    while readiness(url)["degraded"]:  # noqa: ASYNC110
                        await anyio.sleep(0.5)
                checked = await anyio.to_thread.run_sync(run, home, settings, "reconcile", "--check")
                assert json.loads(checked.stdout)["differences"] == []


async def test_what_was_told_without_vectors_gets_them_by_reconcile(
    connect: Any, home: Path, endpoint: Endpoint, settings: dict[str, str]
) -> None:
    async with connect(**settings) as call:
        await told(call, "The yard builds ferries.")
        endpoint.always = "500"
        assert "degraded" in await told(call, "The crane Goliath lifts 900 tons.")
    endpoint.always = ""
    done = await anyio.to_thread.run_sync(run, home, settings, "reconcile", "--check")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["replayed"] >= 1
    assert outcome["differences"] == []


def readiness(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
        body: dict[str, Any] = json.load(answer)
    assert body["ready"]
    return body
