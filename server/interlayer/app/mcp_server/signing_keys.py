"""The signing keys of an identity provider: at hand when a token comes, whatever the provider is doing.

One task fetches the provider's key set (JWKS), each five minutes and when a token names a key that is not in it. Where
no address of it is configured, the provider's discovery document names it (OpenID Connect Discovery, RFC 8414). A call
finds its key in memory. Only one with an unknown key waits, for two seconds at most, and nobody else waits with it.
While the provider is away the last good keys serve, for a day at most.
"""

import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from interlayer.app.identity_provider import is_safe_address
from interlayer.errors import Unavailable

if TYPE_CHECKING:
    from jwt import PyJWK

SERVED_S: Final = 86_400.0
"""How long keys serve that cannot be fetched again."""

_FRESH_S: Final = 300.0
_FETCH_S: Final = 5.0
_FIRST_AGAIN_S: Final = 1.0  # between two fetches while there are no keys at all
_UNKNOWN_WAIT_S: Final = 2.0
_BYTES_MAX: Final = 1 << 20
_KEY_TYPES: Final = ("RSA", "EC", "OKP")  # no secret that is shared

logger = logging.getLogger(__name__)


class SigningKeys:
    """The keys that a provider publishes; `run` has to be running for them to be there.

    Between two fetches lie `interval` seconds, however many unknown keys are named.
    """

    def __init__(
        self, address: str, clock: Callable[[], float] = time.monotonic, interval: float = 10.0, issuer: str = ""
    ) -> None:
        self._interval = interval
        self._configured = address
        self._address = address
        self._issuer = issuer
        self._clock = clock
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._next_at = float("-inf")  # before which nothing is fetched; a fetch that is under way began before now
        self._trouble = ""
        self._trust: ssl.SSLContext | None = None
        self._wanted = anyio.Event()
        self._settled = anyio.Event()

    @property
    def are_there(self) -> bool:
        """Whether there are keys to go by."""
        return bool(self._keys) and self._clock() - self._fetched_at < SERVED_S

    @property
    def trouble(self) -> str:
        """What is wrong with the provider and how long that can go on; empty when nothing is."""
        if not self._trouble:
            return ""
        if not self.are_there:
            return f"its signing keys cannot be fetched ({self._trouble}), and no caller can be recognized"
        left = SERVED_S - (self._clock() - self._fetched_at)
        return (
            f"its signing keys cannot be fetched ({self._trouble}); those at hand serve for {left / 3_600:.1f} h more"
        )

    async def find(self, key_id: str) -> "PyJWK | None":
        """Return a key, None when the provider has none of that id. Raises `Unavailable` while there are no keys."""
        if self.are_there and key_id in self._keys:
            return self._keys[key_id]
        self._wanted.set()
        if self._next_at - self._clock() < _UNKNOWN_WAIT_S:
            settled = self._settled
            with anyio.move_on_after(_UNKNOWN_WAIT_S):
                await settled.wait()
        if not self.are_there:
            raise Unavailable("The identity provider's signing keys cannot be had just now; try again in some seconds.")
        return self._keys.get(key_id)

    async def run(self) -> None:
        """Keep the keys up to date until cancelled."""
        while True:
            await self.refresh()
            least = self._interval if self.are_there else min(self._interval, _FIRST_AGAIN_S)
            self._next_at = self._clock() + least
            self._settled.set()
            self._settled = anyio.Event()
            await anyio.sleep(least)
            if not self._trouble:
                with anyio.move_on_after(max(_FRESH_S - least, 0)):
                    await self._wanted.wait()
            self._wanted = anyio.Event()

    async def refresh(self) -> None:
        """Fetch the keys, or keep those at hand and say why."""
        trouble = ""
        try:
            with anyio.fail_after(_FETCH_S):
                self._address = self._address or await self._discover()
                body = await self._fetch(self._address)
            self._keys = await anyio.to_thread.run_sync(_parse, body)
            self._fetched_at = self._clock()
        except TimeoutError:
            trouble = f"no answer within {_FETCH_S:.0f} s"
        except Unavailable as error:
            trouble = str(error)
        if trouble:
            self._address = self._configured  # what was discovered may have moved
        if trouble != self._trouble:
            logger.warning("identity provider: %s", trouble or "its signing keys can be fetched again")
        self._trouble = trouble

    async def _discover(self) -> str:
        """Return where the issuer says that its keys are. Raises `Unavailable` when it does not, or is another one."""
        tried: list[str] = []
        for address in discovery_addresses(self._issuer):
            try:
                return keys_address(await self._fetch(address), self._issuer)
            except Unavailable as error:
                tried.append(str(error))
        raise Unavailable(f"no discovery document: {'; '.join(dict.fromkeys(tried))}")

    async def _fetch(self, address: str) -> bytes:
        """Return what an address answers. Raises `Unavailable` for anything but a document of fair size."""
        import httpx2

        if self._trust is None:
            self._trust = await anyio.to_thread.run_sync(ssl.create_default_context)
        try:
            async with (
                httpx2.AsyncClient(verify=self._trust, timeout=None) as client,
                client.stream("GET", address, headers={"Accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise Unavailable(f"HTTP {answer.status_code}")
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _BYTES_MAX:
                        raise Unavailable("the answer is larger than 1 MiB")
                return bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, OverflowError) as error:
            logger.debug("signing keys of %s: %r", address, error)
            raise Unavailable(f"no connection: {type(error).__name__}") from error


def discovery_addresses(issuer: str) -> list[str]:
    """Return where the metadata of an issuer can be: after its path (OpenID Connect), or before it (RFC 8414)."""
    place = urlsplit(issuer)
    origin, path = f"{place.scheme}://{place.netloc}", place.path.rstrip("/")
    known = "/.well-known"
    return [
        f"{origin}{path}{known}/openid-configuration",
        f"{origin}{known}/oauth-authorization-server{path}",
        f"{origin}{known}/openid-configuration{path}",
    ]


def keys_address(body: bytes, issuer: str) -> str:
    """Return the address of the keys in a discovery document. Raises `Unavailable` for one that cannot be trusted."""
    try:
        found = json.loads(body)
        told, address = found.get("issuer"), found.get("jwks_uri")
    except (ValueError, AttributeError, RecursionError) as error:
        raise Unavailable("the answer is no discovery document") from error
    if told != issuer:  # word by word (RFC 8414, 3.3): anything else could speak for another one
        raise Unavailable(f"it names the issuer {str(told)[:200]!r}, not {issuer!r}")
    if not isinstance(address, str) or not is_safe_address(address):
        raise Unavailable("it names no https address of keys (jwks_uri)")
    return address


def _parse(body: bytes) -> "dict[str, PyJWK]":
    """Return the keys of a key set that sign and have an id. Raises `Unavailable` when there is none."""
    from jwt import PyJWKSet, PyJWTError

    try:
        found = [key for key in PyJWKSet.from_dict(json.loads(body)).keys if isinstance(key.key_id, str)]
        signing = [key for key in found if key.key_type in _KEY_TYPES and key.public_key_use in ("sig", None)]
        keys = {str(key.key_id): key for key in signing}
    except (PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unavailable("the answer is no key set") from error
    if not keys:
        raise Unavailable("the answer holds no signing key with an id")
    return keys
