"""What is kept of the candidates that a call's gates turned down."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from interlayer.memory import keys
from interlayer.memory.intake import Gated
from interlayer.memory.records import EntityId, Memory
from interlayer.storage.items import Put

_A_CALL: Final = 40  # within one transaction beside everything else
_TEXT_MAX: Final = 4_000
_KEPT_S: Final = 90 * 86_400


def kept(organization: str, entity: EntityId, gated: Gated, memory: Memory) -> Iterator[Put]:
    """Yield what keeps the rejected candidates of a call; they end by themselves after 90 days."""
    said: list[dict[str, Any]] = [
        {"text": one.candidate.text[:_TEXT_MAX], "reason": one.reason, "confidence": one.candidate.confidence}
        for one in gated.rejected_facts
    ]
    said += [
        {
            "name": one["name"],
            "value": str(one["value"])[:_TEXT_MAX],
            "reason": one["reason"],
            "confidence": one["confidence"],
        }
        for one in gated.rejected_properties
    ]
    recorded = datetime.fromisoformat(memory.recorded_at)
    for number, one in enumerate(said[:_A_CALL]):
        body = {
            **one,
            "entity": {"type": entity.type, "id": entity.id},
            "memory_id": memory.id,
            "agent": memory.agent,
            "at": memory.recorded_at,
            "observed_at": memory.observed_at,
            "source": memory.source,
        }
        place = keys.rejection(organization, f"{memory.id.removeprefix('m_')}_{number}")
        yield Put(place, body, expires_at=int(recorded.timestamp()) + _KEPT_S)
