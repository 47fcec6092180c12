"""A governance in a place of its own, with a clock that tests set and entities that they name."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faulty import SetClock
from interlayer.audit.trail import Trail
from interlayer.models.embedder import EmbeddingModel, OneModel
from interlayer.models.local import LocalEmbedder
from interlayer.models.scale import REFERENCE
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.governance import Facets, Governance, PolicyFile, RememberedEntity
from stores import Place, place_of

ME = Principal("acme", "outbound-1")


class Entities:
    """Remembered entities: name -> properties."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}

    async def governance_facts(self, principal: Principal, entity: str) -> RememberedEntity:
        assert principal.organization
        return RememberedEntity(entity.partition(":")[0], self.known.get(entity, {}))


EMBEDDER = LocalEmbedder()
MODELS = OneModel(EmbeddingModel(EMBEDDER, REFERENCE))


@dataclass
class World:
    """Everything that a test of the service touches."""

    place: Place
    store: ItemStore
    governance: Governance
    clock: SetClock
    entities: Entities
    me: Principal = ME
    opened: list[ItemStore] = field(default_factory=list[ItemStore])

    @staticmethod
    def files(*texts: str) -> list[PolicyFile]:
        return [PolicyFile(f"p{number}.md", text) for number, text in enumerate(texts)]

    async def publish(self, *texts: str) -> int:
        return (await self.governance.publish(ME, self.files(*texts), reason="test")).revision

    async def context(self, task: str = "Reply to the customer", facets: Facets | None = None, **options: Any) -> Any:
        return await self.governance.context(ME, task, facets or Facets(), **options)

    def another_process(self) -> Governance:
        """Return a second service on the same items, as another process has it."""
        store = self.place.items()
        self.opened.append(store)
        return Governance(store, Trail(store, self.clock), MODELS, self.entities, self.clock)


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    place = place_of(request, tmp_path)
    store, clock, entities = place.items(), SetClock(), Entities()
    governance = Governance(store, Trail(store, clock), MODELS, entities, clock)
    world = World(place, store, governance, clock, entities)
    yield world
    for opened in (store, *world.opened):
        await opened.close()


@pytest.fixture
def embedder() -> LocalEmbedder:
    return EMBEDDER
