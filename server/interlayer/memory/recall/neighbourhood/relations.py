"""The relations of an entity, seen from either end, as a caller may see them: with whom, since when, and on whose word.

What points at the entity is noted with it, and right as it stands there unless the caller may not see all that it
follows from; then, and for the past, it is read where it starts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from interlayer.answers import display_time
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView, valid_then
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import RELATIONS_MAX
from interlayer.memory.log.reader import parts
from interlayer.memory.log.records import EntityId, Head, Relation
from interlayer.memory.log.relations import Pointer, RelationFold, RelationStatus, pointer_of
from interlayer.memory.recall.answer import KnownRelation
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import Item, ItemStore

Direction = Literal["out", "in"]
_PROPERTIES_MAX: Final = 3
_STATUSES: Final[Sequence[RelationStatus]] = ("current", "superseded", "ended")


@dataclass(frozen=True, slots=True)
class Instants:
    """What is asked of the past: what held at an instant, what was known at one, or both; neither: of now."""

    as_of: str | None = None
    known_at: str | None = None

    @property
    def until(self) -> str | None:
        """The instant after which nothing counts that was recorded."""
        return self.known_at or self.as_of


NOW: Final = Instants()


@dataclass(frozen=True, slots=True)
class RelatedEntity:
    """The other end of a relation, as the caller may see it, and what is known of the relation.

    `type` is what the relation is called from the entity's own end, `relation` how it is stored. `stored` is the head
    of the other end as it is, `head` as it may be shown.
    """

    type: str
    direction: Direction
    relation: Relation
    stored: Head
    head: Head
    known: Pointer


class Relations:
    """Reads the relations of entities."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def of(
        self,
        organization: str,
        view: EntityView,
        incoming: Sequence[Item],
        sight: Sight,
        at: Instants = NOW,
        *,
        history: bool = False,
    ) -> list[RelatedEntity]:
        """Return the relations to and from entities that there are, current ones first, then the latest observed.

        `view` is of the instants that are asked for, and `incoming` is noted with the entity. With `history` those that
        are over come too.
        """
        rules = self._schema.relation_rules(view.entity.type)
        outgoing = [
            (relation, pointer_of(state, rules))
            for relation, state in view.relations.items()
            if history or state.status == "current"
        ]
        outgoing = sorted(outgoing, key=lambda one: one[1].observed_at, reverse=True)[:RELATIONS_MAX]
        pointing = await self._pointing(organization, view, incoming)
        others = dict.fromkeys([*(one.target for one, _ in outgoing), *(origin for origin, _, _ in pointing)])
        heads = await self._entities.standing(organization, list(others))
        found: list[RelatedEntity] = []
        for relation, known in outgoing:
            head = heads.get(relation.target)
            shown = await self._entities.shown(organization, head, sight) if head else None
            if head and shown:
                found.append(RelatedEntity(relation.type, "out", relation, head, shown, known))
        for origin, relation, item in pointing:
            head = heads.get(origin)
            known = await self._known(organization, head, relation, item.body, sight, at) if head else None
            if head is None or known is None or not (history or known.status == "current"):
                continue
            shown = await self._entities.shown(organization, head, sight)
            if shown:
                name = self._schema.relation_types.seen_from_end(relation.type) or relation.type
                found.append(RelatedEntity(name, "in", relation, head, shown, known))
        return _each_once(view.entity, found)

    def is_called(self, one: RelatedEntity, name: str) -> bool:
        """Tell whether a word means a relation, seen from the entity's own end; `*` means any."""
        types = self._schema.relation_types
        return name in ("*", one.type) or types.means(name, one.relation.type, from_end=one.direction == "in")

    def told(self, one: RelatedEntity, at: Instants = NOW) -> KnownRelation:
        """Return a relation as an answer shows it; what is now known of the other end says nothing of the past."""
        entity, known = one.head.entity, one.known
        has_name_here = one.direction == "out" or one.type != one.relation.type
        return KnownRelation(
            type=one.type,
            direction=one.direction,
            target=entity.ref if has_name_here else None,
            entity=entity.ref,
            name=one.head.name,
            entity_type=entity.type,
            properties=None if at.until else self._properties(one) or None,
            observed_at=display_time(known.observed_at),
            status=known.status,
            confidence=known.confidence,
            memory_id=known.memory_id,
            source=known.source,
        )

    def _properties(self, one: RelatedEntity) -> dict[str, Any]:
        """Return the first properties of the other end, beside the one that says the same as the relation."""
        schema = self._schema.stored(one.head.entity.type)
        names = [name for name in schema.current if schema.mirrored.get(name) != one.relation.type]
        names = sorted(names, key=lambda name: not schema.current[name].indexed)
        values = one.head.properties
        return {name: values[name] for name in [one for one in names if one in values][:_PROPERTIES_MAX]}

    async def _pointing(
        self, organization: str, view: EntityView, incoming: Sequence[Item]
    ) -> list[tuple[EntityId, Relation, Item]]:
        """Return the pointers at an entity, and at those that were merged into it."""
        items = [(view.entity, item) for item in incoming]
        for absorbed in parts(view.memories.values()):
            place = keys.head(organization, absorbed)
            page = await self._store.query("memory", place.partition, keys.incoming(), limit=RELATIONS_MAX)
            items += [(absorbed, item) for item in page.items]
        found: list[tuple[EntityId, Relation, Item]] = []
        for target, item in items[:RELATIONS_MAX]:
            kind, origin = keys.origin_of(item.key)
            found.append((origin, Relation(kind, target), item))
        return found

    async def _known(
        self,
        organization: str,
        origin: Head,
        relation: Relation,
        noted: Mapping[str, Any],
        sight: Sight,
        at: Instants,
    ) -> Pointer | None:
        """Return what is known of a relation that points at an entity, as of now or of an earlier instant."""
        if not at.until:
            return await self._entities.pointed(organization, origin, relation, noted, sight)
        view = await self._entities.view(organization, origin, sight=sight)
        memories = [one for one in view.memories.values() if one.recorded_at <= at.until]
        if not memories and not at.known_at:  # the past was filled in later
            memories = list(view.memories.values())
        valid = [valid_then(one, at.as_of) for one in memories] if at.as_of else memories
        rules = self._schema.relation_rules(origin.entity.type)
        state = RelationFold.of(valid, rules).states.get(relation)
        return pointer_of(state, rules) if state else None


def _each_once(entity: EntityId, found: Sequence[RelatedEntity]) -> list[RelatedEntity]:
    """Return relations in order, none twice: entities that were merged have each other's, and some say both ways.

    The order of ids would say which entities somebody else knew before.
    """
    ranked = sorted(found, key=lambda one: (one.type, one.head.name))
    ranked = sorted(ranked, key=lambda one: one.known.observed_at, reverse=True)
    ranked = sorted(ranked, key=lambda one: _STATUSES.index(one.known.status))
    first: dict[tuple[str, EntityId], RelatedEntity] = {}
    for one in ranked:
        if one.head.entity != entity:
            first.setdefault((one.type, one.head.entity), one)
    return list(first.values())
