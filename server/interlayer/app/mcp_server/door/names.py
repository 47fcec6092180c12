"""By which names the server is called, and which web pages may call it.

A web page can have its own name resolve to this machine (DNS rebinding). A browser then sends that name as `Host`, and
the page as `Origin`; programs that are no browser send no `Origin`.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from interlayer.app.http_settings import HttpSettings
from interlayer.app.mcp_server.door.refusals import Refusals

OPEN_PATHS: Final = ("/healthz", "/readyz")
"""What probes ask for, by whatever address a pod or task has."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Which values of `Host` and `Origin` are taken; without any host, every `Host` is."""

    loopback: bool
    """Whether every name of this machine for itself is taken, as host and as origin."""
    hosts: frozenset[str]
    origins: frozenset[str]

    def takes_host(self, host: str) -> bool:
        """Tell whether the server may be called so; `host` may have a port."""
        host = host.lower()
        name = _name_of(f"//{host}")
        if not self.hosts and not self.loopback:
            return bool(name)
        return host in self.hosts or name in self.hosts or (self.loopback and is_loopback(name))

    def takes_origin(self, origin: str) -> bool:
        """Tell whether a web page of that origin may call."""
        origin = origin.lower()
        if origin in self.origins:
            return True
        return self.loopback and origin.startswith(("http://", "https://")) and is_loopback(_name_of(origin))


def known_names(settings: HttpSettings, bound: str, audience: str) -> KnownNames:
    """Return what is taken by a server that is bound to a host, and whose tokens are meant for an audience."""
    address = urlsplit(audience) if audience.startswith(("https://", "http://")) else None
    own = {address.netloc.lower()} if address else set[str]()
    loopback = is_loopback(bound)
    hosts = own | set(settings.hosts)
    if hosts and not loopback:
        hosts |= {bound.lower(), f"[{bound.lower()}]"}
    origins = {f"{address.scheme}://{address.netloc}".lower()} if address else set[str]()
    return KnownNames(loopback, frozenset(hosts), frozenset(origins | set(settings.origins)))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, however it is spelt."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name_of(address: str) -> str:
    """Return the host of an address, without port and brackets; empty for what is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return ""
    return "" if parts.username is not None or parts.path else parts.hostname or ""


class NameGuard:
    """Turns away requests to other names (421) and from other pages (403), before anything else looks at them."""

    def __init__(self, app: ASGIApp, names: KnownNames, refusals: Refusals, *, open_probes: bool) -> None:
        self._app = app
        self._names = names
        self._refusals = refusals
        self._open_paths = OPEN_PATHS if open_probes else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request if names allow it."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._names.takes_host(hosts[0]):
            self._refusals.note("host", f"Host {hosts}")
            told = "This server is not called by that Host. Name it in INTERLAYER_HOSTS if it is."
            await PlainTextResponse(told, 421)(scope, receive, send)
        elif not all(self._names.takes_origin(one) for one in origins):
            self._refusals.note("origin", f"Origin {origins}")
            told = "Pages of that Origin may not call this server. Name it in INTERLAYER_ORIGINS if they may."
            await PlainTextResponse(told, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
