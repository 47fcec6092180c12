"""What a caller without the right token is told: who gives one, and which scopes to ask for (RFC 9728, RFC 6750)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mcp.server.auth.handlers.metadata import ProtectedResourceMetadataHandler
from mcp.server.auth.routes import build_resource_metadata_url, cors_middleware
from mcp.server.auth.settings import AuthSettings
from mcp.shared.auth import ProtectedResourceMetadata
from starlette.routing import Route

from interlayer.app.identity_provider import SCOPE

_REASON_CHARACTERS_MAX: Final = 200
_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Challenges:
    """What `WWW-Authenticate` says; `scopes` are those that clients ask for at first, none where they ask for none."""

    metadata_address: str = ""
    scopes: tuple[str, ...] = ()

    def unauthorized(self, reason: str) -> str:
        """Return the challenge to a request whose token nobody is recognized by."""
        plain = header_text(reason)
        return f'Bearer error="invalid_token", error_description="{plain}"{self._where(self.scopes)}'

    def insufficient(self, role: str, reason: str) -> str:
        """Return the challenge to a request that needs a further role.

        The scopes to get are those of a first request and the one that is lacking, whatever this token has.
        """
        scopes = dict.fromkeys([*self.scopes, self._scope_of(role)])
        return f'Bearer error="insufficient_scope", error_description="{header_text(reason)}"{self._where(scopes)}'

    def _where(self, scopes: Iterable[str]) -> str:
        named = " ".join(scopes)
        scope = f', scope="{named}"' if named else ""
        return scope + (f', resource_metadata="{self.metadata_address}"' if self.metadata_address else "")

    def _scope_of(self, role: str) -> str:
        """Write the scope of a role as the first scopes are written, which may have an address before them."""
        before = next((one.partition(SCOPE)[0] for one in self.scopes if SCOPE in one), "")
        return f"{before}{SCOPE}{role}"


def challenges_of(settings: AuthSettings, scopes: tuple[str, ...]) -> Challenges:
    """Return the challenges of a server; without an address of its own it cannot say who gives tokens."""
    resource = settings.resource_server_url
    return Challenges(str(build_resource_metadata_url(resource)) if resource else "", scopes)


def metadata_routes(settings: AuthSettings, scopes: tuple[str, ...]) -> list[Route]:
    """Return where clients look for who gives tokens: below the path of the tools, and at the root."""
    if settings.resource_server_url is None:
        return []
    told = ProtectedResourceMetadata(
        resource=settings.resource_server_url,
        authorization_servers=[settings.issuer_url],
        scopes_supported=list(scopes) or None,
        resource_name="Interlayer",
    )
    methods = ["GET", "OPTIONS"]
    answer = cors_middleware(ProtectedResourceMetadataHandler(told).handle, methods)
    path = str(build_resource_metadata_url(settings.resource_server_url)).partition(_WELL_KNOWN)[2]
    return [Route(_WELL_KNOWN + where, endpoint=answer, methods=methods) for where in dict.fromkeys(("", path))]


def header_text(reason: str) -> str:
    """Return a reason as a quoted string of a header can hold it."""
    plain = reason.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'")
    return "".join(character for character in plain if character.isprintable())[:_REASON_CHARACTERS_MAX]
