"""Who is who: the names and identifiers of an entity, what was merged into it, and conflicts over identifiers."""

from collections.abc import Iterable

from interlayer.errors import NotFound
from interlayer.language.terms import words
from interlayer.memory.entities.answer import Bearer, EntityNames, MergedEntity, NamedEntity, UnsettledConflict
from interlayer.memory.entities.repository import NEAR_SCANNED_MAX, Entities, called
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import EntityString, fold_name, parse_entity, possible_identifiers
from interlayer.memory.log.records import EntityId, Head, Merged, Split
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore


async def find_entity(
    entities: Entities, schema: Schema, principal: Principal, entity: str, field: str = "entity"
) -> StoredHead:
    """Return the head of the entity of this name. Raises `NotFound` with names that are near."""
    parsed = parse_entity(entity, schema, field)
    sight = entities.sight(principal)
    known = await entities.resolve(principal.organization, parsed, sight)
    stored = await entities.head(principal.organization, known) if known else None
    if stored is None or await entities.shown(principal.organization, stored.head, sight, parsed) is None:
        near = await entities.near(principal.organization, parsed, sight)
        raise NotFound(f"{field}: {entity!r} is not known." + (f" Near: {', '.join(near)}." if near else ""))
    return stored


class Identities:
    """Answers what operators ask before they merge or split."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def names(self, principal: Principal, entity: str) -> EntityNames:
        """Return the names and identifiers of an entity, and what was merged into it. Raises `NotFound`."""
        stored = await find_entity(self._entities, self._schema, principal, entity)
        view = await self._entities.view(principal.organization, stored.head)
        gone = {one.releases for one in view.memories.values() if isinstance(one, Split)}
        absorbed = [one for one in view.memories.values() if isinstance(one, Merged)]
        heads = await self._entities.heads(principal.organization, [one.absorbs for one in absorbed])
        known = {head.entity: head.name for head in heads}
        merged = [
            MergedEntity(
                ref=one.absorbs.ref,
                name=known.get(one.absorbs, ""),
                at=one.recorded_at,
                agent=one.agent,
                reason=one.source or "",
                split=one.absorbs in gone and one.absorbs not in stored.head.absorbed,
            )
            for one in absorbed
        ]
        head = await self._entities.shown(principal.organization, stored.head, self._entities.sight(principal))
        head = head or stored.head
        return EntityNames(
            ref=head.entity.ref,
            name=head.name,
            names=head.names,
            identifiers=head.identifiers,
            merged=tuple(merged),
        )

    async def bearers(self, principal: Principal, name: str) -> tuple[Bearer, ...]:
        """Return those whom a caller may know by a name or an identifier: of the type of a `type:key`, else of any."""
        found: list[Bearer] = []
        for named in self._readings(name):
            found += map(_bearer, await self._bearing(principal, named))
        return tuple(found)

    async def partly_called(self, principal: Principal, name: str) -> tuple[Bearer, ...]:
        """Return those whose names hold all words of a name, among the newest of each type: a first name is enough."""
        organization, sight = principal.organization, self._entities.sight(principal)
        found: list[Bearer] = []
        for named in self._readings(name):
            wanted = set(words(named.key))
            place = keys.listing(organization, named.type, "")
            listed = await self._store.query("memory", place.partition, reverse=True, limit=NEAR_SCANNED_MAX)
            ids = [EntityId(named.type, item.key.sort) for item in listed.items]
            for stored in await self._entities.heads(organization, ids):
                if stored.merged_into or not any(wanted <= set(words(one)) for one in called(stored)):
                    continue
                head = await self._entities.shown(organization, stored, sight)
                if head and any(wanted <= set(words(one)) for one in called(head)):
                    found.append(_bearer(head))
        return tuple(found)

    def _readings(self, name: str) -> Iterable[EntityString]:
        """Return what a name may mean: itself where it says its type, else the same of every type."""
        kind, colon, _ = name.strip().partition(":")
        if colon and kind in self._schema.entities:
            return [parse_entity(name, self._schema)]
        return [parse_entity(f"{one}:{name}", self._schema) for one in self._schema.entities]

    async def _bearing(self, principal: Principal, named: EntityString) -> list[Head]:
        """Return the heads, as they may be shown, of those of one type who bear a key; an identifier goes first."""
        organization, sight = principal.organization, self._entities.sight(principal)
        by_identifier, by_name = set[str](), set[str]()
        if named.is_id:
            by_identifier.add(named.key)
        else:
            forms = {*possible_identifiers(named, self._schema).values(), fold_name(named.key)}
            for form in forms:
                holding, so_called = await self._entities.bearers(organization, named.type, form)
                by_identifier |= holding
                by_name |= so_called
        heads: dict[EntityId, Head] = {}
        for ids in (by_identifier, by_name):
            for one in sorted(ids):
                stored = await self._entities.survivor(organization, EntityId(named.type, one))
                if stored and (head := await self._entities.shown(organization, stored.head, sight, named)):
                    heads[head.entity] = head
            if heads:
                break
        return list(heads.values())

    async def conflicts(self, principal: Principal) -> list[UnsettledConflict]:
        """Return the claims to identifiers that belong to another entity, oldest first, those settled left out."""
        sight = self._entities.sight(principal)
        page = await self._store.query("memory", keys.conflict(principal.organization, "", "").partition)
        found: list[UnsettledConflict] = []
        for item in page.items:
            claimant, owner = (EntityId(**item.body[name]) for name in ("entity", "owner"))
            one, other = [await self._entities.survivor(principal.organization, end) for end in (claimant, owner)]
            if one is None or other is None or one.head.entity == other.head.entity:
                continue
            claimed = await self._entities.shown(principal.organization, one.head, sight)
            owned = await self._entities.shown(principal.organization, other.head, sight)
            if claimed and owned:
                found.append(
                    UnsettledConflict(
                        kind=item.body["kind"],
                        value=item.body["value"],
                        claimed_by=NamedEntity(ref=claimed.entity.ref, name=claimed.name),
                        belongs_to=NamedEntity(ref=owned.entity.ref, name=owned.name),
                        memory_id=item.body["memory_id"],
                        at=item.body["at"],
                    )
                )
        return sorted(found, key=lambda one: one.at)


def _bearer(head: Head) -> Bearer:
    return Bearer(
        ref=head.entity.ref,
        type=head.entity.type,
        name=head.name,
        identifiers=head.identifiers,
        properties=head.properties,
    )
