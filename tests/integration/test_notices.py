"""What one process changes is told to every client that listens to another one; the governed_task prompt."""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
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


async def run(home: Path, *arguments: str, **settings: str) -> str:
    """Run a command in a third process and return what it printed."""
    words, env = command(*arguments), environment(home, **settings)
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def publish(home: Path, folder: Path, *texts: str, **settings: str) -> str:
    """Publish from a third process."""
    write(folder, texts)
    return await run(home, "policy", "publish", str(folder), "--reason", "test", "--json", **settings)


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


class OlderClient:
    """What a client of the protocols before 2026 heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._news = anyio.Event()

    async def listen(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.heard.append(str(message.params.uri))
            self._news.set()
            self._news = anyio.Event()

    async def told(self, times: int) -> None:
        """Return when it was told so many times."""
        with anyio.fail_after(30):
            while len(self.heard) < times:
                await self._news.wait()


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_older_client_is_told_as_well_until_it_unsubscribes(home: Path, tmp_path: Path) -> None:
    folder, older = tmp_path / "policies", OlderClient()
    await publish(home, folder, TONE.format("kind"))
    async with Client(over_stdio(home), mode="legacy", message_handler=older.listen) as client:
        assert client.server_capabilities.resources
        assert client.server_capabilities.resources.subscribe
        await client.call_tool("get_governance_context", {"task": "Reply"})
        for uri in ("policy://tone", "policy://tone", "policy://mark"):
            await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
        await publish(home, folder, TONE.format("nice"), TONE.format("new").replace("tone", "new"))
        await older.told(1)
        await client.unsubscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        await publish(home, folder, TONE.format("fair"), TONE.format("new").replace("tone", "mark"))
        await older.told(2)
    assert older.heard == ["policy://tone", "policy://mark"], "told once each, and of nothing after unsubscribing"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_older_client_over_http_is_told_that_it_cannot_be_told(own_http_server: str) -> None:
    async with Client(f"{own_http_server}/mcp", mode="legacy") as client:
        with pytest.raises(MCPError, match="2026-07-28"):
            await client.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        assert (await client.call_tool("get_governance_context", {"task": "Reply"})).structured_content


APPROVED = "---\nid: tone\ndescription: d\napprovers: [boss]\nrules: [Be {}.]\n---\n"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_every_change_reaches_listeners_of_two_servers_and_both_eras(
    home: Path, tmp_path: Path, own_http_server: str
) -> None:
    folder, older = tmp_path / "policies", OlderClient()
    write(folder, [APPROVED.format("kind")])
    await run(home, "policy", "publish", str(folder), "--reason", "test", "--break-glass")
    async with (
        Client(over_stdio(home), mode="legacy", message_handler=older.listen) as first,
        Client(over_stdio(home)) as second,
        Client(f"{own_http_server}/mcp") as third,
    ):
        clients = (first, second, third)

        async def rules() -> list[list[str]]:
            answers = [await one.call_tool("get_governance_context", {"task": "Reply"}) for one in clients]
            return [[rule["text"] for rule in (answer.structured_content or {})["rules"]] for answer in answers]

        assert await rules() == [["Be kind."]] * 3
        await first.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        async with (
            second.listen(resource_subscriptions=WATCHED) as on_stdio,
            third.listen(resource_subscriptions=WATCHED) as on_http,
        ):

            async def everybody_was_told(times: int, *expected: str) -> None:
                await told(on_stdio, "policy://tone")
                await told(on_http, "policy://tone")
                await older.told(times)
                assert await rules() == [list(expected)] * 3

            proposed = json.loads(await publish(home, folder, APPROVED.format("nice")))["proposal"]["id"]
            assert await rules() == [["Be kind."]] * 3, "nothing is in force before it is approved"
            await run(home, "policy", "approve", proposed, "--reason", "yes", AGENT="boss")
            await everybody_was_told(1, "Be nice.")
            until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
            waive = ("policy", "waive", "tone#R1", "--until", until, "--reason", "launch")
            await run(home, *waive, AGENT="boss")
            await everybody_was_told(2)
            [waiver] = json.loads(await run(home, "policy", "waivers", "--json"))
            await run(home, "policy", "end-waiver", waiver["id"], "--reason", "over")
            await everybody_was_told(3, "Be nice.")
            await run(home, "policy", "rollback", "1", "--reason", "back", "--break-glass")
            await everybody_was_told(4, "Be kind.")


async def test_without_listening_the_next_call_of_every_process_obeys(
    home: Path, tmp_path: Path, own_http_server: str, mode: Any
) -> None:
    folder = tmp_path / "policies"
    targets: list[Any] = [over_stdio(home), f"{own_http_server}/mcp"]
    async with Client(targets[0], mode=mode) as first, Client(targets[1], mode=mode) as second:
        for word in ("kind", "nice", "fair"):
            await publish(home, folder, TONE.format(word))
            for client in (first, second):
                answer = await client.call_tool("get_governance_context", {"task": "Reply"})
                assert [rule["text"] for rule in (answer.structured_content or {})["rules"]] == [f"Be {word}."]


async def test_the_governed_task_prompt_names_every_step(connect: Any, mode: Any) -> None:
    async with connect(mode) as call:
        [prompt] = (await call.client.list_prompts()).prompts
        assert (prompt.name, [one.name for one in prompt.arguments or ()]) == ("governed_task", ["task", "entity"])
        given = {"task": "Offer 30% off", "entity": "company:acme.example"}
        [message] = (await call.client.get_prompt("governed_task", given)).messages
        assert isinstance(message.content, TextContent)
        steps = ("recall_entity", "get_governance_context", "check_compliance", "memorize", *given.values())
        assert all(step in message.content.text for step in steps)
