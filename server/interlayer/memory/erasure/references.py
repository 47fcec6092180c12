"""What entities and memories leave outside their logs: sources, places, answers, relations, conflicts, rejections."""

from collections.abc import Iterable, Sequence, Set
from contextlib import suppress

from interlayer.errors import Ambiguous, InvalidInput
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.redaction import blot_out, without_answer, without_part, without_properties
from interlayer.memory.gates import rejected
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.log.records import Confirmation, EntityId, FactRecord, Head, LogEntry, Memorized
from interlayer.memory.log.revision import place_in
from interlayer.memory.memorize.waiting.in_flight import InFlightCalls
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore, Key, Operation, Span


class References:
    """Finds what has to go with an entity or a memory that is erased."""

    def __init__(self, store: ItemStore, entities: Entities, in_flight: InFlightCalls, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._in_flight = in_flight
        self._schema = schema

    async def rejected(self, organization: str, head: Head) -> list[Key]:
        """Return the keys of all that was turned down of an entity, also before it was known."""
        return await rejected.traces(self._store, organization, head)

    async def claims(self, organization: str, entities: Set[EntityId]) -> list[Key]:
        """Return the keys of the identifier conflicts that these entities take part in."""
        page = await self._store.query("memory", keys.conflict(organization, "", "").partition)
        ends = [(item.key, {EntityId(**item.body[end]) for end in ("entity", "owner")}) for item in page.items]
        return [key for key, parties in ends if parties & entities]

    async def unread(self, organization: str, entity: EntityId) -> list[Key]:
        """Return the keys of the calls about an entity whose content was not read yet, if it ever will be."""
        found: list[Key] = []
        for call in await self._in_flight.waiting(organization):
            with suppress(Ambiguous, InvalidInput):
                named = parse_entity(call.request.entity or "", self._schema)
                if await self._entities.resolve(organization, named) == entity:
                    found += [operation.key for operation in call.removal()]
        return found

    async def absorbed(self, organization: str, head: Head) -> list[Key]:
        """Return the keys of what was merged into an entity: heads, logs, and relations that point at them."""
        found: list[Key] = []
        for entity in head.absorbed:
            place = keys.head(organization, entity)
            found += [item.key for item in (await self._store.query("memory", place.partition)).items]
            stored = await self._entities.head(organization, entity)
            found += await self.absorbed(organization, stored.head) if stored else []
        return found

    async def traces(
        self, organization: str, entity: EntityId, log: Iterable[LogEntry], *, relations: bool = True
    ) -> list[Key]:
        """Return the keys of everything that memories left outside the log."""
        found: list[Key] = []
        for memory in log:
            found.append(keys.memory_place(organization, memory.id))
            claims = Span.prefix(f"{memory.id}#")
            page = await self._store.query("memory", keys.conflict(organization, "", "").partition, claims)
            found += [item.key for item in page.items]
            found.append(outbox.entry_key(organization, memory.id))
            found.append(keys.pending(organization, memory.id))
            found += rejected.places(organization, place_in(entity, memory)[0], memory.id)
            if isinstance(memory, Memorized) and memory.has_content and not memory.part_of:
                parts = await self._store.query("memory", keys.source(organization, memory.id, 0).partition)
                found += [item.key for item in parts.items]
            if isinstance(memory, Memorized) and memory.idempotency and not memory.part_of:
                found.append(keys.idempotency(organization, memory.agent, memory.idempotency))
            if relations:
                holder = place_in(entity, memory)[0]
                found += [keys.relation(organization, one.target, one.type, holder) for one in memory.relations]
        return found

    async def parts(self, organization: str, entity: EntityId, gone: Iterable[LogEntry]) -> list[Operation]:
        """Build what takes parts of interactions out of the content that is kept elsewhere, and out of its answer."""
        operations: list[Operation] = []
        for memory in gone:
            if not isinstance(memory, Memorized) or not memory.part_of:
                continue
            said = [*memory.facts, *memory.confirms, *memory.properties]
            if memory.has_content:
                source = await self._store.query("memory", keys.source(organization, memory.part_of, 0).partition)
                texts = [one.text for one in (*memory.facts, *memory.confirms)]
                operations += blot_out(source.items, [one.span for one in said if one.span], texts)
            if memory.idempotency:
                item = await self._store.get(keys.idempotency(organization, memory.agent, memory.idempotency))
                refs = {entity.ref, place_in(entity, memory)[0].ref}
                operations += [without_part(item, memory.part_of, refs)] if item else []
        return operations

    async def answers(
        self, organization: str, entity: EntityId, revised: Iterable[LogEntry], names: Set[str]
    ) -> list[Operation]:
        """Build the operations that take properties of erased memories out of later answers kept for replay."""
        places = [
            keys.idempotency(organization, memory.agent, memory.idempotency)
            for memory in revised
            if isinstance(memory, Memorized)
            and memory.idempotency
            and any(one.name in names for one in memory.properties)
        ]
        found = (await self._store.get_many(places)).values() if places else ()
        refs = {entity.ref, *(memory.home[0].ref for memory in revised if memory.home)}
        return [changed for item in found if (changed := without_properties(item, names, refs))]

    async def redactions(self, organization: str, log: Sequence[LogEntry], ids: Set[str]) -> list[Operation]:
        """Build the operations that blot the words of a fact out of its sources and of answers kept for replay."""
        operations: list[Operation] = []
        by_content: dict[str, list[FactRecord | Confirmation]] = {}
        for memory in log:
            said: list[FactRecord | Confirmation] = [one for one in memory.facts if one.id in ids]
            said += [one for one in memory.confirms if one.fact_id in ids]
            if not said:
                continue
            if memory.content_of:
                by_content.setdefault(memory.content_of, []).extend(said)
            if isinstance(memory, Memorized) and memory.idempotency:
                item = await self._store.get(keys.idempotency(organization, memory.agent, memory.idempotency))
                operations += [without_answer(item, ids)] if item else []
        for content_of, said in by_content.items():
            parts = await self._store.query("memory", keys.source(organization, content_of, 0).partition)
            operations += blot_out(parts.items, [one.span for one in said if one.span], [one.text for one in said])
        return operations
