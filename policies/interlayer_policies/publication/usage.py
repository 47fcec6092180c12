"""What the calls on record say of the set in force. Writes nothing and leaves no receipt."""

from contextlib import aclosing
from datetime import datetime

from interlayer.errors import NotFound
from interlayer.ids import Clock, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.publication.calls_on_record import RecordedCall, calls_on_record
from interlayer_policies.publication.snapshot_cache import SnapshotCache
from interlayer_policies.review.trial_report import TrialReport, TriedCall, trial_rows, trials_of
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

    async def trials(self, principal: Principal, since: datetime, policy: str | None = None) -> TrialReport:
        """Return the effects of trials on the calls since an instant; with `policy` those of it, or of a rule.

        Raises `NotFound` for a policy or rule that is not in trial and of which no call tells.
        """
        snapshot = (await self._library.current(principal.organization)).snapshot
        calls = await self._calls(principal.organization, since)
        rows = trial_rows(snapshot, (_tried(call) for call in calls if call.trial), policy)
        if policy is not None and not rows:
            known = sorted({ref.partition("#")[0] for ref, _ in trials_of(snapshot)})
            in_trial = f"in trial are {', '.join(known)}" if known else "nothing is; write `trial: true` and publish"
            raise NotFound(f"no trial of {policy[:80]!r} is on record; {in_trial}")
        drafts = sum(call.kind == "check" for call in calls)
        return TrialReport(snapshot.revision, timestamp(since), len(calls) - drafts, drafts, rows)

    async def _calls(self, organization: str, since: datetime) -> list[RecordedCall]:
        async with aclosing(calls_on_record(self._store, self._clock, organization, since)) as recorded:
            return [call async for call in recorded]


def _tried(call: RecordedCall) -> TriedCall:
    is_draft = call.kind == "check"
    return TriedCall(call.receipt_id, call.at, call.agent, is_draft, call.facets, call.trial)
