"""What an erasure would take, before it does: of every entity that it reaches, as far as the caller may see it."""

from collections.abc import Collection, Sequence
from typing import Final

from interlayer.answers import display_time
from interlayer.errors import InvalidInput, NotFound
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.erasure.answer import ListedErasure
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.records import FactId, LogEntry
from interlayer.memory.log.revision import is_structure, later_readings
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

_UNKNOWN: Final = "Take it from `interlayer memory timeline ENTITY --ids`."


class ErasureListing:
    """Lists what would be erased. Raises `NotFound` for what there is not, or what the caller may not see."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def of(
        self,
        principal: Principal,
        *,
        entity: str | None = None,
        fact_id: str | None = None,
        memory_id: str | None = None,
    ) -> tuple[ListedErasure, ...]:
        """Return what goes with an entity, a fact or a memory: a part for each entity that an interaction tells of."""
        if sum(map(bool, (entity, fact_id, memory_id))) != 1:
            raise InvalidInput("entity", "exactly one of entity, fact and memory is erased at a time.")
        organization, sight = principal.organization, self._entities.sight(principal)
        if entity:
            stored = await find_entity(self._entities, self._schema, principal, entity)
            view = await self._entities.view(organization, stored.head, sight=sight)
            gone = [one for one in view.memories.values() if not is_structure(one)]
            return (await self._listed(organization, stored, view, gone, sight),)
        if memory_id:
            return await self._interaction(organization, memory_id, sight)
        return (await self._fact(organization, fact_id or "", sight),)

    async def _interaction(self, organization: str, memory_id: str, sight: Sight) -> tuple[ListedErasure, ...]:
        found: list[ListedErasure] = []
        for part in await self._entities.parts_of(organization, memory_id):
            stored = await self._entities.holder(organization, part)
            view = await self._entities.view(organization, stored.head, sight=sight) if stored else None
            if stored is None or view is None or part not in view.memories:
                continue
            ids = {part, *later_readings([*view.memories.values()], part)}
            gone = [one for one in view.memories.values() if one.id in ids]
            found.append(await self._listed(organization, stored, view, gone, sight))
        if not found:
            raise NotFound(f"memory: {memory_id[:60]!r} is not known. {_UNKNOWN}")
        return tuple(found)

    async def _fact(self, organization: str, fact_id: str, sight: Sight) -> ListedErasure:
        stored = await self._entities.holder(organization, FactId.parse(fact_id).memory)
        view = await self._entities.view(organization, stored.head, sight=sight) if stored else None
        fact = view.fact(fact_id) if view else None
        if stored is None or view is None or fact is None:
            raise NotFound(f"fact: {fact_id[:60]!r} is not known. {_UNKNOWN}")
        return ListedErasure(
            entity=await self._named(organization, stored, sight),
            since=display_time(fact.memory.recorded_at),
            memories=0,
            facts=(fact.record.text,),
            kept=(),
            properties=(),
            relations=0,
        )

    async def _listed(
        self, organization: str, stored: StoredHead, view: EntityView, gone: Sequence[LogEntry], sight: Sight
    ) -> ListedErasure:
        ids = {one.id for one in gone}
        told = [fact for fact in view.ordered if not ids.isdisjoint(_voices(fact))]
        since = min((one.recorded_at for one in gone), default=stored.head.created_at)
        return ListedErasure(
            entity=await self._named(organization, stored, sight),
            since=display_time(since),
            memories=len(gone),
            facts=tuple(fact.record.text for fact in told if ids.issuperset(_voices(fact))),
            kept=tuple(fact.record.text for fact in told if not ids.issuperset(_voices(fact))),
            properties=tuple(sorted({seen.name for one in gone for seen in one.properties})),
            relations=sum(len(one.relations) for one in gone),
        )

    async def _named(self, organization: str, stored: StoredHead, sight: Sight) -> NamedEntity:
        head = await self._entities.shown(organization, stored.head, sight)
        return NamedEntity(ref=stored.head.entity.ref, name=head.name if head else "")


def _voices(fact: FactState) -> Collection[str]:
    return {fact.memory.id, *fact.confirmed_by}
