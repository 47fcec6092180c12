"""The one loop of optimistic concurrency: tries again after a lost race, raises what is not its own, and ends."""

import pytest

from interlayer.errors import Conflict
from interlayer.storage.in_memory.items import InMemoryItems
from interlayer.storage.items import Delete, Key, Put, VersionConflict
from interlayer.storage.optimistic import apply_if_unchanged, optimistically

pytestmark = pytest.mark.anyio

ONE = Key("memory", "acme#x", "1")
OTHER = Key("memory", "acme#x", "2")


class Attempts:
    """Loses so many races over a key before it wins."""

    def __init__(self, lost: int, key: Key = ONE) -> None:
        self.lost = lost
        self.key = key
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.made <= self.lost:
            raise VersionConflict([self.key])
        return "won"


@pytest.mark.parametrize("lost", [0, 1, 59])
async def test_an_attempt_is_made_until_it_comes_first(lost: int) -> None:
    attempt = Attempts(lost)
    assert await optimistically(attempt, "busy") == "won"
    assert attempt.made == lost + 1


async def test_it_ends_with_words_for_the_caller() -> None:
    attempt = Attempts(10)
    with pytest.raises(Conflict, match="^deal: too many write"):
        await optimistically(attempt, "deal: too many write", attempts=3)
    assert attempt.made == 3


async def test_a_conflict_that_is_not_its_own_is_raised_at_once() -> None:
    attempt = Attempts(10, OTHER)
    with pytest.raises(VersionConflict) as raised:
        await optimistically(attempt, "busy", retries=lambda conflict: OTHER not in conflict.keys)
    assert raised.value.keys == (OTHER,)
    assert attempt.made == 1


async def test_operations_apply_unless_another_was_first() -> None:
    store = InMemoryItems()
    assert await apply_if_unchanged(store, [Put(ONE, {"by": "first"})])
    assert not await apply_if_unchanged(store, [Put(ONE, {"by": "second"}), Put(OTHER, {})])
    assert await store.get(OTHER) is None
    assert await apply_if_unchanged(store, [Delete(ONE, 1)])
