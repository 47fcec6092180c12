"""`interlayer reembed`: move an organization to another embedding model while it is served."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from interlayer import answers
from interlayer.app.commands.shell import with_stores

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.models.choice import EmbedderChoice

_RATE: Final = 500.0
_NICENESS: Final = 10


@click.command()
@click.option("--to", "model", metavar="MODEL", help="local, fastembed/MODEL, or a litellm embedding id.")
@click.option("--api-base", metavar="URL", default="", help="Where MODEL is served, if you serve it yourself.")
@click.option("--folder", metavar="DIR", default="", help="Where the files of a fastembed model lie.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=_RATE,
    show_default=True,
    help="At most so many facts a second; more leaves less for the servers on this machine.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many facts, tokens and how much money it would take.")
@click.option("--rollback", is_flag=True, help="Go back to the former model, or give up a move that is not complete.")
@click.option("--drop-old", is_flag=True, help="Delete the vectors of the former model.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def reembed(
    model: str | None,
    api_base: str,
    folder: str,
    rate: float,
    dry_run: bool,
    rollback: bool,
    drop_old: bool,
    as_json: bool,
) -> None:
    """Move to another embedding model while servers go on serving. Run it again if it was interrupted."""
    if (model is not None) + rollback + drop_old != 1 or (dry_run and model is None):
        raise click.UsageError("Give one of --to MODEL [--dry-run], --rollback, --drop-old.")
    _yield_to_servers()
    from interlayer.app.settings import embedding_model

    wanted = embedding_model(model, api_base, folder, "--to") if model is not None else None
    if wanted is None:
        outcome, said = _roll_back() if rollback else _drop_old()
    else:
        outcome, said = _estimate(wanted) if dry_run else _move(wanted, rate)
    click.echo(json.dumps(outcome, indent=2) if as_json else said)


@with_stores
async def _roll_back(parts: "Parts") -> tuple[Mapping[str, Any], str]:
    space = await parts.memory.reembedder.rollback(parts.settings.principal, _progress(0))
    return {"space": space}, f"the embedding space is {space}"


@with_stores
async def _drop_old(parts: "Parts") -> tuple[Mapping[str, Any], str]:
    dropped = await parts.memory.reembedder.drop_old(parts.settings.principal)
    return {"dropped": dropped}, f"deleted: {dropped}"


@with_stores
async def _estimate(parts: "Parts", wanted: "EmbedderChoice") -> tuple[Mapping[str, Any], str]:
    from interlayer.app.adapters import price

    extent = await parts.memory.backfill.extent(parts.settings.principal.organization)
    cost = price(wanted, extent.tokens)
    paid = "nothing to a provider, or no known price" if cost is None else f"about {cost:,.4f} USD"
    said = f"{extent.facts:,} facts, about {extent.tokens:,} tokens, {paid}"
    return {**answers.as_json(extent), "cost_usd": cost}, said


@with_stores
async def _move(parts: "Parts", wanted: "EmbedderChoice", rate: float) -> tuple[Mapping[str, Any], str]:
    who = parts.settings.principal
    extent = await parts.memory.backfill.extent(who.organization)
    moved = await parts.memory.reembedder.move(who, wanted, _progress(extent.facts), rate)
    outcome = answers.as_json(moved)
    found = moved.verified
    if found is None:
        return outcome, f"the embedding space is {moved.space} already"
    return outcome, (
        f"the embedding space is {moved.space}, {moved.added:,} facts were embedded\n"
        f"verified: {found.facts:,} facts, {found.missing} missing; samples at {found.closest:.3f} or closer; "
        f"recall of sampled facts {found.recall:.0%}, before {found.recall_before:.0%}\n"
        f"Set INTERLAYER_EMBEDDER={wanted.name}. --rollback goes back, --drop-old ends that."
    )


def _yield_to_servers() -> None:
    """Let servers on this machine go first, where the system knows priorities."""
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICENESS)


def _progress(total: int) -> Callable[[int], None]:
    """Make a function that shows how far it is, how fast and how long, once a second, on stderr."""
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
