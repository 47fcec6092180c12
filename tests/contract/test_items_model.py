"""Random histories of an item store, compared with a dictionary."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from interlayer.storage.items import Check, Delete, Key, Operation, Page, Put, Span, VersionConflict
from item_stores import OpenStore

PARTITIONS = ["acme#1", "acme#10", "globex#1"]
SORT_KEYS = st.text("aAé#\uffff\U0001f600", min_size=1, max_size=3)
KEYS = st.builds(Key, st.just("memory"), st.sampled_from(PARTITIONS), SORT_KEYS)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=9)
BODIES = st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS, max_size=3)
KINDS = st.sampled_from(["put", "put", "put", "delete", "delete any", "check"])
VERSION_ERRORS = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2])
LIFETIMES_S = st.none() | st.integers(1, 3)
PLANS = st.lists(
    st.tuples(KEYS, KINDS, BODIES, VERSION_ERRORS, LIFETIMES_S), max_size=8, unique_by=lambda plan: plan[0]
)


class StoreMachine(RuleBasedStateMachine):
    """The model: (version, body, expires_at) by key, and a clock that only the machine moves."""

    def __init__(self, portal: BlockingPortal, open_store: OpenStore) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.portal = portal
        self.now_s = 1000
        place = Path(self.stack.enter_context(TemporaryDirectory()))
        handles = [portal.wrap_async_context_manager(open_store(place, lambda: float(self.now_s))) for _ in range(2)]
        self.store, self.other = [self.stack.enter_context(handle) for handle in handles]
        self.model: dict[Key, tuple[int, Mapping[str, Any], int | None]] = {}

    def teardown(self) -> None:
        for partition in PARTITIONS:
            assert self._contents(self.portal.call(self.other.query, "memory", partition)) == self._expected(partition)
        self.stack.close()

    @rule(plans=PLANS)
    def transact(self, plans: list[tuple[Key, str, dict[str, Any], int, int | None]]) -> None:
        operations: list[Operation] = []
        failing: list[Key] = []
        for key, kind, body, error, lifetime_s in plans:
            expect = self._version(key) + error
            if kind == "put":
                operations.append(Put(key, body, expect, None if lifetime_s is None else self.now_s + lifetime_s))
            elif kind == "check":
                operations.append(Check(key, expect))
            else:
                operations.append(Delete(key, expect if kind == "delete" else None))
            if error and kind != "delete any":
                failing.append(key)
        if failing:
            with pytest.raises(VersionConflict) as caught:
                self.portal.call(self.store.transact, operations)
            assert set(caught.value.keys) == set(failing)
        else:
            self.portal.call(self.store.transact, operations)
            for operation in operations:
                self._apply(operation)

    @rule(keys=st.lists(KEYS, max_size=6))
    def get_many(self, keys: list[Key]) -> None:
        found = self.portal.call(self.other.get_many, keys)
        assert {key: (item.version, item.body) for key, item in found.items()} == {
            key: self.model[key][:2] for key in keys if self._version(key)
        }

    @rule(
        partition=st.sampled_from(PARTITIONS),
        start=st.just("") | SORT_KEYS,
        end=st.none() | SORT_KEYS,
        reverse=st.booleans(),
        limit=st.integers(1, 4),
    )
    def query_in_pages(self, partition: str, start: str, end: str | None, reverse: bool, limit: int) -> None:
        span = Span(start) if end is None else Span(start, end)
        expected = [entry for entry in self._expected(partition) if start <= entry[0] < span.end]
        found: list[tuple[str, int, Mapping[str, Any]]] = []
        cursor: str | None = None
        while True:
            page = self.portal.call(self._page, partition, span, reverse, limit, cursor)
            assert len(page.items) <= limit
            found += self._contents(page)
            cursor = page.cursor
            if cursor is None:
                break
        assert found == (expected[::-1] if reverse else expected)

    @rule()
    def a_second_passes(self) -> None:
        self.now_s += 1

    @rule()
    def swap_stores(self) -> None:
        self.store, self.other = self.other, self.store

    @rule()
    def scrub(self) -> None:
        self.portal.call(self.store.scrub)

    @rule()
    def purge(self) -> None:
        expired = [key for key in self.model if not self._version(key)]
        assert self.portal.call(self.store.purge) <= len(expired)

    async def _page(self, partition: str, span: Span, reverse: bool, limit: int, cursor: str | None) -> Page:
        return await self.other.query("memory", partition, span, reverse=reverse, limit=limit, cursor=cursor)

    def _version(self, key: Key) -> int:
        version, _, expires_at = self.model.get(key, (0, {}, None))
        return version if expires_at is None or expires_at > self.now_s else 0

    def _apply(self, operation: Operation) -> None:
        if isinstance(operation, Put):
            self.model[operation.key] = (self._version(operation.key) + 1, operation.body, operation.expires_at)
        elif isinstance(operation, Delete):
            self.model.pop(operation.key, None)

    def _expected(self, partition: str) -> list[tuple[str, int, Mapping[str, Any]]]:
        live = [key for key in self.model if key.partition == partition and self._version(key)]
        return [(key.sort, *self.model[key][:2]) for key in sorted(live, key=lambda key: key.sort.encode())]

    @staticmethod
    def _contents(page: Page) -> list[tuple[str, int, Mapping[str, Any]]]:
        return [(item.key.sort, item.version, item.body) for item in page.items]


def test_a_store_behaves_like_a_dictionary(adapter: str, open_store: OpenStore) -> None:
    with start_blocking_portal("asyncio") as portal:

        class Bound(StoreMachine):
            def __init__(self) -> None:
                super().__init__(portal, open_store)

        examples = {"memory": 100, "sqlite": 40}.get(adapter, 15)  # elsewhere each step is a request over HTTP
        limits = settings(max_examples=examples, stateful_step_count=25, deadline=None, database=None)
        run_state_machine_as_test(Bound, settings=limits)
