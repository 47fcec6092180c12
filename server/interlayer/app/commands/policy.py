"""`interlayer policy`: write, test, compare, publish and explain policies."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlayer import answers
from interlayer.app.commands.shell import AS_JSON, FAILED, echo, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer_policies.governance import PolicyFile, Published

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
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
def policy_lint(folder: Path) -> int:
    """Check the policies of FOLDER; exit 1 when they could not be published."""
    from interlayer_policies.governance import lint, read_folder

    files = read_folder(folder)
    problems = lint(files)
    for problem in problems:
        click.echo(str(problem) if problem.severity == "error" else f"{problem} (warning)")
    errors = [problem for problem in problems if problem.severity == "error"]
    click.echo(f"files: {len(files)}, errors: {len(errors)}, warnings: {len(problems) - len(errors)}")
    return FAILED if errors else 0


@policy.command("test")
@FOLDER
@AS_JSON
@with_process
async def policy_test(parts: "Parts", folder: Path, as_json: bool) -> int:
    """Run the examples and tests of the policies of FOLDER; exit 1 when one fails."""
    from interlayer.app.commands.policy_output import print_cases
    from interlayer_policies.governance import read_folder

    cases = await parts.domains.governance.planner.test(read_folder(folder))
    echo(as_json, cases, lambda: print_cases(cases))
    return FAILED if any(not case.passed for case in cases) else 0


@policy.command("diff")
@FOLDER
@AS_JSON
@with_process
async def policy_diff(parts: "Parts", folder: Path, as_json: bool) -> None:
    """Show what publishing FOLDER would change: words, scopes, tokens, and what calls of late would get."""
    from interlayer.app.commands.policy_output import print_difference
    from interlayer_policies.governance import read_folder

    planner = parts.domains.governance.planner
    found = await planner.difference(parts.settings.principal, read_folder(folder))
    echo(as_json, found, lambda: print_difference(found))


@policy.command("publish")
@FOLDER
@REASON
@AUTHOR
@BREAK_GLASS
@AS_JSON
def policy_publish(folder: Path, reason: str, author: str | None, break_glass: bool, as_json: bool) -> None:
    """Make the files of FOLDER the organization's whole set of policies, all or nothing."""
    from interlayer.app.commands.policy_output import print_published
    from interlayer_policies.governance import read_folder

    done = _publish(read_folder(folder), reason, author, break_glass)
    echo(as_json, done, lambda: print_published(done))


@policy.command("rollback")
@click.argument("revision", type=int)
@REASON
@AUTHOR
@BREAK_GLASS
@AS_JSON
@with_process
async def policy_rollback(
    parts: "Parts", revision: int, reason: str, author: str | None, break_glass: bool, as_json: bool
) -> None:
    """Publish the set of an earlier REVISION again, as a new revision."""
    from interlayer.app.commands.policy_output import print_published

    governance = parts.domains.governance
    done = await governance.rollback(
        parts.settings.principal, revision, reason=reason, author=author, break_glass=break_glass
    )
    echo(as_json, done, lambda: print_published(done))


@policy.command("history")
@click.argument("policy_id", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="At most so many.")
@AS_JSON
@with_process
async def policy_history(parts: "Parts", policy_id: str | None, limit: int, as_json: bool) -> None:
    """List who published what, when and why, newest first; of POLICY_ID only what changed it."""
    from interlayer.app.commands.policy_output import print_history

    governance = parts.domains.governance
    if policy_id:
        changes = await governance.policy_history(parts.settings.principal, policy_id, limit)
        rows = [{"version": one.version or "removed", **answers.as_json(one.publication)} for one in changes]
    else:
        rows = answers.as_json(await governance.history(parts.settings.principal, limit))
    echo(as_json, rows, lambda: print_history(rows))


@policy.command("show")
@click.argument("policy_id", required=False)
@click.option("--version", type=int, help="An older version; default: the one in force.")
@with_process
async def policy_show(parts: "Parts", policy_id: str | None, version: int | None) -> None:
    """Print a policy in force, or, without POLICY_ID, list them all."""
    governance = parts.domains.governance
    if policy_id:
        click.echo((await governance.policy(parts.settings.principal, policy_id, version)).text)
        return
    published = await governance.published(parts.settings.principal)
    click.echo(f"revision {published.revision}")
    for one in published.policies:
        click.echo(f"  {one.id:<24} v{one.version:<4} {one.title}")


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
@with_process
async def policy_explain(
    parts: "Parts", task: str, agent: str | None, tags: Sequence[str], max_tokens: int, as_json: bool, **facets: Any
) -> None:
    """Tell why each rule and section is in or out of what an agent gets for TASK, with scores."""
    from dataclasses import replace

    from interlayer.app.commands.policy_output import print_explanation
    from interlayer_policies.governance import Facets

    principal = replace(parts.settings.principal, agent=agent) if agent else parts.settings.principal
    given = Facets(**facets, tags=tuple(tags))
    found = await parts.domains.governance.explain(principal, task, given, max_tokens=max_tokens)
    echo(as_json, found, lambda: print_explanation(found))


@with_process
async def _publish(
    parts: "Parts", files: "Sequence[PolicyFile]", reason: str, author: str | None, break_glass: bool
) -> "Published":
    publish = parts.domains.governance.publish
    return await publish(parts.settings.principal, files, reason=reason, author=author, break_glass=break_glass)
