"""Content as a model reads it, who is told what is known of the entity."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from interlayer.errors import Unavailable
from interlayer.language.attribution import Spoken
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.candidates import extract_from
from interlayer.memory.extraction.extractor import (
    Extracted,
    ExtractionTask,
    Extractor,
    KnownFact,
    KnownSubject,
    Nearest,
)
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.properties import values_body
from interlayer.memory.memorize.call import Reading
from interlayer.memory.projection.spaces import ActiveSpace
from interlayer.memory.schema.schema import Schema

NEAREST_MAX: Final = 20  # facts that a model is shown: enough to see what is repeated or changed
_EMBEDDED: Final = 4_000


async def read_with_model(
    model: Extractor,
    reading: Reading,
    entity: str,
    context: GateContext,
    schema: Schema,
    view: EntityView | None,
    space: ActiveSpace,
    patience: float = 1,
    subjects: Sequence[KnownSubject] = (),
    ambiguous: Sequence[str] = (),
) -> Reading:
    """Return content as a model reads it, who is told what is known; or why it cannot be read just now.

    `entity` is how a call names its main entity. The view has vectors of `space`. `subjects` are whom the content tells
    of beside it, `ambiguous` the names in the content that several bear.
    """
    pieces = reading.document.pieces if reading.document else ()
    task = ExtractionTask(
        content=reading.content,
        schema=schema,
        main=known_subject(entity, context),
        observed_at=context.observed_at,
        known=values_body(view.properties) if view else {},
        bears=context.bears,
        subjects=subjects,
        ambiguous=ambiguous,
        spoken=[Spoken(one.start, one.end, one.writer or one.label) for one in pieces],
    )
    task = replace(task, nearest=nearest_in(view, space)) if view else task
    found = await extract_from(model, task, patience)
    if isinstance(found, Extracted):
        return replace(reading, extracted=found)
    return replace(reading, failed=f"{model.name} unavailable: {found.removeprefix(f'{model.name}: ')}")


def known_subject(entity: str, context: GateContext) -> KnownSubject:
    """Return an entity, by how a call names it, as a model is told of it."""
    return KnownSubject(entity, tuple(dict.fromkeys((context.name, *context.names))), context.keys)


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
