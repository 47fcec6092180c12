"""Every adapter of the vector-index port, by name. A new adapter is one more line in `INDEXES`.

What is in memory is shared by the place that it is opened at, within one process: a place stands for a folder.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from emulators import BUCKET, LOCK_TABLE
from interlayer.models.embedder import Space, Vectors
from interlayer.storage.in_memory.vectors import Datasets, InMemoryIndex
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.vectors import Row, VectorIndex

SPACE: Final = Space("test", 8, "v1")


class OpenIndex(Protocol):
    """Opens an index at a place; two opened at one place share their rows."""

    def __call__(self, place: Path, space: Space = ...) -> AbstractAsyncContextManager[VectorIndex]: ...


@asynccontextmanager
async def open_in_memory(place: Path, space: Space = SPACE) -> AsyncGenerator[VectorIndex]:
    index = InMemoryIndex(space, _contents[place])
    try:
        yield index
    finally:
        await index.close()


@asynccontextmanager
async def open_lance(place: Path, space: Space = SPACE) -> AsyncGenerator[VectorIndex]:
    index = LanceIndex(str(place), space)
    try:
        yield index
    finally:
        await index.close()


def location_on_s3(place: Path, scheme: str = "s3") -> str:
    """Return a location of the place's own on the emulator; `emulators.reach` says in the environment where that is."""
    name = hashlib.sha256(str(place).encode()).hexdigest()[:16]
    return f"{scheme}://{BUCKET}/{name}" + (f"?ddbTableName={LOCK_TABLE}" if scheme == "s3+ddb" else "")


@asynccontextmanager
async def open_lance_on_s3(place: Path, space: Space = SPACE) -> AsyncGenerator[VectorIndex]:
    index = LanceIndex(location_on_s3(place), space)
    try:
        yield index
    finally:
        await index.close()


_contents: Final[defaultdict[Path, Datasets]] = defaultdict(Datasets)
INDEXES: Final[dict[str, OpenIndex]] = {"memory": open_in_memory, "lance": open_lance, "s3": open_lance_on_s3}
BETWEEN_PROCESSES: Final = [name for name in INDEXES if name != "memory"]
"""Adapters whose rows other processes see."""


def unit_vectors(count: int, seed: int = 0, dims: int = SPACE.dims) -> Vectors:
    """Return (count, dims) unit vectors, the same for the same seed."""
    vectors = np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def numbered(count: int, *, first: int = 0, owner: str = "o1", kind: str = "person") -> list[Row]:
    """Return rows whose ids and texts hold their number."""
    return [Row(f"r{n:05}", owner, kind, f"marker{n:05} went home") for n in range(first, first + count)]
