"""What a model is asked to answer when it reads content: the JSON schema, and the answer read back.

A model is not asked whether a fact is new, changed or repeated. It could only guess: reconcile compares each fact with
all that is known, and a guess that counted would let a weak model, or a text that talks it into one, hide what is true.
The prompt asks for the words of the known fact instead, which is what reconcile goes by.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlayer.memory.extraction.extractor import ExtractedFact, ExtractedProperty, Extraction
from interlayer.memory.schema.schema import EntitySchema
from interlayer.models.structured import NotInForm

P = TypeVar("P", bound=BaseModel)

NAME: Final = "extraction"
_MISTAKES: Final = 3
_CHARACTERS_A_FACT: Final = 60  # dense notes have one in as many
_FACTS_MAX: Final = (5, 10, 20, 40, 80)  # of one passage, in steps: a server compiles each schema that it sees
_CHARACTERS_MAX: Final = 400  # of a statement, a quotation, a value
_ENTRIES_MAX: Final = 20  # of a list that is a value
_SHARES: Final = (0.95, 0.85, 0.7, 0.5, 0.3, 0.1)


class _Part(BaseModel):
    """A part of an answer; what a model adds of its own is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Fact(_Part):
    text: Annotated[str, Field(min_length=1)]
    quote: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    observed_at: str | None = None
    subject: str | None = None


class _Property(_Part):
    name: str
    value: bool | int | float | str | list[str]
    quote: str
    confidence: Annotated[float, Field(ge=0, le=1)]


class _Answer(_Part):
    facts: list[_Fact]
    properties: list[_Property] = []


def answer_schema(schema: EntitySchema, characters: int) -> dict[str, Any]:
    """Return the JSON schema of an answer about a type: closed objects with every key required, as strict modes ask.

    It is bounded by how long the passage is, so that whatever decodes by it comes to an end.
    """
    text, share = _text(_CHARACTERS_MAX), {"type": "number", "enum": list(_SHARES)}
    names = {"type": "string", "enum": list(schema.current)} if schema.current else text
    entries = {"type": "array", "items": _text(_CHARACTERS_MAX), "maxItems": _ENTRIES_MAX}
    value = {"anyOf": [text, {"type": "number"}, {"type": "boolean"}, entries]}
    # The quote first: what a model has just copied, it states; what it has stated already, it finds a quote for.
    fact = _closed_object(
        {"quote": text, "text": text, "confidence": share, "observed_at": _text(10), "subject": _text(200)}
    )
    prop = _closed_object({"name": names, "quote": text, "value": value, "confidence": share})
    facts_max = next((most for most in _FACTS_MAX if most * _CHARACTERS_A_FACT >= characters), _FACTS_MAX[-1])
    most = {"facts": facts_max, "properties": max(len(schema.current), 1)}
    items = {"facts": fact, "properties": prop}
    return _closed_object({name: {"type": "array", "items": items[name], "maxItems": most[name]} for name in items})


def read_answer(data: Any) -> Extraction:
    """Return an answer as an extraction. Raises `NotInForm` with the first mistakes, each with its place.

    Each entry is a candidate of its own: what is usable of an answer with mistakes are the entries without.
    """
    try:
        return _extraction(_Answer.model_validate(data))
    except ValidationError as error:
        usable = _extraction(
            _Answer(facts=_valid(_Fact, data, "facts"), properties=_valid(_Property, data, "properties"))
        )
        some = usable.facts or usable.properties
        raise NotInForm("; ".join(_mistakes(error)), usable if some else None) from error


def _valid(part: type[P], data: Any, name: str) -> list[P]:
    found: list[P] = []
    entries: Any = data.get(name) if isinstance(data, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        with suppress(ValidationError):
            found.append(part.model_validate(entry))
    return found


def _extraction(answer: _Answer) -> Extraction:
    facts = [
        ExtractedFact(one.text, one.quote, one.confidence, one.observed_at or None, one.subject or None)
        for one in answer.facts
    ]
    return Extraction(
        facts, [ExtractedProperty(one.name, one.value, one.quote, one.confidence) for one in answer.properties]
    )


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _mistakes(error: ValidationError) -> Iterator[str]:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    for detail in details[:_MISTAKES]:
        # A value may be of several types, and pydantic names the type that it tried as a part of the place.
        place = ".".join(str(part) for part in detail["loc"])
        yield f"{place or 'the answer'}: {detail['msg']}"


def _closed_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
