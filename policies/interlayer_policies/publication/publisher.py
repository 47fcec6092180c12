"""From proposed files to a published set, all or nothing: parse, lint, examples, tests, store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import anyio.to_thread

from interlayer.errors import Conflict, Corrupt
from interlayer.ids import Clock
from interlayer.principal import Principal
from interlayer.storage.items import Operation
from interlayer_policies.delivery.embedding import PUBLISH_DEADLINE_S
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.document.approvers import Approvers
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile, Problem
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary
from interlayer_policies.publication.approvals import asked, set_of
from interlayer_policies.publication.break_glass import check_named, check_reviewed
from interlayer_policies.publication.choice import chosen
from interlayer_policies.publication.problems import PolicyProblems, read_vocabulary
from interlayer_policies.publication.proposals import People, Proposal, Proposals, digest_of, new_proposal, put
from interlayer_policies.publication.sets import Change, Head, Source
from interlayer_policies.publication.snapshot_cache import SnapshotCache
from interlayer_policies.publication.store import PolicySets
from interlayer_policies.review.former_values import former_value_problems
from interlayer_policies.review.lint import failing_expectations, parsed
from interlayer_policies.review.policy_tests import tasks_of
from interlayer_policies.review.scopes import EntityTypes

FIRST_START = "First start: the policies that the server was given"


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a publish: the revision now published, whether it is a new one, and how it differs.

    With a `proposal` that is pending nothing was published yet: somebody has to approve it first. With one that broke
    the glass it was, and somebody still has to look at it.
    """

    revision: int
    new: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[Problem, ...]
    proposal: Proposal | None = None


