"""An entity without stores: its log and its view, grown by reconciling what it is told.

Tests of the pure core build logs here and nowhere else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import EntityId, LogEntry, Memorized
from interlayer.memory.reconciliation.reconcile import Decision, confirmations_of, facts_of, reconcile
from interlayer.memory.requests import FactCandidate
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.local import LocalEmbedder, static_vectors
from interlayer.models.scale import REFERENCE

NAME: Final = "Acme"
SPACE: Final = LocalEmbedder().space
_SCHEMA: Final = starter_schema().entities["company"]
_FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)


def on_day(day: float) -> str:
    """Name the instant so many days after the first one."""
    return (_FIRST + timedelta(days=day)).isoformat()


def view_of(log: Sequence[LogEntry], *, vectors: bool = True) -> EntityView:
    """Fold a log anew; with the vectors of its facts, or with none of them yet."""
    view = EntityView(EntityId("company", "e1"), _SCHEMA, SPACE)
    for entry in log:
        texts = [fact.text for fact in entry.facts] if vectors else []
        view.apply(entry, dict(zip((fact.id for fact in entry.facts), static_vectors(texts), strict=False)))
    return view


class ToldEntity:
    """A log that each telling adds one memory to, and the view of it."""

    def __init__(self) -> None:
        self.log: list[LogEntry] = []
        self.view = view_of([])

    def tell(self, *texts: str, day: float = 0, source: str | None = None, confidence: float = 0.9) -> list[Decision]:
        """Add what is new in the statements, observed on a day; return what became of each."""
        candidates = [FactCandidate(text, confidence) for text in texts]
        vectors = static_vectors(list(texts))
        seen = on_day(day)
        decided = reconcile(candidates, vectors, self.view, self.view.vectors, REFERENCE, [NAME], seen)
        number = len(self.log) + 1
        memory = Memorized(
            id=f"m_{number}",
            revision=number,
            agent="tester",
            recorded_at=on_day(1_000 + number),
            observed_at=seen,
            extractor="caller",
            source=source,
            facts=facts_of(decided, f"m_{number}", seen, beside=False),
            confirms=tuple(confirmations_of(decided, seen, beside=False, memory_id=f"m_{number}")),
        )
        made = {f"f_{number}_{place}": vector for place, vector in enumerate(vectors)}
        self.view.apply(memory, made)
        self.log.append(memory)
        return decided

    def current(self) -> set[str]:
        """Return the texts of the facts that nothing later contradicts."""
        return {fact.record.text for fact in self.view.ordered if not fact.superseded_by}

    def superseded(self) -> set[str]:
        return {fact.record.text for fact in self.view.ordered if fact.superseded_by}

    def fact(self, text: str) -> FactState:
        """Return the fact that says a text in these words."""
        found = self.view.same_words(text)
        assert found, text
        return found
