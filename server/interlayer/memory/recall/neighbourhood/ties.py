"""How entities that a search found are related to those that its query names."""

from collections.abc import Mapping, Sequence

from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.recall.answer import Tie
from interlayer.memory.recall.neighbourhood.links import Links
from interlayer.memory.schema.schema import Schema


class Ties:
    """Finds the current relations between some entities and others."""

    def __init__(self, links: Links, entities: Entities, schema: Schema) -> None:
        self._links = links
        self._entities = entities
        self._schema = schema

    async def between(
        self, organization: str, found: Mapping[EntityId, Head], named: Sequence[Head], sight: Sight
    ) -> Mapping[EntityId, Tie]:
        """Return by the id of what was found how it is related, from its end, to the first of the named that it is.

        `found` are stored heads, `named` heads as the caller may be shown them.
        """
        others = {entity: head for entity, head in found.items() if all(entity != one.entity for one in named)}
        if not others or not named:
            return {}
        stored = {head.entity: head for head in await self._entities.heads(organization, [one.entity for one in named])}
        inside = {
            entity: await self._entities.within(organization, head) for entity, head in {**others, **stored}.items()
        }
        ties: dict[EntityId, Tie] = {}
        outgoing = {entity: await self._links.outgoing(organization, head, sight) for entity, head in others.items()}
        for one in named:
            back = await self._links.outgoing(organization, stored[one.entity], sight) if one.entity in stored else []
            for entity in others:
                own = [link.relation.type for link in outgoing[entity] if link.relation.target in inside[one.entity]]
                own += [
                    self._schema.relation_types.seen_from_end(link.relation.type) or link.relation.type
                    for link in back
                    if link.relation.target in inside[entity]
                ]
                if own and entity not in ties:
                    ties[entity] = Tie(type=own[0], to=one.entity.ref, name=one.name)
        return ties
