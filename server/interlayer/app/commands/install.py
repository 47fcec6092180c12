"""`interlayer install`: add this server, and the instructions that make it used, to an agent host."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from interlayer.app.commands.shell import settings_of

AGENTS_MD = "agents-md"


@click.command()
@click.argument("client", type=click.Choice(["claude-desktop", "claude-code", "cursor", "vscode", AGENTS_MD]))
@click.option("--write", is_flag=True, help="Merge into the client's files instead of printing.")
@click.option("--instructions", "told", is_flag=True, help="Also what makes the client's model call this server.")
@click.option("--remove", is_flag=True, help="Take the instructions out again; only with --instructions.")
@click.pass_context
def install(ctx: click.Context, client: str, write: bool, told: bool, remove: bool) -> None:
    """Print, or with --write merge, the configuration that adds this server to an agent host.

    `agents-md` has no configuration: it is the AGENTS.md of the working folder, which many agents read.
    """
    from interlayer.app.agent_texts import project_lines
    from interlayer.app.hosts import instructions

    told = told or client == AGENTS_MD
    files = instructions.instructions(client, Path.cwd())
    if remove:
        if write or not told:
            raise click.UsageError("--remove goes with --instructions, and without --write")
        _say("took out of", instructions.remove(files))
        return
    if client != AGENTS_MD:
        _configure(ctx, client, write)
    if told and write and files:
        _say("wrote", instructions.write(files))
    elif told and files:
        for file in files:
            click.echo(f"# {file.path}", err=True)
            click.echo(file.text)
    elif told:
        click.echo("# This host reads no file of a project: paste these lines into its instructions.", err=True)
        click.echo(project_lines())


def _configure(ctx: click.Context, client: str, write: bool) -> None:
    settings = settings_of(ctx)
    from interlayer.app.hosts.clients import clients, configuration, merge, settings_in_force, untold

    chosen = clients(Path.home(), Path.cwd())[client]
    in_force = settings_in_force(ctx.obj)
    wanted = configuration(chosen, in_force)
    if write:
        merge(chosen, wanted)
        click.echo(f"{chosen.title}: wrote {chosen.path}. {chosen.hint}")
    else:
        click.echo(f"# {chosen.title}: {chosen.path}", err=True)
        click.echo(json.dumps(wanted, indent=2))
        click.echo(f"# {chosen.hint} With --write this is merged into the file.", err=True)
    for secret in untold(chosen, in_force):
        where = f"write {secret.removeprefix('INTERLAYER_').lower()} into {settings.home / 'interlayer.toml'}"
        click.echo(f"# {secret} is a secret and is left out: {where}, which only you can read.", err=True)


def _say(done: str, paths: Sequence[Path]) -> None:
    for path in paths:
        click.echo(f"{done} {path}")
    if not paths:
        click.echo("instructions: nothing to change")
