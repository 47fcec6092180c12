"""The receipt of a memorize call: that it was made, by whom, on which entity, and what became of it. No content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from interlayer.audit.receipts import ReceiptBook, sealed
from interlayer.audit.state import STATE, state_of
from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize.call import PreparedCall
from interlayer.memory.memorize.commit import MemoryChange
from interlayer.memory.memorize.outcomes import fact_outcome
from interlayer.storage.items import Operation, Put

MEMORIZE: Final = "memorize"


async def memory_receipt(
    book: ReceiptBook,
    prepared: PreparedCall,
    entity: EntityId | None,
    change: MemoryChange | None = None,
    made: Sequence[Operation] = (),
) -> Put:
    """Build the operation that writes the receipt of a call, in the call's own transaction.

    The entity stands in it by its id, which names nobody once the entity is forgotten; None when there is none yet.
    `made` are the operations of the change: it holds digests of what they store.
    """
    call, request = prepared.call, prepared.request
    words = request.content or "\n".join(fact.text for fact in request.facts)
    key = await book.key(call.principal.organization)
    outcomes = [change.outcomes[seen.name] for seen in prepared.gated.properties] if change else []
    detail: Mapping[str, Any] = {
        "memory_id": call.memory_id,
        "entity": entity.ref if entity else None,
        "content_hmac": sealed(key, words) if words else None,
        "has_source": bool(request.source),
        "facts": dict(Counter(fact_outcome(one) for one in (change.decisions if change else ()))),
        "properties": dict(Counter(outcomes)),
        "relations": len(prepared.relations) if change else 0,
        "rejected": dict(prepared.gated.gates.rejected),
        **({STATE: state_of(key, made)} if made else {}),
    }
    return book.made(call.principal, MEMORIZE, detail)
