"""`interlayer reembed` as a user runs it, against a model that is really asked over HTTP."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
import anyio.to_thread
import pytest

from command_line import interlayer
from embeddings_server import Endpoint, serving
from hashed_vectors import DIMS
from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.models.choice import EmbedderChoice
from moves import assert_whole
from organizations import memorize
from processes import KILL, environment, forked

pytest.importorskip("litellm", reason="the extra `models` is not installed")
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240), pytest.mark.filterwarnings("ignore")]

ORGANIZATION = "acme"
MODEL = "hosted_vllm/some-model"
SPACE = f"hosted_5f_vllm_2f_some-model.{DIMS}.v1"
BATCH = 256


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    with serving() as served:
        yield served


@asynccontextmanager
async def process(home: Path) -> AsyncGenerator[Parts]:
    """Compose a process on a home, as a server does."""
    async with opened(load({"HOME": str(home), "ORG": ORGANIZATION}, {"INTERLAYER_CONFIG": "/nowhere"})) as parts:
        yield parts


async def filled(home: Path, entities: int, number: int) -> None:
    async with process(home) as parts:
        for entity in range(entities):
            texts = [f"Pump {n} of plant {entity} was serviced in week {entity + n}." for n in range(number)]
            await memorize(parts, f"company:c{entity}.example", *texts)
        await parts.memory.projector.drain(ORGANIZATION)


async def reembed(home: Path, *arguments: str) -> "CompletedProcess[str]":
    return await anyio.to_thread.run_sync(lambda: interlayer(home, "--org", ORGANIZATION, "reembed", *arguments))


async def told(home: Path, *arguments: str) -> dict[str, Any]:
    """Read what the command says as JSON."""
    done = await reembed(home, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def refused(home: Path, *arguments: str) -> str:
    """Return the one line that the command ends with."""
    done = await reembed(home, *arguments)
    assert done.returncode == 1, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


async def test_a_dry_run_says_what_a_move_would_take_and_asks_nobody(home: Path, endpoint: Endpoint) -> None:
    await filled(home, 2, 20)
    estimate = await told(home, "--to", "text-embedding-3-small", "--dry-run")
    assert estimate["facts"] == 40
    assert 40 * 10 < estimate["tokens"] < 40 * 30
    assert estimate["cost_usd"] == pytest.approx(0.02 * estimate["tokens"] / 1_000_000)
    own = (await reembed(home, "--to", MODEL, "--api-base", endpoint.address, "--dry-run")).stdout
    assert own.startswith(f"40 facts, about {estimate['tokens']:,} tokens, nothing to a provider")
    assert endpoint.asked == []
    async with process(home) as parts:
        record = await parts.memory.spaces.record(ORGANIZATION)
        assert record
        assert record.beside is None


async def test_a_move_says_what_it_came_to_and_a_second_one_that_there_is_nothing_to_do(
    home: Path, endpoint: Endpoint
) -> None:
    await filled(home, 2, 20)
    moved = await told(home, "--to", MODEL, "--api-base", endpoint.address)
    assert (moved["space"], moved["added"]) == (SPACE, 40)
    assert (moved["verified"]["facts"], moved["verified"]["missing"]) == (40, 0)
    asked = len(endpoint.asked)
    again = await reembed(home, "--to", MODEL, "--api-base", endpoint.address)
    assert again.returncode == 0
    assert again.stdout.strip() == f"the embedding space is {SPACE} already"
    assert len(endpoint.asked) == asked
    refusal = await refused(home, "--to", "hosted_vllm/another", "--api-base", endpoint.address)
    assert "--rollback" in refusal
    assert "--drop-old" in refusal
    async with process(home) as parts:
        assert (await assert_whole(parts)).id == SPACE


async def test_the_way_back_and_its_end(home: Path, endpoint: Endpoint) -> None:
    await filled(home, 2, 20)
    async with process(home) as parts:
        former = (await parts.memory.spaces.of(ORGANIZATION)).id
        await parts.memory.reembedder.move(parts.settings.principal, EmbedderChoice(MODEL, endpoint.address))
    assert await told(home, "--rollback") == {"space": former}
    async with process(home) as parts:
        assert (await assert_whole(parts)).id == former
    assert await told(home, "--rollback") == {"space": SPACE}
    assert await told(home, "--drop-old") == {"dropped": former}
    assert "no former space" in await refused(home, "--drop-old")
    assert "no former space" in await refused(home, "--rollback")
    async with process(home) as parts:
        assert (await assert_whole(parts)).id == SPACE


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--dry-run"],
        ["--to", "local", "--rollback"],
        ["--rollback", "--drop-old"],
        ["--rollback", "--dry-run"],
        ["--to", "local", "--rate", "0"],
        ["--to", "local", "--rate", "fast"],
    ],
)
async def test_options_that_do_not_go_together_are_a_usage_error(home: Path, arguments: list[str]) -> None:
    done = await reembed(home, *arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not await anyio.Path(home).exists()


async def test_a_model_that_cannot_be_used_is_one_line_and_changes_nothing(home: Path, endpoint: Endpoint) -> None:
    await filled(home, 1, 5)
    assert "--to: 'no model' is no model" in await refused(home, "--to", "no model")
    assert "no folder" in await refused(home, "--to", "fastembed/x", "--folder", str(home / "nowhere"))
    assert "https://HOST/v1" in await refused(home, "--to", MODEL, "--api-base", "nowhere")
    assert "Check the model's name" in await refused(home, "--to", "no-such-model")
    endpoint.faults.append("404")
    line = await refused(home, "--to", MODEL, "--api-base", endpoint.address)
    assert MODEL in line
    assert "Check the model's name" in line
    assert len(endpoint.asked) == 2  # what a space is calibrated with goes in two requests, and none is sent again
    async with process(home) as parts:
        record = await parts.memory.spaces.record(ORGANIZATION)
        assert record
        assert (record.current.choice.name, record.beside, record.moved_at) == ("local", None, "")
    assert "no former space" in await refused(home, "--rollback")


async def built(parts: Parts) -> int:
    """Return how many rows the space has that is being built."""
    record = await parts.memory.spaces.record(ORGANIZATION)
    if record is None or record.following is None:
        return 0
    return len(await parts.memory.spaces.index(record.following.space).ids(ORGANIZATION))


async def test_a_run_that_is_killed_keeps_its_rate_and_is_gone_on_with_by_running_it_again(
    home: Path, endpoint: Endpoint
) -> None:
    await filled(home, 6, 100)
    to = ("--to", MODEL, "--api-base", endpoint.address)
    async with process(home) as server:
        started = forked("--org", ORGANIZATION, "reembed", *to, "--rate", "1")
        killed = await anyio.open_process(started, env=environment(home))
        try:
            with anyio.fail_after(120):
                while await built(server) < BATCH:  # noqa: ASYNC110 - another process does it
                    await anyio.sleep(0.1)
            assert killed.returncode is None
        finally:
            killed.send_signal(KILL)
            await killed.wait()
        sent = [text for text in endpoint.texts if text.startswith("Pump ")]
        assert len(sent) == BATCH  # the next batch is due in minutes
        await memorize(server, "company:c0.example", "A crane was rented meanwhile.")
        await server.memory.projector.drain(ORGANIZATION)
        moved = await told(home, *to)
        assert (moved["space"], moved["added"]) == (SPACE, 600 - BATCH)
        assert moved["verified"]["facts"] == 601
        assert (await assert_whole(server)).id == SPACE
