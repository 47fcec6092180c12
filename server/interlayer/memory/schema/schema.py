"""The schema of an organization's memory: entity types, their properties and the kinds of identifier.

Read from one YAML file and validated with the file's own words; nothing here touches stored data. What was stored
under an earlier schema is read under this one: a renamed property keeps its observations, and a value that the type
does not take any more is left out.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import ValidationError, field_validator, model_validator

from interlayer.errors import InvalidInput
from interlayer.ids import timestamp
from interlayer.language.lexicon.reader import words
from interlayer.memory.schema.duration import before, check_duration
from interlayer.memory.schema.gate_settings import GateSettings, Thresholds
from interlayer.memory.schema.property import Name, PropertySchema, Strict
from interlayer.memory.schema.relation import NO_RULES, RelationRules, RelationSchema, RelationTypes, name_problems
from interlayer.memory.schema.types import ValueProblem
from interlayer.memory.schema.value_patterns import Finder, finder_for
from interlayer.text.patterns import compile_pattern
from interlayer.text.yaml_source import InvalidFile, Located, Place, problems_of, read_yaml

_SHARED: Final = frozenset({"address", "fax", "phone"})
_ROLE_MAILBOXES: Final = words("role_mailboxes")


class EntitySchema(Strict):
    """One entity type. `pronouns` may stand for its entities at the beginning of a sentence."""

    description: str = ""
    pronouns: tuple[Literal["he", "she", "they", "it"], ...] = ()
    identifiers: tuple[Name, ...] = ()
    properties: dict[Name, PropertySchema] = {}
    retention: str | None = None

    @field_validator("retention")
    @classmethod
    def _is_a_duration(cls, given: str | None) -> str | None:
        if given is not None:
            check_duration(given)
        return given

    def cutoff(self, now: datetime) -> str:
        """Return the instant before which what was recorded is not kept any more; empty when all is kept."""
        return timestamp(before(now, self.retention)) if self.retention else ""

    @cached_property
    def derived(self) -> Mapping[str, Finder]:
        """What finds in plain content each property whose values can be listed or have a form, at its name."""
        made = {name: finder_for(name, one.type, one.values, one.description) for name, one in self.current.items()}
        return {name: finder for name, finder in made.items() if finder}

    @model_validator(mode="after")
    def _former_names_are_free(self) -> "EntitySchema":
        owners: dict[str, str] = {}
        problems: list[str] = []
        for name, declared in self.properties.items():
            for former in declared.was:
                if former in self.properties:
                    problems.append(f"properties.{name}.was: {former} is declared as a property; remove one of the two")
                elif owners.setdefault(former, name) != name:
                    problems.append(f"properties.{name}.was: {former} is also under {owners[former]}; remove one")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @cached_property
    def current(self) -> Mapping[str, PropertySchema]:
        """Return the properties in use: all that are not retired."""
        return {name: declared for name, declared in self.properties.items() if not declared.retired}

    @cached_property
    def mirrored(self) -> Mapping[str, str]:
        """Return the type of the relation that says the same as a property, by the name of the property."""
        return {name: declared.relation for name, declared in self.current.items() if declared.relation}

    def current_name(self, name: str) -> str:
        """Return the name of today for a property's name of any time."""
        return self._renamed.get(name, name)

    def reading(self, name: str, value: Any, *, emptied: bool = False) -> tuple[str, Any] | None:
        """Return a stored name and value as they count today, or None: retired, removed, or no value of the type.

        What was `emptied` has no value to be read.
        """
        name = self._renamed.get(name, name)
        declared = self.current.get(name)
        if declared is None or emptied:
            return (name, None) if declared else None
        try:
            return name, declared.normal(value)
        except ValueProblem:
            return None

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return {former: name for name, declared in self.properties.items() for former in declared.was}


class IdentifierSchema(Strict):
    """One kind of identifier; a key of that shape is taken for one, and `case` tells whether case tells two apart.

    What is `shared` several may have, such as a switchboard's number: it leads to nobody of another name.
    """

    pattern: str | None = None
    case: Literal["ignored", "kept"] = "ignored"
    shared: bool | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> "IdentifierSchema":
        try:
            _ = self.shape
        except ValueError as error:
            raise ValueError(f"pattern: {error}") from error
        return self

    @cached_property
    def shape(self) -> Any:
        """Return the compiled pattern, or None."""
        return compile_pattern(f"(?i)(?:{self.pattern})") if self.pattern else None


