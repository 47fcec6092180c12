"""`interlayer memory`: look at what is remembered."""

import json
import sys

import click

from interlayer.app.commands.shell import FAILED, run_async, settings_of


@click.group()
def memory() -> None:
    """Look at what is remembered."""


@memory.command("show")
@click.argument("entity")
@click.option("--history", is_flag=True, help="Show every observed value of each property.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_show(ctx: click.Context, entity: str, history: bool, as_json: bool) -> None:
    """Print what is known of ENTITY (type:key)."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened
    from interlayer.app.printing import print_dossier
    from interlayer.memory.requests import PARTS, RECALL_MAX, TOKENS_MAX, RecallRequest

    include = [part for part in PARTS if part != "history" or history]

    async def run() -> None:
        async with opened(settings) as interlayer:
            request = RecallRequest(entity=entity, include=include, limit=RECALL_MAX, max_tokens=TOKENS_MAX)
            answer = await interlayer.domains.recaller.recall(settings.principal, request)
        if as_json:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            print_dossier(answer)
        if not answer["found"]:
            sys.exit(FAILED)

    run_async(run)


@memory.command("rejected")
@click.option("--entity", help="Of this entity only (type:key).")
@click.option("--reason", help="Of this reason code only.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.option("--summary", is_flag=True, help="Only count them by reason.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_rejected(
    ctx: click.Context, entity: str | None, reason: str | None, limit: int, summary: bool, as_json: bool
) -> None:
    """List candidates that a gate turned down in the last 90 days, newest first."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened
    from interlayer.app.printing import print_rejections

    async def run() -> None:
        async with opened(settings) as parts:
            counts = await parts.rejections.summary(settings.principal)
            found = await parts.rejections.listed(settings.principal, entity=entity, reason=reason, limit=limit)
        if as_json:
            shown = {"counts": dict(counts), "rejected": [] if summary else [one.shown() for one in found]}
            click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        else:
            print_rejections(counts, [] if summary else [one.shown() for one in found])

    run_async(run)


@memory.command("admit")
@click.argument("rejection_id", metavar="ID")
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@click.pass_context
def memory_admit(ctx: click.Context, rejection_id: str, reason: str) -> None:
    """Memorize a rejected candidate after all. Secrets and instructions to a model are never admitted."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as parts:
            answer = await parts.rejections.admit(settings.principal, rejection_id, reason)
        outcomes = [one["outcome"] for one in (*answer["facts"], *answer["properties"])]
        click.echo(f"{answer['entity']['ref']}: {', '.join(outcomes)} as {answer['memory_id']}")

    run_async(run)


@memory.command("dismiss")
@click.argument("rejection_id", metavar="ID")
@click.pass_context
def memory_dismiss(ctx: click.Context, rejection_id: str) -> None:
    """Take a rejected candidate off the list."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as parts:
            await parts.rejections.dismiss(settings.principal, rejection_id)
        click.echo(f"{rejection_id} is off the list")

    run_async(run)
