"""Vectors in which statements can be compared, also while their own model is away."""

from collections.abc import Sequence

from interlayer.memory.spaces import ActiveSpace, Spaces
from interlayer.memory.view import EntityView
from interlayer.models.embedder import Vectors
from interlayer.models.scale import Scale


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
