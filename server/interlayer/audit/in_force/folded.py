"""What the events of a trail come to: the last word on each item, what was erased, and what was merged into what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interlayer.audit.state import KEY, STATE


@dataclass(slots=True)
class Folded:
    """What events say: of items, of what was erased, and of what was merged into what."""

    values: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Name -> value and number of the event."""
    entities: set[str] = field(default_factory=set[str])
    memories: set[str] = field(default_factory=set[str])
    facts: set[str] = field(default_factory=set[str])
    parts: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """What was erased of an interaction: its id, and the entity."""
    merged: dict[str, str] = field(default_factory=dict[str, str])
    key: str = ""
    since: str | None = None
    """From when on every item is on record: empty for ever, None as long as none is."""

    began: str = ""
    """When the first event was written."""

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        number, kind, detail = str(event.get("number")), str(event.get("type")), event.get("detail")
        state = event.get(STATE)
        self.began = self.began or str(event.get("at"))
        if isinstance(state, dict) and state:
            if self.since is None:
                self.since = "" if number == "1" else str(event.get("at"))
            self.key = str(state.get(KEY, self.key))
            self.values.update({str(name): (str(value), number) for name, value in state.items() if name != KEY})
        if isinstance(detail, dict):
            self._add_detail(kind, str(event.get("subject")), detail)

    def _add_detail(self, kind: str, subject: str, detail: Mapping[str, Any]) -> None:
        if kind in ("memory.erased", "memory.expired"):
            ids, counts = (given if isinstance(given := detail.get(name), dict) else {} for name in ("ids", "counts"))
            self.memories.update(map(str, ids.get("memories", ())))
            self.facts.update(map(str, ids.get("facts", ())))
            self.parts.update(_parts(subject, detail, ids))
            if counts.get("entities"):
                self.entities.add(subject)
        elif kind == "memory.restored":
            ids = given if isinstance(given := detail.get("ids"), dict) else {}
            self.memories.difference_update(map(str, ids.get("memories", ())))
            self.facts.difference_update(map(str, ids.get("facts", ())))
            self.parts.difference_update(_parts(subject, detail, ids))
            self.entities.discard(str(detail.get("entity")))
        elif kind == "entity.merged":
            self.merged[str(detail.get("other"))] = subject
        elif kind == "entity.split":
            self.merged.pop(str(detail.get("other")), None)

    def is_erased(self, ref: str, memory_id: str) -> bool:
        """Tell whether a memory was erased, or its entity, or what that was merged into."""
        if memory_id in self.memories or (memory_id, ref) in self.parts:
            return True
        for _ in range(len(self.merged) + 1):
            if ref in self.entities:
                return True
            if ref not in self.merged:
                return False
            ref = self.merged[ref]
        return False


def _parts(subject: str, detail: Mapping[str, Any], ids: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Name what an event says of interactions: in a receipt they stand without the number of the part."""
    entity = str(detail.get("entity", subject))
    return {(str(one).partition("-")[0], entity) for one in ids.get("memories", ())}
