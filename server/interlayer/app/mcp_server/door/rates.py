"""How much each caller may ask for in a minute: a bucket each, which fills up again steadily."""

import time
from collections.abc import Callable
from typing import Final

_FULL_AGAIN_S: Final = 60.0


class Rate:
    """What callers may take a minute; 0 is no limit.

    Whoever was quiet for a minute has a whole minute's worth at once. What is larger than that is given to a full
    bucket, which then owes it.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._looked_at = clock()

    def take(self, caller: str, amount: float = 1.0) -> float:
        """Take an amount and return 0, or take nothing and return after how many seconds to ask again."""
        if not self.per_minute:
            return 0.0
        now = self._clock()
        level = self._level(caller, now)
        wanted = min(amount, self.per_minute)
        if level < wanted:
            return (wanted - level) * 60 / self.per_minute
        if now - self._looked_at > _FULL_AGAIN_S:  # whose bucket is full again is as good as new
            self._levels = {one: kept for one, kept in self._levels.items() if self._level(one, now) < self.per_minute}
            self._looked_at = now
        self._levels[caller] = level - amount, now
        return 0.0

    def _level(self, caller: str, now: float) -> float:
        level, at = self._levels.get(caller, (float(self.per_minute), now))
        return min(float(self.per_minute), level + (now - at) * self.per_minute / 60)
