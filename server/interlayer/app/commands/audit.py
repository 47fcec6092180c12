"""`interlayer audit`: look at the audit trail, prove that nobody has touched it, hand it to an auditor."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import click

from interlayer import answers
from interlayer.app.audit_export.readable import behalf, event_line, knower_lines, receipt_lines
from interlayer.app.commands.shell import AS_JSON, FAILED, INSTANT, echo, progress, with_stores
from interlayer.audit.reads import READS

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.audit.answer import StoredReceipt
    from interlayer.audit.queries import SoughtEntity
    from interlayer.audit.reader import Checkpoint


_POLL_S: Final = 1.0
_FAULTS_SHOWN: Final = 1_000
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.group()
def audit() -> None:
    """Look at the audit trail, verify it, hand it to an auditor."""


@audit.command("tail")
@click.option("--follow", is_flag=True, help="Go on with what is recorded from now, until interrupted.")
@click.option("--receipts", "with_receipts", is_flag=True, help="With --follow: receipts too, as they are written.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@with_stores
async def audit_tail(parts: "Parts", follow: bool, with_receipts: bool, limit: int, as_json: bool) -> None:
    """Print the newest events, oldest of them first."""
    if with_receipts and not follow:
        raise click.UsageError("--receipts goes with --follow; `interlayer audit receipts` lists those there are")
    principal, since, number, seen = parts.settings.principal, datetime.now(UTC), 0, set[str]()
    events = await parts.audit.newest(principal, limit)
    while True:
        for event in events:
            click.echo(json.dumps(event.body, ensure_ascii=False) if as_json else event_line(event.body))
            numbered = event.body.get("number")
            number = numbered if isinstance(numbered, int) else number + 1
        if not follow:
            return
        events = await parts.audit.since(principal, number)
        written = await parts.audit.follow(principal, since, seen) if with_receipts else []
        for one in written:
            click.echo(json.dumps(one.body, ensure_ascii=False) if as_json else receipt_lines(one.body))
        if not events:
            await anyio.sleep(_POLL_S)


KINDS: Final = ("context", "check", "memorize", *READS)
_BY_KIND: Final = click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only those of this kind."
)
_BY_AGENT: Final = click.option("--agent", help="Only those of this agent.")
_BY_USER: Final = click.option("--user", help="Only those of this person.")
_SINCE: Final = click.option("--since", type=INSTANT, help="From then: 2026-03-01 or 2026-03-01T09:00:00Z.")
_UNTIL: Final = click.option("--until", type=INSTANT, help="Until then.")


@audit.command("receipts")
@_BY_AGENT
@_BY_USER
@click.option("--entity", help="Only those about this entity (type:key), as it was named or shown.")
@click.option("--policy", help="Only those that name this policy.")
@click.option(
    "--version", type=click.IntRange(1), help="Only those of this version of --policy, or revision of --entity."
)
@_BY_KIND
@_SINCE
@_UNTIL
@click.option("--at", type=INSTANT, help="What had been told by then: 2026-03-01 or 2026-03-01T09:00:00Z.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="At most so many; default: 1 with --at, else 20.")
@AS_JSON
@with_stores
async def audit_receipts(
    parts: "Parts",
    agent: str | None,
    user: str | None,
    entity: str | None,
    policy: str | None,
    version: int | None,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    at: datetime | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Print what agents were told, shown and memorized, newest first; with --at the last told by then."""
    from interlayer.audit.queries import ReceiptFilter

    if at and until:
        raise click.UsageError("--at and --until both say until when; give one")
    if version is not None and not policy and not entity:
        raise click.UsageError("--version is that of --policy or of --entity; give one")
    sought = ReceiptFilter(
        kinds=kinds or (("context",) if at else ()),
        agent=agent,
        user=user,
        entity=await _sought(parts, entity) if entity else None,
        policy=policy,
        version=version,
        since=since,
        until=at or until,
    )
    return _show(await parts.audit.receipts(parts.settings.principal, sought, limit or (1 if at else 20)), as_json)


