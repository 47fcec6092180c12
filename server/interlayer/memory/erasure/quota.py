"""How many erasures a caller may make on a day: one that goes astray does not empty a memory within seconds."""

from datetime import UTC, datetime, timedelta
from typing import Final

from interlayer.errors import Refused
from interlayer.ids import Clock
from interlayer.memory.log import keys
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, ItemStore, Put

DEFAULT: Final = 20


class ErasureQuota:
    """Counts the erasures of each caller and day (UTC); of a person where one is known, whichever agent he uses."""

    def __init__(self, store: ItemStore, clock: Clock, a_day: int = DEFAULT) -> None:
        self._store = store
        self._clock = clock
        self._a_day = a_day

    async def one_more(self, principal: Principal) -> list[Put]:
        """Build what counts another erasure, in the transaction that makes it. Raises `Refused` when it is too many."""
        if not self._a_day:
            return []
        today = self._clock().astimezone(UTC).date()
        place = keys.erasures(principal.organization, today.isoformat(), principal.person)
        item = await self._store.get(place)
        count = item.body["count"] if item else 0
        free = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
        if count >= self._a_day:
            raise Refused(
                f"forget: {self._a_day} erasures a day are the limit of a caller; the next is free at "
                f"{free:%Y-%m-%d %H:%M} UTC. An operator can go on with `interlayer memory forget`, or raise "
                "INTERLAYER_ERASURE_QUOTA."
            )
        expires_at = int((free + timedelta(days=1)).timestamp())
        return [Put(place, {"count": count + 1}, item.version if item else ABSENT, expires_at)]
