"""The memory domain on stores of a place of its own, with a clock that the test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from interlayer.answers import as_json
from interlayer.app.adapters import embedder
from interlayer.audit.trail import Trail
from interlayer.memory.extraction.extractor import Always, Extractor, Extractors
from interlayer.memory.memory import Memory
from interlayer.memory.projection.backfill import Backfill, BackfillReport
from interlayer.memory.projection.spaces import Spaces
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
    erasure_grace: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.principal = Principal("acme", "tester")
        self.store = self.place.items(self.clock.seconds)
        self.spaces = Spaces(self.store, BUNDLED, embedder, lambda _: self.index)
        self.trail = Trail(self.store, self.clock)
        extractors = self.extractors or Always(self.extractor)
        self.memory = memory = Memory.over(
            self.store,
            self.spaces,
            self.schema,
            self.clock,
            trail=self.trail,
            extractors=extractors,
            erasure_grace=self.erasure_grace,
        )
        self.entities = memory.entities
        self.projector = memory.projector
        self.memorizer = memory.memorizer
        self.recaller = memory.recaller
        self.searcher = memory.searcher
        self.merger = memory.merger
        self.identities = memory.identities
        self.why = memory.explanation
        self.rejections = memory.rejections
        self.forgetter = memory.forgetter
        self.expirer = memory.expirer

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
        return as_json(await self.recaller.recall(self.principal, RecallRequest(entity=entity, **more)))

    async def search(self, query: str, **more: Any) -> dict[str, Any]:
        return as_json(await self.searcher.search(self.principal, SearchRequest(query=query, **more)))

    async def texts(self, entity: str, **more: Any) -> list[str]:
        return [fact["text"] for fact in (await self.recall(entity, **more))["facts"]]
