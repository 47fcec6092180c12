"""`interlayer policy`: write, test, compare, publish and explain policies."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlayer import answers
from interlayer.app.commands.shell import AS_JSON, DAY, FAILED, echo, settings_of, with_process, with_stores
from interlayer.errors import InterlayerError

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer_policies.governance import PolicyFile, Problem, Published

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
REASON = click.option("--reason", required=True, help="Why; kept with what you do and in the audit trail.")
FOLDER_OR_IN_FORCE = click.argument("folder", type=click.Path(path_type=Path), required=False)
AUTHOR = click.option("--author", help="Who wrote it; default: the local agent.")
BREAK_GLASS = click.option(
    "--break-glass",
    is_flag=True,
    help="Publish what --only names before approval; it is flagged, and the approvers are still asked.",
)
ONLY = click.option(
    "--only", multiple=True, metavar="POLICY", help="Take only this policy; the rest stays as it is. Again for more."
)


@click.group()
def policy() -> None:
    """Write, test, compare, publish and explain policies."""


@policy.command("lint")
@FOLDER
@AS_JSON
def policy_lint(folder: Path, as_json: bool) -> int:
    """Check the policies of FOLDER, beside what is published here; exit 1 when they could not be published."""
    from interlayer_policies.governance import read_folder

    files = read_folder(folder)
    problems = _lint(files)
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        click.echo(json.dumps(answers.as_json(problems), indent=2, ensure_ascii=False))
        return FAILED if errors else 0
    for problem in problems:
        click.echo(str(problem) if problem.severity == "error" else f"{problem} (warning)")
    click.echo(f"files: {len(files)}, errors: {len(errors)}, warnings: {len(problems) - len(errors)}")
    return FAILED if errors else 0


def _lint(files: "Sequence[PolicyFile]") -> "Sequence[Problem]":
    """Lint beside the published set where there is one; a home is never made for it."""
    from interlayer.app.composition import schema_of
    from interlayer_policies.governance import lint

    settings = settings_of(click.get_current_context())
    if not settings.is_in_use:
        return lint(files, schema_of(settings).allowed_values(), settings.time_zone)
    try:
        return _lint_beside(files)
    except InterlayerError as error:
        click.echo(f"not compared with what is published: {error}", err=True)
        return lint(files, schema_of(settings).allowed_values(), settings.time_zone)


@with_stores
async def _lint_beside(parts: "Parts", files: "Sequence[PolicyFile]") -> "Sequence[Problem]":
    agents = [] if parts.settings.auth not in ("none", "keys") else await parts.access.agents(parts.settings.principal)
    return await parts.domains.governance.planner.lint(parts.settings.principal, files, agents)


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
@click.argument("sets", metavar="[REVISION|DIR] REVISION|DIR", nargs=-1, required=True)
@AS_JSON
@with_process
async def policy_diff(parts: "Parts", sets: Sequence[str], as_json: bool) -> None:
    """Show what changes from one set to another: words, scopes, tokens, and what calls of late would get.

    A set is the number of a revision, a folder or the id of a proposal. Of one set alone it is told what publishing it
    would change.
    """
    from interlayer.app.commands.policy_output import print_difference

    if len(sets) > 2:
        raise click.UsageError("name one set, or two")
    stewardship, principal = parts.domains.governance.stewardship, parts.settings.principal
    *before, after = [
        await stewardship.proposed_files(principal, named) if named.startswith("pr_") else _set_of(named)
        for named in sets
    ]
    planner = parts.domains.governance.planner
    found = await planner.difference(parts.settings.principal, after, *before)
    echo(as_json, found, lambda: print_difference(found))


def _set_of(named: str) -> "Sequence[PolicyFile] | int":
    from interlayer_policies.governance import read_folder

    return int(named) if named.isdecimal() and not Path(named).is_dir() else read_folder(Path(named))


@policy.command("publish")
@FOLDER
@REASON
@AUTHOR
@BREAK_GLASS
@ONLY
@AS_JSON
def policy_publish(
    folder: Path, reason: str, author: str | None, break_glass: bool, only: Sequence[str], as_json: bool
) -> None:
    """Make the files of FOLDER the organization's whole set of policies, all or nothing."""
    from interlayer.app.commands.policy_output import print_published
    from interlayer_policies.governance import read_folder

    done = _publish(read_folder(folder), reason, author, break_glass, only)
    echo(as_json, done, lambda: print_published(done))


