"""Identity providers that run on this machine, configured as docs/identity-providers.md says.

Two programs by different people: oidc-provider (npm, in Node) and Glewlwyd (Debian, in C). Each has two persons, a
public client that asks for a code (as an assistant's connector does) and a confidential one that calls for itself.
"""

import json
import os
import re
import sqlite3
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CONNECTOR: Final = "connector"
FRAMEWORK: Final = "framework"
SECRET: Final = "a-secret-of-forty-characters-and-not-less"  # noqa: S105 - of a client that lives as long as this check
CALLBACK: Final = "https://claude.ai/api/mcp/auth_callback"
LOCAL_CALLBACK: Final = "http://localhost:33418/"
PASSWORD: Final = "correct horse battery"  # noqa: S105 - as above
SCOPES: Final = ("interlayer:reader", "interlayer:writer")
GROUPS: Final = {"ann": "support", "bob": "stewards"}
DOCUMENT: Final = "https://assistant.example/oauth/client.json"
"""Where a client that no provider knows publishes its metadata; that address is its id."""

_STARTED_S: Final = 30
_STEPS_MAX: Final = 15
_SCHEMA: Final = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
_MODULES: Final = Path("/usr/lib/glewlwyd")


def signing_key(key_id: str) -> dict[str, Any]:
    """Return a new private key as a provider is given it."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": key_id, "use": "sig", "alg": "RS256"}


class Provider(ABC):
    """A provider that runs. Signing in is done over HTTP, as a browser would do it."""

    name: str
    issuer: str
    registers_as: str = "none"
    """How a client that registers itself (RFC 7591) shows who it is; `none`: it is a public one."""
    reads_documents: bool = False
    """Whether a client may be known by a document at its address."""
    takes_assertions: bool = False
    """Whether it issues tokens for assertions of an enterprise (ID-JAG)."""

    @abstractmethod
    def start(self) -> None:
        """Start it, with a new key and nobody registered."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""

    @abstractmethod
    def sign_in(self, address: str, person: str) -> str:
        """Open the page of an authorization request, sign in, consent; return where the browser is sent back to."""

    @abstractmethod
    def rotate(self) -> None:
        """Sign with a new key from now on, and publish the old one no more."""

    def metadata(self) -> dict[str, Any]:
        """Return its discovery document."""
        return httpx2.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status().json()


