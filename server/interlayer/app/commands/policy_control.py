"""`interlayer policy`: who agrees to changes, and which rules are waived."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from interlayer.app.commands.policy import AS_JSON, REASON, policy
from interlayer.app.commands.shell import INSTANT, echo, run_async, settings_of


@policy.command("proposals")
@click.option("--all", "everything", is_flag=True, help="Those that were decided too.")
@AS_JSON
@click.pass_context
def policy_proposals(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """List changes that wait for approval, and those published by breaking the glass that nobody looked at since."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_proposals
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            found = await interlayer.domains.governance.stewardship.proposals(settings.principal, everything=everything)
        echo(as_json, [asdict(one) for one in found], lambda: print_proposals(found))

    run_async(run)


@policy.command("approve")
@click.argument("proposal_id", metavar="ID")
@REASON
@click.pass_context
def policy_approve(ctx: click.Context, proposal_id: str, reason: str) -> None:
    """Agree to a proposal, as INTERLAYER_AGENT; the last approval that it needs publishes it."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_published
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            stewardship = interlayer.domains.governance.stewardship
            done = await stewardship.approve(settings.principal, proposal_id, reason)
        if done:
            print_published(done)
        else:
            click.echo(f"{proposal_id}: your approval is kept; `interlayer policy proposals` says what is missing")

    run_async(run)


@policy.command("reject")
@click.argument("proposal_id", metavar="ID")
@REASON
@click.pass_context
def policy_reject(ctx: click.Context, proposal_id: str, reason: str) -> None:
    """Turn a proposal down, as INTERLAYER_AGENT."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            stewardship = interlayer.domains.governance.stewardship
            rejected = await stewardship.reject(settings.principal, proposal_id, reason)
        if rejected.state == "rejected_later":
            click.echo(
                f"{proposal_id} is rejected; it is in force all the same. "
                f"`interlayer policy rollback {rejected.base_revision} --reason TEXT` takes it back."
            )
        else:
            click.echo(f"{proposal_id} is rejected; nothing was published")

    run_async(run)


@policy.command("waive")
@click.argument("rule", metavar="POLICY#RULE")
@click.option("--until", type=INSTANT, required=True, help="When it ends, such as 2026-12-01 or 2026-12-01T09:00:00Z.")
@REASON
@click.option("--agents", multiple=True, help="Only for these agents; globs are allowed.")
@click.option("--teams", multiple=True, help="Only for these teams.")
@click.option("--channels", multiple=True, help="Only for these channels.")
@click.option("--audiences", multiple=True, help="Only for these audiences.")
@click.option("--regions", multiple=True, help="Only for these regions.")
@click.option("--entity-types", multiple=True, help="Only for these entity types.")
@click.option("--tags", multiple=True, help="Only for these tags.")
@click.pass_context
def policy_waive(ctx: click.Context, rule: str, until: datetime, reason: str, **scope: Sequence[str]) -> None:
    """Exempt a scope from a rule until a time, as INTERLAYER_AGENT; it lapses when the rule changes."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            stewardship = interlayer.domains.governance.stewardship
            waiver = await stewardship.waive(settings.principal, rule, scope, until, reason)
        click.echo(f"{waiver.id}: {waiver.rule} is waived until {waiver.until.isoformat()}")

    run_async(run)


@policy.command("waivers")
@AS_JSON
@click.pass_context
def policy_waivers(ctx: click.Context, as_json: bool) -> None:
    """List the waivers that have not ended."""
    settings = settings_of(ctx)
    from interlayer.app.commands.policy_output import print_waivers
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            found = await interlayer.domains.governance.stewardship.waivers(settings.principal)
        rows: list[dict[str, Any]] = [{**asdict(one.waiver), "holds": one.holds} for one in found]
        echo(as_json, rows, lambda: print_waivers(rows))

    run_async(run)


@policy.command("end-waiver")
@click.argument("waiver_id", metavar="ID")
@REASON
@click.pass_context
def policy_end_waiver(ctx: click.Context, waiver_id: str, reason: str) -> None:
    """Put a waived rule into force again."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            stewardship = interlayer.domains.governance.stewardship
            ended = await stewardship.end_waiver(settings.principal, waiver_id, reason)
        click.echo(f"{ended.rule} is in force again")

    run_async(run)
