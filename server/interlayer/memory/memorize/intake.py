"""What a memorize call brings in: its limits, and its candidates after the gates. Pure functions."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from interlayer.documents.document import Document, Kind
from interlayer.documents.reader import read
from interlayer.errors import InvalidInput, Refused
from interlayer.ids import timestamp
from interlayer.language.grounding import Ground
from interlayer.language.prompt_injection.orders import addressed
from interlayer.memory.extraction.extractor import Extracted
from interlayer.memory.extraction.model_answer import UNJUDGED
from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.gates.context import GateContext
from interlayer.memory.gates.gates import Gates
from interlayer.memory.gates.rejected import Rejected
from interlayer.memory.gates.rejection import GateCode, Rejection
from interlayer.memory.gates.wording import plain_facts
from interlayer.memory.log.identifiers import check_text
from interlayer.memory.log.records import Observation
from interlayer.memory.memorize.call import GateResult, Reading
from interlayer.memory.memorize.reading.open_sentences import open_sentences
from interlayer.memory.requests import (
    CONTENT_MAX,
    FACTS_MAX,
    LABEL_MAX,
    PROPERTIES_MAX,
    QUERY_MAX,
    RELATIONS_MAX,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
)
from interlayer.memory.schema.schema import EntitySchema
from interlayer.text.private import masked, untellable

_RELATION: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_AHEAD: Final = timedelta(days=1)  # for clocks that go wrong, and dates of other time zones
LONGEST: Final = 1_000  # characters of a statement, as long as no schema says otherwise
_LEFT_OUT: Final[dict[Kind, GateCode]] = {"question": "question", "greeting": "greeting", "fragment": "fragment"}

_BESIDE_AN_ORDER: Final = 0.5  # of its confidence: a source that sends orders to models is no good witness

STATEMENTS_MAX: Final = 6_000  # what one transaction of any store holds


def read_plainly(content: str | None, observed_at: datetime | None = None, longest: int = LONGEST) -> Reading:
    """Blot every secret out of content, in place, so that spans still fit, and read what it is made of.

    No piece is longer than `longest` characters.
    """
    text = masked(content or "")
    return Reading(text, text != (content or ""), read(text, observed_at, longest), addressed=addressed(text))


def without_secrets(request: MemorizeRequest, reading: Reading) -> MemorizeRequest:
    """Take the secrets out of content and source; digits in a row are the id of a message there, and no card."""
    source = request.source
    if source:
        source = masked(source, [(start, end) for start, end in untellable(source) if not source[start:end].isdigit()])
    content = reading.content or None
    if (content, source) == (request.content, request.source):
        return request
    return replace(request, content=content, source=source)


def gate(request: MemorizeRequest, context: GateContext, reading: Reading) -> GateResult:
    """Return the candidates of a call, or of a part of one, after the gates."""
    found, content = reading.extracted, reading.content
    ground = Ground(content, context.known, context.observed_at) if found else None
    gates = Gates(context, ground, reading.redacted, reading.addressed, content)
    rejected: list[Rejected] = []
    plain = partial(_plain_facts, request, context, reading)
    unread = (
        open_sentences(reading.answered or found, ground, plain, may_stray="ungrounded" in context.gates.off)
        if ground and found
        else None
    )
    stated = [*found.facts, *(unread.facts if unread else ())] if found else plain()
    facts = list(_let_pass(gates, [*request.facts, *stated], rejected))
    if found:
        _turn_down_lost(gates, found, rejected)
    else:
        _leave_out(gates, reading.document)
    if len(facts) > STATEMENTS_MAX:
        raise InvalidInput("content", f"{len(facts)} sentences, {STATEMENTS_MAX} is the limit.", "Send it in parts.")
    given = _rename_to_current(request.properties, context.schema)
    names = [candidate.name for candidate in given]
    values = [one for one in found.properties if one.name not in names] if found else []
    if content and (unread or not found):
        taken, day = [*names, *(one.name for one in values)], context.observed_at.date()
        document = reading.valued or reading.document
        derived = properties_of(content, context.schema, taken, document, context.bears, day)
        values += [one for one in derived if unread is None or unread.hold(one.span)]
    properties = _observations(gates, [*given, *values], rejected, beside=bool(content))
    if content and gates.rejected["instruction"]:
        facts, properties = _with_less_trust(facts, properties)
    pending = reading.failed or (unread.why if unread else "")
    extractor = _extractor(request, reading, pending)
    return GateResult(tuple(facts), properties, tuple(rejected), gates, extractor, pending)


def check_orders(request: MemorizeRequest, gated: Sequence[GateResult]) -> None:
    """Raise `InvalidInput` for a call that holds nothing but instructions to a model: none of it can be remembered."""
    checked = sum(one.gates.checked for one in gated)
    ordered = sum(one.gates.rejected["instruction"] for one in gated)
    doubtful = any(one.reason.is_doubtful for part in gated for one in part.rejected)
    if checked and checked == ordered and not doubtful:
        field_name = "content" if request.content else "facts" if request.facts else "properties"
        problem = "it only addresses a model and states nothing."
        raise InvalidInput(field_name, problem, "Send statements about the entity.")


def _with_less_trust(
    facts: Sequence[FactCandidate], properties: Sequence[Observation]
) -> tuple[list[FactCandidate], tuple[Observation, ...]]:
    """Return statements beside an order to a model with less confidence; a caller's own words keep theirs."""
    return (
        [
            one if one.origin == "caller" else replace(one, confidence=round(one.confidence * _BESIDE_AN_ORDER, 2))
            for one in facts
        ],
        tuple(
            one if one.given else replace(one, confidence=round(one.confidence * _BESIDE_AN_ORDER, 2))
            for one in properties
        ),
    )


