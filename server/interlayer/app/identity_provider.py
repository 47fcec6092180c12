"""Which identity provider's tokens are taken, and what its groups and app roles give, by a TOML file of the operator.

default_roles = ["reader"]
group_claims = ["https://acme.example/groups"]

[groups."b1a2c3d4-..."]
roles = ["writer"]
teams = ["sales"]

[app_roles."Interlayer.Steward"]
roles = ["steward"]
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from interlayer.app.configuration import PREFIX
from interlayer.errors import InvalidInput
from interlayer.principal import KNOWN_ROLES

_PARTS: Final = ("default_roles", "group_claims", "groups", "app_roles")
_GRANT: Final = ("roles", "teams")
_SAFE: Final = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]{1,200}")  # by RFC 6749

SCOPE: Final = "interlayer:"
"""Begins each scope of a token that is one of our roles, such as `interlayer:reader`."""
DEFAULT_SCOPES: Final = ("interlayer:reader", "interlayer:writer")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one group or app role gives."""

    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class IdentityMapping:
    """Groups and app roles by the provider's names; without a file there are none."""

    groups: Mapping[str, Grant] = field(default_factory=dict[str, Grant])
    app_roles: Mapping[str, Grant] = field(default_factory=dict[str, Grant])
    default_roles: frozenset[str] = frozenset()
    """What everybody may do who is recognized."""
    group_claims: tuple[str, ...] = ()
    """Claims that name groups beside the usual ones: some providers let a claim of one's own have a long name only."""

    def grants(self, groups: Iterable[str], app_roles: Iterable[str]) -> Iterator[Grant]:
        """Yield what these give; a group that the file does not name is a team of its own name."""
        yield Grant(self.default_roles)
        for group in groups:
            yield self.groups.get(group) or Grant(teams=frozenset({group.removeprefix("/")}))
        yield from (self.app_roles[name] for name in app_roles if name in self.app_roles)


@dataclass(frozen=True, slots=True)
class Jwt:
    """Whose signed tokens are taken, and for whom they must be meant."""

    issuer: str
    audiences: tuple[str, ...]
    """Names of this server to the provider, of which a token has to have one."""
    jwks: str = ""
    """Address of the provider's signing keys; empty: where its discovery document says that they are."""
    organization_claim: str = ""
    organization_value: str = ""
    """What the claim has to say; empty: the name of the organization."""
    mapping: IdentityMapping = field(default_factory=IdentityMapping)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    """What clients are told to ask for at first; empty: nothing, where the provider knows no scopes of ours."""

    @property
    def audience(self) -> str:
        """The address among the audiences, by which clients ask for a token for us (RFC 8707), else the first."""
        return next((one for one in self.audiences if one.startswith(("https://", "http://"))), self.audiences[0])


def read_authentication(values: Mapping[str, str]) -> Literal["none", "keys"] | Jwt:
    """Return how callers over HTTP are recognized. Raises `InvalidInput` naming setting and remedy."""
    kind = values.get("AUTH", "none")
    if kind == "none":
        return "none"
    if kind == "keys":
        return "keys"
    if kind != "jwt":
        raise InvalidInput(f"{PREFIX}AUTH", f"{kind!r} is not supported.", "One of none, keys, jwt.")
    given = {name: values.get(f"AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE", "JWKS")}
    audiences = tuple(part.strip() for part in given["AUDIENCE"].split(",") if part.strip())
    for name, value in (("ISSUER", given["ISSUER"]), ("AUDIENCE", audiences)):
        if not value:
            raise InvalidInput(f"{PREFIX}AUTH_{name}", "is not set.", "INTERLAYER_AUTH=jwt needs it.")
    asked = "JWKS" if given["JWKS"] else "ISSUER"  # without an address of keys the issuer says where they are
    if not is_safe_address(given[asked]):
        raise InvalidInput(f"{PREFIX}AUTH_{asked}", "is no https address.", "Keys are not fetched in the clear.")
    if not values.get("ORG"):
        raise InvalidInput(f"{PREFIX}ORG", "is not set.", "With INTERLAYER_AUTH=jwt say whose tokens these are.")
    claim, _, value = values.get("AUTH_ORG_CLAIM", "").partition("=")
    file = values.get("AUTH_MAPPING")
    mapping = read_mapping(Path(file).expanduser()) if file else IdentityMapping()
    scopes = _scopes(values.get("AUTH_SCOPES"))
    return Jwt(given["ISSUER"], audiences, given["JWKS"], claim.strip(), value.strip(), mapping, scopes)


def _scopes(value: str | None) -> tuple[str, ...]:
    if value is None:
        return DEFAULT_SCOPES
    scopes = () if value == "none" else tuple(value.split())
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise InvalidInput(f"{PREFIX}AUTH_SCOPES", f"{scope[:60]!r} is no scope.", "Separate scopes with spaces.")
    return scopes


def is_safe_address(address: str) -> bool:
    """Whether what is fetched there cannot be changed on the way: https, or this machine."""
    return bool(_SAFE.match(address))


def read_mapping(path: Path) -> IdentityMapping:
    """Return the mapping of a file. Raises `InvalidInput` that names file, place and remedy."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(str(path), f"cannot be read: {error}.") from error
    _demand_known(str(path), data, _PARTS)
    default = _names(f"{path}: default_roles", data.get("default_roles", []))
    return IdentityMapping(
        groups=_grants(f"{path}: groups", data.get("groups", {})),
        app_roles=_grants(f"{path}: app_roles", data.get("app_roles", {})),
        default_roles=_roles(f"{path}: default_roles", default),
        group_claims=tuple(_names(f"{path}: group_claims", data.get("group_claims", []))),
    )


def _grants(place: str, told: Any) -> dict[str, Grant]:
    if not isinstance(told, dict):
        raise InvalidInput(place, "is no table.", f'Write [{place.rsplit(maxsplit=1)[-1]}."NAME"].')
    found: dict[str, Grant] = {}
    for name, given in told.items():
        here = f"{place}.{name}"
        if not isinstance(given, dict):
            raise InvalidInput(here, "is no table.", "Give it roles = [...] and teams = [...].")
        _demand_known(here, given, _GRANT)
        roles, teams = (_names(f"{here}.{part}", given.get(part, [])) for part in _GRANT)
        found[name] = Grant(_roles(f"{here}.roles", roles), frozenset(teams))
    return found


def _names(place: str, told: Any) -> list[str]:
    if not isinstance(told, list) or not all(isinstance(name, str) and name.strip() for name in told):
        raise InvalidInput(place, "is no list of names.", 'Write ["reader"].')
    return told


def _roles(place: str, names: list[str]) -> frozenset[str]:
    if unknown := set(names) - KNOWN_ROLES:
        raise InvalidInput(
            place, f"unknown: {', '.join(sorted(unknown))}.", f"Known: {', '.join(sorted(KNOWN_ROLES))}."
        )
    return frozenset(names)


def _demand_known(place: str, told: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in told:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise InvalidInput(f"{place}: {name}", "unknown.", f"Did you mean {near[0]}?" if near else "")
