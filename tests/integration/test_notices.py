"""What one process changes is told to every client that listens to another one; the governed_task prompt."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import ResourceUpdatedNotification

from command_line import interlayer
from interlayer.app.composition import build
from interlayer.ids import system_clock
from interlayer.principal import Principal
from interlayer_policies.governance import Governance, PolicyFile, Published
from organizations import settings
from processes import environment, forked

pytestmark = pytest.mark.anyio

TASK = {"task": "Reply"}
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
    done = await anyio.to_thread.run_sync(
        lambda: interlayer(home, "policy", "publish", str(folder), "--reason", "test")
    )
    assert done.returncode == 0, done.stderr


class Steward:
    """Whoever changes what governs, in this process: none of those that serve."""

    def __init__(self, governance: Governance) -> None:
        self.governance = governance
        self.me, self.boss = Principal("default", "steward"), Principal("default", "boss")

    async def publish(self, text: str, **options: Any) -> Published:
        return await self.governance.publish(self.me, [PolicyFile("tone.md", text)], reason="test", **options)

    async def approve(self, proposed: Published) -> None:
        assert proposed.proposal
        await self.governance.stewardship.approve(self.boss, proposed.proposal.id, "yes")


@pytest.fixture
async def steward(home: Path) -> AsyncIterator[Steward]:
    parts = build(settings(home, "default"), system_clock)
    yield Steward(parts.domains.governance)
    await parts.close()


def over_stdio(home: Path) -> StdioServerParameters:
    program, *arguments = forked("serve")
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
async def test_a_server_that_is_still_starting_misses_no_change_after_it_said_that_a_client_listens(
    home: Path, steward: Steward
) -> None:
    older = OlderClient()
    await steward.publish(TONE.format("kind"))
    async with Client(over_stdio(home)) as client, client.listen(resource_subscriptions=WATCHED) as sub:
        await steward.publish(TONE.format("nice"))
        await told(sub, "policy://tone")
    async with Client(over_stdio(home), mode="legacy", message_handler=older.listen) as client:
        await client.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        await steward.publish(TONE.format("fair"))
        await older.told(1)


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
async def test_an_older_client_over_http_is_told_that_it_cannot_be_told(http_server: str) -> None:
    async with Client(f"{http_server}/mcp", mode="legacy") as client:
        with pytest.raises(MCPError, match="2026-07-28"):
            await client.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        assert (await client.call_tool("get_governance_context", {"task": "Reply"})).structured_content


APPROVED = "---\nid: tone\ndescription: d\napprovers: [boss]\nrules: [Be {}.]\n---\n"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_every_change_reaches_listeners_of_two_servers_and_both_eras(
    home: Path, own_http_server: str, steward: Steward
) -> None:
    older = OlderClient()
    await steward.approve(await steward.publish(APPROVED.format("kind")))
    first_revision = (await steward.governance.published(steward.me)).revision
    async with (
        Client(over_stdio(home), mode="legacy", message_handler=older.listen) as first,
        Client(over_stdio(home)) as second,
        Client(f"{own_http_server}/mcp") as third,
    ):

        async def rules() -> list[list[str]]:
            answers = [await one.call_tool("get_governance_context", TASK) for one in (first, second, third)]
            return [[rule["text"] for rule in (answer.structured_content or {})["rules"]] for answer in answers]

        assert await rules() == [["Be kind."]] * 3
        await first.subscribe_resource("policy://tone")  # pyright: ignore[reportDeprecated]
        async with (
            second.listen(resource_subscriptions=WATCHED) as on_stdio,
            third.listen(resource_subscriptions=WATCHED) as on_http,
        ):
            times = 0

            async def everybody_was_told(*expected: str) -> None:
                nonlocal times
                times += 1
                await told(on_stdio, "policy://tone")
                await told(on_http, "policy://tone")
                await older.told(times)
                assert await rules() == [list(expected)] * 3

            control = steward.governance.stewardship
            proposed = await steward.publish(APPROVED.format("nice"))
            assert await rules() == [["Be kind."]] * 3, "nothing is in force before it is approved"
            await steward.approve(proposed)
            await everybody_was_told("Be nice.")
            until = datetime.now(UTC) + timedelta(days=30)
            waiver = await control.waive(steward.boss, "tone#R1", {}, until, "launch")
            await everybody_was_told()
            await control.end_waiver(steward.boss, waiver.id, "over")
            await everybody_was_told("Be nice.")
            await steward.governance.rollback(
                steward.me, first_revision, reason="back", break_glass=True, only=["tone"]
            )
            await everybody_was_told("Be kind.")


async def test_without_listening_the_next_call_of_every_process_obeys(
    home: Path, own_http_server: str, steward: Steward
) -> None:
    async with Client(over_stdio(home), mode="legacy") as first, Client(f"{own_http_server}/mcp") as second:
        for word in ("kind", "nice", "fair"):
            await steward.publish(TONE.format(word))
            for client in (first, second):
                answer = await client.call_tool("get_governance_context", TASK)
                assert [rule["text"] for rule in (answer.structured_content or {})["rules"]] == [f"Be {word}."]
