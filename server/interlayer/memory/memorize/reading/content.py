"""Content as a model reads it, who is told what is known of whom it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
OTHERS_MAX: Final = 20  # of all others together
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
    views: Mapping[str, EntityView] | None = None,
) -> Reading:
    """Return content as a model reads it, who is told what is known; or why it cannot be read just now.

    `entity` is how a call names its main entity. `subjects` are whom the content tells of beside it, `views` those of
    them that are known, by name; views have vectors of `space`. `ambiguous` are names in the content that several bear.
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
    known = {**({"": view} if view else {}), **(views or {})}
    task = replace(task, nearest=nearest_in(known, space)) if known else task
    found = await extract_from(model, task, patience)
    if isinstance(found, Extracted):
        return replace(reading, extracted=found)
    return replace(reading, failed=f"{model.name} unavailable: {found.removeprefix(f'{model.name}: ')}")


def known_subject(entity: str, context: GateContext) -> KnownSubject:
    """Return an entity, by how a call names it, as a model is told of it."""
    return KnownSubject(entity, tuple(dict.fromkeys((context.name, *context.names))), context.keys)


def nearest_in(views: Mapping[str, EntityView], space: ActiveSpace) -> Nearest:
    """Make a function that finds the facts nearest to a text; none of an entity with many when it cannot be embedded.

    Views are at the names of their entities, the main one at an empty one, of which the most facts are taken.
    """
    share = max(OTHERS_MAX // max(len(views) - ("" in views), 1), 1)

    async def nearest(text: str) -> Sequence[KnownFact]:
        found: list[KnownFact] = []
        vector: NDArray[np.float32] | None = None
        for name, view in views.items():
            most = share if name else NEAREST_MAX
            current = [fact for fact in view.ordered if fact.is_current]
            if len(current) > most:
                vector = await _embedded(text, space) if vector is None else vector
                if vector is None or view.space != space.embedder.space:  # another call has moved it since
                    continue
                scores = view.vectors[[fact.number for fact in current]] @ vector
                current = [current[place] for place in np.argsort(-scores)[:most]]
            found += [KnownFact(fact.record.id, fact.record.text, name) for fact in current]
        return found

    return nearest


async def _embedded(text: str, space: ActiveSpace) -> NDArray[np.float32] | None:
    try:
        (vector,) = await space.embedder.embed([text[:_EMBEDDED]], query=True)
    except Unavailable:
        return None
    return vector
