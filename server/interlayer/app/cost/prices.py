"""List prices and lines of a bill. Each price stands in `prices.json` with its unit, its date and its source."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one `unit`, as `source` said at `dated` (year and month)."""

    usd: float
    unit: str
    dated: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """So much of something at a price. `by_use` lines follow the calls; the others are paid by the hour or month."""

    item: str
    quantity: float
    price: Price
    by_use: bool = False

    @property
    def usd(self) -> float:
        """Add up what the line costs a month."""
        return self.quantity * self.price.usd

    def as_json(self) -> dict[str, Any]:
        """Return the line with everything that is needed to check it."""
        return {
            "item": self.item,
            "quantity": round(self.quantity, 4),
            "unit": self.price.unit,
            "price": self.price.usd,
            "usd": round(self.usd, 4),
            "by_use": self.by_use,
            "dated": self.price.dated,
            "source": self.price.source,
        }


@dataclass(frozen=True, slots=True)
class Prices:
    """The table: prices by name, and how resources of a Terraform plan are paid for."""

    region: str
    dated: str
    hours: int
    """Hours of a month."""
    table: Mapping[str, Price]
    by_use: Mapping[str, Sequence[str]]
    """Names of the prices that a type of resource costs by its use."""
    free: frozenset[str]
    """Types of resource that cost nothing themselves."""

    def line(self, item: str, quantity: float, price: str, *, by_use: bool = False) -> Line:
        """Return a line at the price of that name."""
        return Line(item, quantity, self.table[price], by_use)

    def hourly(self, item: str, count: float, price: str) -> Line:
        """Return a line for what is paid every hour of the month."""
        return self.line(item, count * self.hours, price)


def read_prices() -> Prices:
    """Return the prices that come with the program."""
    data = json.loads(resources.files("interlayer.app.cost").joinpath("prices.json").read_text(encoding="utf-8"))
    return Prices(
        data["region"],
        data["dated"],
        data["hours_a_month"],
        {name: Price(**price) for name, price in data["prices"].items()},
        data["plan"]["by_use"],
        frozenset(data["plan"]["free"]),
    )


def sums(lines: Sequence[Line]) -> tuple[float, float, float]:
    """Add up what is fixed, what is paid by use, and both, in US dollars a month."""
    by_use = sum(line.usd for line in lines if line.by_use)
    total = sum(line.usd for line in lines)
    return total - by_use, by_use, total