def _plain_facts(request: MemorizeRequest, context: GateContext, reading: Reading) -> Iterable[FactCandidate]:
    """Return the statements of plain content. Its own dates count where the call gives none, or it has several."""
    if not reading.content:
        return ()
    document = reading.document or read(reading.content, context.observed_at, context.gates.fact_characters_max)
    dated = not request.observed_at or len({piece.written_at for piece in document.pieces}) > 1
    return plain_facts(reading.content, document, context, dated=dated)


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
    labels = (("source", request.source), ("idempotency_key", request.idempotency_key))
    for name, text in (("content", request.content), *labels):
        if text:
            check_text(text, name)
    for number, fact in enumerate(request.facts):
        check_text(fact.text, f"facts.{number}.text")
        check_text(fact.replaces or "", f"facts.{number}.replaces", QUERY_MAX)
    if request.content is not None and not request.content.strip():
        raise InvalidInput("content", "is blank.", "Leave it out or send text.")


def check_times(request: MemorizeRequest, now: datetime) -> None:
    """Raise `InvalidInput` for what was observed in the future: no correction before that day would count."""
    given = [("observed_at", timestamp(request.observed_at) if request.observed_at else None)]
    given += [(f"facts.{number}.observed_at", fact.observed_at) for number, fact in enumerate(request.facts)]
    given += [(f"relations.{number}.observed_at", one.observed_at) for number, one in enumerate(request.relations)]
    last = timestamp(now + _AHEAD)
    for field_name, observed_at in given:
        if observed_at and observed_at > last:
            problem = f"{observed_at[:10]} is more than a day in the future."
            raise InvalidInput(field_name, problem, "Say when it was observed; put what is planned into the words.")


def admit(request: MemorizeRequest, context: GateContext, reading: Reading) -> GateResult:
    """Return the candidates of a call that an operator lets through: only what guards the store itself is checked.

    Raises `Refused` for secrets and for what addresses a model, `InvalidInput` for what the schema does not take.
    """
    gates = Gates(context, redacted=reading.redacted)
    for fact in request.facts:
        _check_admission(gates.fact(fact))
    properties: list[Observation] = []
    for candidate in _rename_to_current(request.properties, context.schema):
        judged = gates.value(candidate)
        _check_admission(judged)
        if isinstance(judged, Rejection):  # for what only keeps noise out
            judged = _as_given(candidate, context)
        properties.append(judged)
    return GateResult(tuple(request.facts), tuple(properties), (), Gates(context, checked=gates.checked), "admitted")


