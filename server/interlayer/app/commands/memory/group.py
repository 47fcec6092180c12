"""`interlayer memory`: what is remembered and why, what was turned down, and what was kept long enough."""

import json
import sys
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.shell import AS_JSON, FAILED, INSTANT, echo, progress, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts


@click.group()
def memory() -> None:
    """Ask what is remembered, set it right, end it or erase it.

    An ENTITY is a name, an identifier, or type:key.
    """


@memory.command("show", short_help="Print all that is known of ENTITY.")
@click.argument("entity")
@click.option("--query", help="Only the facts that answer this best, best first.")
@click.option("--limit", type=click.IntRange(1), help="At most so many facts; 20 with --query, else all.")
@click.option("--as-of", type=INSTANT, help="What was known and valid then: 2026-03-01 or 2026-03-01T09:00:00Z.")
@click.option("--known-at", type=INSTANT, help="What had been recorded by then.")
@click.option("--history", is_flag=True, help="Show superseded facts and every observed value of each property too.")
@AS_JSON
@with_process
async def memory_show(
    parts: "Parts",
    entity: str,
    query: str | None,
    limit: int | None,
    as_of: datetime | None,
    known_at: datetime | None,
    history: bool,
    as_json: bool,
) -> int:
    """Print the dossier of ENTITY (a name, or type:key): all that is known of it, and where from."""
    from interlayer.app.commands.memory.entities import meant
    from interlayer.app.commands.output import print_dossier
    from interlayer.memory.requests import PARTS, RecallRequest

    request = RecallRequest(
        entity=await meant(parts, entity, asking=not as_json),
        query=query,
        limit=limit or (20 if query else sys.maxsize),
        include=[part for part in PARTS if part != "history" or history],
        as_of=as_of,
        known_at=known_at,
        max_tokens=sys.maxsize,
    )
    answer = await parts.memory.recall(parts.settings.principal, request)
    echo(as_json, answer, lambda: print_dossier(answer))
    return 0 if answer.found else FAILED


@memory.command("why", short_help="Trace a fact or a property to its sources.")
@click.argument("what", metavar="FACT_ID|ENTITY")
@click.argument("name", metavar="[PROPERTY|RELATION]", required=False)
@AS_JSON
@with_process
async def memory_why(parts: "Parts", what: str, name: str | None, as_json: bool) -> None:
    """Trace a fact, or a property or relation of an entity, to the words of its sources and the agents who wrote it."""
    from interlayer.app.commands.memory.entities import meant
    from interlayer.app.commands.output import print_why

    principal, memory = parts.settings.principal, parts.memory
    if name:
        entity = await meant(parts, what, asking=not as_json)
        found = await memory.explain_relation(principal, entity, name)
        found = found or await memory.explain_property(principal, entity, name)
    else:
        found = await memory.explain_fact(principal, what)
    echo(as_json, found, lambda: print_why(found))


@memory.command("rejected")
@click.option("--entity", help="Only of this entity (type:key).")
@click.option("--reason", help="Only with this reason code, such as ungrounded.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@click.option("--summary", is_flag=True, help="Count by day and reason instead of listing.")
@AS_JSON
@with_process
async def memory_rejected(
    parts: "Parts", entity: str | None, reason: str | None, limit: int, summary: bool, as_json: bool
) -> None:
    """List what the gates turned down in the last 90 days, newest first."""
    from interlayer.app.commands.output import print_rejected, print_rejected_summary

    rejections = parts.memory.rejections
    if summary:
        counts = await rejections.summary(parts.settings.principal, entity=entity)
        echo(as_json, counts, lambda: print_rejected_summary(counts))
        return
    found = await rejections.listed(parts.settings.principal, entity=entity, reason=reason, limit=limit)
    echo(as_json, found, lambda: print_rejected(found))


@memory.command("admit")
@click.argument("rejection_id", metavar="ID")
@click.option("--reason", default="", help="Why; kept in the audit trail.")
@AS_JSON
@with_process
async def memory_admit(parts: "Parts", rejection_id: str, reason: str, as_json: bool) -> None:
    """Remember a rejected candidate after all, with the source and time of the call that it came with."""
    answer = await parts.memory.rejections.admit(parts.settings.principal, rejection_id, reason)

    def show() -> None:
        said = [(one.outcome, one.text) for one in answer.facts]
        said += [(one.outcome, f"{one.name} = {one.value}") for one in answer.properties]
        for outcome, what in said:
            click.echo(f"{outcome}: {what} ({answer.entity.ref}, {answer.memory_id})")

    echo(as_json, answer, show)


@memory.command("dismiss")
@click.argument("rejection_id", metavar="ID")
@with_process
async def memory_dismiss(parts: "Parts", rejection_id: str) -> None:
    """Take a rejected candidate off the list."""
    await parts.memory.rejections.dismiss(parts.settings.principal, rejection_id)
    click.echo(f"{rejection_id} dismissed")


@memory.command("reconsider")
@click.argument("entity", required=False)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an entity that changes.")
@with_process
async def memory_reconsider(parts: "Parts", entity: str | None, dry_run: bool, as_json: bool) -> None:
    """Compare what is stored of ENTITY (type:key), or of all, once more under the rules of today.

    Facts that were merged away in other words come back, and superseded ones that still hold are current again. Started
    again, it goes on where it was broken off.
    """
    from interlayer.app.commands.output import print_reconsidered

    principal, work = parts.settings.principal, parts.memory.reconsideration
    shown, seen, changed = progress("entities"), 0, 0
    async for one in work.entities(principal, entity):
        found = await (work.compare(principal, one) if dry_run else work.apply(principal, one))
        seen += 1
        shown(seen)
        if found and not found.is_empty:
            changed += 1
            echo(as_json, found, partial(print_reconsidered, found), indent=None)
    if not as_json:
        click.echo(f"{changed} of {seen} entities {'would change' if dry_run else 'changed'}")


@memory.command("expire")
@click.option("--dry-run", is_flag=True, help="Only count what would be erased.")
@click.option("--trust-clock", is_flag=True, help="Count up to now though the clock is in doubt; it goes on record.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@with_process
async def memory_expire(parts: "Parts", dry_run: bool, trust_clock: bool, as_json: bool) -> None:
    """Erase what was kept for as long as the schema's retention says. Servers do so every hour.

    While the clock is in doubt nothing is erased. With --dry-run the present clock is taken as it is.
    """
    if dry_run and trust_clock:
        raise click.UsageError("--trust-clock is put on record, which --dry-run is not")
    shown, principal, clock = progress("memories"), parts.settings.principal, parts.memory.retention_clock
    if dry_run:
        until = None
    else:
        until = await (clock.trust(principal) if trust_clock else clock.advance(principal.organization))
    counts = await parts.memory.expirer.expire(principal, until=until, dry_run=dry_run, progress=shown)
    if as_json:
        click.echo(json.dumps(counts | {"dry_run": dry_run}))
    else:
        what = "{memories} memories, {facts} facts; {entities} entities are gone whole".format(**counts)
        click.echo(f"{'would be erased' if dry_run else 'erased'}: {what}")
