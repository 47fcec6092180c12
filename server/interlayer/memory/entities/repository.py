"""Entities in the item store: reading heads, finding who bears a name, and what of an entity a caller is shown.

Nothing here writes; `commits` plans what is written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import anyio

from interlayer.errors import Ambiguous
from interlayer.language.fuzzy_names import nearest
from interlayer.memory.entities.sight import EVERYTHING, ORGANIZATION, Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.entities.views import Views
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.entity_read import EntityRead, StoredHead, read_entity
from interlayer.memory.log.identifiers import EntityString
from interlayer.memory.log.properties import with_values
from interlayer.memory.log.records import EntityId, Head, Labels, LogEntry, Relation, interaction_of, read_head
from interlayer.memory.log.relations import Pointer, noted_pointer, own_states, pointer_of, pointing
from interlayer.memory.log.revision import is_structure
from interlayer.storage.items import Operation

NEAR_SCANNED_MAX: Final = 500
NEAR_MAX: Final = 5
BEARERS_MAX: Final = 100


class Entities(Views):
    """Reads entities of all organizations."""

    async def head(self, organization: str, entity: EntityId) -> StoredHead | None:
        """Return the head as it is now, or None if there is no such entity."""
        item = await self._store.get(keys.head(organization, entity))
        return StoredHead(read_head(item.body), item.version) if item else None

    async def read(self, organization: str, entity: EntityId, known: EntityRead | None = None) -> EntityRead | None:
        """Return the head with what of the log the view still lacks; None if there is no such entity.

        `known`, read before, is as good as long as this process has not changed the entity since.
        """
        reached = self.reached(organization, entity)
        if known and reached <= known.stored.head.revision:
            return known
        return await read_entity(self._store, organization, entity, reached)

    async def read_all(self, organization: str, entities: Collection[EntityId]) -> dict[EntityId, EntityRead]:
        """Read those that exist: one request for all whose views are held, one for each other."""
        found: dict[EntityId, EntityRead] = {}
        reached = {one: self.reached(organization, one) for one in entities}
        held = {keys.head(organization, one): one for one in entities if reached[one]}
        for place, item in (await self._store.get_many(list(held)) if len(held) > 1 else {}).items():
            entity = held[place]
            stored = StoredHead(read_head(item.body), item.version)
            if stored.head.revision <= reached[entity]:
                found[entity] = EntityRead(stored, reached[entity], (), ())

        async def read(entity: EntityId) -> None:
            if one := await self.read(organization, entity):
                found[entity] = one

        async with anyio.create_task_group() as tasks:
            for entity in entities:
                if entity not in found:
                    tasks.start_soon(read, entity)
        return found

    async def survivor(self, organization: str, entity: EntityId) -> StoredHead | None:
        """Return the head of what an entity has become: its own, or that of the entity it was merged into."""
        stored = await self.head(organization, entity)
        while stored and stored.head.merged_into:
            stored = await self.head(organization, stored.head.merged_into)
        return stored

    async def holder(self, organization: str, memory_id: str) -> StoredHead | None:
        """Return the head of the entity that a memory tells of, or of what that has become."""
        place = await self._store.get(keys.memory_place(organization, memory_id[:80]))
        return await self.survivor(organization, EntityId(**place.body["entity"])) if place else None

    async def parts_of(self, organization: str, memory_id: str) -> list[str]:
        """List the parts of the interaction that a memory is, or is a part of, that of its main entity first."""
        place = keys.memory_place(organization, interaction_of(memory_id[:80]))
        return [keys.memory_at(item.key) for item in (await self._store.query("memory", place.partition)).items]

    async def standing(self, organization: str, entities: Sequence[EntityId]) -> dict[EntityId, Head]:
        """Return heads by the ids asked for; of what was merged, that of what it is a part of now."""
        found: dict[EntityId, Head] = {}
        for head in await self.heads(organization, entities):
            if head.merged_into is None:
                found[head.entity] = head
            elif stored := await self.survivor(organization, head.merged_into):
                found[head.entity] = stored.head
        return found

    async def heads(self, organization: str, entities: Sequence[EntityId]) -> list[Head]:
        """Return those of the heads that exist, in the order asked for."""
        wanted = [keys.head(organization, entity) for entity in entities]
        found = await self._store.get_many(wanted)
        return [read_head(found[key].body) for key in wanted if key in found]

    async def within(self, organization: str, head: Head) -> set[EntityId]:
        """Return an entity with everything that was merged into it, also into that."""
        found, fresh = {head.entity, *head.absorbed}, head.absorbed
        while fresh:
            more = [one for inner in await self.heads(organization, fresh) for one in inner.absorbed]
            fresh = tuple(one for one in more if one not in found)
            found.update(fresh)
        return found

    async def resolve(self, organization: str, entity: EntityString, sight: Sight = EVERYTHING) -> EntityId | None:
        """Return the one entity that bears the key, None if nobody does.

        An identifier goes before a display name. Raises `Ambiguous` when several bear it. Whoever may not see all of
        an entity has to ask further whether it is `shown` by this name.
        """
        if entity.is_id:
            found = await self.survivor(organization, EntityId(entity.type, entity.key))
            return found.head.entity if found else None
        by_identifier: set[str] = set()
        named: set[str] | None = None
        name = identifiers.fold_name(entity.key)
        for value in set(identifiers.possible_identifiers(entity, self._schema).values()):
            bearers, so_called = await self.bearers(organization, entity.type, value)
            by_identifier |= bearers
            named = so_called if value == name else named
        if not by_identifier and named is None:
            # A generic identifier may have any form, so a key with the look of a name is tried as one too.
            by_identifier, named = await self.bearers(organization, entity.type, name)
        if by_identifier and named and sight != EVERYTHING:
            by_identifier = set(await self._shown_as(organization, entity, by_identifier, sight)) or by_identifier
        return await self._only(organization, entity, by_identifier or named or set(), sight)

    async def bearers(self, organization: str, entity_type: str, value: str) -> tuple[set[str], set[str]]:
        """Return the ids of the entities that bear an identifier, whatever its kind, and of those so called."""
        place = keys.identifier(organization, entity_type, value, "")
        page = await self._store.query("memory", place.partition, limit=BEARERS_MAX)
        so_called = {item.key.sort for item in page.items if item.key.sort.startswith(keys.BEARER)}
        kinds = [item for item in page.items if item.key.sort not in {*so_called, identifiers.NAME}]
        return {item.body["id"] for item in kinds}, {sort.removeprefix(keys.BEARER) for sort in so_called}

    async def near(self, organization: str, entity: EntityString, sight: Sight) -> list[str]:
        """Return `type:name` of entities whose names or identifiers look like the key, as far as they may be seen."""
        listed = await self._store.query(
            "memory", keys.listing(organization, entity.type, "").partition, reverse=True, limit=NEAR_SCANNED_MAX
        )
        heads = await self.heads(organization, [EntityId(entity.type, item.key.sort) for item in listed.items])
        names: dict[str, str] = {}
        for stored in heads:
            if head := await self.shown(organization, stored, sight):
                for name in called(head):
                    names[identifiers.fold_name(name)] = f"{entity.type}:{name}"
        near = nearest(identifiers.fold_name(entity.key), names, NEAR_MAX)
        return list(dict.fromkeys(names[name] for name in near))

    async def names_from(self, organization: str, entity_type: str, beginning: str, sight: Sight) -> list[str]:
        """Return the names of entities of a type that begin so, in their order, as far as they may be seen.

        The newest entities are looked at. The order of ids would say which of them somebody else knew before.
        """
        listed = await self._store.query(
            "memory", keys.listing(organization, entity_type, "").partition, reverse=True, limit=NEAR_SCANNED_MAX
        )
        begins = identifiers.fold_name(beginning)
        names: set[str] = set()
        for stored in await self.heads(organization, [EntityId(entity_type, item.key.sort) for item in listed.items]):
            head = await self.shown(organization, stored, sight)
            if head and identifiers.fold_name(head.name).startswith(begins):
                names.add(head.name)
        return sorted(names)

    async def shown(
        self, organization: str, head: Head, sight: Sight, entity: EntityString | None = None
    ) -> Head | None:
        """Return a head as a caller may be shown it, None if he may see nothing of it.

        It is without values that were kept long enough. With `entity`, he must be able to know it by that name.
        """
        if not head.labels and not self.overdue(head) and sight.sees(ORGANIZATION):
            withheld = self.restriction(head, sight).properties
            return _without(head, withheld) if withheld else head
        seen = [label for visibility, label in head.labels.items() if sight.sees(visibility)]
        if not seen and (head.labels or not sight.sees(ORGANIZATION)):
            return None
        view = await self.view(organization, head, sight=sight)
        memories = [one for one in view.memories.values() if not is_structure(one)]
        if self.overdue(head) and not memories:
            return None
        found = with_values(head, view.properties)
        found = _called(found, seen) if seen else found
        if len(seen) < len(head.labels):
            newest = max([one.recorded_at for one in view.memories.values()], default=head.created_at)
            found = replace(found, updated_at=newest)
        return found if entity is None or not head.labels or self.bears(found, entity) else None

    def bears(self, head: Head, entity: EntityString) -> bool:
        """Tell whether a head is called what an entity string says."""
        if entity.is_id:
            return True
        possible = {*identifiers.possible_identifiers(entity, self._schema).values()}
        possible.add(identifiers.fold_name(entity.key))
        known = {value for values in head.identifiers.values() for value in values}
        return bool(possible & {*known, *map(identifiers.fold_name, called(head))})

    async def pointed(
        self, organization: str, origin: Head, relation: Relation, kept: Mapping[str, Any], sight: Sight
    ) -> Pointer | None:
        """Return what is known of a relation that points at an entity, None if the caller may not be told of it.

        `kept` is what was noted with the target of the relation. It is right where everybody sees all that the relation
        follows from, and that lies in one log.
        """
        rules = self._schema.relation_rules(origin.entity.type)
        withheld = self.restriction(origin, sight).properties & rules.mirrored.keys()
        noted = None if withheld or self.overdue(origin) or origin.labels or origin.absorbed else noted_pointer(kept)
        if noted and noted.at_most == rules.at_most.get(relation.type, 0):
            return noted if sight.sees(ORGANIZATION) else None
        state = (await self.view(organization, origin, sight=sight)).relations.get(relation)
        return pointer_of(state, rules) if state else None

    def pointers(self, organization: str, view: EntityView, memory: LogEntry) -> list[Operation]:
        """List what makes the targets of relations know of them as they are with one more memory in a view."""
        rules = view.linked.rules
        entity, made = view.entity, view.linked.extended(memory)
        before, after = (own_states(one.states, entity, entity) for one in (view.linked, made))
        return pointing(organization, entity, before, after, rules)

    async def is_target(self, organization: str, entity: EntityId) -> bool:
        """Tell whether a relation points at an entity."""
        place = keys.head(organization, entity)
        return bool((await self._store.query("memory", place.partition, keys.incoming(), limit=1)).items)

    async def _only(
        self, organization: str, entity: EntityString, found: Collection[str], sight: Sight
    ) -> EntityId | None:
        if len(found) > 1:
            is_blind = not sight.sees(ORGANIZATION)
            heads = await self._shown_as(organization, entity, found, EVERYTHING if is_blind else sight)
            if is_blind and len(heads) > 1:
                raise Ambiguous(f"entity: several entities bear {entity.key!r}. Use an identifier.")
            if len(heads) < 2:  # the others are hidden, or only still there to be erased
                return EntityId(entity.type, next(iter(heads), min(found)))
            shown = "; ".join(f"{head.entity.ref} ({_describe(head)})" for head in list(heads.values())[:10])
            raise Ambiguous(f"entity: {len(heads)} entities bear {entity.key!r}: {shown}. Use one of these.")
        return EntityId(entity.type, next(iter(found))) if found else None

    async def _shown_as(
        self, organization: str, entity: EntityString, ids: Collection[str], sight: Sight
    ) -> dict[str, Head]:
        """Return by id those of some entities that a caller may know by a name."""
        found: dict[str, Head] = {}
        for stored in await self.heads(organization, [EntityId(entity.type, one) for one in sorted(ids)]):
            if head := await self.shown(organization, stored, sight, entity):
                found[stored.entity.id] = head
        return found


def called(head: Head) -> list[str]:
    """Return everything that an entity is called by: its names, then its identifiers."""
    return [head.name, *head.names, *(value for values in head.identifiers.values() for value in values)]


def _called(head: Head, seen: Sequence[Labels]) -> Head:
    """Return a head under the names and identifiers of some labels alone."""
    known: dict[str, tuple[str, ...]] = {}
    for label in seen:
        for kind, values in label.identifiers.items():
            known[kind] = tuple(dict.fromkeys([*known.get(kind, ()), *values]))
    names = tuple(dict.fromkeys(name for label in seen for name in label.names))
    first, last = min(seen, key=lambda label: label.since), max(seen, key=lambda label: label.named)
    return replace(head, name=(last if last.named else first).name, names=names, identifiers=known)


def _without(head: Head, withheld: Collection[str]) -> Head:
    values = {name: one for name, one in head.properties.items() if name not in withheld}
    return replace(head, properties=values, voices={name: head.voices[name] for name in values if name in head.voices})


def _describe(head: Head) -> str:
    known = [value for values in head.identifiers.values() for value in values]
    return ", ".join([head.name, *known[:3]])
