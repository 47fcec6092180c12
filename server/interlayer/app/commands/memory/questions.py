"""`interlayer memory search | list`: what is known across entities, found by words, by type, by values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from interlayer.app.commands.memory.entities import meant
from interlayer.app.commands.shell import AS_JSON, FAILED, INSTANT, echo, progress, with_process
from interlayer.errors import InvalidInput
from interlayer.ids import timestamp
from interlayer.memory.requests import (
    RESULTS_MAX,
    TOKENS_MAX,
    Condition,
    Operator,
    RelatedTo,
    SearchRequest,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlayer.app.composition import Parts
    from interlayer.memory.recall.answer import ListAnswer, ListedEntity, SearchAnswer, SearchResult, Withheld

_COMPARISON: Final = re.compile(r"\s*(\w+)\s*(!=|>=|<=|=|>|<|~)\s*(.*?)\s*")
_OPERATORS: Final[dict[str, Operator]] = {
    "=": "eq",
    "!=": "ne",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
    "~": "contains",
}
_WHERE_HELP: Final = "Only where a property is so: stage=proposal, amount>=10000, name~lab; again for more."
_PROPERTIES_SHOWN: Final = 5


class Comparison(click.ParamType[Condition]):
    """A comparison of a property with a value, such as `stage=proposal`."""

    name = "comparison"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        """Return the condition."""
        match = _COMPARISON.fullmatch(str(value))
        if match is None or not match[3]:
            self.fail(f"{value!r} is no comparison, such as stage=proposal or amount>=10000.", param, ctx)
        return Condition(match[1], _OPERATORS[match[2]], match[3])


_WHERE: Final = click.option("--where", multiple=True, type=Comparison(), metavar="P=V", help=_WHERE_HELP)


@click.command("search", short_help="Find what is known, by words.")
@click.argument("words", nargs=-1, required=True)
@click.option("--type", "entity_type", metavar="TYPE", help="Only of entities of this type.")
@_WHERE
@click.option("--limit", type=click.IntRange(1, RESULTS_MAX), default=20, show_default=True, help="At most so many.")
@AS_JSON
@with_process
async def memory_search(
    parts: "Parts",
    words: tuple[str, ...],
    entity_type: str | None,
    where: tuple[Condition, ...],
    limit: int,
    as_json: bool,
) -> int:
    """Find what is known in any entity that fits WORDS best, with where it comes from; exit 1 for nothing."""
    request = SearchRequest(
        query=" ".join(words), entity_type=entity_type, where=where, limit=limit, max_tokens=TOKENS_MAX
    )
    answer = await parts.memory.search(parts.settings.principal, request)
    while answer.next_cursor and len(answer.results) < limit:
        more = replace(request, cursor=answer.next_cursor, limit=limit - len(answer.results))
        page = await parts.memory.search(parts.settings.principal, more)
        answer = replace(page, results=(*answer.results, *page.results))
    echo(as_json, answer, lambda: _print_found(parts, answer))
    return 0 if answer.results else FAILED


@click.command("list", short_help="List entities by name.")
@click.argument("entity_type", metavar="[TYPE]", required=False)
@_WHERE
@click.option("--related-to", "other", metavar="ENTITY", help="Only what has to do with this entity, from either end.")
@click.option("--relation", metavar="TYPE", help="By which relation; with --related-to.")
@click.option("--since", type=INSTANT, help="Only what has changed since then, last changed first.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@AS_JSON
@with_process
async def memory_list(
    parts: "Parts",
    entity_type: str | None,
    where: tuple[Condition, ...],
    other: str | None,
    relation: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> int:
    """List entities of TYPE, or of all types, by name with what is known of them; exit 1 for none."""
    if where and entity_type is None:
        raise InvalidInput("where", "needs a type.", "Name the type first: interlayer memory list deal --where ...")
    if relation and not other:
        raise click.UsageError("--relation goes with --related-to.")
    related = RelatedTo(await meant(parts, other, asking=not as_json), relation) if other else None
    asked = _Asked([entity_type] if entity_type else [*parts.memory.schema.entities], where, related, since, limit)
    answer, is_cut = await asked.answer(parts)

    def show() -> None:
        _print_listed(parts, answer, by_type=entity_type is None)
        if is_cut:
            click.echo(f"There are more than {limit}; --limit shows them.", err=True)

    echo(as_json, answer, show)
    return 0 if answer.entities else FAILED


@dataclass(frozen=True, slots=True)
class _Asked:
    """What entities are asked for."""

    types: Sequence[str]
    where: Sequence[Condition]
    related: RelatedTo | None
    since: datetime | None
    limit: int

    async def answer(self, parts: "Parts") -> "tuple[ListAnswer, bool]":
        """Return the entities, and whether there are more of them."""
        from interlayer.memory.recall.answer import ListAnswer

        found: list[ListedEntity] = []
        withheld: dict[Withheld, None] = {}
        degraded: dict[str, None] = {}
        shown = progress("entities")
        seen = 0
        since = timestamp(self.since)[:19] if self.since else ""
        async for page in self._pages(parts):
            withheld |= dict.fromkeys(page.withheld or ())
            degraded |= dict.fromkeys(page.degraded or ())
            found += [one for one in page.entities if one.updated_at >= since]
            seen += len(page.entities)
            if since:  # else there are few pages
                shown(seen)
            if len(found) > self.limit and not since:
                break
        if since:
            found.sort(key=lambda one: one.updated_at, reverse=True)
        answer = ListAnswer(
            entities=tuple(found[: self.limit]), withheld=tuple(withheld) or None, degraded=tuple(degraded) or None
        )
        return answer, len(found) > self.limit

    async def _pages(self, parts: "Parts") -> "AsyncIterator[ListAnswer]":
        size = RESULTS_MAX if self.since else min(self.limit + 1, RESULTS_MAX)
        for kind in self.types:
            cursor: str | None = None
            while True:
                page = await parts.memory.list_entities(
                    parts.settings.principal, kind, self.where, size, cursor, self.related
                )
                yield page
                cursor = page.next_cursor
                if not cursor:
                    break


def _print_found(parts: "Parts", answer: "SearchAnswer") -> None:
    """Print what was found, by entity, the best first."""
    from interlayer.app.commands.memory.lines import ASIDE, HEADING, Page, dates_of, joined, print_notes

    page, dates = Page(), dates_of(parts)
    groups: dict[str, list[SearchResult]] = {}
    for one in answer.results:
        groups.setdefault(one.entity.ref, []).append(one)
    for ref, hits in groups.items():
        tie = hits[0].related
        told = joined(ref.partition(":")[0], f"{tie.type} {tie.name}" if tie else "")
        page.say((hits[0].entity.name, HEADING), (f"  {told}", ASIDE))
        for hit in hits:
            fact = hit.fact
            page.say(fact.text, indent=2)
            sure = f"{fact.confidence:.0%} sure"
            page.say((joined(dates.told(fact.observed_at), fact.source, sure), ASIDE), indent=4)
    if not answer.results:
        page.say("Nothing that is remembered fits these words.")
    print_notes(answer.withheld, answer.degraded)


def _print_listed(parts: "Parts", answer: "ListAnswer", *, by_type: bool) -> None:
    """Print entities by name."""
    from interlayer.app.commands.memory.lines import (
        ASIDE,
        HEADING,
        Page,
        dates_of,
        joined,
        print_notes,
        short,
        value_of,
    )

    page, dates = Page(), dates_of(parts)
    for one in answer.entities:
        values = [f"{name}: {short(value_of(value))}" for name, value in one.properties.items()]
        kind = f"  {one.ref.partition(':')[0]}" if by_type else ""
        page.say((one.name, HEADING), (kind, ASIDE), (f"  {dates.told(one.updated_at)}", ASIDE))
        if values:
            more = len(values) - _PROPERTIES_SHOWN
            told = joined(*values[:_PROPERTIES_SHOWN], f"{more} more" if more > 0 else "")
            page.say(told, indent=2)
    if not answer.entities:
        page.say("There are none.")
    print_notes(answer.withheld, answer.degraded)
