"""One property of an entity type: what it takes, how it is kept, and how it is recognised in plain text."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from interlayer.language.stated.assertion import NEW_VALUE
from interlayer.language.writing.conventions import UNKNOWN, Conventions
from interlayer.memory.schema.types import TEXT_FORMS, PropertyType, ValueProblem, enum_words, normalise, reference
from interlayer.text.patterns import compile_pattern

UpdatePolicy = Literal["replace", "keep_first", "append", "max", "min"]
Sensitivity = Literal["public", "internal", "personal", "restricted"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

_ORDERED: Final = frozenset({"number", "integer", "money", "date", "datetime"})
_PATTERNED: Final = frozenset({"text", "url", "phone", "email"})


class Strict(BaseModel):
    """A part of a schema: no unknown key, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PropertySchema(Strict):
    """One property of an entity type."""

    type: PropertyType
    description: str = ""
    unit: str = ""
    values: dict[str, tuple[str, ...]] = {}
    target: tuple[Name, ...] = ()
    relation: str = ""
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
        problems = [*self._problems(), *self._relation_problems(), *_pattern_problems(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if (self.type == "enum") != bool(self.values):
            yield "values: belongs to type enum, and an enum needs it; list the values, each with its synonyms"
        for word, names in enum_words(self.values).items():
            if len(names) > 1:
                yield f"values: {word!r} stands for {' and '.join(names)}; give it to one of them"
        if (self.type == "reference") != bool(self.target) and not self.relation:
            yield "target: belongs to type reference, and a reference needs it; name the entity types it may point at"
        if self.unit and self.type not in {"number", "integer"}:
            yield "unit: belongs to types number and integer; remove it"
        if self.update == "append" and self.type != "list":
            yield "update: append needs type list; use replace"
        if self.update in {"max", "min"} and self.type not in _ORDERED:
            yield f"update: {self.update} needs a type with an order; use one of {', '.join(sorted(_ORDERED))}"

    def _relation_problems(self) -> Iterator[str]:
        if self.relation and self.type not in {"reference", "text"}:
            yield "relation: belongs to types reference and text; remove it"
        if self.relation and not self.target:
            yield "relation: needs target; name the entity types that it leads to"

    @cached_property
    def finders(self) -> tuple[Any, ...]:
        """Return the compiled `find` patterns, each with the value in group 1."""
        form = self._form + (r")\b(?:" if self.type == "enum" else "")
        return tuple(compile_pattern("(?im)" + find.replace("{value}", f"({form})")) for find in self.find)

    def newer(self, behind: str) -> str | None:
        """Return the new value of a change of which the old one stands before these words; None if none follows."""
        if self.type in {"text", "list"}:
            return None
        found = self._newer.search(behind)
        return str(found[1]) if found else None

    @cached_property
    def _newer(self) -> Any:
        return compile_pattern(rf"(?i){NEW_VALUE}({self._form})(?:\W|$)")

    @cached_property
    def _form(self) -> str:
        """What stands for {value}."""
        if self.type == "enum":
            return "|".join(map(_spoken, sorted(enum_words(self.values), key=len, reverse=True)))
        if self.type == "reference":
            return f"(?:{'|'.join(self.target)})" + r":[^\s,;]*[^\s,;.)]"
        return TEXT_FORMS.get(self.type, "")

    @cached_property
    def shape(self) -> Any:
        """Return the compiled `pattern`, or None."""
        return compile_pattern(self.pattern) if self.pattern else None

    def normal(self, value: Any, conventions: Conventions = UNKNOWN) -> Any:
        """Return the value in its normal form, which is its own normal form. Raises `ValueProblem`.

        `conventions` are those of the text that the value is from.
        """
        if isinstance(value, str) and value in self.values:  # as it is stored: every fold of a long log comes by here
            return value
        if self.type == "reference":
            return reference(value, self.target)
        normal = normalise(self.type, value, self.values, conventions)
        if self.shape is not None and not self.shape.fullmatch(normal):
            raise ValueProblem(f"has to match {self.pattern}")
        return normal


def _spoken(word: str) -> str:
    """Return the pattern of a folded word of an enum, for RE2: with blanks, hyphens and underscores alike."""
    return r"[\s_/-]+".join(re2.escape(part) for part in word.split(" "))


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
