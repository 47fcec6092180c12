"""The entities of a type that are related to one entity, also where thousands are: found by the relations alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log import keys
from interlayer.memory.log.reader import parts
from interlayer.memory.log.records import EntityId, Head, Relation
from interlayer.memory.requests import RelatedTo
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore

Pointer = tuple[Relation, Mapping[str, Any]]
"""A relation that leads to an entity, and what is noted of it there."""


@dataclass(frozen=True, slots=True)
class Relatives:
    """Entities that may be related to another one, by their own ids or those of what was merged into them.

    Of `pointing` it has still to be seen whether the caller may know of the relation.
    """

    targets: AbstractSet[EntityId] = frozenset()
    pointing: Mapping[EntityId, Sequence[Pointer]] = field(default_factory=dict[EntityId, Sequence[Pointer]])

    @property
    def ids(self) -> AbstractSet[EntityId]:
        """Everything that is or may be related."""
        return self.targets | self.pointing.keys()


class RelativesFinder:
    """Finds whom an entity is related to, by its own partition."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def find(self, principal: Principal, entity_type: str, to: RelatedTo) -> Relatives:
        """Return those of a type. Raises `NotFound` for an entity that nobody knows."""
        organization = principal.organization
        stored = await find_entity(self._entities, self._schema, principal, to.entity, "related_to")
        view = await self._entities.view(organization, stored.head, sight=self._entities.sight(principal))
        types = self._schema.relation_types.meant_by(to.relation) if to.relation else None
        targets = {
            relation.target
            for relation, state in view.relations.items()
            if relation.target.type == entity_type
            and state.status == "current"
            and (types is None or relation.type in types)
        }
        pointing: defaultdict[EntityId, list[Pointer]] = defaultdict(list)
        for target in (view.entity, *parts(view.memories.values())):
            for item in await self._incoming(organization, target, entity_type, types):
                kind, origin = keys.origin_of(item.key)
                if origin.type == entity_type:
                    pointing[origin].append((Relation(kind, target), item.body))
        return Relatives(targets, pointing)

    async def related(self, organization: str, head: Head, relatives: Relatives, sight: Sight) -> bool:
        """Tell whether an entity is one of the relatives, as far as the caller may know."""
        inside = await self._entities.within(organization, head)
        if inside & relatives.targets:
            return True
        for one in inside & relatives.pointing.keys():
            for relation, kept in relatives.pointing[one]:
                known = await self._entities.pointed(organization, head, relation, kept, sight)
                if known and known.status == "current":
                    return True
        return False

    async def _incoming(
        self, organization: str, target: EntityId, entity_type: str, types: AbstractSet[str] | None
    ) -> Sequence[Item]:
        """Return what points at an entity, of some types of relation if these are given."""
        spans = [keys.incoming()] if types is None else [keys.incoming_of(one, entity_type) for one in sorted(types)]
        place = keys.head(organization, target).partition
        return [item for span in spans for item in (await self._store.query("memory", place, span)).items]
