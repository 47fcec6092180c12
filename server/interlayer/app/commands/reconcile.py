"""reconcile: bring the vector layer to where the item store is, compare the two, mend what differs."""

import json
from typing import TYPE_CHECKING

import click

from interlayer import answers
from interlayer.app.commands.shell import FAILED, progress, with_process
from interlayer.errors import Corrupt

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.projection.consistency import Difference

_SHOWN = 20


@click.command()
@click.option("--rebuild", is_flag=True, help="Compare every fact with the vector layer and mend what differs.")
@click.option("--check", is_flag=True, help="Compare both layers and name every difference; exit 1 on any.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, every difference by name.")
@with_process
async def reconcile(parts: "Parts", rebuild: bool, check: bool, as_json: bool) -> int:
    """Replay what the vector layer has not yet seen."""
    outcome, left = await _reconcile_layers(parts, parts.settings.principal.organization, rebuild, check)
    if as_json:
        named = {"differences": answers.as_json(left)} if check else {}
        click.echo(json.dumps({**outcome, **named}, indent=2))
    else:
        _show(outcome, left, check)
    return FAILED if left else 0


async def _reconcile_layers(
    parts: "Parts", organization: str, rebuild: bool, check: bool
) -> "tuple[dict[str, int], list[Difference]]":
    """Return counts of what was done, and the differences that are left (looked for with `check`)."""
    from interlayer.memory.projection.names import fill_names

    outcome: dict[str, int] = {}
    compared = progress("facts compared")
    if rebuild:  # before anything is replayed: into an index that cannot be read, nothing can be
        outcome["differed"] = len(await parts.memory.consistency.clear(organization, compared))
    try:
        outcome["replayed"] = await parts.memory.projector.drain(organization)
    except Corrupt:
        if not check:
            raise
    if rebuild:
        spaces = await parts.memory.spaces.whole(organization)
        made = [await parts.memory.backfill.fill(organization, space, compared) for space in spaces]
        added, removed = sum(one.added for one in made), sum(one.removed for one in made)
        outcome |= {"facts": made[0].facts, "added": added, "removed": removed}
        outcome["names"] = await fill_names(parts.store, organization, parts.memory.schema)
    return outcome, await parts.memory.consistency.differences(organization, compared) if check else []


def _show(outcome: dict[str, int], left: "list[Difference]", check: bool) -> None:
    if "replayed" in outcome:
        click.echo(f"{outcome['replayed']} outbox entries replayed")
    if "facts" in outcome:
        click.echo(
            f"{outcome['facts']} facts: {outcome['added']} rows were missing, {outcome['removed']} were left over"
        )
    if outcome.get("names"):
        click.echo(f"names of {outcome['names']} entities were missing in the index of names")
    for one in left[:_SHOWN]:
        click.echo(f"{one.kind:<10} {one.fact_id} {one.owner} in {one.space}")
    if len(left) > _SHOWN:
        click.echo(f"... and {len(left) - _SHOWN} more; --json names all")
    if check:
        remedy = ". Run `interlayer reconcile --rebuild`." if left else ""
        click.echo(f"{len(left)} differences{remedy}")
