"""What decided candidates are stored as: facts of a memory, and confirmations of known facts. Pure functions."""

from collections.abc import Iterator, Sequence

from interlayer.memory.log.records import Confirmation, FactId, FactRecord
from interlayer.memory.reconciliation.reconcile import Decision


def facts_of(
    decisions: Sequence[Decision], memory_id: str, observed_at: str, *, beside: bool
) -> tuple[FactRecord, ...]:
    """Return the facts that a memory adds; `beside` says that it has content beside what the caller states."""
    return tuple(
        FactRecord(
            str(FactId.of(memory_id, number)),
            one.candidate.text,
            one.candidate.confidence,
            one.candidate.observed_at or observed_at,
            one.candidate.span,
            tuple(_named(other, memory_id) for other in (*one.supersedes, *one.superseded_by, *one.opposed)),
            given=beside and one.candidate.origin == "caller",
        )
        for number, one in enumerate(decisions)
        if one.outcome == "added"
    )


def confirmations_of(decisions: Sequence[Decision], observed_at: str, *, beside: bool) -> Iterator[Confirmation]:
    """Yield the facts of other memories that a memory confirms."""
    for one in decisions:
        if isinstance(one.duplicate_of, str):
            said = one.candidate
            yield Confirmation(
                one.duplicate_of,
                one.similarity or 0.0,
                said.text,
                said.confidence,
                said.observed_at or observed_at,
                said.span,
                given=beside and said.origin == "caller",
            )


def _named(other: str | int, memory_id: str) -> str:
    return other if isinstance(other, str) else str(FactId.of(memory_id, other))
