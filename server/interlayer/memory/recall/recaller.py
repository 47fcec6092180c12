"""recall_entity: resolve -> view -> rank -> shape to the budget. Never anything of another entity."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import replace

from interlayer.answers import as_json
from interlayer.ids import timestamp
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.restriction import RestrictedLog, Restriction
from interlayer.memory.entities.sight import ORGANIZATION, Sight, why_withheld
from interlayer.memory.entities.vectors import of_query
from interlayer.memory.entities.view import EntityView, valid_then
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import RELATIONS_MAX, EntityRead
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.log.properties import with_values
from interlayer.memory.log.reader import parts, read_log
from interlayer.memory.log.records import EntityId, Head, Relation, interaction_of
from interlayer.memory.log.revision import expired, without_memories
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.recall.answer import KnownRelation, Omitted, RecallAnswer, TypedProperties, Withheld
from interlayer.memory.recall.page import Page, filled, frame_of, rank_facts
from interlayer.memory.recall.provenance import origins
from interlayer.memory.recall.query import asked, check_query, meant
from interlayer.memory.requests import RecallRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore
from interlayer.text.budget import json_tokens


class Recaller:
    """Answers what is known of one entity."""

    def __init__(self, store: ItemStore, entities: Entities, spaces: Spaces, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._spaces = spaces
        self._schema = schema

    async def recall(self, principal: Principal, request: RecallRequest) -> RecallAnswer:
        """Return the answer of the contract. Raises `InvalidInput` or `Ambiguous`."""
        parsed = parse_entity(request.entity, self._schema)
        check_query(request.query or "", request.also)
        sight = self._entities.sight(principal)
        known = await self._entities.resolve(principal.organization, parsed, sight)
        read = await self._entities.read(principal.organization, known) if known else None
        stored = read.stored.head if read else None
        head = await self._entities.shown(principal.organization, stored, sight, parsed) if stored else None
        if read is None or stored is None or head is None:
            near = await self._entities.near(principal.organization, parsed, sight)
            return RecallAnswer(
                found=False,
                near=tuple(near),
                properties=(),
                facts=(),
                relations=(),
                omitted=Omitted(facts=0, why="nothing is known of this entity; the same query will not change that"),
            )
        as_of = timestamp(request.as_of) if request.as_of else None
        known_at = timestamp(request.known_at) if request.known_at else None
        until = known_at or as_of
        wanted = "relations" in request.include
        names = (head.name, *head.names)
        space = await self._spaces.of(principal.organization)
        vector, degraded = await of_query(
            space, meant(asked(request.query, names), request.also) if request.query else None
        )
        view = await self._entities.view(principal.organization, stored, space, read, sight)
        withheld, cut = self._withheld(view), view.cut
        if until:
            hidden = self._entities.restriction(stored, sight)
            view = await self._past(principal.organization, view, (as_of, known_at), degraded, space, hidden)
        page = Page.of(request, view.revision)
        relations = await self._relations(principal.organization, view, read, until, sight) if wanted else ()
        if view.space != space.embedder.space:  # another call has moved it since
            view = await self._entities.view(principal.organization, stored, space, sight=sight)
        ranked = rank_facts(view, request, vector, page, names)
        if request.query and view.lacking and not degraded:
            degraded.append(f"vectors: {len(view.lacking)} facts have none yet and are ranked by words alone")
        head = replace(head, revision=self._entities.revision(stored, sight))
        frame = frame_of(head, view, request, relations, withheld)
        frame = replace(frame, degraded=tuple(degraded) or None)
        answer, chosen = filled(frame, ranked, request, page, view)
        if "sources" in request.include:
            return await self._with_sources(principal.organization, answer, chosen, request.max_tokens, cut)
        return answer

    async def properties(self, principal: Principal, entity: str) -> TypedProperties:
        """Return the type and current properties of an entity, as far as the caller may see them.

        What another one is told otherwise is left out: a team's or a private memory decides nothing for others.
        """
        parsed, organization = parse_entity(entity, self._schema), principal.organization
        sight = self._entities.sight(principal)
        known = await self._entities.resolve(organization, parsed, sight)
        stored = await self._entities.head(organization, known) if known else None
        head = await self._entities.shown(organization, stored.head, sight, parsed) if stored else None
        if stored is None or head is None:
            return TypedProperties(type=parsed.type, values={}, voices={})
        if not stored.head.labels:
            return TypedProperties(type=parsed.type, values=head.properties, voices=head.voices)
        shared = await self._entities.view(organization, stored.head, sight=sight.within((ORGANIZATION,)))
        common = with_values(head, shared.properties)
        same = {name: one for name, one in common.properties.items() if head.properties.get(name) == one}
        return TypedProperties(type=parsed.type, values=same, voices={name: common.voices[name] for name in same})

    def _withheld(self, view: EntityView) -> tuple[Withheld, ...]:
        """Return what is withheld of an entity, by name."""
        declared = self._schema.stored(view.entity.type).current
        return tuple(
            Withheld(name=name, why=why_withheld(declared[name].sensitivity)) for name in sorted(view.withheld)
        )

    async def _relations(
        self, organization: str, view: EntityView, read: EntityRead, until: str | None, sight: Sight
    ) -> tuple[KnownRelation, ...]:
        """Return the relations to and from entities that there are; of one that was merged, what it is a part of."""
        outgoing = list(view.relations.items())[:RELATIONS_MAX]
        incoming = [(view.entity, item) for item in read.incoming]
        for absorbed in parts(view.memories.values()):
            place = keys.head(organization, absorbed)
            page = await self._store.query("memory", place.partition, keys.incoming(), limit=RELATIONS_MAX)
            incoming += [(absorbed, item) for item in page.items]
        pointing = [(target, *_origin(item), item) for target, item in incoming[:RELATIONS_MAX]]
        others = dict.fromkeys([*(one.target for one, _ in outgoing), *(origin for _, _, origin, _ in pointing)])
        heads = {head.entity: head for head in await self._entities.heads(organization, list(others))}
        found: list[KnownRelation] = []
        for relation, memory in outgoing:
            head = await self._standing(organization, heads.get(relation.target))
            if head and await self._entities.shown(organization, head, sight):
                found.append(KnownRelation(type=relation.type, target=head.entity.ref, memory_id=memory.interaction))
        told: list[tuple[tuple[str, str], KnownRelation]] = []
        for target, kind, origin, item in pointing:
            head = await self._standing(organization, heads.get(origin))
            if head is None:
                continue
            basis = await self._entities.basis(organization, head, Relation(kind, target), item.body, sight)
            if basis and (until is None or basis[1] <= until):
                source = head.entity.ref
                known = KnownRelation(type=kind, source=source, direction="in", memory_id=interaction_of(basis[0]))
                told.append(((basis[1], kind), known))
        # By when they were told: the order of ids would say which entities somebody else knew before.
        return (*found, *(known for _, known in sorted(told, key=lambda pair: pair[0])))

    async def _standing(self, organization: str, head: Head | None) -> Head | None:
        """Return a head, or that of what the entity was merged into."""
        if head is None or head.merged_into is None:
            return head
        stored = await self._entities.survivor(organization, head.merged_into)
        return stored.head if stored else None

    async def _past(
        self,
        organization: str,
        view: EntityView,
        at: tuple[str | None, str | None],
        degraded: list[str],
        space: ActiveSpace,
        hidden: Restriction,
    ) -> EntityView:
        """Fold the log as it was known at an instant, with what was merged into it then, or what held at one, or both.

        `at` are the instants of what held and what was known. What held is asked of what was known at that instant too,
        unless another one is given. Where nothing had been recorded yet, because the past was filled in later, it is
        what is now known to have been valid then, and `degraded` says so.
        """
        as_of, known_at = at
        log = await read_log(self._store, organization, view.entity, as_of=known_at or as_of)
        known = without_memories(log, expired(log, self._entities.cutoff(view.entity.type)))
        if hidden:
            schema = self._schema.stored(view.entity.type)
            whole = await read_log(self._store, organization, view.entity)
            known = [*RestrictedLog(hidden, schema, known, told=whole).log]
        if known_at and not known:
            degraded.append("known_at: nothing was recorded yet then")
        elif not known:
            known = list(view.memories.values())
            if any(memory.facts or memory.properties for memory in (valid_then(one, as_of or "") for one in known)):
                degraded.append("as_of: nothing was recorded yet then; shown is what is now known to have been valid")
        valid = [valid_then(memory, as_of) for memory in known] if as_of else known
        same = view.space == space.embedder.space
        vectors = {fact.record.id: view.vectors[fact.number] for fact in view.ordered} if same else {}
        gone = {fact.id: fact.text for memory in valid for fact in memory.facts if fact.id not in vectors}
        vectors |= await self._entities.vectors(organization, view.entity, gone, space)
        past = self._entities.blank(view.entity, space)
        for memory in valid:
            past.apply(memory, vectors)
        return past

    async def _with_sources(
        self,
        organization: str,
        answer: RecallAnswer,
        chosen: Sequence[FactState],
        max_tokens: int,
        cut: AbstractSet[str],
    ) -> RecallAnswer:
        """Return the answer with the sources of its facts, as many as the budget holds."""
        answer = replace(answer, sources=())
        async with aclosing(origins(self._store, organization, chosen, cut)) as entries:
            async for entry in entries:
                if json_tokens(as_json(answer)) + json_tokens(as_json(entry)) > max_tokens:
                    break
                answer = replace(answer, sources=(*(answer.sources or ()), entry))
        return answer


def _origin(item: Item) -> tuple[str, EntityId]:
    """Return the type and the origin of a relation as it is noted with its target."""
    _, kind, origin_type, origin_id = item.key.sort.split("#")
    return kind, EntityId(origin_type, origin_id)
