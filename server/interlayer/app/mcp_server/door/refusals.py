"""What the door turned away: counted for operators, and told in the log once a minute and kind."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Literal

Kind = Literal["host", "origin", "connections", "headers", "body", "shape", "calls", "tokens", "at_once", "role"]
"""Why a request or connection was turned away, as `/readyz` names it."""

_TOLD_S: Final = 60.0

logger = logging.getLogger(__name__)


class Refusals:
    """Counts what is turned away; a flood of it is one line a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._told: dict[str, tuple[float, int]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many were turned away since the start, by kind."""
        return dict(self._counts)

    def note(self, kind: Kind, what: str) -> None:
        """Count one; `what` says in words who or what it was."""
        self._counts[kind] += 1
        now, count = self._clock(), self._counts[kind]
        told_at, told = self._told.get(kind, (float("-inf"), 0))
        if now - told_at >= _TOLD_S:
            self._told[kind] = now, count
            others = f", and {count - told - 1} more since this was last said" if count - told > 1 else ""
            logger.warning("turned away (%s): %.200s%s", kind, what, others)
