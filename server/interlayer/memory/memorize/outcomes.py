"""From a decided call to its answer: what became of every candidate, shortened where there are very many."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from interlayer.answers import as_json
from interlayer.errors import Corrupt
from interlayer.memory.log.properties import why_kept
from interlayer.memory.log.records import FactId, Head, LogEntry
from interlayer.memory.memorize.answer import (
    AlsoReached,
    FactOutcome,
    FactResult,
    GateCounts,
    IdentifierOutcome,
    MemorizeAnswer,
    MemorizedEntity,
    OmittedFacts,
    PropertyOutcome,
    RelatedFact,
    RelationOutcome,
)
from interlayer.memory.memorize.call import GateResult, PreparedCall
from interlayer.memory.memorize.commit import MemoryChange
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.text.budget import json_tokens

ANSWER_TOKENS: Final = 1_400
RELATED_TOKENS: Final = 400
_ANSWER: Final = TypeAdapter(MemorizeAnswer)


def answer_body(answer: MemorizeAnswer) -> dict[str, Any]:
    """Return an answer as it is kept for replay."""
    return as_json(answer)


def read_answer(body: Mapping[str, Any]) -> MemorizeAnswer:
    """Read an answer that was kept for replay, by this version or an earlier one. Raises `Corrupt`."""
    try:
        return _ANSWER.validate_python(body)
    except ValidationError as error:
        raise Corrupt("idempotency_key: the answer that was kept for it cannot be read. Use another key.") from error


def memorize_answer(changes: Sequence[MemoryChange]) -> MemorizeAnswer:
    """Say what the changes of a call do with every candidate; the first is of whom it is mainly about."""
    main, others = changes[0], changes[1:]
    prepared = main.prepared
    written = {one.part.memory_id for one in changes}
    empty = [_list_rejected(one.gated) for one in prepared.parts if one.memory_id not in written]
    facts = [*_all_facts(main), *(fact for one in empty for fact in one[0])]
    left = ANSWER_TOKENS // (2 if others else 1)
    shown = _within(facts, left)
    also: list[AlsoReached] = []
    omitted = len(facts) - len(shown)
    for one in others:
        said = _all_facts(one)
        some = _within(said, left // len(others))
        omitted += len(said) - len(some)
        also.append(_also(one, some))
    return MemorizeAnswer(
        memory_id=main.memory.id,
        entity=_entity(replace(main.after, name=main.name), created=main.created),
        properties=(*_all_properties(main), *(value for one in empty for value in one[1])),
        facts=shown,
        related=tuple(_related(main)) or None,
        relations=tuple(_relations(main)),
        also=tuple(also) or None,
        ambiguous=prepared.ambiguous or None,
        gates=_counts([one.gated for one in prepared.parts]),
        extractor=main.part.gated.extractor,
        replayed=False,
        omitted=_omitted(omitted, "long answer; all are stored, use recall_entity"),
        degraded=prepared.degraded or None,
        conflicts=tuple(_conflicts(changes)) or None,
    )


def _also(change: MemoryChange, facts: tuple[FactOutcome, ...]) -> AlsoReached:
    return AlsoReached(
        entity=_entity(replace(change.after, name=change.name), created=change.created),
        properties=_all_properties(change),
        facts=facts,
        relations=tuple(_relations(change)),
    )


def _all_facts(change: MemoryChange) -> list[FactOutcome]:
    return [*_facts(change, change.memory), *_list_rejected(change.part.gated)[0]]


def _all_properties(change: MemoryChange) -> tuple[PropertyOutcome, ...]:
    return (*_properties(change), *_list_rejected(change.part.gated)[1])


def _relations(change: MemoryChange) -> Iterator[RelationOutcome]:
    """Yield what became of each relation, as far as its caller may see."""
    before = change.told.relations
    after = change.told.linked.extended(change.memory).states
    for one in change.memory.relations:
        state, former = after[one.relation], before.get(one.relation)
        was_current = former is not None and former.status == "current"
        outcome = "kept"
        if one.ended and state.status == "ended":
            outcome = "ended" if former is None or former.status != "ended" else "confirmed"
        elif not one.ended and state.status == "current":
            outcome = "confirmed" if was_current else "added"
        over = [
            known.relation.target.ref
            for relation, known in before.items()
            if relation.type == one.type and known.status == "current" and after[relation].status == "superseded"
        ]
        late = f"it is {state.status} by what was observed later; kept as history" if outcome == "kept" else ""
        yield RelationOutcome(
            type=one.type,
            target=one.target.ref,
            outcome=outcome,
            supersedes=over[0] if over and outcome == "added" else None,
            reason="; ".join(filter(None, (change.notes.get(one.relation, ""), late))) or None,
        )


def _conflicts(changes: Iterable[MemoryChange]) -> Iterator[IdentifierOutcome]:
    for change in changes:
        for one in change.conflicts_told:
            yield IdentifierOutcome(kind=one.kind, value=one.value, belongs_to=one.owner.ref)


def fact_outcome(one: Decision) -> FactResult:
    """Say what became of a fact, in the words of the contract."""
    return "superseded_older" if one.supersedes and not one.superseded_by else one.outcome


def _facts(change: MemoryChange, memory: LogEntry) -> Iterator[FactOutcome]:
    by_number = _ids(change.decisions, memory)
    for number, made in enumerate(change.decisions):
        one = _as_told(made, change)
        same = None if one.duplicate_of is None else _name(one.duplicate_of, by_number)
        newer = _name(one.superseded_by[0], by_number) if one.superseded_by else None
        replaced = one.replaces or (() if newer else one.supersedes)
        older = _name(replaced[0], by_number) if replaced else None
        late = f"superseded by {newer}, which was observed later; kept as history" if newer else None
        yield FactOutcome(
            fact_id=same or by_number.get(number) or str(FactId.of(memory.id, number)),
            text=one.candidate.text,
            outcome=fact_outcome(one),
            confidence=one.candidate.confidence,
            similarity=one.similarity if same else None,
            duplicate_of=same,
            supersedes=older,
            reason=one.note or late,
        )


def _as_told(one: Decision, change: MemoryChange) -> Decision:
    """Return a decision as its caller may be told of it: without the facts that he may not see."""
    if change.told is change.view:
        return one

    def seen(named: Sequence[str | int]) -> tuple[str | int, ...]:
        return tuple(name for name in named if isinstance(name, int) or change.told.fact(name))

    told = replace(
        one, supersedes=seen(one.supersedes), superseded_by=seen(one.superseded_by), replaces=seen(one.replaces)
    )
    if isinstance(one.duplicate_of, str) and not change.told.fact(one.duplicate_of):
        return replace(told, outcome="added", duplicate_of=None, note="")
    return told if (told.supersedes, told.replaces) == (one.supersedes, one.replaces) else replace(told, note="")


def _ids(decisions: Sequence[Decision], memory: LogEntry) -> dict[int, str]:
    """Return the ids of the added facts by their number in the call."""
    added = iter(memory.facts)
    return {number: next(added).id for number, one in enumerate(decisions) if one.outcome == "added"}


def _related(change: MemoryChange) -> Iterator[RelatedFact]:
    """Yield the known facts near to what was added, as many as a part of the answer holds."""
    by_number = _ids(change.decisions, change.memory)
    left = RELATED_TOKENS
    for one in change.related:
        decision = change.decisions[one.to]
        to = by_number.get(one.to) or _name(decision.duplicate_of or 0, by_number)
        shown = RelatedFact(fact_id=one.fact.record.id, text=one.fact.record.text, similarity=one.similarity, to=to)
        left -= json_tokens(as_json(shown))
        if left >= 0:
            yield shown


def _name(other: str | int, by_number: Mapping[int, str]) -> str:
    return other if isinstance(other, str) else by_number[other]


def nothing_remembered(prepared: PreparedCall, head: Head | None) -> MemorizeAnswer:
    """Return the answer to a call of which every candidate was turned down: it is no memory, and creates no entity."""
    named = prepared.main.reference.entity
    unknown = MemorizedEntity(ref=f"{named.type}:{named.key}", type=named.type, id="", name=named.key, created=False)
    lists = [_list_rejected(one.gated) for one in prepared.parts]
    facts = [fact for one in lists for fact in one[0]]
    shown = _within(facts, ANSWER_TOKENS)
    return MemorizeAnswer(
        memory_id="",
        entity=_entity(head, created=False) if head else unknown,
        properties=tuple(one for both in lists for one in both[1]),
        facts=shown,
        relations=(),
        ambiguous=prepared.ambiguous or None,
        gates=_counts([one.gated for one in prepared.parts]),
        extractor=prepared.main.gated.extractor,
        replayed=False,
        omitted=_omitted(len(facts) - len(shown), "long answer; nothing was stored"),
    )


def _entity(head: Head, *, created: bool) -> MemorizedEntity:
    return MemorizedEntity(
        ref=head.entity.ref, type=head.entity.type, id=head.entity.id, name=head.name, created=created
    )


def _counts(gated: Sequence[GateResult]) -> GateCounts:
    rejected = sum((one.gates.rejected for one in gated), Counter[str]())
    checked, passed = sum(one.gates.checked for one in gated), sum(one.gates.passed for one in gated)
    return GateCounts(checked=checked, passed=passed, rejected=dict(rejected))


def _list_rejected(gated: GateResult) -> tuple[tuple[FactOutcome, ...], tuple[PropertyOutcome, ...]]:
    """Say what became of the facts and properties that were turned down."""
    shown = [(one.shown, str(one.reason)) for one in gated.rejected]
    facts = (
        FactOutcome(fact_id="", text=one.text, outcome="rejected", confidence=one.confidence, reason=reason)
        for one, reason in shown
        if isinstance(one, FactCandidate)
    )
    properties = (
        PropertyOutcome(name=one.name, outcome="rejected", value=one.value, confidence=one.confidence, reason=reason)
        for one, reason in shown
        if isinstance(one, PropertyCandidate)
    )
    return tuple(facts), tuple(properties)


def _properties(change: MemoryChange) -> Iterator[PropertyOutcome]:
    for seen in {one.name: one for one in change.part.gated.properties if not one.derived}.values():
        outcome, state = change.outcomes[seen.name], change.properties[seen.name]
        previous = change.told.properties.get(seen.name)
        met = change.told.states.get(seen.name)
        why = why_kept(met, seen, change.schema.current[seen.name]) if met else "there is nothing to remove"
        yield PropertyOutcome(
            name=seen.name,
            outcome=outcome,
            value=state.value,
            confidence=state.confidence,
            previous=previous.value if previous and outcome in {"updated", "removed"} else None,
            reason=why if outcome == "kept" else None,
        )


def _within(facts: Iterable[FactOutcome], tokens: int) -> tuple[FactOutcome, ...]:
    """Return the first facts that keep within so many tokens, one at least."""
    shown: list[FactOutcome] = []
    for fact in facts:
        tokens -= json_tokens(as_json(fact))
        if tokens < 0 and shown:
            break
        shown.append(fact)
    return tuple(shown)


def _omitted(facts: int, why: str) -> OmittedFacts | None:
    return OmittedFacts(facts=facts, why=why) if facts else None
