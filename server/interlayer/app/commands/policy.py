"""`interlayer policy`: write, check and publish policies."""

import sys
from pathlib import Path

import click

from interlayer.app.commands.shell import FAILED, run_async, settings_of


@click.group()
def policy() -> None:
    """Write, check and publish policies."""


@policy.command("lint")
@click.argument("folder", type=click.Path(path_type=Path))
def policy_lint(folder: Path) -> None:
    """Check the policies of FOLDER; exit 1 when they could not be published."""
    from interlayer_policies.governance import lint, read_folder

    files = read_folder(folder)
    problems = lint(files)
    for problem in problems:
        click.echo(str(problem))
    errors = [problem for problem in problems if problem.severity == "error"]
    click.echo(f"{len(files)} files, {len(errors)} errors, {len(problems) - len(errors)} warnings")
    sys.exit(FAILED if errors else 0)


@policy.command("publish")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why; kept with the published set and in the audit trail.")
@click.option("--author", help="Who wrote it; default: the local agent.")
@click.pass_context
def policy_publish(ctx: click.Context, folder: Path, reason: str, author: str | None) -> None:
    """Make the files of FOLDER the organization's whole set of policies, all or nothing."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened
    from interlayer_policies.governance import read_folder

    async def run() -> None:
        files = read_folder(folder)
        async with opened(settings) as interlayer:
            done = await interlayer.domains.governance.publish(settings.principal, files, reason=reason, author=author)
        counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.removed)} removed"
        click.echo(f"revision {done.revision}: {counts}")

    run_async(run)


@policy.command("show")
@click.argument("policy_id", required=False)
@click.option("--version", type=int, help="An older version; default: the one in force.")
@click.pass_context
def policy_show(ctx: click.Context, policy_id: str | None, version: int | None) -> None:
    """Print a policy in force, or, without POLICY_ID, list them all."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            governance = interlayer.domains.governance
            if policy_id:
                click.echo((await governance.policy(settings.principal, policy_id, version)).text)
                return
            published = await governance.published(settings.principal)
            click.echo(f"revision {published.revision}")
            for one in published.policies:
                click.echo(f"  {one.id:<24} v{one.version:<4} {one.title}")

    run_async(run)
