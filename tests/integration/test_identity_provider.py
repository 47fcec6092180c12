"""The identity provider is slow, hangs, is away or has new keys: whoever has a good token does not notice."""

import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost

from command_line import interlayer
from identity_provider import IdentityProvider, identity_provider
from interlayer.app.mcp_server.signing_keys import SERVED_S, SigningKeys
from interlayer.errors import Unavailable
from processes import forked
from serving import serving_http

pytestmark = pytest.mark.anyio

SOON_S = 0.05
BOGUS = 45


@pytest.fixture
def provider() -> Generator[IdentityProvider]:
    with identity_provider() as running:
        yield running


class Clock:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@asynccontextmanager
async def kept(
    provider: IdentityProvider, clock: Clock | None = None, interval: float = SOON_S
) -> AsyncGenerator[SigningKeys]:
    """Keep the provider's keys; those that it has now are there already."""
    keys = SigningKeys(provider.address, clock or Clock(), interval)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keys.run)
        yield keys
        tasks.cancel_scope.cancel()


async def test_a_known_key_is_found_at_once_while_the_provider_hangs(provider: IdentityProvider) -> None:
    async with kept(provider) as keys:
        assert await keys.find("k1")
        provider.mood = "hanging"
        waited: list[float] = []

        async def ask_for_what_nobody_has(number: int) -> None:
            began = time.monotonic()
            assert await keys.find(f"bogus-{number}") is None
            waited.append(time.monotonic() - began)

        async with anyio.create_task_group() as tasks:
            for number in range(BOGUS):
                tasks.start_soon(ask_for_what_nobody_has, number)
            await anyio.wait_all_tasks_blocked()
            began = time.monotonic()
            assert all([await keys.find("k1") for _ in range(1_000)])
            assert time.monotonic() - began < 1
        assert len(waited) == BOGUS
        assert max(waited) < 4
        assert provider.fetches <= 2


async def test_unknown_keys_have_the_provider_asked_once_an_interval(provider: IdentityProvider) -> None:
    async with kept(provider, interval=600) as keys:
        assert await keys.find("k1")
        began = time.monotonic()
        assert not any([await keys.find(f"bogus-{number}") for number in range(500)])
        assert time.monotonic() - began < 2
        assert provider.fetches == 1


async def test_a_new_key_is_found_at_its_first_token_and_the_old_one_no_more(provider: IdentityProvider) -> None:
    async with kept(provider) as keys:
        assert await keys.find("k1")
        provider.rotate()
        assert await keys.find("k2")
        assert await keys.find("k1") is None


async def test_the_last_good_keys_serve_for_a_day_while_the_provider_is_away(provider: IdentityProvider) -> None:
    clock = Clock()
    async with kept(provider, clock) as keys:
        assert await keys.find("k1")
        assert not keys.trouble
        provider.mood = "away"
        assert await keys.find("k2") is None
        assert await keys.find("k1")
        assert "HTTP 503" in keys.trouble
        assert "24.0 h more" in keys.trouble
        clock.ahead = SERVED_S
        with pytest.raises(Unavailable):
            await keys.find("k1")
        assert "no caller" in keys.trouble
        provider.mood = "well"
        assert await keys.find("k1")
        assert not keys.trouble


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"keys": 7}', b'{"keys": [{"kty": "oct", "k": "AA", "kid": 1}]}'])
async def test_what_is_no_key_set_takes_nobody_the_keys(provider: IdentityProvider, answer: bytes) -> None:
    async with kept(provider) as keys:
        assert await keys.find("k1")
        provider.key_set = lambda: answer  # type: ignore[method-assign]
        assert await keys.find("k2") is None
        assert await keys.find("k1")
        assert keys.trouble


def by_issuer(issuer: str) -> SigningKeys:
    return SigningKeys("", interval=SOON_S, issuer=issuer)


