"""`interlayer subject`: what is held of a person, a copy of it, its erasure, and legal holds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from interlayer.answers import as_json as to_json
from interlayer.app.commands.shell import AS_JSON, REASON, REFERENCE, echo, progress, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.erasure.subjects.answer import Certificate, ErasurePreview, SubjectReport
    from interlayer.memory.erasure.subjects.subject import Request

_CODE: Final = click.option("--reason", metavar="CODE", help="Why, as for `memory forget`; not with --preview.")
_ALSO: Final = click.option("--also", multiple=True, metavar="ENTITY", help="Another entity that is the same person.")
_NAME: Final = click.option("--name", "names", multiple=True, help="A further name to look for, such as a first name.")


@click.group("subject")
def subject() -> None:
    """Answer a person who asks what is held about her, and erase it."""


@subject.command("find")
@click.argument("person")
@_ALSO
@_NAME
@AS_JSON
@with_process
async def subject_find(
    parts: "Parts", person: str, also: tuple[str, ...], names: tuple[str, ...], as_json: bool
) -> None:
    """Show where PERSON (type:key, an identifier or a name) is held and named, in everything."""
    principal = parts.settings.principal
    asked = _request(person, also, names)
    found = await parts.memory.subjects.finder.report(principal, asked, progress("items read"))
    echo(as_json, found, lambda: _print_report(found))


@subject.command("export")
@click.argument("person")
@click.option("--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSON Lines file.")
@_ALSO
@_NAME
@with_process
async def subject_export(
    parts: "Parts", person: str, file: Path, also: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """Write a copy of everything that is held of PERSON, for the person: one JSON object a line."""
    from interlayer.app.transfer import writing

    count = 0
    with writing(file) as out:
        async for one in parts.memory.subjects.dossier.records(parts.settings.principal, _request(person, also, names)):
            line = {"record": one.record, **to_json(one.body)}
            out.write(f"{json.dumps(line, ensure_ascii=False, default=str)}\n".encode())
            count += 1
    click.echo(f"{count:,} records written to {file}. It names others where they name the person.", err=True)


@subject.command("erase")
@click.argument("person")
@click.option("--preview", is_flag=True, help="Only show what would be erased and redacted.")
@click.option("--only", type=click.Choice(["certain"]), help="Leave what names the person by name only.")
@click.option("--exclude", multiple=True, metavar="ENTITY", help="Leave this entity (type:id) as it is.")
@_ALSO
@_NAME
@_CODE
@REFERENCE
@click.option("--token", help="Erase only if what is held is still what a preview with this token showed.")
@click.option("--certificate", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the certificate.")
@AS_JSON
@with_process
async def subject_erase(
    parts: "Parts",
    person: str,
    preview: bool,
    only: str | None,
    exclude: tuple[str, ...],
    also: tuple[str, ...],
    names: tuple[str, ...],
    reason: str | None,
    reference: str | None,
    token: str | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Erase the entities that are PERSON, redact every mention elsewhere, and certify what was done and what is left.

    Run again after an interruption, it goes on where it was. Look at --preview first: there is no undo.
    """
    from interlayer.app.transfer import writing
    from interlayer.memory.erasure.reasons import read_reason
    from interlayer.memory.erasure.subjects.subject import Request

    principal, eraser = parts.settings.principal, parts.memory.subjects.eraser
    asked = Request(person, also, names, only == "certain", exclude)
    shown = progress("items read")
    if preview:
        would = await eraser.preview(principal, asked, shown)
        echo(as_json, would, lambda: _print_preview(would))
        return
    if not reason:
        raise click.UsageError("--reason CODE is missing; --preview shows what would be done")
    done = await eraser.erase(principal, asked, read_reason(reason, reference), token=token, progress=shown)
    if file:
        with writing(file) as out:
            out.write(f"{json.dumps(to_json(done), indent=2)}\n".encode())
    echo(as_json, done, lambda: print_certificate(done))


@subject.command("certificate")
@click.argument("case", metavar="CASE")
@AS_JSON
@with_process
async def subject_certificate(parts: "Parts", case: str, as_json: bool) -> None:
    """Print the certificate of an erasure again, from the audit trail."""
    found = await parts.memory.subjects.eraser.certificate(parts.settings.principal, case)
    echo(as_json, found, lambda: print_certificate(found))