class Publisher:
    """Examines proposed files and publishes them."""

    def __init__(
        self,
        sets: PolicySets,
        proposals: Proposals,
        people: People,
        library: SnapshotCache,
        clock: Clock,
        types: EntityTypes | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._sets = sets
        self._types = types
        self._zone = zone
        self._proposals = proposals
        self._people = people
        self._library = library
        self._clock = clock

    async def publish(
        self,
        principal: Principal,
        files: Sequence[PolicyFile],
        *,
        reason: str,
        author: str | None,
        break_glass: bool,
        only: Sequence[str] = (),
    ) -> Published:
        """Make the files the whole set, or propose it where somebody has to approve what changes.

        `break_glass` publishes without waiting what `only` names; the approvers are still asked. Only so a set that is
        damaged is replaced, because nobody can tell any more who would have to approve. Raises `PolicyProblems`,
        `Refused` for whoever has to prove who they are, or `Conflict` when another publish won.
        """
        organization = principal.organization
        # Read first: what another publishes while we examine makes this publish fail instead of undoing theirs.
        head = await self._sets.head(organization)
        files = await self._with_published(organization, head, files, only) if only and head else files
        examined = policies, warnings = await self._publishable(files)
        in_force = await self._in_force(organization, head, break_glass=break_glass)
        anew = in_force is None
        published = {one.policy.id: one.policy for one in in_force.published} if in_force else {}
        warnings += former_value_problems(published, policies, files)
        change = await self._sets.difference(organization, _sources(policies, files), anew=anew)
        changed = (*change.added, *change.changed, *change.removed)
        proposal = None
        approvers = await self._asked(in_force, policies, files, changed, head) if head else {}
        if head and approvers:
            if not anew:
                await self._check_may_change(principal, approvers, only, break_glass=break_glass)
            proposal = new_proposal(self._clock(), principal, head, files, changed, approvers, author, reason)
            if not break_glass:
                kept = await self._proposals.add(principal, proposal, files)
                return _outcome(head.revision, False, change, warnings, kept)
            proposal = replace(proposal, state="break_glass")
        also = [put(organization, proposal)] if proposal else []
        broken = bool(proposal) or anew
        done = await self._publish_after(
            head, principal, files, reason, author, examined, break_glass=broken, anew=anew, also=also
        )
        return replace(done, proposal=proposal)

    async def publish_approved(self, principal: Principal, proposal: Proposal) -> Published:
        """Publish a proposal that everybody who has to has agreed to. Raises `Conflict` when the set has moved on."""
        organization = principal.organization
        head = await self._sets.head(organization)
        if head is None or head.revision != proposal.base_revision:
            by_now = head.revision if head else "none"
            raise Conflict(
                f"{proposal.id} was proposed on revision {proposal.base_revision}; in force is {by_now} by now. "
                "Nothing was published; propose the change again on what is in force."
            )
        files = await self._proposals.files(organization, proposal)
        if proposal.digest != digest_of(files, head.set_hash):
            told = "Nothing was published; propose the change again."
            raise Conflict(f"what is stored of {proposal.id} is not the change that was approved. {told}")
        approved_by = [one.by for one in proposal.decisions if one.approved and one.digest == proposal.digest]
        return await self._publish_after(
            head,
            principal,
            files,
            proposal.reason,
            proposal.author,
            await self._publishable(files),
            approved_by=approved_by,
            also=[put(organization, proposal)],
        )

    async def ensure(self, principal: Principal, files: Sequence[PolicyFile]) -> None:
        """Publish the files if nothing is published yet; losing that race is as good as winning it."""
        if await self._sets.head(principal.organization) is not None:
            return
        try:
            await self._publish_after(None, principal, files, FIRST_START, None, await self._publishable(files))
        except Conflict:
            if await self._sets.head(principal.organization) is None:
                raise

    async def examine(self, files: Sequence[PolicyFile]) -> list[Problem]:
        """Return all problems of the files as a set, errors and warnings."""
        return (await self._examine(files))[1]

    async def read(self, files: Sequence[PolicyFile]) -> list[Policy]:
        """Return the policies of the files. Raises `PolicyProblems` when one cannot be read."""
        read = [(file, parse(file, self._zone)) for file in files if file.path != VOCABULARY_FILE]
        problems = [problem for _, found in read if isinstance(found, list) for problem in found]
        if problems:
            raise PolicyProblems(problems)
        return [found for _, found in read if isinstance(found, Policy)]

    async def publishable(self, files: Sequence[PolicyFile]) -> list[Policy]:
        """Return the policies of the files. Raises `PolicyProblems` when they could not be published."""
        return (await self._publishable(files))[0]

    def parsed(self, files: Sequence[PolicyFile]) -> tuple[list[Policy], list[Problem]]:
        """Return the policies that could be read, and what lint says of the files."""
        return parsed(files, self._types, self._zone)

    async def _with_published(
        self, organization: str, head: Head, files: Sequence[PolicyFile], only: Sequence[str]
    ) -> list[PolicyFile]:
        """Return the published files with these policies as the proposed ones have them."""
        entries = await self._sets.published_entries(organization, head)
        stored = await self._sets.versions.sources(organization, entries)
        published = {one.policy_id: PolicyFile(one.path, one.text) for one in stored}
        return chosen(published, files, only, self._zone)

    async def _asked(
        self,
        in_force: Snapshot | None,
        policies: Sequence[Policy],
        files: Sequence[PolicyFile],
        changed: Sequence[str],
        head: Head,
    ) -> Mapping[str, tuple[Approvers, ...]]:
        """Return policy id -> who has to agree; of a damaged set only those whom the files name can be asked."""
        before = in_force or Snapshot(0, (), (), None)
        vocabulary = read_vocabulary(files)
        return await anyio.to_thread.run_sync(
            lambda: asked(before, set_of(policies, vocabulary), changed, head.waivers)
        )

    async def _check_may_change(
        self, principal: Principal, approvers: Iterable[str], only: Sequence[str], *, break_glass: bool
    ) -> None:
        """Raise `Refused` for a caller who has to prove who it is, and for a glass that is not to be broken so."""
        await self._people.demand(principal, "changing what has approvers")
        if break_glass:
            check_named(approvers, only)
            check_reviewed(await self._proposals.listed(principal.organization), self._clock())

    async def _publish_after(
        self,
        head: Head | None,
        principal: Principal,
        files: Sequence[PolicyFile],
        reason: str,
        author: str | None,
        examined: tuple[list[Policy], list[Problem]],
        *,
        approved_by: Sequence[str] = (),
        break_glass: bool = False,
        anew: bool = False,
        also: Sequence[Operation] = (),
    ) -> Published:
        policies, warnings = examined
        await self._library.prepare(principal.organization, [Edition(policy, 0) for policy in policies])
        revision, change = await self._sets.publish(
            principal,
            _sources(policies, files),
            head=head,
            author=author or principal.person,
            reason=reason,
            now=self._clock(),
            approved_by=approved_by,
            break_glass=break_glass,
            anew=anew,
            also=also,
        )
        return _outcome(revision, head is None or revision != head.revision, change, warnings)

    async def _in_force(self, organization: str, head: Head | None, *, break_glass: bool) -> Snapshot | None:
        """Return the set in force; None when it is damaged and the glass is broken."""
        if head is None:
            return Snapshot(0, (), (), None)
        try:
            snapshot = (await self._library.published(organization)).snapshot
            await self._sets.published_entries(organization, head)
        except Corrupt:
            if not break_glass:
                raise
            return None
        return snapshot

    async def _publishable(self, files: Sequence[PolicyFile]) -> tuple[list[Policy], list[Problem]]:
        """Return the policies and the warnings. Raises `PolicyProblems` when there is an error."""
        policies, problems = await self._examine(files)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise PolicyProblems(errors)
        return policies, problems

    async def _examine(self, files: Sequence[PolicyFile]) -> tuple[list[Policy], list[Problem]]:
        if not files:
            return [], [Problem("policies", 1, "no policy files: an empty set would leave every agent ungoverned")]
        policies, problems = await anyio.to_thread.run_sync(parsed, files, self._types, self._zone)
        if any(problem.severity == "error" for problem in problems):
            return policies, problems
        return policies, sorted([*problems, *await self._failing(policies, read_vocabulary(files))])

    async def _failing(self, policies: Sequence[Policy], vocabulary: Vocabulary) -> list[Problem]:
        if not any(policy.expectations for policy in policies):
            return []
        tasks = tasks_of(policies)
        snapshot = await self._library.try_out(policies, vocabulary)
        queries = {task: (await self._library.query(snapshot, task, PUBLISH_DEADLINE_S))[0] for task in tasks}
        return failing_expectations(snapshot, queries, self._clock())


def _outcome(
    revision: int, new: bool, change: Change, warnings: Sequence[Problem], proposal: Proposal | None = None
) -> Published:
    return Published(revision, new, change.added, change.changed, change.removed, tuple(warnings), proposal)


def _sources(policies: Sequence[Policy], files: Sequence[PolicyFile]) -> list[Source]:
    texts = {file.path: file.text for file in files}
    found = [Source(policy.id, policy.title, policy.file, texts[policy.file]) for policy in policies]
    if VOCABULARY_FILE in texts:
        found.append(Source(VOCABULARY_FILE, "Vocabulary of facets", VOCABULARY_FILE, texts[VOCABULARY_FILE]))
    return found
