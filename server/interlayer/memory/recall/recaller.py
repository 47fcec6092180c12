"""recall_entity: resolve -> view -> rank -> shape to the budget. Never anything of another entity."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import replace
from typing import Final

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
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.log.revision import expired, without_memories
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.recall.answer import Omitted, RecallAnswer, TypedProperties, Withheld
from interlayer.memory.recall.neighbourhood.best_facts import Question
from interlayer.memory.recall.neighbourhood.neighbours import Neighbours
from interlayer.memory.recall.neighbourhood.paths import Paths
from interlayer.memory.recall.neighbourhood.relations import Instants, RelatedEntity, Relations
from interlayer.memory.recall.page import Page, filled, frame_of, rank_facts, room_for_neighbours
from interlayer.memory.recall.provenance import origins
from interlayer.memory.recall.query import asked, check_query, meant
from interlayer.memory.requests import RecallRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key
from interlayer.text.budget import json_tokens

_LIST_TOKENS: Final = 16  # what leads to the neighbours, and says how many were left out
_MORE: Final = f"no more than {RELATIONS_MAX} relations are followed: list_entities with related_to has all"


class Recaller:
    """Answers what is known of one entity."""

    def __init__(self, store: ItemStore, entities: Entities, spaces: Spaces, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._spaces = spaces
        self._schema = schema
        self.relations = Relations(store, entities, schema)
        self.paths = Paths(store, entities, schema)
        self._neighbours = Neighbours(schema)

    async def recall(self, principal: Principal, request: RecallRequest) -> RecallAnswer:
        """Return the answer of the contract. Raises `InvalidInput` or `Ambiguous`."""
        parsed = parse_entity(request.entity, self._schema)
        check_query(request.query or "", request.also, request.follow)
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
        at = _instants(request)
        names = (head.name, *head.names)
        space = await self._spaces.of(principal.organization)
        vector, degraded = await of_query(
            space, meant(asked(request.query, names), request.also) if request.query else None
        )
        view = await self._entities.view(principal.organization, stored, space, read, sight)
        withheld, cut = self._withheld(view), view.cut
        if at.until:
            hidden = self._entities.restriction(stored, sight)
            view = await self._past(principal.organization, view, at, degraded, space, hidden)
        page = Page.of(request, view.revision)
        followed, rest = await self._related(principal.organization, view, read, request, sight)
        relations = tuple(self.relations.told(one, at) for one in rest)
        if view.space != space.embedder.space:  # another call has moved it since
            view = await self._entities.view(principal.organization, stored, space, sight=sight)
        ranked = rank_facts(view, request, vector, page, names)
        if request.query and view.lacking and not degraded:
            degraded.append(f"vectors: {len(view.lacking)} facts have none yet and are ranked by words alone")
        head = replace(head, revision=self._entities.revision(stored, sight))
        frame = frame_of(head, view, request, relations, withheld)
        frame = replace(frame, degraded=tuple(degraded) or None)
        kept = room_for_neighbours(frame, len(followed), request)
        answer, chosen = filled(frame, ranked, request, page, view, names, kept)
        if "sources" in request.include:
            answer = await self._with_sources(principal.organization, answer, chosen, request.max_tokens - kept, cut)
        if request.follow and not request.cursor:
            question = Question(asked(request.query or "", names), request.also, vector, request.min_confidence)
            return await self._with_neighbours(
                principal.organization, answer, followed, request, question, space, sight
            )
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

    async def _related(
        self, organization: str, view: EntityView, read: EntityRead, request: RecallRequest, sight: Sight
    ) -> tuple[list[RelatedEntity], list[RelatedEntity]]:
        """Return a relation to each neighbour that a call asks for, and the other relations that the answer shows.

        Those that are over come too where the past is asked for; the first page has all neighbours.
        """
        follow = () if request.cursor else request.follow
        shown = "relations" in request.include
        if not follow and not shown:
            return [], []
        history = "history" in request.include or request.as_of is not None
        incoming = await self._incoming(organization, view.entity, read, follow)
        found = await self.relations.of(
            organization, view, incoming, sight, _instants(request), history=history and shown
        )
        followed: dict[EntityId, RelatedEntity] = {}
        for one in found:
            if one.known.status == "current" and any(self.relations.is_called(one, name) for name in follow):
                followed.setdefault(one.head.entity, one)
        told = {id(one) for one in followed.values()}
        return list(followed.values()), [one for one in found if shown and id(one) not in told]

    async def _incoming(
        self, organization: str, entity: EntityId, read: EntityRead, follow: Sequence[str]
    ) -> Sequence[Item]:
        """Return what points at an entity: where that is too much, what a call follows before the rest."""
        if len(read.incoming) < RELATIONS_MAX or not follow or "*" in follow:
            return read.incoming
        place = keys.head(organization, entity).partition
        items: dict[Key, Item] = {}
        for kind in sorted({kind for name in follow for kind in self._schema.relation_types.meant_by(name)}):
            page = await self._store.query("memory", place, keys.incoming_of(kind), limit=RELATIONS_MAX)
            items |= {item.key: item for item in page.items}
        return list((items | {item.key: item for item in read.incoming}).values())[:RELATIONS_MAX]

    async def _with_neighbours(
        self,
        organization: str,
        answer: RecallAnswer,
        followed: Sequence[RelatedEntity],
        request: RecallRequest,
        question: Question,
        space: ActiveSpace,
        sight: Sight,
    ) -> RecallAnswer:
        """Return the answer with the neighbours, in the room that is left."""
        at = _instants(request)

        async def view_of(head: Head) -> EntityView:
            view = await self._entities.view(organization, head, space, sight=sight)
            if at.until:
                hidden = self._entities.restriction(head, sight)
                return await self._past(organization, view, at, [], space, hidden)
            return view

        room = request.max_tokens - json_tokens(as_json(answer)) - _LIST_TOKENS
        described = await self._neighbours.describe(
            followed, question, request.include, room, view_of, past=bool(at.until)
        )
        why = [f"{described.left_out}: max_tokens"] if described.left_out else []
        why += [_MORE] if len(followed) >= RELATIONS_MAX else []
        why += self._unknown(request.follow, followed)
        omitted = replace(answer.omitted, neighbours="; ".join(why) or None)
        return replace(answer, neighbours=described.neighbours, omitted=omitted)

    def _unknown(self, follow: Sequence[str], followed: Sequence[RelatedEntity]) -> Iterator[str]:
        """Say which words of those that are followed are no type of relation, with the nearest that is one."""
        types = self._schema.relation_types
        for name in follow:
            is_known = name == "*" or name in types.declared or len(types.meant_by(name)) > 1
            if not is_known and not any(self.relations.is_called(one, name) for one in followed):
                yield f"{name[:40]}: {types.read(name, '', '').note}"

    async def _past(
        self,
        organization: str,
        view: EntityView,
        at: Instants,
        degraded: list[str],
        space: ActiveSpace,
        hidden: Restriction,
    ) -> EntityView:
        """Fold the log as it was known at an instant, with what was merged into it then, or what held at one, or both.

        `at` are the instants of what held and what was known. What held is asked of what was known at that instant too,
        unless another one is given. Where nothing had been recorded yet, because the past was filled in later, it is
        what is now known to have been valid then, and `degraded` says so.
        """
        as_of, known_at = at.as_of, at.known_at
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


def _instants(request: RecallRequest) -> Instants:
    """Return the instants of what held and of what was known that a call asks for."""
    return Instants(*(timestamp(one) if one else None for one in (request.as_of, request.known_at)))
