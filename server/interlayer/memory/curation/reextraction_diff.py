"""What reading content again changes, for whoever reviews it before it is applied, and for the audit trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlayer.audit.trail import Event
from interlayer.errors import Unavailable
from interlayer.memory.entities.view import exact_form
from interlayer.memory.log.records import LogEntry
from interlayer.memory.memorize.call import GateResult
from interlayer.memory.projection.spaces import ActiveSpace
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.models.embedder import EmbeddingModel, Vectors

_ALIKE: Final = 0.6  # cosine over which a dropped and an added fact are shown as one that is put otherwise


@dataclass(frozen=True, slots=True)
class Reread:
    """Content as a model reads it now. `vectors` is (len(gated.facts), dims) of `space`."""

    memory: LogEntry
    content: str
    by: str
    gated: GateResult
    space: ActiveSpace
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Change:
    """Facts as texts, `changed` as (before, after); properties as (name, before, after), None where there is none.

    A value that goes is not lost when another memory observed it too: it only is no longer read of this content.
    """

    entity: str
    memory_id: str
    source: str
    by: str
    before_by: str
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    changed: tuple[tuple[str, str], ...]
    kept: int
    properties: tuple[tuple[str, Any, Any], ...]
    rejected: Mapping[str, int]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be different."""
        return not (self.added or self.dropped or self.changed or self.properties)


async def compared(
    model: EmbeddingModel,
    entity: str,
    former: Sequence[LogEntry],
    decisions: Sequence[Decision],
    gated: GateResult,
    by: str,
) -> Change:
    """Return how a new reading differs from the former ones, of which the first is that of the call itself."""
    said = [one.text for memory in former for one in (*memory.facts, *memory.confirms)]
    was = {exact_form(text): text for text in said}
    now = {exact_form(one.candidate.text): one.candidate.text for one in decisions}
    dropped = [text for form, text in was.items() if form not in now]
    added = [text for form, text in now.items() if form not in was]
    changed = await _pairs(model, dropped, added)
    values = {one.name: one.value for memory in former for one in memory.properties if not one.remove}
    read = {one.name: one.value for one in gated.properties}
    names = [name for name in {**values, **read} if values.get(name) != read.get(name)]
    return Change(
        entity=entity,
        memory_id=former[0].id,
        source=former[0].source or "",
        by=by,
        before_by=former[-1].extractor,
        added=tuple(text for text in added if text not in {after for _, after in changed}),
        dropped=tuple(text for text in dropped if text not in {before for before, _ in changed}),
        changed=tuple(changed),
        kept=len(was.keys() & now.keys()),
        properties=tuple((name, values.get(name), read.get(name)) for name in names),
        rejected=dict(gated.gates.rejected),
    )


def event_of(change: Change) -> Event:
    """Return the audit event of a change: counts and no content."""
    counts = {
        "added": len(change.added),
        "dropped": len(change.dropped),
        "changed": len(change.changed),
        "kept": change.kept,
        "properties": len(change.properties),
    }
    detail = {"content": change.memory_id, "extractor": change.by, "before": change.before_by, "counts": counts}
    return Event("memory.extracted", change.entity, detail)


async def _pairs(model: EmbeddingModel, dropped: Sequence[str], added: Sequence[str]) -> list[tuple[str, str]]:
    """Return dropped and added facts that are about the same, each at most once, closest first."""
    if not dropped or not added:
        return []
    try:
        before, after = [await model.embedder.embed(texts, waiting=True) for texts in (dropped, added)]
    except Unavailable:  # then each is shown as dropped or added
        return []
    scores = model.scale.read(before @ after.T)
    pairs: list[tuple[str, str]] = []
    while float(scores.max(initial=-1.0)) >= _ALIKE:
        row, column = divmod(int(scores.argmax()), scores.shape[1])
        pairs.append((dropped[row], added[column]))
        scores[row, :], scores[:, column] = -1, -1
    return pairs
