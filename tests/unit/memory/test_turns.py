"""Beside writers the projection ends: who waits for it, as an erasure does, is not kept until they fall silent."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


class ChasedIndex:
    """An index during each addition to which somebody memorizes another fact, forty times."""

    def __init__(self, room: Any) -> None:
        self._room = room
        self._index = room.index
        self.added = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    async def add(self, *given: Any) -> None:
        self.added += 1
        if self.added < 40:
            await self._room.facts("company:acme.example", f"Pump {self.added} stands in hall {self.added}.")
        await self._index.add(*given)


async def test_a_drain_carries_what_was_there_when_it_began(room: Any) -> None:
    room.index = index = ChasedIndex(room)
    await room.facts("company:acme.example", "Acme sells pumps.")
    assert await room.projector.drain("acme") == 1
    assert index.added == 1
    assert len(await index.ids("acme")) == 1
    await room.projector.drain("acme")
    assert len(await index.ids("acme")) == 2
