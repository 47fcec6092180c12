"""An embedder that remembers what it has embedded, for models that take their time or their price for it."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import Embedder, Space, Vectors

_AT_ONCE: Final = 512
_BYTES_MAX: Final = 64 * 1024 * 1024


class CachedEmbedder:
    """Vectors by digest of the text, least recently used first to go, 64 MB of them."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    @property
    def space(self) -> Space:
        """The space of the embedder behind."""
        return self._embedder.space

    @property
    def at_hand(self) -> bool:
        """As the embedder behind."""
        return self._embedder.at_hand

    @property
    def trouble(self) -> str:
        """That of the embedder behind."""
        return self._embedder.trouble

    def preload(self) -> None:
        """Load the embedder behind."""
        self._embedder.preload()

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:
        """Return one unit vector a text; each text that is not known is sent once, however often it stands there.

        What has come is kept when the rest does not, so that a long list is done at last by callers who cannot wait.
        """
        digests = [hashlib.sha256(f"{query:d}{text}".encode(errors="surrogatepass")).digest() for text in texts]
        found = {digest: self._vectors[digest] for digest in digests if digest in self._vectors}
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in found}
        wanted = list(missing.items())
        for first in range(0, len(wanted), _AT_ONCE):
            part = wanted[first : first + _AT_ONCE]
            made = await self._embedder.embed([text for _, text in part], query=query, waiting=waiting)
            embedded = dict(zip([digest for digest, _ in part], made, strict=True))
            self._keep(embedded)
            found |= embedded
        if not texts:
            return np.zeros((0, self.space.dims), dtype=np.float32)
        self._keep(found)
        return np.stack([found[digest] for digest in digests])

    def _keep(self, found: dict[bytes, NDArray[np.float32]]) -> None:
        for digest, vector in found.items():
            self._vectors[digest] = vector.copy() if vector.base is not None else vector  # not the whole batch with it
            self._vectors.move_to_end(digest)
        while len(self._vectors) * self.space.dims * 4 > _BYTES_MAX:
            self._vectors.popitem(last=False)
