"""The door over HTTP: names, scopes, sizes and rates are looked at before anything is parsed or computed."""

import json
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.auth.utils import (
    build_protected_resource_metadata_discovery_urls,
    extract_field_from_www_auth,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
)
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from command_line import interlayer
from identity_provider import AUDIENCE, ISSUER, IdentityProvider, identity_provider
from processes import environment, forked
from serving import Caller, server_process, serving_http

pytestmark = pytest.mark.anyio

EVIL = "http://evil.example"
ACCEPT = {"Accept": "application/json, text/event-stream"}
FIRST_SCOPES = ["interlayer:reader", "interlayer:writer"]


def called(tool: str, **arguments: Any) -> dict[str, Any]:
    """Return a call as a client of the older protocol sends it, which needs no connection before it."""
    return asked("tools/call", name=tool, arguments=arguments)


def asked(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


async def post(address: str, body: Any, token: str = "", **headers: str) -> httpx2.Response:
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers={**ACCEPT, **bearer, **headers}, timeout=60) as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await http.post(f"{address}/mcp", content=content, headers={"Content-Type": "application/json"})


@asynccontextmanager
async def calling(address: str, token: str) -> AsyncGenerator[Caller]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        yield Caller(client)


def key(home: Path, agent: str, *roles: str) -> str:
    given = [part for role in roles for part in ("--role", role)]
    done = interlayer(home, "access", "create", agent, *given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def provider() -> Generator[IdentityProvider]:
    with identity_provider() as running:
        yield running


async def test_without_authentication_no_page_reaches_a_server_under_any_name(home: Path) -> None:
    listing = asked("tools/list")
    with serving_http(home, start=forked) as address:
        assert (await post(address, listing)).status_code == 200
        assert (await post(address, listing, Origin="http://localhost:6274")).status_code == 200
        assert (await post(address, listing, Origin=EVIL)).status_code == 403
        assert (await post(address, listing, Host="evil.example")).status_code == 421
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"{address}/readyz", headers={"Host": "evil.example"})).status_code == 421
            assert (await http.get(f"{address}/readyz")).json()["turned_away"] == {"host": 2, "origin": 1}


