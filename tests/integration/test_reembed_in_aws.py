"""Moving to another embedding model where servers run in AWS: items in DynamoDB, vectors in S3, a server answering."""

import json
from collections.abc import Callable, Generator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
import pytest

from command_line import interlayer
from embeddings_server import Endpoint, serving
from emulators import REGION, Emulator, reach
from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables
from processes import environment, forked
from serving import Caller
from vector_indexes import location_on_s3

pytest.importorskip("litellm", reason="the extra `models` is not installed")
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

MODEL = "hosted_vllm/some-model"
ENTITIES = 3
EACH = 90  # more than one batch of the move
PACE_S = 0.5  # between the rounds of the agent: as fast as it can, it takes the processor that the move needs


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    with serving() as served:
        yield served


@pytest.fixture
async def shared(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Return the settings of every process: tables and a bucket in AWS, an organization of the test's own."""
    reach(emulator, monkeypatch)
    await create_tables(Place("moved", REGION, emulator.url), Wish(), lambda _: None)
    return {
        "STORE": f"dynamodb://moved?region={REGION}&endpoint_url={emulator.url}",
        "VECTORS": location_on_s3(tmp_path),
        "ORG": f"org{uuid4().hex[:12]}",
        "ERASURE_QUOTA": "0",  # however long the move takes
    }


async def moved_to(home: Path, shared: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Move in a process of its own, beside the server and its client; return what it says as JSON."""
    told = forked("reembed", *arguments, "--json")
    done = await anyio.run_process(told, env=environment(home, **shared), check=False)
    assert done.returncode == 0, done.stderr.decode()
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def outcome(home: Path, shared: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run a command; return what it says as JSON."""
    done = await anyio.to_thread.run_sync(lambda: interlayer(home, *arguments, "--json", **shared))
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def works(call: Caller, done: anyio.Event) -> int:
    """Write, recall, search and forget until told; return how many rounds there were. Every answer has to be right."""
    for number in count():
        entity = f"company:c{number % ENTITIES}.example"
        told = await call("memorize", entity=entity, facts=[{"text": f"Zoe sold crane number {5_000 + number}."}])
        fact = told["facts"][0]["fact_id"]
        query = f"who sold crane number {5_000 + number}?"
        recalled = await call("recall_entity", entity=entity, query=query)
        assert fact in {one["fact_id"] for one in recalled["facts"]}
        found = await call("search_memory", query=query)
        assert fact in {one["fact"]["fact_id"] for one in found["results"]}
        if number % 5 == 4:
            await call("forget", fact_id=fact, reason="test")
        if done.is_set():
            return number + 1
        await anyio.sleep(PACE_S)
    raise AssertionError


async def test_a_move_in_aws_beside_a_server_that_answers_loses_nothing(
    connect: Callable[..., Any], home: Path, tmp_path: Path, shared: dict[str, str], endpoint: Endpoint
) -> None:
    rounds = 0
    moved: dict[str, Any] = {}
    async with connect(**shared) as call:
        for entity in range(ENTITIES):
            facts = [{"text": f"Pump {n} of plant {entity} was serviced in week {entity + n}."} for n in range(EACH)]
            for first in range(0, EACH, 60):
                await call("memorize", entity=f"company:c{entity}.example", facts=facts[first : first + 60])
        done = anyio.Event()

        async def working() -> None:
            nonlocal rounds
            rounds = await works(call, done)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(working)
            moved |= await moved_to(tmp_path / "operator", shared, "--to", MODEL, "--api-base", endpoint.address)
            done.set()
        assert str(moved["space"]).startswith("hosted")
        assert moved["verified"]
        assert moved["verified"]["missing"] == 0
        assert rounds > 3
        await works(call, done)  # a round in the new space
    checked = await outcome(tmp_path / "operator", shared, "reconcile", "--check")
    assert checked["differences"] == []
    settings = load({"HOME": str(home), **shared}, {"INTERLAYER_CONFIG": "/nowhere"})
    async with opened(settings) as parts:
        current, former = await parts.memory.spaces.whole(shared["ORG"])
        assert current.id == moved["space"]
        assert "wordllama" in former.id
        assert await current.index.ids(shared["ORG"]) == await former.index.ids(shared["ORG"])
    dropped = await outcome(tmp_path / "operator", shared, "reembed", "--drop-old")
    assert "wordllama" in str(dropped["dropped"])
    async with opened(settings) as parts:
        assert [space.id for space in await parts.memory.spaces.whole(shared["ORG"])] == [moved["space"]]
        assert await parts.memory.spaces.index(former.embedder.space).ids(shared["ORG"]) == set()
        assert len(await (await parts.memory.spaces.of(shared["ORG"])).index.ids(shared["ORG"])) >= ENTITIES * EACH
