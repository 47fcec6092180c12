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
    changes: Sequence[MemoryChange] = (),
    made: Sequence[Operation] = (),
) -> Put:
    """Build the operation that writes the receipt of a call, in the call's own transaction.

    Entities stand in it by their ids, which name nobody once the entity is forgotten; None when there is none yet.
    `made` are the operations of the changes: it holds digests of what they store.
    """
    call, request = prepared.call, prepared.request
    words = request.content or "\n".join(fact.text for fact in request.facts)
    key = await book.key(call.principal.organization)
    outcomes = [one.outcomes[seen.name] for one in changes for seen in one.part.gated.properties if not seen.derived]
    rejected = sum((one.gated.gates.rejected for one in prepared.parts), Counter[str]())
    detail: Mapping[str, Any] = {
        "memory_id": call.memory_id,
        "entity": entity.ref if entity else None,
        **({"also": [one.entity.ref for one in changes[1:]]} if len(changes) > 1 else {}),
        "content_hmac": sealed(key, words) if words else None,
        "has_source": bool(request.source),
        "facts": dict(Counter(fact_outcome(one) for change in changes for one in change.decisions)),
        "properties": dict(Counter(outcomes)),
        "relations": sum(len(one.memory.relations) for one in changes),
        "rejected": dict(rejected),
        **({STATE: state_of(key, made)} if made else {}),
    }
    return book.made(call.principal, MEMORIZE, detail)
