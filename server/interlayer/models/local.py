"""The bundled embedder: WordLlama, 256 dims, weights and tokenizer in its wheel. No network, 0.1 ms a text."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import Space, Vectors, unit

DIMS: Final = 256
_INLINE_TEXTS: Final = 64  # fewer than this take less time than handing them to a thread
_LOADING: Final = Lock()


class LocalEmbedder:
    """Static word vectors, averaged; loaded once a process, at first use or by `preload`."""

    @property
    def space(self) -> Space:
        """WordLlama l2_supercat, 256 dims, unit length, text as it is."""
        return Space("wordllama-l2-supercat", DIMS, "v1")

    @property
    def at_hand(self) -> bool:
        """It is: 0.1 ms a text."""
        return True

    @property
    def trouble(self) -> str:
        """Nothing: it is not elsewhere."""
        return ""

    def preload(self) -> None:
        """Import and load the model (0.7 s); safe from any thread."""
        static_vectors(["ready"])

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002 - no such difference
        """Return (n, 256) unit vectors."""
        if not texts:
            return np.zeros((0, DIMS), dtype=np.float32)
        if len(texts) <= _INLINE_TEXTS and _load.cache_info().currsize:
            return static_vectors(texts)
        return await anyio.to_thread.run_sync(static_vectors, texts)


def static_vectors(texts: Sequence[str]) -> Vectors:
    """Return (n, 256) unit vectors; the first call of a process loads the model."""
    if not texts:
        return np.zeros((0, DIMS), dtype=np.float32)
    with _LOADING:  # two threads that come first must not both load it
        model = _load()
    if len(texts) <= _INLINE_TEXTS:
        return unit(np.stack([_mean(model, text) for text in texts]))
    return unit(np.asarray(model.embed(list(texts)), dtype=np.float32))


def _mean(model: Any, text: str) -> NDArray[np.float32]:
    """Return (256,) the mean of a text's token vectors.

    What the model's own way comes to, which fills each text of a batch up to the longest and waits for other threads:
    ten times the time for a task beside its sentences.
    """
    tokens = np.array(model.tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int32)
    vectors: NDArray[np.float32] = model.embedding
    summed = vectors[np.minimum(tokens, len(vectors) - 1)].sum(axis=0, dtype=np.float32)
    return summed / np.float32(max(len(tokens), 1))


@lru_cache(maxsize=1)
def _load() -> Any:
    import wordllama

    # Its loader looks for the tokenizer in its cache folder, so the package folder is named as the cache.
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
