"""list_entities: the entities of a type, oldest first, each as far as a caller may see it."""

from collections.abc import AsyncGenerator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from interlayer.answers import as_json, display_time
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight, why_withheld
from interlayer.memory.log import cursor as paging
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.recall.answer import ListAnswer, ListedEntity, Withheld
from interlayer.memory.recall.filters import Filters
from interlayer.memory.recall.neighbourhood.relatives import Relatives, RelativesFinder
from interlayer.memory.requests import Condition, RelatedTo
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Span
from interlayer.text.budget import json_tokens

_LISTED_TOKENS: Final = 1_996  # with what leads to the next page, an answer stays about 2,000


class Lister:
    """Lists entities."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema
        self._filters = Filters(store, schema)
        self._relatives = RelativesFinder(store, entities, schema)

    async def list_entities(
        self,
        principal: Principal,
        entity_type: str,
        where: Sequence[Condition],
        limit: int,
        cursor: str | None,
        related: RelatedTo | None = None,
    ) -> ListAnswer:
        """Return entities, oldest first; new ones come last, so no page shifts."""
        self._schema.entity(entity_type, "entity_type")
        after = paging.decode(cursor, str)[0][0] if cursor else ""
        organization, sight = principal.organization, self._entities.sight(principal)
        matching = await self._filters.matching(organization, entity_type, where, sight) if where else None
        relatives = await self._relatives.find(principal, entity_type, related) if related else None
        by_relation = relatives is not None and (matching is None or len(relatives.ids) < len(matching))
        ids = _after(after, {one.id for one in relatives.ids} if relatives and by_relation else matching)
        answer, withheld = ListAnswer(entities=()), set[str]()
        more, last = False, ""
        async with aclosing(self._listed(organization, entity_type, ids, after, limit + 1)) as stored_heads:
            async for place, stored in stored_heads:
                head = await self._meeting(organization, stored, where, sight)
                if head is None or (matching is not None and head.entity.id not in matching):
                    continue
                at = place if by_relation else None
                if relatives and not await self._belongs(organization, stored, relatives, at, sight):
                    continue
                entry = ListedEntity(
                    ref=head.entity.ref,
                    name=head.name,
                    updated_at=display_time(head.updated_at),
                    properties=head.properties,
                )
                taken = json_tokens(as_json(answer)) + json_tokens(as_json(entry))
                if len(answer.entities) == limit or (answer.entities and taken > _LISTED_TOKENS):
                    more = True
                    break
                answer = replace(answer, entities=(*answer.entities, entry))
                withheld |= await self._withheld(organization, stored, sight)
                last = place
        return replace(
            answer,
            withheld=self._why(entity_type, withheld),
            next_cursor=paging.encode([last]) if more and last else None,
        )

    async def _listed(
        self, organization: str, entity_type: str, ids: Sequence[str] | None, after: str, page: int
    ) -> AsyncGenerator[tuple[str, Head]]:
        """Yield heads after an id, each with the id that it was found by: those of `ids` where these are given.

        Of what was merged it is the head of what that is a part of now.
        """
        while True:
            if ids is None:
                place = keys.listing(organization, entity_type, "")
                listed = await self._store.query("memory", place.partition, Span(), limit=page, cursor=after or None)
                found, more = [item.key.sort for item in listed.items], listed.cursor is not None
            else:
                found, ids = list(ids[:page]), ids[page:]
                more = bool(ids)
            for head in await self._entities.heads(organization, [EntityId(entity_type, one) for one in found]):
                if head.merged_into is None:
                    yield head.entity.id, head
                elif survivor := await self._entities.survivor(organization, head.merged_into):
                    yield head.entity.id, survivor.head
            if not more or not found:
                return
            after = found[-1]

    async def _belongs(
        self, organization: str, stored: Head, relatives: Relatives, place: str | None, sight: Sight
    ) -> bool:
        """Tell whether an entity is one of the relatives, and by a place, an id of one, whether that is its first."""
        found = (await self._entities.within(organization, stored)) & relatives.ids
        if not found or (place is not None and min(one.id for one in found) < place):
            return False
        return await self._relatives.related(organization, stored, relatives, sight)

    async def _withheld(self, organization: str, head: Head, sight: Sight) -> AbstractSet[str]:
        """Return the names of the properties of an entity whose values are withheld."""
        restriction = self._entities.restriction(head, sight)
        if not restriction.properties:
            return frozenset()
        if not head.labels:
            return restriction.properties & head.properties.keys()
        return (await self._entities.view(organization, head, sight=sight)).withheld

    def _why(self, entity_type: str, withheld: AbstractSet[str]) -> tuple[Withheld, ...] | None:
        declared = self._schema.stored(entity_type).current
        found = [Withheld(name=one, why=why_withheld(declared[one].sensitivity)) for one in sorted(withheld)]
        return tuple(found) or None

    async def _meeting(self, organization: str, stored: Head, where: Sequence[Condition], sight: Sight) -> Head | None:
        """Return a head as it may be shown, None if that does not meet the conditions.

        The index may have found it by a value that was kept long enough, or that others see.
        """
        head = await self._entities.shown(organization, stored, sight)
        if head is None or head is stored:
            return head
        return head if self._filters.meets(head.entity.type, where, head.properties) else None


def _after(after: str, ids: AbstractSet[str] | None) -> Sequence[str] | None:
    """Return the ids that come after one, in order; None where all of a type are meant."""
    return None if ids is None else sorted(one for one in ids if one > after)
