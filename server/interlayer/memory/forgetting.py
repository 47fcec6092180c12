"""forget: an entity, a fact or one memorize call, gone from log, heads, indexes, answers kept for replay, and vectors.

What another memory says on its own is kept: a fact that a surviving memory confirms goes on in that memory's words.
The audit record says that something was erased, by whom and why, and nothing of what it was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

from interlayer.errors import InvalidInput, NotFound, Unavailable
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory import identifiers, keys, rejected
from interlayer.memory.commits import index_changes, log_puts
from interlayer.memory.entities import Entities, StoredHead
from interlayer.memory.erasing import blotted, home, without_answer, without_fact, without_memory
from interlayer.memory.identifiers import folded_name, parse_entity
from interlayer.memory.projecting import Projector
from interlayer.memory.records import EntityId, Head, Memory, head_body
from interlayer.memory.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, Delete, ItemStore, Key, Operation, Put
from interlayer.storage.trail import Event, Trail

_BATCH: Final = TRANSACT_OPERATIONS_MAX - 1  # one place is for the audit event
_REMOVED_ROWS: Final = 5_000  # ids an outbox entry: within the size of an item
_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class _Erasure:
    """What an erasure comes to. `last` goes into the transaction with the audit event, `earlier` before it."""

    subject: str
    last: list[Operation]
    earlier: list[Operation]
    rows: list[str]
    counts: Counter[str]


class Forgetter:
    """Erases. Raises `NotFound` when there is nothing of that name, `InvalidInput` unless exactly one is named."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        trail: Trail,
        schema: Schema,
        clock: Clock,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._trail = trail
        self._schema = schema
        self._clock = clock

    async def forget(
        self,
        principal: Principal,
        reason: str,
        *,
        entity: str | None = None,
        fact_id: str | None = None,
        memory_id: str | None = None,
    ) -> dict[str, Any]:
        """Return {erased: counts}, after no layer holds it any more."""
        given = [name for name in (entity, fact_id, memory_id) if name]
        if len(given) != 1:
            raise InvalidInput(
                "entity", f"{len(given)} of entity, fact_id and memory_id were given.", "Give exactly one."
            )
        if not reason.strip():
            raise InvalidInput("reason", "is blank.", "Say why; it is kept in the audit trail.")
        identifiers.check_text(reason, "reason", _REASON_MAX)
        organization = principal.organization
        owner = await self._owner(organization, entity, fact_id, memory_id)
        async with self._entities.lock(organization, owner):
            stored = await self._entities.head(organization, owner)
            if stored is None:
                raise NotFound(f"{given[0]}: nothing of that name is remembered.")
            erasure = await self._plan(organization, stored, fact_id, memory_id)
            await self._commit(principal, reason, erasure)
        answer: dict[str, Any] = {"erased": {**erasure.counts, "vectors": len(erasure.rows)}}
        try:
            await self._projector.drain(organization)
        except Unavailable as error:
            answer["pending"] = f"vectors: {error} They are erased as soon as the index is back; nothing recalls them."
        await self._store.scrub()
        return answer

    async def _owner(
        self, organization: str, entity: str | None, fact_id: str | None, memory_id: str | None
    ) -> EntityId:
        if entity:
            parsed = parse_entity(entity, self._schema)
            found = await self._entities.resolve(organization, parsed)
            if found is None:
                near = await self._entities.near(organization, parsed)
                raise NotFound(f"entity: {entity!r} is not known." + (f" Near: {', '.join(near)}." if near else ""))
            return found
        memory = memory_id or f"m_{(fact_id or '').removeprefix('f_').rpartition('_')[0]}"
        place = await self._store.get(keys.memory_place(organization, memory[:80]))
        if place is None:
            field = "memory_id" if memory_id else "fact_id"
            raise NotFound(f"{field}: {(memory_id or fact_id or '')[:60]!r} is not known. Take it from recall_entity.")
        stored = await self._entities.survivor(organization, EntityId(**place.body["entity"]))
        if stored is None:
            raise NotFound("memory_id: nothing of that name is remembered.")
        return stored.head.entity

    async def _plan(
        self, organization: str, stored: StoredHead, fact_id: str | None, memory_id: str | None
    ) -> _Erasure:
        view = await self._entities.view(organization, stored.head)
        log = list(view.memories.values())
        if memory_id:
            survivors = list(without_memory(log, memory_id))
            return await self._rewrite(organization, stored, log, survivors, memory_id)
        if fact_id:
            if fact_id not in view.facts:
                raise NotFound(f"fact_id: {fact_id!r} is not known. Take it from recall_entity.")
            survivors = [without_fact(memory, fact_id) for memory in log]
            erasure = await self._rewrite(organization, stored, log, survivors, fact_id)
            erasure.last.extend(await self._redactions(organization, log, fact_id))
            return erasure
        return await self._whole(organization, stored.head, log)

    async def _whole(self, organization: str, head: Head, log: Sequence[Memory]) -> _Erasure:
        entity = head.entity
        rows = [fact.id for memory in log for fact in memory.facts]
        listed = await self._store.query("memory", keys.head(organization, entity).partition)
        incoming = await self._store.query("memory", keys.relation(organization, entity, "", entity).partition)
        own = [item.key for item in listed.items if item.key.sort != "head"]
        own += await self._absorbed(organization, head)
        own += await self._claims(organization, {head.entity, *head.absorbed})
        own += await rejected.traces(self._store, organization, head)
        earlier = [*own, *(item.key for item in incoming.items), *await self._traces(organization, entity, log)]
        schema = self._schema.entities[entity.type]
        names = dict.fromkeys([*head.names, head.name])
        last = [
            Delete(keys.head(organization, entity)),
            Delete(keys.listing(organization, entity.type, entity.id)),
            *index_changes(organization, entity, head.properties, {}, schema),
            *(Delete(keys.name(organization, entity.type, folded_name(name), entity.id)) for name in names),
            *(
                Delete(keys.identifier(organization, entity.type, folded_name(name), identifiers.NAME))
                for name in names
            ),
            *(
                Delete(keys.identifier(organization, entity.type, value, kind))
                for kind, values in head.identifiers.items()
                for value in values
            ),
        ]
        counts = Counter(
            entities=1,
            memories=len(log),
            facts=len(rows),
            properties=len(head.properties),
            relations=sum(len(memory.relations) for memory in log),
        )
        return _Erasure(entity.ref, _unique(last), [Delete(key) for key in earlier], rows, counts)

    async def _claims(self, organization: str, entities: Set[EntityId]) -> list[Key]:
        """Return the keys of the identifier conflicts that these entities take part in."""
        page = await self._store.query("memory", keys.conflict(organization, "", "").partition)
        ends = [(item.key, {EntityId(**item.body[end]) for end in ("entity", "owner")}) for item in page.items]
        return [key for key, parties in ends if parties & entities]

    async def _absorbed(self, organization: str, head: Head) -> list[Key]:
        """Return the keys of what was merged into an entity: heads, logs, and relations that point at them."""
        found: list[Key] = []
        for entity in head.absorbed:
            for place in (keys.head(organization, entity), keys.relation(organization, entity, "", entity)):
                found += [item.key for item in (await self._store.query("memory", place.partition)).items]
            stored = await self._entities.head(organization, entity)
            found += await self._absorbed(organization, stored.head) if stored else []
        return found

    async def _rewrite(
        self, organization: str, stored: StoredHead, log: Sequence[Memory], survivors: Sequence[Memory], subject: str
    ) -> _Erasure:
        """Return what turns the log into its survivors, with everything that follows from it."""
        entity, kept = stored.head.entity, {memory.id: memory for memory in survivors}
        after = self._entities.blank(entity)
        for memory in survivors:
            after.apply(memory, {})
        head = replace(
            stored.head,
            properties={name: state.value for name, state in after.properties.items()},
            facts=len(after.facts),
            revision=stored.head.revision + 1,
            epoch=stored.head.epoch + 1,
            updated_at=timestamp(self._clock()),
        )
        operations: list[Operation] = [Put(keys.head(organization, entity), head_body(head), stored.version)]
        schema = self._schema.entities[entity.type]
        operations += index_changes(organization, entity, stored.head.properties, head.properties, schema)
        rows: list[str] = []
        gone = [memory for memory in log if memory.id not in kept]
        for memory in log:
            survivor = kept.get(memory.id)
            if survivor == memory:
                continue
            texts = {fact.id: fact.text for fact in (survivor.facts if survivor else ())}
            rows += [fact.id for fact in memory.facts if texts.get(fact.id) != fact.text]
            operations += await self._relogged(organization, *home(entity, memory), memory, survivor)
        stated = {relation for memory in survivors for relation in memory.relations}
        lost = {relation for memory in gone for relation in memory.relations} - stated
        holders = {entity, *(memory.home[0] for memory in gone if memory.home)}
        operations += [
            Delete(keys.relation(organization, one.target, one.type, holder)) for one in lost for holder in holders
        ]
        operations += [Delete(key) for key in await self._traces(organization, entity, gone, relations=False)]
        counts = Counter(
            memories=len(gone),
            facts=sum(len(memory.facts) for memory in log) - len(after.facts),
            properties=sum(len(memory.properties) for memory in gone),
            relations=len(lost),
        )
        return _Erasure(subject, _unique(operations), [], rows, counts)

    async def _relogged(
        self, organization: str, entity: EntityId, revision: int, memory: Memory, survivor: Memory | None
    ) -> list[Operation]:
        """Return what replaces a memory in the log, and has what is left of it projected again."""
        place = keys.memory(organization, entity, revision)
        listed = await self._store.query("memory", place.partition, keys.one_memory(revision))
        operations: list[Operation] = [Delete(keys.outbox(organization, memory.id))]
        if survivor is None:
            return [*operations, *(Delete(item.key) for item in listed.items)]
        versions = {item.key: item.version for item in listed.items}
        puts = list(log_puts(organization, entity, replace(survivor, revision=revision, home=None)))
        operations += [replace(put, expect=versions.get(put.key, 0)) for put in puts]
        operations += [Delete(key) for key in versions if key not in {put.key for put in puts}]
        again = {"entity": {"type": entity.type, "id": entity.id}, "revision": revision}
        return [*operations, Put(keys.outbox(organization, new_id("o", self._clock())), again)]

    async def _traces(
        self, organization: str, entity: EntityId, log: Iterable[Memory], *, relations: bool = True
    ) -> list[Key]:
        """Return the keys of everything that memories left outside the log."""
        found: list[Key] = []
        for memory in log:
            found.append(keys.memory_place(organization, memory.id))
            found.append(keys.outbox(organization, memory.id))
            found += rejected.places(organization, home(entity, memory)[0], memory.id)
            if memory.has_content:
                parts = await self._store.query("memory", keys.source(organization, memory.id, 0).partition)
                found += [item.key for item in parts.items]
            if memory.idempotency:
                found.append(keys.idempotency(organization, memory.agent, memory.idempotency))
            if relations:
                holder = home(entity, memory)[0]
                found += [keys.relation(organization, one.target, one.type, holder) for one in memory.relations]
        return found

    async def _redactions(self, organization: str, log: Sequence[Memory], fact_id: str) -> list[Operation]:
        """Return what blots the words of a fact out of its sources and out of answers kept for replay."""
        operations: list[Operation] = []
        for memory in log:
            said = [one for one in memory.facts if one.id == fact_id]
            said += [one for one in memory.confirms if one.fact_id == fact_id]  # type: ignore[misc]
            if not said:
                continue
            if memory.has_content:
                parts = await self._store.query("memory", keys.source(organization, memory.id, 0).partition)
                operations += blotted(parts.items, [one.span for one in said if one.span], [one.text for one in said])
            if memory.idempotency:
                item = await self._store.get(keys.idempotency(organization, memory.agent, memory.idempotency))
                operations += [without_answer(item, fact_id)] if item else []
        return operations

    async def _commit(self, principal: Principal, reason: str, erasure: _Erasure) -> None:
        detail = {"reason": reason, "counts": dict(erasure.counts)}
        last = [*erasure.last, *self._removals(principal.organization, erasure.rows)]
        everything = [*_unique(erasure.earlier), *last]
        cut = max(len(everything) - _BATCH, 0)
        for first in range(0, cut, TRANSACT_OPERATIONS_MAX):
            await self._store.transact(everything[first : min(first + TRANSACT_OPERATIONS_MAX, cut)])
        await self._trail.commit(principal, Event("memory.erased", erasure.subject, detail), everything[cut:])

    def _removals(self, organization: str, rows: Sequence[str]) -> Iterator[Operation]:
        for first in range(0, len(rows), _REMOVED_ROWS):
            entry = {"remove": list(rows[first : first + _REMOVED_ROWS])}
            yield Put(keys.outbox(organization, new_id("o", self._clock())), entry)


def _unique(operations: Iterable[Operation]) -> list[Operation]:
    return list({operation.key: operation for operation in operations}.values())
