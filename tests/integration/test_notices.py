"""A publish in one process is told to every client that listens to another one; the governed_task prompt."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import ResourceUpdatedNotification, TextContent

from processes import command, environment

pytestmark = pytest.mark.anyio

WATCHED = ["policy://tone", "policy://gone"]
TONE = "---\nid: tone\ndescription: d\nrules: [Be {}.]\n---\n"


def write(folder: Path, texts: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for number, text in enumerate(texts):
        (folder / f"{number}.md").write_text(text, encoding="utf-8")


async def publish(home: Path, folder: Path, *texts: str) -> None:
    """Publish from a third process."""
    write(folder, texts)
    words = command("policy", "publish", str(folder), "--reason", "test")
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(words, env=environment(home), capture_output=True, text=True, timeout=60, check=False)
    )
    assert done.returncode == 0, done.stderr


def over_stdio(home: Path) -> StdioServerParameters:
    program, *arguments = command("serve")
    return StdioServerParameters(command=program, args=arguments, env=environment(home))


async def told(sub: Any, *uris: str) -> None:
    """Return when each of these was told of."""
    missing = set(uris)
    with anyio.fail_after(30):
        async for event in sub:
            assert isinstance(event, ResourceUpdated)
            missing.discard(event.uri)
            if not missing:
                return


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_listening_client_is_told_of_what_another_process_publishes(
    home: Path, tmp_path: Path, transport: str, request: pytest.FixtureRequest
) -> None:
    gone = TONE.format("brief").replace("tone", "gone")
    await publish(home, tmp_path / "policies", TONE.format("kind"), gone)
    target: Any = over_stdio(home) if transport == "stdio" else f"{request.getfixturevalue('own_http_server')}/mcp"
    async with Client(target) as client:
        await client.call_tool("get_governance_context", {"task": "Reply"})
        async with client.listen(resource_subscriptions=WATCHED) as sub:
            await publish(home, tmp_path / "policies", TONE.format("nice"))
            await told(sub, *WATCHED)
            answer = await client.call_tool("get_governance_context", {"task": "Reply"})
            assert [rule["text"] for rule in (answer.structured_content or {})["rules"]] == ["Be nice."]
            await publish(home, tmp_path / "policies", TONE.format("fair"))
            await told(sub, "policy://tone")


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_older_client_is_told_as_well_until_it_unsubscribes(home: Path, tmp_path: Path) -> None:
    await publish(home, tmp_path / "policies", TONE.format("kind"))
    heard: list[str] = []
    told_now = anyio.Event()

    async def listen(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.append(str(message.params.uri))
            told_now.set()

    async with Client(over_stdio(home), mode="legacy", message_handler=listen) as client:
        assert client.server_capabilities.resources
        assert client.server_capabilities.resources.subscribe
        await client.call_tool("get_governance_context", {"task": "Reply"})
        await client.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        await publish(home, tmp_path / "policies", TONE.format("nice"), TONE.format("new").replace("tone", "new"))
        with anyio.fail_after(30):
            await told_now.wait()
        await client.unsubscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        await publish(home, tmp_path / "policies", TONE.format("fair"))
        await client.list_tools()
    assert heard == ["policy://tone"]


async def test_the_governed_task_prompt_names_every_step(connect: Any, mode: Any) -> None:
    async with connect(mode) as call:
        [prompt] = (await call.client.list_prompts()).prompts
        assert (prompt.name, [one.name for one in prompt.arguments or ()]) == ("governed_task", ["task", "entity"])
        given = {"task": "Offer 30% off", "entity": "company:acme.example"}
        [message] = (await call.client.get_prompt("governed_task", given)).messages
        assert isinstance(message.content, TextContent)
        steps = ("recall_entity", "get_governance_context", "check_compliance", "memorize", *given.values())
        assert all(step in message.content.text for step in steps)
