"""`interlayer entity`: who is who."""

import json
from typing import Any

import click

from interlayer.app.commands.shell import run_async, settings_of


@click.group()
def entity() -> None:
    """Merge two entities that are one, split them again, settle conflicts."""


def _change(ctx: click.Context, action: str, kept: str, other: str, reason: str, *, as_json: bool) -> None:
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as parts:
            change = parts.merger.merge if action == "merge" else parts.merger.split
            done = await change(settings.principal, kept, other, reason)
        if as_json:
            click.echo(json.dumps(done))
        elif action == "merge":
            click.echo(
                f"{done['merged']} is now a part of {done['kept']}: {done['facts']} facts, {done['repeated']} repeated"
            )
            click.echo(f"To take it back: interlayer entity split {done['kept']} {done['merged']} --reason TEXT")
        else:
            click.echo(f"{done['split']} is apart from {done['kept']} again")
            if done["stays"]:
                click.echo(f"{done['stays']} facts memorized since the merge stay with {done['kept']}")

    run_async(run)


@entity.command("merge")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def entity_merge(ctx: click.Context, kept: str, other: str, reason: str, as_json: bool) -> None:
    """Make B a part of A (both type:key). Nothing is lost, and `split` takes it back."""
    _change(ctx, "merge", kept, other, reason, as_json=as_json)


@entity.command("split")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def entity_split(ctx: click.Context, kept: str, other: str, reason: str, as_json: bool) -> None:
    """Give B (type:id, as `names` lists it) back what it was before it was merged into A."""
    _change(ctx, "split", kept, other, reason, as_json=as_json)


@entity.command("names")
@click.argument("name", metavar="ENTITY")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def entity_names(ctx: click.Context, name: str, as_json: bool) -> None:
    """Print the names and identifiers of ENTITY, and what was merged into it when, by whom and why."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as parts:
            known = await parts.identities.names(settings.principal, name)
        if as_json:
            click.echo(json.dumps(known, indent=2, ensure_ascii=False))
            return
        click.echo(f"{known['ref']}  {known['name']}")
        click.echo(f"names: {', '.join(known['names']) or '-'}")
        for kind, values in known["identifiers"].items():
            click.echo(f"{kind}: {', '.join(values)}")
        for one in known["merged"]:
            state = "split off again" if one["split"] else "merged"
            click.echo(f"{one['at'][:19]}Z {state}: {one['ref']} {one['name']} ({one['agent']}: {one['reason']})")

    run_async(run)


@entity.command("conflicts")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def entity_conflicts(ctx: click.Context, as_json: bool) -> None:
    """List identifiers that were learned of one entity and belong to another: perhaps the two are one."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as parts:
            found: list[Any] = list(await parts.identities.conflicts(settings.principal))
        if as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        for one in found:
            claimed, owner = one["claimed_by"], one["belongs_to"]
            click.echo(f"{one['kind']} {one['value']}: claimed for {claimed['ref']} ({claimed['name']}),")
            click.echo(f"  belongs to {owner['ref']} ({owner['name']}), {one['at'][:19]}Z, {one['memory_id']}")
        click.echo(f"{len(found)} conflicts" + ("; `interlayer entity merge A B` joins two" if found else ""))

    run_async(run)
