"""Hold our server against identity providers that run here: `make identity-providers`.

The server knows issuer and audience and nothing else. Each row is a use of docs/identity-providers.md, done over HTTP
with the provider's own pages and tokens, and with the OAuth flows of the official MCP client. Node and oidc-provider
are put into a cache folder (once, `--cache DIR`), Glewlwyd is the package `glewlwyd` of Debian. Exit code 0 only when
all came out as expected.
"""

import argparse
import base64
import hashlib
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import httpx2
import jwt
import platformdirs
from conformance import Failed, install, wait_ready
from mcp import Client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from official_flows import Kept, signing_in
from providers import (
    CALLBACK,
    CONNECTOR,
    DOCUMENT,
    FRAMEWORK,
    SCOPES,
    SECRET,
    Glewlwyd,
    OidcProvider,
    Provider,
    signing_key,
)

from measuring import environment, machine, show

PACKAGES: Final = {"oidc-provider": "9.13.3"}
_FETCHED_S: Final = 15  # keys are fetched each ten seconds at most
ENTERPRISE: Final = "https://login.acme.example"
"""The enterprise that asserts who its people are; its part is played here, by the extension's specification."""
MAPPING: Final = """
[groups.stewards]
roles = ["steward"]
teams = ["policy"]
"""


class Checks:
    """The uses of one provider, done one after the other against one server."""

    def __init__(self, provider: Provider, address: str, home: Path, enterprise_key: dict[str, Any]) -> None:
        self._provider = provider
        self._address = address
        self._home = home
        self._enterprise_key = enterprise_key
        self._tokens: dict[str, Any] = {}
        self.rows: list[list[str]] = []

    def run(self) -> None:
        """Do all uses that the provider can do."""
        provider = self._provider
        steps: list[tuple[str, Callable[[], str]]] = [
            ("401 says where to sign in, and for what", self.challenge),
            ("connector: code, PKCE, resource; tools answer", self.connector),
            ("who calls: user, agent, roles, team", self.whom),
            ("groups give roles by the mapping", self.mapping),
            ("refreshed token", self.refresh),
            ("ID token", self.identity_token),
            ("token for nobody in particular (no resource)", self.without_resource),
            ("client credentials: no user", self.alone),
            ("official client, client credentials", self.official_alone),
            ("official client, registers itself", self.registering),
        ]
        steps += [("official client, known by its document", self.by_document)] if provider.reads_documents else []
        steps += (
            [("official client, enterprise-managed (ID-JAG)", self.enterprise)] if provider.takes_assertions else []
        )
        steps.append(("new signing key", self.rotation))
        for what, step in steps:
            try:
                told, fine = step(), "yes"
            except Exception as error:  # noqa: BLE001 - one use that fails hides no other
                told, fine = _first(error)[:300], "NO"
            self.rows.append([provider.name, what, fine, told])

    def challenge(self) -> str:
        """See that a client without a token learns where to get one."""
        answer = httpx2.post(f"{self._address}/mcp", json={})
        expect(answer.status_code == 401, str(answer.status_code))
        told = answer.headers["www-authenticate"]
        metadata = httpx2.get(told.partition('resource_metadata="')[2].partition('"')[0]).json()
        expect(metadata["authorization_servers"] == [self._provider.issuer], str(metadata))
        expect(metadata["resource"] == f"{self._address}/mcp", str(metadata))
        return f"scopes {' '.join(metadata.get('scopes_supported') or ['not named'])}"

    def connector(self) -> str:
        """Sign in as ann by a public client."""
        self._tokens = self._signed_in("ann", [*SCOPES[:1], "openid", "offline_access"])
        return self._calls(self._tokens["access_token"])

    def whom(self) -> str:
        """Ask the operator's command whom that token stands for."""
        told = self._explained(self._tokens["access_token"])
        expect(told["agent"] == CONNECTOR and bool(told["user"]), str(told))
        expect((told["roles"], told["teams"]) == (["reader"], ["support"]), str(told))
        return f"{told['user']} by {told['agent']}, {told['roles']}, {told['teams']}"

    def mapping(self) -> str:
        """Sign in as bob, whose group the mapping file knows."""
        told = self._explained(self._signed_in("bob", [*SCOPES[:1], "openid"])["access_token"])
        expect((told["roles"], told["teams"]) == (["reader", "steward"], ["policy"]), str(told))
        return f"{told['roles']}, {told['teams']}"

    def refresh(self) -> str:
        """Get another access token by the refresh token."""
        given = {"grant_type": "refresh_token", "refresh_token": self._tokens["refresh_token"], "client_id": CONNECTOR}
        self._tokens |= self._token(given)
        return self._calls(self._tokens["access_token"])

    def identity_token(self) -> str:
        """Send the ID token, as a client may by mistake."""
        return self._refused(self._tokens["id_token"])

    def without_resource(self) -> str:
        """Send a token that was asked for without naming us."""
        asked = {"grant_type": "client_credentials", "scope": SCOPES[0]}
        return self._refused(self._token(asked, alone=True, resource=False)["access_token"])

    def alone(self) -> str:
        """Call as a program that no person is behind."""
        token = self._token({"grant_type": "client_credentials", "scope": " ".join(SCOPES)}, alone=True)["access_token"]
        told = self._explained(token)
        expect((told["agent"], told["user"], told["roles"]) == (FRAMEWORK, "", ["reader", "writer"]), str(told))
        return self._calls(token)

    def official_alone(self) -> str:
        """Let the official client get a token by its credentials."""
        credentials = ClientCredentialsOAuthProvider(
            self._resource, Kept(), FRAMEWORK, SECRET, scope=SCOPES[0], issuer=self._provider.issuer
        )
        return anyio.run(self._listed, credentials)

    def registering(self) -> str:
        """Let the official client find everything itself: metadata, registration, code, token."""
        return anyio.run(self._listed, signing_in(self._resource, self._provider, Kept()))

    def by_document(self) -> str:
        """Let it be known by a document at an address that is its id."""
        kept = Kept()
        told = anyio.run(self._listed, signing_in(self._resource, self._provider, kept, DOCUMENT))
        expect(kept.client is not None and kept.client.client_id == DOCUMENT, str(kept.client))
        expect(self._explained(kept.tokens.access_token if kept.tokens else "")["agent"] == DOCUMENT, "agent")
        return told

    def enterprise(self) -> str:
        """Let the enterprise say who works with what: its assertion buys a token, and is none itself."""
        asserted: list[str] = []

        async def assertion(audience: str, resource: str) -> str:
            claims = {"iss": ENTERPRISE, "aud": audience, "resource": resource, "client_id": "desk", "sub": "ann"}
            claims |= {"scope": SCOPES[0], "jti": secrets.token_hex(8)}
            now = int(time.time())
            header = {"typ": "oauth-id-jag+jwt", "kid": self._enterprise_key["kid"]}
            key = jwt.PyJWK(self._enterprise_key)
            asserted.append(jwt.encode({**claims, "iat": now, "exp": now + 300}, key, "RS256", header))
            return asserted[-1]

        kept = Kept()
        flow = IdentityAssertionOAuthProvider(
            self._resource, kept, "desk", SECRET, self._provider.issuer, assertion, scope=SCOPES[0]
        )
        told = anyio.run(self._listed, flow)
        whom = self._explained(kept.tokens.access_token if kept.tokens else "")
        expect((whom["agent"], whom["user"], whom["roles"]) == ("desk", "ann", ["reader"]), str(whom))
        return f"{told}; the assertion itself: {self._refused(asserted[-1])}"

    def rotation(self) -> str:
        """Change the signing key: a new token counts as soon as keys may be fetched again, an old one no more."""
        asked = {"grant_type": "client_credentials", "scope": SCOPES[0]}
        old = self._token(asked, alone=True)["access_token"]
        self._calls(old)
        self._provider.rotate()
        new = self._token(asked, alone=True)["access_token"]
        deadline = time.monotonic() + _FETCHED_S
        while self._answer(new).status_code == 401 and time.monotonic() < deadline:
            time.sleep(0.5)
        return f"{self._calls(new)}; signed before: {self._refused(old)}"

    @property
    def _resource(self) -> str:
        return f"{self._address}/mcp"

    def _signed_in(self, person: str, scopes: list[str]) -> dict[str, Any]:
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": CONNECTOR,
            "redirect_uri": CALLBACK,
            "scope": " ".join(scopes),
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "resource": self._resource,
            "prompt": "consent",
        }
        if "offline_access" not in scopes or "offline_access" not in self._offered():
            asked["scope"] = " ".join(scope for scope in scopes if scope != "offline_access")
        sent_back = self._provider.sign_in(f"{self._endpoint('authorization')}?{urlencode(asked)}", person)
        back = parse_qs(urlsplit(sent_back).query)
        expect(back.get("state") == [asked["state"]] and "code" in back, str(back))
        given = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": CALLBACK}
        return self._token({**given, "client_id": CONNECTOR, "code_verifier": verifier})

    def _offered(self) -> list[str]:
        return self._provider.metadata().get("scopes_supported", [])

    def _endpoint(self, name: str) -> str:
        return str(self._provider.metadata()[f"{name}_endpoint"])

    def _token(self, given: dict[str, str], *, alone: bool = False, resource: bool = True) -> dict[str, Any]:
        body = {**given, **({"resource": self._resource} if resource else {})}
        auth = (FRAMEWORK, SECRET) if alone else None
        answer = httpx2.post(self._endpoint("token"), data=body, auth=auth)
        expect(answer.status_code == 200, answer.text)
        return answer.json()

    async def _listed(self, flow: httpx2.Auth) -> str:
        """Return how a connected client saw the tools, and one answer."""
        async with (
            httpx2.AsyncClient(auth=flow, timeout=60) as http,
            Client(streamable_http_client(self._resource, http_client=http)) as client,
        ):
            tools = await client.list_tools()
            answer = await client.call_tool("describe_schema", {})
            expect(not answer.is_error, str(answer.content))
        return f"{len(tools.tools)} tools, describe_schema answers"

    def _calls(self, token: str) -> str:
        class Bearer(httpx2.Auth):
            def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
                request.headers["Authorization"] = f"Bearer {token}"
                yield request

        return anyio.run(self._listed, Bearer())

    def _answer(self, token: str) -> httpx2.Response:
        return httpx2.post(self._resource, json={}, headers={"Authorization": f"Bearer {token}"})

    def _refused(self, token: str) -> str:
        answer = self._answer(token)
        expect(answer.status_code == 401, f"{answer.status_code} {answer.text}")
        return f"refused: {answer.json()['error_description']}"

    def _explained(self, token: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "interlayer", "access", "explain", "--json"]
        settings = _settings(self._home, self._provider, self._resource)
        done = subprocess.run(command, input=token, capture_output=True, text=True, check=False, env=settings)
        expect(done.returncode == 0, done.stdout + done.stderr)
        return json.loads(done.stdout)


