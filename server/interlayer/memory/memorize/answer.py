"""The answer of memorize: what became of every candidate, shortened where a long document yields very many."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from interlayer.memory.entities.resolution import Claim
from interlayer.memory.log.records import Head, LogEntry
from interlayer.memory.memorize.commit import Plan
from interlayer.memory.memorize.intake import GateResult, PreparedCall
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.text.budget import json_tokens

ANSWER_TOKENS: Final = 1_400


def entity_answer(head: Head, **more: object) -> dict[str, Any]:
    """Return how every tool names an entity."""
    return {"ref": head.entity.ref, "type": head.entity.type, "id": head.entity.id, "name": head.name, **more}


def shown_time(instant: str) -> str:
    """Return a stored instant to the second: nobody reads microseconds, and each digit is a token."""
    return f"{instant[:19]}Z"


def memorize_answer(
    checked: PreparedCall,
    decisions: Sequence[Decision],
    memory: LogEntry,
    planned: Plan,
    claims: Sequence[Claim],
    *,
    created: bool,
) -> dict[str, Any]:
    """Return the answer of the contract."""
    rejected_facts, rejected_properties = _rejected(checked.gated)
    facts = [*_facts(decisions, memory), *rejected_facts]
    shown = _within(facts, ANSWER_TOKENS)
    answer: dict[str, Any] = {
        "memory_id": memory.id,
        "entity": entity_answer(planned.head, created=created),
        "properties": [*_properties(checked, planned), *rejected_properties],
        "facts": shown,
        "relations": [{"type": one.type, "target": one.target.ref} for one in memory.relations],
        "gates": _counts(checked.gated),
        "extractor": checked.gated.extractor,
        "replayed": False,
    }
    if len(shown) < len(facts):
        answer["omitted"] = {"facts": len(facts) - len(shown), "why": "long answer; all are stored, use recall_entity"}
    if checked.degraded:
        answer["degraded"] = list(checked.degraded)
    if claims:
        answer["conflicts"] = [
            {"kind": claim.kind, "value": claim.value, "belongs_to": claim.owner.ref} for claim in claims
        ]
    return answer


def fact_outcome(one: Decision) -> str:
    """Return what became of a fact, in the words of the contract."""
    return "superseded_older" if one.supersedes and not one.superseded_by else one.outcome


def _facts(decisions: Sequence[Decision], memory: LogEntry) -> Iterable[dict[str, Any]]:
    by_number = {int(fact.id.rpartition("_")[2]): fact.id for fact in memory.facts}
    for number, one in enumerate(decisions):
        fact: dict[str, Any] = {
            "fact_id": by_number.get(number, ""),
            "text": one.candidate.text,
            "outcome": fact_outcome(one),
        }
        fact["confidence"] = one.candidate.confidence
        if one.duplicate_of is not None:
            same = _named(one.duplicate_of, by_number)
            fact |= {"fact_id": same, "similarity": one.similarity, "duplicate_of": same}
        if one.superseded_by:
            newer = _named(one.superseded_by[0], by_number)
            fact["reason"] = f"superseded by {newer}, which was observed later; kept as history"
        elif one.supersedes:
            fact["supersedes"] = _named(one.supersedes[0], by_number)
        yield fact


def _named(other: str | int, by_number: Mapping[int, str]) -> str:
    return other if isinstance(other, str) else by_number[other]


def nothing_remembered(checked: PreparedCall, head: Head | None) -> dict[str, Any]:
    """Return the answer to a call of which every candidate was turned down: it is no memory, and creates no entity."""
    named = checked.subject.entity
    unknown = {"ref": f"{named.type}:{named.key}", "type": named.type, "id": "", "name": named.key, "created": False}
    facts, properties = _rejected(checked.gated)
    shown = _within(facts, ANSWER_TOKENS)
    answer: dict[str, Any] = {
        "memory_id": "",
        "entity": entity_answer(head, created=False) if head else unknown,
        "properties": properties,
        "facts": shown,
        "relations": [],
        "gates": _counts(checked.gated),
        "extractor": checked.gated.extractor,
        "replayed": False,
    }
    if len(shown) < len(facts):
        answer["omitted"] = {"facts": len(facts) - len(shown), "why": "long answer; nothing was stored"}
    return answer


def _counts(gated: GateResult) -> dict[str, Any]:
    gates = gated.gates
    return {"checked": gates.checked, "passed": gates.passed, "rejected": dict(gates.rejected)}


def _rejected(gated: GateResult) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the answers of the facts and of the properties that were turned down."""
    facts = [one.answer() for one in gated.rejected if isinstance(one.candidate, FactCandidate)]
    properties = [one.answer() for one in gated.rejected if isinstance(one.candidate, PropertyCandidate)]
    return facts, properties


def _properties(checked: PreparedCall, planned: Plan) -> Iterable[Mapping[str, Any]]:
    for seen in checked.gated.properties:
        state = planned.properties[seen.name]
        answer: dict[str, Any] = {
            "name": seen.name,
            "outcome": planned.outcomes[seen.name],
            "value": state.value,
            "confidence": state.confidence,
        }
        previous = planned.previous.get(seen.name)
        if planned.outcomes[seen.name] == "updated":
            answer["previous"] = previous
        if planned.outcomes[seen.name] == "kept":
            answer["reason"] = "an older or weaker observation does not displace the current value"
        yield answer


def _within(entries: Sequence[dict[str, Any]], tokens: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for entry in entries:
        tokens -= json_tokens(entry)
        if tokens < 0 and shown:
            break
        shown.append(entry)
    return shown
