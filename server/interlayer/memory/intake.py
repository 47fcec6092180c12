"""What a memorize call brings in: its limits, and its candidates after the gates. Pure functions."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.memory.candidates import facts_of, properties_of
from interlayer.memory.extraction import Extracted, Reading
from interlayer.memory.gates import Gates
from interlayer.memory.grounding import Turned, examined, quoted
from interlayer.memory.identifiers import check_text
from interlayer.memory.naming import Subject
from interlayer.memory.reconciling import Decision
from interlayer.memory.records import Observation
from interlayer.memory.requests import (
    CONTENT_MAX,
    FACTS_MAX,
    LABEL_MAX,
    PROPERTIES_MAX,
    RELATIONS_MAX,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
)
from interlayer.memory.schema import GateSettings
from interlayer.models.embedder import Vectors
from interlayer.text.private import masked
from interlayer.text.relative_time import anchor

_STYLE: Final = ("ungrounded", "dangling", "unanchored", "other_entity", "low_confidence", "oversized")
STATEMENTS_MAX: Final = 6_000  # what one transaction of any store holds


@dataclass(frozen=True, slots=True)
class Gated:
    """The candidates of a call: those that came through the gates, and those that did not."""

    facts: tuple[FactCandidate, ...]
    rejected_facts: tuple[Decision, ...]
    properties: tuple[Observation, ...]
    rejected_properties: tuple[dict[str, Any], ...]
    gates: Gates
    extractor: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A call after the gates: everything that a retry needs again. `vectors` is (len(gated.facts), dims)."""

    request: MemorizeRequest
    subject: Subject
    memory_id: str
    observed_at: str
    vectors: Vectors
    relations: tuple[tuple[str, Subject], ...]
    gated: Gated


@dataclass(frozen=True, slots=True)
class Offered:
    """What a call offers: the request, without secrets, and what a model read in its content if one did."""

    request: MemorizeRequest
    reading: Reading
    own: Collection[str]
    extracted: Extracted | None
    extractor: str


def gate(offered: Offered, limits: GateSettings) -> Gated:
    """Return the candidates of a call after the gates.

    Raises `InvalidInput` for a call that holds nothing but instructions to a model: nothing in it can be remembered.
    """
    gates, request = Gates(), offered.request
    if request.admitted:
        limits = GateSettings(fact_characters_max=limits.fact_characters_max, off=_STYLE)
    facts: list[FactCandidate] = []
    rejected: list[Decision] = []
    for candidate in _candidates(offered, limits, gates, rejected):
        model = candidate.confidence if offered.extracted and candidate.span else None
        reason = gates.fact(candidate.text, limits, model)
        if reason is None:
            facts.append(candidate)
        else:
            rejected.append(Decision(candidate, "rejected", reason=reason))
    if len(facts) > STATEMENTS_MAX:
        raise InvalidInput("content", f"{len(facts)} sentences, {STATEMENTS_MAX} is the limit.", "Send it in parts.")
    properties, rejected_properties = _gated_properties(offered, gates)
    if gates.checked and gates.rejected == Counter(instruction=gates.checked):
        field_name = "content" if request.content else "facts" if request.facts else "properties"
        problem = "it only addresses a model and states nothing."
        raise InvalidInput(field_name, problem, "Send statements about the entity.")
    return Gated(tuple(facts), tuple(rejected), properties, rejected_properties, gates, _extractor(offered))


def without_secrets(request: MemorizeRequest) -> MemorizeRequest:
    """Return the request with keys, tokens, passwords and card numbers overwritten wherever they could be kept."""
    return replace(
        request,
        content=masked(request.content) if request.content else request.content,
        source=masked(request.source) if request.source else request.source,
        facts=[replace(fact, text=masked(fact.text)) for fact in request.facts],
        properties=[
            replace(one, value=masked(one.value)) if isinstance(one.value, str) else one for one in request.properties
        ],
    )


def _candidates(
    offered: Offered, limits: GateSettings, gates: Gates, rejected: list[Decision]
) -> Iterator[FactCandidate]:
    """Yield what the caller gives as it is, and what content holds: as the model read it, or by sentence."""
    request, reading = offered.request, offered.reading
    yield from request.facts
    if offered.extracted is None:
        if request.content:
            instant = datetime.fromisoformat(reading.observed_at)
            for plain in facts_of(request.content):
                yield replace(plain, text=anchor(plain.text, instant))
        return
    for fact in offered.extracted.facts:
        try:
            yield examined(fact, reading, offered.own, limits.off)
        except Turned as verdict:
            reason = gates.count(str(verdict))
            rejected.append(Decision(FactCandidate(fact.text, fact.confidence), "rejected", reason=reason))


def check_limits(request: MemorizeRequest) -> None:
    """Raise `InvalidInput` for what no gate has to look at: nothing at all, too much, or no text."""
    if not any((request.content, request.facts, request.properties, request.relations, request.identifiers)):
        raise InvalidInput(
            "content", "nothing to remember.", "Give content, facts, properties, relations or identifiers."
        )
    for name, count, most in (
        ("content", len(request.content or ""), CONTENT_MAX),
        ("facts", len(request.facts), FACTS_MAX),
        ("properties", len(request.properties), PROPERTIES_MAX),
        ("relations", len(request.relations), RELATIONS_MAX),
        ("source", len(request.source or ""), LABEL_MAX),
        ("idempotency_key", len(request.idempotency_key or ""), LABEL_MAX),
    ):
        if count > most:
            raise InvalidInput(name, f"{count} is over the limit of {most}.", "Send it in several calls.")
    for name, text in (("content", request.content), ("source", request.source)):
        check_text(text or "", name)
    check_text(request.idempotency_key or "", "idempotency_key")
    for number, fact in enumerate(request.facts):
        check_text(fact.text, f"facts.{number}.text")
    if request.content is not None and not request.content.strip():
        raise InvalidInput("content", "is blank.", "Leave it out or send text.")


def _gated_properties(offered: Offered, gates: Gates) -> tuple[tuple[Observation, ...], tuple[dict[str, Any], ...]]:
    request, reading = offered.request, offered.reading
    passed: dict[str, Observation] = {}
    rejected: list[dict[str, Any]] = []
    given = [replace(one, name=reading.schema.current_name(one.name)) for one in request.properties]
    for candidate in [*given, *_properties_read(offered)]:
        value, reason = gates.value(candidate, reading.schema)
        if reason is None:
            seen = Observation(candidate.name, value, candidate.confidence, reading.observed_at, candidate.span)
            passed[candidate.name] = seen
        else:
            one = {"name": candidate.name, "outcome": "rejected", "value": value}
            rejected.append(one | {"confidence": candidate.confidence, "reason": reason})
    return tuple(passed.values()), tuple(rejected)


def _properties_read(offered: Offered) -> Iterator[PropertyCandidate]:
    """Yield the properties that content holds, except those that the caller gives."""
    given = {offered.reading.schema.current_name(candidate.name) for candidate in offered.request.properties}
    if offered.extracted is None:
        if offered.request.content:
            yield from properties_of(offered.request.content, offered.reading.schema, list(given))
        return
    for one in offered.extracted.properties:
        span = quoted(one.quote, offered.reading.content)
        if one.name not in given and span is not None:
            yield PropertyCandidate(one.name, one.value, one.confidence, span)


def _extractor(offered: Offered) -> str:
    given = bool(offered.request.facts or offered.request.properties)
    if offered.request.content:
        return f"caller+{offered.extractor}" if given else offered.extractor
    return "caller" if given else "none"
