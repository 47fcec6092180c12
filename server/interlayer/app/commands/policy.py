"""`interlayer policy`: write, test, compare, publish and explain policies."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from interlayer.app.commands.shell import FAILED, echo, run_async, settings_of

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
REASON = click.option("--reason", required=True, help="Why; kept with what you do and in the audit trail.")
AUTHOR = click.option("--author", help="Who wrote it; default: the local agent.")
BREAK_GLASS = click.option(
    "--break-glass", is_flag=True, help="Publish before approval; it is flagged, and the approvers are still asked."
)


@click.group()
def policy() -> None:
    """Write, test, compare, publish and explain policies."""


@policy.command("lint")
@FOLDER
def policy_lint(folder: Path) -> None:
    """Check the policies of FOLDER; exit 1 when they could not be published."""
    from interlayer_policies.governance import lint, read_folder

    files = read_folder(folder)
    problems = lint(files)
    for problem in problems:
        click.echo(str(problem) if problem.severity == "error" else f"{problem} (warning)")
    errors = [problem for problem in problems if problem.severity == "error"]
    click.echo(f"files: {len(files)}, errors: {len(errors)}, warnings: {len(problems) - len(errors)}")
    sys.exit(FAILED if errors else 0)


@policy.command("test")
@FOLDER
@AS_JSON
@click.pass_context
def policy_test(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Run the examples and tests of the policies of FOLDER; exit 1 when one fails."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_cases
    from interlayer.app.composition import opened
    from interlayer_policies.governance import read_folder

    async def run() -> None:
        async with opened(settings) as interlayer:
            cases = await interlayer.domains.governance.planner.test(read_folder(folder))
        echo(as_json, [asdict(case) for case in cases], lambda: print_cases(cases))
        sys.exit(FAILED if any(not case.passed for case in cases) else 0)

    run_async(run)


@policy.command("diff")
@FOLDER
@AS_JSON
@click.pass_context
def policy_diff(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Show what publishing FOLDER would change: words, scopes, tokens, and what calls of late would get."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_difference
    from interlayer.app.composition import opened
    from interlayer_policies.governance import read_folder

    async def run() -> None:
        async with opened(settings) as interlayer:
            planner = interlayer.domains.governance.planner
            found = await planner.difference(settings.principal, read_folder(folder))
        echo(as_json, asdict(found), lambda: print_difference(found))

    run_async(run)


@policy.command("publish")
@FOLDER
@REASON
@AUTHOR
@BREAK_GLASS
@AS_JSON
@click.pass_context
def policy_publish(
    ctx: click.Context, folder: Path, reason: str, author: str | None, break_glass: bool, as_json: bool
) -> None:
    """Make the files of FOLDER the organization's whole set of policies, all or nothing."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_published
    from interlayer.app.composition import opened
    from interlayer_policies.governance import read_folder

    async def run() -> None:
        files = read_folder(folder)
        async with opened(settings) as interlayer:
            governance = interlayer.domains.governance
            done = await governance.publish(
                settings.principal, files, reason=reason, author=author, break_glass=break_glass
            )
        echo(as_json, asdict(done), lambda: print_published(done))

    run_async(run)


@policy.command("rollback")
@click.argument("revision", type=int)
@REASON
@AUTHOR
@BREAK_GLASS
@AS_JSON
@click.pass_context
def policy_rollback(
    ctx: click.Context, revision: int, reason: str, author: str | None, break_glass: bool, as_json: bool
) -> None:
    """Publish the set of an earlier REVISION again, as a new revision."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_published
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            governance = interlayer.domains.governance
            done = await governance.rollback(
                settings.principal, revision, reason=reason, author=author, break_glass=break_glass
            )
        echo(as_json, asdict(done), lambda: print_published(done))

    run_async(run)


@policy.command("history")
@click.argument("policy_id", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="At most so many.")
@AS_JSON
@click.pass_context
def policy_history(ctx: click.Context, policy_id: str | None, limit: int, as_json: bool) -> None:
    """List who published what, when and why, newest first; of POLICY_ID only what changed it."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_history
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            governance = interlayer.domains.governance
            if policy_id:
                changes = await governance.policy_history(settings.principal, policy_id, limit)
                rows = [{"version": one.version or "removed", **asdict(one.publication)} for one in changes]
            else:
                rows = [asdict(one) for one in await governance.history(settings.principal, limit)]
        echo(as_json, rows, lambda: print_history(rows))

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


@policy.command("explain")
@click.argument("task")
@click.option("--agent", help="As which agent; default: the local one.")
@click.option("--channel", help="Facet of the call.")
@click.option("--audience", help="Facet of the call.")
@click.option("--region", help="Facet of the call.")
@click.option("--team", help="Facet of the call.")
@click.option("--tag", "tags", multiple=True, help="Facet of the call; may be given several times.")
@click.option("--entity", help="type:key; its remembered properties take part.")
@click.option("--max-tokens", type=click.IntRange(1, 8_000), default=2_000, show_default=True, help="Budget.")
@AS_JSON
@click.pass_context
def policy_explain(
    ctx: click.Context, task: str, agent: str | None, tags: Sequence[str], max_tokens: int, as_json: bool, **facets: Any
) -> None:
    """Tell why each rule and section is in or out of what an agent gets for TASK, with scores."""
    settings = settings_of(ctx)
    from dataclasses import replace

    from interlayer.app.commands.policy_output import print_explanation
    from interlayer.app.composition import opened
    from interlayer_policies.governance import Facets

    async def run() -> None:
        principal = replace(settings.principal, agent=agent) if agent else settings.principal
        async with opened(settings) as interlayer:
            given = Facets(**facets, tags=tuple(tags))
            found = await interlayer.domains.governance.explain(principal, task, given, max_tokens=max_tokens)
        echo(as_json, asdict(found), lambda: print_explanation(found))

    run_async(run)
