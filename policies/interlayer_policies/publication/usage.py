"""What the calls on record say of the set in force. Writes nothing and leaves no receipt."""

from contextlib import aclosing
from datetime import datetime

from interlayer.ids import Clock, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.publication.calls_on_record import RecordedCall, calls_on_record
from interlayer_policies.publication.snapshot_cache import SnapshotCache
from interlayer_policies.review.vocabulary_use import VocabularyUse, listed_values, stray_values


class Usage:
    """Reads receipts beside the set in force. Safe for any number of concurrent calls, of any organizations."""

    def __init__(self, store: ItemStore, library: SnapshotCache, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._clock = clock

    async def vocabulary(self, principal: Principal, used_since: datetime | None = None) -> VocabularyUse:
        """Return the vocabulary in force; with an instant also what calls since then gave that leads nowhere."""
        snapshot = (await self._library.current(principal.organization)).snapshot
        values = listed_values(snapshot)
        if used_since is None:
            return VocabularyUse(snapshot.revision, values)
        calls = await self._calls(principal.organization, used_since)
        stray = stray_values(snapshot, ((call.at, call.facets) for call in calls))
        return VocabularyUse(snapshot.revision, values, stray, len(calls), timestamp(used_since))

    async def _calls(self, organization: str, since: datetime) -> list[RecordedCall]:
        async with aclosing(calls_on_record(self._store, self._clock, organization, since)) as recorded:
            return [call async for call in recorded]
