"""The composition root: from settings to the domains, with the adapters they stand on."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import anyio

from interlayer.app.access import Access
from interlayer.app.adapters import embedder, item_store, vector_index
from interlayer.app.home import keep_private
from interlayer.app.identity_provider import Jwt
from interlayer.app.settings import Settings
from interlayer.audit.reader import Audit, Sealer
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.errors import Refused, Unavailable
from interlayer.ids import Clock, system_clock
from interlayer.memory.extraction.model_choice import ModelChoice
from interlayer.memory.log import keys
from interlayer.memory.memory import Memory
from interlayer.memory.projection.spaces import EmbedderFactory, Spaces
from interlayer.memory.recall.recaller import Recaller
from interlayer.memory.schema.schema import Schema, read_schema, starter_schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.governance import Governance, PolicyFile, RememberedEntity, read_folder, starter_files
from interlayer_tools import Domains

_SURE: Final = 0.8  # confidence at which a remembered property may lift a rule
_PROJECTING_S: Final = 60.0  # at the end of a command

logger = logging.getLogger(__name__)


class EntityFacts:
    """What governance may know of an entity: its type and remembered properties."""

    def __init__(self, recaller: Recaller) -> None:
        self._recaller = recaller

    async def governance_facts(self, principal: Principal, entity: str) -> RememberedEntity:
        """Return the entity's type and its current properties, and which of them lift no rule."""
        known = await self._recaller.properties(principal, entity)
        doubts = {name: _doubt(known.voices.get(name), principal.agent) for name in known.values}
        return RememberedEntity(known.type, known.values, {name: why for name, why in doubts.items() if why})


def _doubt(voice: tuple[float, str] | None, agent: str) -> str:
    """Say why a value that is remembered so lifts no rule; empty where it may."""
    if voice is None or voice[0] < _SURE:
        return f"it is remembered with a confidence under {_SURE} and counts as not given"
    return "it is only the calling agent's own word and counts as not given" if voice[1] == agent else ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The domains of a process, and the adapters they stand on."""

    settings: Settings
    store: ItemStore
    memory: Memory
    access: Access
    models: ModelChoice
    audit: Audit
    sealer: Sealer
    domains: Domains

    async def prepare(self) -> None:
        """Bring a home into use: claim its embedding space and schema, publish the first policies. Idempotent."""
        principal = self.settings.principal
        if await self.store.get(keys.importing(principal.organization)):
            raise Refused(f"an import into {principal.organization} is not complete. Run `interlayer import` again.")
        if notice := await self.memory.spaces.check(principal.organization):
            logger.warning("%s", notice)
        with suppress(Unavailable):  # nothing is written there before it could be told
            await (await self.memory.spaces.of(principal.organization)).index.verify()
        await self.memory.retention_clock.begin(principal.organization)  # before an event of this process could mislead
        await self.memory.migrator.claim(principal.organization, self.memory.schema, str(self.settings.schema or ""))
        await self.domains.governance.ensure_published(principal, first_policies(self.settings))

    async def settle(self) -> None:
        """Write the receipts that waited for the store while it was away."""
        await self.domains.governance.settle()
        await self.memory.reads.settle()

    async def close(self) -> None:
        """Close the stores; idempotent."""
        await self.memory.reads.close()
        await self.memory.spaces.close()
        await self.store.close()


def build(settings: Settings, clock: Clock = system_clock, embedder_of: EmbedderFactory = embedder) -> Parts:
    """Return the parts of a process; nothing is read or written yet but the schema and the store's file.

    A home that others could enter is closed to them.
    """
    schema = schema_of(settings)
    if told := keep_private(settings.home, make=settings.store is None):
        logger.warning("%s", told)
    store = item_store(settings, clock)
    spaces = Spaces(store, settings.embedder, embedder_of, partial(vector_index, settings))
    trail = Trail(store, clock)
    models = ModelChoice(store, trail, clock, settings.model)
    receipts = ReceiptBook(store, clock, settings.receipt_days)
    memory = Memory.over(
        store,
        spaces,
        schema,
        clock,
        trail=trail,
        receipts=receipts,
        extractors=models,
        reader_sees=settings.reader_sees,
        erasures_a_day=settings.erasures_a_day,
        erasure_grace=settings.erasure_grace,
        reads_required=settings.reads_required,
    )
    stale = timedelta(seconds=settings.stale_seconds)
    facts = EntityFacts(memory.recaller)
    access = Access(store, trail, clock)

    async def has_proofs(organization: str) -> bool:
        return isinstance(settings.auth, Jwt) or await access.has_keys(organization)

    policy_options = settings.receipt_days, stale, schema.allowed_values(), settings.time_zone, has_proofs
    governance = Governance(store, trail, spaces, facts, clock, *policy_options)
    return Parts(
        settings=settings,
        store=store,
        memory=memory,
        access=access,
        models=models,
        audit=Audit(store, clock),
        sealer=Sealer(store, trail, clock),
        domains=Domains(memory, governance),
    )


def schema_of(settings: Settings) -> Schema:
    """Return the schema that is chosen, or the starter schema."""
    return read_schema(settings.schema) if settings.schema else starter_schema()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Parts]:
    """Compose and prepare for one command, and close afterwards with nothing left in the outbox."""
    parts = build(settings)
    try:
        await parts.prepare()
        yield parts
        # What cannot be projected stays in the outbox, and the next start takes it up.
        with suppress(Unavailable), anyio.move_on_after(_PROJECTING_S):
            await parts.memory.projector.drain(settings.principal.organization)
    finally:
        await parts.close()


def first_policies(settings: Settings) -> list[PolicyFile]:
    """Return the policies that a new home begins with."""
    return read_folder(settings.policies) if settings.policies else starter_files()
