"""`interlayer memory forget | forgotten | restore-forgotten`: erase what is remembered, after a look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.memory.entities import meant, meant_fact
from interlayer.app.commands.shell import AS_JSON, REASON_CODE, REFERENCE, echo, with_process
from interlayer.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.erasure.answer import ForgetAnswer, ListedErasure

_SHOWN_MAX = 20


@click.command("forget", short_help="Erase something for good, after a look.")
@click.argument("entity", required=False)
@click.option("--fact", metavar="WORDS|ID", help="Only this fact: words of it, beside ENTITY, or its id.")
@click.option("--memory", "memory_id", metavar="ID", help="Only what one call of memorize added, in all entities.")
@REASON_CODE
@REFERENCE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be erased.")
@AS_JSON
@with_process
async def memory_forget(
    parts: "Parts",
    entity: str | None,
    fact: str | None,
    memory_id: str | None,
    reason: str | None,
    reference: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show what is remembered of ENTITY, of a fact or a memory, and erase it for good; no quota counts here.

    Of a person whom other entities may name, `interlayer subject erase` does more.
    """
    if not (reason or dry_run):
        raise click.UsageError("--reason CODE is missing; --dry-run shows what would be erased.")
    principal = parts.settings.principal
    if "eraser" not in principal.roles:
        raise Refused("forget needs the role eraser.")
    target = await _target(parts, entity, fact, memory_id, asking=not as_json)
    if "reader" in principal.roles:
        found = await parts.memory.list_erasure(
            principal, entity=target.entity, fact_id=target.fact_id, memory_id=target.memory_id
        )
        if dry_run or not (yes and as_json):
            echo(as_json and dry_run, found, lambda: _print_listed(parts, found, to_stderr=as_json))
    if dry_run:
        return
    _confirm(yes=yes)
    answer = await parts.memory.forgetter.forget(
        principal,
        reason or "",
        reference=reference,
        entity=target.entity,
        fact_id=target.fact_id,
        memory_id=target.memory_id,
    )
    echo(as_json, answer, lambda: _print_forgotten(answer))


@click.command("forgotten")
@AS_JSON
@with_process
async def memory_forgotten(parts: "Parts", as_json: bool) -> None:
    """List what was forgotten and can be taken back, with INTERLAYER_ERASURE_GRACE set."""
    found = await parts.memory.safeguards.grace.listed(parts.settings.principal.organization)

    def show() -> None:
        for one in found:
            click.echo(f"{one.id}  {one.what}  by {one.by} at {one.at[:16]}Z, erased for good after {one.due[:16]}Z")
        if not found:
            click.echo("nothing")

    echo(as_json, found, show)


@click.command("restore-forgotten")
@click.argument("case_id", metavar="ID")
@with_process
async def memory_restore(parts: "Parts", case_id: str) -> None:
    """Take back an erasure that `forgotten` lists."""
    await parts.memory.projector.erase(parts.settings.principal.organization)  # whose rest must not come after it
    case = await parts.memory.safeguards.grace.restore(parts.settings.principal, case_id)
    click.echo(f"{case.what} is back")


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to be erased: exactly one of these."""

    entity: str | None = None
    fact_id: str | None = None
    memory_id: str | None = None


async def _target(
    parts: "Parts", entity: str | None, fact: str | None, memory_id: str | None, *, asking: bool
) -> _Target:
    if memory_id and not (entity or fact):
        return _Target(memory_id=memory_id)
    if memory_id or not (entity or fact):
        raise InvalidInput("entity", "what is to be erased?", "Give ENTITY, ENTITY --fact WORDS, or --memory ID.")
    if fact is None:
        return _Target(entity=await meant(parts, entity or "", asking=asking))
    if entity is None:
        if not fact.startswith("f_"):
            raise InvalidInput("fact", "words need an entity.", "Say whose: forget ENTITY --fact WORDS.")
        return _Target(fact_id=fact)
    ref = await meant(parts, entity, asking=asking)
    return _Target(fact_id=await meant_fact(parts, ref, fact, past=True, asking=asking))


def _confirm(*, yes: bool) -> None:
    from interlayer.app.commands.memory.lines import is_conversation

    if yes:
        return
    if not is_conversation():
        raise Refused("Nothing was erased: look at what is listed, and add --yes.")
    click.confirm("Erase this for good?", abort=True, err=True)


def _print_listed(parts: "Parts", found: "Sequence[ListedErasure]", *, to_stderr: bool) -> None:
    from interlayer.app.commands.memory.lines import ASIDE, HEADING, OLD, Page, dates_of, joined

    page, dates = Page(to_stderr=to_stderr), dates_of(parts)
    for one in found:
        counts = {"memory": one.memories, "fact": len(one.facts), "value": len(one.properties), "link": one.relations}
        told = joined(*(_counted(count, name) for name, count in counts.items() if count))
        page.say((one.entity.name, HEADING), (f"  {told}, since {dates.told(one.since)}", ASIDE))
        for text in one.facts[:_SHOWN_MAX]:
            page.say((f"- {text}", OLD), indent=2)
        if len(one.facts) > _SHOWN_MAX:
            page.say(f"and {len(one.facts) - _SHOWN_MAX} more", indent=2)
        if one.properties:
            page.say((f"- {', '.join(one.properties)}", OLD), indent=2)
        for text in one.kept[:_SHOWN_MAX]:
            page.say(f"stays, others say it too: {text}", indent=2)


def _counted(count: int, name: str) -> str:
    plural = "memories" if name == "memory" else f"{name}s"
    return f"{count} {name if count == 1 else plural}"


def _print_forgotten(answer: "ForgetAnswer") -> None:
    erased = answer.erased
    click.echo(f"erased: {erased.memories} memories, {erased.facts} facts, {erased.properties} properties")
    for label, said in (("pending", answer.pending), ("can be taken back", answer.restorable)):
        if said:
            click.echo(f"{label}: {said}")
    for one in answer.still_named or ():
        click.echo(f"still named in {one.entity}: {one.facts} facts; `interlayer subject find` looks everywhere")
