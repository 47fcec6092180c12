"""The application behind the door: the tools at `/mcp`, health, and who gives tokens.

A request passes, from the outside in: the names that the server is called by, web pages that may read its answers, its
token, and how much it asks for. Only then the protocol SDK parses it.
"""

from typing import Final

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from interlayer.app.identity_provider import Jwt
from interlayer.app.mcp_server.authentication import JwtVerifier
from interlayer.app.mcp_server.door.challenges import challenges_of, metadata_routes
from interlayer.app.mcp_server.door.connections import connections_max
from interlayer.app.mcp_server.door.gate import BODY_MAX, Gate
from interlayer.app.mcp_server.door.health import health_routes
from interlayer.app.mcp_server.door.names import NameGuard, known_names
from interlayer.app.mcp_server.door.refusals import Refusals
from interlayer.app.mcp_server.door.token_answers import TokenAnswers
from interlayer.app.mcp_server.process import Interlayer
from interlayer.app.mcp_server.server import Authentication, InterlayerServer

_READABLE: Final = ["WWW-Authenticate", "Retry-After", "Mcp-Session-Id", "Mcp-Protocol-Version"]


def http_app(
    server: InterlayerServer,
    interlayer: Interlayer,
    host: str,
    authentication: Authentication | None = None,
    refusals: Refusals | None = None,
) -> Starlette:
    """Return the ASGI application: stateless streamable HTTP at /mcp, health at /healthz and /readyz."""
    refusals = refusals or Refusals()
    settings = interlayer.settings
    verifier, shown = authentication or (None, None)
    scopes = settings.auth.scopes if isinstance(settings.auth, Jwt) else ()
    challenges = challenges_of(shown, scopes) if shown else None
    app = server.streamable_http_app(
        stateless_http=True,
        json_response=False,
        max_request_body_size=BODY_MAX,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the name guard's part
    )
    keys = verifier.keys if isinstance(verifier, JwtVerifier) else None
    app.router.routes[:0] = [
        *health_routes(interlayer, keys, refusals, authenticated=authentication is not None),
        *(metadata_routes(shown, scopes) if shown else ()),
    ]
    audience = settings.auth.audience if isinstance(settings.auth, Jwt) else ""
    names = known_names(settings.http, host, audience)
    app.user_middleware[:0] = [
        Middleware(NameGuard, names, refusals, open_probes=authentication is not None),
        *_readable_by(settings.http.origins),
        *([Middleware(TokenAnswers, challenges)] if challenges else ()),
    ]
    app.user_middleware.append(Middleware(Gate, settings.http, refusals, connections_max(), challenges))
    return app


def _readable_by(origins: tuple[str, ...]) -> list[Middleware]:
    """Let the pages of these origins read answers, which browsers otherwise keep from them."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=_READABLE,
            max_age=3_600,
        )
    ]
