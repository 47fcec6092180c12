"""Random writers over organizations and entities that look alike: nothing of one is ever told of another."""

import itertools
import re
from collections import defaultdict
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from interlayer.answers import as_json
from interlayer.errors import InterlayerError
from interlayer.memory.requests import (
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RecallRequest,
    RelationCandidate,
    SearchRequest,
)
from interlayer.principal import Principal
from rooms import EMBEDDER, Room, TestClock
from stores import InMemory

ORGANIZATIONS = ["acme", "acme-2", "globex"]
ENTITIES = ["contact:ann@a.example", "contact:ann@b.example", "company:a.example", "company:ann", "deal:1"]
TEXTS = {"contact": "location", "company": "headquarters", "deal": "next_step"}
PLACES = list(itertools.product(ORGANIZATIONS, ENTITIES))
TOKEN = re.compile(r"token-[\w-]+")

places = st.sampled_from(PLACES)


class Writers(RuleBasedStateMachine):
    """Every statement, value and source carries a token of the place that it was written to."""

    @initialize()
    def start(self) -> None:
        self.portal_of = start_blocking_portal()
        self.portal: BlockingPortal = self.portal_of.__enter__()
        place = InMemory()
        self.room = Room(place, place.index(EMBEDDER.space), TestClock())
        self.rooms = [self.room, self.room.other()]
        self.written: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.merged: dict[tuple[str, str], tuple[str, str]] = {}
        self.numbers = itertools.count()

    def teardown(self) -> None:
        if hasattr(self, "portal"):
            self.portal.call(self.room.index.close)
            for room in self.rooms:
                self.portal.call(room.store.close)
            self.portal_of.__exit__(None, None, None)

    def call(self, function: Any, *given: Any) -> Any:
        return self.portal.call(function, *given)

    def token(self, place: tuple[str, str]) -> str:
        token = f"token-{PLACES.index(place)}-{next(self.numbers)}"
        self.written[self.home(place)].add(token)
        return token

    @rule(place=places, process=st.integers(0, 1), same=st.booleans())
    def memorize(self, place: tuple[str, str], process: int, same: bool) -> None:
        """Say the same words everywhere; only the token tells where."""
        token = self.token(place)
        text = f"The budget of {token} was approved." if same else f"Note {token}."
        request = MemorizeRequest(
            entity=place[1],
            content=f"They asked for a pilot of {token}." if same else None,
            facts=[FactCandidate(text, 0.9)],
            properties=[PropertyCandidate(TEXTS[place[1].partition(":")[0]], token, 0.9)],
            source=f"mail {token}",
            relations=[RelationCandidate("knows", ENTITIES[next(self.numbers) % len(ENTITIES)])],
        )
        self.call(self.rooms[process].memorizer.memorize, Principal(place[0], "writer"), request)

    @rule(place=places, other=st.sampled_from(ENTITIES))
    def merge(self, place: tuple[str, str], other: str) -> None:
        try:
            self.call(self.room.merger.merge, Principal(place[0], "writer"), place[1], other, "the same")
        except InterlayerError:
            return
        joined, into = self.home((place[0], other)), self.home(place)
        self.written[into] |= self.written.pop(joined, set())
        self.merged[joined] = into

    @rule(place=places)
    def forget(self, place: tuple[str, str]) -> None:
        place = self.home(place)
        try:
            self.call(lambda: self.room.forgetter.forget(Principal(place[0], "writer"), "asked to", entity=place[1]))
        except InterlayerError:
            return
        self.written.pop(place, None)
        self.merged = {one: into for one, into in self.merged.items() if self.home(one) != place}

    def home(self, place: tuple[str, str]) -> tuple[str, str]:
        while place in self.merged:
            place = self.merged[place]
        return place

    @invariant()
    def nothing_foreign_is_told(self) -> None:
        if not hasattr(self, "portal"):
            return
        for process, place in itertools.product(self.rooms[-1:], PLACES[:: max(1, len(PLACES) // 5)]):
            principal = Principal(place[0], "reader")
            own = self.written[self.home(place)]
            request = RecallRequest(
                entity=place[1],
                query="budget approved pilot token",
                include=["properties", "facts", "sources", "history"],
                limit=200,
                max_tokens=8_000,
            )
            told = self.call(process.recaller.recall, principal, request)
            assert set(TOKEN.findall(str(as_json(told)).rstrip("."))) <= own | {f"{one}." for one in own}

    @rule(organization=st.sampled_from(ORGANIZATIONS))
    def search(self, organization: str) -> None:
        own = {token for place, tokens in self.written.items() if place[0] == organization for token in tokens}
        found = self.call(self.room.searcher.search, Principal(organization, "reader"), SearchRequest(query="budget"))
        assert set(TOKEN.findall(str(as_json(found)))) <= own
        listed = self.call(self.room.searcher.list_entities, Principal(organization, "reader"), "contact", [], 50, None)
        assert set(TOKEN.findall(str(as_json(listed)))) <= own


Writers.TestCase.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)
TestIsolation = Writers.TestCase
