"""The relations that a content states between those it names: who works where, who reports to whom."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import words
from interlayer.memory.memorize.mentions.actors import ABOUT, Actor, domain_of
from interlayer.memory.memorize.mentions.routing import Route
from interlayer.memory.memorize.mentions.scene import Mention, Scene
from interlayer.memory.memorize.mentions.surface import Passage
from interlayer.memory.memorize.mentions.words import (
    CUSTOMERS,
    FIRST_PERSONS,
    HONORIFICS,
    RAISED_BY,
    REQUESTERS,
    SUPERIORS,
)

WORKS_AT: Final = "works_at"
REPORTS_TO: Final = "reports_to"

_NEAR: Final = 60
_NOW: Final = words("now_words", "words_before_job_titles")
_ADDRESS: Final = re.compile(r"[(<\[]?\s?[\w.+%-]+@[\w.-]+\s?[)>\]]?")


@dataclass(frozen=True, slots=True)
class Link:
    """A relation between two actors, as a passage states it."""

    source: Actor
    type: str
    target: Actor
    passage: Passage
    ended: bool = False


class Links:
    """Finds the relations of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._cast = scene.cast
        self._person = scene.cast.types.person
        self._company = scene.cast.types.company

    def found(self, routes: list[Route]) -> list[Link]:
        """Return the relations, each once; where somebody has left is not where he works."""
        stated = [link for route in routes for link in self._stated(route)]
        ended = {(one.source, one.target) for one in stated if one.type == WORKS_AT and one.ended}
        begun = {one.source for one in stated if one.type == WORKS_AT and not one.ended}
        told = {route.about[0] for route in routes if route.about}
        implied = [
            one
            for one in self._implied()
            if not (one.target.is_guessed and one.target not in told)
            and (one.source, one.target) not in ended
            and one.source not in begun
            and one.source is not one.target
        ]
        unique: dict[tuple[int, str, int], Link] = {}
        for one in [*stated, *implied]:
            unique.setdefault((id(one.source), one.type, id(one.target)), one)
        return list(unique.values())

    def _stated(self, route: Route) -> Iterator[Link]:
        passage = route.passage
        subject = route.about[0] if route.about else None
        mentions = self._scene.mentions(passage)
        yield from self._changes(passage, subject, mentions)
        for found in passage.words.reporting.finditer(passage.text):
            target = self._behind(passage, mentions, found.end(), self._person)
            named = self._before(passage, mentions, found.start(), self._person)
            source = named or (subject if subject and subject.type == self._person else None)
            if source and target and source is not target:
                yield Link(source, REPORTS_TO, target, passage)
        yield from self._answers_to(passage, subject, mentions)
        yield from self._raised(passage, mentions)
        yield from self._filed(passage, mentions)
        yield from self._sent(passage)

    def _changes(self, passage: Passage, subject: Actor | None, mentions: Sequence[Mention]) -> Iterator[Link]:
        """Yield where somebody is said to have left and to have joined."""
        if subject is None or subject.type != self._person:
            return
        houses = [one for one in mentions if one.actor and one.actor.type == self._company]
        for form, ended in ((passage.words.leaving, True), (passage.words.joining, False)):
            found = form.search(passage.text)
            if not found:
                continue
            distances = [(abs(passage.tokens[one.first].start - found.end()), one.first, one.actor) for one in houses]
            near = min((one for one in distances if one[0] < _NEAR), default=None, key=lambda one: one[:2])
            house = near[2] if near else None
            if house is None and ended and any(t.folded in passage.words.plural for t in passage.tokens):
                speaker = self._scene.writer(passage)
                house = self._cast.house_of(speaker) if speaker and speaker is not subject else None
            if house:
                yield Link(subject, WORKS_AT, house, passage, ended)

    def _answers_to(self, passage: Passage, subject: Actor | None, mentions: Sequence[Mention]) -> Iterator[Link]:
        """Yield whose superior somebody is: "my boss, Ann Lee", "Ann Lee is my boss"."""
        for found in SUPERIORS.finditer(passage.text):
            target = self._beside(passage, mentions, found.start(), found.end())
            source = self._scene.writer(passage)
            if found["whose"].casefold() not in FIRST_PERSONS:
                source = subject  # "her boss is Ann Lee", of whom the sentence is
            if target and source and source is not target and source.type == self._person:
                yield Link(source, REPORTS_TO, target, passage)

    def _beside(self, passage: Passage, mentions: Sequence[Mention], start: int, end: int) -> Actor | None:
        """Return the person whose name stands right behind words, or before them with a copula or a comma between."""
        for one in mentions:
            if one.actor is None or one.actor.type != self._person:
                continue
            first, last = passage.tokens[one.first].start, passage.tokens[one.last - 1].end
            between = passage.text[end:first] if first >= end else passage.text[last:start] if last <= start else "."
            bare = set(_ADDRESS.sub("", between).replace(",", " ").casefold().split()) - HONORIFICS - _NOW
            is_joined = bare <= passage.words.copulas and (bare or first >= end or "," in between)
            if is_joined:
                return one.actor
        return None

    def _filed(self, passage: Passage, mentions: Sequence[Mention]) -> Iterator[Link]:
        """Yield who has raised a record, and for which house, as its fields say: "Reported by: Ann Lee"."""
        thing = self._thing()
        if thing is None:
            return
        for one in mentions:
            before = passage.text[: passage.tokens[one.first].start].rstrip(" *:\t")
            said = before.split()
            if said and said[-1].strip(".").casefold() in HONORIFICS:
                before = before[: before.rindex(said[-1])].rstrip(" *:\t")
            label = before.strip(" *-\t") or passage.piece.label
            is_field = passage.text[len(before) :].lstrip(" *\t").startswith(":") or not before
            if one.actor and one.actor.type == self._company and is_field and CUSTOMERS.fullmatch(label):
                yield Link(thing, ABOUT, one.actor, passage)
            is_raiser = (is_field and REQUESTERS.fullmatch(label)) or RAISED_BY.search(before)
            if one.actor and one.actor.type == self._person and is_raiser:
                yield Link(thing, ABOUT, one.actor, passage)
                if house := self._cast.house_of(one.actor):
                    yield Link(thing, ABOUT, house, passage)

    def _sent(self, passage: Passage) -> Iterator[Link]:
        """Yield who has raised a record that is told of in a mail of his, and for which house."""
        thing = self._thing()
        writer = self._scene.writer(passage) if passage.piece.writer else None
        if thing is None or writer is None or writer.type != self._person or self._scene.is_own(passage):
            return
        yield Link(thing, ABOUT, writer, passage)
        if house := self._cast.house_of(writer):
            yield Link(thing, ABOUT, house, passage)

    def _thing(self) -> Actor | None:
        """Return the record that a content is of: the main entity, or the only one that it names."""
        main, raised = self._cast.main, self._cast.types.raised
        if main:
            return main if main.type in raised else None
        things = [one for one in self._cast.actors if one.type in raised]
        return things[0] if len(things) == 1 else None

    def _raised(self, passage: Passage, mentions: Sequence[Mention]) -> Iterator[Link]:
        """Yield whom and which house a record with a number is of: "Ticket T-501 from Ann Lee (...), Acme"."""
        things = [one for one in mentions if one.actor and one.actor.type in self._cast.types.raised]
        if len(things) != 1 or things[0].first > 1:
            return
        thing = things[0].actor
        for one in mentions:
            if thing is None or one.actor is None or one.first < things[0].last:
                continue
            if one.actor.type == self._person and _is_from(passage, one):
                yield Link(thing, ABOUT, one.actor, passage)
                if house := self._cast.house_of(one.actor):
                    yield Link(thing, ABOUT, house, passage)

    def _behind(self, passage: Passage, mentions: Sequence[Mention], place: int, kind: str) -> Actor | None:
        return next(
            (
                one.actor
                for one in mentions
                if one.actor and one.actor.type == kind and 0 <= passage.tokens[one.first].start - place < _NEAR // 2
            ),
            None,
        )

    def _before(self, passage: Passage, mentions: Sequence[Mention], place: int, kind: str) -> Actor | None:
        found = [one.actor for one in mentions if one.actor and one.actor.type == kind]
        starts = [one for one in mentions if one.actor in found and passage.tokens[one.first].start < place]
        return starts[-1].actor if starts else None

    def _implied(self) -> Iterator[Link]:
        """Yield who works where by a title, an address or a house beside his name."""
        people = [(actor, actor.company, passage) for actor, passage in self._scene.linked]
        people += [(actor, self._concerned(actor), passage) for actor, passage in self._present()]
        for actor, house, passage in people:
            if house:
                yield Link(actor, WORKS_AT, house, passage)

    def _present(self) -> Iterator[tuple[Actor, Passage]]:
        """Yield the people who are named or write, the main entity at last."""
        passages = self._scene.passages
        found = [(one.actor, passage) for passage in passages for one in self._scene.mentions(passage)]
        found += [(self._scene.writer(passage), passage) for passage in passages]
        found += [(self._cast.main, passage) for passage in passages[:1]]
        yield from ((actor, passage) for actor, passage in found if actor and actor.type == self._person)

    def _concerned(self, actor: Actor) -> Actor | None:
        """Return where somebody new works, or somebody known by the address that the content gives him."""
        house = self._cast.house_of(actor)
        if house not in self._scene.houses:
            return None
        written = actor.address if actor.address in self._scene.addresses else ""
        return house if actor.head is None or (written and self._cast.at_domain(domain_of(written)) is house) else None


def _is_from(passage: Passage, mention: Mention) -> bool:
    """Whether a name stands behind "from"."""
    place = mention.first - 1
    while place > 0 and passage.tokens[place].folded in HONORIFICS:
        place -= 1
    return place >= 0 and passage.tokens[place].folded in passage.words.houses | passage.words.agents
