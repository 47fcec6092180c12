"""Embedding models that run on this machine through fastembed (ONNX), from a folder or fetched from a hub once.

fastembed takes a second to import and a model some seconds to load, so both happen at first use or by `preload`.
"""

import importlib
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

import anyio
import anyio.to_thread
import numpy as np

from interlayer.errors import Unavailable
from interlayer.models.choice import ON_DISK, EmbedderChoice
from interlayer.models.embedder import Space, Vectors, unit
from interlayer.models.prefixes import prefixes_of

_BATCH: Final = 32  # texts of like length are padded together; more at a time only takes more memory


class FastembedEmbedder:
    """`fastembed/MODEL`. Raises `Unavailable`, with the remedy, when the extra or the model is not there."""

    def __init__(self, choice: EmbedderChoice, dims: int = 0) -> None:
        self._choice = choice
        self._dims = dims
        self._prefixes = prefixes_of(choice.name)
        self._model: Any = None
        self._loading = Lock()
        self._running = anyio.CapacityLimiter(1)  # ONNX uses all cores for one batch

    @property
    def space(self) -> Space:
        """The model by its configured name; 0 dims until it was loaded or said."""
        return Space(self._choice.name, self._dims, self._prefixes.recipe)

    @property
    def at_hand(self) -> bool:
        """It is not: some milliseconds a text."""
        return False

    @property
    def trouble(self) -> str:
        """Nothing: it is not elsewhere."""
        return ""

    def preload(self) -> None:
        """Import fastembed and load the model, from the hub if no folder is set; safe from any thread."""
        with self._loading:
            if self._model is None:
                self._model = self._load()

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002
        """Return (n, dims) unit vectors."""
        before = self._prefixes.query if query else self._prefixes.document
        return await anyio.to_thread.run_sync(self._embed, [before + text for text in texts], limiter=self._running)

    def _embed(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dims), dtype=np.float32)
        self.preload()
        by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        try:
            made = np.array(list(self._model.embed([texts[place] for place in by_length], batch_size=_BATCH)))
        except Exception as error:
            raise self._fail(error) from error
        dims = made.shape[1]
        if self._dims not in (0, dims):
            raise Unavailable(f"{self._choice.name}: it made vectors of {dims} dims, {self._dims} are on record.")
        self._dims = dims
        result = np.zeros((len(texts), dims), dtype=np.float32)
        result[by_length] = unit(made.astype(np.float32))
        return result

    def _load(self) -> Any:
        try:
            fastembed = importlib.import_module("fastembed")
        except ImportError as error:
            raise Unavailable(
                f"{self._choice.name}: fastembed is not installed. Run `pip install 'interlayer[fastembed]'`."
            ) from error
        where = {"specific_model_path": self._choice.folder} if self._choice.folder else {}
        try:
            return fastembed.TextEmbedding(self._choice.name.removeprefix(ON_DISK), **where)
        except Exception as error:
            raise self._fail(error) from error

    def _fail(self, error: Exception) -> Unavailable:
        reason = str(error).partition("\n")[0][:200]
        return Unavailable(
            f"{self._choice.name}: {reason}. Check the name, and the network or INTERLAYER_EMBEDDER_FOLDER."
        )
