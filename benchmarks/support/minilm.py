"""A sentence-model embedder for comparison: all-MiniLM-L6-v2 as ONNX, from a folder that the caller has.

The folder holds `model.onnx` and `tokenizer.json`; `onnxruntime` has to be installed beside the project.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio.to_thread
import numpy as np
from tokenizers import Tokenizer

from interlayer.models.embedder import Space, Vectors

_TOKENS_MAX = 256
_BATCH = 32


class MiniLm:
    """Mean-pooled MiniLM, 384 dims."""

    def __init__(self, folder: Path) -> None:
        self._session: Any = import_module("onnxruntime").InferenceSession(str(folder / "model.onnx"))
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_TOKENS_MAX)
        self._tokenizer.enable_padding()
        self._inputs = {one.name for one in self._session.get_inputs()}

    @property
    def space(self) -> Space:
        """all-MiniLM-L6-v2, 384 dims, unit length."""
        return Space("all-MiniLM-L6-v2", 384, "v1")

    @property
    def trouble(self) -> str:
        """Nothing: it is not elsewhere."""
        return ""

    def preload(self) -> None:
        """Nothing is left to load."""

    @property
    def at_hand(self) -> bool:
        """It is not: some milliseconds a text."""
        return False

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002
        """Return (n, 384) unit vectors."""
        return await anyio.to_thread.run_sync(self._vectors, list(texts))

    def _vectors(self, texts: list[str]) -> Vectors:
        result = np.zeros((len(texts), 384), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(by_length), _BATCH):
            places = by_length[start : start + _BATCH]
            encoded = self._tokenizer.encode_batch([texts[place] for place in places])
            ids = np.array([one.ids for one in encoded])
            mask = np.array([one.attention_mask for one in encoded])
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            hidden: Any = self._session.run(None, {name: feed[name] for name in self._inputs})[0]
            if hidden.ndim == 3:
                hidden = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
            result[places] = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
        return result