@pytest.mark.skipif(sys.platform == "darwin", reason="only 127.0.0.1 is there from the start")
async def test_another_spelling_of_this_machine_is_guarded_as_well(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(forked("serve", "--http", f"127.0.0.2:{port}"), env=environment(home))
    address = f"http://127.0.0.2:{port}"
    try:
        async with httpx2.AsyncClient() as http:
            with anyio.fail_after(45):
                while not await _is_up(http, address):
                    assert process.poll() is None
        assert (await post(address, asked("tools/list"))).status_code == 200
        assert (await post(address, asked("tools/list"), Origin=EVIL)).status_code == 403
        assert (await post(address, asked("tools/list"), Host="evil.example")).status_code == 421
    finally:
        process.terminate()
        process.wait(timeout=10)


async def test_reached_from_anywhere_only_known_pages_and_names_are_served(home: Path) -> None:
    token = key(home, "outbound-7")
    names = {"HOSTS": "memory.acme.example", "ORIGINS": "https://app.acme.example"}
    with serving_http(home, 200, forked, "0.0.0.0", AUTH="keys", **names) as address:  # noqa: S104
        ours = {"Host": "memory.acme.example"}
        listing = asked("tools/list")
        assert (await post(address, listing, token, **ours)).status_code == 200
        assert (await post(address, listing, token)).status_code == 421
        assert (await post(address, listing, token, Origin=EVIL, **ours)).status_code == 403
        page = await post(address, listing, token, Origin="https://app.acme.example", **ours)
        assert page.status_code == 200
        assert page.headers["access-control-allow-origin"] == "https://app.acme.example"
        async with httpx2.AsyncClient() as http:  # what a browser asks before it sends a token
            wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
            asks = {**ours, "Origin": "https://app.acme.example", **wanted}
            allowed = await http.options(f"{address}/mcp", headers=asks)
            assert allowed.status_code == 200
            assert "authorization" in allowed.headers["access-control-allow-headers"].lower()


async def test_clients_find_who_gives_tokens_and_for_what(home: Path, provider: IdentityProvider) -> None:
    with serving_http(home, 200, forked, **provider.settings()) as address:
        async with httpx2.AsyncClient() as http:
            for well_known in build_protected_resource_metadata_discovery_urls(None, f"{address}/mcp"):
                told = (await http.get(well_known)).json()
                assert told["resource"] == AUDIENCE
                assert told["authorization_servers"] == [ISSUER]
                assert told["scopes_supported"] == FIRST_SCOPES
        for token in ("", provider.token(aud="https://elsewhere.example")):
            refused = await post(address, asked("tools/list"), token)
            assert refused.status_code == 401
            assert (extract_scope_from_www_auth(refused) or "").split() == FIRST_SCOPES
            assert extract_resource_metadata_from_www_auth(refused)


async def test_a_token_that_allows_too_little_is_told_the_scopes_to_get(home: Path, provider: IdentityProvider) -> None:
    reader = provider.token(scope="interlayer:reader")
    with serving_http(home, 200, forked, **provider.settings()) as address:
        refused = await post(address, called("memorize", entity="company:acme.com", content="x"), reader)
        assert refused.status_code == 403
        assert extract_field_from_www_auth(refused, "error") == "insufficient_scope"
        assert (extract_scope_from_www_auth(refused) or "").split() == FIRST_SCOPES
        assert extract_resource_metadata_from_www_auth(refused)
        assert refused.json()["id"] == 7
        nobody = provider.token(scope="openid")
        for method, params in (
            ("resources/read", {"uri": "schema://entities"}),
            ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["policy://tone"]}}),
        ):
            assert (await post(address, asked(method, **params), nobody)).status_code == 403
        assert (await post(address, asked("tools/list"), nobody)).status_code == 200
        async with calling(address, reader) as call:
            await call("describe_schema")
            with pytest.raises(MCPError, match="needs the role writer"):
                await call("memorize", entity="company:acme.com", content="Acme builds rockets.")


async def test_where_the_provider_knows_no_scopes_none_is_asked_for(home: Path, provider: IdentityProvider) -> None:
    with serving_http(home, 200, forked, **provider.settings(), AUTH_SCOPES="none") as address:
        refused = await post(address, asked("tools/list"))
        assert extract_scope_from_www_auth(refused) is None
        async with calling(address, provider.token(scope="interlayer:reader")) as call:
            told = await call.error("memorize", entity="company:acme.com", content="Acme builds rockets.")
            assert "needs the role writer" in told


async def test_there_is_no_stream_that_could_outlive_its_token(home: Path) -> None:
    token = key(home, "outbound-7")
    with serving_http(home, start=forked, AUTH="keys") as address:
        for method in ("GET", "DELETE"):
            async with httpx2.AsyncClient(headers={**ACCEPT, "Authorization": f"Bearer {token}"}) as http:
                refused = await http.request(method, f"{address}/mcp")
            assert refused.status_code == 405
            assert refused.headers["allow"] == "POST"


async def test_whoever_may_not_read_does_not_listen(home: Path) -> None:
    token = key(home, "auditor-1", "auditor")
    with serving_http(home, start=forked, AUTH="keys") as address:
        async with calling(address, token) as call:
            with pytest.raises(MCPError, match="needs the role reader"):
                async with call.client.listen(resource_subscriptions=["policy://tone"]):
                    pass


