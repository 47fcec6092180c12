"""Every adapter of the vector-index port, by name. A new adapter is one more line in `INDEXES`."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from interlayer.models.embedder import Space, Vectors
from interlayer.storage.lance import LanceIndex
from interlayer.storage.vectors import Row, VectorIndex

SPACE: Final = Space("test", 8, "v1")


class OpenIndex(Protocol):
    """Opens an index at a place; two opened at one place share their rows."""

    def __call__(self, place: Path, space: Space = ...) -> AbstractAsyncContextManager[VectorIndex]: ...


@asynccontextmanager
async def open_lance(place: Path, space: Space = SPACE) -> AsyncGenerator[VectorIndex]:
    index = LanceIndex(str(place), space)
    try:
        yield index
    finally:
        await index.close()


INDEXES: Final[dict[str, OpenIndex]] = {"lance": open_lance}


def unit_vectors(count: int, seed: int = 0, dims: int = SPACE.dims) -> Vectors:
    """Return (count, dims) unit vectors, the same for the same seed."""
    vectors = np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def numbered(count: int, *, first: int = 0, owner: str = "o1", kind: str = "person") -> list[Row]:
    """Return rows whose ids and texts hold their number."""
    return [Row(f"r{n:05}", owner, kind, f"marker{n:05} went home") for n in range(first, first + count)]
