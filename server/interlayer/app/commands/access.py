"""`interlayer access`: API keys of agents that call over HTTP."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from interlayer.app.commands.policy import AS_JSON, REASON
from interlayer.app.commands.shell import run_async, settings_of


@click.group("access")
def access() -> None:
    """Manage the API keys of agents that call over HTTP (INTERLAYER_AUTH=keys)."""


@access.command("create")
@click.argument("agent")
@click.option("--role", "roles", multiple=True, help="What it may do; again for more. Default: reader and writer.")
@click.option("--team", "teams", multiple=True, help="A team it belongs to; again for more.")
@click.option("--days", type=int, help="How long the key can be used. Default: until it is revoked.")
@AS_JSON
@click.pass_context
def access_create(
    ctx: click.Context, agent: str, roles: Sequence[str], teams: Sequence[str], days: int | None, as_json: bool
) -> None:
    """Make a key for an agent; it is shown this once."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            key, token = await interlayer.access.create(
                settings.principal, agent, roles or ("reader", "writer"), teams, days
            )
        if as_json:
            click.echo(json.dumps({**asdict(key), "token": token}, indent=2))
        else:
            until = f" until {key.expires_at}" if key.expires_at else ""
            click.echo(
                f"{key.id}: {agent}, {', '.join(key.roles)}{until}. Send it as `Authorization: Bearer`:", err=True
            )
            click.echo(token)

    run_async(run)


@access.command("list")
@AS_JSON
@click.pass_context
def access_list(ctx: click.Context, as_json: bool) -> None:
    """List the keys: whom they are for, what they allow, until when. Never the keys themselves."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            found = await interlayer.access.keys(settings.principal)
        if as_json:
            click.echo(json.dumps([asdict(key) for key in found], indent=2))
        for key in () if as_json else found:
            state = f"revoked {key.revoked_at}" if key.revoked_at else f"until {key.expires_at or 'revoked'}"
            click.echo(
                f"{key.id}  {key.agent}  {','.join(key.roles)}  made {key.created_at} by {key.created_by}, {state}"
            )

    run_async(run)


@access.command("revoke")
@click.argument("key_id", metavar="ID")
@REASON
@click.pass_context
def access_revoke(ctx: click.Context, key_id: str, reason: str) -> None:
    """Make a key useless; running servers turn it away within 15 seconds."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            revoked = await interlayer.access.revoke(settings.principal, key_id, reason)
        click.echo(f"{revoked.id} of {revoked.agent} is revoked since {revoked.revoked_at}")

    run_async(run)
