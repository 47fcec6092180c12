"""What a caller may see: how sensitive a value may be, and whose memories. Every read of an entity goes by it.

A memory is the organization's, a team's or one caller's own, and is written so: empty, `team:NAME`, `private:user:ID`
or `private:agent:ID`. A value is as sensitive as the schema says of its property.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, get_args

from interlayer.errors import InvalidInput
from interlayer.memory.schema.property import Sensitivity
from interlayer.memory.schema.schema import EntitySchema
from interlayer.principal import Principal

ORGANIZATION: Final = ""
"""The visibility of what everybody of the organization may see."""

_TEAM: Final = "team:"
_PRIVATE: Final = "private"
_NAME_MAX: Final = 100
_RISING: Final[tuple[Sensitivity, ...]] = get_args(Sensitivity)
_NOTHING: Final = -1
_ALL: Final = len(_RISING) - 1


@dataclass(frozen=True, slots=True)
class Sight:
    """What may be seen: values up to a level of sensitivity, and memories of these visibilities, None for all."""

    level: int = _ALL
    places: frozenset[str] | None = None

    def sees(self, visibility: str) -> bool:
        """Tell whether memories of a visibility may be seen."""
        return self.places is None or visibility in self.places

    def reads(self, sensitivity: Sensitivity) -> bool:
        """Tell whether values so sensitive may be seen."""
        return _RISING.index(sensitivity) <= self.level

    def withheld(self, schema: EntitySchema) -> frozenset[str]:
        """Return the names of the properties whose values may not be seen."""
        if self.level == _ALL:
            return frozenset()
        return frozenset(name for name, one in schema.current.items() if not self.reads(one.sensitivity))

    def within(self, places: Iterable[str]) -> "Sight":
        """Return what of some visibilities may be seen."""
        return Sight(self.level, frozenset(place for place in places if self.sees(place)))


EVERYTHING: Final = Sight()
"""What the keeping of memory itself goes by; no answer to a caller does."""


def sight_of(principal: Principal, reader_sees: Sensitivity) -> Sight:
    """Return what a caller may see; `reader_sees` is up to what the role reader reads."""
    if "reader" not in principal.roles:
        return Sight(_NOTHING, frozenset())
    level = _RISING.index(reader_sees)
    for role in ("personal", "restricted"):
        if f"reader:{role}" in principal.roles:
            level = max(level, _RISING.index(role))
    teams = (f"{_TEAM}{name.casefold()}" for name in principal.teams)
    return Sight(level, frozenset({ORGANIZATION, *teams, own_visibility(principal)}))


def audience_of(visibility: str) -> Sight:
    """Return what everybody may see, whatever its sensitivity, who may see a memory of a visibility."""
    return Sight(_ALL, frozenset({ORGANIZATION, visibility}))


def own_visibility(principal: Principal) -> str:
    """Return the visibility of what only the user of a caller may see; the agent where there is no user."""
    return f"{_PRIVATE}:user:{principal.user}" if principal.user else f"{_PRIVATE}:agent:{principal.agent}"


def visibility_of(principal: Principal, told: str) -> str:
    """Return what a caller's `organization`, `team:NAME` or `private` stands for. Raises `InvalidInput`."""
    word, _, name = told.partition(":")
    word, name = word.strip().casefold(), " ".join(name.split()).casefold()
    if word == _PRIVATE and not name:
        return own_visibility(principal)
    if word in {"organization", ORGANIZATION} and not name:
        return ORGANIZATION
    if word == "team" and 0 < len(name) <= _NAME_MAX and name.isprintable():
        return _TEAM + name
    raise InvalidInput("visibility", f"{told[:40]!r} is none.", "One of organization, team:NAME, private.")


def why_withheld(sensitivity: Sensitivity) -> str:
    """Say why values so sensitive are withheld."""
    return f"{sensitivity}: needs the role {'reader:restricted' if sensitivity == 'restricted' else 'reader:personal'}"