@asynccontextmanager
async def running(keys: SigningKeys) -> AsyncGenerator[SigningKeys]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keys.run)
        yield keys
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("", "/.well-known/openid-configuration"),
        ("/tenant/v2.0", "/tenant/v2.0/.well-known/openid-configuration"),
        ("/tenant/", "/.well-known/oauth-authorization-server/tenant"),
    ],
)
async def test_an_issuer_says_itself_where_its_keys_are(provider: IdentityProvider, path: str, document: str) -> None:
    issuer = provider.origin + path
    provider.metadata_path = document
    provider.metadata = lambda: json.dumps({"issuer": issuer, "jwks_uri": provider.address}).encode()  # type: ignore[method-assign]
    async with running(by_issuer(issuer)) as keys:
        assert await keys.find("k1")
        provider.rotate()
        assert await keys.find("k2")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example/"}, "names the issuer 'https://evil.example/'"),
        ({"jwks_uri": "http://login.acme.example/keys"}, "no https address of keys"),
        ({"jwks_uri": None}, "no https address of keys"),
        ([], "no discovery document"),
    ],
)
async def test_a_discovery_document_that_cannot_be_trusted_gives_no_keys(
    provider: IdentityProvider, document: Any, words: str
) -> None:
    known = {"issuer": provider.origin, "jwks_uri": provider.address}
    answer = json.dumps({**known, **document} if document else document).encode()
    provider.metadata = lambda: answer  # type: ignore[method-assign]
    async with running(by_issuer(provider.origin)) as keys:
        with pytest.raises(Unavailable):
            await keys.find("k1")
        assert words in keys.trouble


@asynccontextmanager
async def listening(address: str, token: str) -> AsyncGenerator[Any]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
        client.listen(resource_subscriptions=["policy://tone"]) as stream,
    ):
        yield stream


async def end_of(stream: Any) -> None:
    """Return when the server has ended a stream that nothing is told on."""
    with anyio.fail_after(20), pytest.raises(SubscriptionLost) as ended:
        await anext(stream)
    assert "in force no more" in str(ended.value.__cause__)


async def answer_to(address: str, token: str) -> httpx2.Response:
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        return await http.post(f"{address}/mcp", json={})


async def test_a_flood_of_unknown_keys_holds_up_nobody(home: Path, provider: IdentityProvider) -> None:
    good, bogus = provider.token(), [provider.token(headers={"kid": f"b{number}"}) for number in range(BOGUS)]
    with serving_http(home, 200, forked, **provider.settings()) as address:
        async with httpx2.AsyncClient(timeout=60) as http:

            async def status(token: str) -> int:
                headers = {"Authorization": f"Bearer {token}"}
                return (await http.post(f"{address}/mcp", headers=headers, json={})).status_code

            async def be_refused(token: str) -> None:
                assert await status(token) == 401

            assert await status(good) not in (401, 503)
            provider.mood = "hanging"
            times = [time.monotonic()]
            async with anyio.create_task_group() as tasks:
                for token in bogus:
                    tasks.start_soon(be_refused, token)
                for _ in range(20):
                    assert await status(good) not in (401, 503)
                    times.append(time.monotonic())
        assert max(later - earlier for earlier, later in pairwise(times)) < 2


async def test_without_any_keys_the_server_says_that_it_is_not_the_token(
    home: Path, provider: IdentityProvider
) -> None:
    provider.mood = "away"
    with serving_http(home, 503, forked, **provider.settings()) as address:
        async with httpx2.AsyncClient(timeout=60) as http:
            with anyio.fail_after(30):
                told: list[str] = []
                while not any("identity provider" in one for one in told):
                    told = (await http.get(f"{address}/readyz")).json()["problems"]
            alive = await http.get(f"{address}/healthz", headers={"Authorization": f"Bearer {provider.token()}"})
        assert alive.status_code == 200
        refused = await answer_to(address, provider.token())
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        provider.mood = "well"
        with anyio.fail_after(30):
            while (await answer_to(address, provider.token())).status_code == 503:
                pass


async def test_a_stream_ends_with_its_token(home: Path, provider: IdentityProvider) -> None:
    with serving_http(home, 200, forked, **provider.settings()) as address:
        async with listening(address, provider.token(exp=int(time.time()) + 3)) as stream:
            await end_of(stream)
        async with listening(address, provider.token()):
            pass


async def test_a_stream_ends_with_its_key(home: Path) -> None:
    made = json.loads(interlayer(home, "access", "create", "outbound-7", "--json").stdout)
    with serving_http(home, start=forked, AUTH="keys") as address:
        async with listening(address, made["token"]) as stream:
            revoke = ("access", "revoke", made["id"], "--reason", "it leaked")
            await anyio.to_thread.run_sync(lambda: interlayer(home, *revoke))
            await end_of(stream)
        assert (await answer_to(address, made["token"])).status_code == 401
