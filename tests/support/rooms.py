"""The memory domain on stores of a place of its own, with a clock that the test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from interlayer.answers import as_json
from interlayer.app.adapters import embedder
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.memory.curation.merge import Merger
from interlayer.memory.curation.review import Rejections
from interlayer.memory.entities.identities import Identities
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Forgetter
from interlayer.memory.erasure.retention import Expirer
from interlayer.memory.extraction.extractor import Always, Extractor, Extractors
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.projection.backfill import Backfill, BackfillReport
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.explanation import Explanation
from interlayer.memory.recall.recaller import Recaller
from interlayer.memory.recall.search import Searcher
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest, SearchRequest
from interlayer.memory.schema.schema import Schema, starter_schema
from interlayer.models.choice import BUNDLED
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.vectors import VectorIndex
from stores import Place

EMBEDDER = LocalEmbedder()


class TestClock:
    """Time that passes by a second at each look, or by as much as the test says."""

    __test__ = False

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def seconds(self) -> float:
        return self.now.timestamp()

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Room:
    """One process's view of memory; `other()` is a second process on the same store."""

    place: Place
    index: VectorIndex
    clock: TestClock
    schema: Schema = field(default_factory=starter_schema)
    extractor: Extractor | None = None
    extractors: Extractors | None = None

    def __post_init__(self) -> None:
        self.principal = Principal("acme", "tester")
        self.store = self.place.items(self.clock.seconds)
        schema = self.schema
        self.spaces = Spaces(self.store, BUNDLED, embedder, lambda _: self.index)
        self.entities = Entities(self.store, self.spaces, schema, self.clock)
        self.projector = Projector(self.store, self.spaces)
        self.trail = Trail(self.store, self.clock)
        receipts = ReceiptBook(self.store, self.clock)
        extractors = self.extractors or Always(self.extractor)
        self.memorizer = Memorizer(
            self.store, self.entities, self.projector, self.spaces, schema, self.clock, receipts, extractors
        )
        self.recaller = Recaller(self.store, self.entities, self.spaces, schema)
        self.searcher = Searcher(self.store, self.spaces, self.entities, self.projector, schema)
        self.merger = Merger(self.store, self.entities, self.trail, self.spaces, schema, self.clock)
        self.identities = Identities(self.store, self.entities, schema)
        self.why = Explanation(self.store, self.entities, schema)
        self.rejections = Rejections(self.store, self.entities, self.memorizer, self.trail, schema)
        self.forgetter = Forgetter(self.store, self.entities, self.projector, self.trail, schema, self.clock)
        self.expirer = Expirer(self.store, self.entities, self.projector, self.forgetter, schema)

    async def rebuild(self, *types: str, organization: str = "acme") -> BackfillReport:
        await self.projector.drain(organization)
        filler = Backfill(self.store, self.spaces, types or list(self.schema.entities))
        return await filler.fill(organization, await self.spaces.of(organization))

    def other(self) -> "Room":
        return self.under(self.schema)

    def under(self, schema: Schema) -> "Room":
        """Return a process on the same store that was started with another schema."""
        return Room(self.place, self.index, self.clock, schema, self.extractor, self.extractors)

    async def facts(self, entity: str, *texts: str, **more: Any) -> dict[str, Any]:
        given = [FactCandidate(text, 0.9) for text in texts]
        return await self.memorize(entity, facts=given, **more)

    async def memorize(self, entity: str, **more: Any) -> dict[str, Any]:
        return as_json(await self.memorizer.memorize(self.principal, MemorizeRequest(entity=entity, **more)))

    async def recall(self, entity: str, **more: Any) -> dict[str, Any]:
        return await self.recaller.recall(self.principal, RecallRequest(entity=entity, **more))

    async def search(self, query: str, **more: Any) -> dict[str, Any]:
        return await self.searcher.search(self.principal, SearchRequest(query=query, **more))

    async def texts(self, entity: str, **more: Any) -> list[str]:
        return [fact["text"] for fact in (await self.recall(entity, **more))["facts"]]
