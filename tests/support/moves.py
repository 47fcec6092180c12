"""What tests of embedding spaces share: processes on one home whose other models are hashed words."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from hashed_vectors import HashedEmbedder
from interlayer.app.adapters import embedder
from interlayer.app.composition import Parts, build
from interlayer.app.settings import Settings
from interlayer.memory.projection.spaces import ActiveSpace, EmbedderFactory
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.models.embedder import Embedder
from organizations import settings

ORGANIZATION = "acme"


def settings_for(home: Path, model: EmbedderChoice = BUNDLED) -> Settings:
    return replace(settings(home, ORGANIZATION), embedder=model)


def embedders(known: Mapping[str, HashedEmbedder] | None = None) -> EmbedderFactory:
    """Return a factory of the bundled model and of hashed ones, those that are known among them."""

    def made(choice: EmbedderChoice, dims: int = 0) -> Embedder:
        if choice == BUNDLED:
            return embedder(choice, dims)
        return (known or {}).get(choice.name) or HashedEmbedder(choice.name)

    return made


@asynccontextmanager
async def process(
    home: Path, known: Mapping[str, HashedEmbedder] | None = None, model: EmbedderChoice = BUNDLED
) -> AsyncGenerator[Parts]:
    """Compose and prepare one process on a home."""
    parts = build(settings_for(home, model), embedder_of=embedders(known))
    try:
        await parts.prepare()
        yield parts
    finally:
        await parts.close()


async def assert_whole(parts: Parts) -> ActiveSpace:
    """Assert that the current space holds every fact once, with its own vector; return it."""
    await parts.memory.projector.drain(ORGANIZATION)
    record = await parts.memory.spaces.record(ORGANIZATION)
    assert record
    space = parts.memory.spaces.active(record.current)
    rows = [row async for stretch in parts.memory.backfill.stretches(ORGANIZATION) for row in stretch.rows]
    assert await space.index.ids(ORGANIZATION) == {row.id for row in rows}
    for owner in {row.owner for row in rows}:
        stored = await space.index.vectors_of(ORGANIZATION, owner)
        own = [row for row in rows if row.owner == owner]
        fresh = await space.embedder.embed([row.text for row in own])
        assert np.allclose(np.stack([stored[row.id] for row in own]), fresh, atol=1e-5)
    return space
