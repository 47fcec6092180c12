"""What a model is asked to answer when it reads content: the JSON schema, and the answer read back."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlayer.memory.extraction import ExtractedFact, ExtractedProperty, Extraction
from interlayer.memory.schema import EntitySchema
from interlayer.models.structured import NotInForm

NAME: Final = "extraction"
_MISTAKES: Final = 3
_FACTS_MAX: Final = 80  # of one passage

Status = Literal["new", "changed", "repeated"]


class _Part(BaseModel):
    """A part of an answer; what a model adds of its own is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Fact(_Part):
    text: Annotated[str, Field(min_length=1)]
    quote: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    status: Status = "new"
    observed_at: str | None = None
    subject: str | None = None


class _Property(_Part):
    name: str
    value: bool | int | float | str | list[str]
    quote: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    status: Status = "new"


class _Answer(_Part):
    facts: list[_Fact]
    properties: list[_Property] = []


def answer_schema(schema: EntitySchema) -> dict[str, Any]:
    """Return the JSON schema of an answer about a type: closed objects with every key required, as strict modes ask."""
    text, share = {"type": "string"}, {"type": "number"}
    status = {"type": "string", "enum": ["new", "changed", "repeated"]}
    names = {"type": "string", "enum": list(schema.current)} if schema.current else text
    value = {"anyOf": [text, share, {"type": "boolean"}, {"type": "array", "items": text}]}
    fact = _closed(
        {"text": text, "quote": text, "confidence": share, "status": status, "observed_at": text, "subject": text}
    )
    prop = _closed({"name": names, "value": value, "quote": text, "confidence": share, "status": status})
    most = {"facts": _FACTS_MAX, "properties": max(len(schema.current), 1)}  # a small model goes round in circles
    items = {"facts": fact, "properties": prop}
    lists = {name: {"type": "array", "items": items[name], "maxItems": most[name]} for name in items}
    return _closed(lists)


def read_answer(data: Any) -> Extraction:
    """Return an answer as an extraction. Raises `NotInForm` with the first mistakes, each with its place."""
    try:
        answer = _Answer.model_validate(data)
    except ValidationError as error:
        raise NotInForm("; ".join(_mistakes(error))) from error
    facts = [
        ExtractedFact(one.text, one.quote, one.confidence, one.observed_at or None, one.subject or None)
        for one in answer.facts
    ]
    properties = [ExtractedProperty(one.name, one.value, one.quote, one.confidence) for one in answer.properties]
    return Extraction(facts, properties)


def _mistakes(error: ValidationError) -> Iterator[str]:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    for detail in details[:_MISTAKES]:
        # A value may be of several types, and pydantic names the type that it tried as a part of the place.
        place = ".".join(str(part) for part in detail["loc"])
        yield f"{place or 'the answer'}: {detail['msg']}"


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
