"""Deterministic vectors of texts: each word points somewhere by its digest, a text where its words point together.

Texts that share words lie close, which is all that tests ask of a model. As an embedder of its own and, for the
scripted endpoint, as plain numbers.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.models.embedder import Space, Vectors, unit

DIMS = 64


def hashed(texts: Sequence[str], dims: int = DIMS, salt: str = "") -> Vectors:
    """Return (n, dims) unit vectors."""
    made = np.zeros((len(texts), dims), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.casefold()):
            made[row] += _direction(f"{salt}{word[:6]}", dims)
    return unit(made)


@lru_cache(maxsize=20_000)
def _direction(word: str, dims: int) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=dims).astype(np.float32)


class HashedEmbedder:
    """`Embedder` on hashed words; out of reach when told to be."""

    def __init__(self, name: str, dims: int = DIMS) -> None:
        self._space = Space(name, dims, "v1")
        self.away = False
        self.embedded = 0

    @property
    def space(self) -> Space:
        return self._space

    @property
    def at_hand(self) -> bool:
        return False

    @property
    def trouble(self) -> str:
        return f"{self._space.model}: it is out of reach." if self.away else ""

    def preload(self) -> None:
        """Nothing is left to load."""

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002
        if self.away:
            raise Unavailable(self.trouble)
        self.embedded += len(texts)
        return hashed(texts, self._space.dims, self._space.model)
