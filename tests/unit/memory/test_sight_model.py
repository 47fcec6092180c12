"""Two worlds for each observer: all that is memorized, and only what he may see. What he is told is the same."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from interlayer.answers import as_json
from interlayer.errors import InterlayerError
from interlayer.memory.entities.sight import ORGANIZATION, sight_of, visibility_of
from interlayer.memory.requests import (
    Condition,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RecallRequest,
    RelatedTo,
    RelationCandidate,
    SearchRequest,
)
from interlayer.memory.schema.schema import parse_schema
from interlayer.principal import Principal
from rooms import EMBEDDER, Room, TestClock
from stores import InMemory

SCHEMA = parse_schema(
    """
entities:
  contact:
    identifiers: [email]
    pronouns: [she]
    properties:
      title: {type: text, indexed: true}
      city: {type: text, indexed: true, sensitivity: personal}
      salary: {type: number, indexed: true, sensitivity: restricted, find: ['salary is {value}']}
      tags: {type: list, update: append, indexed: true}
      boss: {type: text, target: contact, relation: reports_to, sensitivity: personal}
relations:
  reports_to: {from: contact, to: contact, inverse: manages, at_most: 1}
identifiers:
  email: {pattern: '[^@ ]+@[^@ ]+'}
""",
    "schema",
)
EVERYTHING = ["properties", "facts", "relations", "sources", "history"]
WRITER, READER = frozenset({"writer"}), frozenset({"reader", "writer"})
PEOPLE = [
    Principal("acme", "desk", READER | {"reader:restricted"}, frozenset({"sales"}), "ann"),
    Principal("acme", "desk", READER, frozenset({"Sales", "legal"}), "bob"),
    Principal("acme", "desk", READER, frozenset(), "cid"),
    Principal("acme", "robot", READER | {"reader:restricted"}),
    Principal("acme", "robot", WRITER, frozenset({"legal"})),
]
VISIBILITIES = ["organization", "team:sales", "team:Legal", "private"]
ENTITIES = ["contact:dora@acme.example", "contact:Eve Adams", "contact:Eve Stone", "contact:finn@acme.example"]
FACTS = [
    "Dora leads the Oslo office.",
    "Dora leads the Rome office.",
    "Dora no longer leads the Oslo office.",
    "The pilot starts in {month}.",
    "The budget of the pilot is {amount} EUR.",
    "Eve Adams prefers calls in the morning.",
    "She asked for an invoice.",
]
WORD = re.compile(r"\b[emfq]_[0-9a-z_]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?")
people, places = st.sampled_from(range(len(PEOPLE))), st.sampled_from(ENTITIES)


class World:
    """Memory in a place of its own."""

    def __init__(self) -> None:
        place = InMemory()
        self.room = Room(place, place.index(EMBEDDER.space), TestClock(), SCHEMA)

    async def memorize(self, principal: Principal, request: MemorizeRequest) -> Any:
        return await _told(self.room.memorizer.memorize(principal, request))

    async def told(self, principal: Principal) -> list[Any]:
        """Return all that a reader gets by asking."""
        room = self.room
        answers: list[Any] = []
        for entity, query in itertools.product([*ENTITIES, "contact:Eve"], [None, "Who leads the pilot?"]):
            request = RecallRequest(entity=entity, query=query, include=EVERYTHING, limit=100, max_tokens=8_000)
            answers.append(await _told(room.recaller.recall(principal, request)))
            small = replace(request, include=("facts",), limit=1, max_tokens=400)
            answers.append(await _told(room.recaller.recall(principal, small)))
            answers.append(await _told(room.recaller.properties(principal, entity)))
            answers += [await _told(room.recaller.recall(principal, one)) for one in _followed(request)]
        queries = ("budget of the pilot", "What does Dora lead?", "Eve Adams")
        asked = [SearchRequest(query=query, limit=50) for query in queries]
        answers += [await _told(room.searcher.search(principal, one)) for one in asked]
        wheres = [
            [],
            [Condition("title", "eq", "CEO")],
            [Condition("title", "ne", "CEO")],
            [Condition("city", "contains", "o")],
            [Condition("salary", "gt", 1)],
            [Condition("tags", "contains", "vip")],
        ]
        for where, limit in itertools.product(wheres, (1, 50)):
            answers.append(await _told(self._pages(principal, where, limit)))
        for entity, relation in itertools.product(ENTITIES, (None, "knows")):
            answers.append(await _told(self._pages(principal, [], 1, RelatedTo(entity, relation))))
        for start, end in itertools.permutations(ENTITIES, 2):
            answers.append(await _told(self._ways(principal, start, end)))
        answers.append(await room.entities.names_from("acme", "contact", "", room.entities.sight(principal)))
        answers.append(await _told(room.rejections.listed(principal)))
        answers.append(await _told(room.identities.conflicts(principal)))
        return answers

    async def _ways(self, principal: Principal, start: str, end: str) -> list[Any]:
        """Return how two are connected, without the order of what is equally new: that is by ids."""
        found = await self.room.recaller.paths.find(principal, start, end)
        return [
            found.start.name,
            found.end.name,
            *sorted(str([one.to.name for one in way.steps]) for way in found.paths),
        ]

    async def _pages(
        self, principal: Principal, where: list[Condition], limit: int, related: RelatedTo | None = None
    ) -> list[Any]:
        """Return all pages of a list. Which entity was there first is known from its id, whoever made it."""
        found, withheld = list[Any](), set[Any]()
        cursor: str | None = ""
        while cursor is not None:
            page = await self.room.searcher.list_entities(principal, "contact", where, limit, cursor or None, related)
            found += page.entities
            withheld |= set(page.withheld or ())
            cursor = page.next_cursor
        return [
            *sorted(found, key=lambda one: (one.name, str(one.properties))),
            *sorted(withheld, key=lambda one: one.name),
        ]


def _followed(request: RecallRequest) -> list[RecallRequest]:
    """Return the call with its neighbours: as they are, in little room, and as they were."""
    full = replace(request, include=("properties", "facts", "relations"), follow=["*"])
    return [full, replace(full, max_tokens=500), replace(full, as_of=datetime(2026, 2, 1, 14, tzinfo=UTC))]


async def _told(asked: Any) -> Any:
    try:
        return as_json(await asked)
    except InterlayerError as error:
        return {"error": str(error)}


def plain(answers: Any) -> str:
    """Write answers with ids by their order of appearance, without times and the ids within cursors."""
    numbers: dict[str, str] = {}
    text = TIME.sub("TIME", re.sub(r"'next_cursor': '[^']+'", "'next_cursor': 'more'", str(answers)))
    return WORD.sub(lambda found: numbers.setdefault(found[0], f"{found[0][:2]}{len(numbers)}"), text)


class Worlds(RuleBasedStateMachine):
    """All that anybody does is done in one world; in another one for each observer, what he may see of it."""

    @initialize()
    def start(self) -> None:
        self.portal_of = start_blocking_portal()
        self.portal: BlockingPortal = self.portal_of.__enter__()
        self.all = World()
        self.own = [World() for _ in PEOPLE]
        self.now = datetime(2026, 2, 1, 9, tzinfo=UTC)

    def teardown(self) -> None:
        if not hasattr(self, "portal"):
            return
        try:
            for number, principal in enumerate(PEOPLE):
                if "reader" in principal.roles:
                    told = self.portal.call(self.all.told, principal)
                    expected = self.portal.call(self.own[number].told, principal)
                    for one, other in zip(told, expected, strict=True):
                        assert plain(one) == plain(other), principal
        finally:
            for world in [self.all, *self.own]:
                self.portal.call(world.room.index.close)
                self.portal.call(world.room.store.close)
            self.portal_of.__exit__(None, None, None)

    def memorize(self, writer: int, request: MemorizeRequest) -> None:
        """Do it everywhere where it may be seen; where its value may not be, there is another one."""
        self.now += timedelta(hours=1)
        request = replace(request, observed_at=self.now)
        principal = PEOPLE[writer]
        answer = self.portal.call(self.all.memorize, principal, request)
        where = visibility_of(principal, request.visibility)
        for number, observer in enumerate(PEOPLE):
            sight = sight_of(observer, "personal")
            # A writer who reads nothing knows only that he writes: of his world he gets answers, and no more.
            if not sight.sees(where) and number != writer:
                continue
            if not sight.sees(ORGANIZATION):
                if number == writer:
                    answered = self.portal.call(World().memorize, principal, request)
                    assert plain(answer) == plain(answered)
                continue
            other = self.portal.call(self.own[number].memorize, principal, _as_seen(request, sight.level))
            if number == writer and "salary" not in str(request):
                assert plain(answer) == plain(other), principal

    @rule(writer=people, entity=places, visibility=st.sampled_from(VISIBILITIES), data=st.data())
    def state(self, writer: int, entity: str, visibility: str, data: Any) -> None:
        text = data.draw(st.sampled_from(FACTS)).format(
            month=data.draw(st.sampled_from(["March", "April"])), amount=data.draw(st.sampled_from([2_000, 3_000]))
        )
        self.memorize(writer, MemorizeRequest(entity=entity, facts=[FactCandidate(text, 0.9)], visibility=visibility))

    @rule(writer=people, entity=places, visibility=st.sampled_from(VISIBILITIES), data=st.data())
    def set_value(self, writer: int, entity: str, visibility: str, data: Any) -> None:
        name, value = data.draw(
            st.sampled_from(
                [
                    ("title", "CEO"),
                    ("title", "CTO"),
                    ("city", "Oslo"),
                    ("tags", ["vip"]),
                    ("tags", ["new"]),
                    ("boss", "Eve Adams"),
                ]
            )
        )
        remove = data.draw(st.booleans()) and data.draw(st.booleans())
        given = [PropertyCandidate(name, value, 0.9, remove=remove)]
        self.memorize(writer, MemorizeRequest(entity=entity, properties=given, visibility=visibility))

    @rule(writer=people, entity=places, visibility=st.sampled_from(VISIBILITIES), data=st.data())
    def read_a_text(self, writer: int, entity: str, visibility: str, data: Any) -> None:
        amount = data.draw(st.sampled_from([90_000, 95_500]))
        text = f"She asked for an invoice. Her salary is {amount}. The pilot starts in May."
        self.memorize(writer, MemorizeRequest(entity=entity, content=text, source="mail 7", visibility=visibility))

    @rule(
        writer=people,
        entity=places,
        visibility=st.sampled_from(VISIBILITIES),
        other=places,
        kind=st.sampled_from(["knows", "reports_to", "manages"]),
        ended=st.booleans(),
        day=st.sampled_from([None, "2026-01-02T00:00:00.000000Z", "2026-01-04T00:00:00.000000Z"]),
    )
    def relate(
        self, writer: int, entity: str, visibility: str, other: str, kind: str, ended: bool, day: str | None
    ) -> None:
        related = [RelationCandidate(kind, other, ended=ended, observed_at=day)]
        self.memorize(writer, MemorizeRequest(entity=entity, relations=related, visibility=visibility))

    @rule(writer=people, entity=places, visibility=st.sampled_from(VISIBILITIES))
    def name(self, writer: int, entity: str, visibility: str) -> None:
        self.memorize(
            writer,
            MemorizeRequest(
                entity=entity,
                name=f"Eve {entity[-3:]}",
                properties=[],
                visibility=visibility,
                facts=[FactCandidate("Goes by another name.", 0.9)],
            ),
        )


def _as_seen(request: MemorizeRequest, level: int) -> MemorizeRequest:
    if level == 3 or not request.content:
        return request
    return replace(request, content=re.sub(r"salary is \d+", "salary is 71234", request.content))


Worlds.TestCase.settings = settings(
    max_examples=8, stateful_step_count=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # a failure says what it is without being made smaller, which takes minutes
TestSight = Worlds.TestCase
