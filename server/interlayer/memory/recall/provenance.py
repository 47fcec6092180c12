"""Where facts come from: the memory that brought each, and the words of its source that it rests on."""

from collections.abc import AsyncGenerator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from interlayer.answers import display_time
from interlayer.language.prompt_injection.orders import without_orders
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.log import keys
from interlayer.memory.log.records import LogEntry
from interlayer.memory.memorize.commit import SOURCE_PART
from interlayer.memory.recall.answer import SourceExcerpt
from interlayer.storage.items import ItemStore

_EXCERPT: Final = 400
_GAP: Final = " … "


async def origins(
    store: ItemStore, organization: str, facts: Sequence[FactState], cut: AbstractSet[str] = frozenset()
) -> AsyncGenerator[SourceExcerpt]:
    """Yield one entry a memory of these facts, in their order: source, agent, times, and the quoted words.

    Of memories that are `cut`, no word is quoted beside those that facts rest on.
    """
    by_memory: dict[str, list[FactState]] = {}
    for fact in facts:
        by_memory.setdefault(fact.memory.interaction, []).append(fact)
    for brought in by_memory.values():
        memory = brought[0].memory
        yield SourceExcerpt(
            memory_id=memory.interaction,
            source=memory.source or "",
            agent=memory.agent,
            recorded_at=display_time(memory.recorded_at),
            observed_at=display_time(memory.observed_at),
            excerpt=await _quote(
                store, organization, memory, brought, whole=(memory.content_of or memory.id) not in cut
            ),
        )


async def words_of(
    store: ItemStore, organization: str, memory: LogEntry, span: tuple[int, int], around: int = 0
) -> tuple[str, str, str]:
    """Return the words before, in and after a span of a source; all empty when the source is not kept."""
    if memory.content_of is None:
        return "", "", ""
    first, last = max(span[0] - around, 0), span[1] + around
    numbers = range(first // SOURCE_PART, last // SOURCE_PART + 1)
    places = [keys.source(organization, memory.content_of, number) for number in numbers]
    found = await store.get_many(places)
    text = "".join(found[place].body["text"] for place in places if place in found)
    offset = numbers.start * SOURCE_PART
    return (
        text[first - offset : span[0] - offset],
        text[span[0] - offset : span[1] - offset],
        text[span[1] - offset : last - offset],
    )


async def _quote(
    store: ItemStore, organization: str, memory: LogEntry, facts: Sequence[FactState], *, whole: bool
) -> str:
    """Return the words that the facts rest on, joined; the beginning of the source where no place is known."""
    spans = sorted({fact.record.span for fact in facts if fact.record.span}) or ([(0, _EXCERPT)] if whole else [])
    quotes: list[str] = []
    for span in spans:
        _, quote, _ = await words_of(store, organization, memory, span)
        if quote:
            quotes.append(" ".join(without_orders(quote).split()))
        if sum(map(len, quotes)) > _EXCERPT:
            break
    return _GAP.join(quotes)[:_EXCERPT]
