"""The memory domain in a place of its own, which is in memory unless the test is marked `on_disk`."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rooms import EMBEDDER, Room, TestClock
from stores import place_of


@pytest.fixture
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Room]:
    place = place_of(request, tmp_path)
    made = Room(place, place.index(EMBEDDER.space), TestClock())
    yield made
    await made.index.close()
    await made.store.close()
