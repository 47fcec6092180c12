"""Reading what a call sends: whom it is about, its content without secrets, and what a model makes of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread
import numpy as np

from interlayer.errors import Unavailable
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Naming, ResolvedEntity
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.extractor import Extracted, ExtractionTask, Extractor, Extractors, Nearest, extracted
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.intake import Reading, reading_of, tellable
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.schema import Schema

NEAREST_MAX: Final = 20  # facts that a model is shown: enough to see what is repeated or changed
_INLINE_CHARACTERS: Final = 20_000  # longer content is looked through in a thread
_EMBEDDED: Final = 4_000

Keep = Callable[[MemorizeRequest, float], Awaitable[None]]
"""Keeps a call without secrets while a model reads its content, which may take so many seconds."""

T = TypeVar("T")


class Reader:
    """Reads calls, each once, however often its transaction is tried."""

    def __init__(
        self, entities: Entities, naming: Naming, schema: Schema, spaces: Spaces, extractors: Extractors
    ) -> None:
        self._entities = entities
        self._naming = naming
        self._schema = schema
        self._spaces = spaces
        self._extractors = extractors

    async def read(
        self, organization: str, request: MemorizeRequest, subject: EntityReference, observed_at: datetime, keep: Keep
    ) -> tuple[MemorizeRequest, GateContext, Reading, ResolvedEntity | None]:
        """Return the call without secrets, what it is about, its content as read, and whom it names, if that was read.

        What is known of the entity before anything is read tells whom "she" may mean. The call is kept before a model
        is asked.
        """
        bearer = await self._bearer(organization, subject) if request.content else None
        stored = bearer.dossier.stored if bearer and bearer.dossier else None
        head = await self._entities.shown(organization, stored.head) if stored else None
        occasion = self.occasion(subject, head, observed_at)
        reading = await worked(request, partial(reading_of, request.content))
        request = replace(request, content=reading.content or None, source=tellable(request.source))
        if not reading.content:
            return request, occasion, reading, bearer
        try:
            model = await self._extractors.current(organization)
        except Unavailable as error:
            return request, occasion, replace(reading, failed=f"the model cannot be told: {error}"), bearer
        if model is None:
            return request, occasion, reading, bearer
        await keep(replace(request, observed_at=observed_at), model.timeout_s)
        space = await self._spaces.of(organization)
        view = await self._entities.view(organization, head, space) if head else None
        return request, occasion, await self.by_model(model, reading, occasion, view, space), bearer

    async def by_model(
        self,
        model: Extractor,
        reading: Reading,
        occasion: GateContext,
        view: EntityView | None,
        space: ActiveSpace,
        patience: float = 1,
    ) -> Reading:
        """Return content as a model reads it, who is told what is known; or why it cannot be read just now.

        The view has vectors of `space`.
        """
        task = ExtractionTask(
            content=reading.content,
            entity_type=occasion.entity_type,
            schema=occasion.schema,
            name=occasion.name,
            observed_at=occasion.observed_at,
            known={name: state.value for name, state in view.properties.items()} if view else {},
        )
        task = replace(task, nearest=nearest_in(view, space)) if view else task
        found = await extracted(model, task, patience)
        if isinstance(found, Extracted):
            return replace(reading, extracted=found)
        return replace(reading, failed=f"{model.name} unavailable: {found.removeprefix(f'{model.name}: ')}")

    async def _bearer(self, organization: str, subject: EntityReference) -> ResolvedEntity:
        found = await self._naming.bearer(organization, subject)
        dossier = await self._entities.dossier(organization, found.entity) if found.entity else None
        return replace(found, dossier=dossier)

    def occasion(self, subject: EntityReference, head: Head | None, observed_at: datetime) -> GateContext:
        """Return what a call is about."""
        given = [subject.display_name] if subject.display_name else []
        values = [value for values in (head.identifiers.values() if head else ()) for value in values]
        key = [] if subject.entity.is_id else [subject.entity.key]
        return GateContext(
            entity_type=subject.entity.type,
            schema=self._schema.entities[subject.entity.type],
            gates=self._schema.gates,
            observed_at=observed_at,
            name=subject.name or (head.name if head else subject.display_name or subject.entity.key),
            names=tuple(dict.fromkeys([*(head.names if head else ()), *given])),
            keys=tuple(dict.fromkeys([*values, *subject.identifiers.values(), *key])),
        )


def nearest_in(view: EntityView, space: ActiveSpace) -> Nearest:
    """Return what finds the current facts of a view that are nearest to a text; none when texts cannot be embedded."""

    async def nearest(text: str) -> Sequence[str]:
        current = [fact for fact in view.ordered if fact.superseded_by is None]
        if len(current) <= NEAREST_MAX:
            return [fact.record.text for fact in current]
        try:
            (vector,) = await space.embedder.embed([text[:_EMBEDDED]], query=True)
        except Unavailable:
            return ()
        if view.space != space.embedder.space:  # another call has moved it since
            return ()
        scores = view.vectors[[fact.number for fact in current]] @ vector
        return [current[place].record.text for place in np.argsort(-scores)[:NEAREST_MAX]]

    return nearest


async def worked(request: MemorizeRequest, work: Callable[[], T]) -> T:
    """Return what work on a call comes to; over long content it is done in a thread."""
    if len(request.content or "") > _INLINE_CHARACTERS:
        return await anyio.to_thread.run_sync(work)
    return work()
