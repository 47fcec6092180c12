"""The door: a content and who calls, and from that whom it tells of."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeVar

from interlayer.documents.document import Document, Piece
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.naming.name_index import forms_of
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.mentions.actors import Actor, Types, domain_of
from interlayer.memory.memorize.mentions.cast import Cast
from interlayer.memory.memorize.mentions.known import Directory, Identifier, Known
from interlayer.memory.memorize.mentions.leads import leads_of
from interlayer.memory.memorize.mentions.people import Introduction, introductions
from interlayer.memory.memorize.mentions.relations import Links
from interlayer.memory.memorize.mentions.routing import Router
from interlayer.memory.memorize.mentions.scene import Scene
from interlayer.memory.memorize.mentions.surface import Surface
from interlayer.memory.memorize.mentions.told import Telling, Told, ToldRelation
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

T = TypeVar("T")

_ROUNDS_MAX: Final = 3  # of looking up who follows from whom was found


class RunOver(Protocol):
    """Does work on the words of a content; over many of them it is done in a thread."""

    def __call__(self, characters: int, work: Callable[[], T], /) -> Awaitable[T]:
        """Return the result of the work."""
        ...


@dataclass(frozen=True, slots=True)
class _Script:
    """A content before anybody is looked up: how it is written, whom it brings in, and what may name somebody."""

    surface: Surface
    introduced: Mapping[int, Sequence[Introduction]]
    names: Sequence[str]
    identifiers: frozenset[Identifier]
    settled: Mapping[str, Identifier]


class Mentions:
    """Finds whom contents tell of."""

    def __init__(
        self, store: ItemStore, entities: Entities, resolution: Resolution, schema: Schema, run: RunOver
    ) -> None:
        self._entities = entities
        self._resolution = resolution
        self._schema = schema
        self._run = run
        self._directory = Directory(store, entities, schema)
        self._types = Types.of(schema)

    async def told(
        self,
        principal: Principal,
        content: str,
        document: Document,
        main: EntityReference | None,
        head: Head | None,
    ) -> Told:
        """Return whom a content tells of.

        `main` is whom the call names, `head` that of who it is, if it is known; both None where it names nobody.
        """
        script = await self._run(len(content), partial(self._read, content, document, main))
        sight = self._entities.sight(principal)
        known = await self._known(principal.organization, sight, script, head)
        own = domain_of(principal.user.lower()) if "@" in principal.user else ""

        def play() -> Told:
            cast = Cast(self._types, known, self._resolution, own)
            cast.set_main(main)
            return _told(Scene(script.surface, cast, script.introduced))

        return await self._run(len(content), play)

    def _read(self, content: str, document: Document, main: EntityReference | None) -> _Script:
        surface = Surface(content, document)
        introduced = {id(passage): [*introductions(passage)] for passage in surface.passages}
        people = ((fold_name(one.name), one.address) for one in document.participants if one.name and one.address)
        named = ((name, self._directory.identifier(self._types.person, "email", address)) for name, address in people)
        settled = {name: one for name, one in named if one} if self._types.person else {}
        return _Script(surface, introduced, surface.forms(), frozenset(self._identifiers(surface, main)), settled)

    async def _known(self, organization: str, sight: Sight, script: _Script, main: Head | None) -> Known:
        """Look up whom the content may name, then whom that leads to: houses by their domains, people by those."""
        names, identifiers = {*script.names}, {*script.identifiers}
        own = forms_of(main, self._schema.stored(main.entity.type)) if main else ()  # whoever else is called so
        asked = [name for name in script.names if name not in own]
        known = await self._directory.look_up(organization, sight, asked, identifiers, main, script.settled)
        strangers = [one for some in script.introduced.values() for one in some]
        for _ in range(_ROUNDS_MAX):
            more, called = leads_of(self._types, known, strangers)
            if not (more - identifiers or called - names):
                break
            known.add(await self._directory.look_up(organization, sight, sorted(called - names), more - identifiers))
            names |= called
            identifiers |= more
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
    is_named = cast.main is not None
    cast.main = cast.main or _first(scene)
    if cast.main is None:
        return Told(ambiguous=tuple(cast.ambiguous.values()))
    routes = Router(scene).routes()
    links = Links(scene).found(routes)
    asides = [*_asides(scene)]
    reached = [*(route.about[0] for route in routes if route.about), *(actor for actor, _ in asides)]
    reached += [end for one in links for end in (one.source, one.target)]
    subjects = [cast.subject(one) for one in dict.fromkeys(reached)]
    return Told(
        main=None if is_named else cast.main_subject(),
        main_type=cast.main.type,
        main_name=cast.learned,
        subjects=tuple(one for one in subjects if one),
        relations=tuple(
            ToldRelation(
                cast.subject(one.source), one.type, cast.subject(one.target), _span(one.passage.piece), one.ended
            )
            for one in links
        ),
        ambiguous=tuple(cast.ambiguous.values()),
        tellings=tuple(
            Telling(_span(route.passage.piece), tuple(map(cast.subject, route.about)) or (None,)) for route in routes
        ),
        asides=tuple((cast.subject(actor), piece) for actor, piece in asides),
    )


def _first(scene: Scene) -> Actor | None:
    """Return whom a content is mainly about: who writes it or gets it, else who is named first."""
    writers = [scene.writer(passage) for passage in scene.passages if not scene.is_own(passage)]
    for one in (*writers, *scene.recipients):
        if one:
            return one
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
