"""API keys: which agent a caller over HTTP is, and what it may do.

A key is shown once, when it is made; what is stored is the SHA-256 of its secret, which is 256 random bits, so there is
nothing to guess. Keys lie in table `governance`, partition `ORG#access`, by id. Making and revoking one is an event of
the audit trail.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.ids import Clock, new_id, parse_instant, timestamp
from interlayer.principal import KNOWN_ROLES, Principal
from interlayer.storage.items import Item, ItemStore, Key, Put
from interlayer.storage.optimistic import optimistically

PREFIX: Final = "ilk"
"""Begins the id of every key, and so every key."""

RESERVED_AGENTS: Final = ("extraction", "interlayer", "retention")
"""Names that records give to the program itself."""

_AGENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:/ -]{0,127}")
_USER_CHARACTERS_MAX: Final = 255
_SECRET_BYTES: Final = 32
_DAYS_MAX: Final = 3_650
_TOKEN_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is on record; instants are ISO 8601 in UTC."""

    id: str
    agent: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None = None
    revoked_at: str | None = None
    user: str = ""
    """On whose behalf the agent calls; empty where it calls for itself."""

    def holds(self, now: datetime) -> bool:
        """Tell whether the key can be used at an instant."""
        return self.revoked_at is None and (self.expires_at is None or timestamp(now) < self.expires_at)


class Access:
    """Makes, lists, revokes and recognizes the keys of organizations."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock

    async def create(
        self,
        principal: Principal,
        agent: str,
        roles: Collection[str],
        teams: Collection[str] = (),
        days: int | None = None,
        user: str = "",
    ) -> tuple[ApiKey, str]:
        """Make a key for an agent, for a person with `user`; return it with the token that callers send.

        Nobody can show the token again.

        Raises `Refused` without the role operator, and where an operator has a key, for whoever does not use one;
        `InvalidInput` for no role, an unknown one, an odd name or duration.
        """
        _demand_operator(principal)
        if not principal.proven and any(_is_of_operator(key, self._clock()) for key in await self.keys(principal)):
            told = "keys are made by an operator who is recognized"
            raise Refused(f"{told}: set INTERLAYER_TOKEN to a key with the role operator and a user")
        _demand_names(agent, user)
        unknown = set(roles) - KNOWN_ROLES
        if unknown or not roles:
            told = f"unknown: {', '.join(sorted(unknown))}." if roles else "none given."
            raise InvalidInput("roles", told, f"Known: {', '.join(sorted(KNOWN_ROLES))}.")
        if days is not None and not 1 <= days <= _DAYS_MAX:
            raise InvalidInput("days", f"{days} is not between 1 and {_DAYS_MAX}.")
        now = self._clock()
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(
            id=new_id(PREFIX, now),
            agent=agent,
            roles=tuple(sorted(roles)),
            teams=tuple(sorted(teams)),
            created_at=timestamp(now),
            created_by=principal.agent,
            expires_at=timestamp(now + timedelta(days=days)) if days else None,
            user=user,
        )
        told = {"agent": agent, "roles": list(key.roles), "expires_at": key.expires_at}
        event = Event("access.created", key.id, {**told, "user": user} if user else told)
        put = Put(_place(principal.organization, key.id), {**asdict(key), "sha256": _digest(secret)})
        await self._trail.commit(principal, event, [put])
        return key, f"{key.id}_{secret}"

    async def keys(self, principal: Principal) -> list[ApiKey]:
        """Return all keys, oldest first, revoked ones too. Raises `Refused` without the role operator."""
        _demand_operator(principal)
        page = await self._store.query("governance", _partition(principal.organization))
        return [_key(item) for item in page.items]

    async def agents(self, principal: Principal) -> list[str]:
        """Return the agents that have a key in force."""
        page = await self._store.query("governance", _partition(principal.organization))
        return sorted({key.agent for key in map(_key, page.items) if key.holds(self._clock())})

    async def revoke(self, principal: Principal, key_id: str, reason: str) -> ApiKey:
        """Make a key useless for good. Raises `NotFound`, and `Refused` without the role operator."""
        _demand_operator(principal)

        async def attempt() -> ApiKey:
            item = await self._store.get(_place(principal.organization, key_id))
            if item is None:
                raise NotFound(f"no key {key_id[:40]!r}; `interlayer access list` has them")
            if item.body.get("revoked_at"):
                return _key(item)
            put = Put(item.key, {**item.body, "revoked_at": timestamp(self._clock())}, expect=item.version)
            event = Event("access.revoked", key_id, {"agent": item.body["agent"], "reason": reason})
            await self._trail.commit(principal, event, [put])
            return _key(Item(put.key, item.version + 1, put.body))

        return await optimistically(attempt, f"{key_id[:40]}: others change it all the while. Try again.")

    async def caller(self, organization: str, token: str) -> tuple[ApiKey, Principal] | None:
        """Return the key that a token is of and whom it stands for; None when it is not, or not any more, one."""
        marker, _, rest = token.partition("_")
        number, _, secret = rest.partition("_")
        if marker != PREFIX or not secret or len(token) > _TOKEN_CHARACTERS_MAX:
            return None
        item = await self._store.get(_place(organization, f"{marker}_{number}"))
        if item is None or not hmac.compare_digest(str(item.body["sha256"]), _digest(secret)):
            return None
        key = _key(item)
        if not key.holds(self._clock()):
            return None
        roles, teams = frozenset(key.roles), frozenset(key.teams)
        return key, Principal(organization, key.agent, roles, teams, key.user, proven=True)

    async def has_keys(self, organization: str) -> bool:
        """Tell whether the organization ever made a key: from then on a name alone proves nothing."""
        return bool((await self._store.query("governance", _partition(organization), limit=1)).items)


def expiry_seconds(key: ApiKey) -> int | None:
    """Return when a key ends, in seconds since 1970."""
    return int(parse_instant(key.expires_at, "expires_at").timestamp()) if key.expires_at else None


def _is_of_operator(key: ApiKey, now: datetime) -> bool:
    """Whether a person can make keys with this one."""
    return "operator" in key.roles and bool(key.user) and key.holds(now)


def _key(item: Item) -> ApiKey:
    body: dict[str, Any] = {name: item.body.get(name) for name in ApiKey.__dataclass_fields__}
    body |= {name: tuple(body[name]) for name in ("roles", "teams")}
    body["user"] = body["user"] or ""  # keys made before there were users have none
    return ApiKey(**body)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _demand_names(agent: str, user: str) -> None:
    """Refuse what would be no name, or the program's own, in records."""
    if not _AGENT.fullmatch(agent):
        raise InvalidInput(
            "agent", f"{agent[:40]!r} is no name.", "Letters, digits, . _ @ : / - and spaces, at most 128."
        )
    if agent.lower() in RESERVED_AGENTS:
        raise InvalidInput("agent", f"{agent!r} is what records call the program itself.", "Choose another name.")
    if len(user) > _USER_CHARACTERS_MAX or not user.isprintable():
        raise InvalidInput(
            "user", f"{user[:40]!r} is no name.", f"At most {_USER_CHARACTERS_MAX} printable characters."
        )


def _demand_operator(principal: Principal) -> None:
    if "operator" not in principal.roles:
        raise Refused(f"keys are managed with the role operator; {principal.agent} does not have it.")


def _partition(organization: str) -> str:
    return f"{organization}#access"


def _place(organization: str, key_id: str) -> Key:
    return Key("governance", _partition(organization), key_id)
