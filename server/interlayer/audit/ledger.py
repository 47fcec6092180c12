"""Where audit data lies in the `audit` table, and how it is read: page by page, never all of it at once.

Events stand in one partition by number, receipts in a partition for each hour (UTC) of their making, sealed segments
in one partition by hour and sequence.
"""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final

from interlayer.audit.receipts import end_of, hour_of
from interlayer.audit.segments import segment_code, segment_hour
from interlayer.audit.trail import chain_partition
from interlayer.errors import InvalidInput
from interlayer.ids import Clock, parse_instant
from interlayer.storage.items import Item, ItemStore
from interlayer.storage.streaming import stream

_FIRST_PAGE: Final = 2
_SLACK: Final = timedelta(days=1)
_REACH: Final = timedelta(days=3_670)


def segments_partition(organization: str) -> str:
    """Return the partition of the sealed segments."""
    return f"{organization}#segments"


def hours(first: str, last: str) -> Iterator[str]:
    """Yield the hours from the first to the last, both included."""
    begun = end_of(first) - timedelta(hours=1)
    while (hour := hour_of(begun)) <= last:
        yield hour
        begun += timedelta(hours=1)


def body_of(item: Item) -> Mapping[str, Any]:
    """Return the body of an item; of one that somebody has made no object of, nothing."""
    body: Any = item.body
    return body if isinstance(body, dict) else {}


async def first_hour(store: ItemStore, organization: str, clock: Clock) -> str | None:
    """Return the hour before which there can be no receipt: a day before the first event, None without events.

    Where somebody has made the time of the first event unreadable, which `audit verify` says, it is that of the next
    one, or of the first segment.
    """
    earliest, damaged = clock() - _REACH, False
    async with aclosing(stream(store, "audit", chain_partition(organization), page=_FIRST_PAGE)) as events:
        async for item in events:
            try:
                begun = max(parse_instant(str(body_of(item).get("at")), "at"), earliest)
            except InvalidInput:
                damaged = True
                continue
            first = hour_of(begun - _SLACK)
            if damaged:
                first = min(first, await _first_sealed(store, organization, first))
            return max(first, hour_of(earliest - _SLACK))
    return hour_of(earliest - _SLACK) if damaged else None


async def _first_sealed(store: ItemStore, organization: str, default: str) -> str:
    """Return the hour of the first segment that bears one."""
    page = await store.query("audit", segments_partition(organization), limit=1)
    code = segment_code(page.items[0].key.sort) if page.items else None
    return default if code is None else segment_hour(code)
