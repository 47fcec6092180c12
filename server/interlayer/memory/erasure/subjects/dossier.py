"""A copy of everything that is held of a person, record by record: for the person (GDPR, articles 15 and 20)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Literal

from interlayer.answers import as_json
from interlayer.ids import Clock, timestamp
from interlayer.memory.erasure.subjects.finder import SubjectFinder
from interlayer.memory.erasure.subjects.subject import Request, Subject, Subjects, demand_privacy
from interlayer.memory.log import keys
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import Head, entry_body, head_body
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

FORMAT: Final = "interlayer-subject"
VERSION: Final = 1

RecordKind = Literal["header", "entity", "memory", "content", "mention", "receipt", "event", "end"]


@dataclass(frozen=True, slots=True)
class DossierRecord:
    """One line of the copy: what it is, and its fields."""

    record: RecordKind
    body: Mapping[str, Any]


class SubjectDossier:
    """Makes the copy. It reads everything once and keeps nothing."""

    def __init__(
        self, store: ItemStore, subjects: Subjects, finder: SubjectFinder, schema: Schema, clock: Clock
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._finder = finder
        self._schema = schema
        self._clock = clock

    async def records(self, principal: Principal, request: Request) -> AsyncGenerator[DossierRecord]:
        """Yield a header, the person's entities with all their memories, mentions elsewhere, and who worked with them.

        A record of a mention holds the words that name the person, and of a text no more than stands around them.
        """
        demand_privacy(principal)
        organization = principal.organization
        subject = await self._subjects.resolve(organization, request)
        await self._finder.note(principal, subject)
        yield DossierRecord("header", self._header(organization, subject))
        count = 1
        async with aclosing(self._parts(organization, subject)) as parts:
            async for one in parts:
                yield one
                count += 1
        yield DossierRecord("end", {"records": count + 1})

    async def _parts(self, organization: str, subject: Subject) -> AsyncGenerator[DossierRecord]:
        for head in subject.standing:
            async with aclosing(self._entity(organization, head)) as records:
                async for one in records:
                    yield one
        async with aclosing(self._finder.passages(organization, subject)) as passages:
            async for passage in passages:
                yield DossierRecord("mention", as_json(passage))
        async with aclosing(self._finder.records(organization, subject)) as items:
            async for item in items:
                is_event = item.key.partition.endswith("#chain")
                yield DossierRecord("event" if is_event else "receipt", {"id": item.key.sort, **item.body})

    async def _entity(self, organization: str, head: Head) -> AsyncGenerator[DossierRecord]:
        yield DossierRecord("entity", head_body(head))
        for memory in await read_log(self._store, organization, head.entity, upto=head.revision):
            yield DossierRecord("memory", entry_body(memory))
            if memory.content_of == memory.id:
                parts = await self._store.query("memory", keys.source(organization, memory.id, 0).partition)
                text = "".join(part.body["text"] for part in parts.items)
                yield DossierRecord("content", {"memory": memory.id, "text": text})

    def _header(self, organization: str, subject: Subject) -> Mapping[str, Any]:
        types = dict.fromkeys(head.entity.type for head in subject.heads)
        return {
            "format": FORMAT,
            "version": VERSION,
            "organization": organization,
            "created_at": timestamp(self._clock()),
            "person": subject.request.person,
            "entities": [one.ref for one in sorted(subject.entities)],
            "identifiers": [value for _, value in subject.names.identifiers],
            "names": list(subject.names.names),
            "kept_for": {one: self._schema.stored(one).retention or "until it is erased" for one in types},
        }
