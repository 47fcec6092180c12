"""The embedder port: text in, unit vectors out, in one named embedding space."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
        """The space of every vector that this embedder returns."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text, in order."""
        ...
