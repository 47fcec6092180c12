"""The KMS key of the tables is switched off under a running server: nothing is told, and the error names the key.

No emulator keeps a table from being read without its key: the refusals are DynamoDB's words, put in by a proxy.
"""

import json
import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx2
import pytest
from mcp import Client

from emulators import REGION, Emulator
from faulty_proxy import Answer, FaultyProxy, faulty_proxy
from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, check_tables, create_tables
from processes import status
from serving import Caller

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

Serving = Callable[..., AbstractContextManager[str]]
ACME = "company:acme.example"
TASK = {"task": "Write an email to a customer"}
NAMED = "the KMS key of the tables cannot be used: see docs/operating-in-aws.md, Three in the morning"
DENIED = "KMS key access denied error: com.amazonaws.services.kms.model.DisabledException: key/1 is disabled."
INVALID = "KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: key/1 is pending deletion."
REFUSALS = {"denied": ("AccessDeniedException", DENIED), "invalid": ("ValidationException", INVALID)}


def off(code: str, message: str) -> Answer:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return Answer(400, json.dumps(body).encode())


async def becomes(address: str, wanted: int) -> None:
    with anyio.fail_after(45):
        while await anyio.to_thread.run_sync(status, f"{address}/readyz") != wanted:  # noqa: ASYNC110
            await anyio.sleep(0.1)


def name_of(shared: dict[str, str]) -> str:
    return shared["STORE"].removeprefix("dynamodb://").partition("?")[0]


async def installed(proxy: FaultyProxy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the settings of an organization of its own, in tables that are reached through the proxy."""
    for name, value in emulator.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    name = f"k{uuid4().hex[:8]}"
    await create_tables(Place(name, REGION, emulator.url), Wish(), lambda _: None)
    return {"STORE": f"dynamodb://{name}?region={REGION}&endpoint_url={proxy.url}", "ORG": "acme"}


@pytest.fixture
def proxy(emulator: Emulator) -> Generator[FaultyProxy]:
    with faulty_proxy(emulator.url) as running:
        yield running


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_without_the_key_nothing_is_told_and_the_error_names_it_until_it_is_back(
    serving: Serving, emulator: Emulator, proxy: FaultyProxy, home: Path, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    shared = await installed(proxy, emulator, monkeypatch)
    calls: dict[str, dict[str, Any]] = {
        "recall_entity": {"entity": ACME},
        "search_memory": {"query": "Who sells pumps?"},
        "list_entities": {"entity_type": "company"},
        "memorize": {"entity": ACME, "facts": [{"text": "Acme sells valves."}]},
        "get_governance_context": TASK,
        "check_compliance": {"text": "Hello."},
        "forget": {"entity": ACME, "reason": "asked to"},
    }
    with serving(home, STALE_SECONDS="0", **shared) as address:
        async with Client(f"{address}/mcp") as client:
            call = Caller(client)
            await call("memorize", entity=ACME, facts=[{"text": "Acme sells pumps."}])
            proxy.inject(off(*REFUSALS[refusal]), times=math.inf)
            for tool, arguments in calls.items():
                told = await call.error(tool, **arguments)
                assert NAMED in told, (tool, told)
                assert "pumps" not in told
            states = await check_tables(Place(name_of(shared), REGION, proxy.url), "acme")
            assert all(not one.ok and NAMED in one.detail for one in states)
            await becomes(address, 503)
            assert status(f"{address}/healthz") == 200
            proxy.heal()
            await becomes(address, 200)
            recalled = await call("recall_entity", entity=ACME)
            assert [fact["text"] for fact in recalled["facts"]] == ["Acme sells pumps."]
            assert (await call("get_governance_context", **TASK))["degraded"] == []


async def test_without_the_key_of_the_tables_no_key_of_an_agent_is_recognized(
    serving: Serving, emulator: Emulator, proxy: FaultyProxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = await installed(proxy, emulator, monkeypatch)
    async with opened(load({"HOME": str(home), **shared}, {"INTERLAYER_CONFIG": "/nowhere"})) as parts:
        _, token = await parts.access.create(parts.settings.principal, "bot", ["reader"], [], 30)
    with serving(home, AUTH="keys", **shared) as address:

        async def answer() -> int:
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
                return (await http.post(f"{address}/mcp", json={})).status_code

        proxy.inject(off("AccessDeniedException", DENIED), times=math.inf)
        assert await answer() == 503  # it is not the key of the agent
        proxy.heal()
        assert await answer() not in (401, 503)
