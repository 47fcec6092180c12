"""Vectors for a call that waits, and what it goes on with when the model of its space is away."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.models.embedder import Vectors
from interlayer.models.scale import Scale

_FOLLOWING: Final = "vectors: they follow when the model can be reached; the bundled one told repeats from new facts."


async def of_statements(space: ActiveSpace, texts: Sequence[str]) -> tuple[Vectors | None, tuple[str, ...]]:
    """Return the vectors of texts; None, and what the answer says of it, when they cannot be had soon enough."""
    try:
        return await space.embedder.embed(texts, waiting=True), ()
    except Unavailable as error:
        return None, (f"{_FOLLOWING} {error}",)


async def of_query(space: ActiveSpace, query: str | None) -> tuple[NDArray[np.float32], list[str]]:
    """Return the vector of a query; zeros, and what the answer says of it, when it cannot be had soon enough."""
    nothing: NDArray[Any] = np.zeros(space.embedder.space.dims, dtype=np.float32)
    if not query:
        return nothing, []
    try:
        return (await space.embedder.embed([query], query=True))[0], []
    except Unavailable as error:
        return nothing, [f"vectors: ranked by words alone. {error}"]


async def comparable(
    spaces: Spaces, space: ActiveSpace, texts: Sequence[str], vectors: Vectors | None, view: EntityView
) -> tuple[Vectors, Vectors, Scale]:
    """Return the vectors of texts and of the facts of a view, and the scale of their cosines.

    They are of `space`, unless some could not be had: then all are made by the model that comes with the program, for
    which every threshold was written. What has no vector would repeat and contradict nothing.
    """
    if vectors is not None and not (len(texts) and view.lacking):
        return vectors, view.vectors, space.scale
    bundled = spaces.bundled()
    known = await bundled.embedder.embed([fact.record.text for fact in view.ordered])
    return await bundled.embedder.embed(texts), known, bundled.scale
