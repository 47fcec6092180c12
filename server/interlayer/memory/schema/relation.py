"""The types of relation of a schema: what they lead from and to, and what they are called, from either end."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Final

from pydantic import ConfigDict, Field, field_validator

from interlayer.memory.schema.property import Name, Strict

_NEAR: Final = 0.6


class RelationSchema(Strict):
    """One type of relation, from entities of some types to those of others; where none is named, of any."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    description: str = ""
    sources: Annotated[tuple[Name, ...], Field(alias="from")] = ()
    targets: Annotated[tuple[Name, ...], Field(alias="to")] = ()
    inverse: Name | None = None
    at_most: Annotated[int, Field(ge=1)] | None = None
    synonyms: tuple[Name, ...] = ()
    inverse_synonyms: tuple[Name, ...] = ()

    @field_validator("sources", "targets", mode="before")
    @classmethod
    def _may_be_one(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    def fits(self, source: str, target: str) -> bool:
        """Tell whether it may lead from an entity of one type to one of another."""
        return (not self.sources or source in self.sources) and (not self.targets or target in self.targets)

    @property
    def turned_names(self) -> tuple[str, ...]:
        """What it is called seen from its end."""
        return (self.inverse, *self.inverse_synonyms) if self.inverse else self.inverse_synonyms


@dataclass(frozen=True, slots=True)
class RelationReading:
    """A relation as the schema has it: its type, whether its ends change places, and what is to be said of it."""

    type: str
    turned: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class RelationTypes:
    """All types of relation of a schema, by name."""

    declared: Mapping[str, RelationSchema]

    def read(self, given: str, source: str, target: str) -> RelationReading:
        """Read the name of a relation between entities of two types.

        An unknown one is taken as it is, and so are ends that the type is not declared for.
        """
        if given in self.declared:
            return RelationReading(given, note=_note(given, self.declared[given], source, target))
        for name, one in self.declared.items():
            turned = given in one.turned_names
            if not turned and given not in one.synonyms:
                continue
            ends = (target, source) if turned else (source, target)
            note = _note(name, one, *ends)
            return RelationReading(given, note=note) if note else RelationReading(name, turned)
        return RelationReading(given, note=f"unknown type of relation{self._near(given, source, target)}")

    def means(self, given: str, name: str, *, from_end: bool) -> bool:
        """Tell whether a word may mean a type where it is looked at from where it starts, or from its end."""
        one = self.declared.get(name)
        if one is None or given == name:
            return given == name
        return given in one.synonyms or (from_end and given in one.turned_names)

    def meant_by(self, given: str) -> frozenset[str]:
        """Return the types that a word may mean from either end, as relations may be stored."""
        return frozenset({given, *(name for name in self.declared if self.means(given, name, from_end=True))})

    def seen_from_end(self, name: str) -> str | None:
        """Return the name of a relation seen from its end, None if it has none of its own there."""
        one = self.declared.get(name)
        return one.inverse if one else None

    def _near(self, given: str, source: str, target: str) -> str:
        """Name the known type nearest to an unknown word, one that fits the ends before any other."""
        for fitting in (True, False):
            words = {
                word: name
                for name, one in self.declared.items()
                for turned, known in ((True, one.turned_names), (False, (name, *one.synonyms)))
                for word in known
                if not fitting or one.fits(*((target, source) if turned else (source, target)))
            }
            if near := get_close_matches(given, words, 1, _NEAR):
                return f"; the nearest is {words[near[0]]}"
        return ""


@dataclass(frozen=True, slots=True)
class RelationRules:
    """How the relations of one type of entity are folded: how many of a type are current, and what mirrors them.

    `mirrored` has the type of the relation that a property mirrors, by the name of the property.
    """

    at_most: Mapping[str, int] = field(default_factory=dict[str, int])
    mirrored: Mapping[str, str] = field(default_factory=dict[str, str])


NO_RULES: Final = RelationRules()


def name_problems(declared: Mapping[str, RelationSchema], entity_types: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the names in some types of relation, each with its place."""
    owners = {name: name for name in declared}
    for name, one in declared.items():
        for end, kind in [*(("from", kind) for kind in one.sources), *(("to", kind) for kind in one.targets)]:
            if kind not in entity_types:
                yield f"relations.{name}.{end}: {kind} is no entity type; known: {', '.join(entity_types)}"
        if one.inverse_synonyms and not one.inverse:
            yield f"relations.{name}.inverse_synonyms: belongs to an inverse; name that first"
        for key, word in _words(name, one):
            owner = owners.setdefault(word, name)
            if owner != name or word == name:
                yield f"relations.{name}.{key}: {word} also stands for {owner}; give it to one of them"


def _words(name: str, one: RelationSchema) -> Iterator[tuple[str, str]]:
    """Yield what a type is called beside its name, with the key at which that stands."""
    if one.inverse and one.inverse != name:
        yield "inverse", one.inverse
    yield from (("synonyms", word) for word in one.synonyms)
    yield from (("inverse_synonyms", word) for word in one.inverse_synonyms)


def _note(name: str, one: RelationSchema, source: str, target: str) -> str:
    if one.fits(source, target):
        return ""
    ends = f"from {' or '.join(one.sources) or 'any'} to {' or '.join(one.targets) or 'any'}"
    return f"{name} leads {ends}, not from {source} to {target}"
