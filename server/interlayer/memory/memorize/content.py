"""Content as a model reads it, who is told what is known of the entity."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from interlayer.errors import Unavailable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.extractor import (
    Extracted,
    ExtractionTask,
    Extractor,
    KnownFact,
    Nearest,
    extract_from,
)
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.properties import values_body
from interlayer.memory.memorize.call import Reading
from interlayer.memory.projection.spaces import ActiveSpace

NEAREST_MAX: Final = 20  # facts that a model is shown: enough to see what is repeated or changed
_EMBEDDED: Final = 4_000


async def read_with_model(
    model: Extractor,
    reading: Reading,
    context: GateContext,
    view: EntityView | None,
    space: ActiveSpace,
    patience: float = 1,
) -> Reading:
    """Return content as a model reads it, who is told what is known; or why it cannot be read just now.

    The view has vectors of `space`.
    """
    task = ExtractionTask(
        content=reading.content,
        entity_type=context.entity_type,
        schema=context.schema,
        name=context.name,
        observed_at=context.observed_at,
        known=values_body(view.properties) if view else {},
    )
    task = replace(task, nearest=nearest_in(view, space)) if view else task
    found = await extract_from(model, task, patience)
    if isinstance(found, Extracted):
        return replace(reading, extracted=found)
    return replace(reading, failed=f"{model.name} unavailable: {found.removeprefix(f'{model.name}: ')}")


def nearest_in(view: EntityView, space: ActiveSpace) -> Nearest:
    """Make a function that finds the facts of a view nearest to a text; none when texts cannot be embedded."""

    async def nearest(text: str) -> Sequence[KnownFact]:
        current = [fact for fact in view.ordered if fact.is_current]
        if len(current) <= NEAREST_MAX:
            return [KnownFact(fact.record.id, fact.record.text) for fact in current]
        try:
            (vector,) = await space.embedder.embed([text[:_EMBEDDED]], query=True)
        except Unavailable:
            return ()
        if view.space != space.embedder.space:  # another call has moved it since
            return ()
        scores = view.vectors[[fact.number for fact in current]] @ vector
        nearest = [current[place].record for place in np.argsort(-scores)[:NEAREST_MAX]]
        return [KnownFact(one.id, one.text) for one in nearest]

    return nearest
