"""`interlayer access`: who may call over HTTP: API keys of agents, and what a token is taken for."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

import click

from interlayer.app.commands.policy import REASON
from interlayer.app.commands.shell import AS_JSON, FAILED, echo, with_process, with_stores

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.app.mcp_server.token_report import TokenReport


@click.group("access")
def access() -> None:
    """Manage the API keys of agents that call over HTTP, and explain tokens."""


@access.command("create")
@click.argument("agent")
@click.option("--role", "roles", multiple=True, help="What it may do; again for more. Default: reader and writer.")
@click.option("--team", "teams", multiple=True, help="A team it belongs to; again for more.")
@click.option("--user", default="", help="The person that the agent works for.")
@click.option("--days", type=int, help="How long the key can be used. Default: until it is revoked.")
@AS_JSON
@with_process
async def access_create(
    parts: "Parts", agent: str, roles: Sequence[str], teams: Sequence[str], user: str, days: int | None, as_json: bool
) -> None:
    """Make a key for an agent; it is shown this once."""
    granted = roles or ("reader", "writer")
    key, token = await parts.access.create(parts.settings.principal, agent, granted, teams, days, user)
    if as_json:
        click.echo(json.dumps({**asdict(key), "token": token}, indent=2))
    else:
        until = f" until {key.expires_at}" if key.expires_at else ""
        click.echo(f"{key.id}: {agent}, {', '.join(key.roles)}{until}. Send it as `Authorization: Bearer`:", err=True)
        click.echo(token)


@access.command("list")
@AS_JSON
@with_process
async def access_list(parts: "Parts", as_json: bool) -> None:
    """List the keys: whom they are for, what they allow, until when. Never the keys themselves."""
    found = await parts.access.keys(parts.settings.principal)
    if as_json:
        click.echo(json.dumps([asdict(key) for key in found], indent=2))
    for key in () if as_json else found:
        state = f"revoked {key.revoked_at}" if key.revoked_at else f"until {key.expires_at or 'revoked'}"
        whom = f"{key.agent} for {key.user}" if key.user else key.agent
        click.echo(f"{key.id}  {whom}  {','.join(key.roles)}  made {key.created_at} by {key.created_by}, {state}")


@access.command("revoke")
@click.argument("key_id", metavar="ID")
@REASON
@with_process
async def access_revoke(parts: "Parts", key_id: str, reason: str) -> None:
    """Make a key useless; running servers turn it away within 5 seconds, and end its streams within 10."""
    revoked = await parts.access.revoke(parts.settings.principal, key_id, reason)
    click.echo(f"{revoked.id} of {revoked.agent} is revoked since {revoked.revoked_at}")


@access.command("explain")
@click.argument("token", type=click.File("r"), default="-", metavar="[FILE]")
@AS_JSON
@with_stores
async def access_explain(parts: "Parts", token: TextIO, as_json: bool) -> int:
    """Say whom a token stands for and what it may do, or why it is refused (exit 1). It is read from standard input."""
    from interlayer.app.mcp_server.token_report import report_on

    report = await report_on(parts, token.read().strip().removeprefix("Bearer "))
    echo(as_json, report, lambda: _show(report))
    return FAILED if report.refused else 0


def _show(report: "TokenReport") -> None:
    lines = [
        ("organization", report.organization),
        ("agent", report.agent),
        ("user", report.user),
        ("acting", ", for ".join(report.actors)),
        ("roles", ", ".join(report.roles)),
        ("teams", ", ".join(report.teams)),
        ("until", report.until),
        ("refused", report.refused),
    ]
    lines = [(name, value) for name, value in lines if value]
    lines += [("note", note) for note in report.notes]
    lines += [(f"its {name}", value) for name, value in (report.says or {}).items()]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        click.echo(f"{name:<{width}}  {value}")
