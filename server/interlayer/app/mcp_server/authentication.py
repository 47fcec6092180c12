"""Who calls over HTTP: a bearer token becomes a principal, or the caller is turned away.

Two kinds of token are taken, one at a time: API keys of our own (`access`), and signed tokens of the organization's
identity provider. A process serves one organization; a token of another one is no token here.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import anyio
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings

from interlayer.app.access import Access, expiry_seconds
from interlayer.app.identity_provider import SCOPE, Jwt
from interlayer.app.mcp_server.signing_keys import SigningKeys
from interlayer.app.mcp_server.token_claims import (
    TokenRefused,
    demand_access_type,
    demand_audience,
    doubts,
    principal_of,
)
from interlayer.errors import InterlayerError, Refused, Unavailable
from interlayer.principal import Principal

_REMEMBERED_S: Final = 5.0
_REMEMBERED_MAX: Final = 1_000
_LOOK_S: Final = 2.0
_LEEWAY_S: Final = 30
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_PRINCIPAL: Final = "interlayer_principal"
_UNPUBLISHED: Final = "https://keys.invalid"  # the SDK wants an issuer; without a resource it is never shown

logger = logging.getLogger(__name__)


class Unrecognized(Unavailable):
    """A caller cannot be told by its token just now, and that is no fault of the token."""


def caller() -> Principal:
    """Return who makes the present call. Raises `Refused` when that is nobody."""
    principal = principal_in(get_access_token())
    if principal is None:
        raise Refused("this server answers authenticated callers only; send a bearer token.")
    return principal


def principal_in(token: AccessToken | None) -> Principal | None:
    """Return whom a token stands for that was recognized."""
    principal = (token.claims or {}).get(_PRINCIPAL) if token else None
    return principal if isinstance(principal, Principal) else None


class KeyVerifier(TokenVerifier):
    """Recognizes API keys, and a recognized one for 5 s without another look; revoking takes as long to be felt."""

    def __init__(self, access: Callable[[], Awaitable[Access]], organization: str) -> None:
        self._access = access
        self._organization = organization
        self._known: dict[str, tuple[float, AccessToken]] = {}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whom the token stands for, None when it is no key in force. Raises `Unrecognized`."""
        now = anyio.current_time()
        until, known = self._known.get(token, (0.0, None))
        if known and now < until:
            return known
        self._known.pop(token, None)
        try:
            found = await (await self._access()).caller(self._organization, token)
        except InterlayerError as error:
            logger.warning("an API key could not be looked up: %s", error)
            raise Unrecognized("API keys cannot be looked up just now; try again in some seconds.") from error
        if found is None:
            return None
        key, principal = found
        recognized = _access_token(token, principal, expiry_seconds(key))
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[token] = now + _REMEMBERED_S, recognized
        return recognized


class JwtVerifier(TokenVerifier):
    """Recognizes tokens that an identity provider has signed for us (RFC 9068; keys by its JWKS document)."""

    def __init__(self, jwt: Jwt, organization: str) -> None:
        self.keys = SigningKeys(jwt.jwks, issuer=jwt.issuer)
        self._jwt = jwt
        self._organization = organization
        self._doubts: set[str] = set()

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whom the token stands for. Raises `TokenRefused`, and `Unrecognized` while there are no keys."""
        principal, claims = await self.recognize(token)
        for doubt in doubts(claims):
            if doubt not in self._doubts:
                self._doubts.add(doubt)  # said once a process: it is so for everybody alike
                logger.warning("identity provider: %s", doubt)
        return _access_token(token, principal, int(claims["exp"]))

    async def recognize(self, token: str) -> tuple[Principal, Mapping[str, Any]]:
        """Return whom the token stands for, and its claims. Raises as `verify_token` does."""
        import jwt

        try:
            claims = await self._claims(token)
            return principal_of(claims, self._jwt, self._organization), claims
        except (jwt.PyJWTError, TokenRefused) as error:
            logger.info("a token was turned away: %s", error)
            raise TokenRefused(str(error)) from error
        except Unavailable as error:
            raise Unrecognized(str(error)) from error

    async def _claims(self, token: str) -> dict[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
        except jwt.DecodeError as error:
            told = (
                "the token is no signed JSON Web Token; the client has to ask the identity provider for this resource."
            )
            raise TokenRefused(told) from error
        if header.get("alg") not in _ALGORITHMS or not header.get("kid"):
            raise TokenRefused("the token is not signed with a key of the identity provider that it names (alg, kid).")
        key = await self.keys.find(header["kid"])
        if key is None:
            raise TokenRefused("the identity provider has no key of the id (kid) that the token is signed with.")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            issuer=self._jwt.issuer,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "iss"], "verify_aud": False},
        )
        demand_access_type(header)
        demand_audience(claims, self._jwt)
        return claims


async def wait_for_end(verifier: TokenVerifier) -> None:
    """Return when the token of the present call is in force no more."""
    token = get_access_token()
    while token:
        left = token.expires_at - time.time() if token.expires_at else _LOOK_S
        await anyio.sleep(min(max(left, 0.0), _LOOK_S))
        if token.expires_at and token.expires_at <= time.time():
            return
        try:
            if await verifier.verify_token(token.token) is None:
                return
        except TokenRefused:
            return
        except Unrecognized:  # nothing is known against it
            continue


def auth_settings(jwt: Jwt | None, hosts: Sequence[str] = ()) -> AuthSettings:
    """Tell the SDK what it wants to know: with an identity provider, which one, so that clients can find it.

    Our own address is the audience; where that is none, as with Entra, the first host that the server is called by.
    """
    if jwt is None:
        return AuthSettings.model_validate({"issuer_url": _UNPUBLISHED, "resource_server_url": None})
    named = f"https://{hosts[0]}/mcp" if hosts else None
    resource = jwt.audience if jwt.audience.startswith(("https://", "http://")) else named
    # The verifier checks the audience itself.
    told = {"issuer_url": jwt.issuer, "resource_server_url": resource, "validate_token_resource": False}
    return AuthSettings.model_validate(told)


def _access_token(token: str, principal: Principal, expires_at: int | None) -> AccessToken:
    return AccessToken(
        token=token,
        client_id=principal.agent,
        scopes=sorted(SCOPE + role for role in principal.roles),
        expires_at=expires_at,
        subject=principal.user or None,
        claims={_PRINCIPAL: principal},
    )
