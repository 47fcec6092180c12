"""Whom a person means by a name: one entity of any type, or a question back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from interlayer.errors import Ambiguous, NotFound

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.entities.answer import Bearer

_TOLD_MAX = 3
_LISTED_MAX = 20


async def meant(parts: "Parts", name: str, *, asking: bool = True) -> str:
    """Return the entity string of the one that a name means, `type:key` or bare.

    Where several bear it, they are listed and a person at a terminal is asked; else it is refused. What says its type
    and is borne by nobody is returned as it is: whoever uses it says what there is near to it.
    """
    identities, principal = parts.memory.identities, parts.settings.principal
    bearers = await identities.bearers(principal, name)
    if len(bearers) == 1:
        return bearers[0].ref
    has_type = name.partition(":")[0].strip() in parts.memory.schema.entities
    if not bearers and has_type:
        return name
    if bearers:
        return _chosen(bearers, f"{len(bearers)} entities bear {name!r}", asking=asking)
    alike = (await identities.partly_called(principal, name))[:_LISTED_MAX]
    if not alike:
        types = ", ".join(parts.memory.schema.entities)
        raise NotFound(f"entity: nobody is called {name!r}. `interlayer memory list` names all; types are {types}.")
    return _chosen(alike, f"nobody is called just {name!r}", asking=asking)


def _chosen(bearers: "Sequence[Bearer]", problem: str, *, asking: bool) -> str:
    named = ", ".join(one.handle for one in bearers[:_TOLD_MAX])
    lines = [f"{one.name}  {_told(one)}" for one in bearers]
    return bearers[_asked(lines, f"entity: {problem}", f"Name one of them, such as {named}", asking=asking)].ref


def _asked(lines: Sequence[str], problem: str, remedy: str, *, asking: bool) -> int:
    """List what may be meant; return the place of the one that a person chooses. Raises `Ambiguous` without one."""
    from interlayer.app.commands.memory.lines import is_conversation

    for number, line in enumerate(lines[:_LISTED_MAX], 1):
        click.echo(f"{number:>3}  {line}", err=True)
    if len(lines) > _LISTED_MAX:
        click.echo(f"     and {len(lines) - _LISTED_MAX} more", err=True)
    if not asking or not is_conversation():
        raise Ambiguous(f"{problem}. {remedy}.")
    number: int = click.prompt(f"{problem}. Which one", type=click.IntRange(1, min(len(lines), _LISTED_MAX)), err=True)
    return number - 1


def _told(bearer: "Bearer") -> str:
    """Say what tells an entity from its namesakes: its type, its identifiers, and what is known of it."""
    from interlayer.app.commands.memory.lines import joined, short, value_of

    known = [value for values in bearer.identifiers.values() for value in values][:_TOLD_MAX]
    values = [f"{name}: {short(value_of(value))}" for name, value in bearer.properties.items()][:_TOLD_MAX]
    return joined(bearer.type, ", ".join(known), "; ".join(values) if values else "" if known else bearer.ref)


async def meant_fact(parts: "Parts", ref: str, named: str, *, past: bool = False, asking: bool = True) -> str:
    """Return the id of the one fact of an entity that an id or words mean; several are asked about as entities are."""
    from interlayer.app.commands.memory.lines import dates_of, joined

    found = await parts.memory.facts_named(parts.settings.principal, ref, named, past=past)
    if not found:
        held = "remembered" if past else "current"
        raise NotFound(f"fact: nothing that is {held} says {named!r}. `interlayer memory show` has all that is known.")
    if len(found) == 1:
        return found[0].fact_id
    dates = dates_of(parts)
    lines = [f"{one.text}  {joined(dates.told(one.observed_at), one.source)}" for one in found]
    problem = f"{len(found)} facts say {named!r}"
    number = _asked(lines, problem, "Give more of its words, or its id, such as " + found[0].fact_id, asking=asking)
    return found[number].fact_id
