"""Callers over HTTP: an API key or a signed token says who they are, and nothing else does."""

import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from command_line import interlayer
from identity_provider import AUDIENCE, ISSUER, IdentityProvider, identity_provider
from processes import forked, status
from serving import Caller, serving_http

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("agent", ["retention", "Interlayer", "a\nb", "x" * 5_000, ""])
def test_a_key_for_what_is_no_name_of_an_agent_is_not_made(home: Path, agent: str) -> None:
    refused = interlayer(home, "access", "create", agent)
    assert refused.returncode != 0
    assert "agent:" in refused.stderr


def test_keys_are_listed_without_their_secrets(home: Path) -> None:
    token = said(home, "access", "create", "outbound-7", "--days", "7")
    listed = json.loads(said(home, "access", "list", "--json"))
    assert [(one["agent"], one["roles"]) for one in listed] == [("outbound-7", ["reader", "writer"])]
    assert token.split("_", 2)[2].strip() not in json.dumps(listed)


@pytest.fixture(scope="module")
def provider() -> Generator[IdentityProvider]:
    with identity_provider() as running:
        yield running


async def test_a_signed_token_says_who_calls(home: Path, provider: IdentityProvider) -> None:
    now = int(time.time())
    with serving_http(home, 200, forked, **provider.settings()) as address:
        async with calling(address, provider.token()) as call:
            await call("memorize", entity="company:acme.com", facts=[{"text": "Acme builds rockets."}])
            known = await call("recall_entity", entity="company:acme.com", include=["facts", "sources"])
            assert "outbound-7" in json.dumps(known)
        async with calling(address, provider.token(scope="openid", roles=["reader", "king"])) as call:
            with pytest.raises(MCPError, match="needs the role writer"):
                await call("memorize", entity="company:acme.com", facts=[{"text": "No."}])
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
    kept = json.loads(said(home, "--org", "acme", "audit", "receipts", "--kind", "memorize", "--json"))
    assert [(one["agent"], one["user"]) for one in kept] == [("outbound-7", "user-1")]


async def test_a_token_that_is_turned_away_is_told_why(home: Path, provider: IdentityProvider) -> None:
    with serving_http(home, 200, forked, **provider.settings()) as address:
        for token, words in (
            (provider.token(scope=None, nonce="n-1", at_hash="x"), "ID token"),
            (provider.token(typ="ID"), "ID token"),
            (provider.token(headers={"typ": "logout+jwt"}), "typ"),
            (provider.token(aud="https://elsewhere.example"), "udience"),
            (provider.token(exp=int(time.time()) - 600), "expired"),
            (provider.token(headers={"kid": 'k"\\é'}), "kid"),
            (provider.token(organization="another"), "organization"),
        ):
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
                answer = await http.post(f"{address}/mcp", json={})
            assert answer.status_code == 401
            assert words in answer.json()["error_description"]
            challenge = answer.headers["www-authenticate"]
            assert words in challenge
            assert 'resource_metadata="https://interlayer.acme.example/.well-known/oauth-protected-resource/mcp"' in (
                challenge
            )


def test_records_name_the_person_behind_the_agent_beside_older_ones_without(home: Path) -> None:
    said(home, "access", "create", "before")  # an event as it was before there were users
    environment = {"USER": "ann@acme.example", "AGENT": "desk-1"}
    made = interlayer(home, "access", "create", "outbound-7", "--user", "bob@acme.example", **environment)
    assert made.returncode == 0, made.stderr
    events = [json.loads(line) for line in said(home, "audit", "tail", "--json").splitlines()]
    created = [one for one in events if one["type"] == "access.created"]
    assert [(one["actor"], one.get("user")) for one in created] == [("local", None), ("desk-1", "ann@acme.example")]
    assert created[1]["detail"]["user"] == "bob@acme.example"
    assert "desk-1 for ann@acme.example" in said(home, "audit", "tail")
    assert [one["user"] for one in json.loads(said(home, "access", "list", "--json"))] == ["", "bob@acme.example"]
    assert "no fault" in said(home, "audit", "verify")


def test_an_operator_is_told_what_a_token_is_taken_for(home: Path, provider: IdentityProvider) -> None:
    def explained(token: str, code: int = 0) -> str:
        done = interlayer(home, "access", "explain", stdin=token, **provider.settings())
        assert done.returncode == code, done.stderr
        assert token not in done.stdout
        return " ".join(done.stdout.split())

    told = explained(provider.token(groups=["Sales Managers"], act={"sub": "desk-agent"}))
    for words in (
        "agent outbound-7",
        "user user-1",
        "acting desk-agent",
        "roles reader, writer",
        "teams Sales Managers",
    ):
        assert words in told
    assert "carry a scope such as interlayer:reader" in explained(provider.token(scope="openid"))
    assert "no group counts" in explained(provider.token(hasgroups=True))
    refused = explained(provider.token(aud="6e74"), code=1)
    assert "refused the token is not for this server" in refused
    assert f"INTERLAYER_AUTH_AUDIENCE is {AUDIENCE}" in refused
    assert "its aud 6e74" in refused
    assert "no JSON Web Token" in explained("opaque-0123", code=1)


def test_an_operator_is_told_what_a_key_is_taken_for(home: Path) -> None:
    token = said(home, "access", "create", "outbound-7", "--role", "reader", "--user", "ann@acme.example")
    done = interlayer(home, "access", "explain", "--json", stdin=f"Bearer {token}\n", AUTH="keys")
    told = json.loads(done.stdout)
    assert (told["agent"], told["user"], told["roles"]) == ("outbound-7", "ann@acme.example", ["reader"])
    assert interlayer(home, "access", "explain", stdin=token[:-1], AUTH="keys").returncode == 1
    assert "INTERLAYER_AUTH" in interlayer(home, "access", "explain", stdin=token).stderr


def test_an_operator_is_told_why_the_provider_gives_no_keys(home: Path, provider: IdentityProvider) -> None:
    provider.mood = "away"
    done = interlayer(home, "access", "explain", stdin=provider.token(), **provider.settings())
    assert done.returncode == 1
    assert "HTTP 503" in done.stderr
