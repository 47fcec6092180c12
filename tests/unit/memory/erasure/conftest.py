"""A room in which erasures can be taken back."""

from datetime import timedelta
from typing import Any

import pytest

from rooms import Room


@pytest.fixture
def graced(room: Any) -> Room:
    """Return a room in which what was forgotten can be taken back for a week."""
    return Room(room.place, room.index, room.clock, room.schema, erasure_grace=timedelta(days=7))
