"""What the models take of an organization, day by day (UTC), counted in the item store for all processes together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Final

from interlayer.ids import Clock
from interlayer.memory.log import keys
from interlayer.models.chat import OverBudget
from interlayer.storage.items import ABSENT, ItemStore, Put
from interlayer.storage.optimistic import optimistically

_KEPT_FOR: Final = timedelta(days=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a day has taken: tokens, US dollars as far as prices are known, and calls."""

    tokens: int = 0
    cost: float = 0.0
    calls: int = 0


class Spending:
    """The meter of an organization. A budget of 0 is none."""

    def __init__(
        self, store: ItemStore, clock: Clock, organization: str, daily_tokens: int = 0, daily_cost: float = 0.0
    ) -> None:
        self._store = store
        self._clock = clock
        self._organization = organization
        self._daily_tokens = daily_tokens
        self._daily_cost = daily_cost

    async def reserve(self, tokens: int, cost: float) -> None:
        """Count a call ahead by what it may take at most. Raises `OverBudget` when the day does not hold it."""

        def counted(used: dict[str, Any]) -> dict[str, Any]:
            after = {
                "tokens": used["tokens"] + tokens,
                "cost": round(used["cost"] + cost, 9),
                "calls": used["calls"] + 1,
            }
            if self._daily_tokens and after["tokens"] > self._daily_tokens:
                raise OverBudget(
                    f"the budget of the day is used up ({used['tokens']} of {self._daily_tokens} tokens, and the next "
                    f"call may take {tokens}; INTERLAYER_MODEL_DAILY_TOKENS)"
                )
            if self._daily_cost and after["cost"] > self._daily_cost:
                raise OverBudget(
                    f"the budget of the day is used up ({used['cost']:.4f} of {self._daily_cost:g} US dollars, and the "
                    f"next call may cost {cost:.4f}; INTERLAYER_MODEL_DAILY_COST)"
                )
            return after

        await self._change(counted)

    async def settle(self, tokens: int, cost: float) -> None:
        """Correct what was counted ahead by a difference."""
        await self._change(
            lambda used: {
                **used,
                "tokens": max(used["tokens"] + tokens, 0),
                "cost": max(round(used["cost"] + cost, 9), 0.0),
            }
        )

    async def today(self) -> Spent:
        """Return tokens, cost and calls of this day so far."""
        item = await self._store.get(self._place())
        return Spent(**item.body) if item else Spent()

    async def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        async def attempt() -> None:
            place = self._place()
            item = await self._store.get(place)
            used = dict(item.body) if item else {"tokens": 0, "cost": 0.0, "calls": 0}
            expires_at = int((self._clock() + _KEPT_FOR).timestamp())
            await self._store.transact([Put(place, change(used), item.version if item else ABSENT, expires_at)])

        await optimistically(attempt, "the models' budget is counted by too many at once; try again")

    def _place(self) -> Any:
        return keys.usage(self._organization, f"{self._clock().astimezone(UTC):%Y-%m-%d}")
