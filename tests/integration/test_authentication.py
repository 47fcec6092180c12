"""Callers over HTTP: an API key or a signed token says who they are, and nothing else does."""

import json
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from command_line import interlayer
from processes import forked, status
from serving import Caller, serving_http

pytestmark = pytest.mark.anyio

ISSUER = "https://login.acme.example/"
AUDIENCE = "https://interlayer.acme.example/mcp"


def said(home: Path, *arguments: str) -> str:
    done = interlayer(home, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@asynccontextmanager
async def calling(address: str, token: str) -> AsyncGenerator[Caller]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        yield Caller(client)


async def answer_to(address: str, token: str | None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=headers) as http:
        return (await http.post(f"{address}/mcp", json={})).status_code


async def test_a_key_says_who_calls_and_what_it_may_do(home: Path) -> None:
    writing = said(home, "access", "create", "outbound-7", "--team", "sales")
    made = json.loads(said(home, "access", "create", "auditor-1", "--role", "reader", "--days", "30", "--json"))
    with serving_http(home, start=forked, AUTH="keys") as address:
        async with calling(address, writing) as call:
            await call("memorize", entity="company:acme.com", facts=[{"text": "Acme builds rockets."}])
        async with calling(address, made["token"]) as call:
            known = await call("recall_entity", entity="company:acme.com", include=["facts", "sources"])
            assert known["facts"][0]["text"] == "Acme builds rockets."
            assert "outbound-7" in json.dumps(known)
            told = await call.error("memorize", entity="company:acme.com", facts=[{"text": "No."}])
            assert "needs the role writer" in told
            assert status(f"{address}/healthz") == 200
        receipts = said(home, "audit", "tail")
    assert "access.created" in receipts
    assert writing not in (home / "interlayer.db").read_bytes().decode(errors="replace")


async def test_without_a_key_in_force_nothing_is_answered(home: Path) -> None:
    token = said(home, "access", "create", "outbound-7")
    number = "_".join(token.split("_")[:2])
    with serving_http(home, start=forked, AUTH="keys") as address:
        assert await answer_to(address, None) == 401
        assert await answer_to(address, "nonsense") == 401
        assert await answer_to(address, f"{number}_{'A' * 43}") == 401
        assert await answer_to(address, token) != 401
        said(home, "access", "revoke", number, "--reason", "it leaked")
    with serving_http(home, start=forked, AUTH="keys") as address:  # a new process remembers no key
        assert await answer_to(address, token) == 401


def test_keys_are_listed_without_their_secrets(home: Path) -> None:
    token = said(home, "access", "create", "outbound-7", "--days", "7")
    listed = json.loads(said(home, "access", "list", "--json"))
    assert [(one["agent"], one["roles"]) for one in listed] == [("outbound-7", ["reader", "writer"])]
    assert token.split("_")[2] not in json.dumps(listed)


class Issuer:
    """An identity provider: it publishes its key and signs what it is told to."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        published = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwks = json.dumps({"keys": [{**published, "kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()

    def token(self, key: Any = None, **claims: Any) -> str:
        told = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "user-1",
            "client_id": "outbound-7",
            "exp": int(time.time()) + 600,
            "scope": "openid interlayer:reader interlayer:writer",
            **claims,
        }
        given = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(given, key or self.key, algorithm="RS256", headers={"kid": "k1"})


@pytest.fixture(scope="module")
def issuer() -> Generator[tuple[Issuer, str]]:
    """Return an identity provider and the address of its keys."""
    provider = Issuer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(provider.jwks)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - named by the base class

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider, f"http://127.0.0.1:{server.server_port}/jwks.json"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_signed_token_says_who_calls(home: Path, issuer: tuple[Issuer, str]) -> None:
    provider, jwks = issuer
    now = int(time.time())
    settings = {"AUTH": "jwt", "AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE, "AUTH_JWKS": jwks}
    with serving_http(home, 200, forked, **settings) as address:
        async with calling(address, provider.token()) as call:
            await call("memorize", entity="company:acme.com", facts=[{"text": "Acme builds rockets."}])
            known = await call("recall_entity", entity="company:acme.com", include=["facts", "sources"])
            assert "outbound-7" in json.dumps(known)
        async with calling(address, provider.token(scope="openid", roles=["reader", "king"])) as call:
            assert "needs the role writer" in await call.error(
                "memorize", entity="company:acme.com", facts=[{"text": "No."}]
            )
        stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        for refused in (
            provider.token(aud="https://elsewhere.example"),
            provider.token(iss="https://login.elsewhere.example/"),
            provider.token(exp=now - 600),
            provider.token(exp=None),
            provider.token(organization="another"),
            provider.token(client_id=None, sub=None),
            provider.token(key=stranger),
            jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "exp": now + 600}, "x" * 64, algorithm="HS256"),
        ):
            assert await answer_to(address, refused) == 401
        async with httpx2.AsyncClient() as http:
            told = (await http.get(f"{address}/.well-known/oauth-protected-resource/mcp")).json()
        assert told["authorization_servers"] == [ISSUER]
