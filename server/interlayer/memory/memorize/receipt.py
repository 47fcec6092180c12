"""The receipt of a memorize call: that it was made, by whom, on which entity, and what became of it. No content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from interlayer.audit.receipts import ReceiptBook, sealed
from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize.commit import Plan
from interlayer.memory.memorize.intake import PreparedCall
from interlayer.memory.memorize.outcomes import fact_outcome
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.principal import Principal
from interlayer.storage.items import Put

MEMORIZE: Final = "memorize"


async def memory_receipt(
    book: ReceiptBook,
    principal: Principal,
    checked: PreparedCall,
    entity: EntityId | None,
    decisions: Sequence[Decision] = (),
    planned: Plan | None = None,
) -> Put:
    """Return what writes the receipt of a call, in the call's own transaction.

    The entity stands in it by its id, which names nobody once the entity is forgotten; None when there is none yet.
    """
    words = checked.request.content or "\n".join(fact.text for fact in checked.request.facts)
    outcomes = [planned.outcomes[seen.name] for seen in checked.gated.properties] if planned else []
    detail: Mapping[str, Any] = {
        "memory_id": checked.memory_id,
        "entity": entity.ref if entity else None,
        "content_hmac": sealed(await book.key(principal.organization), words) if words else None,
        "has_source": bool(checked.request.source),
        "facts": dict(Counter(fact_outcome(one) for one in decisions)),
        "properties": dict(Counter(outcomes)),
        "relations": len(checked.relations) if planned else 0,
        "rejected": dict(checked.gated.gates.rejected),
    }
    return book.made(principal, MEMORIZE, detail)
