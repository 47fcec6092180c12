"""`interlayer entity`: who is who."""

from typing import TYPE_CHECKING

import click

from interlayer.answers import display_time
from interlayer.app.commands.shell import AS_JSON, echo, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts


_REASON = click.option("--reason", required=True, help="Why; kept in the audit trail.")


@click.group()
def entity() -> None:
    """Merge two entities that are one, split them again, settle conflicts."""


@entity.command("merge")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@_REASON
@AS_JSON
@with_process
async def entity_merge(parts: "Parts", kept: str, other: str, reason: str, as_json: bool) -> None:
    """Make B a part of A (both type:key). Nothing is lost, and `split` takes it back."""
    done = await parts.memory.merger.merge(parts.settings.principal, kept, other, reason)

    def show() -> None:
        click.echo(f"{done.merged} is now a part of {done.kept}: {done.facts} facts, {done.repeated} repeated")
        click.echo(f"To take it back: interlayer entity split {done.kept} {done.merged} --reason TEXT")

    echo(as_json, done, show)


@entity.command("split")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@_REASON
@AS_JSON
@with_process
async def entity_split(parts: "Parts", kept: str, other: str, reason: str, as_json: bool) -> None:
    """Give B (type:id, as `names` lists it) back what it was before it was merged into A."""
    done = await parts.memory.merger.split(parts.settings.principal, kept, other, reason)

    def show() -> None:
        click.echo(f"{done.split} is apart from {done.kept} again")
        if done.stays:
            click.echo(f"{done.stays} facts memorized since the merge stay with {done.kept}")

    echo(as_json, done, show)


@entity.command("names")
@click.argument("name", metavar="ENTITY")
@AS_JSON
@with_process
async def entity_names(parts: "Parts", name: str, as_json: bool) -> None:
    """Print the names and identifiers of ENTITY, and what was merged into it when, by whom and why."""
    known = await parts.memory.identities.names(parts.settings.principal, name)

    def show() -> None:
        click.echo(f"{known.ref}  {known.name}")
        click.echo(f"names: {', '.join(known.names) or '-'}")
        for kind, values in known.identifiers.items():
            click.echo(f"{kind}: {', '.join(values)}")
        for one in known.merged:
            state = "split off again" if one.split else "merged"
            click.echo(f"{display_time(one.at)} {state}: {one.ref} {one.name} ({one.agent}: {one.reason})")

    echo(as_json, known, show)


@entity.command("conflicts")
@AS_JSON
@with_process
async def entity_conflicts(parts: "Parts", as_json: bool) -> None:
    """List identifiers that were learned of one entity and belong to another: perhaps the two are one."""
    found = await parts.memory.identities.conflicts(parts.settings.principal)

    def show() -> None:
        for one in found:
            claimed, owner = one.claimed_by, one.belongs_to
            click.echo(f"{one.kind} {one.value}: claimed for {claimed.ref} ({claimed.name}),")
            click.echo(f"  belongs to {owner.ref} ({owner.name}), {display_time(one.at)}, {one.memory_id}")
        click.echo(f"{len(found)} conflicts" + ("; `interlayer entity merge A B` joins two" if found else ""))

    echo(as_json, found, show)
