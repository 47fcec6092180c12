"""The bundled embedder: WordLlama, 256 dims, weights and tokenizer in its wheel. No network, 0.1 ms a text."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import anyio.to_thread
import numpy as np

from interlayer.models.embedder import Space, Vectors

_DIMS: Final = 256
_INLINE_TEXTS: Final = 64  # fewer than this take less time than handing them to a thread


class LocalEmbedder:
    """Static word vectors, averaged; loaded once, at first use or by `preload`."""

    def __init__(self) -> None:
        self._model: Any = None
        self._loading = Lock()

    @property
    def space(self) -> Space:
        """WordLlama l2_supercat, 256 dims, unit length, text as it is."""
        return Space("wordllama-l2-supercat", _DIMS, "v1")

    def preload(self) -> None:
        """Import and load the model (0.7 s); safe from any thread."""
        with self._loading:
            if self._model is None:
                self._model = _load()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 256) unit vectors."""
        if not texts:
            return np.zeros((0, _DIMS), dtype=np.float32)
        if self._model is None:
            await anyio.to_thread.run_sync(self.preload)
        if len(texts) <= _INLINE_TEXTS:
            return self._vectors(texts)
        return await anyio.to_thread.run_sync(self._vectors, texts)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        vectors = np.asarray(self._model.embed(list(texts)), dtype=np.float32)
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        return vectors / lengths


def _load() -> Any:
    import wordllama

    # Its loader looks for the tokenizer in its cache folder, so the package folder is named as the cache.
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
