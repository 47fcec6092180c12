"""The embedder port: text in, unit vectors out, in one named embedding space."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.models.scale import Scale

Vectors = NDArray[np.float32]
"""(n, dims) float32, each row of unit length (a text without a known token: all zeros)."""


@dataclass(frozen=True, slots=True)
class Space:
    """What makes two vectors comparable: same model, width, normalisation and way of preparing the text."""

    model: str
    dims: int
    recipe: str

    @property
    def id(self) -> str:
        """A name that is safe in a path and different for every space."""
        safe = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found.group()):x}_", self.model)
        return f"{safe}.{self.dims}.{self.recipe}"


class Embedder(Protocol):
    """Turns texts into vectors of one space. Raises `Unavailable` when the model cannot be reached."""

    @property
    def space(self) -> Space:
        """The space of every vector that this embedder returns; 0 dims before the first answer of an unknown model."""
        ...

    @property
    def at_hand(self) -> bool:
        """Whether embedding a few dozen texts takes less time than reading their vectors from an index."""
        ...

    @property
    def trouble(self) -> str:
        """Why the last answer that was asked of a model elsewhere did not come; empty when it came."""
        ...

    def preload(self) -> None:
        """Load what the first call would have to wait for; safe from any thread."""
        ...

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:
        """Return one unit vector a text, in order; `query`: the texts ask for others, where the model minds.

        `waiting`: a call waits for them, so a model elsewhere is given a few seconds, and after a failure none for
        some more.
        """
        ...


class UnknownEmbedder:
    """Stands for a model that has not answered once, so that nothing is known of its vectors: it makes none."""

    def __init__(self, model: str) -> None:
        self._model = model
        self.trouble = ""

    @property
    def space(self) -> Space:
        """A space without dimensions."""
        return Space(self._model, 0, "unknown")

    @property
    def at_hand(self) -> bool:
        """It is not."""
        return False

    def preload(self) -> None:
        """Nothing can be loaded."""

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002
        """Raise `Unavailable` with what the model said, unless there is nothing to embed."""
        if texts:
            raise Unavailable(self.trouble)
        return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedder and the scale on which its cosines are read."""

    embedder: Embedder
    scale: Scale


class EmbeddingModels(Protocol):
    """Tells which model an organization uses."""

    async def of(self, organization: str = "") -> EmbeddingModel:
        """Return the model of the organization's current space; of none in particular, the one in use here."""
        ...


@dataclass(frozen=True, slots=True)
class OneModel:
    """`EmbeddingModels` where every organization uses one model."""

    model: EmbeddingModel

    async def of(self, organization: str = "") -> EmbeddingModel:  # noqa: ARG002 - of any
        """Return the model."""
        return self.model


def unit(vectors: Vectors) -> Vectors:
    """Return the rows at unit length; a row of zeros stays so."""
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return vectors / lengths
