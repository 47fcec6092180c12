"""Where audit data lies in the `audit` table, and how it is read: page by page, never all of it at once.

Events stand in one partition by number, receipts in a partition for each hour (UTC) of their making, sealed segments
in one partition by hour and sequence.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from interlayer.errors import InvalidInput
from interlayer.ids import Clock, parse_instant
from interlayer.storage.items import EVERYTHING, Item, ItemStore, Span
from interlayer.storage.receipts import HOUR, hour_of
from interlayer.storage.trail import chain_partition

_PAGE: Final = 500
_SLACK: Final = timedelta(days=1)
_REACH: Final = timedelta(days=3_670)


def segments_partition(organization: str) -> str:
    """Return the partition of the sealed segments."""
    return f"{organization}#segments"


def end_of(hour: str) -> datetime:
    """Return the instant at which an hour is past."""
    return datetime.strptime(hour, HOUR).replace(tzinfo=UTC) + timedelta(hours=1)


def hours(first: str, last: str) -> Iterator[str]:
    """Yield the hours from the first to the last, both included."""
    hour = first
    while hour <= last:
        yield hour
        hour = hour_of(end_of(hour))


def content(item: Item) -> Mapping[str, Any]:
    """Return the body of an item; of one that somebody has made no object of, nothing."""
    body: Any = item.body
    return body if isinstance(body, dict) else {}


async def first_hour(store: ItemStore, organization: str, clock: Clock) -> str | None:
    """Return the hour before which there can be no receipt: a day before the first event, None without events."""
    page = await store.query("audit", chain_partition(organization), limit=1)
    if not page.items:
        return None
    earliest = clock() - _REACH
    try:
        begun = parse_instant(str(content(page.items[0]).get("at")), "at")
    except InvalidInput:  # somebody has changed it; `audit verify` says so
        begun = earliest
    return hour_of(max(begun, earliest) - _SLACK)


async def stream(
    store: ItemStore, partition: str, span: Span = EVERYTHING, *, reverse: bool = False, page: int = _PAGE
) -> AsyncGenerator[Item]:
    """Yield the items of a partition of the `audit` table in order."""
    cursor: str | None = None
    while True:
        found = await store.query("audit", partition, span, reverse=reverse, limit=page, cursor=cursor)
        for item in found.items:
            yield item
        cursor = found.cursor
        if cursor is None:
            return
