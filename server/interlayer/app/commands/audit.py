"""`interlayer audit`: look at the audit trail, prove that nobody has touched it, hand it to an auditor."""

import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import click

from interlayer.app.commands.shell import FAILED, INSTANT, progress, run_async, settings_of
from interlayer.app.settings import Settings

if TYPE_CHECKING:
    from interlayer.app.composition import Parts

_POLL_S: Final = 1.0
_FAULTS_SHOWN: Final = 1_000
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.group()
def audit() -> None:
    """Look at the audit trail, verify it, hand it to an auditor."""


@audit.command("tail")
@click.option("--follow", is_flag=True, help="Go on with what is recorded from now, until interrupted.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def audit_tail(ctx: click.Context, follow: bool, limit: int, as_json: bool) -> None:
    """Print the newest events, oldest of them first."""
    settings = settings_of(ctx)

    async def run() -> None:
        async with _reading(settings) as parts:
            events = await parts.audit.newest(settings.principal, limit)
            number = 0
            while True:
                for event in events:
                    click.echo(json.dumps(event, ensure_ascii=False) if as_json else _event_line(event))
                    number = event["number"] if isinstance(event.get("number"), int) else number + 1
                if not follow:
                    return
                events = await parts.audit.since(settings.principal, number)
                if not events:
                    await anyio.sleep(_POLL_S)

    run_async(run)


@audit.command("receipts")
@click.option("--agent", help="Only those of this agent.")
@click.option("--policy", help="Only those that name this policy.")
@click.option("--kind", type=click.Choice(["context", "check", "memorize"]), help="Only those of this kind.")
@click.option("--at", type=INSTANT, help="What had been told by then: 2026-03-01 or 2026-03-01T09:00:00Z.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="At most so many; default: 1 with --at, else 20.")
@_JSON
@click.pass_context
def audit_receipts(
    ctx: click.Context,
    agent: str | None,
    policy: str | None,
    kind: str | None,
    at: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print what agents were told and memorized, newest first; with --at the last that had been told by then."""
    settings = settings_of(ctx)

    async def run() -> None:
        count = limit or (1 if at else 20)
        async with _reading(settings) as parts:
            chosen = {"agent": agent, "policy": policy, "kind": kind}
            found = await parts.audit.receipts(settings.principal, **chosen, at=at, limit=count)
        if as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        for one in () if as_json else found:
            click.echo(_receipt_lines(one))
        if not found:
            click.echo("no such receipt", err=True)
            sys.exit(FAILED)

    run_async(run)


@audit.command("seal")
@_JSON
@click.pass_context
def audit_seal(ctx: click.Context, as_json: bool) -> None:
    """Seal every receipt that is not sealed yet, whenever it was made. A running server does so each minute."""
    settings = settings_of(ctx)

    async def run() -> None:
        async with _reading(settings) as parts:
            show = progress("receipts sealed")
            done = await parts.sealer.seal(settings.principal, everything=True, progress=show)
        if as_json:
            click.echo(json.dumps({"receipts": done.receipts, "segments": done.segments}))
        else:
            click.echo(f"{done.receipts:,} receipts sealed in {done.segments:,} segments")

    run_async(run)


@audit.command("checkpoint")
@click.option("--anchor", type=_FILE, help="Append the checkpoint to this file; keep it out of the operators' reach.")
@click.pass_context
def audit_checkpoint(ctx: click.Context, anchor: Path | None) -> None:
    """Print the head of the chain as one line of JSON. Who has the line can show later that nothing before changed."""
    settings = settings_of(ctx)
    from interlayer.audit.reader import read_checkpoints

    known = read_checkpoints(anchor) if anchor and anchor.exists() else []

    async def run() -> None:
        async with _reading(settings) as parts:
            line = json.dumps((await parts.audit.checkpoint(settings.principal, known)).record(), ensure_ascii=False)
        if anchor:
            with anchor.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        click.echo(line)

    run_async(run)


@audit.command("verify")
@click.option("--anchor", type=_FILE, help="Compare with the checkpoints of this file.")
@_JSON
@click.pass_context
def audit_verify(ctx: click.Context, anchor: Path | None, as_json: bool) -> None:
    """Compute the chain and all seals again; name everything that was changed, removed or slipped in; exit 1 then."""
    settings = settings_of(ctx)
    from interlayer.audit.reader import read_checkpoints

    known = read_checkpoints(anchor, settings.principal.organization) if anchor else []

    async def run() -> None:
        async with _reading(settings) as parts:
            report = await parts.audit.verify(settings.principal, known, progress("events and receipts verified"))
        if as_json:
            click.echo(json.dumps(report.record(), indent=2, ensure_ascii=False))
        else:
            for fault in report.faults[:_FAULTS_SHOWN]:
                click.echo(f"FAULT  {fault}")
            if len(report.faults) > _FAULTS_SHOWN:
                click.echo(f"FAULT  and {len(report.faults) - _FAULTS_SHOWN:,} more; --json lists all")
            click.echo(report.summary())
        sys.exit(FAILED if report.faults else 0)

    run_async(run)


@audit.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.pass_context
def audit_export(ctx: click.Context, file: Path) -> None:
    """Write events, segments and receipts to FILE as JSON Lines, for whoever verifies without this program."""
    settings = settings_of(ctx)
    from interlayer.app.transfer import writing

    async def run() -> None:
        count, show = 0, progress("records written")
        async with _reading(settings) as parts:
            with writing(file) as out:
                async for record in parts.audit.records(settings.principal):
                    out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
                    count += 1
                    if count % 1_000 == 0:
                        show(count)
        click.echo(f"{count:,} records of {settings.principal.organization} written to {file}", err=True)

    run_async(run)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncGenerator["Parts"]:
    """Open the stores as they are: an audit prepares, publishes and mends nothing."""
    from interlayer.app.composition import build

    parts = build(settings)
    try:
        yield parts
    finally:
        await parts.close()


def _event_line(event: Mapping[str, Any]) -> str:
    number, at, actor, kind, subject = (str(event.get(name)) for name in ("number", "at", "actor", "type", "subject"))
    detail = json.dumps(event.get("detail"), ensure_ascii=False)
    return f"{number:>6} {at[:19]}Z {actor:<12} {kind} {subject}  {detail}"


def _receipt_lines(receipt: Mapping[str, Any]) -> str:
    made, kind, whom = (str(receipt.get(name)) for name in ("at", "kind", "agent"))
    first = f"{made[:19]}Z {receipt['id']} {kind}"
    if kind == "memorize":
        first += f" by {whom}, {receipt.get('memory_id')} of {receipt.get('entity') or 'nothing known'}"
        shown = ("facts", "properties", "rejected")
        return "\n".join([first, *(f"  {name}: {_counted(receipt[name])}" for name in shown if receipt.get(name))])
    first += f" to {whom}, revision {receipt.get('revision')}"
    told = ("rules", "sections")
    return "\n".join([first, *(f"  {name}: {' '.join(receipt[name])}" for name in told if receipt.get(name))])


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
