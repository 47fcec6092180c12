"""The door to the domain: everything that memory can do, put together over one item store and its vector indexes."""

from dataclasses import dataclass

from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.ids import Clock
from interlayer.memory.curation.merge import Merger
from interlayer.memory.curation.reconsideration import Reconsideration
from interlayer.memory.curation.reextraction import Rereader
from interlayer.memory.curation.review import Rejections
from interlayer.memory.entities.identities import Identities
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Forgetter
from interlayer.memory.erasure.retention import Expirer
from interlayer.memory.erasure.retention_clock import RetentionClock
from interlayer.memory.extraction.extractor import NO_MODEL, Extractors
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.migration.migrator import Migrator
from interlayer.memory.projection.backfill import Backfill
from interlayer.memory.projection.consistency import ConsistencyCheck
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.reembedding import Reembedder
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.explanation import Explanation
from interlayer.memory.recall.recaller import Recaller
from interlayer.memory.recall.search import Searcher
from interlayer.memory.schema.property import Sensitivity
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore


@dataclass(frozen=True, slots=True)
class Memory:
    """The parts of the domain in one process; each serves every organization of the store."""

    store: ItemStore
    spaces: Spaces
    schema: Schema
    entities: Entities
    projector: Projector
    memorizer: Memorizer
    recaller: Recaller
    searcher: Searcher
    explanation: Explanation
    forgetter: Forgetter
    expirer: Expirer
    retention_clock: RetentionClock
    merger: Merger
    identities: Identities
    rejections: Rejections
    rereader: Rereader
    reconsideration: Reconsideration
    migrator: Migrator
    backfill: Backfill
    reembedder: Reembedder
    consistency: ConsistencyCheck

    @classmethod
    def over(
        cls,
        store: ItemStore,
        spaces: Spaces,
        schema: Schema,
        clock: Clock,
        *,
        trail: Trail | None = None,
        receipts: ReceiptBook | None = None,
        extractors: Extractors = NO_MODEL,
        reader_sees: Sensitivity = "personal",
    ) -> "Memory":
        """Put the parts together; nothing is read or written yet."""
        trail = trail or Trail(store, clock)
        entities = Entities(store, spaces, schema, clock, reader_sees)
        projector = Projector(store, spaces)
        backfill = Backfill(store, spaces, list(schema.entities))
        book = receipts or ReceiptBook(store, clock)
        memorizer = Memorizer(store, entities, projector, spaces, schema, clock, book, extractors)
        forgetter = Forgetter(store, entities, projector, trail, schema, clock)
        return cls(
            store=store,
            spaces=spaces,
            schema=schema,
            entities=entities,
            projector=projector,
            memorizer=memorizer,
            recaller=Recaller(store, entities, spaces, schema),
            searcher=Searcher(store, spaces, entities, projector, schema),
            explanation=Explanation(store, entities, schema),
            forgetter=forgetter,
            expirer=Expirer(store, entities, projector, forgetter, schema),
            retention_clock=RetentionClock(store, trail, clock),
            merger=Merger(store, entities, trail, spaces, schema, clock),
            identities=Identities(store, entities, schema),
            rejections=Rejections(store, entities, memorizer, trail, schema),
            rereader=Rereader(store, entities, projector, forgetter, trail, spaces, schema, clock, extractors),
            reconsideration=Reconsideration(store, entities, projector, forgetter, trail, spaces, schema, clock),
            migrator=Migrator(store, trail),
            backfill=backfill,
            reembedder=Reembedder(spaces, trail, projector, backfill, clock),
            consistency=ConsistencyCheck(spaces, backfill),
        )
