"""Random histories of a vector index, compared with a dictionary."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from emulators import reach
from interlayer.storage.vectors import Hit, Row, VectorIndex
from vector_indexes import INDEXES, SPACE, OpenIndex, unit_vectors

ORGANIZATIONS = st.sampled_from(["acme", "Acme"])
WORDS = ["apple", "pear", "plum", "quince"]
NUMBERS = st.integers(0, 11)
OWNERS = st.sampled_from(["o1", "o2", "it's"])
VECTORS = unit_vectors(12)


def row_of(number: int, owner: str) -> Row:
    """Return a row whose text and vector its number decides."""
    return Row(f"r{number:02}", owner, "kind" + str(number % 2), f"{WORDS[number % 4]} number{number:02}")


class IndexMachine(RuleBasedStateMachine):
    """The model: by organization, the row of each id. Two handles stand for two processes."""

    def __init__(self, portal: BlockingPortal, open_index: OpenIndex) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.portal = portal
        place = Path(self.stack.enter_context(TemporaryDirectory()))
        handles = [portal.wrap_async_context_manager(open_index(place)) for _ in range(2)]
        self.index, self.other = [self.stack.enter_context(handle) for handle in handles]
        self.model: dict[str, dict[str, Row]] = {"acme": {}, "Acme": {}}

    def teardown(self) -> None:
        with self.stack:
            for organization, rows in self.model.items():
                assert self.portal.call(_rows, self.other, organization) == rows

    @rule(organization=ORGANIZATIONS, numbers=st.lists(NUMBERS, max_size=6), owner=OWNERS)
    def add(self, organization: str, numbers: list[int], owner: str) -> None:
        rows = [row_of(number, owner) for number in numbers]
        self.portal.call(self.index.add, organization, rows, VECTORS[numbers].reshape(-1, SPACE.dims))
        for row in rows:
            self.model[organization].setdefault(row.id, row)

    @rule(organization=ORGANIZATIONS, numbers=st.lists(NUMBERS, max_size=4, unique=True))
    def remove(self, organization: str, numbers: list[int]) -> None:
        ids = [f"r{number:02}" for number in numbers]
        present = [one for one in ids if one in self.model[organization]]
        assert self.portal.call(self.index.remove, organization, ids) == len(present)
        for one in present:
            del self.model[organization][one]

    @rule(organization=ORGANIZATIONS, owner=OWNERS)
    def vectors_of(self, organization: str, owner: str) -> None:
        found = self.portal.call(self.other.vectors_of, organization, owner)
        assert set(found) == {row.id for row in self.model[organization].values() if row.owner == owner}
        assert all(np.array_equal(vector, VECTORS[int(one[1:])]) for one, vector in found.items())

    @rule(organization=ORGANIZATIONS, number=NUMBERS, narrow=st.booleans(), word=st.sampled_from(WORDS))
    def search(self, organization: str, number: int, narrow: bool, word: str) -> None:
        rows = self.model[organization]
        owners = ["o1", "it's"] if narrow else None
        allowed = {one for one, row in rows.items() if owners is None or row.owner in owners}
        hits = self.portal.call(_search, self.other, organization, VECTORS[number], word, owners)
        assert {hit.row.id for hit in hits} == allowed
        assert all(hit.row == rows[hit.row.id] for hit in hits)
        assert {hit.row.id for hit in hits if hit.lexical} == {one for one in allowed if word in rows[one].text}
        for hit in hits:
            assert hit.cosine == pytest.approx(float(VECTORS[number] @ VECTORS[int(hit.row.id[1:])]), abs=1e-5)

    @rule(organization=ORGANIZATIONS)
    def drop(self, organization: str) -> None:
        self.portal.call(self.index.drop, organization)
        self.model[organization] = {}

    @rule(organization=ORGANIZATIONS)
    def optimize(self, organization: str) -> None:
        self.portal.call(self.index.optimize, organization)

    @rule()
    def swap_handles(self) -> None:
        self.index, self.other = self.other, self.index


async def _rows(index: VectorIndex, organization: str) -> dict[str, Row]:
    return {row.id: row async for rows in index.rows(organization) for row in rows}


async def _search(
    index: VectorIndex,
    organization: str,
    vector: "np.ndarray[tuple[int], np.dtype[np.float32]]",
    text: str,
    owners: list[str] | None,
) -> list[Hit]:
    return [*await index.search(organization, vector, text, owners=owners, limit=50)]


@pytest.mark.parametrize("adapter", INDEXES)
def test_an_index_behaves_like_a_dictionary(
    adapter: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if adapter == "s3":
        reach(request.getfixturevalue("emulator"), monkeypatch)
    with start_blocking_portal("asyncio") as portal:

        class Bound(IndexMachine):
            def __init__(self) -> None:
                super().__init__(portal, INDEXES[adapter])

        examples = {"memory": 100, "lance": 12}.get(adapter, 4)
        limits = settings(max_examples=examples, stateful_step_count=15, deadline=None, database=None)
        run_state_machine_as_test(Bound, settings=limits)
