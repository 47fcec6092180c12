"""What is known at a call: facets from the connection, from the call and from the remembered entity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.principal import Principal
from interlayer_policies.document.policy import PROPERTY_FACET, Situation, folded

FACET_CHARACTERS_MAX: Final = 200
TAGS_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What the caller says about the situation; None or empty: not given. `entity` is `type:key`."""

    channel: str | None = None
    audience: str | None = None
    region: str | None = None
    team: str | None = None
    tags: tuple[str, ...] = ()
    entity: str | None = None

    def given(self) -> dict[str, str | list[str]]:
        """Return the facets that were given, by name."""
        single = {name: getattr(self, name) for name in ("channel", "audience", "region", "team", "entity")}
        found: dict[str, str | list[str]] = {name: value for name, value in single.items() if value and value.strip()}
        return found | ({"tags": list(self.tags)} if self.tags else {})

    def validate(self) -> None:
        """Raise `InvalidInput` when a value is too long to be the name of anything."""
        for name, value in self.given().items():
            values = value if isinstance(value, list) else [value]
            if len(values) > TAGS_MAX:
                raise InvalidInput(name, f"{len(values)} values.", f"At most {TAGS_MAX} are possible.")
            if any(len(text) > FACET_CHARACTERS_MAX for text in values):
                raise InvalidInput(name, f"longer than {FACET_CHARACTERS_MAX} characters.", "Give a short name.")


@dataclass(frozen=True, slots=True)
class RememberedEntity:
    """What memory knows of an entity: its type and its property values, by name."""

    type: str | None
    properties: Mapping[str, Any]


def situation_of(principal: Principal, facets: Facets, entity: RememberedEntity | None) -> Situation:
    """Return the situation of a call.

    The agent and the teams of the connection always count; a `team` of the call is one more, never instead.
    `entity` is None when the call names no entity.
    """
    known: dict[str, tuple[str, ...]] = {"agent": (folded(principal.agent),)}
    teams = _fold([*principal.teams, facets.team or ""])
    singles = {"channel": facets.channel, "audience": facets.audience, "region": facets.region}
    known |= {name: _fold([value]) for name, value in singles.items() if value}
    known |= {"team": teams, "tags": _fold(facets.tags)}
    if entity is not None:
        known["entity_type"] = _fold([entity.type or ""])
        known |= {f"{PROPERTY_FACET}{name}": _values(value) for name, value in entity.properties.items()}
    return {name: values for name, values in known.items() if values}


def _values(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return _fold(value if isinstance(value, list | tuple | set | frozenset) else [value])


def _fold(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({text for value in values if value is not None and (text := folded(value))}))
