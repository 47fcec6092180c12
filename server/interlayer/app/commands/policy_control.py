"""`interlayer policy`: who agrees to changes, which rules are waived, and what calls on record say of the policies."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

import click

from interlayer import answers
from interlayer.app.commands.policy import REASON, policy
from interlayer.app.commands.shell import AS_JSON, DAY, echo, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts

_DAYS_BACK: Final = 30
SINCE: Final = click.option("--since", type=DAY, help=f"Calls since then; default: of the last {_DAYS_BACK} days.")


@policy.command("proposals")
@click.option("--all", "everything", is_flag=True, help="Those that were decided too.")
@AS_JSON
@with_process
async def policy_proposals(parts: "Parts", everything: bool, as_json: bool) -> None:
    """List changes that wait for approval, and those published by breaking the glass that nobody looked at since."""
    from interlayer.app.commands.policy_output import print_proposals

    found = await parts.domains.governance.stewardship.proposals(parts.settings.principal, everything=everything)
    echo(as_json, found, lambda: print_proposals(found))


@policy.command("approve")
@click.argument("proposal_id", metavar="ID")
@REASON
@with_process
async def policy_approve(parts: "Parts", proposal_id: str, reason: str) -> None:
    """Agree to a proposal, as the person of INTERLAYER_TOKEN; the last approval that it needs publishes it."""
    from interlayer.app.commands.policy_output import print_published

    stewardship = parts.domains.governance.stewardship
    done = await stewardship.approve(parts.settings.principal, proposal_id, reason)
    if done:
        print_published(done)
    else:
        click.echo(f"{proposal_id}: your approval is kept; `interlayer policy proposals` says what is missing")
    _say_who(parts)


@policy.command("reject")
@click.argument("proposal_id", metavar="ID")
@REASON
@with_process
async def policy_reject(parts: "Parts", proposal_id: str, reason: str) -> None:
    """Turn a proposal down, as the person of INTERLAYER_TOKEN."""
    stewardship = parts.domains.governance.stewardship
    rejected = await stewardship.reject(parts.settings.principal, proposal_id, reason)
    if rejected.state == "rejected_later":
        click.echo(
            f"{proposal_id} is rejected; it is in force all the same. "
            f"`interlayer policy rollback {rejected.base_revision} --reason TEXT` takes it back."
        )
    else:
        click.echo(f"{proposal_id} is rejected; nothing was published")
    _say_who(parts)


@policy.command("waive")
@click.argument("rule", metavar="POLICY#RULE")
@click.option("--until", type=DAY, required=True, help="Its last day, such as 2026-12-01, or an instant.")
@REASON
@click.option("--agents", multiple=True, help="Only for these agents; globs are allowed.")
@click.option("--teams", multiple=True, help="Only for these teams.")
@click.option("--channels", multiple=True, help="Only for these channels.")
@click.option("--audiences", multiple=True, help="Only for these audiences.")
@click.option("--regions", multiple=True, help="Only for these regions.")
@click.option("--entity-types", multiple=True, help="Only for these entity types.")
@click.option("--tags", multiple=True, help="Only for these tags.")
@with_process
async def policy_waive(
    parts: "Parts", rule: str, until: "date | datetime", reason: str, **scope: Sequence[str]
) -> None:
    """Exempt a scope from a rule until a time, as the person of INTERLAYER_TOKEN; it lapses when the rule changes."""
    from interlayer_policies.document.days import ends, last_said

    end = ends(until, parts.settings.time_zone)
    stewardship = parts.domains.governance.stewardship
    waiver = await stewardship.waive(parts.settings.principal, rule, scope, end, reason)
    click.echo(f"{waiver.id}: {waiver.rule} is waived until {last_said(end)}{_included(until)}")


@policy.command("waivers")
@AS_JSON
@with_process
async def policy_waivers(parts: "Parts", as_json: bool) -> None:
    """List the waivers that have not ended."""
    from interlayer.app.commands.policy_output import print_waivers

    found = await parts.domains.governance.stewardship.waivers(parts.settings.principal)
    rows = [{**answers.as_json(one.waiver), "holds": one.holds} for one in found]
    echo(as_json, rows, lambda: print_waivers(found, parts.settings.time_zone))


@policy.command("end-waiver")
@click.argument("waiver_id", metavar="ID")
@REASON
@with_process
async def policy_end_waiver(parts: "Parts", waiver_id: str, reason: str) -> None:
    """Put a waived rule into force again."""
    stewardship = parts.domains.governance.stewardship
    ended = await stewardship.end_waiver(parts.settings.principal, waiver_id, reason)
    click.echo(f"{ended.rule} is in force again")


@policy.command("vocabulary")
@click.option("--used", is_flag=True, help="Also what callers said that is in no scope, or in no vocabulary.")
@SINCE
@AS_JSON
@with_process
async def policy_vocabulary(parts: "Parts", used: bool, since: "date | datetime | None", as_json: bool) -> None:
    """List the values that scopes and calls may use, with other names and what they lie in."""
    from interlayer.app.commands.policy_output import print_vocabulary

    usage = parts.domains.governance.usage
    found = await usage.vocabulary(
        parts.settings.principal, _begin(since, parts.settings.time_zone) if used or since else None
    )
    echo(as_json, found, lambda: print_vocabulary(found))


@policy.command("trial")
@click.argument("policy_id", metavar="[POLICY|POLICY#RULE]", required=False)
@SINCE
@AS_JSON
@with_process
async def policy_trial(parts: "Parts", policy_id: str | None, since: "date | datetime | None", as_json: bool) -> None:
    """Tell what rules in trial would have done to calls of late: delivered, flagged in drafts, displaced."""
    from interlayer.app.commands.policy_output import print_trials

    begin = _begin(since, parts.settings.time_zone)
    found = await parts.domains.governance.usage.trials(parts.settings.principal, begin, policy_id)
    echo(as_json, found, lambda: print_trials(found))


def _say_who(parts: "Parts") -> None:
    """Say on whose word it is done, where nothing proves who that is."""
    principal = parts.settings.principal
    if not principal.proven:
        click.echo(f"On the word of {principal.person}, self-declared: this organization has no API keys or tokens.")


def _included(until: "date | datetime") -> str:
    return "" if isinstance(until, datetime) else ", that day included"


def _begin(since: "date | datetime | None", zone: tzinfo) -> datetime:
    from interlayer_policies.document.days import begins

    return begins(since, zone) if since else datetime.now(UTC) - timedelta(days=_DAYS_BACK)