class Schema(Strict):
    """All entity types and identifier kinds of an organization."""

    version: int = 1
    entities: dict[Name, EntitySchema]
    identifiers: dict[Name, IdentifierSchema] = {}
    relations: dict[Name, RelationSchema] = {}
    gates: GateSettings = GateSettings()

    @model_validator(mode="after")
    def _names_known_things(self) -> "Schema":
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        for name, entity in self.entities.items():
            for kind in entity.identifiers:
                if kind not in self.identifiers:
                    yield f"entities.{name}.identifiers: {kind} is not declared; add it under identifiers"
            for key, declared in entity.properties.items():
                for target in declared.target:
                    if target not in self.entities:
                        place = f"entities.{name}.properties.{key}.target"
                        yield f"{place}: {target} is no entity type; known: {', '.join(self.entities)}"
                if declared.relation:
                    yield from self._mirror_problems(name, key, declared)
        yield from name_problems(self.relations, self.entities)

    def _mirror_problems(self, name: str, key: str, declared: PropertySchema) -> Iterator[str]:
        place, mirrored = f"entities.{name}.properties.{key}.relation", self.relations.get(declared.relation)
        if mirrored is None:
            yield f"{place}: {declared.relation} is no type of relation; add it under relations"
            return
        for target in declared.target:
            if not mirrored.fits(name, target):
                yield f"{place}: {declared.relation} does not lead from {name} to {target}; change from and to there"

    @cached_property
    def relation_types(self) -> RelationTypes:
        """Return the types of relation, by their names and synonyms."""
        return RelationTypes(self.relations)

    def relation_rules(self, entity_type: str) -> RelationRules:
        """Return how the relations of an entity of a type are folded."""
        return self._relation_rules.get(entity_type) or NO_RULES

    @cached_property
    def _relation_rules(self) -> Mapping[str, RelationRules]:
        most = {name: one.at_most for name, one in self.relations.items() if one.at_most}
        return {name: RelationRules(most, entity.mirrored) for name, entity in self.entities.items()}

    def is_shared(self, kind: str, value: str) -> bool:
        """Tell whether several may have an identifier; undeclared kinds: phones, addresses, mailboxes like info@."""
        declared = self.identifiers.get(kind)
        if declared and declared.shared is not None:
            return declared.shared
        return kind in _SHARED or (kind == "email" and value.partition("@")[0] in _ROLE_MAILBOXES)

    @cached_property
    def canonical(self) -> str:
        """Return the schema as JSON in which only what was said stands, keys sorted: equal schemas, equal text."""
        body = self.model_dump(mode="json", exclude_defaults=True, by_alias=True)
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def allowed_values(self) -> Mapping[str, Mapping[str, tuple[str, ...] | None]]:
        """Return entity type -> property -> the values that it may have, None where it may have any of its type."""
        return {
            name: {key: tuple(declared.values) or None for key, declared in entity.current.items()}
            for name, entity in self.entities.items()
        }

    def entity(self, name: str, field: str = "entity") -> EntitySchema:
        """Return the entity type. Raises `InvalidInput` that lists the known ones."""
        if name not in self.entities:
            near = difflib.get_close_matches(name, self.entities, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(
                field, f"unknown entity type {name[:60]!r}.", f"Known: {', '.join(self.entities)}.{hint}"
            )
        return self.entities[name]

    def stored(self, entity_type: str) -> EntitySchema:
        """Return the entity type of something stored; of a type that was removed nothing counts any more."""
        return self.entities.get(entity_type) or _NOTHING

    def indexed(self, entity_type: str, name: str) -> PropertySchema:
        """Return an indexed property. Raises `InvalidInput` that lists those that can be filtered by."""
        found = self.entity(entity_type, "entity_type").current.get(name)
        if found is None or not found.indexed:
            known = [key for key, value in self.entities[entity_type].current.items() if value.indexed]
            raise InvalidInput("where", f"{name[:60]!r} is no indexed property of {entity_type}.", f"Indexed: {known}.")
        return found


_NOTHING: Final = EntitySchema()


def starter_schema() -> Schema:
    """Return the schema that ships with the package: contact, company, deal, ticket."""
    text = resources.files("interlayer.memory.schema").joinpath("schema.yaml").read_text(encoding="utf-8")
    return parse_schema(text, "starter schema")


def read_schema(path: Path) -> Schema:
    """Return the schema of a YAML file. Raises `InvalidInput` with the file, and every mistake in it with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("schema", f"{path} cannot be read: {error}.", "Name a YAML file in UTF-8.") from error
    return parse_schema(text, str(path))


def parse_schema(text: str, origin: str) -> Schema:
    """Return the schema of a YAML text. Raises `InvalidFile`, a line `origin:line: place: problem` a mistake."""
    located = read_yaml(text, origin)
    # A mistake is reported at `values`, also where the file says `enum`.
    named = {(*place[:-1], "values"): line for place, line in located.lines.items() if place[-1:] == ("enum",)}
    located = Located(located.data, {**named, **located.lines})
    try:
        return Schema.model_validate(located.data)
    except ValidationError as error:
        raise InvalidFile(origin, problems_of(error.errors(include_url=False), located, _keys_at)) from error


def dump_schema(schema: Schema) -> str:
    """Return the schema as YAML that `parse_schema` reads; what stands at its default is left out."""
    body = schema.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def _keys_at(place: Place) -> Iterable[str]:
    match len(place), place[0] if place else "":
        case 0, _:
            return Schema.model_fields
        case 2, "entities" | "identifiers" | "relations" as section:
            parts = {"entities": EntitySchema, "identifiers": IdentifierSchema, "relations": RelationSchema}
            return [one.alias or name for name, one in parts[section].model_fields.items()]
        case 1, "gates":
            return GateSettings.model_fields
        case 2, "gates":
            return Thresholds.model_fields
        case _:
            return [*PropertySchema.model_fields, "enum"]


__all__ = [
    "EntitySchema",
    "PropertySchema",
    "Schema",
    "ValueProblem",
    "dump_schema",
    "parse_schema",
    "read_schema",
    "starter_schema",
]
