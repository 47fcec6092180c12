"""Trying things out without changing anything: tests, what a publish would come to, why a call gets what it gets."""

from collections import Counter
from collections.abc import Collection, Sequence
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
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.document.names import fold_id
from interlayer_policies.document.policy import Policy, PolicyFile, Problem
from interlayer_policies.publication.approvals import asked, groups_of
from interlayer_policies.publication.calls_on_record import calls_on_record
from interlayer_policies.publication.problems import read_vocabulary
from interlayer_policies.publication.publisher import Publisher
from interlayer_policies.publication.snapshot_cache import Current, SnapshotCache
from interlayer_policies.publication.store import PolicySets
from interlayer_policies.review.diff import (
    Difference,
    FrozenSituation,
    call_differences,
    policy_differences,
    rule_tokens,
    vocabulary_differences,
)
from interlayer_policies.review.former_values import former_value_problems
from interlayer_policies.review.owners import Ownership, owners
from interlayer_policies.review.policy_tests import Case, examples, expectations, tasks_of
from interlayer_policies.review.rule_budget import ScopeCost, scope_costs
from interlayer_policies.review.scopes import agent_problems

_CALLS: Final = 500
_LOOKED_AT: Final = 20_000  # receipts, those of memories among them
_BACK: Final = timedelta(days=7)


class DryRun:
    """Tries out. Writes nothing and leaves no receipt."""

    def __init__(
        self, store: ItemStore, sets: PolicySets, library: SnapshotCache, publisher: Publisher, clock: Clock
    ) -> None:
        self._store = store
        self._sets = sets
        self._library = library
        self._publisher = publisher
        self._clock = clock

    async def test(self, files: Sequence[PolicyFile]) -> list[Case]:
        """Return every test of these files as one set, by file and line. Raises `PolicyProblems` when one is unread."""
        policies = await self._publisher.read(files)
        cases = [case for policy in policies for case in examples(policy)]
        if any(policy.expectations for policy in policies):
            tasks = tasks_of(policies)
            snapshot = await self._library.try_out(policies, read_vocabulary(files))
            queries = {task: (await self._library.query(snapshot, task, PUBLISH_DEADLINE_S))[0] for task in tasks}
            cases += expectations(snapshot, queries, self._clock())
        return sorted(cases)

    async def lint(
        self, principal: Principal, files: Sequence[PolicyFile], agents: Collection[str] = ()
    ) -> list[Problem]:
        """Return the problems of these files as a set, among them what still says a value that is published so far.

        `agents` are all that may call, where that is known.
        """
        policies, problems = self._publisher.parsed(files)
        current = await self._library.current(principal.organization)
        problems += agent_problems(policies, agents)
        return sorted([*problems, *former_value_problems(_by_id(current.snapshot), policies, files)])

    async def owners(self, principal: Principal, files: Sequence[PolicyFile] = ()) -> tuple[Ownership, ...]:
        """Return who answers for which policies: of the set in force, or of these files."""
        if files:
            return owners(await self._publisher.read(files))
        return owners(_by_id((await self._library.current(principal.organization)).snapshot).values())

    async def scope_costs(self, principal: Principal, files: Sequence[PolicyFile] = ()) -> tuple[ScopeCost, ...]:
        """Return the costs of calls in each scope of the set in force, or of these files."""
        if files:
            return scope_costs(await self._publisher.read(files), read_vocabulary(files))
        snapshot = (await self._library.current(principal.organization)).snapshot
        return scope_costs([edition.policy for edition in snapshot.editions], snapshot.vocabulary)

    async def difference(
        self, principal: Principal, after: Sequence[PolicyFile] | int, before: Sequence[PolicyFile] | int | None = None
    ) -> Difference:
        """Tell what becomes of one set as another one; a number is a revision, None the set in force.

        Raises `PolicyProblems` when the files of `after` cannot be published, `NotFound` for an unknown revision.
        """
        organization = principal.organization
        current = await self._library.current(organization)
        files = await self._sets.files(organization, after) if isinstance(after, int) else after
        policies = await (self._publisher.read(files) if before is not None else self._publisher.publishable(files))
        old = current.snapshot
        if before is not None:
            old_files = await self._sets.files(organization, before) if isinstance(before, int) else before
            old = await self._built(await self._publisher.read(old_files), old_files, current)
        proposed = await self._built(policies, files, current)
        becomes = _by_id(proposed)
        spelled = {fold_id(name): name for name in becomes}
        was = {spelled.get(fold_id(name), name): policy for name, policy in _by_id(old).items()}
        calls = await self._recent_calls(organization)
        now = self._clock()
        changed = await anyio.to_thread.run_sync(
            lambda: tuple(call_differences(old, proposed, calls, now, current.waivers))
        )
        found = (*policy_differences(was, becomes), *vocabulary_differences(old, proposed))
        approvers = asked(old, proposed, [one.id for one in found], current.waivers)
        return Difference(
            policies=found,
            calls=changed,
            replayed=calls.total(),
            rule_tokens_before=rule_tokens(was.values()),
            rule_tokens_after=rule_tokens(becomes.values()),
            approvals=groups_of(one for named in approvers.values() for one in named),
            warnings=tuple(former_value_problems(was, policies, files)),
        )

    async def tried(self, files: Sequence[PolicyFile]) -> Current:
        """Return files that are not published as a set to answer from. Raises `PolicyProblems` when one is unread."""
        return Current(await self._library.try_out(await self._publisher.read(files), read_vocabulary(files)))

    async def explain(
        self, current: Current, task: str, placed: CallSituation, max_tokens: int, at: datetime | None = None
    ) -> Explanation:
        """Return the answer of a call to a set and the verdict on every rule and section of it."""
        query, without_vectors = await self._library.query(current.snapshot, task)
        degraded = ("vector",) if without_vectors else ()
        request = Request(
            query, placed.situation, at or self._clock(), max_tokens, degraded=degraded, notes=placed.notes
        )
        return explain(current.snapshot, replace(request, waivers=current.waivers))

    async def _built(self, policies: Sequence[Policy], files: Sequence[PolicyFile], current: Current) -> Snapshot:
        editions = [Edition(policy, 0) for policy in sorted(policies, key=lambda policy: policy.id)]
        vocabulary = read_vocabulary(files)
        return await self._library.build(0, editions, current.snapshot.model, vocabulary=vocabulary)

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


def _by_id(snapshot: Snapshot) -> dict[str, Policy]:
    return {edition.policy.id: edition.policy for edition in snapshot.published}