@subject.command("hold")
@click.argument("person")
@REASON
@REFERENCE
@with_process
async def subject_hold(parts: "Parts", person: str, reason: str, reference: str | None) -> None:
    """Put PERSON, or any entity, under legal hold: nothing of it is erased until it is released."""
    from interlayer.memory.erasure.reasons import read_reason

    principal = parts.settings.principal
    entity = await parts.memory.subjects.who.entity(principal.organization, person)
    hold = await parts.memory.safeguards.holds.place(principal, entity, read_reason(reason, reference))
    click.echo(f"{hold.entity} is under legal hold since {hold.at[:16]}Z")


@subject.command("release")
@click.argument("person")
@REASON
@REFERENCE
@with_process
async def subject_release(parts: "Parts", person: str, reason: str, reference: str | None) -> None:
    """End the legal hold of PERSON."""
    from interlayer.memory.erasure.reasons import read_reason

    principal = parts.settings.principal
    entity = await parts.memory.subjects.who.entity(principal.organization, person)
    await parts.memory.safeguards.holds.release(principal, entity, read_reason(reason, reference))
    click.echo(f"{entity.ref} is released")


@subject.command("holds")
@AS_JSON
@with_process
async def subject_holds(parts: "Parts", as_json: bool) -> None:
    """List legal holds."""
    found = await parts.memory.safeguards.holds.listed(parts.settings.principal.organization)

    def show() -> None:
        for one in found:
            click.echo(f"{one.entity}  since {one.at[:16]}Z by {one.by}  {one.reason} {one.reference}".rstrip())
        if not found:
            click.echo("none")

    echo(as_json, found, show)


def _request(person: str, also: tuple[str, ...], names: tuple[str, ...]) -> "Request":
    from interlayer.memory.erasure.subjects.subject import Request

    return Request(person, also, names)


def _print_report(report: "SubjectReport") -> None:
    from rich.console import Console

    from interlayer.app.tables import print_table

    console = Console(soft_wrap=False)
    for one in report.own:
        held = f"{one.memories} memories, {one.facts} facts, {one.properties} properties, {one.relations} relations"
        click.echo(f"{one.entity} ({one.name}): {held}" + (f"; {one.hold}" if one.hold else ""))
    if not report.own:
        click.echo("no entity is this person")
    click.echo(f"looked for: {', '.join((*report.identifiers, *report.names))}")
    if report.passed_over:
        click.echo(f"not looked for, one word only: {', '.join(report.passed_over)} (--name looks for it)")
    rows = [
        {
            "entity": one.entity or "-",
            "place": one.place,
            "how sure": "likely; bears the name itself" if one.namesake else one.certainty,
            "count": one.count,
            "memory": one.memory or "",
        }
        for one in report.mentions
    ]
    print_table(console, rows, ["entity", "place", "how sure", "count", "memory"], title="named elsewhere")
    if not rows:
        click.echo("named nowhere else")
    click.echo(f"receipts: {report.receipts}, audit events: {report.events} (by id or HMAC only)")
    for name in report.policies:
        click.echo(f"named in a published policy: {name}")
    if report.incomplete:
        click.echo("there are more mentions than are listed")


def _print_preview(preview: "ErasurePreview") -> None:
    _print_report(preview.report)
    click.echo(f"would be erased: {preview.erased} entities; redacted: {preview.redacted} mentions")
    for one in preview.skipped:
        click.echo(f"left: {one.what} ({one.count}) {one.why}")
    click.echo(f"token: {preview.token}")


def print_certificate(certificate: "Certificate") -> None:
    """Print a certificate as people read it."""
    why = f"{certificate.reason} {certificate.reference}".strip()
    say: Callable[[str], None] = click.echo
    say(f"case {certificate.case}, {certificate.at[:19]}Z, by {certificate.by}: {why}")
    say(f"entities erased: {', '.join(certificate.entities) or 'none'}")
    for label, counted in (("erased", certificate.erased), ("redacted", certificate.redacted)):
        for kind, one in counted.items():
            say(f"{label}: {one.count} {kind}  hmac-sha256 {one.hmac}")
    for one in certificate.left:
        say(f"left: {one.what}{f' ({one.count})' if one.count else ''}: {one.why}")
    say(f"audit event {certificate.event}, hash {certificate.event_hash}")