def main() -> None:
    """Run everything and exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(platformdirs.user_cache_dir("interlayer-conformance"))
    parser.add_argument("--cache", type=Path, default=default, help=f"folder for Node and packages ({default})")
    cache = parser.parse_args().cache.expanduser().absolute()
    try:
        node = install(cache, PACKAGES)
    except Failed as error:
        sys.exit(f"identity providers: {error}")
    key = signing_key("acme-1")
    enterprise = {"issuer": ENTERPRISE, "jwks": {"keys": [{name: key[name] for name in ("kty", "n", "e", "kid")}]}}
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="interlayer-providers-") as name:
        for program in ("oidc-provider", "glewlwyd"):
            folder = Path(name) / program
            folder.mkdir()
            address = f"http://localhost:{_free_port()}"
            resource, port = f"{address}/mcp", _free_port()
            if program == "glewlwyd":
                provider: Provider = Glewlwyd(folder / "provider", port, resource)
            else:
                provider = OidcProvider(node, cache, port, resource, enterprise)
            rows += check(folder, provider, address, key)
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    show("Identity providers", ["provider", "use", "as expected", "outcome"], rows)
    sys.exit(0 if all(row[2] == "yes" for row in rows) else 1)


def check(folder: Path, provider: Provider, address: str, enterprise_key: dict[str, Any]) -> list[list[str]]:
    """Start a provider and a server that trusts it, and do all uses."""
    provider.start()
    try:
        with served(folder, provider, address) as home:
            checks = Checks(provider, address, home, enterprise_key)
            checks.run()
            return checks.rows
    finally:
        provider.stop()


@contextmanager
def served(folder: Path, provider: Provider, address: str) -> Generator[Path]:
    """Run our server; yields its home."""
    home = folder / "home"
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    log = folder / "server.log"
    bind = address.removeprefix("http://").replace("localhost", "127.0.0.1")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "interlayer", "serve", "--http", bind],
            stderr=out,
            env=_settings(home, provider, f"{address}/mcp"),
        )
        try:
            wait_ready(process, f"{address}/readyz", log)
            yield home
        finally:
            process.terminate()
            process.wait(timeout=10)


def _settings(home: Path, provider: Provider, resource: str) -> dict[str, str]:
    told = {"AUTH": "jwt", "ORG": "acme", "AUTH_ISSUER": provider.issuer, "AUTH_AUDIENCE": resource}
    told["AUTH_MAPPING"] = str(home.parent / "mapping.toml")
    return {**environment(home), **{f"INTERLAYER_{name}": value for name, value in told.items()}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def expect(fine: bool, told: str) -> None:
    """Raise `AssertionError` with what came instead, unless all is fine."""
    if not fine:
        raise AssertionError(told)


if __name__ == "__main__":
    main()
