"""Upgrading and moving as docs/operating-in-aws.md says, on emulators: one account each."""

import re
import shlex
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import anyio
import boto3
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from command_line import run_with
from emulators import REGION, Emulator, emulating
from faulty_proxy import faulty_proxy
from processes import environment, forked
from serving import Caller, serving_http

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

PAGE = (Path(__file__).parents[2] / "docs" / "operating-in-aws.md").read_text(encoding="utf-8")
ACME = "company:acme.example"
PUMPS, PIER = "They sell pumps.", "They have a pier in Rotterdam."
TASK = {"task": "Write an email to a customer"}


@dataclass(slots=True)
class AwsAccount:
    """An account as an operator and the tasks in it see it."""

    emulator: Emulator
    home: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])

    def made(self) -> "AwsAccount":
        """Make bucket and tables."""
        name = f"i{uuid4().hex[:8]}"  # an emulator may hold what other tests made
        boto3.client(
            "s3",
            endpoint_url=self.emulator.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).create_bucket(Bucket=name)
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "STORE": f"dynamodb://{name}?region={REGION}&endpoint_url={self.emulator.url}",
            "VECTORS": f"s3://{name}/vectors",
            "ORG": "acme",
            "AUTH": "keys",
        }
        self.run("interlayer store create")
        return self

    def run(self, line: str) -> str:
        """Run a command of the program and demand that it succeeds."""
        program, *arguments = shlex.split(line)
        assert program == "interlayer"
        variables = {**environment(self.home, **self.settings), **self.emulator.environment}
        done = run_with(variables, self.home.parent, *arguments)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout.strip()

    def serving(self, monkeypatch: pytest.MonkeyPatch, **more: str) -> AbstractContextManager[str]:
        """Run a server of the account."""
        for name, value in self.emulator.environment.items():
            monkeypatch.setenv(name, value)
        return serving_http(self.home, 200, forked, **self.settings, **more)


@asynccontextmanager
async def calling(address: str, token: str) -> AsyncGenerator[Caller]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        yield Caller(client)


async def known(call: Caller, entity: str = ACME) -> set[str]:
    told = await call("recall_entity", entity=entity)
    return {fact["text"] for fact in told["facts"]}


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(120):
        while not true():  # noqa: ASYNC110 - what it waits for happens in threads and other processes
            await anyio.sleep(0.05)


async def test_agents_notice_nothing_while_one_revision_takes_over_from_another(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ECS does it: the new task is ready, calls go to it, the last ones of the old are answered, and it ends."""
    account = AwsAccount(emulator, tmp_path / "home").made()
    token = account.run("interlayer access create bot --role reader --role writer")
    acknowledged: list[str] = []
    enough = anyio.Event()

    async def agent(name: str, address: str) -> None:
        async with calling(address, token) as call:
            while not enough.is_set():
                entity = f"company:{name}{len(acknowledged)}.example"
                await call("memorize", entity=entity, facts=[{"text": PUMPS}])
                acknowledged.append(entity)
                assert await known(call, entity) == {PUMPS}
                assert (await call("get_governance_context", **TASK))["degraded"] == []

    with ExitStack() as new, ExitStack() as old:
        balancer = new.enter_context(faulty_proxy(old.enter_context(account.serving(monkeypatch, LOG_LEVEL="INFO"))))
        async with anyio.create_task_group() as agents:
            for name in ("a", "b"):
                agents.start_soon(agent, name, balancer.url)
            await until(lambda: len(acknowledged) >= 6)
            balancer.upstream = new.enter_context(account.serving(monkeypatch))
            last_of_old = list(balancer.exchanges)
            await until(lambda: all(one.status for one in last_of_old))
            await anyio.to_thread.run_sync(old.close)
            by_both = len(acknowledged)
            await until(lambda: len(acknowledged) >= by_both + 6)
            enough.set()
        odd = [one for one in balancer.exchanges if one.status not in (200, 202)]
        assert not odd, odd[0]
        async with calling(balancer.url, token) as call:
            for entity in acknowledged:
                assert await known(call, entity) == {PUMPS}
    assert "no fault" in account.run("interlayer audit verify")


async def test_an_organization_moves_to_another_account_as_the_page_says(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.partition("## Move to another account\n")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d\. (.*(?:\n   .*)*)", section, re.MULTILINE)
    commands = [re.findall(r"`(interlayer [^`]+)`", step) for step in steps]
    assert [len(found) for found in commands] == [1, 2, 2, 0]
    old = AwsAccount(emulator, tmp_path / "files" / "old").made()
    token = old.run("interlayer access create bot --role reader --role writer")
    with old.serving(monkeypatch) as address:
        async with calling(address, token) as call:
            await call("memorize", entity=ACME, facts=[{"text": PUMPS}, {"text": PIER}])
            rules = (await call("get_governance_context", **TASK))["rules"]
    with emulating() as elsewhere:
        new = AwsAccount(elsewhere, tmp_path / "files" / "new").made()
        told = [account.run(line) for account, found in zip((new, old, new), commands, strict=False) for line in found]
        assert "no fault" in told[-1]
        with new.serving(monkeypatch) as address:
            async with calling(address, token) as call:
                assert await known(call) == {PUMPS, PIER}
                assert (await call("get_governance_context", **TASK))["rules"] == rules
                answer = await call("search_memory", query="Who sells pumps?")
                assert answer["results"][0]["fact"]["text"] == PUMPS
