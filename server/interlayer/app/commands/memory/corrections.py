"""`interlayer memory correct | end`: a person sets right what is remembered; what held before stays as history."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from interlayer.app.commands.memory.entities import meant, meant_fact
from interlayer.app.commands.shell import AS_JSON, FAILED, echo, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.curation.answer import CorrectionAnswer

_DRY_RUN: Final = click.option("--dry-run", is_flag=True, help="Only show what would change.")
_FACT: Final = click.option("--fact", metavar="WORDS|ID", help="The statement: words of it, or its id.")


@click.command("correct", short_help="Replace a fact or a value of ENTITY.")
@click.argument("entity")
@_FACT
@click.option("--property", "name", metavar="NAME", help="The property.")
@click.option("--to", "new", multiple=True, required=True, help="What holds instead; again for a list's next entry.")
@_DRY_RUN
@AS_JSON
@with_process
async def memory_correct(
    parts: "Parts",
    entity: str,
    fact: str | None,
    name: str | None,
    new: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Put another statement in the place of a fact of ENTITY, or another value in that of a property.

    It is remembered as your word; what it takes the place of stays as history.
    """
    if (fact is None) == (name is None):
        raise click.UsageError("Give either --fact or --property, with --to.")
    principal, corrections = parts.settings.principal, parts.memory.corrections
    ref = await meant(parts, entity, asking=not as_json)
    if name is not None:
        given = list(new)
        value: Any = given if len(given) > 1 or _is_list(parts, ref, name) else given[0]
        answer = await corrections.set_value(principal, ref, name, value, dry_run=dry_run)
    elif fact is not None and len(new) == 1:
        fact_id = await meant_fact(parts, ref, fact, asking=not as_json)
        answer = await corrections.replace_fact(principal, ref, fact_id, new[0], dry_run=dry_run)
    else:
        raise click.UsageError("A statement is replaced by one other: give --to once.")
    return _show(parts, answer, as_json=as_json, dry_run=dry_run)


@click.command("end", short_help="Say that something holds no longer.")
@click.argument("entity")
@_FACT
@click.option("--property", "name", metavar="NAME", help="The property; VALUE is the one entry of a list to take out.")
@click.option("--relation", nargs=2, metavar="TYPE TARGET", help="The relation to another entity, or from it.")
@click.argument("value", required=False)
@_DRY_RUN
@AS_JSON
@with_process
async def memory_end(
    parts: "Parts",
    entity: str,
    fact: str | None,
    name: str | None,
    relation: tuple[str, str] | None,
    value: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Say that a fact, a property or a relation of ENTITY holds no longer.

    It stays as history, unlike what `forget` erases.
    """
    if [fact, name, relation].count(None) != 2:
        raise click.UsageError("Give one of --fact, --property and --relation.")
    if value is not None and name is None:
        raise click.UsageError("VALUE goes with --property.")
    principal, corrections = parts.settings.principal, parts.memory.corrections
    ref = await meant(parts, entity, asking=not as_json)
    if name is not None:
        taken: Any = [value] if value is not None and _is_list(parts, ref, name) else value
        answer = await corrections.remove_value(principal, ref, name, taken, dry_run=dry_run)
    elif relation is not None:
        target = await meant(parts, relation[1], asking=not as_json)
        answer = await corrections.end_relation(principal, ref, relation[0], target, dry_run=dry_run)
    else:
        fact_id = await meant_fact(parts, ref, fact or "", asking=not as_json)
        answer = await corrections.end_fact(principal, ref, fact_id, dry_run=dry_run)
    return _show(parts, answer, as_json=as_json, dry_run=dry_run)


def _is_list(parts: "Parts", ref: str, name: str) -> bool:
    schema = parts.memory.schema.stored(ref.partition(":")[0])
    declared = schema.current.get(schema.current_name(name))
    return declared is not None and declared.type == "list"


def _show(parts: "Parts", answer: "CorrectionAnswer", *, as_json: bool, dry_run: bool) -> int:
    """Print what a correction changed, and return the exit code: 1 where nothing came of it."""
    echo(as_json, answer, lambda: _print_correction(parts, answer, dry_run=dry_run))
    return 0 if _changes(answer) else FAILED


def _changes(answer: "CorrectionAnswer") -> bool:
    return bool(answer.no_longer or answer.now or answer.values or answer.relations)


def _changed(answer: "CorrectionAnswer") -> Iterator[str]:
    """Yield what a correction makes of values and relations, with the sign of what goes or comes."""
    from interlayer.app.commands.memory.lines import value_of

    for one in answer.values:
        for sign, value in (("-", one.previous), ("+", one.value)):
            if value is not None:
                yield f"{sign} {one.name}: {value_of(value)}"
    for relation in answer.relations:
        yield f"{'+' if relation.holds else '-'} {relation.type} {relation.other.name}"


def _print_correction(parts: "Parts", answer: "CorrectionAnswer", *, dry_run: bool) -> None:
    from interlayer.app.commands.memory.lines import ASIDE, HEADING, NEW, OLD, Page, dates_of, joined

    page, dates = Page(), dates_of(parts)
    page.say((answer.entity.name, HEADING), ("  would change so:" if dry_run else "", ASIDE))
    for fact in answer.no_longer:
        page.say((f"- {fact.text}", OLD), (f"  {joined(dates.told(fact.observed_at), fact.source)}", ASIDE), indent=2)
    for fact in answer.now:
        page.say((f"+ {fact.text}", NEW), indent=2)
    for line in _changed(answer):
        page.say((line, OLD if line.startswith("-") else NEW), indent=2)
    for reason in answer.rejected:
        click.echo(f"turned down: {reason}", err=True)
    if not _changes(answer):
        page.say("Nothing changes." if dry_run or not answer.memory_id else "Nothing changed.", indent=2)
