"""What a call may say at all, before anything is known of its entity."""

from datetime import timedelta
from typing import Any

import pytest

from interlayer.errors import InvalidInput
from interlayer.ids import timestamp
from interlayer.memory.requests import FactCandidate

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


async def test_what_was_observed_in_the_future_is_refused_by_name(room: Any) -> None:
    soon, far = room.clock.now + timedelta(hours=23), room.clock.now + timedelta(days=3)
    await room.facts(ACME, "Acme sells pumps.", observed_at=soon)
    with pytest.raises(InvalidInput, match=r"^observed_at: 2026-03-04 is more than a day in the future"):
        await room.facts(ACME, "Acme sells valves.", observed_at=far)
    facts = [FactCandidate("Acme sells tubes.", 0.9), FactCandidate("Acme sells valves.", 0.9, timestamp(far))]
    with pytest.raises(InvalidInput, match=r"^facts\.1\.observed_at"):
        await room.memorize(ACME, facts=facts)
    assert await room.texts(ACME) == ["Acme sells pumps."]
