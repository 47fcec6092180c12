"""What the claims of a signed token say: organization, user, agent, on whose behalf, roles and teams.

Providers name these differently; each name that Okta, Entra, Auth0, Keycloak and Cognito use is read. A token that was
made for something else than a call, such as an ID token, is refused with the reason.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from interlayer.app.access import RESERVED_AGENTS
from interlayer.app.identity_provider import SCOPE, Jwt
from interlayer.errors import Refused
from interlayer.principal import KNOWN_ROLES, Principal

_NAME_CHARACTERS_MAX: Final = 255
_ACTORS_MAX: Final = 5
_AGENT_CLAIMS: Final = ("client_id", "azp", "cid", "appid")
_TEAM_CLAIMS: Final = ("groups", "cognito:groups")
_OTHER_KINDS: Final = {"id": "an ID token", "refresh": "a refresh token", "offline": "a refresh token"}
_ID_CLAIMS: Final = ("nonce", "at_hash", "c_hash")
_WITHHELD: Final = (
    "the tokens of people with many groups come without any (_claim_names, hasgroups), so no group counts for them. "
    "Let the provider send only groups that are assigned to the application, or app roles."
)
_ACCESS_TYPES: Final = ("jwt", "at+jwt")


class TokenRefused(Refused):
    """A token that nobody is recognized by; the message says why, and holds nothing of the token."""


def principal_of(claims: Mapping[str, Any], jwt: Jwt, organization: str) -> Principal:
    """Return whom the claims of a verified token stand for. Raises `TokenRefused`.

    The agent is the client that was given the token; where none is named, who acts (`act`), else `sub`. The user is
    `sub`, unless that is the client itself.
    """
    _demand_access_token(claims)
    _demand_client(claims)
    _demand_organization(claims, jwt, organization)
    actors = tuple(_actors(claims.get("act")))
    named = (*(claims.get(claim) for claim in _AGENT_CLAIMS), *actors, claims.get("sub"))
    agent = next((name for name in named if isinstance(name, str) and name.strip()), None)
    if agent is None:
        raise TokenRefused("the token names no client: it has none of client_id, azp, cid, appid, sub.")
    _demand_name(agent, "client")
    if agent.lower() in RESERVED_AGENTS:
        raise TokenRefused(f"the token's client is called {agent!r}, as records call the program itself.")
    user = _user(claims, agent)
    _demand_name(user, "sub")
    groups = [group for claim in (*_TEAM_CLAIMS, *jwt.mapping.group_claims) for group in _names(claims.get(claim))]
    app_roles = [*_app_roles(claims, jwt), *_realm_roles(claims)]
    grants = list(jwt.mapping.grants(groups, app_roles))
    roles = frozenset(_roles(claims, jwt)).union(*(grant.roles for grant in grants)) & KNOWN_ROLES
    teams = frozenset[str]().union(*(grant.teams for grant in grants))
    return Principal(organization, agent, roles, teams, user, actors, proven=True)


def doubts(claims: Mapping[str, Any]) -> list[str]:
    """Return what an operator should know of the tokens of a provider, though they are taken; nothing of a person."""
    sources = claims.get("_claim_names")
    withheld = isinstance(sources, dict) and any(claim in sources for claim in (*_TEAM_CLAIMS, "roles"))
    return [_WITHHELD] if withheld or claims.get("hasgroups") in (True, "true") else []


def demand_access_type(header: Mapping[str, Any]) -> None:
    """Raise `TokenRefused` for a token whose header says that it is no access token (RFC 9068, RFC 8725)."""
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _ACCESS_TYPES:
        raise TokenRefused("the token is of another kind than an access token, by its header's typ.")


def demand_audience(claims: Mapping[str, Any], jwt: Jwt) -> None:
    """Raise `TokenRefused` unless the token is meant for this server.

    Cognito writes no `aud` for clients that call for themselves: there the scope names the resource server.
    """
    told = claims.get("aud")
    if told is None and claims.get("token_use") == "access":
        ours = tuple(f"{audience}/{SCOPE}" for audience in jwt.audiences)
        if any(scope.startswith(ours) for scope in _words(claims.get("scope"))):
            return
    if not set(_names(told)) & set(jwt.audiences):
        raise TokenRefused("the token is not for this server: its audience (aud) is another one, or missing.")


def _demand_access_token(claims: Mapping[str, Any]) -> None:
    told = str(claims.get("token_use") or claims.get("typ") or "").lower()
    if told in _OTHER_KINDS:
        raise TokenRefused(f"the token is {_OTHER_KINDS[told]}; send an access token for this server.")
    if "events" in claims:
        raise TokenRefused("the token tells of an event, such as a logout; send an access token for this server.")
    marks = [name for name in _ID_CLAIMS if name in claims]
    if marks and not any(name in claims for name in ("scope", "scp")):
        told = f"the token is an ID token (it has {' and '.join(marks)}, and no scope)"
        raise TokenRefused(f"{told}; send an access token for this server.")


def _demand_client(claims: Mapping[str, Any]) -> None:
    """Refuse what nothing tells from an ID token: it names a person, and no client, scope or actor."""
    named = [claims.get(name) for name in _AGENT_CLAIMS]
    scopes = [scope for name in ("scope", "scp") for scope in _words(claims.get(name))]
    if not scopes and not claims.get("act") and not any(isinstance(name, str) and name.strip() for name in named):
        told = "it has none of client_id, azp, cid, appid, scope, scp, act"
        raise TokenRefused(f"the token may be an ID token ({told}); send an access token for this server.")


def _demand_organization(claims: Mapping[str, Any], jwt: Jwt, organization: str) -> None:
    """Refuse a token of another organization, and one that does not name its own where it has to."""
    wanted = {"organization": organization} if "organization" in claims else {}
    if jwt.organization_claim:
        wanted[jwt.organization_claim] = jwt.organization_value or organization
    for claim, value in wanted.items():
        told = claims.get(claim)
        if isinstance(told, list | dict) and len(told) == 1:  # Keycloak names the organizations of a user so
            told = next(iter(told))
        if told != value:
            raise TokenRefused(f"the token's {claim} is not the organization that this server is for.")


def _demand_name(name: str, what: str) -> None:
    if len(name) > _NAME_CHARACTERS_MAX or not name.isprintable():
        raise TokenRefused(f"the token's {what} is no name of at most {_NAME_CHARACTERS_MAX} printable characters.")


def _actors(act: Any) -> Iterator[str]:
    """Yield who acts for the user (RFC 8693), the present actor first."""
    for _ in range(_ACTORS_MAX):
        if act is None:
            return
        actor = act.get("sub") or act.get("client_id") if isinstance(act, dict) else None
        if not isinstance(actor, str) or not actor.strip():
            break
        _demand_name(actor, "act")
        yield actor
        act = act.get("act")
    if act is not None:
        raise TokenRefused(f"the token's act is no chain of at most {_ACTORS_MAX} actors with a sub.")


def _user(claims: Mapping[str, Any], agent: str) -> str:
    """Return the person behind the agent; empty where the agent calls for itself (client credentials)."""
    subject = claims.get("sub")
    alone = (
        subject in (agent, f"{agent}@clients"),  # Okta, Cognito; Auth0
        claims.get("gty") == "client-credentials",  # Auth0
        claims.get("idtyp") == "app",  # Entra
        "tid" in claims and "scp" not in claims and claims.get("oid") == subject,  # Entra without idtyp
        str(claims.get("preferred_username", "")).startswith("service-account-"),  # Keycloak
    )
    return "" if any(alone) or not isinstance(subject, str) else subject


def _roles(claims: Mapping[str, Any], jwt: Jwt) -> Iterator[str]:
    """Yield what the token lets the caller do, and other things; plain names count where they can be only ours."""
    yield from (role.removeprefix(SCOPE) for role in _app_roles(claims, jwt))
    shared = [word for claim in ("scope", "scp", "permissions") for word in _words(claims.get(claim))]
    for name in (*shared, *_realm_roles(claims)):
        for before in ("", *(f"{audience}/" for audience in jwt.audiences)):  # as Cognito writes them
            if name.startswith(before + SCOPE):
                yield name.removeprefix(before + SCOPE)


def _app_roles(claims: Mapping[str, Any], jwt: Jwt) -> list[str]:
    ours = [_words(_inside(claims, "resource_access", audience, "roles")) for audience in jwt.audiences]
    return [*_words(claims.get("roles")), *(role for roles in ours for role in roles)]


def _realm_roles(claims: Mapping[str, Any]) -> list[str]:
    return _words(_inside(claims, "realm_access", "roles"))


def _inside(claims: Mapping[str, Any], *path: str) -> Any:
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _names(value: Any) -> list[str]:
    """Return the names of a claim, which is one name or a list; a name may have spaces in it, and nothing unseen."""
    told = [value] if isinstance(value, str) else _words(value)
    return [name for name in told if name.strip() and name.isprintable() and len(name) <= _NAME_CHARACTERS_MAX]


def _words(value: Any) -> list[str]:
    """Return the words of a claim, which is a text with spaces or a list."""
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
