"""A room in which erasures can be taken back."""

from datetime import timedelta
from typing import Any

import pytest

from interlayer.audit.trail import Trail
from interlayer.memory.memory import Memory


@pytest.fixture
def graced(room: Any) -> Any:
    """Return a room in which what was forgotten can be taken back for a week."""
    trail = Trail(room.store, room.clock)
    memory = Memory.over(room.store, room.spaces, room.schema, room.clock, trail=trail, erasure_grace=timedelta(days=7))
    room.memory, room.forgetter, room.expirer, room.entities = memory, memory.forgetter, memory.expirer, memory.entities
    return room
