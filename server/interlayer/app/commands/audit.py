"""`interlayer audit`: look at the audit trail, prove that nobody has touched it, hand it to an auditor."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import click

from interlayer import answers
from interlayer.app.commands.shell import AS_JSON, FAILED, INSTANT, echo, progress, with_stores

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.audit.reader import Checkpoint

_POLL_S: Final = 1.0
_FAULTS_SHOWN: Final = 1_000
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.group()
def audit() -> None:
    """Look at the audit trail, verify it, hand it to an auditor."""


@audit.command("tail")
@click.option("--follow", is_flag=True, help="Go on with what is recorded from now, until interrupted.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@with_stores
async def audit_tail(parts: "Parts", follow: bool, limit: int, as_json: bool) -> None:
    """Print the newest events, oldest of them first."""
    events = await parts.audit.newest(parts.settings.principal, limit)
    number = 0
    while True:
        for event in events:
            click.echo(json.dumps(event.body, ensure_ascii=False) if as_json else _event_line(event.body))
            numbered = event.body.get("number")
            number = numbered if isinstance(numbered, int) else number + 1
        if not follow:
            return
        events = await parts.audit.since(parts.settings.principal, number)
        if not events:
            await anyio.sleep(_POLL_S)


@audit.command("receipts")
@click.option("--agent", help="Only those of this agent.")
@click.option("--policy", help="Only those that name this policy.")
@click.option("--kind", type=click.Choice(["context", "check", "memorize"]), help="Only those of this kind.")
@click.option("--at", type=INSTANT, help="What had been told by then: 2026-03-01 or 2026-03-01T09:00:00Z.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="At most so many; default: 1 with --at, else 20.")
@AS_JSON
@with_stores
async def audit_receipts(
    parts: "Parts",
    agent: str | None,
    policy: str | None,
    kind: str | None,
    at: datetime | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Print what agents were told and memorized, newest first; with --at the last that had been told by then."""
    count = limit or (1 if at else 20)
    chosen = {"agent": agent, "policy": policy, "kind": kind}
    found = await parts.audit.receipts(parts.settings.principal, **chosen, at=at, limit=count)
    if as_json:
        click.echo(json.dumps([one.body for one in found], indent=2, ensure_ascii=False))
    for one in () if as_json else found:
        click.echo(_receipt_lines(one.body))
    if not found:
        click.echo("no such receipt", err=True)
    return 0 if found else FAILED


@audit.command("seal")
@AS_JSON
@with_stores
async def audit_seal(parts: "Parts", as_json: bool) -> None:
    """Seal every receipt that is not sealed yet, whenever it was made. A running server does so each minute."""
    show = progress("receipts sealed")
    done = await parts.sealer.seal(parts.settings.principal, everything=True, progress=show)
    if as_json:
        click.echo(json.dumps({"receipts": done.receipts, "segments": done.segments}))
    else:
        click.echo(f"{done.receipts:,} receipts sealed in {done.segments:,} segments")


@audit.command("checkpoint")
@click.option("--anchor", type=_FILE, help="Append the checkpoint to this file; keep it out of the operators' reach.")
def audit_checkpoint(anchor: Path | None) -> None:
    """Print the head of the chain as one line of JSON. Who has the line can show later that nothing before changed."""
    from interlayer.audit.reader import read_checkpoints

    known = read_checkpoints(anchor) if anchor and anchor.exists() else []
    line = json.dumps(answers.as_json(_checkpoint(known)), ensure_ascii=False)
    if anchor:
        with anchor.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    click.echo(line)


@with_stores
async def _checkpoint(parts: "Parts", known: "Sequence[Checkpoint]") -> "Checkpoint":
    return await parts.audit.checkpoint(parts.settings.principal, known)


@audit.command("verify")
@click.option("--anchor", type=_FILE, help="Compare with the checkpoints of this file.")
@AS_JSON
@with_stores
async def audit_verify(parts: "Parts", anchor: Path | None, as_json: bool) -> int:
    """Compute the chain and all seals again; name everything that was changed, removed or slipped in; exit 1 then."""
    from interlayer.audit.reader import read_checkpoints

    known = read_checkpoints(anchor, parts.settings.principal.organization) if anchor else []
    report = await parts.audit.verify(parts.settings.principal, known, progress("events and receipts verified"))

    def show() -> None:
        for fault in report.faults[:_FAULTS_SHOWN]:
            click.echo(f"FAULT  {fault}")
        if len(report.faults) > _FAULTS_SHOWN:
            click.echo(f"FAULT  and {len(report.faults) - _FAULTS_SHOWN:,} more; --json lists all")
        click.echo(report.summary())

    echo(as_json, report, show)
    return FAILED if report.faults else 0


@audit.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@with_stores
async def audit_export(parts: "Parts", file: Path) -> None:
    """Write events, segments and receipts to FILE as JSON Lines, for whoever verifies without this program."""
    from interlayer.app.transfer import writing

    count, show = 0, progress("records written")
    with writing(file) as out:
        async for record in parts.audit.records(parts.settings.principal):
            text = json.dumps(answers.as_json(record), ensure_ascii=False, separators=(",", ":"))
            out.write(f"{text}\n".encode())
            count += 1
            if count % 1_000 == 0:
                show(count)
    click.echo(f"{count:,} records of {parts.settings.principal.organization} written to {file}", err=True)


def _event_line(event: Mapping[str, Any]) -> str:
    number, at, actor, kind, subject = (str(event.get(name)) for name in ("number", "at", "actor", "type", "subject"))
    detail = json.dumps(event.get("detail"), ensure_ascii=False)
    actor += _behalf(event)
    return f"{number:>6} {at[:19]}Z {actor:<12} {kind} {subject}  {detail}"


def _receipt_lines(receipt: Mapping[str, Any]) -> str:
    made, kind, whom = (str(receipt.get(name)) for name in ("at", "kind", "agent"))
    whom += _behalf(receipt)
    first = f"{made[:19]}Z {receipt['id']} {kind}"
    if kind == "memorize":
        first += f" by {whom}, {receipt.get('memory_id')} of {receipt.get('entity') or 'nothing known'}"
        shown = ("facts", "properties", "rejected")
        return "\n".join([first, *(f"  {name}: {_count_line(receipt[name])}" for name in shown if receipt.get(name))])
    first += f" to {whom}, revision {receipt.get('revision')}"
    told = ("rules", "sections")
    return "\n".join([first, *(f"  {name}: {' '.join(receipt[name])}" for name in told if receipt.get(name))])


def _behalf(record: Mapping[str, Any]) -> str:
    """Say for whom the agent of an event or receipt worked, if for anybody."""
    return f" for {record['user']}" if record.get("user") else ""


def _count_line(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
