"""Trying things out without changing anything: tests, what a publish would come to, why a call gets what it gets."""

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import anyio.to_thread

from interlayer.ids import Clock
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.delivery.embedding import PUBLISH_DEADLINE_S
from interlayer_policies.delivery.explanation import Explanation, explain
from interlayer_policies.delivery.selection import Request
from interlayer_policies.delivery.situation import CallSituation
from interlayer_policies.delivery.snapshot import Edition
from interlayer_policies.document.policy import PolicyFile
from interlayer_policies.publication.calls_on_record import calls_on_record
from interlayer_policies.publication.publisher import Publisher, read_vocabulary
from interlayer_policies.publication.snapshot_cache import SnapshotCache
from interlayer_policies.review.diff import (
    Difference,
    FrozenSituation,
    call_differences,
    policy_differences,
    rule_tokens,
)
from interlayer_policies.review.policy_tests import Case, examples, expectations

_CALLS: Final = 500
_LOOKED_AT: Final = 20_000  # receipts, those of memories among them
_BACK: Final = timedelta(days=7)


class DryRun:
    """Tries out. Writes nothing and leaves no receipt."""

    def __init__(self, store: ItemStore, library: SnapshotCache, publisher: Publisher, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._publisher = publisher
        self._clock = clock

    async def test(self, files: Sequence[PolicyFile]) -> list[Case]:
        """Return every test of these files as one set, by file and line. Raises `PolicyProblems` when one is unread."""
        policies = await self._publisher.read(files)
        cases = [case for policy in policies for case in examples(policy)]
        tasks = [expectation.task for policy in policies for expectation in policy.expectations]
        if tasks:
            snapshot = await self._library.try_out(policies, read_vocabulary(files))
            queries = {task: (await self._library.query(snapshot, task, PUBLISH_DEADLINE_S))[0] for task in tasks}
            cases += expectations(snapshot, queries, self._clock())
        return sorted(cases)

    async def difference(self, principal: Principal, files: Sequence[PolicyFile]) -> Difference:
        """Tell what a publish of these files would change. Raises `PolicyProblems` when they cannot be published."""
        policies = await self._publisher.publishable(files)
        current = await self._library.current(principal.organization)
        before = {edition.policy.id: edition.policy for edition in current.snapshot.editions}
        after = {policy.id: policy for policy in policies}
        found = tuple(policy_differences(before, after))
        editions = [Edition(policy, 0) for policy in sorted(policies, key=lambda policy: policy.id)]
        vocabulary = read_vocabulary(files)
        proposed = await self._library.build(0, editions, current.snapshot.model, vocabulary=vocabulary)
        calls = await self._recent_calls(principal.organization)
        now = self._clock()
        changed = await anyio.to_thread.run_sync(
            lambda: tuple(call_differences(current.snapshot, proposed, calls, now, current.waivers))
        )
        return Difference(found, changed, calls.total(), rule_tokens(before.values()), rule_tokens(after.values()))

    async def explain(
        self, principal: Principal, task: str, placed: CallSituation, max_tokens: int, at: datetime | None = None
    ) -> Explanation:
        """Return the answer of a call and the verdict on every rule and section of the set."""
        current = await self._library.current(principal.organization)
        query, without_vectors = await self._library.query(current.snapshot, task)
        degraded = ("vector",) if without_vectors else ()
        request = Request(
            query, placed.situation, at or self._clock(), max_tokens, degraded=degraded, notes=placed.notes
        )
        return explain(current.snapshot, replace(request, waivers=current.waivers))

    async def _recent_calls(self, organization: str) -> Counter[FrozenSituation]:
        """Return the situations of the newest calls as their receipts tell: what a receipt leaves out is unknown."""
        calls: Counter[FrozenSituation] = Counter()
        recorded = calls_on_record(self._store, self._clock, organization, self._clock() - _BACK, _LOOKED_AT)
        async with aclosing(recorded) as newest:
            async for call in newest:
                calls[tuple(call.situation.items())] += 1
                if calls.total() == _CALLS:
                    break
        return calls