async def test_only_operators_are_told_where_things_are(home: Path) -> None:
    (home / "vectors").mkdir(parents=True)
    tokens = {role: key(home, f"agent-{role}", role) for role in ("reader", "operator")}
    with serving_http(home, start=forked, AUTH="keys") as address:
        (home / "vectors").rename(home / "elsewhere")
        (home / "vectors").write_text("no folder")
        async with httpx2.AsyncClient(timeout=60) as http:

            async def told(token: str) -> dict[str, Any]:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer: dict[str, Any] = (await http.get(f"{address}/readyz", headers=headers)).json()
                return answer

            for token in ("", tokens["reader"]):
                assert str(home) not in json.dumps(await told(token))
                assert "turned_away" not in await told(token)
            assert "turned_away" in await told(tokens["operator"])


async def test_who_calls_too_often_is_told_when_to_come_again_and_others_are_served(home: Path) -> None:
    eager, quiet = key(home, "eager"), key(home, "quiet", "reader", "operator")
    with serving_http(home, start=forked, AUTH="keys", CALLS_PER_MINUTE="20") as address:
        answers = [await post(address, asked("tools/list"), eager) for _ in range(30)]
        put_off = [one for one in answers if one.status_code == 429]
        assert 5 <= len(put_off) <= 10
        assert 1 <= int(put_off[0].headers["retry-after"]) <= 3
        assert "20 calls a minute" in put_off[0].json()["error"]["message"]
        assert (await post(address, asked("tools/list"), quiet)).status_code == 200
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {quiet}"}) as http:
            assert (await http.get(f"{address}/readyz")).json()["turned_away"]["calls"] == len(put_off)


async def test_who_sends_too_much_is_told_when_to_come_again(home: Path) -> None:
    token = key(home, "eager")
    content = "Acme builds rockets. " * 400
    with serving_http(home, start=forked, AUTH="keys", TOKENS_PER_MINUTE="3000") as address:
        sent = called("describe_schema", entity_type=content)
        assert (await post(address, sent, token)).status_code == 200
        refused = await post(address, sent, token)
        assert refused.status_code == 429
        assert "3000 tokens a minute" in refused.json()["error"]["message"]


async def test_a_call_of_many_values_is_refused_unparsed_and_holds_up_nobody(home: Path) -> None:
    reader = key(home, "reader-1", "reader")
    with serving_http(home, start=forked, AUTH="keys") as address:
        hostile = json.dumps(called("memorize", entity="company:acme.com", facts=[{"text": 1}] * 200_000)).encode()
        async with calling(address, reader) as call:
            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(post, address, hostile, reader)
                for _ in range(10):
                    with anyio.fail_after(3):  # it was seconds for each of the hostile ones
                        await call("describe_schema")
            refused = await post(address, hostile, reader)
            assert refused.status_code == 413
            assert "50000 values" in refused.json()["error"]["message"]


async def test_the_role_is_looked_at_before_the_arguments(home: Path) -> None:
    reader = key(home, "reader-1", "reader")
    with serving_http(home, start=forked, AUTH="keys") as address:
        async with calling(address, reader) as call:
            assert "needs the role writer" in await call.error("memorize", nonsense=1)
            deep = "[" * 100_000
            assert "deep" in await call.error("recall_entity", entity="company:acme.com", include=deep)


@pytest.mark.skipif(sys.platform == "win32", reason="files are not limited so there")
async def test_no_number_of_idle_connections_takes_the_files_that_the_server_needs(home: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def start(*arguments: str) -> list[str]:
        limited = 'ulimit -n 96; log="$1"; shift; exec "$@" 2>"$log"'
        return ["sh", "-c", limited, "sh", str(log), sys.executable, "-m", "interlayer", *arguments]

    token = key(home, "outbound-7")
    with server_process(home, start=start, AUTH="keys") as (address, process), ExitStack() as idle:
        port = int(address.rpartition(":")[2])
        for _ in range(150):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        for number in range(5):
            entity = f"company:acme-{number}.com"
            answer = await post(address, called("memorize", entity=entity, content="Acme builds rockets."), token)
            assert answer.status_code == 200, answer.text
        assert process.poll() is None
    assert log.stat().st_size < 20_000


async def _is_up(http: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address}/healthz")).status_code == 200
    except httpx2.HTTPError:
        return False
