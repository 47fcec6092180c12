"""The schema of an organization's memory: entity types, their properties and the kinds of identifier.

Read from one YAML file and validated with the file's own words; nothing here touches stored data.
"""

import difflib
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from interlayer.errors import InvalidInput
from interlayer.memory.finding import Finder, finder_for
from interlayer.memory.gate_settings import GateSettings
from interlayer.memory.values import TEXT_FORMS, PropertyType, ValueProblem, normalise

UpdatePolicy = Literal["replace", "keep_first", "append", "max", "min"]
Sensitivity = Literal["public", "internal", "personal", "restricted"]
Pronoun = Literal["he", "she", "they", "it"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PropertySchema(_Strict):
    """One property of an entity type."""

    type: PropertyType
    description: str = ""
    values: dict[str, tuple[str, ...]] = {}
    update: UpdatePolicy = "replace"
    indexed: bool = False
    sensitivity: Sensitivity = "internal"
    minimum_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    find: tuple[str, ...] = ()

    @field_validator("values", mode="before")
    @classmethod
    def _values_may_be_a_list(cls, given: Any) -> Any:
        return dict.fromkeys(given, ()) if isinstance(given, list) else given

    @model_validator(mode="after")
    def _is_consistent(self) -> "PropertySchema":
        if (self.type == "enum") != bool(self.values):
            raise ValueError("values belong to type enum, and an enum needs them")
        if self.update == "append" and self.type != "list":
            raise ValueError("update: append needs type list")
        if self.update in {"max", "min"} and self.type not in {"number", "integer", "money", "date", "datetime"}:
            raise ValueError(f"update: {self.update} needs a type with an order")
        for pattern in self.finders:
            if pattern.groups != 1:
                raise ValueError(f"find: needs {{value}} or exactly one group: {pattern.pattern}")
        return self

    @cached_property
    def finders(self) -> tuple[Any, ...]:
        """Return the compiled `find` patterns, each with the value in group 1."""
        form = TEXT_FORMS.get(self.type, "")
        if self.type == "enum":
            words = [word for name, synonyms in self.values.items() for word in (name.replace("_", " "), *synonyms)]
            form = "|".join(re2.escape(word) for word in sorted(words, key=len, reverse=True)) + r")\b(?:"
        try:
            return tuple(re2.compile("(?im)" + find.replace("{value}", f"({form})")) for find in self.find)
        except re2.error as error:
            raise ValueError(f"find: not a pattern: {error}") from error

    def normal(self, value: Any) -> Any:
        """Return the value in its normal form. Raises `ValueProblem`."""
        return normalise(self.type, value, self.values)


class EntitySchema(_Strict):
    """One entity type."""

    description: str = ""
    identifiers: tuple[Name, ...] = ()
    pronouns: tuple[Pronoun, ...] = ()
    properties: dict[Name, PropertySchema] = {}

    @cached_property
    def derived(self) -> Mapping[str, Finder]:
        """What finds in plain content each property that has no `find` patterns and whose values have a form."""
        made = {
            name: finder_for(name, one.type, one.values, one.description)
            for name, one in self.properties.items()
            if not one.find
        }
        return {name: finder for name, finder in made.items() if finder}


class IdentifierSchema(_Strict):
    """One kind of identifier; a key of that shape is taken for one."""

    pattern: str | None = None

    @cached_property
    def shape(self) -> Any:
        """Return the compiled pattern, or None."""
        return re2.compile(f"(?i)(?:{self.pattern})") if self.pattern else None


class Schema(_Strict):
    """All entity types and identifier kinds of an organization."""

    version: int = 1
    entities: dict[Name, EntitySchema]
    identifiers: dict[Name, IdentifierSchema] = {}
    gates: GateSettings = GateSettings()

    @model_validator(mode="after")
    def _names_known_kinds(self) -> "Schema":
        for name, entity in self.entities.items():
            for kind in entity.identifiers:
                if kind not in self.identifiers:
                    raise ValueError(f"entities.{name}.identifiers: {kind} is not declared under identifiers")
        return self

    def entity(self, name: str, field: str = "entity") -> EntitySchema:
        """Return the entity type. Raises `InvalidInput` that lists the known ones."""
        if name not in self.entities:
            near = difflib.get_close_matches(name, self.entities, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(
                field, f"unknown entity type {name[:60]!r}.", f"Known: {', '.join(self.entities)}.{hint}"
            )
        return self.entities[name]

    def indexed(self, entity_type: str, name: str) -> PropertySchema:
        """Return an indexed property. Raises `InvalidInput` that lists those that can be filtered by."""
        found = self.entity(entity_type, "entity_type").properties.get(name)
        if found is None or not found.indexed:
            known = [key for key, value in self.entities[entity_type].properties.items() if value.indexed]
            raise InvalidInput("where", f"{name[:60]!r} is no indexed property of {entity_type}.", f"Indexed: {known}.")
        return found


def starter_schema() -> Schema:
    """Return the schema that ships with the package: contact, company, deal, ticket."""
    text = resources.files("interlayer.memory").joinpath("schema.yaml").read_text(encoding="utf-8")
    return parse_schema(text, "starter schema")


def read_schema(path: Path) -> Schema:
    """Return the schema of a YAML file. Raises `InvalidInput` with the file and what is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("INTERLAYER_SCHEMA", f"{path} cannot be read: {error}.") from error
    return parse_schema(text, str(path))


def parse_schema(text: str, origin: str) -> Schema:
    """Return the schema of a YAML text. Raises `InvalidInput` naming `origin` and every problem."""
    try:
        data: Mapping[str, Any] = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInput("schema", f"{origin}:{line}: {error.problem}.") from error
    try:
        return Schema.model_validate(data)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidInput("schema", f"{origin}: " + "; ".join(problems[:10])) from error


__all__ = ["EntitySchema", "PropertySchema", "Schema", "ValueProblem", "parse_schema", "read_schema", "starter_schema"]
