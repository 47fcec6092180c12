"""`interlayer cost`: what running in an account of AWS costs a month."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from interlayer.app.commands.shell import AS_JSON
from interlayer.errors import InvalidInput
from interlayer.models.choice import EmbedderChoice

if TYPE_CHECKING:
    from interlayer.app.cost.prices import Line, Prices

_Shown = tuple[dict[str, Any], Callable[[], None]]
"""What is printed as JSON, and what prints it for people."""


@click.command("cost")
@click.option("--posture", "name", metavar="P", help="The bill of one posture, line by line; without it, all of them.")
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Price what `terraform show -json PLAN` printed; repeatable.",
)
@click.option("--calls", metavar="N", type=click.IntRange(0, 10**9), help="Calls of memorize a month; 50000.")
@click.option("--model", metavar="M", help="Add the extraction model, as litellm names it.")
@click.option("--embedder", metavar="M", help="Add the embedding model, as litellm names it.")
@AS_JSON
def cost(
    name: str | None,
    plans: tuple[Path, ...],
    calls: int | None,
    model: str | None,
    embedder: str | None,
    as_json: bool,
) -> None:
    """Show what running in an account of AWS costs a month, from dated list prices. Asks nobody."""
    from interlayer.app.cost.postures import ROUNDS
    from interlayer.app.cost.prices import read_prices

    if name and plans:
        raise click.UsageError("Give --posture or --plan, not both.")
    prices, count = read_prices(), ROUNDS if calls is None else calls
    models = _models(model, embedder, count)
    if plans:
        found, show = _of_plans(plans, models, prices)
    elif name:
        found, show = _of_posture(name, models, prices, count)
    else:
        found, show = _of_postures(models, prices, count)
    if as_json:
        said = {"currency": "USD", "region": prices.region, "hours": prices.hours, "prices": prices.dated}
        click.echo(json.dumps({**said, **found}, indent=2))
        return
    show()
    if models:
        _print_assumed(models, count)


def _of_postures(models: "Sequence[Line]", prices: "Prices", calls: int) -> _Shown:
    from interlayer.app.cost.postures import POSTURES, posture_lines
    from interlayer.app.cost.report import print_postures

    bills = {name: [*posture_lines(posture, prices, calls), *models] for name, posture in POSTURES.items()}
    found = {"calls": calls, "postures": {name: _bill(lines) for name, lines in bills.items()}}
    return found, lambda: print_postures(bills, prices, calls)


def _of_posture(name: str, models: "Sequence[Line]", prices: "Prices", calls: int) -> _Shown:
    from interlayer.app.cost.postures import POSTURES, posture_lines
    from interlayer.app.cost.report import print_posture

    if name not in POSTURES:
        raise InvalidInput("--posture", f"{name!r} is none.", f"One of {', '.join(POSTURES)}.")
    posture = POSTURES[name]
    lines = [*posture_lines(posture, prices, calls), *models]
    said = {"calls": calls, "posture": name, "about": posture.about, "gives_up": posture.gives_up}
    return {**said, **_bill(lines)}, lambda: print_posture(name, posture, lines, prices, calls)


def _of_plans(plans: Sequence[Path], models: "Sequence[Line]", prices: "Prices") -> _Shown:
    from interlayer.app.cost.report import print_plans
    from interlayer.app.cost.terraform_plan import price_plans

    costs = price_plans(plans, prices)
    others = {"by_use_only": costs.by_use, "free": costs.free, "not_priced": costs.unknown}
    return {**_bill([*costs.lines, *models]), **others}, lambda: print_plans(costs, models, prices)


def _models(model: str | None, embedder: str | None, calls: int) -> "list[Line]":
    lines: list[Line] = []
    model = None if model == "none" else model
    if embedder and not EmbedderChoice(embedder).hosted:
        embedder = None  # runs in the server, which is paid for
    if not (model or embedder):
        return lines
    from interlayer.app.cost.models import embedder_lines, model_lines

    async def run() -> None:
        lines.extend(await model_lines(model, calls) if model else [])
        lines.extend(await embedder_lines(embedder, calls) if embedder else [])

    anyio.run(run)
    return lines


def _bill(lines: "Sequence[Line]") -> dict[str, Any]:
    from interlayer.app.cost.prices import sums

    fixed, by_use, total = (round(usd, 2) for usd in sums(lines))
    return {"fixed": fixed, "by_use": by_use, "total": total, "lines": [line.as_json() for line in lines]}


def _print_assumed(models: "Sequence[Line]", calls: int) -> None:
    from interlayer.app.cost.models import ANSWER_TOKENS, EMBEDDED_TOKENS, PROMPT_TOKENS
    from interlayer.app.cost.prices import sums

    assumed = f"{PROMPT_TOKENS:,} tokens read, {ANSWER_TOKENS:,} written, {EMBEDDED_TOKENS:,} embedded"
    click.echo(f"models: {sums(models)[-1] / max(calls, 1) * 1_000:.2f} per 1,000 calls, assuming for each {assumed}")
