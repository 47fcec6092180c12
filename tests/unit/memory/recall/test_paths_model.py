"""Paths against a search that tries everything, on small graphs: the same ways in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from interlayer.answers import as_json
from interlayer.memory.requests import MemorizeRequest, RelationCandidate
from rooms import EMBEDDER, Room, TestClock
from stores import InMemory

PEOPLE = [f"contact:p{number}@x.example" for number in range(6)]
START = datetime(2026, 1, 1, tzinfo=UTC)
Edge = tuple[int, int, str, int]
"""From whom, to whom, of which type, on which day of the year."""

people = st.integers(0, len(PEOPLE) - 1)
edges = st.lists(st.tuples(people, people, st.sampled_from(["trusts", "mentors"]), st.integers(0, 40)), max_size=14)


def by_trying_everything(told: Sequence[Edge], refs: Sequence[str], ends: tuple[int, int], steps: int) -> list[str]:
    """Return all ways that pass nobody twice: the shortest first, then by the age of the oldest relation, then ids."""
    days: dict[frozenset[int], int] = {}
    for one, other, day in _latest(told):
        pair = frozenset({one, other})
        days[pair] = max(day, days.get(pair, -1))

    def ways(way: list[int]) -> Iterator[list[int]]:
        if way[-1] == ends[1]:
            yield way
        elif len(way) <= steps:
            for one in range(len(PEOPLE)):
                if one not in way and frozenset({way[-1], one}) in days:
                    yield from ways([*way, one])

    found = list(ways([ends[0]]))
    found.sort(key=lambda way: [refs[one] for one in way])
    found.sort(key=lambda way: -min(days[frozenset(pair)] for pair in pairwise(way)))
    found.sort(key=len)
    return [" ".join(refs[one] for one in way[1:]) for way in found[:5]]


def _latest(told: Sequence[Edge]) -> Iterator[tuple[int, int, int]]:
    """Yield each relation once, as it was observed last."""
    last: dict[tuple[int, int, str], int] = {}
    for one, other, kind, day in told:
        if one != other:
            last[one, other, kind] = max(day, last.get((one, other, kind), -1))
    yield from ((one, other, day) for (one, other, _), day in last.items())


async def by_asking(told: Sequence[Edge], ends: tuple[int, int], steps: int) -> tuple[list[str], list[str]]:
    """Return the refs of all people, and the ways that memory tells."""
    place = InMemory()
    room = Room(place, place.index(EMBEDDER.space), TestClock())
    refs: list[str] = []
    for person in PEOPLE:
        answer = await room.facts(person, "Somebody.")
        refs.append(answer["entity"]["ref"])
    for one, other, kind, day in told:
        if one != other:
            await room.memorizer.memorize(
                room.principal,
                MemorizeRequest(
                    entity=PEOPLE[one],
                    relations=[RelationCandidate(kind, PEOPLE[other])],
                    observed_at=START + timedelta(days=day),
                ),
            )
    found = as_json(await room.memory.find_paths(room.principal, PEOPLE[ends[0]], PEOPLE[ends[1]], steps))
    again = as_json(await room.other().memory.find_paths(room.principal, PEOPLE[ends[0]], PEOPLE[ends[1]], steps))
    assert found == again
    await room.index.close()
    await room.store.close()
    return refs, _ways(found)


def _ways(found: Mapping[str, list[Mapping[str, list[Mapping[str, Mapping[str, str]]]]]]) -> list[str]:
    return [" ".join(step["to"]["ref"] for step in path["steps"]) for path in found["paths"]]


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(told=edges, ends=st.tuples(people, people).filter(lambda pair: pair[0] != pair[1]), steps=st.integers(1, 3))
def test_the_ways_are_those_that_trying_everything_finds(told: list[Edge], ends: tuple[int, int], steps: int) -> None:
    refs, found = anyio.run(by_asking, told, ends, steps)
    assert found == by_trying_everything(told, refs, ends, steps)
