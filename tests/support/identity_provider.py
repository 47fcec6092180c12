"""An identity provider on this machine: it signs what it is told to, and publishes its keys or does not."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://login.acme.example/"
AUDIENCE = "https://interlayer.acme.example/mcp"
_SLOW_S = 8.0


class IdentityProvider:
    """Its key is `k1` until it is rotated; `mood` says how it answers: well, slow (8 s), away (503) or hanging."""

    def __init__(self) -> None:
        self.mood = "well"
        self.fetches = 0
        self.address = ""
        self.metadata_path = "/.well-known/openid-configuration"
        self.released = threading.Event()
        self._generation = 1
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    @property
    def key_id(self) -> str:
        return f"k{self._generation}"

    def rotate(self) -> None:
        self._generation += 1
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    def key_set(self) -> bytes:
        published = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**published, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}).encode()

    @property
    def origin(self) -> str:
        """Its issuer, to whoever looks for its keys there."""
        return self.address.removesuffix("/jwks.json")

    def metadata(self) -> bytes:
        return json.dumps({"issuer": self.origin, "jwks_uri": self.address}).encode()

    def token(self, key: Any = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token for an agent that works for a person; None leaves a claim out."""
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
        return jwt.encode(given, key or self._key, algorithm="RS256", headers={"kid": self.key_id, **(headers or {})})

    def settings(self) -> dict[str, str]:
        """Return what a server is told of it."""
        told = {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE, "AUTH_JWKS": self.address}
        return {"AUTH": "jwt", "ORG": "acme", **told}


@contextmanager
def identity_provider() -> Generator[IdentityProvider]:
    """Run an identity provider."""
    provider = IdentityProvider()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.fetches += 1
            if provider.mood == "hanging":
                provider.released.wait()
                return
            if provider.mood == "slow":
                provider.released.wait(_SLOW_S)
            good, known = provider.mood in ("well", "slow"), self.path in ("/jwks.json", provider.metadata_path)
            told = provider.key_set if self.path == "/jwks.json" else provider.metadata
            with suppress(ConnectionError):  # whoever asked may wait no longer
                self.send_response(503 if not good else 200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(told() if good else b"{}")

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - named by the base class

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    provider.address = f"http://127.0.0.1:{server.server_port}/jwks.json"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
