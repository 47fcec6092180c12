"""`interlayer reembed`: move an organization to another embedding model while it is served."""

import sys
import time
from collections.abc import Callable

import click

from interlayer.app.commands.shell import run_async, settings_of


@click.command()
@click.option("--to", "model", metavar="MODEL", help="local, fastembed/MODEL, or a litellm embedding id.")
@click.option("--api-base", metavar="URL", default="", help="Where MODEL is served, if you serve it yourself.")
@click.option("--folder", metavar="DIR", default="", help="Where the files of a fastembed model lie.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many facts a second.")
@click.option("--dry-run", is_flag=True, help="Only say how many facts, tokens and how much money it would take.")
@click.option("--rollback", is_flag=True, help="Go back to the former model, or give up a move that is not complete.")
@click.option("--drop-old", is_flag=True, help="Delete the vectors of the former model.")
@click.pass_context
def reembed(
    ctx: click.Context,
    model: str | None,
    api_base: str,
    folder: str,
    rate: float | None,
    dry_run: bool,
    rollback: bool,
    drop_old: bool,
) -> None:
    """Move to another embedding model while servers go on serving. Run it again if it was interrupted."""
    if (model is not None) + rollback + drop_old != 1 or (dry_run and model is None):
        raise click.UsageError("Give one of --to MODEL [--dry-run], --rollback, --drop-old.")
    settings = settings_of(ctx)
    from interlayer.app.adapters import price
    from interlayer.app.composition import build
    from interlayer.app.settings import embedding_model

    async def run() -> None:
        parts = build(settings)
        who = settings.principal
        try:
            if rollback:
                click.echo(f"the embedding space is {await parts.reembedder.rollback(who, _progress(0))}")
            elif drop_old:
                click.echo(f"deleted: {await parts.reembedder.drop_old(who)}")
            elif model is not None:
                wanted = embedding_model(model, api_base, folder, "--to")
                extent = await parts.filler.extent(who.organization)
                if dry_run:
                    cost = price(wanted, extent.tokens)
                    said = "nothing to a provider" if cost is None else f"about {cost:,.4f} USD"
                    click.echo(f"{extent.facts:,} facts, about {extent.tokens:,} tokens, {said}")
                    return
                moved = await parts.reembedder.move(who, wanted, _progress(extent.facts), rate)
                click.echo(f"the embedding space is {moved.space}, {moved.added:,} facts were embedded")
                if found := moved.verified:
                    click.echo(
                        f"verified: {found.facts:,} facts, {found.missing} missing; samples at {found.closest:.3f} or "
                        f"closer; recall of sampled facts {found.recall:.0%}, before {found.recall_before:.0%}"
                    )
                    click.echo(f"Set INTERLAYER_EMBEDDER={model}. --rollback goes back, --drop-old ends that.")
        finally:
            await parts.close()

    run_async(run)


def _progress(total: int) -> Callable[[int], None]:
    """Return what shows how far it is, how fast it goes and how long it takes, once a second, on stderr."""
    begun = time.monotonic()
    first: list[int] = []
    shown = 0.0

    def show(count: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if not first:
            first.append(count)
        if now - shown < 1:
            return
        shown = now
        rate = (count - first[0]) / max(now - begun, 1e-3)
        left = f", {max(total - count, 0) / rate:,.0f} s left" if rate and total else ""
        end = "" if sys.stderr.isatty() else "\n"
        click.echo(f"\r{count:,} of {total:,} facts, {rate:,.0f} a second{left}   {end}", nl=False, err=True)

    return show
