"""`interlayer export` and `interlayer import`: an organization as one file."""

from pathlib import Path

import click

from interlayer.app.commands.shell import progress, run_async, settings_of


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.pass_context
def export_command(ctx: click.Context, file: Path) -> None:
    """Write everything of the organization to FILE as JSON Lines; `-` is stdout, a name ending in .gz is compressed.

    The file holds all that is remembered and the key of the receipts: keep it as safe as the store itself.
    """
    settings = settings_of(ctx)
    from interlayer.app.composition import opened
    from interlayer.app.transfer import export
    from interlayer.ids import system_clock

    async def run() -> None:
        async with opened(settings) as parts:
            organization = settings.principal.organization
            await parts.expirer.expire(settings.principal)  # a copy of what was kept long enough must not outlive it
            count = await export(parts.store, organization, file, system_clock, progress("items written"))
        click.echo(f"{count:,} items of {organization} written to {file}", err=True)

    run_async(run)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.pass_context
def import_command(ctx: click.Context, file: Path) -> None:
    """Bring the organization of FILE in, under its own or another name (--org), into stores that have none of it.

    The whole FILE is checked before anything is written. Run it again if it was interrupted.
    """
    settings = settings_of(ctx)
    from interlayer.app.composition import build
    from interlayer.app.transfer import load

    async def run() -> None:
        parts = build(settings)
        try:
            count = await load(parts, settings.principal.organization, file, progress("items read"))
        finally:
            await parts.close()
        click.echo(f"{count:,} items are now in {settings.principal.organization}", err=True)

    run_async(run)
