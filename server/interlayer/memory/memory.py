"""The door to the domain: everything that memory can do, put together over one item store and its vector indexes.

Whoever is shown what is remembered comes through here, so that each read leaves its receipt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from interlayer.audit.reads import Read, ReadReceipts, Shown
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.ids import Clock, timestamp
from interlayer.memory.curation.correction import Corrections
from interlayer.memory.curation.duplicates.duplicates import Duplicates
from interlayer.memory.curation.merge import Merger
from interlayer.memory.curation.naming import Naming
from interlayer.memory.curation.reconsideration import Reconsideration
from interlayer.memory.curation.reextraction import Rereader
from interlayer.memory.curation.review import Rejections
from interlayer.memory.entities.identities import Identities
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.answer import ListedErasure
from interlayer.memory.erasure.forgetter import Forgetter, Safeguards
from interlayer.memory.erasure.listing import ErasureListing
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.erasure.quota import DEFAULT
from interlayer.memory.erasure.retention import Expirer
from interlayer.memory.erasure.retention_clock import RetentionClock
from interlayer.memory.erasure.subjects.desk import SubjectDesk
from interlayer.memory.extraction.extractor import NO_MODEL, Extractors
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.migration.migrator import Migrator
from interlayer.memory.projection.backfill import Backfill
from interlayer.memory.projection.consistency import ConsistencyCheck
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.reembedding import Reembedder
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.answer import FoundFact, ListAnswer, RecallAnswer, SearchAnswer
from interlayer.memory.recall.explanation import (
    Explanation,
    FactExplanation,
    PropertyExplanation,
    RelationExplanation,
)
from interlayer.memory.recall.neighbourhood.path_answer import PathAnswer
from interlayer.memory.recall.recaller import Recaller
from interlayer.memory.recall.search import Searcher
from interlayer.memory.recall.timeline.answer import TimelineAnswer
from interlayer.memory.recall.timeline.timeline import Timeline
from interlayer.memory.requests import Condition, RecallRequest, RelatedTo, SearchRequest
from interlayer.memory.schema.property import Sensitivity
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
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
    timelines: Timeline
    forgetter: Forgetter
    erasures: ErasureListing
    safeguards: Safeguards
    subjects: SubjectDesk
    expirer: Expirer
    retention_clock: RetentionClock
    merger: Merger
    identities: Identities
    duplicates: Duplicates
    corrections: Corrections
    rejections: Rejections
    rereader: Rereader
    reconsideration: Reconsideration
    migrator: Migrator
    backfill: Backfill
    reembedder: Reembedder
    consistency: ConsistencyCheck
    reads: ReadReceipts

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
        erasures_a_day: int = DEFAULT,
        erasure_grace: timedelta = timedelta(),
        reads_required: bool = False,
    ) -> "Memory":
        """Put the parts together; nothing is read or written yet."""
        trail, book = trail or Trail(store, clock), receipts or ReceiptBook(store, clock)
        entities = Entities(store, spaces, schema, clock, reader_sees)
        projector, backfill = Projector(store, spaces), Backfill(store, spaces, list(schema.entities))
        memorizer = Memorizer(store, entities, projector, spaces, schema, clock, book, extractors)
        reads = ReadReceipts(store, book, required=reads_required)
        searcher = Searcher(store, spaces, entities, projector, schema)
        guards = Safeguards.over(store, trail, clock, erasures_a_day, erasure_grace)
        planner = ErasurePlanner(store, entities, trail, schema, clock)
        forgetter = Forgetter(store, entities, projector, planner, schema, guards, Naming(searcher))
        return cls(
            store=store,
            spaces=spaces,
            schema=schema,
            entities=entities,
            projector=projector,
            memorizer=memorizer,
            recaller=Recaller(store, entities, spaces, schema),
            searcher=searcher,
            explanation=Explanation(store, entities, schema),
            timelines=Timeline(store, entities, schema),
            forgetter=forgetter,
            erasures=ErasureListing(store, entities, schema),
            safeguards=guards,
            subjects=SubjectDesk.over(store, entities, projector, planner, trail, schema, clock, guards, book, reads),
            expirer=Expirer(store, entities, projector, planner, schema, guards),
            retention_clock=RetentionClock(store, trail, clock),
            merger=Merger(store, entities, trail, spaces, schema, clock),
            identities=Identities(store, entities, schema),
            duplicates=Duplicates(store, entities, trail, schema, clock),
            corrections=Corrections(store, entities, memorizer, schema),
            rejections=Rejections(store, entities, memorizer, trail, schema),
            rereader=Rereader(store, entities, projector, planner, trail, spaces, schema, clock, extractors),
            reconsideration=Reconsideration(store, entities, projector, planner, trail, spaces, schema, clock),
            migrator=Migrator(store, trail, book),
            backfill=backfill,
            reembedder=Reembedder(spaces, trail, projector, backfill, clock),
            consistency=ConsistencyCheck(spaces, backfill),
            reads=reads,
        )

    async def recall(
        self, principal: Principal, request: RecallRequest, kind: Literal["recall", "resource"] = "recall"
    ) -> RecallAnswer:
        """Answer what is known of one entity, on record. Raises what `Recaller.recall` does, or `Unavailable`."""
        answer = await self.recaller.recall(principal, request)
        at = {"as_of": request.as_of, "known_at": request.known_at}
        read = Read(
            kind=kind,
            shown=_recalled(answer),
            query=request.query or "",
            asked="" if answer.found else request.entity,
            detail={name: timestamp(instant) for name, instant in at.items() if instant},
        )
        return _with_note(answer, await self.reads.keep(principal, read))

    async def search(self, principal: Principal, request: SearchRequest) -> SearchAnswer:
        """Find facts of any entity, on record. Raises what `Searcher.search` does, or `Unavailable`."""
        answer = await self.searcher.search(principal, request)
        found: dict[str, list[str]] = {}
        for one in answer.results:
            found.setdefault(one.entity.ref, []).append(one.fact.fact_id)
        shown = [Shown(entity=ref, facts=facts) for ref, facts in found.items()]
        detail = _narrowed(request.entity_type, request.where)
        return _with_note(
            answer,
            await self.reads.keep(principal, Read(kind="search", shown=shown, query=request.query, detail=detail)),
        )

    async def list_entities(
        self,
        principal: Principal,
        entity_type: str,
        where: Sequence[Condition],
        limit: int,
        cursor: str | None,
        related: RelatedTo | None = None,
    ) -> ListAnswer:
        """List entities of a type, on record. Raises what `Searcher.list_entities` does, or `Unavailable`."""
        answer = await self.searcher.list_entities(principal, entity_type, where, limit, cursor, related)
        shown = [
            Shown(entity=one.ref, updated_at=one.updated_at, properties=sorted(one.properties))
            for one in answer.entities
        ]
        detail = _narrowed(entity_type, where)
        return _with_note(answer, await self.reads.keep(principal, Read(kind="list", shown=shown, detail=detail)))

    async def find_paths(self, principal: Principal, start: str, end: str, steps: int) -> PathAnswer:
        """Find how two entities are connected, on record. Raises what `Paths.find` does, or `Unavailable`."""
        found = await self.recaller.paths.find(principal, start, end, steps)
        shown = Counter({found.start.ref: 0, found.end.ref: 0})
        for path in found.paths:
            shown.update(step.to.ref for step in path.steps)
        read = Read(kind="path", shown=[Shown(entity=ref, relations=count) for ref, count in shown.items()])
        await self.reads.keep(principal, read)
        return found

    async def explain_fact(self, principal: Principal, fact_id: str) -> FactExplanation:
        """Trace a fact to its sources, on record. Raises `NotFound`, or `Unavailable`."""
        found = await self.explanation.fact(principal, fact_id)
        near = (*found.contradicts, *found.likely, *found.alike)
        facts = [found.fact.fact_id, *(one.fact_id for one in near)]
        sources = [voice.memory_id for voice in found.voices]
        shown = Shown(entity=found.entity.ref, facts=facts, sources=sources)
        await self.reads.keep(principal, Read(kind="explain", shown=[shown]))
        return found

    async def explain_relation(self, principal: Principal, entity: str, name: str) -> RelationExplanation | None:
        """Return why an entity has relations of a type, None if it names none. Raises `NotFound`."""
        found = await self.explanation.relation(principal, entity, name)
        if found:
            sources = [voice.memory_id for voice in found.voices]
            shown = Shown(entity=found.entity.ref, relations=len(found.relations), sources=sources)
            await self.reads.keep(principal, Read(kind="explain", shown=[shown]))
        return found

    async def explain_property(self, principal: Principal, entity: str, name: str) -> PropertyExplanation:
        """Trace a property to its sources, on record. Raises `NotFound`, or `Unavailable`."""
        found = await self.explanation.property(principal, entity, name)
        sources = [voice.memory_id for voice in found.voices]
        shown = Shown(
            entity=found.entity.ref, properties={found.property.name: found.property.memory_id}, sources=sources
        )
        await self.reads.keep(principal, Read(kind="explain", shown=[shown]))
        return found

    async def timeline(
        self,
        principal: Principal,
        entity: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        name: str | None = None,
    ) -> TimelineAnswer:
        """Tell what became known of an entity when, on record. Raises what `Timeline.of` does, or `Unavailable`."""
        answer = await self.timelines.of(principal, entity, since=since, until=until, name=name)
        shown = Shown(
            entity=answer.entity.ref,
            revision=answer.revision,
            facts=[one.fact_id for one in answer.events if one.fact_id and one.event == "fact_added"],
            properties=sorted({one.property for one in answer.events if one.property}),
            relations=sum(one.relation is not None for one in answer.events),
            observations=sum(one.property is not None for one in answer.events),
            sources=list(dict.fromkeys(one.memory_id for one in answer.events)),
        )
        return _with_note(answer, await self.reads.keep(principal, Read(kind="explain", shown=[shown])))

    async def facts_named(
        self, principal: Principal, entity: str, named: str, *, past: bool = False
    ) -> tuple[FoundFact, ...]:
        """Find the facts that words name, on record. Raises what `Corrections.facts` does, or `Unavailable`."""
        who, found = await self.corrections.facts(principal, entity, named, past=past)
        shown = Shown(entity=who.ref, facts=[one.fact_id for one in found])
        await self.reads.keep(principal, Read(kind="explain", shown=[shown], query=named))
        return found

    async def list_erasure(
        self,
        principal: Principal,
        *,
        entity: str | None = None,
        fact_id: str | None = None,
        memory_id: str | None = None,
    ) -> tuple[ListedErasure, ...]:
        """List what forgetting one of these would take, on record. Raises `NotFound`, or `Unavailable`."""
        found = await self.erasures.of(principal, entity=entity, fact_id=fact_id, memory_id=memory_id)
        shown = [Shown(entity=one.entity.ref, properties=one.properties, relations=one.relations) for one in found]
        await self.reads.keep(principal, Read(kind="explain", shown=shown))
        return found


def _recalled(answer: RecallAnswer) -> Sequence[Shown]:
    """Say what an answer shows: its entity, with what of it, and each neighbour."""
    if answer.entity is None:
        return ()
    neighbours = [
        Shown(
            entity=one.ref,
            facts=[fact.fact_id for fact in one.facts or ()],
            properties=sorted(one.properties or ()),
            relations=1,
        )
        for one in answer.neighbours or ()
    ]
    return [
        Shown(
            entity=answer.entity.ref,
            revision=answer.revision,
            facts=[fact.fact_id for fact in answer.facts],
            properties={one.name: one.memory_id for one in answer.properties},
            relations=len(answer.relations),
            observations=len(answer.history or ()),
            sources=[one.memory_id for one in answer.sources or ()],
        ),
        *neighbours,
    ]


def _narrowed(entity_type: str | None, where: Sequence[Condition]) -> dict[str, object]:
    """Say what a search was narrowed to: by which properties, never by which values."""
    told: dict[str, object] = {"entity_type": entity_type} if entity_type else {}
    return {**told, "where": sorted({one.property for one in where})} if where else told


Answer = TypeVar("Answer", RecallAnswer, SearchAnswer, ListAnswer, TimelineAnswer)


def _with_note(answer: Answer, note: str | None) -> Answer:
    """Return an answer that says what was not available for it."""
    return replace(answer, degraded=(*(answer.degraded or ()), note)) if note else answer
