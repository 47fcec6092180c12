"""The calls of governance that are on record: what their receipts say of the situation and of the trials.

A receipt holds no task and no text, so neither does what is read here.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.audit.ledger import body_of, first_hour, hours
from interlayer.audit.receipts import RECEIPT, hour_of, receipts_partition
from interlayer.ids import Clock, first_id
from interlayer.storage.items import ItemStore, Span
from interlayer.storage.streaming import stream
from interlayer_policies.document.policy import Situation, folded

LOOKED_AT_MAX: Final = 200_000
"""Receipts, those of memories and reads among them."""

FACETS_ON_RECORD: Final = ("channel", "audience", "region", "team", "tags")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of `get_governance_context` (`kind` is `context`) or `check_compliance` (`check`), as its receipt tells.

    `facets` are the caller's own words; `trial` is what trials would have done to it.
    """

    receipt_id: str
    at: str
    agent: str
    kind: str
    facets: Mapping[str, tuple[str, ...]]
    trial: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def situation(self) -> Situation:
        """What is known of the situation: a receipt has neither the connection's teams nor the entity."""
        known = {"agent": (self.agent,), **self.facets}
        return {name: tuple(sorted({folded(one) for one in values})) for name, values in sorted(known.items())}


async def calls_on_record(
    store: ItemStore, clock: Clock, organization: str, since: datetime, most: int = LOOKED_AT_MAX
) -> AsyncGenerator[RecordedCall]:
    """Yield the calls made since an instant, newest first, out of at most so many receipts."""
    begin = await first_hour(store, organization, clock)
    if begin is None:
        return
    span = Span(first_id(RECEIPT, since))
    looked_at = 0
    for hour in reversed([*hours(max(begin, hour_of(since)), hour_of(clock() + timedelta(minutes=1)))]):
        async for item in stream(store, "audit", receipts_partition(organization, hour), span, reverse=True):
            looked_at += 1
            if looked_at > most:
                return
            body = body_of(item)
            if isinstance(body.get("facets"), dict):
                yield _read(item.key.sort, body)


def _read(receipt_id: str, body: Mapping[str, Any]) -> RecordedCall:
    facets = {name: _texts(body["facets"][name]) for name in FACETS_ON_RECORD if name in body["facets"]}
    trial = body.get("trial")
    return RecordedCall(
        receipt_id=receipt_id,
        at=str(body.get("at", "")),
        agent=str(body.get("agent", "")),
        kind=str(body.get("kind", "")),
        facets=facets,
        trial=trial if isinstance(trial, dict) else {},
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value if isinstance(value, list | tuple) else [value]))
