"""The composition root: from settings to the domains, with the adapters they stand on."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import anyio.to_thread

from interlayer.app.settings import Settings
from interlayer.errors import InterlayerError, Refused, Unavailable
from interlayer.ids import Clock, system_clock
from interlayer.memory import keys
from interlayer.memory.entities import Entities
from interlayer.memory.forgetting import Forgetter
from interlayer.memory.memorizing import Memorizer
from interlayer.memory.projecting import Projector
from interlayer.memory.recalling import Recaller
from interlayer.memory.schema import read_schema, starter_schema
from interlayer.memory.searching import Searcher
from interlayer.models.embedder import Space
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Put, VersionConflict
from interlayer.storage.lance import LanceIndex
from interlayer.storage.sqlite import SqliteItems
from interlayer.storage.trail import Trail
from interlayer.storage.vectors import VectorIndex
from interlayer_policies.governance import Governance, PolicyFile, read_folder, starter_files
from interlayer_tools import Domains

_PROBE_S: Final = 5.0
_GREETING_S: Final = 1.0
_CLOSE_S: Final = 4.0

logger = logging.getLogger(__name__)


class EntityFacts:
    """What governance may know of an entity: its type and remembered properties."""

    def __init__(self, recaller: Recaller) -> None:
        self._recaller = recaller

    async def governance_facts(self, principal: Principal, entity: str) -> tuple[str | None, dict[str, Any]]:
        """Return the entity's type and its current properties."""
        kind, properties = await self._recaller.properties(principal, entity)
        return kind, dict(properties)


@dataclass(slots=True)
class Interlayer:
    """One running process: the domains, and what has to be kept going and closed."""

    settings: Settings
    store: ItemStore
    index: VectorIndex
    embedder: LocalEmbedder
    projector: Projector
    domains: Domains
    greeted: anyio.Event = field(default_factory=anyio.Event)
    readiness: anyio.Event = field(default_factory=anyio.Event)
    failure: InterlayerError | None = None

    @property
    def principal(self) -> Principal:
        """The local caller."""
        return self.settings.principal

    async def prepare(self) -> None:
        """Bring a home into use: claim its embedding space and publish the first policies. Idempotent."""
        await claim_space(self.store, self.principal.organization, self.embedder.space)
        await self.domains.governance.ensure_published(self.principal, first_policies(self.settings))

    async def ready(self) -> None:
        """Return when the home is in use. Raises what kept it from being so."""
        await self.readiness.wait()
        if self.failure:
            raise self.failure

    async def check(self) -> list[str]:
        """Return what is not ready, in words; nothing when all is well."""
        problems: list[str] = []
        probes = {
            "policies": self.ready,
            "item store": self._probe_store,
            "vector index": self.index.ping,
        }
        for name, probe in probes.items():
            try:
                with anyio.fail_after(_PROBE_S):
                    await probe()
            except InterlayerError as error:
                problems.append(f"{name}: {error}")
            except TimeoutError:
                problems.append(f"{name}: no answer within {_PROBE_S:.0f} s")
        return problems

    async def close(self) -> None:
        """Close the stores; idempotent."""
        await self.index.close()
        await self.store.close()

    async def work(self) -> None:
        """Do a server's background work until cancelled: prepare, load what is heavy, carry the outbox.

        It begins when the first request has been answered, so that it does not delay that answer.
        """
        with anyio.move_on_after(_GREETING_S):
            await self.greeted.wait()
        try:
            await self.prepare()
        except InterlayerError as error:
            logger.error("not ready: %s", error)
            self.failure = error
        self.readiness.set()
        await anyio.to_thread.run_sync(self.embedder.preload)
        await self.index.ping()
        await self.projector.run(self.principal.organization)

    async def _probe_store(self) -> None:
        await claim_space(self.store, self.principal.organization, self.embedder.space)


def compose(settings: Settings, clock: Clock = system_clock) -> Interlayer:
    """Return the process for the settings; nothing is read or written yet but the schema and the store's file."""
    schema = read_schema(settings.schema) if settings.schema else starter_schema()
    store = SqliteItems(settings.home / "interlayer.db")
    embedder = LocalEmbedder()
    index = LanceIndex(str(settings.home / "vectors"), embedder.space)
    trail = Trail(store, clock)
    entities = Entities(store, index, embedder, schema)
    projector = Projector(store, index, embedder)
    recaller = Recaller(store, entities, embedder, schema)
    domains = Domains(
        memorizer=Memorizer(store, entities, projector, embedder, schema, clock),
        recaller=recaller,
        searcher=Searcher(store, index, entities, projector, embedder, schema),
        forgetter=Forgetter(store, entities, projector, trail, schema, clock),
        governance=Governance(store, trail, embedder, EntityFacts(recaller), clock),
        schema=schema,
    )
    return Interlayer(settings, store, index, embedder, projector, domains)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Interlayer]:
    """Compose and prepare for one command, and close afterwards with nothing left in the outbox."""
    interlayer = compose(settings)
    try:
        await interlayer.prepare()
        yield interlayer
        with suppress(Unavailable):  # then it stays in the outbox, and the next start takes it up
            await interlayer.projector.drain(interlayer.principal.organization)
    finally:
        await interlayer.close()


@asynccontextmanager
async def running(interlayer: Interlayer) -> AsyncGenerator[Interlayer]:
    """Keep the background work of a server going, and close the stores afterwards."""
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(interlayer.work)
            yield interlayer
            tasks.cancel_scope.cancel()
    finally:
        # Only now, when the work has really ended: a write in its thread is waited for, not cut off.
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            await interlayer.close()


def first_policies(settings: Settings) -> list[PolicyFile]:
    """Return the policies that a new home begins with."""
    return read_folder(settings.policies) if settings.policies else starter_files()


async def claim_space(store: ItemStore, organization: str, space: Space) -> None:
    """Record the embedding space of an organization, or refuse to mix another one into it."""
    place = keys.space(organization)
    item = await store.get(place)
    if item is None:
        try:
            await store.transact([Put(place, {"space": space.id, "model": space.model})])
        except VersionConflict:
            item = await store.get(place)
    if item is not None and item.body["space"] != space.id:
        raise Refused(
            f"INTERLAYER_EMBEDDER: the stored vectors are of {item.body['space']}, the configured model makes "
            f"{space.id}. Set the former model again, or start with another INTERLAYER_HOME."
        )
