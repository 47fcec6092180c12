"""`interlayer entity`: who is who."""

from typing import TYPE_CHECKING

import click

from interlayer.answers import display_time
from interlayer.app.commands.memory.entities import meant
from interlayer.app.commands.shell import AS_JSON, echo, progress, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts


_REASON = click.option("--reason", required=True, help="Why; kept in the audit trail.")


@click.group()
def entity() -> None:
    """Merge two entities that are one, split them again, settle conflicts, find how two are connected."""


@entity.command("merge")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@_REASON
@AS_JSON
@with_process
async def entity_merge(parts: "Parts", kept: str, other: str, reason: str, as_json: bool) -> None:
    """Make B a part of A. Nothing is lost, and `split` takes it back."""
    kept = await meant(parts, kept, asking=not as_json)
    other = await meant(parts, other, asking=not as_json)
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
    ref = await meant(parts, name, asking=not as_json)
    known = await parts.memory.identities.names(parts.settings.principal, ref)

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


@entity.command("path")
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@click.option("--steps", type=click.IntRange(1, 3), default=3, show_default=True, help="Relations between the two.")
@AS_JSON
@with_process
async def entity_path(parts: "Parts", start: str, end: str, steps: int, as_json: bool) -> None:
    """Print how FROM and TO are connected, the shortest ways first."""
    start = await meant(parts, start, asking=not as_json)
    end = await meant(parts, end, asking=not as_json)
    found = await parts.memory.find_paths(parts.settings.principal, start, end, steps)

    def show() -> None:
        for path in found.paths:
            told = [found.start.name]
            for step in path.steps:
                arrow = f"<-{step.relation}-" if step.reverse else f"-{step.relation}->"
                told.append(f"{arrow} {step.to.name}")
            click.echo(f"{' '.join(told)}  ({path.observed_at})")
        if not found.paths:
            click.echo(f"No way of up to {steps} relations from {found.start.name} to {found.end.name} is known.")
        for one in found.cut:
            click.echo(f"{one.name} ({one.ref}) has more relations than were looked at: there may be other ways.")

    echo(as_json, found, show)


@entity.group("duplicates", invoke_without_command=True)
@click.option("--anew", is_flag=True, help="Compare everything, not only what changed since the last search.")
@AS_JSON
@click.pass_context
def entity_duplicates(context: click.Context, anew: bool, as_json: bool) -> None:
    """Look for entities that may be one, and list the pairs that nobody has decided on.

    `accept A B` makes them one, `reject A B` remembers that they are two.
    """
    if context.invoked_subcommand is None:
        context.invoke(entity_duplicates_list, anew=anew, as_json=as_json)


@entity_duplicates.command("list")
@click.option("--anew", is_flag=True, help="Compare everything, not only what changed since the last search.")
@AS_JSON
@with_process
async def entity_duplicates_list(parts: "Parts", anew: bool, as_json: bool) -> None:
    """Look for entities that may be one, and list the pairs that nobody has decided on."""
    principal, memory = parts.settings.principal, parts.memory
    done = await memory.duplicates.search(principal, anew=anew, progress=progress("entities"))
    found = await memory.duplicates.open(principal)

    def show() -> None:
        for pair in found:
            since = pair.found_at.partition("T")[0]
            click.echo(f"{pair.one.name} / {pair.other.name}: {pair.probability:.0%}, since {since}")
            click.echo(f"     {pair.one.ref} {pair.other.ref}")
            for why in pair.reasons:
                values = " / ".join(dict.fromkeys(value for value in (why.one, why.other) if value))
                click.echo(f"     {why.said}" + (f": {values}" if values else ""))
        click.echo(f"{len(found)} pairs may be one; {done.changed} of {done.entities} entities were new or changed")
        if found:
            click.echo("`interlayer entity duplicates accept A B --reason TEXT` makes two one, `reject` keeps them two")

    echo(as_json, found, show)


@entity_duplicates.command("accept")
@click.argument("kept", metavar="A")
@click.argument("other", metavar="B")
@_REASON
@AS_JSON
@click.pass_context
def entity_duplicates_accept(context: click.Context, kept: str, other: str, reason: str, as_json: bool) -> None:
    """Make B a part of A, as `interlayer entity merge` does."""
    context.invoke(entity_merge, kept=kept, other=other, reason=reason, as_json=as_json)


@entity_duplicates.command("reject")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@_REASON
@AS_JSON
@with_process
async def entity_duplicates_reject(parts: "Parts", one: str, other: str, reason: str, as_json: bool) -> None:
    """Remember that A and B are two; they are not offered again."""
    one = await meant(parts, one, asking=not as_json)
    other = await meant(parts, other, asking=not as_json)
    done = await parts.memory.duplicates.distinguish(parts.settings.principal, one, other, reason)
    echo(
        as_json,
        done,
        lambda: click.echo(f"{done.one.ref} ({done.one.name}) and {done.other.ref} ({done.other.name}) are two"),
    )
