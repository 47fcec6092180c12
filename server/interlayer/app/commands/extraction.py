"""`interlayer memory extract` and `evaluate`: have a model read kept content again, and see how well a model reads."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from interlayer import answers
from interlayer.app.commands.shell import FAILED, INSTANT, progress, with_process
from interlayer.errors import InvalidInput, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.app.settings import Settings
    from interlayer.memory.curation.reextraction_diff import Change
    from interlayer.models.chat import ChatSettings


@click.command("extract")
@click.option("--pending", is_flag=True, help="Read now what a model could not read when it was memorized.")
@click.option("--again", is_flag=True, help="Read kept content again and show what would change.")
@click.option("--since", type=INSTANT, help="With --again: content that was memorized since then.")
@click.option("--memory", "memory_id", metavar="ID", help="With --again: the content of this one call.")
@click.option("--model", metavar="MODEL", help="With --again: this model in place of the configured one.")
@click.option("--api-base", metavar="URL", help="With --model: where it is.")
@click.option("--apply", "applied", is_flag=True, help="With --again: put the new reading in the place of the former.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a content.")
def extract(pending: bool, again: bool, since: datetime | None, memory_id: str | None, **how: Any) -> int:
    """Have a model read content: what it has still to read (--pending), or kept content anew (--again)."""
    if pending == again:
        raise click.UsageError("Give one of --pending and --again.")
    if again and (since is None) == (memory_id is None):
        raise click.UsageError("--again takes one of --since and --memory.")
    return _read(pending, since, memory_id, **how)


@with_process
async def _read(
    parts: "Parts",
    pending: bool,
    since: datetime | None,
    memory_id: str | None,
    model: str | None,
    api_base: str | None,
    applied: bool,
    as_json: bool,
) -> int:
    found = _pending(parts) if pending else _again(parts, since, memory_id, model, api_base, applied)
    done, failed = await _print_each(found, as_json)
    if not as_json:
        what = "read" if pending or applied else "compared; nothing is written without --apply"
        click.echo(f"{done} contents {what}" + (f", {failed} could not be read" if failed else ""))
    return FAILED if failed else 0


async def _print_each(found: "AsyncGenerator[Change | str]", as_json: bool) -> tuple[int, int]:
    """Print what each reading came to as it comes; return how many there were, and how many could not be had."""
    from interlayer.app.commands.output import print_change

    done = failed = 0
    async with aclosing(found):
        async for one in found:
            if isinstance(one, str):
                failed += 1
                click.echo(f"not read: {one}", err=True)
                continue
            done += 1
            click.echo(json.dumps(answers.as_json(one), ensure_ascii=False)) if as_json else print_change(one)
    return done, failed


async def _pending(parts: "Parts") -> "AsyncGenerator[Change | str]":
    principal, memorizer = parts.settings.principal, parts.memory.memorizer
    if await parts.models.current(principal.organization) is None:
        raise Refused(
            "model: none is configured, so nothing can be read. Set INTERLAYER_MODEL or `interlayer model set`."
        )
    async with aclosing(memorizer.in_flight.resume(principal.organization, memorizer.remember)) as left:
        async for one in left:
            yield one
    async with aclosing(parts.memory.rereader.work_off(principal, early=True)) as found:
        async for one in found:
            yield one


async def _again(
    parts: "Parts",
    since: datetime | None,
    memory_id: str | None,
    model: str | None,
    api_base: str | None,
    applied: bool,
) -> "AsyncGenerator[Change | str]":
    principal, rereader = parts.settings.principal, parts.memory.rereader
    choice = await parts.models.chosen(principal.organization)
    extractor = (
        parts.models.instead(principal.organization, model, api_base, choice)
        if model
        else await parts.models.current(principal.organization)
    )
    if extractor is None:
        raise Refused("model: none is configured. Name one with --model.")
    if memory_id:
        ids = [memory_id]
    elif since:
        ids = [memory.id async for memory in rereader.sources(principal.organization, since)]
    else:
        raise InvalidInput("--since", "is missing.")
    for one in ids:
        try:
            reread = await rereader.read(principal, one, extractor)
            change = await (rereader.apply(principal, reread) if applied else rereader.change(principal, reread))
        except (Unavailable, NotFound, Refused) as error:
            yield f"{one}: {error}"
        else:
            if change:
                yield change


@click.command("evaluate")
@click.option(
    "--data", "folder", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR",
    help="Labelled samples: NAME.txt with NAME.ground_truth.json.",
)  # fmt: skip
@click.option("--model", metavar="MODEL", help="This model in place of the configured one.")
@click.option("--api-base", metavar="URL", help="With --model: where it is.")
@click.option("--plot", "plot", type=click.Path(path_type=Path), metavar="FILE", help="Write a bar chart (SVG).")
@click.option("--missed", is_flag=True, help="Also print what was expected and not found.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(
    folder: Path, model: str | None, api_base: str | None, plot: Path | None, missed: bool, as_json: bool
) -> None:
    """Score how well a model reads labelled samples, so that models can be compared on your own data."""
    from interlayer.app.bar_chart import bars
    from interlayer.app.commands.output import print_scores
    from interlayer.app.evaluation import evaluation

    settings, chosen = _choose_model(model, api_base)
    scores = anyio.run(evaluation.evaluate, settings, chosen, folder, progress("samples"))
    shares = {kind: one.shares() for kind, one in scores.items()}
    if plot:
        plot.write_text(bars(f"{chosen.name} on {folder.name}", shares), encoding="utf-8")
    if as_json:
        click.echo(
            json.dumps(
                {kind: shares[kind] | answers.as_json(one) for kind, one in scores.items()}, indent=2, default=str
            )
        )
        return
    print_scores(chosen.name, scores)
    if missed:
        click.echo("\n".join(["", *scores["all"].missed]))


@with_process
async def _choose_model(parts: "Parts", model: str | None, api_base: str | None) -> "tuple[Settings, ChatSettings]":
    from interlayer.memory.extraction.model_choice import model_ids
    from interlayer.models.chat import with_models

    chosen = (await parts.models.chosen(parts.settings.principal.organization)).settings
    if model:
        chosen = with_models(parts.settings.model, model_ids(model), api_base or chosen.api_base)
    return parts.settings, chosen
