"""`interlayer memory`: look at what is remembered, and at what was turned down; erase what was kept long enough."""

import json
import sys
from datetime import datetime

import click

from interlayer.app.commands.shell import FAILED, INSTANT, echo, progress, run_async, settings_of


@click.group()
def memory() -> None:
    """Look at what is remembered, and at what was turned down; erase what was kept long enough."""


@memory.command("show")
@click.argument("entity")
@click.option("--query", help="Only the facts that answer this best, best first.")
@click.option("--limit", type=click.IntRange(1), help="At most so many facts; 20 with --query, else all.")
@click.option("--as-of", type=INSTANT, help="What was known and valid then: 2026-03-01 or 2026-03-01T09:00:00Z.")
@click.option("--history", is_flag=True, help="Show superseded facts and every observed value of each property too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_show(
    ctx: click.Context,
    entity: str,
    query: str | None,
    limit: int | None,
    as_of: datetime | None,
    history: bool,
    as_json: bool,
) -> None:
    """Print the dossier of ENTITY (type:key): all that is known of it, and where from."""
    settings = settings_of(ctx)
    from interlayer.app.commands.output import print_dossier
    from interlayer.app.composition import opened
    from interlayer.memory.requests import PARTS, RecallRequest

    request = RecallRequest(
        entity=entity,
        query=query,
        limit=limit or (20 if query else sys.maxsize),
        include=[part for part in PARTS if part != "history" or history],
        as_of=as_of,
        max_tokens=sys.maxsize,
    )

    async def run() -> None:
        async with opened(settings) as interlayer:
            answer = await interlayer.domains.recaller.recall(settings.principal, request)
        if as_json:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            print_dossier(answer)
        if not answer["found"]:
            sys.exit(FAILED)

    run_async(run)


@memory.command("why")
@click.argument("what", metavar="FACT_ID|ENTITY")
@click.argument("name", metavar="[PROPERTY]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_why(ctx: click.Context, what: str, name: str | None, as_json: bool) -> None:
    """Trace a fact, or a property of an entity, to the words of its sources and to the agents that wrote it."""
    settings = settings_of(ctx)
    from interlayer.app.commands.output import print_why
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            why = interlayer.why
            asked = why.property(settings.principal, what, name) if name else why.fact(settings.principal, what)
            found = await asked
        click.echo(json.dumps(found, indent=2, ensure_ascii=False)) if as_json else print_why(found)

    run_async(run)


@memory.command("rejected")
@click.option("--entity", help="Only of this entity (type:key).")
@click.option("--reason", help="Only with this reason code, such as ungrounded.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@click.option("--summary", is_flag=True, help="Count by day and reason instead of listing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_rejected(
    ctx: click.Context, entity: str | None, reason: str | None, limit: int, summary: bool, as_json: bool
) -> None:
    """List what the gates turned down in the last 90 days, newest first."""
    settings = settings_of(ctx)
    from interlayer.app.commands.output import print_rejected, print_rejected_summary
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            rejections = interlayer.rejections
            if summary:
                counts = await rejections.summary(settings.principal, entity=entity)
                click.echo(json.dumps(counts, indent=2)) if as_json else print_rejected_summary(counts)
                return
            found = await rejections.listed(settings.principal, entity=entity, reason=reason, limit=limit)
        click.echo(json.dumps(found, indent=2, ensure_ascii=False)) if as_json else print_rejected(found)

    run_async(run)


@memory.command("admit")
@click.argument("rejection_id", metavar="ID")
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_admit(ctx: click.Context, rejection_id: str, reason: str, as_json: bool) -> None:
    """Remember a rejected candidate after all, with the source and time of the call that it came with."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            answer = await interlayer.rejections.admit(settings.principal, rejection_id, reason)

        def show() -> None:
            said = [(one.outcome, one.text) for one in answer.facts]
            said += [(one.outcome, f"{one.name} = {one.value}") for one in answer.properties]
            for outcome, what in said:
                click.echo(f"{outcome}: {what} ({answer.entity.ref}, {answer.memory_id})")

        echo(as_json, answer, show)

    run_async(run)


@memory.command("dismiss")
@click.argument("rejection_id", metavar="ID")
@click.pass_context
def memory_dismiss(ctx: click.Context, rejection_id: str) -> None:
    """Take a rejected candidate off the list."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            await interlayer.rejections.dismiss(settings.principal, rejection_id)
        click.echo(f"{rejection_id} dismissed")

    run_async(run)


@memory.command("expire")
@click.option("--dry-run", is_flag=True, help="Only count what would be erased.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_context
def memory_expire(ctx: click.Context, dry_run: bool, as_json: bool) -> None:
    """Erase what was kept for as long as the schema's retention says. Servers do so every hour."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            shown = progress("memories")
            counts = await interlayer.expirer.expire(settings.principal, dry_run=dry_run, progress=shown)
        if as_json:
            click.echo(json.dumps(counts | {"dry_run": dry_run}))
        else:
            what = "{memories} memories, {facts} facts; {entities} entities are gone whole".format(**counts)
            click.echo(f"{'would be erased' if dry_run else 'erased'}: {what}")

    run_async(run)
