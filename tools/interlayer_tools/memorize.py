"""memorize: what an agent calls when it has learned something."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from interlayer.answers import as_json
from interlayer.errors import InvalidInput
from interlayer.ids import parse_instant, timestamp
from interlayer.memory.requests import CALLER_CONFIDENCE, FactCandidate, MemorizeRequest, PropertyCandidate
from interlayer.principal import Principal
from interlayer_tools.tool import Confidence, Domains, EntityText, Input, OptionalText, Output, PropertyValue, Tool

DESCRIPTION = """\
Store what you learned about a customer, company, deal or ticket in the memory that all agents share: extracted \
facts and properties, or raw content. Not for drafts or guesses. Repeats are merged. When it returns, it is stored."""


class FactInput(Input):
    """A statement that stands on its own."""

    text: str
    confidence: Confidence = None
    observed_at: OptionalText = None


class PropertyInput(Input):
    """A value for a property of the schema."""

    name: str
    value: PropertyValue
    confidence: Confidence = None


class RelationInput(Input):
    """A link to another entity."""

    type: str
    target: EntityText


class MemorizeInput(Input):
    """Arguments of memorize."""

    entity: Annotated[EntityText, Field(description="type:key, e.g. contact:ann@acme.com, deal:D-7")]
    content: OptionalText = None
    facts: list[FactInput] = []
    properties: list[PropertyInput] = []
    relations: list[RelationInput] = []
    identifiers: Annotated[dict[str, str], Field(description="{kind: value}, e.g. email, domain")] = {}
    name: OptionalText = None
    source: OptionalText = None
    observed_at: Annotated[OptionalText, Field(description="ISO 8601")] = None
    idempotency_key: OptionalText = None


class EntityOutput(Output):
    """How an entity is named."""

    ref: str
    type: str
    id: str
    name: str
    created: bool


class PropertyOutcome(Output):
    """What became of a property."""

    name: str
    outcome: Literal["set", "updated", "confirmed", "kept", "rejected"]
    value: Any
    confidence: float
    previous: Any = None
    reason: OptionalText = None


class FactOutcome(Output):
    """What became of a fact."""

    fact_id: str
    text: str
    outcome: Literal["added", "merged", "superseded_older", "rejected"]
    confidence: float
    similarity: float = 0
    duplicate_of: OptionalText = None
    supersedes: OptionalText = None
    reason: OptionalText = None


class GateCounts(Output):
    """How many candidates were checked, and why some were turned down."""

    checked: int
    passed: int
    rejected: dict[str, int]


class RelationOutcome(Output):
    """A relation as it was stored."""

    type: str
    target: str


class MemorizeOutput(Output):
    """Answer of memorize."""

    memory_id: str
    entity: EntityOutput
    properties: list[PropertyOutcome]
    facts: list[FactOutcome]
    relations: list[RelationOutcome]
    gates: GateCounts
    extractor: str
    replayed: bool


async def memorize(domains: Domains, principal: Principal, given: MemorizeInput) -> Mapping[str, Any]:
    """Remember. Raises `InterlayerError`; then nothing was stored."""
    facts: list[FactCandidate] = []
    for number, fact in enumerate(given.facts):
        observed = parse_instant(fact.observed_at, f"facts.{number}.observed_at") if fact.observed_at else None
        confidence = CALLER_CONFIDENCE if fact.confidence is None else fact.confidence
        text = " ".join(fact.text.split())
        facts.append(FactCandidate(text, confidence, timestamp(observed) if observed else None))
    properties = [
        PropertyCandidate(one.name, one.value, CALLER_CONFIDENCE if one.confidence is None else one.confidence)
        for one in given.properties
    ]
    if len({one.name for one in properties}) < len(properties):
        raise InvalidInput("properties", "one name was given twice.", "Give each property once; a list takes several.")
    request = MemorizeRequest(
        entity=given.entity,
        content=given.content,
        facts=facts,
        properties=properties,
        relations=[(one.type, one.target) for one in given.relations],
        identifiers=given.identifiers,
        name=given.name,
        source=given.source,
        observed_at=parse_instant(given.observed_at, "observed_at") if given.observed_at else None,
        idempotency_key=given.idempotency_key,
    )
    return as_json(await domains.memorizer.memorize(principal, request))


TOOL = Tool(
    name="memorize",
    title="Remember",
    description=DESCRIPTION,
    input=MemorizeInput,
    output=MemorizeOutput,
    run=memorize,
    role="writer",
    idempotent=True,
)
