"""From proposed files to a published set, all or nothing: parse, lint, examples, tests, store."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from interlayer.errors import Conflict, InvalidInput
from interlayer.ids import Clock
from interlayer.principal import Principal
from interlayer_policies.library import Library
from interlayer_policies.linting import failing_expectations, parsed
from interlayer_policies.policy import Policy, PolicyFile, Problem
from interlayer_policies.sets import Change, Head, Source
from interlayer_policies.snapshot import Edition
from interlayer_policies.store import PolicySets

FIRST_START = "First start: the policies that the server was given"

_PROBLEMS_SHOWN = 20


class PolicyProblems(InvalidInput):
    """The proposed files cannot be published; nothing was. `problems` are the errors, by file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = "; ".join(str(problem) for problem in problems[:_PROBLEMS_SHOWN])
        rest = len(problems) - _PROBLEMS_SHOWN
        super().__init__("policies", shown + (f"; and {rest} more" if rest > 0 else ""))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a publish: the revision now published, whether it is a new one, and how it differs."""

    revision: int
    new: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[Problem, ...]


class Publisher:
    """Examines proposed files and publishes them."""

    def __init__(self, sets: PolicySets, library: Library, clock: Clock) -> None:
        self._sets = sets
        self._library = library
        self._clock = clock

    async def publish(
        self, principal: Principal, files: Sequence[PolicyFile], *, reason: str, author: str | None
    ) -> Published:
        """Make the files the whole set. Raises `PolicyProblems`, or `Conflict` when another publish won."""
        # Read first: what another publishes while we examine makes this publish fail instead of undoing theirs.
        head = await self._sets.head(principal.organization)
        return await self._publish_after(head, principal, files, reason, author)

    async def ensure(self, principal: Principal, files: Sequence[PolicyFile]) -> None:
        """Publish the files if nothing is published yet; losing that race is as good as winning it."""
        if await self._sets.head(principal.organization) is not None:
            return
        try:
            await self._publish_after(None, principal, files, FIRST_START, None)
        except Conflict:
            if await self._sets.head(principal.organization) is None:
                raise

    async def examine(self, files: Sequence[PolicyFile]) -> list[Problem]:
        """Return all problems of the files as a set, errors and warnings."""
        return (await self._examined(files))[1]

    async def difference(self, principal: Principal, files: Sequence[PolicyFile]) -> Change:
        """Return what a publish of the files would change. Raises `PolicyProblems` when they cannot be published."""
        policies, _ = await self._publishable(files)
        return await self._sets.difference(principal.organization, _sources(policies, files))

    async def _publish_after(
        self, head: Head | None, principal: Principal, files: Sequence[PolicyFile], reason: str, author: str | None
    ) -> Published:
        policies, warnings = await self._publishable(files)
        revision, change = await self._sets.publish(
            principal,
            _sources(policies, files),
            head=head,
            author=author or principal.agent,
            reason=reason,
            now=self._clock(),
        )
        return Published(
            revision=revision,
            new=head is None or revision != head.revision,
            added=change.added,
            changed=change.changed,
            removed=change.removed,
            warnings=tuple(warnings),
        )

    async def _publishable(self, files: Sequence[PolicyFile]) -> tuple[list[Policy], list[Problem]]:
        """Return the policies and the warnings. Raises `PolicyProblems` when there is an error."""
        policies, problems = await self._examined(files)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise PolicyProblems(errors)
        return policies, problems

    async def _examined(self, files: Sequence[PolicyFile]) -> tuple[list[Policy], list[Problem]]:
        if not files:
            return [], [Problem("policies", 1, "no policy files: an empty set would leave every agent ungoverned")]
        policies, problems = await anyio.to_thread.run_sync(parsed, files)
        if any(problem.severity == "error" for problem in problems):
            return policies, problems
        return policies, sorted([*problems, *await self._failing(policies)])

    async def _failing(self, policies: Sequence[Policy]) -> list[Problem]:
        tasks = [expectation.task for policy in policies for expectation in policy.expectations]
        if not tasks:
            return []
        snapshot = await self._library.build(0, [Edition(policy, 1) for policy in policies])
        queries = {task: (await self._library.query(snapshot, task))[0] for task in tasks}
        return failing_expectations(snapshot, queries, self._clock())


def _sources(policies: Sequence[Policy], files: Sequence[PolicyFile]) -> list[Source]:
    texts = {file.path: file.text for file in files}
    return [Source(policy.id, policy.title, policy.file, texts[policy.file]) for policy in policies]
