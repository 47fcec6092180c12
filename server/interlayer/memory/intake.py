"""What a memorize call brings in: its limits, and its candidates after the gates. Pure functions."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.memory.candidates import facts_of, properties_of
from interlayer.memory.gates import Gates
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
)
from interlayer.memory.schema import EntitySchema
from interlayer.models.embedder import Vectors

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


def gate(request: MemorizeRequest, schema: EntitySchema, observed_at: str) -> Gated:
    """Return the candidates of a call after the gates.

    Raises `InvalidInput` for a call that holds nothing but instructions to a model: nothing in it can be remembered.
    """
    gates = Gates()
    facts: list[FactCandidate] = []
    rejected_facts: list[Decision] = []
    for candidate in [*request.facts, *(facts_of(request.content) if request.content else ())]:
        reason = gates.fact(candidate.text)
        if reason is None:
            facts.append(candidate)
        else:
            rejected_facts.append(Decision(candidate, "rejected", reason=reason))
    if len(facts) > STATEMENTS_MAX:
        raise InvalidInput("content", f"{len(facts)} sentences, {STATEMENTS_MAX} is the limit.", "Send it in parts.")
    properties, rejected_properties = _gated_properties(request, schema, observed_at, gates)
    if gates.checked and gates.rejected == Counter(instruction=gates.checked):
        field_name = "content" if request.content else "facts" if request.facts else "properties"
        problem = "it only addresses a model and states nothing."
        raise InvalidInput(field_name, problem, "Send statements about the entity.")
    return Gated(tuple(facts), tuple(rejected_facts), properties, rejected_properties, gates, _extractor(request))


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


def _gated_properties(
    request: MemorizeRequest, schema: EntitySchema, observed_at: str, gates: Gates
) -> tuple[tuple[Observation, ...], tuple[dict[str, Any], ...]]:
    given = [replace(candidate, name=schema.current_name(candidate.name)) for candidate in request.properties]
    taken = [candidate.name for candidate in given]
    found = properties_of(request.content, schema, taken) if request.content else ()
    passed: dict[str, Observation] = {}
    rejected: list[dict[str, Any]] = []
    for candidate in [*given, *found]:
        value, reason = gates.value(candidate, schema)
        if reason is None:
            seen = Observation(candidate.name, value, candidate.confidence, observed_at, candidate.span)
            passed[candidate.name] = seen
        else:
            one = {"name": candidate.name, "outcome": "rejected", "value": value}
            rejected.append(one | {"confidence": candidate.confidence, "reason": reason})
    return tuple(passed.values()), tuple(rejected)


def _extractor(request: MemorizeRequest) -> str:
    given = bool(request.facts or request.properties)
    if request.content:
        return "caller+plain" if given else "plain"
    return "caller" if given else "none"
