"""Who calls over HTTP: a bearer token becomes a principal, or the caller is turned away.

Two kinds of token are taken, one at a time: API keys of our own (`access`), and signed tokens of the organization's
identity provider. A process serves one organization; a token of another one is no token here.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio
import anyio.to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings

from interlayer.app.access import Access, expiry_seconds
from interlayer.app.settings import Jwt
from interlayer.errors import InterlayerError, Refused
from interlayer.principal import ALL_ROLES, Principal

SCOPE: Final = "interlayer:"
"""Begins each scope of a token that is one of our roles, such as `interlayer:reader`."""

_REMEMBERED_S: Final = 15.0
_REMEMBERED_MAX: Final = 1_000
_KEYS_WAIT_S: Final = 10.0
_LEEWAY_S: Final = 30
_AGENT_CHARACTERS_MAX: Final = 200
_AGENT_CLAIMS: Final = ("client_id", "azp", "sub")
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_PRINCIPAL: Final = "interlayer_principal"
_UNPUBLISHED: Final = "https://keys.invalid"  # the SDK wants an issuer; without a resource it is never shown

logger = logging.getLogger(__name__)


def caller() -> Principal:
    """Return who makes the present call. Raises `Refused` when that is nobody."""
    token = get_access_token()
    principal = (token.claims or {}).get(_PRINCIPAL) if token else None
    if not isinstance(principal, Principal):
        raise Refused("this server answers authenticated callers only; send a bearer token.")
    return principal


class KeyVerifier(TokenVerifier):
    """Recognizes API keys, and a recognized one for 15 s without another look; revoking takes as long to be felt."""

    def __init__(self, access: Callable[[], Awaitable[Access]], organization: str) -> None:
        self._access = access
        self._organization = organization
        self._known: dict[str, tuple[float, AccessToken]] = {}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whom the token stands for, None when it is no key in force."""
        now = anyio.current_time()
        until, known = self._known.get(token, (0.0, None))
        if known and now < until:
            return known
        self._known.pop(token, None)
        try:
            found = await (await self._access()).caller(self._organization, token)
        except InterlayerError as error:
            logger.warning("an API key could not be looked up: %s", error)
            return None
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
        self._jwt = jwt
        self._organization = organization
        self._keys: Any = None

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whom the token stands for; None when signature, issuer, audience, time or organization do not fit."""
        import jwt

        try:
            claims = await anyio.to_thread.run_sync(self._claims, token)
        except jwt.PyJWTError as error:
            logger.info("a token was turned away: %s", error)
            return None
        principal = principal_of(claims, self._organization)
        return _access_token(token, principal, int(claims["exp"])) if principal else None

    def _claims(self, token: str) -> dict[str, Any]:
        import jwt

        if self._keys is None:
            self._keys = jwt.PyJWKClient(self._jwt.jwks, timeout=_KEYS_WAIT_S)  # keeps the keys for five minutes
        key = self._keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            audience=self._jwt.audience,
            issuer=self._jwt.issuer,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "iss", "aud"]},
        )


def principal_of(claims: Mapping[str, Any], organization: str) -> Principal | None:
    """Return whom the claims of a verified token stand for, None when they name no agent or another organization.

    The agent is the client that was given the token (`client_id`, `azp`), else `sub`; roles are `roles` and those
    scopes that begin with `interlayer:`; teams are `groups`.
    """
    if claims.get("organization", organization) != organization:
        return None
    named = (claims.get(claim) for claim in _AGENT_CLAIMS)
    agent = next((name for name in named if isinstance(name, str) and name.strip()), None)
    if agent is None or len(agent) > _AGENT_CHARACTERS_MAX or not agent.isprintable():
        return None
    scopes = {word.removeprefix(SCOPE) for word in _words(claims.get("scope")) if word.startswith(SCOPE)}
    roles = (scopes | set(_words(claims.get("roles")))) & ALL_ROLES
    return Principal(organization, agent, frozenset(roles), frozenset(_words(claims.get("groups"))))


def auth_settings(jwt: Jwt | None) -> AuthSettings:
    """Tell the SDK what it wants to know: with an identity provider, which one, so that clients can find it."""
    if jwt is None:
        return AuthSettings.model_validate({"issuer_url": _UNPUBLISHED, "resource_server_url": None})
    resource = jwt.audience if jwt.audience.startswith(("https://", "http://")) else None
    # The verifier checks the audience itself.
    told = {"issuer_url": jwt.issuer, "resource_server_url": resource, "validate_token_resource": False}
    return AuthSettings.model_validate(told)


def _access_token(token: str, principal: Principal, expires_at: int | None) -> AccessToken:
    return AccessToken(
        token=token,
        client_id=principal.agent,
        scopes=sorted(SCOPE + role for role in principal.roles),
        expires_at=expires_at,
        claims={_PRINCIPAL: principal},
    )


def _words(value: Any) -> list[str]:
    """Return the words of a claim, which is a text with spaces or a list."""
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