@policy.command("rollback")
@click.argument("revision", type=int)
@click.option("--reason", help="Why; kept with what you do and in the audit trail.")
@AUTHOR
@BREAK_GLASS
@ONLY
@click.option("--dry-run", is_flag=True, help="Only show what it would change.")
@AS_JSON
@with_process
async def policy_rollback(
    parts: "Parts",
    revision: int,
    reason: str | None,
    author: str | None,
    break_glass: bool,
    only: Sequence[str],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Publish the set of an earlier REVISION again, as a new revision."""
    from interlayer.app.commands.policy_output import print_difference, print_published

    governance, principal = parts.domains.governance, parts.settings.principal
    if dry_run:
        found = await governance.planner.difference(principal, revision)
        echo(as_json, found, lambda: print_difference(found))
        return
    if reason is None:
        raise click.UsageError("Missing option '--reason'; only --dry-run goes without.")
    done = await governance.rollback(
        principal, revision, reason=reason, author=author, break_glass=break_glass, only=only
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
        click.echo(f"  {one.id:<24} v{one.version:<4} {one.title}{' (in trial)' if one.has_trial else ''}")


def _proposed(folder: Path | None) -> "Sequence[PolicyFile]":
    """Return the files of a folder; none, which means the set in force, where no folder is named."""
    from interlayer_policies.governance import read_folder

    return read_folder(folder) if folder else ()


@policy.command("owners")
@FOLDER_OR_IN_FORCE
@AS_JSON
@with_process
async def policy_owners(parts: "Parts", folder: Path | None, as_json: bool) -> None:
    """List who answers for which policies, of the set in force or of FOLDER; nobody's come first."""
    from interlayer.app.commands.policy_output import print_owners

    files = _proposed(folder)
    found = await parts.domains.governance.planner.owners(parts.settings.principal, files)
    echo(as_json, found, lambda: print_owners(found))


@policy.command("budget")
@FOLDER_OR_IN_FORCE
@AS_JSON
@with_process
async def policy_budget(parts: "Parts", folder: Path | None, as_json: bool) -> None:
    """Show what calls in each scope are given, and what it costs, by the set in force or by FOLDER."""
    from interlayer.app.commands.policy_output import print_budget

    files = _proposed(folder)
    found = await parts.domains.governance.planner.scope_costs(parts.settings.principal, files)
    echo(as_json, found, lambda: print_budget(found))


@policy.command("explain")
@click.argument("task")
@click.option("--agent", help="As which agent; default: the local one.")
@click.option("--channel", help="Facet of the call.")
@click.option("--audience", help="Facet of the call.")
@click.option("--region", help="Facet of the call.")
@click.option("--team", help="Facet of the call.")
@click.option("--tag", "tags", multiple=True, help="Facet of the call; may be given several times.")
@click.option("--entity", help="type:key; its remembered properties take part.")
@click.option("--folder", type=click.Path(path_type=Path), help="As if this folder were published.")
@click.option("--at", type=DAY, help="As on that day, such as 2026-12-15, or at that instant.")
@click.option("--max-tokens", type=click.IntRange(1, 8_000), default=2_000, show_default=True, help="Budget.")
@AS_JSON
@with_process
async def policy_explain(
    parts: "Parts",
    task: str,
    agent: str | None,
    tags: Sequence[str],
    max_tokens: int,
    folder: Path | None,
    at: "date | datetime | None",
    as_json: bool,
    **facets: Any,
) -> None:
    """Tell why each rule and section is in or out of what an agent gets for TASK, with scores."""
    from dataclasses import replace

    from interlayer.app.commands.policy_output import print_explanation
    from interlayer_policies.document.days import begins
    from interlayer_policies.governance import Facets

    principal = replace(parts.settings.principal, agent=agent) if agent else parts.settings.principal
    given = Facets(**facets, tags=tuple(tags))
    files = _proposed(folder)
    instant = begins(at, parts.settings.time_zone) if at else None
    explain = parts.domains.governance.explain
    found = await explain(principal, task, given, max_tokens=max_tokens, files=files, at=instant)
    echo(as_json, found, lambda: print_explanation(found))


@with_process
async def _publish(
    parts: "Parts",
    files: "Sequence[PolicyFile]",
    reason: str,
    author: str | None,
    break_glass: bool,
    only: Sequence[str],
) -> "Published":
    publish, principal = parts.domains.governance.publish, parts.settings.principal
    return await publish(principal, files, reason=reason, author=author, break_glass=break_glass, only=only)
