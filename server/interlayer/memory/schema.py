"""The schema of an organization's memory: entity types, their properties and the kinds of identifier.

Read from one YAML file and validated with the file's own words; nothing here touches stored data. What was stored
under an earlier schema is read under this one: a renamed property keeps its observations, and a value that the type
does not take any more is left out.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from interlayer.errors import InvalidInput
from interlayer.memory.located import InvalidFile, Located, Place, problems_of, read_yaml
from interlayer.memory.patterns import compiled
from interlayer.memory.values import TEXT_FORMS, PropertyType, ValueProblem, enum_words, normalise, reference

UpdatePolicy = Literal["replace", "keep_first", "append", "max", "min"]
Sensitivity = Literal["public", "internal", "personal", "restricted"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

_ORDERED: Final = frozenset({"number", "integer", "money", "date", "datetime"})
_PATTERNED: Final = frozenset({"text", "url", "phone", "email"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PropertySchema(_Strict):
    """One property of an entity type."""

    type: PropertyType
    description: str = ""
    unit: str = ""
    values: dict[str, tuple[str, ...]] = {}
    target: tuple[Name, ...] = ()
    pattern: str = ""
    update: UpdatePolicy = "replace"
    indexed: bool = False
    sensitivity: Sensitivity = "internal"
    minimum_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    find: tuple[str, ...] = ()
    was: tuple[Name, ...] = ()
    retired: bool = False

    @model_validator(mode="before")
    @classmethod
    def _enum_is_another_word_for_values(cls, given: Any) -> Any:
        if isinstance(given, dict) and "enum" in given and "values" not in given:
            return {("values" if key == "enum" else key): value for key, value in given.items()}
        return given

    @field_validator("values", mode="before")
    @classmethod
    def _values_may_be_a_list(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {key: () if synonyms is None else synonyms for key, synonyms in given.items()}
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return dict.fromkeys(given, ())
        return given

    @field_validator("target", mode="before")
    @classmethod
    def _target_may_be_one(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _is_consistent(self) -> "PropertySchema":
        problems = [*self._problems(), *_pattern_problems(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if (self.type == "enum") != bool(self.values):
            yield "values: belongs to type enum, and an enum needs it; list the values, each with its synonyms"
        for word, names in enum_words(self.values).items():
            if len(names) > 1:
                yield f"values: {word!r} stands for {' and '.join(names)}; give it to one of them"
        if (self.type == "reference") != bool(self.target):
            yield "target: belongs to type reference, and a reference needs it; name the entity types it may point at"
        if self.unit and self.type not in {"number", "integer"}:
            yield "unit: belongs to types number and integer; remove it"
        if self.update == "append" and self.type != "list":
            yield "update: append needs type list; use replace"
        if self.update in {"max", "min"} and self.type not in _ORDERED:
            yield f"update: {self.update} needs a type with an order; use one of {', '.join(sorted(_ORDERED))}"

    @cached_property
    def finders(self) -> tuple[Any, ...]:
        """Return the compiled `find` patterns, each with the value in group 1."""
        form = TEXT_FORMS.get(self.type, "")
        if self.type == "enum":
            words = [word for name, synonyms in self.values.items() for word in (name.replace("_", " "), *synonyms)]
            form = "|".join(re2.escape(word) for word in sorted(words, key=len, reverse=True)) + r")\b(?:"
        if self.type == "reference":
            form = f"(?:{'|'.join(self.target)})" + r":[^\s,;]*[^\s,;.)]"
        return tuple(compiled("(?im)" + find.replace("{value}", f"({form})")) for find in self.find)

    @cached_property
    def shape(self) -> Any:
        """Return the compiled `pattern`, or None."""
        return compiled(self.pattern) if self.pattern else None

    def normal(self, value: Any) -> Any:
        """Return the value in its normal form, which is its own normal form. Raises `ValueProblem`."""
        if isinstance(value, str) and value in self.values:  # as it is stored: every fold of a long log comes by here
            return value
        if self.type == "reference":
            return reference(value, self.target)
        normal = normalise(self.type, value, self.values)
        if self.shape is not None and not self.shape.fullmatch(normal):
            raise ValueProblem(f"has to match {self.pattern}")
        return normal


class EntitySchema(_Strict):
    """One entity type."""

    description: str = ""
    identifiers: tuple[Name, ...] = ()
    properties: dict[Name, PropertySchema] = {}

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

    def current_name(self, name: str) -> str:
        """Return the name of today for a property's name of any time."""
        return self._renamed.get(name, name)

    def reading(self, name: str, value: Any) -> tuple[str, Any] | None:
        """Return a stored name and value as they count today, or None: retired, removed, or no value of the type."""
        name = self._renamed.get(name, name)
        declared = self.current.get(name)
        if declared is None:
            return None
        try:
            return name, declared.normal(value)
        except ValueProblem:
            return None

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return {former: name for name, declared in self.properties.items() for former in declared.was}


class IdentifierSchema(_Strict):
    """One kind of identifier; a key of that shape is taken for one."""

    pattern: str | None = None

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
        return compiled(f"(?i)(?:{self.pattern})") if self.pattern else None


class Schema(_Strict):
    """All entity types and identifier kinds of an organization."""

    version: int = 1
    entities: dict[Name, EntitySchema]
    identifiers: dict[Name, IdentifierSchema] = {}

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

    @cached_property
    def canonical(self) -> str:
        """Return the schema as JSON in which only what was said stands, keys sorted: equal schemas, equal text."""
        body = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

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
    text = resources.files("interlayer.memory").joinpath("schema.yaml").read_text(encoding="utf-8")
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
    named = {(*place[:-1], "values"): line for place, line in located.lines.items() if place[-1] == "enum"}
    located = Located(located.data, {**named, **located.lines})
    try:
        return Schema.model_validate(located.data)
    except ValidationError as error:
        raise InvalidFile(origin, problems_of(error.errors(include_url=False), located, _keys_at)) from error


def dump_schema(schema: Schema) -> str:
    """Return the schema as YAML that `parse_schema` reads; what stands at its default is left out."""
    body = schema.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def _keys_at(place: Place) -> Iterable[str]:
    match len(place), place[0] if place else "":
        case 0, _:
            return Schema.model_fields
        case 2, "entities":
            return EntitySchema.model_fields
        case 2, "identifiers":
            return IdentifierSchema.model_fields
        case _:
            return [*PropertySchema.model_fields, "enum"]


def _pattern_problems(declared: PropertySchema) -> Iterator[str]:
    if declared.pattern and declared.type not in _PATTERNED:
        yield f"pattern: belongs to types {', '.join(sorted(_PATTERNED))}; remove it"
    try:
        _ = declared.shape
    except ValueError as error:
        yield f"pattern: {error}"
    try:
        for finder in declared.finders:
            if finder.groups != 1:
                yield f"find: {finder.pattern!r} has {finder.groups} groups; write {{value}} or exactly one group"
    except ValueError as error:
        yield f"find: {error}"
