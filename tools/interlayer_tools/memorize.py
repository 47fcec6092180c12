"""memorize: what an agent calls when it has learned something."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from interlayer.errors import InvalidInput
from interlayer.ids import parse_instant, timestamp
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.requests import (
    CALLER_CONFIDENCE,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RelationCandidate,
)
from interlayer.principal import Principal
from interlayer_tools.renderings.memory import memorize_text
from interlayer_tools.tool import Confidence, Domains, EntityText, Input, OptionalText, PropertyValue, Tool

DESCRIPTION = """\
Store what you learned of customers, companies, deals or tickets in the memory that all agents share: facts and \
properties, or a whole mail, call or note as content. No drafts or guesses. When something changed, say what holds now \
and what it replaces; replace what no longer holds of related in the answer."""


class FactInput(Input):
    """A statement that stands on its own."""

    text: str
    confidence: Confidence = None
    observed_at: OptionalText = None
    replaces: Annotated[OptionalText, Field(description="fact_id or words of what no longer holds")] = None
    ended: Annotated[bool, Field(description="what it says is over")] = False
    about: Annotated[OptionalText, Field(description="whom it is about, if not entity")] = None


class PropertyInput(Input):
    """A value for a property of the schema."""

    name: str
    value: PropertyValue | SkipJsonSchema[None] = None
    confidence: Confidence = None
    remove: Annotated[bool, Field(description="takes value out; without: clears it")] = False
    about: OptionalText = None


class RelationInput(Input):
    """A link from `entity`, or `source`, to another entity."""

    type: str
    target: EntityText
    source: OptionalText = None
    ended: bool = False
    observed_at: OptionalText = None


class IdentifierInput(Input):
    """A value that belongs to the entity alone, and its kind."""

    kind: Annotated[str, Field(description="e.g. email, domain")]
    value: str


def _as_list(given: object) -> object:
    """Take a map of kinds to values too: some hosts write one, others announce a map as an empty object."""
    return [{"kind": kind, "value": value} for kind, value in given.items()] if isinstance(given, dict) else given


class MemorizeInput(Input):
    """Arguments of memorize."""

    entity: Annotated[OptionalText, Field(description="type:key, e.g. contact:ann@acme.com, deal:D-7")] = None
    content: OptionalText = None
    facts: list[FactInput] = []
    properties: list[PropertyInput] = []
    relations: list[RelationInput] = []
    identifiers: Annotated[list[IdentifierInput], BeforeValidator(_as_list)] = []
    name: OptionalText = None
    source: OptionalText = None
    observed_at: Annotated[OptionalText, Field(description="ISO 8601")] = None
    idempotency_key: OptionalText = None
    visibility: Annotated[OptionalText, Field(description="organization, team:NAME, private")] = None


def _by_kind(given: Sequence[IdentifierInput]) -> dict[str, str]:
    """Return identifiers by kind. Raises `InvalidInput` for two values of one kind: a call tells one."""
    found: dict[str, str] = {}
    for one in given:
        if found.setdefault(one.kind, one.value) != one.value:
            raise InvalidInput("identifiers", f"{one.kind} is given twice.", "Give one value of a kind in a call.")
    return found


async def memorize(domains: Domains, principal: Principal, given: MemorizeInput) -> MemorizeAnswer:
    """Remember. Raises `InterlayerError`; then nothing was stored."""
    facts: list[FactCandidate] = []
    for number, fact in enumerate(given.facts):
        confidence = CALLER_CONFIDENCE if fact.confidence is None else fact.confidence
        text = " ".join(fact.text.split())
        seen = _instant(fact.observed_at, f"facts.{number}.observed_at")
        replaced = " ".join((fact.replaces or "").split()) or None
        facts.append(FactCandidate(text, confidence, seen, replaces=replaced, ended=fact.ended, about=fact.about))
    properties = [
        PropertyCandidate(
            one.name,
            one.value,
            CALLER_CONFIDENCE if one.confidence is None else one.confidence,
            remove=one.remove,
            about=one.about,
        )
        for one in given.properties
    ]
    lacking = next((number for number, one in enumerate(properties) if one.value is None and not one.remove), None)
    if lacking is not None:
        raise InvalidInput(f"properties.{lacking}.value", "is missing.", "Give a value, or remove: true to empty it.")
    if len({(one.about, one.name, one.remove) for one in properties}) < len(properties):
        raise InvalidInput("properties", "one name was given twice.", "Give each property once; a list takes several.")
    relations = [
        RelationCandidate(
            one.type, one.target, one.source, one.ended, _instant(one.observed_at, f"relations.{number}.observed_at")
        )
        for number, one in enumerate(given.relations)
    ]
    request = MemorizeRequest(
        entity=given.entity,
        content=given.content,
        facts=facts,
        properties=properties,
        relations=relations,
        identifiers=_by_kind(given.identifiers),
        name=given.name,
        source=given.source,
        observed_at=parse_instant(given.observed_at, "observed_at") if given.observed_at else None,
        idempotency_key=given.idempotency_key,
        visibility=given.visibility or "",
    )
    return await domains.memory.memorizer.memorize(principal, request)


def _instant(text: str | None, field_name: str) -> str | None:
    """Return a time as it is stored. Raises `InvalidInput` naming the field."""
    return timestamp(parse_instant(text, field_name)) if text else None


TOOL = Tool(
    name="memorize",
    title="Remember",
    description=DESCRIPTION,
    input=MemorizeInput,
    output=MemorizeAnswer,
    run=memorize,
    text=memorize_text,
    role="writer",
    idempotent=True,
)
