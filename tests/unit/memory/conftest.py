"""The memory domain in a temporary folder of its own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from interlayer.storage.lance.index import LanceIndex
from rooms import EMBEDDER, Room, TestClock


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Room]:
    made = Room(tmp_path / "interlayer.db", LanceIndex(str(tmp_path / "vectors"), EMBEDDER.space), TestClock())
    yield made
    await made.index.close()
    await made.store.close()
