"""`interlayer memory timeline`: what became known of an entity when, and what took the place of what."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.shell import AS_JSON, INSTANT, echo, with_process

if TYPE_CHECKING:
    from interlayer.app.commands.memory.lines import Dates
    from interlayer.app.composition import Parts
    from interlayer.memory.recall.timeline.answer import TimelineAnswer, TimelineEvent


@click.command("timeline", short_help="Tell what became known of ENTITY when.")
@click.argument("entity")
@click.option("--since", type=INSTANT, help="What became known then or later.")
@click.option("--until", type=INSTANT, help="What became known by then.")
@click.option("--property", "name", metavar="NAME", help="Only how this property changed.")
@click.option("--ids", is_flag=True, help="Show the ids of facts and memories too.")
@AS_JSON
@with_process
async def memory_timeline(
    parts: "Parts",
    entity: str,
    since: datetime | None,
    until: datetime | None,
    name: str | None,
    ids: bool,
    as_json: bool,
) -> None:
    """Tell what became known of ENTITY when, oldest first: statements, values, relations, and what replaced what."""
    from interlayer.app.commands.memory.entities import meant

    answer = await parts.memory.timeline(
        parts.settings.principal, await meant(parts, entity, asking=not as_json), since=since, until=until, name=name
    )
    echo(as_json, answer, lambda: _print_timeline(parts, answer, with_ids=ids))


def _print_timeline(parts: "Parts", answer: "TimelineAnswer", *, with_ids: bool) -> None:
    from interlayer.app.commands.memory.lines import ASIDE, HEADING, Page, dates_of, print_notes

    page, dates, day = Page(), dates_of(parts), ""
    page.say((answer.entity.name, HEADING), (f"  {answer.entity.ref.partition(':')[0]}", ASIDE))
    for origin, events in groupby(answer.events, lambda event: _origin(event, dates, with_ids=with_ids)):
        for event in events:
            if day != (day := dates.passed(event.at)):
                page.say((day, HEADING))
            for number, line in enumerate(_lines(event, dates)):
                page.say(line, indent=2 if number == 0 else 4)
            if with_ids and event.fact_id:
                page.say((event.fact_id, ASIDE), indent=4)
        page.say((origin[1], ASIDE), indent=4)
    if not answer.events:
        page.say("Nothing became known in that time.")
    print_notes(None, answer.degraded)


def _origin(event: "TimelineEvent", dates: "Dates", *, with_ids: bool) -> tuple[str, str]:
    """Return the day of an event, and who said so where; of events in a row it is told once."""
    from interlayer.app.commands.memory.lines import joined

    by = f"{event.agent} for {event.user}" if event.user else event.agent
    by = "" if event.source.endswith(f" by {event.user or event.agent}") else by  # the source of a correction says it
    recorded = dates.day(event.recorded_at)
    learned = f"recorded {recorded}" if recorded != dates.day(event.at) else ""
    return event.at[:10], joined(event.source, by, learned, event.memory_id if with_ids else "")


def _lines(event: "TimelineEvent", dates: "Dates") -> Iterator[str | tuple[str, str]]:
    """Yield what an event says: first what is so now, then what was."""
    from interlayer.app.commands.memory.lines import NEW, OLD, value_of

    if event.property:
        mark, style = {"property_set": ("+", NEW), "property_removed": ("-", OLD)}.get(event.event, ("~", NEW))
        values = [value_of(one) for one in (event.previous, event.value) if one is not None]
        yield f"{mark} {event.property}: {' -> '.join(values)}", style
    elif event.text:
        yield from _statement(event, dates)
    elif event.other and event.relation:
        mark, style = ("- no longer:", OLD) if event.event == "relation_ended" else ("+", NEW)
        ends = (event.other.name, event.relation) if event.direction else (event.relation, event.other.name)
        yield f"{mark} {' '.join(ends)}", style
    elif event.other:
        yield f"= {event.other.name} {'became a part of it' if event.event == 'merged' else 'was split off again'}"


def _statement(event: "TimelineEvent", dates: "Dates") -> Iterator[str | tuple[str, str]]:
    from interlayer.app.commands.memory.lines import NEW, OLD

    if event.event == "fact_ended":
        yield f"- no longer: {event.text}", OLD
        return
    yield f"+ {event.text}", "" if event.replaced_by else NEW
    for other in event.replaces or ():
        yield f"in place of: {other.text} ({dates.day(other.observed_at)})", OLD
    if event.replaced_by:
        yield f"until {dates.day(event.replaced_by.observed_at)}: {event.replaced_by.text}"
