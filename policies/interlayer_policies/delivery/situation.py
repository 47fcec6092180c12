"""What is known at a call: facets from the connection, from the call and from the remembered entity."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.principal import Principal
from interlayer_policies.document.policy import PROPERTY_FACET, Situation, folded
from interlayer_policies.document.vocabulary import FACETS, Vocabulary, is_given

FACET_CHARACTERS_MAX: Final = 200
TAGS_MAX: Final = 50

_SHOWN: Final = 60  # characters of a value that is not known


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
    """What memory knows of an entity: its type and its property values, by name.

    `doubtful` says of properties why no rule may be lifted by them: they count as not given.
    """

    type: str | None
    properties: Mapping[str, Any]
    doubtful: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class CallSituation:
    """The situation of a call, and a note on each value that the vocabulary does not have."""

    situation: Situation
    notes: tuple[str, ...] = ()


def situation_of(
    principal: Principal, facets: Facets, entity: RememberedEntity | None, vocabulary: Vocabulary
) -> CallSituation:
    """Return the situation of a call: values as the vocabulary has them, with everything that they lie in.

    The agent and the teams of the connection always count; a `team` of the call is one more, never instead. A value
    that the vocabulary does not have is left out, as if it had not been given. `entity` is None when the call names
    no entity.
    """
    read = _Reader(vocabulary)
    known: dict[str, tuple[str, ...]] = {"agent": (folded(principal.agent),)}
    teams = [vocabulary.read("team", team) or folded(team) for team in principal.teams]
    known["team"] = read.within("team", [*teams, *read.values("team", [facets.team or ""])])
    for name, value in (("channel", facets.channel), ("audience", facets.audience), ("region", facets.region)):
        known[name] = read.within(name, read.values(name, [value or ""]))
    known["tags"] = read.within("tags", read.values("tags", facets.tags))
    if entity is not None:
        known["entity_type"] = _fold([entity.type or ""])
        for name, value in entity.properties.items():
            if name not in entity.doubtful:
                known[f"{PROPERTY_FACET}{name}"] = _values(value)
        read.notes += [f"{PROPERTY_FACET}{name}: {why}" for name, why in sorted(entity.doubtful.items())]
    return CallSituation({name: values for name, values in known.items() if values}, tuple(read.notes))


def read_situation(situation: Situation, vocabulary: Vocabulary) -> Situation:
    """Return a situation of raw values, as a receipt has them, in the values of a vocabulary."""
    read = _Reader(vocabulary)
    found = {
        facet: read.within(facet, read.values(facet, values)) if facet in FACETS.values() else values
        for facet, values in situation.items()
    }
    return {facet: values for facet, values in found.items() if values}


class _Reader:
    """Reads what a caller says as values of the vocabulary, and notes what it does not have."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.notes: list[str] = []

    def values(self, facet: str, said: Iterable[str]) -> list[str]:
        """Return the declared values that are meant, folded."""
        found: list[str] = []
        for one in said:
            value = self._vocabulary.read(facet, one)
            if value is not None:
                found.append(value)
            elif facet == "tags" and "/" in one.strip("/"):
                found.append(folded(one))  # the path of a file that is worked on: no word that could be a synonym
            elif one.strip():
                near = self._vocabulary.nearest(facet, one)
                hint = f"; the nearest is {near}" if near else ""
                what = "is no value of it" if is_given(one) else "says nothing"
                self.notes.append(f"{facet}: {one.strip()[:_SHOWN]!r} {what} and counts as not given{hint}")
        return found

    def within(self, facet: str, values: Sequence[str]) -> tuple[str, ...]:
        """Return values with everything that they lie in, sorted."""
        return tuple(sorted({*values, *(one for value in values for one in self._vocabulary.ancestors(facet, value))}))


def _values(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return _fold(value if isinstance(value, list | tuple | set | frozenset) else [value])


def _fold(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({text for value in values if value is not None and (text := folded(value))}))
