"""`interlayer cost`: what running in an account of AWS costs a month."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlayer.app.commands.shell import run_async

if TYPE_CHECKING:
    from interlayer.app.plan_costs import PlanCosts
    from interlayer.app.prices import Line, Prices


@click.command("cost")
@click.option("--posture", metavar="P", help="The bill of one posture, line by line; without it, all of them.")
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Price what `terraform show -json PLAN` printed; repeatable.",
)
@click.option("--calls", metavar="N", type=click.IntRange(0, 10**9), help="Calls of memorize a month; 50,000.")
@click.option("--model", metavar="M", help="Add the extraction model, as litellm names it.")
@click.option("--embedder", metavar="M", help="Add the embedding model, as litellm names it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cost(
    posture: str | None,
    plans: tuple[Path, ...],
    calls: int | None,
    model: str | None,
    embedder: str | None,
    as_json: bool,
) -> None:
    """Show what running in an account of AWS costs a month, from dated list prices. Asks nobody."""
    from interlayer.app.plan_costs import price_plan
    from interlayer.app.postures import ROUNDS
    from interlayer.app.prices import read_prices

    if posture and plans:
        raise click.UsageError("Give --posture or --plan, not both.")
    prices = read_prices()
    count = ROUNDS if calls is None else calls
    models = _models(model, embedder, count)
    if plans:
        _show_plans([price_plan(plan, prices) for plan in plans], models, prices, as_json)
    elif posture:
        _show_posture(posture, models, prices, count, as_json)
    else:
        _show_postures(models, prices, count, as_json)
    if not as_json:
        _show_thousand(models, count)


def _models(model: str | None, embedder: str | None, calls: int) -> "list[Line]":
    if not (model or embedder):
        return []
    from interlayer.app.model_costs import embedder_lines, model_lines

    lines: list[Line] = []

    async def run() -> None:
        lines.extend(await model_lines(model, calls) if model else [])
        lines.extend(await embedder_lines(embedder, calls) if embedder else [])

    run_async(run)
    return lines


def _show_thousand(models: "Sequence[Line]", calls: int) -> None:
    """Say what the models of a thousand calls cost, and of how long a call that is so."""
    if not (models and calls):
        return
    from interlayer.app.model_costs import ANSWER_TOKENS, EMBEDDED_TOKENS, PROMPT_TOKENS
    from interlayer.app.prices import total

    assumed = f"{PROMPT_TOKENS:,} tokens read, {ANSWER_TOKENS:,} written, {EMBEDDED_TOKENS:,} embedded a call"
    click.echo(f"models: {total(models) / calls * 1_000:.2f} per 1,000 calls of memorize, assuming {assumed}")


def _show_postures(models: "Sequence[Line]", prices: "Prices", calls: int, as_json: bool) -> None:
    from interlayer.app.postures import POSTURES, posture_lines

    bills = {name: [*posture_lines(posture, prices, calls), *models] for name, posture in POSTURES.items()}
    if as_json:
        _json({name: _sums(lines) for name, lines in bills.items()}, prices, calls)
        return
    click.echo(_head(prices, calls))
    click.echo(f"{'posture':<26}{'fixed':>8}{'by use':>8}{'total':>9}  what it is")
    for name, lines in bills.items():
        sums = _sums(lines)
        about = POSTURES[name].about
        click.echo(f"{name:<26}{sums['fixed']:>8.2f}{sums['by_use']:>8.2f}{sums['total']:>9.2f}  {about}")


def _show_posture(name: str, models: "Sequence[Line]", prices: "Prices", calls: int, as_json: bool) -> None:
    from interlayer.app.postures import POSTURES, posture_lines
    from interlayer.errors import InvalidInput

    if name not in POSTURES:
        raise InvalidInput("--posture", f"{name!r} is none.", f"One of {', '.join(POSTURES)}.")
    posture = POSTURES[name]
    lines = [*posture_lines(posture, prices, calls), *models]
    if as_json:
        said = {"posture": name, "about": posture.about, "gives_up": posture.gives_up}
        _json({**said, **_sums(lines), "lines": [line.as_json() for line in lines]}, prices, calls)
        return
    click.echo(f"{name}: {posture.about}")
    click.echo(f"gives up: {posture.gives_up}")
    click.echo(_head(prices, calls))
    _lines(lines)


def _show_plans(costs: "Sequence[PlanCosts]", models: "Sequence[Line]", prices: "Prices", as_json: bool) -> None:
    lines = [line for one in costs for line in one.lines] + list(models)
    by_use, free, unknown = (
        _added([one.by_use for one in costs]),
        _added([one.free for one in costs]),
        _added([one.unknown for one in costs]),
    )
    if as_json:
        found = {"by_use": by_use, "free": free, "not_priced": unknown}
        _json({**_sums(lines), "lines": [line.as_json() for line in lines], "resources": found}, prices, None)
        return
    click.echo(f"US dollars a month, {prices.region}, {prices.hours} hours; prices of {prices.dated}")
    _lines(lines)
    for name, count in by_use.items():
        units = (f"{prices.table[one].usd:.10g} per {prices.table[one].unit}" for one in prices.by_use[name])
        click.echo(f"by use    {count:>3} x {name}: {'; '.join(units)}")
    click.echo(f"free      {sum(free.values())} resources")
    for name, count in unknown.items():
        click.echo(f"NO PRICE  {count:>3} x {name}: not in the price table, and not in the sum")


def _head(prices: "Prices", calls: int) -> str:
    load = f"{calls:,} calls each of memorize, recall_entity and get_governance_context"
    return f"US dollars a month, {prices.region}, {prices.hours} hours; {load}; prices of {prices.dated}"


def _lines(lines: "Sequence[Line]") -> None:
    width = max((len(line.item) for line in lines), default=0)
    sources = {source: place for place, source in enumerate(dict.fromkeys(line.price.source for line in lines), 1)}
    for line in lines:
        paid = f"{line.quantity:>10,.2f} x {line.price.usd:.10g} per {line.price.unit}"
        of = f"{line.price.dated} [{sources[line.price.source]}]"
        click.echo(f"{line.usd:>8.2f}  {line.item:<{width}}  {paid}, {of}{', by use' * line.by_use}")
    sums = _sums(lines)
    click.echo(f"{sums['total']:>8.2f}  in all: {sums['fixed']:.2f} fixed, {sums['by_use']:.2f} by use")
    for source, place in sources.items():
        click.echo(f"[{place}] {source}")


def _sums(lines: "Sequence[Line]") -> dict[str, float]:
    from interlayer.app.prices import total

    by_use = total([line for line in lines if line.by_use])
    return {"fixed": round(total(lines) - by_use, 2), "by_use": round(by_use, 2), "total": round(total(lines), 2)}


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = sorted({name for one in counts for name in one})
    return {name: sum(one.get(name, 0) for one in counts) for name in names}


def _json(found: Mapping[str, Any], prices: "Prices", calls: int | None) -> None:
    said = {"region": prices.region, "hours": prices.hours, "prices": prices.dated, "currency": "USD", "calls": calls}
    click.echo(json.dumps({**said, **found} if "total" in found else {**said, "postures": found}, indent=2))
