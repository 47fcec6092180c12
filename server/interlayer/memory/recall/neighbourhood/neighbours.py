"""`follow`: the neighbours of an entity with what is known of them, in the room that is left for them.

Everybody is named before anybody is described: first who there is, then their first values, then the best fact of each,
then more of both, until the room is used.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import anyio

from interlayer.answers import as_json, display_time
from interlayer.language.terms import content_words, stem
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import Head
from interlayer.memory.recall.answer import Neighbour, NeighbourFact
from interlayer.memory.recall.neighbourhood.best_facts import Question, best_facts
from interlayer.memory.recall.neighbourhood.relations import RelatedEntity
from interlayer.memory.schema.schema import Schema
from interlayer.text.budget import json_tokens

_AT_ONCE: Final = 8  # logs that are read at the same time
_STEPS: Final = (("properties", 3), ("facts", 0), ("properties", 1_000), ("facts", 1), ("facts", 2))
"""What is told of each in turn: its values up to so many, its facts by place."""

_FACT_TOKENS: Final = 40  # with less room than that no log is looked into

ViewOf = Callable[[Head], Awaitable[EntityView]]
"""Returns the view of an entity as the caller may see it, at the instant that he asks for."""


@dataclass(frozen=True, slots=True)
class DescribedNeighbours:
    """The neighbours that found room, and how many did not."""

    neighbours: tuple[Neighbour, ...] = ()
    left_out: int = 0


@dataclass(slots=True)
class _Known:
    """A neighbour as far as it has been described."""

    link: RelatedEntity
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    best: Sequence[tuple[float, FactState]] = ()
    told: dict[str, Any] = field(default_factory=dict[str, Any])
    facts: list[NeighbourFact] = field(default_factory=list[NeighbourFact])

    @property
    def answer(self) -> Neighbour:
        """What the answer says of it."""
        return Neighbour(
            ref=self.link.head.entity.ref,
            name=self.link.head.name,
            relation=self.link.type,
            direction="in" if self.link.direction == "in" else None,
            properties=self.told or None,
            facts=tuple(self.facts) or None,
        )


class Neighbours:
    """Describes the neighbours of an entity."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    async def describe(
        self,
        links: Sequence[RelatedEntity],
        question: Question,
        include: Sequence[str],
        room: int,
        view_of: ViewOf,
        *,
        past: bool,
    ) -> DescribedNeighbours:
        """Return as much of neighbours as fits into so many tokens, in the order of the links; one leads to each.

        Where not all find room, those whose names and values have most of the words asked for come first.
        With `past`, values are those of the views too; else the heads have them, and views are only asked for facts.
        """
        known = [_Known(link) for link in links]
        sizes = {id(one): json_tokens(as_json(one.answer)) + 1 for one in known}
        if sum(sizes.values()) > room and question.text and not past:
            known.sort(key=lambda one: -_asked_for(one.link.head, question))
        named: list[_Known] = []
        for one in known:
            if sizes[id(one)] > room:
                break
            room -= sizes[id(one)]
            named.append(one)
        for one in named if "properties" in include and not past else ():
            one.values = self._values(one.link, one.link.head, question.min_confidence)
        if named and (past or ("facts" in include and room >= _FACT_TOKENS)):
            await _each(named, view_of, lambda one, view: self._look(one, view, question, past=past))
        for part, turn in _STEPS:
            if part in include:
                room = _tell_values(named, room, turn) if part == "properties" else _tell_facts(named, room, turn)
        return DescribedNeighbours(tuple(one.answer for one in named), len(known) - len(named))

    def _values(self, one: RelatedEntity, head: Head, min_confidence: float) -> Mapping[str, Any]:
        """Return the values that are sure enough, in the order in which the schema names them: what matters first.

        The one that says the same as the relation is left out.
        """
        schema = self._schema.stored(head.entity.type)
        return {
            name: head.properties[name]
            for name in [*schema.current, *sorted(head.properties.keys() - schema.current.keys())]
            if name in head.properties
            and (name not in head.voices or head.voices[name][0] >= min_confidence)
            and not (one.direction == "in" and schema.mirrored.get(name) == one.relation.type)
        }

    def _look(self, one: _Known, view: EntityView, question: Question, *, past: bool) -> None:
        """Take the facts of a view, and with `past` its values."""
        one.best = best_facts(view, question)
        if past:
            values = {name: state.value for name, state in view.properties.items()}
            voices = {name: (state.confidence, "") for name, state in view.properties.items()}
            head = replace(one.link.head, properties=values, voices=voices)
            one.values = self._values(one.link, head, question.min_confidence)


async def _each(known: Sequence[_Known], view_of: ViewOf, use: Callable[[_Known, EntityView], None]) -> None:
    """Read the views of neighbours at the same time, and use each before anything else is awaited."""
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def read(one: _Known) -> None:
        async with limiter:
            use(one, await view_of(one.link.stored))

    try:
        async with anyio.create_task_group() as group:
            for one in known:
                group.start_soon(read, one)
    except BaseExceptionGroup as errors:  # the store is away for all of them alike
        raise errors.exceptions[0] from errors


def _asked_for(head: Head, question: Question) -> int:
    """Return how many of the words asked for stand in the name and the values of an entity."""
    wanted = {stem(word) for word in content_words(question.words)}
    told = " ".join([head.name, *map(str, head.properties.values())])
    return len(wanted & {stem(word) for word in content_words(told)})


def _tell_values(known: Sequence[_Known], room: int, most: int) -> int:
    """Tell the next values of each, as far as the room reaches; return what is left of it."""
    for one in known:
        for name, value in list(one.values.items())[:most]:
            taken = json_tokens({name: value}) + (0 if one.told else len('"properties":') // 3)
            if name not in one.told and taken <= room:
                one.told[name] = value
                room -= taken
    return room


def _tell_facts(known: Sequence[_Known], room: int, turn: int) -> int:
    """Tell the next fact of each, the best answers first, as far as the room reaches; return what is left of it."""
    having = [one for one in known if len(one.best) > turn]
    for one in sorted(having, key=lambda one: -one.best[turn][0]):
        fact = one.best[turn][1]
        told = NeighbourFact(
            fact_id=fact.record.id,
            text=fact.record.text,
            observed_at=display_time(fact.record.observed_at),
        )
        taken = json_tokens(as_json(told)) + 1 + (0 if one.facts else len('"facts":[],') // 3)
        if taken <= room:
            one.facts.append(told)
            room -= taken
    return room
