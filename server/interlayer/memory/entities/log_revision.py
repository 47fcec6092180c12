"""From the log of an entity as it is to the log as it shall be: the changes of the entity and of what it absorbed.

An absorbed entity keeps its own log, and its head has to agree with that, so that a split gives back what it shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interlayer.memory.entities.repository import Entities
from interlayer.memory.log.change import EntityChange, Rewriting, head_after
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.records import EntityId, Head, LogEntry
from interlayer.memory.log.relations import RelationFold, own_states, point
from interlayer.memory.log.revision import place_in
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore, Operation


class LogRevisions:
    """Plans what a new log of an entity comes to."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def changes(
        self, organization: str, stored: StoredHead, log: Sequence[LogEntry], revised: Sequence[LogEntry], now: str
    ) -> list[EntityChange]:
        """List the change of the entity itself, then those of the entities within it whose logs or heads change.

        `log` is the whole log of `stored`. Entries of `revised` that it lacks are added where their `home` says.
        """
        entity = stored.head.entity
        after = self._entities.fold(entity, revised)
        head = head_after(stored.head, after, now)
        head = replace(head, epoch=head.epoch + 1, oldest=min(after.oldest, now))
        head = _noted(head, log, revised)
        rewritten, appended = await self._by_holder(organization, entity, log, revised)
        own = EntityChange(
            organization=organization,
            schema=self._schema.stored(entity.type),
            stored=stored,
            after=head,
            appended=appended.pop(entity, []),
            rewritten=rewritten.pop(entity, []),
            relations=await self._pointers(organization, entity, entity, log, revised),
        )
        within = [
            EntityChange(
                organization=organization,
                schema=own.schema,
                stored=absorbed,
                after=left,
                appended=appended.get(absorbed.head.entity, []),
                rewritten=rewritten.get(absorbed.head.entity, []),
                relations=await self._pointers(organization, absorbed.head.entity, entity, *inside),
            )
            for absorbed, left, inside in await self._within(organization, {*rewritten, *appended}, log, revised)
        ]
        return [own, *within]

    async def _pointers(
        self,
        organization: str,
        holder: EntityId,
        entity: EntityId,
        log: Sequence[LogEntry],
        revised: Sequence[LogEntry],
    ) -> list[Operation]:
        """List what makes those know of it at whom relations point that the log of `holder` speaks of."""
        if not any(one.relations for one in log):
            return []
        rules = self._schema.relation_rules(holder.type)
        before, after = (own_states(RelationFold.of(one, rules).states, holder, entity) for one in (log, revised))
        return await point(self._store, organization, holder, before, after, rules)

    async def _by_holder(
        self, organization: str, entity: EntityId, log: Sequence[LogEntry], revised: Sequence[LogEntry]
    ) -> tuple[dict[EntityId, list[Rewriting]], dict[EntityId, list[LogEntry]]]:
        """Sort rewritten and added entries by the entity whose log holds it."""
        kept, known = {one.id: one for one in revised}, {one.id for one in log}
        rewritten: dict[EntityId, list[Rewriting]] = {}
        appended: dict[EntityId, list[LogEntry]] = {}
        for before in log:
            after = kept.get(before.id)
            if after != before:
                place = place_in(entity, before)
                found = await Rewriting.read(self._store, organization, place, before, after)
                rewritten.setdefault(place[0], []).append(found)
        for made in revised:
            if made.id not in known:
                holder, revision = place_in(entity, made)
                appended.setdefault(holder, []).append(replace(made, revision=revision))
        return rewritten, appended

    async def _within(
        self, organization: str, touched: Iterable[EntityId], log: Sequence[LogEntry], revised: Sequence[LogEntry]
    ) -> list[tuple[StoredHead, Head, tuple[Sequence[LogEntry], Sequence[LogEntry]]]]:
        """Return the heads of absorbed entities whose logs change, as they are and as they follow, and their logs."""
        holders = {one.home[0] for one in log if one.home}
        paths = {holder: await self._path(organization, holder) for holder in holders}
        found: list[tuple[StoredHead, Head, tuple[Sequence[LogEntry], Sequence[LogEntry]]]] = []
        for stored in {one.head.entity: one for holder in touched for one in paths[holder]}.values():
            inside = {holder for holder, path in paths.items() if stored in path}
            before, after = ([one for one in some if one.home and one.home[0] in inside] for some in (log, revised))
            left = self._entities.fold(stored.head.entity, after)
            head = head_after(stored.head, left, stored.head.updated_at)
            own = [one.home[1] for one in revised if one.home and one.home[0] == stored.head.entity]
            last = max([stored.head.revision, *own])
            found.append((stored, replace(head, revision=last, epoch=stored.head.epoch + 1), (before, after)))
        return found

    async def _path(self, organization: str, entity: EntityId) -> list[StoredHead]:
        """Return an absorbed entity and those between it and the one that all of them are part of."""
        path: list[StoredHead] = []
        stored = await self._entities.head(organization, entity)
        while stored and stored.head.merged_into:
            path.append(stored)
            stored = await self._entities.head(organization, stored.head.merged_into)
        return path


def _noted(head: Head, log: Sequence[LogEntry], revised: Sequence[LogEntry]) -> Head:
    """Note whose the change is, where only memories of one visibility change that is not the whole organization's."""
    before, after = {one.id: one for one in log}, {one.id: one for one in revised}
    changed = {one.visibility for one in (*log, *revised) if before.get(one.id) != after.get(one.id)}
    visibility = changed.pop() if len(changed) == 1 else ""
    label = head.labels.get(visibility) if visibility else None
    if label is None:
        return head
    own = replace(label, revisions=(*label.revisions, head.revision))
    return replace(head, labels={**head.labels, visibility: own})
