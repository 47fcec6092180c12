"""The composition root: from settings to the domains, with the adapters they stand on."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import anyio

from interlayer.app.access import Access
from interlayer.app.adapters import embedder, item_store, vector_index
from interlayer.app.settings import Settings
from interlayer.audit.reader import Audit, Sealer
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.errors import Refused, Unavailable
from interlayer.ids import Clock, system_clock
from interlayer.memory.curation.merge import Merger
from interlayer.memory.curation.reextraction import Rereader
from interlayer.memory.curation.review import Rejections
from interlayer.memory.entities.identities import Identities
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Forgetter
from interlayer.memory.erasure.retention import Expirer
from interlayer.memory.extraction.model_choice import ModelChoice
from interlayer.memory.log import keys
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.migration.migrator import Migrator
from interlayer.memory.projection.backfill import Backfill
from interlayer.memory.projection.consistency import ConsistencyCheck
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.reembedding import Reembedder
from interlayer.memory.projection.spaces import EmbedderFactory, Spaces
from interlayer.memory.recall.explanation import Explanation
from interlayer.memory.recall.recaller import Recaller
from interlayer.memory.recall.search import Searcher
from interlayer.memory.schema.schema import read_schema, starter_schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.governance import Governance, PolicyFile, read_folder, starter_files
from interlayer_tools import Domains

_PROJECTING_S: Final = 60.0  # at the end of a command

logger = logging.getLogger(__name__)


class EntityFacts:
    """What governance may know of an entity: its type and remembered properties."""

    def __init__(self, recaller: Recaller) -> None:
        self._recaller = recaller

    async def governance_facts(self, principal: Principal, entity: str) -> tuple[str | None, dict[str, Any]]:
        """Return the entity's type and its current properties."""
        kind, properties = await self._recaller.properties(principal, entity)
        return kind, dict(properties)


@dataclass(frozen=True, slots=True)
class Parts:
    """The domains of a process, and the adapters they stand on."""

    settings: Settings
    store: ItemStore
    spaces: Spaces
    projector: Projector
    filler: Backfill
    reembedder: Reembedder
    agreement: ConsistencyCheck
    merger: Merger
    identities: Identities
    why: Explanation
    rejections: Rejections
    expirer: Expirer
    migrator: Migrator
    access: Access
    entities: Entities
    models: ModelChoice
    rereader: Rereader
    audit: Audit
    sealer: Sealer
    domains: Domains

    async def prepare(self) -> None:
        """Bring a home into use: claim its embedding space and schema, publish the first policies. Idempotent."""
        principal = self.settings.principal
        if await self.store.get(keys.importing(principal.organization)):
            raise Refused(f"an import into {principal.organization} is not complete. Run `interlayer import` again.")
        if notice := await self.spaces.check(principal.organization):
            logger.warning("%s", notice)
        with suppress(Unavailable):  # nothing is written there before it could be told
            await (await self.spaces.of(principal.organization)).index.verify()
        await self.migrator.claim(principal.organization, self.domains.schema, str(self.settings.schema or ""))
        await self.domains.governance.ensure_published(principal, first_policies(self.settings))

    async def close(self) -> None:
        """Close the stores; idempotent."""
        await self.spaces.close()
        await self.store.close()


def build(settings: Settings, clock: Clock = system_clock, embedder_of: EmbedderFactory = embedder) -> Parts:
    """Return the parts of a process; nothing is read or written yet but the schema and the store's file."""
    schema = read_schema(settings.schema) if settings.schema else starter_schema()
    store = item_store(settings)
    spaces = Spaces(store, settings.embedder, embedder_of, partial(vector_index, settings))
    trail = Trail(store, clock)
    entities = Entities(store, spaces, schema, clock)
    projector = Projector(store, spaces)
    filler = Backfill(store, spaces, list(schema.entities))
    recaller = Recaller(store, entities, spaces, schema)
    receipts = ReceiptBook(store, clock, settings.receipt_days)
    models = ModelChoice(store, trail, clock, settings.model)
    memorizer = Memorizer(store, entities, projector, spaces, schema, clock, receipts, models)
    forgetter = Forgetter(store, entities, projector, trail, schema, clock)
    domains = Domains(
        memorizer=memorizer,
        recaller=recaller,
        searcher=Searcher(store, spaces, entities, projector, schema),
        forgetter=forgetter,
        governance=Governance(
            store,
            trail,
            spaces,
            EntityFacts(recaller),
            clock,
            settings.receipt_days,
            timedelta(seconds=settings.stale_seconds),
        ),
        schema=schema,
    )
    return Parts(
        settings=settings,
        store=store,
        spaces=spaces,
        projector=projector,
        filler=filler,
        reembedder=Reembedder(spaces, trail, projector, filler, clock),
        agreement=ConsistencyCheck(spaces, filler),
        migrator=Migrator(store, trail),
        merger=Merger(store, entities, trail, spaces, schema, clock),
        identities=Identities(store, entities, schema),
        why=Explanation(store, entities, schema),
        expirer=Expirer(store, entities, projector, forgetter, schema),
        entities=entities,
        models=models,
        rereader=Rereader(store, entities, projector, forgetter, trail, spaces, schema, clock, models),
        rejections=Rejections(store, entities, memorizer, trail, schema),
        access=Access(store, trail, clock),
        audit=Audit(store, clock),
        sealer=Sealer(store, trail, clock),
        domains=domains,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Parts]:
    """Compose and prepare for one command, and close afterwards with nothing left in the outbox."""
    parts = build(settings)
    try:
        await parts.prepare()
        yield parts
        # What cannot be projected stays in the outbox, and the next start takes it up.
        with suppress(Unavailable), anyio.move_on_after(_PROJECTING_S):
            await parts.projector.drain(settings.principal.organization)
    finally:
        await parts.close()


def first_policies(settings: Settings) -> list[PolicyFile]:
    """Return the policies that a new home begins with."""
    return read_folder(settings.policies) if settings.policies else starter_files()