@audit.command("reads")
@click.argument("entity")
@_BY_AGENT
@_BY_USER
@click.option("--kind", "kinds", type=click.Choice(READS), multiple=True, help="Only those of this kind.")
@_SINCE
@_UNTIL
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@AS_JSON
@with_stores
async def audit_reads(
    parts: "Parts",
    entity: str,
    agent: str | None,
    user: str | None,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> int:
    """Print who was shown something of ENTITY (type:key), newest first; of one that is forgotten, give its type:id."""
    from interlayer.audit.queries import ReceiptFilter

    about = await _sought(parts, entity)
    sought = ReceiptFilter(kinds=kinds or READS, agent=agent, user=user, entity=about, since=since, until=until)
    return _show(await parts.audit.receipts(parts.settings.principal, sought, limit), as_json)


@audit.command("who-knew")
@click.argument("entity")
@click.option("--at", type=INSTANT, help="By then: 2026-03-01 or 2026-03-01T09:00:00Z; default: by now.")
@AS_JSON
@with_stores
async def audit_who_knew(parts: "Parts", entity: str, at: datetime | None, as_json: bool) -> int:
    """Print who had been shown what of ENTITY (type:key) by an instant, or had memorized it, and which versions."""
    about = await _sought(parts, entity)
    found = await parts.audit.knowers(parts.settings.principal, about, at)
    echo(as_json, {"entity": sorted(about.refs), "knowers": found}, lambda: click.echo(knower_lines(found)))
    return 0 if found else FAILED


@audit.command("prove")
@click.argument("receipt_id", metavar="RECEIPT")
@click.option("--text", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
              required=True, help="File with the words; - is stdin.")  # fmt: skip
@AS_JSON
@with_stores
async def audit_prove(parts: "Parts", receipt_id: str, file: Path, as_json: bool) -> int:
    """Tell whether words are the task, query, draft or content that RECEIPT was made out for; exit 1 if not."""
    text = _words(file)
    proof = await parts.audit.prove(parts.settings.principal, receipt_id, text)

    def show() -> None:
        made = f"{proof.receipt}, {proof.kind} of {proof.at[:19]}Z by {proof.agent}" + behalf({"user": proof.user})
        sealed = f"sealed in segment {proof.sealed_in}" if proof.sealed_in else "not sealed yet"
        said = f"these are its words ({proof.field})" if proof.field else "these are not its words"
        click.echo(f"{made}, {sealed}: {said}")

    echo(as_json, proof, show)
    return 0 if proof.field else FAILED


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

    earlier = read_checkpoints(anchor) if anchor and anchor.exists() else []
    line = json.dumps(answers.as_json(_checkpoint(earlier)), ensure_ascii=False)
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
@click.option(
    "--format",
    "form",
    type=click.Choice(["trail", "jsonl", "ocsf"]),
    default="trail",
    show_default=True,
    help="trail: all of it, to be verified; jsonl, ocsf: events and sealed receipts, for other tools.",
)
@click.option(
    "--cursor", type=_FILE, help="With jsonl and ocsf: go on behind what this file says, and note the new place."
)
@with_stores
async def audit_export(parts: "Parts", file: Path, form: str, cursor: Path | None) -> None:
    """Write events, segments and receipts to FILE as JSON Lines; - is stdout."""
    from interlayer.app.audit_export.lines import cursor_of, exported, read_cursor
    from interlayer.app.transfer import writing

    if cursor and form == "trail":
        raise click.UsageError("--cursor goes with --format jsonl or ocsf; a trail is exported whole")
    count, show, organization = 0, progress("records written"), parts.settings.principal.organization
    done = read_cursor(cursor, organization) if cursor else 0
    with writing(file) as out:
        async for text, number in exported(parts.audit, parts.settings.principal, form, done):
            out.write(f"{text}\n".encode())
            count, done = count + 1, number
            if count % 1_000 == 0:
                show(count)
    if cursor:
        with writing(cursor) as out:  # after the records: what is cut off is written again, and nothing is left out
            out.write(cursor_of(organization, done))
    click.echo(f"{count:,} records of {organization} written to {file}", err=True)


def _words(file: Path) -> str:
    return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode(errors="replace")


async def _sought(parts: "Parts", entity: str) -> "SoughtEntity":
    """Return all that receipts may call an entity; of one that is not known, or not any more, as it is given."""
    from interlayer.audit.queries import SoughtEntity
    from interlayer.errors import NotFound

    try:
        known = await parts.memory.identities.names(parts.settings.principal, entity)
    except NotFound:
        return SoughtEntity(refs=[entity.strip()], names=[entity])
    kind = known.ref.partition(":")[0]
    keys = [known.name, *known.names, *(value for values in known.identifiers.values() for value in values)]
    refs = [known.ref, *(one.ref for one in known.merged if not one.split)]
    return SoughtEntity(refs=refs, names=[entity, *refs, *(f"{kind}:{key}" for key in keys)])


def _show(found: "Sequence[StoredReceipt]", as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps([one.body for one in found], indent=2, ensure_ascii=False))
    for one in () if as_json else found:
        click.echo(receipt_lines(one.body))
    if found:
        return 0
    click.echo("no such receipt", err=True)
    return FAILED
