"""The whole on DynamoDB: servers that share it, an organization that moves to it, and what happens while it is away."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest
from mcp import Client

from emulators import REGION, Emulator
from faulty_proxy import Drop, FaultyProxy, faulty_proxy
from interlayer.app.composition import Parts, build, opened
from interlayer.app.settings import Settings, load
from interlayer.app.transfer import export
from interlayer.app.transfer import load as import_file
from interlayer.ids import system_clock
from interlayer.memory.requests import RelationCandidate
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables
from organizations import context, listed, memorize, publish, recall
from processes import status

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
TASK = {"task": "Write an e-mail to a prospect that offers a 30% discount.", "channel": "email"}


@pytest.fixture
async def proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in emulator.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    await create_tables(Place("whole", REGION, emulator.url), Wish(), lambda _: None)
    with faulty_proxy(emulator.url) as running:
        yield running


@pytest.fixture
def shared(proxy: FaultyProxy) -> dict[str, str]:
    """Return settings of an organization of its own on DynamoDB."""
    url = f"dynamodb://whole?region={REGION}&endpoint_url={proxy.url}"
    return {"STORE": url, "ORG": f"org{uuid4().hex[:12]}"}


@pytest.fixture
def serve(serving: Callable[..., Any], home: Path, shared: dict[str, str]) -> Callable[..., Any]:
    def start(**settings: Any) -> Any:
        return serving(home, **{**shared, **settings})

    return start


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refused(client: Client, tool: str, /, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(getattr(result.content[0], "text", ""))


def settings_of(home: Path, **more: str) -> Settings:
    return load({"HOME": str(home), **more}, {"INTERLAYER_CONFIG": "/nowhere"})


@pytest.mark.timeout(180)  # processes of their own, on a machine that may be busy
async def test_what_one_server_writes_the_other_reads(
    serve: Callable[..., Any], home: Path, shared: dict[str, str]
) -> None:
    with serve(ready=0, AGENT="one") as first, serve(AGENT="two") as second:
        await becomes(first, 200)
        async with Client(f"{first}/mcp") as one, Client(f"{second}/mcp") as two:
            stored = await call(
                one,
                "memorize",
                entity=ACME,
                content="Acme sells pumps. It employs 40 people.",
                relations=[{"type": "partner_of", "target": "company:globex.example"}],
                identifiers={"crm_id": "77"},
                idempotency_key="once",
            )
            again = await call(two, "memorize", entity=ACME, content="Acme sells valves.")
            assert again["entity"]["id"] == stored["entity"]["id"]
            seen = await call(one, "recall_entity", entity="company:77", query="what do they sell?")
            assert {"Acme sells pumps.", "Acme sells valves."} <= {fact["text"] for fact in seen["facts"]}
            found = await call(two, "search_memory", query="who sells pumps?")
            assert found["results"][0]["entity"]["ref"] == stored["entity"]["ref"]
            where = [{"property": "employees", "op": "eq", "value": 40}]
            assert len((await call(two, "list_entities", entity_type="company", where=where))["entities"]) == 1
            rules = [await call(client, "get_governance_context", **TASK) for client in (one, two)]
            assert rules[0]["etag"] == rules[1]["etag"]
            assert (await call(two, "get_governance_context", **TASK, if_etag=rules[0]["etag"]))["unchanged"]
            checked = await call(two, "check_compliance", text="I can offer you a 30% discount.", channel="email")
            assert not checked["compliant"]
            await call(two, "memorize", entity="company:Acme Holding", facts=[{"text": "Acme Holding owns a pier."}])
            async with opened(settings_of(home, **shared)) as third:
                await third.memory.merger.merge(third.settings.principal, ACME, "company:Acme Holding", "one firm")
            merged = await call(two, "recall_entity", entity="company:Acme Holding")
            assert merged["entity"]["ref"] == stored["entity"]["ref"]
            assert any("pier" in fact["text"] for fact in merged["facts"])
            erased = await call(two, "forget", entity=ACME, reason="asked for")
            assert erased["erased"]["facts"] >= 3
            assert not (await call(one, "recall_entity", entity=ACME))["found"]
            assert (await call(one, "search_memory", query="who sells pumps?"))["results"] == []
    async with opened(settings_of(home, **shared)) as third:
        compared = await third.memory.backfill.fill(shared["ORG"], await third.memory.spaces.of(shared["ORG"]))
        assert (compared.added, compared.removed) == (0, 0)
        assert (await third.audit.verify(third.settings.principal)).faults == []


async def filled(parts: Parts) -> None:
    await publish(parts, "please", "perhaps")
    await memorize(parts, ACME, "Acme uses Oracle.", "Acme has a pier.", name="Acme Ltd", properties={"employees": 280})
    await memorize(
        parts,
        ACME,
        "Acme uses Oracle.",
        properties={"employees": 300},
        relations=[RelationCandidate("partner_of", "company:g.com")],
    )
    await memorize(
        parts, "contact:sarah@acme.example", "Sarah likes tea.", relations=[RelationCandidate("works_at", ACME)]
    )
    content = " ".join(f"Acme delivered pump number {n} to the port of town {n}." for n in range(300))
    await memorize(parts, ACME, content=content)


async def answered(parts: Parts) -> str:
    """Ask recall and governance, without what names a receipt."""
    answers: list[Any] = [
        await recall(parts, entity, query=query)
        for entity in (ACME, "company:Acme Ltd", "contact:sarah@acme.example", "company:g.com")
        for query in (None, "which database?", "pump 17")
    ]
    answers.append(await listed(parts, ["company", "contact"]))
    for task in ("Offer a discount", "Write to a prospect"):
        given = await context(parts, task, channel="email")
        answers.append({name: getattr(given, name) for name in ("etag", "rules", "sections", "revision", "omitted")})
    return json.dumps(answers, default=str, sort_keys=True)


async def test_an_organization_moves_to_dynamodb_and_back_and_answers_the_same(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    organization = shared["ORG"]
    async with opened(settings_of(tmp_path / "laptop", ORG=organization)) as parts:
        await filled(parts)
        before = await answered(parts)
        await export(parts.store, organization, tmp_path / "out.jsonl", system_clock, lambda _: None)
    for home, file, store in (("aws", "out.jsonl", {"STORE": shared["STORE"]}), ("back", "there.jsonl", {})):
        settings = settings_of(tmp_path / home, ORG=organization, **store)
        parts = build(settings)
        await import_file(parts, organization, tmp_path / file, lambda _: None)
        await parts.close()
        async with opened(settings) as parts:
            assert await answered(parts) == before
            if store:
                await export(parts.store, organization, tmp_path / "there.jsonl", system_clock, lambda _: None)


async def becomes(address: str, wanted: int) -> None:
    with anyio.fail_after(45):
        while True:
            if await anyio.to_thread.run_sync(status, f"{address}/readyz") == wanted:
                return
            await anyio.sleep(0.2)


@pytest.mark.timeout(180)  # processes of their own, on a machine that may be busy
async def test_a_server_waits_for_its_store_and_while_it_is_away_again_serves_the_last_known_policies(
    serve: Callable[..., Any], proxy: FaultyProxy
) -> None:
    proxy.inject(Drop(forwarded=False), times=math.inf)
    with serve(ready=503) as address:
        async with Client(f"{address}/mcp") as client:
            refusal = await refused(client, "get_governance_context", **TASK)
            assert "dynamodb://whole" in refusal or "starting" in refusal
            proxy.heal()
            await becomes(address, 200)
            await call(client, "memorize", entity=ACME, facts=[{"text": "Acme sells pumps."}])
            known = await call(client, "get_governance_context", **TASK)
            proxy.inject(Drop(forwarded=False), times=math.inf)
            stale = await call(client, "get_governance_context", **TASK)
            assert "store" in stale["degraded"]
            assert stale["rules"] == known["rules"]
            assert status(f"{address}/healthz") == 200
            await becomes(address, 503)
            assert "may succeed later" in await refused(client, "recall_entity", entity=ACME)
            told = await refused(client, "memorize", entity=ACME, facts=[{"text": "Acme sells valves."}])
            assert "may succeed later" in told
            proxy.heal()
            recalled = await call(client, "recall_entity", entity=ACME)
            assert [fact["text"] for fact in recalled["facts"]] == ["Acme sells pumps."]
            assert (await call(client, "get_governance_context", **TASK))["degraded"] == []
            await becomes(address, 200)