class Form(HTMLParser):
    """The first form of a page: where it goes, and what it sends unless somebody fills it in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of forms and their fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = given["action"]
        elif tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")


class OidcProvider(Provider):
    """oidc-provider, started by `oidc_provider.mjs`."""

    reads_documents = True
    takes_assertions = True

    def __init__(self, node: Path, packages: Path, port: int, resource: str, enterprise: Mapping[str, Any]) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.name = f"oidc-provider {_version(packages)}"
        script = packages / "oidc_provider.mjs"  # beside its modules, or Node does not find them
        script.write_bytes((Path(__file__).parent / "oidc_provider.mjs").read_bytes())
        self._command = [str(node), str(script)]
        self._given: dict[str, Any] = {"port": port, "resource": resource, "enterprise": enterprise}
        self._process: subprocess.Popen[bytes] | None = None
        self._keys = 0

    def start(self) -> None:
        """Start it with a new key; whoever was registered is forgotten."""
        self._keys += 1
        client = {"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"]}
        code = {**client, "response_types": ["code"], "token_endpoint_auth_method": "none"}
        alone = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": []}
        asserting = {**alone, "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]}
        document = {**code, "client_id": DOCUMENT, "client_name": "Assistant", "redirect_uris": [LOCAL_CALLBACK]}
        given: dict[str, Any] = {
            **self._given,
            "jwks": {"keys": [signing_key(f"key-{self._keys}")]},
            "clients": [
                {"client_id": CONNECTOR, **code},
                {"client_id": FRAMEWORK, "client_secret": SECRET, **alone},
                {
                    "client_id": "desk",
                    "client_secret": SECRET,
                    "token_endpoint_auth_method": "client_secret_post",
                    **asserting,
                },
            ],
            "documents": {DOCUMENT: document},
        }
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, "GIVEN": json.dumps(given)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait(f"{self.issuer}/jwks")

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=10)

    def rotate(self) -> None:
        """Start it again with another key, as an operator does who replaces a leaked one."""
        self.stop()
        self.start()

    def sign_in(self, address: str, person: str) -> str:
        """Fill in the forms of its pages, as a browser shows them."""
        with httpx2.Client() as browser:
            answer = browser.get(address)
            for _ in range(_STEPS_MAX):
                if answer.is_redirect:
                    address = urljoin(str(answer.url), answer.headers["location"])
                    if not address.startswith(self.issuer):
                        return address
                    answer = browser.get(address)
                else:
                    form = Form(answer.raise_for_status().text)
                    typed = {"login": person, "password": PASSWORD}
                    filled = {name: typed.get(name, value) for name, value in form.fields.items()}
                    answer = browser.post(urljoin(str(answer.url), form.action), data=filled)
        raise RuntimeError(f"signing in did not end: {answer.status_code} {answer.text[:300]}")


class Glewlwyd(Provider):
    """Glewlwyd of Debian, with a database of its own in a folder, set up over its administration API."""

    registers_as = "client_secret_post"

    def __init__(self, folder: Path, port: int, resource: str) -> None:
        self._address = f"http://localhost:{port}"
        self._api = f"{self._address}/api"
        self.issuer = f"{self._api}/oidc"
        asked = ["dpkg-query", "-W", "-f=${Version}", "glewlwyd"]
        self.name = f"Glewlwyd {subprocess.check_output(asked, text=True)}"
        self._folder = folder
        self._port = port
        self._resource = resource
        self._process: subprocess.Popen[bytes] | None = None
        self._keys = 0

    def start(self) -> None:
        """Start it with an empty database and set it up."""
        unused = self._folder / "unused"
        unused.mkdir(parents=True)
        with sqlite3.connect(self._folder / "glewlwyd.db") as database:
            database.executescript(_SCHEMA.read_text(encoding="utf-8"))
        settings = {
            "port": self._port,
            "bind_address": "127.0.0.1",
            "external_url": self._address,
            "api_prefix": "api",
            "log_mode": "console",
            "log_level": "ERROR",
            "cookie_secure": 0,
            "session_key": "GLEWLWYD2_SESSION_ID",
            "admin_scope": "g_admin",
            "profile_scope": "g_profile",
            "hash_algorithm": "SHA512",
            "user_module_path": str(_MODULES / "user"),
            "user_middleware_module_path": str(unused),
            "client_module_path": str(_MODULES / "client"),
            "user_auth_scheme_module_path": str(_MODULES / "scheme"),
            "plugin_module_path": str(_MODULES / "plugin"),
        }
        lines = [f"{name}={json.dumps(value)}" for name, value in settings.items()]
        lines.append(f'database = {{ type = "sqlite3"; path = "{self._folder}/glewlwyd.db"; }};')
        file = self._folder / "glewlwyd.conf"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process = subprocess.Popen(["glewlwyd", f"--config-file={file}"], stdout=subprocess.DEVNULL)  # noqa: S607
        _wait(f"{self._address}/api/config")
        self._set_up()

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=10)

    def rotate(self) -> None:
        """Give it another key while it runs."""
        with self._administration() as admin:
            admin.put("/mod/plugin/oidc", json=self._plugin()).raise_for_status()
            admin.put("/mod/plugin/oidc/reset").raise_for_status()

    def sign_in(self, address: str, person: str) -> str:
        """Do what the script of its sign-in page does: sign in, grant, and go on."""
        asked = parse_qs(urlsplit(address).query)
        with httpx2.Client() as browser:
            browser.post(f"{self._api}/auth/", json={"username": person, "password": PASSWORD}).raise_for_status()
            granted = {"scope": asked["scope"][0]}
            browser.put(f"{self._api}/auth/grant/{asked['client_id'][0]}", json=granted).raise_for_status()
            answer = browser.get(f"{address}&g_continue")
        return answer.headers["location"]

    @contextmanager
    def _administration(self) -> Generator[httpx2.Client]:
        with httpx2.Client(base_url=self._api) as admin:
            admin.post("/auth/", json={"username": "admin", "password": "password"}).raise_for_status()
            yield admin

    def _set_up(self) -> None:
        with self._administration() as admin:
            users = admin.get("/mod/user/database").raise_for_status().json()
            users["parameters"]["data-format"]["groups"] = {"multiple": False, "read": True, "write": True}
            admin.put("/mod/user/database", json=users).raise_for_status()
            admin.put("/mod/user/database/reset").raise_for_status()
            for scope in SCOPES:
                body: dict[str, Any] = {"name": scope, "display_name": scope, "description": scope}
                body |= {"password_required": True, "password_max_age": 0, "scheme": {}, "scheme_required": {}}
                admin.post("/scope/", json=body).raise_for_status()
            admin.post("/mod/plugin/", json=self._plugin()).raise_for_status()
            for person, groups in GROUPS.items():
                body = {"username": person, "name": person, "password": PASSWORD, "groups": groups}
                body |= {"scope": ["openid", "g_profile", *SCOPES], "enabled": True}
                admin.post("/user/", json=body).raise_for_status()
            public = {"client_id": CONNECTOR, "name": CONNECTOR, "confidential": False, "scope": [], "enabled": True}
            public |= {"authorization_type": ["code", "refresh_token"], "token_endpoint_auth_method": ["none"]}
            admin.post("/client/", json={**public, "redirect_uri": [CALLBACK]}).raise_for_status()
            alone = {"client_id": FRAMEWORK, "name": FRAMEWORK, "confidential": True, "scope": list(SCOPES)}
            alone |= {"enabled": True, "client_secret": SECRET, "redirect_uri": []}
            alone |= {
                "authorization_type": ["client_credentials"],
                "token_endpoint_auth_method": ["client_secret_basic"],
            }
            admin.post("/client/", json=alone).raise_for_status()

    def _plugin(self) -> dict[str, Any]:
        self._keys += 1
        parameters = {
            "iss": self.issuer,
            "jwks-private": json.dumps({"keys": [signing_key(f"key-{self._keys}")]}),
            "jwt-type": "rsa",
            "jwt-key-size": "256",
            "jwks-show": True,
            "access-token-duration": 600,
            "refresh-token-duration": 3600,
            "code-duration": 600,
            "refresh-token-one-use": "always",
            "allow-non-oidc": True,
            "auth-type-code-enabled": True,
            "auth-type-client-enabled": True,
            "auth-type-refresh-enabled": True,
            "pkce-allowed": True,
            "pkce-required": True,
            "resource-allowed": True,
            "resource-scope": {scope: [self._resource] for scope in SCOPES},
            "allowed-scope": ["openid", *SCOPES],
            "oauth-as-iss-id": True,
            "additional-parameters": [{"user-parameter": "groups", "token-parameter": "groups"}],
            "register-client-allowed": True,
            "register-client-auth-scope": [],
            "register-client-credentials-scope": [],
        }
        return {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "parameters": parameters}


def _version(packages: Path) -> str:
    manifest = packages / "node_modules" / "oidc-provider" / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])


def _wait(address: str) -> None:
    deadline = time.monotonic() + _STARTED_S
    while time.monotonic() < deadline:
        try:
            if httpx2.get(address).status_code < 500:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"{re.sub(r'/api.*', '', address)} did not start")
