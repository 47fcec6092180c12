"""Reading what a call sends: whom it is about, its content without secrets, and what a model makes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread

from interlayer.memory.entities import Entities
from interlayer.memory.extraction import Extracted, ExtractionTask, Extractor, extracted
from interlayer.memory.intake import Reading, reading_of, tellable
from interlayer.memory.naming import Bearer, Naming, Subject
from interlayer.memory.occasion import Occasion
from interlayer.memory.records import Head
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema import Schema

_INLINE_CHARACTERS: Final = 20_000  # longer content is looked through in a thread

T = TypeVar("T")


class Reader:
    """Reads calls, each once, however often its transaction is tried."""

    def __init__(self, entities: Entities, naming: Naming, schema: Schema, extractor: Extractor | None) -> None:
        self._entities = entities
        self._naming = naming
        self._schema = schema
        self._extractor = extractor

    async def read(
        self, organization: str, request: MemorizeRequest, subject: Subject, observed_at: datetime
    ) -> tuple[MemorizeRequest, Occasion, Reading, Bearer | None]:
        """Return the call without secrets, what it is about, its content as read, and whom it names, if that was read.

        What is known of the entity before anything is read tells whom "she" may mean.
        """
        bearer = await self._bearer(organization, subject) if request.content else None
        stored = bearer.dossier.stored if bearer and bearer.dossier else None
        head = await self._entities.shown(organization, stored.head) if stored else None
        occasion = self._occasion(subject, head, observed_at)
        reading = await worked(request, partial(reading_of, request.content))
        request = replace(request, content=reading.content or None, source=tellable(request.source))
        model = self._extractor
        if model is None or not reading.content:
            return request, occasion, reading, bearer
        task = ExtractionTask(
            content=reading.content,
            entity_type=occasion.entity_type,
            schema=occasion.schema,
            name=occasion.name,
            observed_at=observed_at,
            known=head.properties if head else {},
        )
        found = await extracted(model, task)
        if isinstance(found, Extracted):
            return request, occasion, replace(reading, extracted=found), bearer
        return request, occasion, replace(reading, failed=f"{model.name} unavailable: {found}"), bearer

    async def _bearer(self, organization: str, subject: Subject) -> Bearer:
        found = await self._naming.bearer(organization, subject)
        dossier = await self._entities.dossier(organization, found.entity) if found.entity else None
        return replace(found, dossier=dossier)

    def _occasion(self, subject: Subject, head: Head | None, observed_at: datetime) -> Occasion:
        given = [subject.display_name] if subject.display_name else []
        values = [value for values in (head.identifiers.values() if head else ()) for value in values]
        key = [] if subject.entity.is_id else [subject.entity.key]
        return Occasion(
            entity_type=subject.entity.type,
            schema=self._schema.entities[subject.entity.type],
            gates=self._schema.gates,
            observed_at=observed_at,
            name=subject.name or (head.name if head else subject.display_name or subject.entity.key),
            names=tuple(dict.fromkeys([*(head.names if head else ()), *given])),
            keys=tuple(dict.fromkeys([*values, *subject.identifiers.values(), *key])),
        )


async def worked(request: MemorizeRequest, work: Callable[[], T]) -> T:
    """Return what work on a call comes to; over long content it is done in a thread."""
    if len(request.content or "") > _INLINE_CHARACTERS:
        return await anyio.to_thread.run_sync(work)
    return work()
