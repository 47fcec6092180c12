"""forget: an entity, a fact or one memorize call, gone from log, heads, indexes, answers kept for replay, and vectors.

What another memory says on its own is kept: a fact that a surviving memory confirms goes on in that memory's words.
The audit record says that something was erased, by whom and why, and nothing of what it was.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Corrupt, InvalidInput, NotFound, Unavailable
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.view import EntityView
from interlayer.memory.erasure.plan import Erasure, largest_that_fits, transaction, unique
from interlayer.memory.erasure.redaction import home
from interlayer.memory.erasure.references import Remains
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import folded_name, parse_entity
from interlayer.memory.log.records import EntityId, Memory, head_body, voice_of
from interlayer.memory.log.revision import shared_facts, without_fact, without_memories
from interlayer.memory.memorize.commit import index_changes, log_puts
from interlayer.memory.memorize.in_flight import InFlightCalls
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.outbox import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Delete, ItemStore, Key, Operation, Put, VersionConflict

_ANSWERS_MAX: Final = 20  # kept for replay and rewritten; more than these are deleted
_ATTEMPTS: Final = 40


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
        self._remains = Remains(store, entities, InFlightCalls(store, clock), schema)

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
            problem = f"{len(given)} of entity, fact_id and memory_id were given."
            raise InvalidInput("entity", problem, "Give exactly one.")
        if not reason.strip():
            raise InvalidInput("reason", "is blank.", "Say why; it is kept in the audit trail.")
        identifiers.check_text(reason, "reason", 500)
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        owner = await self._owner(organization, entity, fact_id, memory_id)
        erasure = await self._erased(principal, reason, owner, fact_id, memory_id)
        answer: dict[str, Any] = {"erased": {**erasure.counts, "vectors": len(erasure.rows)}}
        try:
            await self._projector.erase(organization)
        except (Unavailable, Corrupt) as error:
            answer["pending"] = f"vectors: {error} They are erased as soon as the index is back; nothing recalls them."
        await self._store.scrub()
        return answer

    async def _erased(
        self, principal: Principal, reason: str, owner: EntityId, fact_id: str | None, memory_id: str | None
    ) -> Erasure:
        """Erase, on whatever others have added meanwhile; what one transaction does not hold, portion by portion.

        After each portion nothing is half there: what is left stands on the voices that are left.
        """
        done = Erasure(owner.ref, [], [], [], Counter())
        attempts = 0
        while attempts < _ATTEMPTS:
            async with self._entities.lock(principal.organization, owner):
                stored = await self._entities.head(principal.organization, owner)
                if stored is None:
                    raise NotFound(f"{owner.ref}: nothing of that name is remembered.")
                erasure = await self._plan(principal.organization, stored, fact_id, memory_id)
                try:
                    detail = {"reason": reason, "entity": owner.ref, **erasure.recorded}
                    await self.commit(principal, Event("memory.erased", erasure.subject, detail), erasure)
                except VersionConflict:
                    attempts += 1
                    continue
                done.counts.update(erasure.counts)
                done.rows.extend(erasure.rows)
                if erasure.is_last:
                    return done
        raise Conflict("entity: too many agents write to it at once. Nothing was erased; send the same call again.")

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
        memory = memory_id or voice_of(fact_id or "")
        stored = await self._entities.holder(organization, memory)
        if stored is None:
            field = "memory_id" if memory_id else "fact_id"
            raise NotFound(f"{field}: {(memory_id or fact_id or '')[:60]!r} is not known. Take it from recall_entity.")
        return stored.head.entity

    async def _plan(self, organization: str, stored: StoredHead, fact_id: str | None, memory_id: str | None) -> Erasure:
        log = await self._entities.log(organization, stored.head)
        if memory_id:
            if all(memory.id != memory_id for memory in log):
                raise NotFound(f"memory_id: {memory_id[:60]!r} is not known. Take it from recall_entity.")
            return await self.memory_erasure(organization, stored, log, memory_id)
        if fact_id:
            return await self._fact_erasure(organization, stored, log, fact_id)
        return await self.whole(organization, stored, log)

    async def memory_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[Memory], memory_id: str
    ) -> Erasure:
        """Return what erases a memory with what was read of its content later; what others confirm is handed over.

        Where that is too much at once, the handing over comes first.
        """
        gone = {memory_id, *(memory.id for memory in log if memory.extracts == memory_id)}

        async def plan(parts: Sequence[str]) -> Erasure:
            only = None if memory_id in parts else frozenset(parts)
            return await self.rewrite(organization, stored, log, without_memories(log, gone, only), memory_id)

        return await largest_that_fits([*shared_facts(log, gone), memory_id], plan)

    async def _fact_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[Memory], fact_id: str
    ) -> Erasure:
        """Return what erases a fact with all its voices, the last of them first, so that it keeps its id meanwhile."""
        fact = self._folded(stored.head.entity, log).fact(fact_id)
        if fact is None:
            raise NotFound(f"fact_id: {fact_id!r} is not known. Take it from recall_entity.")
        said_as = frozenset(fact.said_as)

        async def plan(parts: Sequence[str]) -> Erasure:
            chosen = [memory for memory in log if memory.id in parts]
            survivors = [without_fact(memory, said_as) if memory.id in parts else memory for memory in log]
            erasure = await self.rewrite(organization, stored, log, survivors, fact_id)
            erasure.decisive.extend(await self._remains.redactions(organization, chosen, said_as))
            return erasure

        voices = [memory.id for memory in log if without_fact(memory, said_as) is not memory]
        return await largest_that_fits(voices[::-1], plan)

    def _folded(self, entity: EntityId, log: Iterable[Memory]) -> EntityView:
        """Return what a log comes to, whether or not it was kept long enough."""
        view = self._entities.blank(entity)
        for memory in log:
            view.apply(memory, {})
        return view

    async def whole(self, organization: str, stored: StoredHead, log: Sequence[Memory]) -> Erasure:
        """Return what erases an entity with everything that leads to it or came from it."""
        head = stored.head
        entity = head.entity
        rows = [fact.id for memory in log for fact in memory.facts]
        listed = await self._store.query("memory", keys.head(organization, entity).partition)
        own = [item.key for item in listed.items if item.key != keys.head(organization, entity)]
        own += await self._remains.absorbed(organization, head)
        own += await self._remains.rejected(organization, head)
        own += await self._remains.claims(organization, {head.entity, *head.absorbed})
        own += await self._remains.unread(organization, entity)
        hidden = [*own, *await self._remains.traces(organization, entity, log)]
        schema = self._schema.stored(entity.type)
        names = dict.fromkeys(folded_name(name) for name in (*head.names, head.name))
        last = [
            Delete(keys.head(organization, entity), stored.version),
            Delete(keys.listing(organization, entity.type, entity.id)),
            *index_changes(organization, entity, head.properties, {}, schema),
            *(Delete(keys.name(organization, entity.type, form, entity.id)) for form in names),
            *(Delete(keys.identifier(organization, entity.type, form, identifiers.NAME)) for form in names),
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
        ids = tuple(memory.id for memory in log)
        return Erasure(entity.ref, unique(last), [Delete(key) for key in hidden], rows, counts, memories=ids)

    async def rewrite(
        self, organization: str, stored: StoredHead, log: Sequence[Memory], survivors: Sequence[Memory], subject: str
    ) -> Erasure:
        """Return what turns the log into its survivors, with everything that follows from it."""
        entity, kept = stored.head.entity, {memory.id: memory for memory in survivors}
        after = self._folded(entity, survivors)
        head = replace(
            stored.head,
            properties={name: state.value for name, state in after.properties.items()},
            facts=len(after.facts),
            revision=stored.head.revision + 1,
            epoch=stored.head.epoch + 1,
            updated_at=timestamp(self._clock()),
            oldest=min(after.oldest, timestamp(self._clock())),
        )
        operations: list[Operation] = [Put(keys.head(organization, entity), head_body(head), stored.version)]
        schema = self._schema.stored(entity.type)
        operations += index_changes(organization, entity, stored.head.properties, head.properties, schema)
        rows: list[str] = []
        operations += await self._refolded(organization, survivors, log)
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
        operations += await self._remains.rested(organization, entity, gone, survivors)
        answers = await self._remains.answers(organization, survivors, {one.name for m in gone for one in m.properties})
        operations += answers if len(answers) <= _ANSWERS_MAX else []
        traces = await self._remains.traces(organization, entity, gone, relations=False)
        traces += [one.key for one in answers] if len(answers) > _ANSWERS_MAX else []
        counts = Counter(
            memories=len(gone),
            facts=sum(len(memory.facts) for memory in log) - len(after.facts),
            properties=sum(len(memory.properties) for memory in gone),
            relations=len(lost),
        )
        hidden: list[Operation] = [Delete(key) for key in traces]
        replaced = frozenset(fact.id for memory in survivors for fact in memory.facts)
        ids = tuple(memory.id for memory in gone)
        return Erasure(subject, unique(operations), hidden, rows, counts, replaced, memories=ids)

    async def _refolded(self, organization: str, survivors: Sequence[Memory], log: Sequence[Memory]) -> list[Operation]:
        """Return what makes the heads of absorbed entities agree with what is left of their logs."""
        paths = {memory.home[0]: await self._path(organization, memory.home[0]) for memory in log if memory.home}
        both = [one for one in log if one in survivors]
        touched = {one.home[0] for one in (*log, *survivors) if one.home and one not in both}
        operations: list[Operation] = []
        for stored in {one.head.entity: one for holder in touched for one in paths[holder]}.values():
            within = {holder for holder, path in paths.items() if stored in path}
            left = self._entities.blank(stored.head.entity)
            for memory in survivors:
                if memory.home and memory.home[0] in within:
                    left.apply(memory, {})
            properties = {name: state.value for name, state in left.properties.items()}
            head = replace(stored.head, properties=properties, facts=len(left.facts), epoch=stored.head.epoch + 1)
            own = [one.home[1] for one in survivors if one.home and one.home[0] == head.entity]
            head = replace(head, revision=max([head.revision, *own]))
            operations.append(Put(keys.head(organization, head.entity), head_body(head), stored.version))
        return operations

    async def _path(self, organization: str, entity: EntityId) -> list[StoredHead]:
        """Return an absorbed entity and those between it and the one that all of them are part of."""
        path: list[StoredHead] = []
        stored = await self._entities.head(organization, entity)
        while stored and stored.head.merged_into:
            path.append(stored)
            stored = await self._entities.head(organization, stored.head.merged_into)
        return path

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
        again: dict[str, Any] = {"entity": {"type": entity.type, "id": entity.id}, "revision": revision}
        known = {fact.id for fact in memory.facts}
        again["remove"] = [fact.id for fact in survivor.facts if fact.id not in known]
        return [*operations, Put(keys.outbox(organization, new_id("o", self._clock())), again)]

    async def commit(self, principal: Principal, event: Event, erasure: Erasure) -> None:
        """Put the erasure into force in one transaction, with its audit event."""

        def entry() -> Key:
            return keys.outbox(principal.organization, new_id("o", self._clock()))

        await self._trail.commit(principal, event, transaction(erasure, entry))
