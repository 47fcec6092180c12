"""`interlayer export` and `interlayer import`: an organization as one file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.shell import progress, with_process, with_stores

if TYPE_CHECKING:
    from interlayer.app.composition import Parts


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@with_process
async def export_command(parts: "Parts", file: Path) -> None:
    """Write everything of the organization to FILE as JSON Lines; `-` is stdout, a name ending in .gz is compressed.

    The file holds all that is remembered, every team's and everybody's private memories and restricted values too, and
    the key of the receipts: keep it as safe as the store itself. It needs the role operator.
    """
    from interlayer.app.transfer import export
    from interlayer.audit.reads import Read
    from interlayer.errors import Refused
    from interlayer.ids import system_clock
    from interlayer.memory.erasure.retention_clock import ClockInDoubt

    organization = parts.settings.principal.organization
    if "operator" not in parts.settings.principal.roles:
        raise Refused("export: needs the role operator. What you may see yourself is shown by `interlayer memory`.")
    try:
        until = await parts.memory.retention_clock.advance(organization)
        # A copy of what was kept long enough must not outlive it.
        await parts.memory.expirer.expire(parts.settings.principal, until=until)
    except ClockInDoubt as doubt:
        click.echo(f"interlayer: {doubt} The export may hold what was kept long enough.", err=True)
    # Before it begins: a copy that is cut off has shown something too.
    if note := await parts.memory.reads.keep(parts.settings.principal, Read(kind="export", everything=True)):
        click.echo(f"interlayer: {note}", err=True)
    count = await export(parts.store, organization, file, system_clock, progress("items written"))
    click.echo(f"{count:,} items of {organization} written to {file}", err=True)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@with_stores
async def import_command(parts: "Parts", file: Path) -> None:
    """Bring the organization of FILE in, under its own or another name (--org), into stores that have none of it.

    The whole FILE is checked before anything is written. Run it again if it was interrupted.
    """
    from interlayer.app.transfer import load

    organization = parts.settings.principal.organization
    count = await load(parts, organization, file, progress("items read"))
    click.echo(f"{count:,} items are now in {organization}", err=True)
