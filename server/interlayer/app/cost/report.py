"""What `interlayer cost` shows to people: plain text, each price with its unit, its date and its source."""

from collections.abc import Mapping, Sequence
from typing import Final

import click

from interlayer.app.cost.postures import POSTURES, Posture
from interlayer.app.cost.prices import Line, Price, Prices, sums
from interlayer.app.cost.terraform_plan import PlanCosts

_LOAD: Final = "calls each of memorize, recall_entity and get_governance_context"


def print_postures(bills: Mapping[str, Sequence[Line]], prices: Prices, calls: int) -> None:
    """Print what each posture costs, a line each."""
    click.echo(f"{_units(prices)}\n{calls:,} {_LOAD}")
    click.echo(f"{'posture':<26}{'fixed':>8}{'by use':>8}{'total':>9}  what it is")
    for name, lines in bills.items():
        fixed, by_use, total = sums(lines)
        click.echo(f"{name:<26}{fixed:>8.2f}{by_use:>8.2f}{total:>9.2f}  {POSTURES[name].about}")


def print_posture(name: str, posture: Posture, lines: Sequence[Line], prices: Prices, calls: int) -> None:
    """Print the bill of one posture."""
    click.echo(f"{name}: {posture.about}\ngives up: {posture.gives_up}\n{_units(prices)}\n{calls:,} {_LOAD}")
    _print_lines(lines)


def print_plans(costs: PlanCosts, models: Sequence[Line], prices: Prices) -> None:
    """Print what the resources of plans cost, and those that have no sum."""
    click.echo(_units(prices))
    _print_lines([*costs.lines, *models])
    for name, count in costs.by_use.items():
        paid = (f"{_price(prices.table[one])} per {prices.table[one].unit}" for one in prices.by_use[name])
        click.echo(f"by use    {count:>3} x {name}: {'; '.join(paid)}")
    click.echo(f"free      {sum(costs.free.values()):>3} resources")
    for name, count in costs.unknown.items():
        click.echo(f"NO PRICE  {count:>3} x {name}: not in the price table, and not in the sum")


def _price(price: Price) -> str:
    return f"{price.usd:.10f}".rstrip("0").rstrip(".")


def _units(prices: Prices) -> str:
    return f"US dollars a month, {prices.region}, {prices.hours} hours; prices of {prices.dated}"


def _print_lines(lines: Sequence[Line]) -> None:
    width = max((len(line.item) for line in lines), default=0)
    sources = {source: place for place, source in enumerate(dict.fromkeys(line.price.source for line in lines), 1)}
    for line in lines:
        paid = f"{line.quantity:>9,.2f} x {_price(line.price)} per {line.price.unit}"
        of = f"{line.price.dated} [{sources[line.price.source]}]"
        click.echo(f"{line.usd:>8.2f}  {line.item:<{width}}  {paid}, {of}{', by use' * line.by_use}")
    fixed, by_use, total = sums(lines)
    click.echo(f"{total:>8.2f}  in all: {fixed:.2f} fixed, {by_use:.2f} by use")
    for source, place in sources.items():
        click.echo(f"[{place}] {source}")
