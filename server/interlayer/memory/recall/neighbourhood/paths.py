"""How two entities are connected: the shortest chains of current relations between them, at most three steps long.

A chain of three steps leads over a neighbour of either end. So only the two ends are asked for whom they are related
to, and of their neighbours no more than whom they name themselves: a company between two people may have thousands of
others without costing more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import anyio

from interlayer.answers import display_time
from interlayer.errors import InvalidInput
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.recall.neighbourhood.links import Links, OutgoingLink
from interlayer.memory.recall.neighbourhood.path_answer import Path, PathAnswer, PathStep
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

STEPS_MAX: Final = 3
NEIGHBOURS_MAX: Final = 98
"""Neighbours of either end that are looked at: with both ends 198 entities are read at most."""

_PATHS_MAX: Final = 5
_AT_ONCE: Final = 8  # entities that are read at the same time

Chain = tuple[EntityId, ...]


@dataclass(slots=True)
class _Graph:
    """What has been read: entities as the caller may see them, by every id of theirs, and whom each names."""

    shown: dict[EntityId, Head] = field(default_factory=dict[EntityId, Head])
    is_now: dict[EntityId, EntityId] = field(default_factory=dict[EntityId, EntityId])
    named: dict[EntityId, Sequence[OutgoingLink]] = field(default_factory=dict[EntityId, Sequence[OutgoingLink]])

    def edges(self) -> Mapping[EntityId, Mapping[EntityId, PathStep]]:
        """Return by both ends the newest relation between each two."""
        found: dict[EntityId, dict[EntityId, PathStep]] = {}
        for origin, links in self.named.items():
            for link in links:
                target = self.is_now.get(link.relation.target)
                if target is None or target == origin or target not in self.named:
                    continue
                for one, other, reverse in ((origin, target, False), (target, origin, True)):
                    step = PathStep(
                        relation=link.relation.type,
                        reverse=reverse,
                        observed_at=link.observed_at,
                        memory_id=link.memory_id,
                        to=named(self.shown[other]),
                    )
                    known = found.setdefault(one, {}).get(other)
                    if known is None or _goes_before(step, known):
                        found[one][other] = step
        return found


class Paths:
    """Finds how entities are connected."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._entities = entities
        self._schema = schema
        self._links = Links(store, entities, schema)

    async def find(self, principal: Principal, start: str, end: str, steps: int = STEPS_MAX) -> PathAnswer:
        """Return the shortest ways from one entity to another. Raises `NotFound` or `InvalidInput`."""
        if not 1 <= steps <= STEPS_MAX:
            raise InvalidInput("steps", f"{steps} of them.", f"1 to {STEPS_MAX}.")
        organization, sight = principal.organization, self._entities.sight(principal)
        ends = [
            (await find_entity(self._entities, self._schema, principal, text, field_name)).head
            for text, field_name in ((start, "from"), (end, "to"))
        ]
        first, last = (head.entity for head in ends)
        if first == last:
            raise InvalidInput("to", "is the same entity.", "Name two.")
        graph = _Graph()
        await self._read(organization, ends, graph, sight)
        cut: list[NamedEntity] = []
        around: list[dict[EntityId, Head]] = []
        for head in ends if steps > 1 else ():
            near, is_cut = await self._links.neighbours(
                organization, head, graph.named[head.entity], sight, NEIGHBOURS_MAX
            )
            around.append({one.entity: one for one in near})
            cut += [named(graph.shown[head.entity])] if is_cut else []
        if around:
            near, far = around
            between = {**near, **far} if steps == STEPS_MAX else {one: near[one] for one in near.keys() & far.keys()}
            await self._read(organization, [between[one] for one in sorted(between)], graph, sight)
        chains = _chains(graph.edges(), first, last, steps)
        return PathAnswer(
            start=named(graph.shown[first]),
            end=named(graph.shown[last]),
            paths=tuple(chains[:_PATHS_MAX]),
            cut=tuple(cut),
        )

    async def _read(self, organization: str, heads: Iterable[Head], graph: _Graph, sight: Sight) -> None:
        """Read whom entities name, several at the same time; those that nobody may see stay out."""
        limiter = anyio.CapacityLimiter(_AT_ONCE)

        async def read(head: Head) -> None:
            async with limiter:
                shown = await self._entities.shown(organization, head, sight)
                if shown is None:
                    return
                links = await self._links.outgoing(organization, head, sight)
                inside = await self._entities.within(organization, head)
            graph.shown[head.entity], graph.named[head.entity] = shown, links
            graph.is_now |= dict.fromkeys(inside, head.entity)

        try:
            async with anyio.create_task_group() as group:
                for head in heads:
                    if head.entity not in graph.named:
                        group.start_soon(read, head)
        except BaseExceptionGroup as errors:  # the store is away for all of them alike
            raise errors.exceptions[0] from errors


def named(head: Head) -> NamedEntity:
    """Return how an answer names an entity."""
    return NamedEntity(ref=head.entity.ref, name=head.name)


def _chains(
    edges: Mapping[EntityId, Mapping[EntityId, PathStep]], first: EntityId, last: EntityId, steps: int
) -> list[Path]:
    """Return the ways from one entity to another that pass none twice: the shortest first, then the freshest.

    A way is as fresh as the oldest of its relations; where that does not decide, the ids do.
    """
    whole: list[Chain] = []
    begun: list[Chain] = [(first,)]
    for _ in range(steps):
        whole += [(*chain, last) for chain in begun if last in edges.get(chain[-1], {})]
        begun = [(*chain, one) for chain in begun for one in edges.get(chain[-1], {}) if one not in (*chain, last)]
    told = [(chain, [edges[one][other] for one, other in pairwise(chain)]) for chain in sorted(whole)]
    told.sort(key=lambda pair: min(step.observed_at for step in pair[1]), reverse=True)
    told.sort(key=lambda pair: len(pair[0]))
    return [_path(found) for _, found in told]


def _path(steps: Sequence[PathStep]) -> Path:
    shown = [replace(step, observed_at=display_time(step.observed_at)) for step in steps]
    return Path(steps=tuple(shown), observed_at=min(step.observed_at for step in shown))


def _goes_before(step: PathStep, other: PathStep) -> bool:
    """Tell whether a relation is shown rather than another one between the same two: the newest, then by its name."""
    if step.observed_at != other.observed_at:
        return step.observed_at > other.observed_at
    return (step.relation, step.reverse, step.memory_id) < (other.relation, other.reverse, other.memory_id)