def _check_admission(judged: object) -> None:
    if not isinstance(judged, Rejection):
        return
    if judged.is_final:
        raise Refused(f"id: {judged}. This is never remembered; dismiss it.")
    if judged.code in {"unknown_property", "type", "ambiguous"}:
        raise InvalidInput("id", f"{judged}.", "Change the schema first, or dismiss it.")


def _as_given(candidate: PropertyCandidate, context: GateContext) -> Observation:
    """Return a value that the schema takes, however little confidence it has."""
    value = context.schema.current[candidate.name].normal(candidate.value)
    return Observation(
        candidate.name, value, candidate.confidence, timestamp(context.observed_at), remove=candidate.remove
    )


def _rename_to_current(candidates: Iterable[PropertyCandidate], schema: EntitySchema) -> list[PropertyCandidate]:
    """Return values under the names that their properties have today."""
    return [replace(one, name=schema.current_name(one.name)) for one in candidates]


def _let_pass(gates: Gates, candidates: Iterable[FactCandidate], rejected: list[Rejected]) -> Iterable[FactCandidate]:
    for candidate in candidates:
        fact = gates.fact(candidate)
        if isinstance(fact, Rejection):
            rejected.append(Rejected(candidate, fact))
        else:
            yield fact


def _leave_out(gates: Gates, document: Document | None) -> None:
    """Count what the content is made of beside statements."""
    for piece in document.pieces if document else ():
        if piece.kind != "statement":
            gates.leave_out(_LEFT_OUT.get(piece.kind, "furniture"))


def _turn_down_lost(gates: Gates, found: Extracted, rejected: list[Rejected]) -> None:
    """Count what of a model's answer cannot be read or is nobody's, and keep what it said of it for review."""
    for one in found.lost:
        gates.turn_down("not_in_form")
        if one.text:
            candidate = FactCandidate(one.text, UNJUDGED, origin="extractor", quote=one.quote)
            rejected.append(Rejected(candidate, Rejection("not_in_form", one.why)))
    for one in found.refused:
        gates.turn_down(one.code)
        rejected.append(Rejected(one.candidate, Rejection(one.code, one.why)))
    gates.turn_down("unknown_fact", found.unknown_facts)


def _observations(
    gates: Gates, candidates: Iterable[PropertyCandidate], rejected: list[Rejected], *, beside: bool
) -> tuple[Observation, ...]:
    passed: dict[tuple[str, bool], Observation] = {}
    for candidate in candidates:
        judged = gates.value(candidate)
        if isinstance(judged, Rejection):
            rejected.append(Rejected(candidate, judged))
        else:
            given = beside and candidate.origin == "caller"
            passed[candidate.name, candidate.remove] = replace(judged, given=given)
    return tuple(sorted(passed.values(), key=lambda one: not one.remove))  # what goes makes room for what comes


def _extractor(request: MemorizeRequest, reading: Reading, pending: str) -> str:
    given = ["caller"] if request.facts or request.properties else []
    if not request.content:
        return given[0] if given else "none"
    by = [*given, reading.extracted.extractor] if reading.extracted else given
    if pending:
        return f"{'+'.join([*by, 'pending'])} ({pending})"
    return "+".join(by if reading.extracted else [*by, "plain"])


def relation_type(kind: str) -> str:
    """Return the type of a relation. Raises `InvalidInput` for what is no word."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", kind.strip()).casefold()
    if not _RELATION.fullmatch(word):
        raise InvalidInput("relations.type", f"{kind[:40]!r} is no relation.", "Write a word, such as works_at.")
    return word
