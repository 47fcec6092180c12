"""What this server makes of a bearer token, told to an operator: whom it stands for, or why it is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from interlayer.app.identity_provider import Jwt
from interlayer.errors import InvalidInput, Refused, Unavailable
from interlayer.principal import Principal

if TYPE_CHECKING:
    from interlayer.app.composition import Parts

_HEADER: Final = ("alg", "kid", "typ")
_CLAIMS: Final = (
    *("iss", "aud", "sub", "client_id", "azp", "cid", "appid", "act", "scope", "scp", "roles", "groups", "permissions"),
    *("realm_access", "resource_access", "cognito:groups", "org_id", "organization", "tid", "token_use", "idtyp"),
)
_CHARACTERS_MAX: Final = 200
_LONG_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class TokenReport:
    """Whom a token stands for, or why it is refused, and what of it decided that; never the token."""

    refused: str = ""
    organization: str = ""
    agent: str = ""
    user: str = ""
    actors: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    until: str = ""
    notes: tuple[str, ...] = ()
    says: Mapping[str, str] | None = None
    """Claims by name, as the token has them, believed or not."""


async def report_on(parts: "Parts", token: str) -> TokenReport:
    """Return what a server with these settings makes of a token. Raises `InvalidInput` where it takes none."""
    auth = parts.settings.auth
    if isinstance(auth, Jwt):
        return await _of_provider(auth, parts.settings.principal.organization, token)
    if auth == "none":
        raise InvalidInput("INTERLAYER_AUTH", "is none: tokens are not looked at.", "Set it as the server has it.")
    found = await parts.access.caller(parts.settings.principal.organization, token)
    if found is None:
        return TokenReport(refused="it is no API key in force.")
    key, principal = found
    return _recognized(principal, key.expires_at or "revoked")


async def _of_provider(auth: Jwt, organization: str, token: str) -> TokenReport:
    from interlayer.app.mcp_server.authentication import JwtVerifier
    from interlayer.app.mcp_server.token_claims import doubts

    says = _told(token, auth)
    verifier = JwtVerifier(auth, organization)
    await verifier.keys.refresh()
    if not verifier.keys.are_there:
        raise Unavailable(f"identity provider: {verifier.keys.trouble}.")
    try:
        principal, claims = await verifier.recognize(token)
    except Refused as error:
        return TokenReport(refused=str(error), notes=_differences(token, auth), says=says)
    until = datetime.fromtimestamp(int(claims["exp"]), UTC)
    notes = [*doubts(claims), *_remarks(principal, claims)]
    return replace(_recognized(principal, until.isoformat()), notes=tuple(notes), says=says)


def _recognized(principal: Principal, until: str) -> TokenReport:
    return TokenReport(
        organization=principal.organization,
        agent=principal.agent,
        user=principal.user,
        actors=principal.actors,
        roles=tuple(sorted(principal.roles)),
        teams=tuple(sorted(principal.teams)),
        until=until,
    )


def _remarks(principal: Principal, claims: Mapping[str, Any]) -> list[str]:
    remarks: list[str] = []
    if not principal.roles:
        remarks.append(
            "it gives no role, so no tool answers: let it carry a scope such as interlayer:reader, or map it."
        )
    if not principal.user:
        remarks.append("no person is behind it: the client calls for itself.")
    if "iat" in claims and int(claims["exp"]) - int(claims["iat"]) > _LONG_S:
        remarks.append("it is good for more than a day, and cannot be called back before that.")
    return remarks


def _differences(token: str, auth: Jwt) -> tuple[str, ...]:
    """Return where a refused token says otherwise than the settings want it."""
    _, claims = _unverified(token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    found: list[str] = []
    if claims and claims.get("iss") != auth.issuer:
        found.append(f"INTERLAYER_AUTH_ISSUER is {auth.issuer}")
    if claims and not set(map(str, audiences)) & set(auth.audiences):
        found.append(f"INTERLAYER_AUTH_AUDIENCE is {', '.join(auth.audiences)}")
    if not claims:
        found.append("it is no JSON Web Token: the provider has to issue signed access tokens for this audience")
    return tuple(found)


def _told(token: str, auth: Jwt) -> dict[str, str]:
    header, claims = _unverified(token)
    names = (*_CLAIMS, *auth.mapping.group_claims, *([auth.organization_claim] if auth.organization_claim else []))
    parts = [(name, header[name]) for name in _HEADER if name in header]
    parts += [(name, claims[name]) for name in dict.fromkeys(names) if name in claims]
    return {name: _short(value) for name, value in parts}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    return "".join(one if one.isprintable() else "?" for one in text)[:_CHARACTERS_MAX]


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import jwt

    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return {}, {}
    return dict(read["header"]), dict(read["payload"])
