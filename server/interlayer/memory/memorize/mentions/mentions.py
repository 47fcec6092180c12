"""The door: a content and who calls, and from that whom it tells of."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from interlayer.documents.document import Document, Piece
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.mentions.cast import Actor, Cast, Types, domain_of, wanted_of
from interlayer.memory.memorize.mentions.known import Directory, Identifier, Known
from interlayer.memory.memorize.mentions.people import introductions
from interlayer.memory.memorize.mentions.relations import Links
from interlayer.memory.memorize.mentions.routing import Router
from interlayer.memory.memorize.mentions.scene import Scene
from interlayer.memory.memorize.mentions.surface import Surface
from interlayer.memory.memorize.mentions.told import Subject, Telling, Told, ToldRelation
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

_ROUNDS_MAX: Final = 3  # of looking up who follows from whom was found


class Mentions:
    """Finds whom contents tell of."""

    def __init__(self, store: ItemStore, entities: Entities, resolution: Resolution, schema: Schema) -> None:
        self._entities = entities
        self._resolution = resolution
        self._schema = schema
        self._directory = Directory(store, entities, schema)
        self._types = Types.of(schema)

    async def told(
        self,
        principal: Principal,
        content: str,
        document: Document,
        main: EntityReference | None,
        entity: EntityId | None,
    ) -> Told:
        """Return whom a content tells of.

        `main` is whom the call names, `entity` who that is, as far as it is known; both None where it names nobody.
        """
        surface = Surface(content, document)
        sight = self._entities.sight(principal)
        known = await self._known(principal.organization, sight, surface, main, entity)
        own = domain_of(principal.user.lower()) if "@" in principal.user else ""
        cast = Cast(self._types, known, self._resolution, own)
        cast.set_main(main)
        return _told(Scene(surface, cast))

    async def _known(
        self,
        organization: str,
        sight: Sight,
        surface: Surface,
        main: EntityReference | None,
        entity: EntityId | None,
    ) -> Known:
        """Look up whom the content may name, then whom that leads to: houses by their domains, people by those."""
        names, identifiers = surface.forms(), set(self._identifiers(surface, main))
        introduced = [one for passage in surface.passages for one in introductions(passage)]
        known = await self._directory.look_up(organization, sight, names, identifiers, entity)
        asked_names, asked = {*names}, {*identifiers}
        for _ in range(_ROUNDS_MAX):
            found: list[Head] = [head for some in known.named.values() for head in some]
            found += [*known.held.values(), *([known.main] if known.main else [])]
            more, called = wanted_of(Cast(self._types, known, self._resolution), introduced, found)
            if not (more - asked or called - asked_names):
                break
            known.add(await self._directory.look_up(organization, sight, sorted(called - asked_names), more - asked))
            asked_names |= called
            asked |= more
        return known

    def _identifiers(self, surface: Surface, main: EntityReference | None) -> Iterator[Identifier]:
        person, company = self._types.person, self._types.company
        given = {**main.key_identifiers, **main.identifiers} if main else {}
        addresses = [*surface.addresses(), *([given["email"]] if "email" in given else [])]
        wanted = [(person, "email", address) for address in addresses] if person else []
        domains = [*surface.domains(), *filter(None, map(domain_of, addresses))]
        wanted += [(company, "domain", domain) for domain in domains] if company else []
        wanted += [(person, "phone", phone) for phone in surface.phones()] if person else []
        for word in surface.numbered():
            for identifier, kind in self._types.numbered.items():
                shape = self._types.shapes[identifier]
                if shape.fullmatch(word):
                    wanted.append((kind, identifier, word))
        for one in wanted:
            if found := self._directory.identifier(*one):
                yield found


def _told(scene: Scene) -> Told:
    """Say whom a scene tells of."""
    cast = scene.cast
    if cast.main is None:
        cast.main = _first(scene)
        if cast.main is None:
            return Told(ambiguous=tuple(cast.ambiguous.values()))
        main = cast.main_subject()
    else:
        main = None
    routes = Router(scene).routes()
    links = Links(scene).found(routes)
    asides = [*_asides(scene)]
    reached: dict[int, Subject] = {}

    def subject(actor: Actor) -> Subject | None:
        return cast.subject(actor)

    def reach(actor: Actor) -> Subject | None:
        found = subject(actor)
        if found:
            reached.setdefault(id(found), found)
        return found

    tellings: list[Telling] = []
    for route in routes:
        span = (route.passage.piece.start, route.passage.piece.end)
        if route.about:
            reach(route.about[0])
        tellings.append(Telling(span, tuple(subject(one) for one in route.about) or (None,)))
    for aside in asides:
        reach(aside[0])
    relations = tuple(
        ToldRelation(reach(one.source), one.type, subject(one.target), _span(one.passage.piece), one.ended)
        for one in links
    )
    return Told(
        main=main,
        main_type=cast.main.type,
        subjects=tuple(reached.values()),
        relations=relations,
        ambiguous=tuple(cast.ambiguous.values()),
        tellings=tuple(tellings),
        asides=tuple((subject(actor), piece) for actor, piece in asides),
    )


def _first(scene: Scene) -> Actor | None:
    """Return whom a content is mainly about: who writes it, else who is named first."""
    for passage in scene.passages:
        writer = scene.writer(passage)
        if writer and not scene.is_own(passage):
            return writer
    for passage in scene.passages:
        for one in scene.mentions(passage):
            if one.actor:
                return one.actor
    return None


def _asides(scene: Scene) -> Iterator[tuple[Actor, Piece]]:
    """Yield what stands beside the names of those who are brought in with a title: "Ann Lee, our buyer"."""
    for one, actor in scene.titled:
        yield actor, replace(one.passage.piece, text=f"{one.name}, {one.title}", kind="statement", label="")


def _span(piece: Piece) -> tuple[int, int]:
    return piece.start, piece.end
