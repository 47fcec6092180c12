"""The service that the governance tools call: what governs a task, whether a text complies, and publishing policies.

Every answer leaves a receipt first; a call whose receipt cannot be kept fails.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Protocol

from interlayer.audit.trail import Trail
from interlayer.errors import Corrupt, InvalidInput, NotFound, Unavailable
from interlayer.ids import Clock
from interlayer.models.embedder import EmbeddingModel, EmbeddingModels
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer_policies.delivery.answers import CheckAnswer, ContextAnswer
from interlayer_policies.delivery.compliance import check_text
from interlayer_policies.delivery.explanation import Explanation
from interlayer_policies.delivery.precedence import Governing, govern
from interlayer_policies.delivery.selection import Request, select
from interlayer_policies.delivery.situation import CallSituation, Facets, RememberedEntity, situation_of
from interlayer_policies.delivery.sizes import DEFAULT_TOKENS
from interlayer_policies.delivery.trial import Trials, effect_body
from interlayer_policies.delivery.waivers import waivers_by_policy
from interlayer_policies.document.names import fold_id
from interlayer_policies.document.parser import without_trials
from interlayer_policies.document.policy import PolicyFile, Problem
from interlayer_policies.document.vocabulary import VOCABULARY_FILE
from interlayer_policies.publication.dry_run import DryRun
from interlayer_policies.publication.problems import PolicyProblems
from interlayer_policies.publication.proposals import People, Proposals
from interlayer_policies.publication.publisher import Published, Publisher
from interlayer_policies.publication.receipts import Receipts
from interlayer_policies.publication.sets import PolicyChange, PolicyListing, Publication, PublishedPolicy, StoredPolicy
from interlayer_policies.publication.snapshot_cache import STALE_MAX, Current, SnapshotCache
from interlayer_policies.publication.stewardship import Stewardship, check_reason, demand_steward
from interlayer_policies.publication.store import PolicySets
from interlayer_policies.publication.usage import Usage
from interlayer_policies.review.lint import lint
from interlayer_policies.review.scopes import EntityTypes
from interlayer_policies.starter import starter_files

TASK_CHARACTERS_MAX: Final = 8_000
TEXT_CHARACTERS_MAX: Final = 100_000
TOKENS_MAX: Final = 8_000
HAVE_MAX: Final = 1_000
TOPICS_MAX: Final = 10
TOPIC_CHARACTERS_MAX: Final = 120

__all__ = [
    "CheckAnswer",
    "ContextAnswer",
    "EntityFacts",
    "EntityTypes",
    "Facets",
    "Governance",
    "PolicyFile",
    "PolicyListing",
    "PolicyProblems",
    "Problem",
    "Publication",
    "Published",
    "PublishedPolicy",
    "RememberedEntity",
    "StoredPolicy",
    "lint",
    "read_folder",
    "starter_files",
]


class EntityFacts(Protocol):
    """What governance asks of memory."""

    async def governance_facts(self, principal: Principal, entity: str) -> RememberedEntity:
        """Return type and properties of an entity; of an unknown one the type in its name and nothing."""
        ...


@dataclass(frozen=True, slots=True)
class _Case:
    """One call, looked into: the set, the situation, what was not understood or not available."""

    current: Current
    placed: CallSituation
    degraded: tuple[str, ...]


class Governance:
    """The door of this package. Safe for any number of concurrent calls, of any organizations."""

    def __init__(
        self,
        store: ItemStore,
        trail: Trail,
        models: EmbeddingModels,
        entities: EntityFacts,
        clock: Clock,
        receipt_days: int | None = None,
        stale_max: timedelta = STALE_MAX,
        types: EntityTypes | None = None,
        zone: tzinfo = UTC,
        has_proofs: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """Take what it stands on; `has_proofs` tells whether an organization recognizes people by keys or tokens."""
        self._sets = PolicySets(store, trail)
        self._library = SnapshotCache(self._sets, models, clock, stale_max, zone)
        proposals, people = Proposals(store, trail), People(has_proofs)
        self._publisher = Publisher(self._sets, proposals, people, self._library, clock, types, zone)
        self.stewardship = Stewardship(self._sets, proposals, people, self._publisher, self._library, clock)
        self.planner = DryRun(store, self._sets, self._library, self._publisher, clock)
        self.usage = Usage(store, self._library, clock)
        self._receipts = Receipts(store, clock, receipt_days)
        self._entities = entities
        self._clock = clock

    async def context(
        self,
        principal: Principal,
        task: str,
        facets: Facets,
        *,
        max_tokens: int = DEFAULT_TOKENS,
        topics: Sequence[str] = (),
        have: Sequence[str] = (),
        if_etag: str | None = None,
    ) -> ContextAnswer:
        """Return every rule in scope and the guidance that is relevant to the task, within `max_tokens`.

        `topics` are what the task is about in the caller's words: they help to find guidance and never lift a rule.
        Raises `InvalidInput` for an empty or overlong task, `Unavailable` when there are no policies to go by.
        """
        _validate("task", task, TASK_CHARACTERS_MAX)
        if not 1 <= max_tokens <= TOKENS_MAX:
            raise InvalidInput("max_tokens", f"{max_tokens} is not between 1 and {TOKENS_MAX}.")
        _check_topics(topics)
        if len(have) > HAVE_MAX:
            raise InvalidInput("have", f"{len(have)} etags.", f"At most {HAVE_MAX} are looked at.")
        case = await self._case(principal, facets)
        snapshot = case.current.snapshot
        query, without_vectors = await self._library.query(snapshot, task, topics=topics)
        degraded = (*case.degraded, *(("vector",) if without_vectors else ()))
        request = Request(
            query,
            case.placed.situation,
            self._clock(),
            max_tokens,
            frozenset(have),
            if_etag or None,
            degraded,
            case.current.waivers,
            case.placed.notes,
        )
        selection = select(snapshot, request)
        detail = _delivery(selection.whole, selection.answer, facets)
        if trials := Trials(snapshot, request.situation, request.now, request.waivers):
            refs = [f"{rule.policy_id}#{rule.rule_id}" for rule in selection.whole.rules]
            detail["trial"] = effect_body(trials.on_task(refs, query))
        receipt_id = await self._receipts.write(principal, "context", task, detail, store_away=case.current.store_away)
        return replace(selection.answer, receipt_id=receipt_id)

    async def check(self, principal: Principal, text: str, facets: Facets) -> CheckAnswer:
        """Return where a text breaks the rules in scope that a deterministic check covers, and which are not."""
        _validate("text", text, TEXT_CHARACTERS_MAX)
        case = await self._case(principal, facets)
        snapshot = case.current.snapshot
        now = self._clock()
        governing: Governing = govern(snapshot, case.placed.situation, now, case.current.waivers)
        answer = check_text(snapshot, governing, text, case.degraded, case.placed.notes)
        detail = {
            "revision": answer.revision,
            "facets": facets.given(),
            "assumed": list(answer.assumed),
            "compliant": answer.compliant,
            "rules": [f"{rule.ref}@{rule.edition.version}" for rule in governing.rules],
            "violated": sorted({f"{v.policy_id}#{v.rule_id}" for v in answer.violations}),
            "degraded": list(answer.degraded),
        }
        if trials := Trials(snapshot, case.placed.situation, now, case.current.waivers):
            detail["trial"] = effect_body(trials.on_draft([rule.ref for rule in governing.rules], text))
        receipt_id = await self._receipts.write(principal, "check", text, detail, store_away=case.current.store_away)
        return replace(answer, receipt_id=receipt_id)

    async def publish(
        self,
        principal: Principal,
        files: Sequence[PolicyFile],
        *,
        reason: str,
        author: str | None = None,
        break_glass: bool = False,
        only: Sequence[str] = (),
    ) -> Published:
        """Make these files the organization's whole set, or propose it where approval is needed, or change nothing.

        With `only` these policies are taken from the files, and the others stay as they are published. Raises
        `PolicyProblems` with every problem, `Refused` without the role, `Conflict` when another publish won.
        """
        demand_steward(principal)
        check_reason(reason)
        return await self._publisher.publish(
            principal, files, reason=reason, author=author, break_glass=break_glass, only=only
        )

    async def rollback(
        self,
        principal: Principal,
        revision: int,
        *,
        reason: str,
        author: str | None = None,
        break_glass: bool = False,
        only: Sequence[str] = (),
    ) -> Published:
        """Publish the set of an earlier revision again, or `only` these policies. Raises `NotFound` without one."""
        files = await self._sets.files(principal.organization, revision)
        return await self.publish(principal, files, reason=reason, author=author, break_glass=break_glass, only=only)

    async def ensure_published(self, principal: Principal, files: Sequence[PolicyFile]) -> None:
        """Publish these files if nothing ever was; several processes may try at once, one does it."""
        await self._publisher.ensure(principal, files)

    async def examine(self, files: Sequence[PolicyFile]) -> list[Problem]:
        """Return everything a publish of these files would find: lint, examples and the policies' own tests."""
        return await self._publisher.examine(files)

    async def explain(
        self,
        principal: Principal,
        task: str,
        facets: Facets,
        *,
        max_tokens: int = DEFAULT_TOKENS,
        files: Sequence[PolicyFile] = (),
        at: datetime | None = None,
    ) -> Explanation:
        """Tell what a call would get, and the verdict on every rule and section; leaves no receipt.

        With `files` these are the whole set; `at` is the instant of the call, None for now.
        """
        _validate("task", task, TASK_CHARACTERS_MAX)
        current = await self.planner.tried(files) if files else await self._library.current(principal.organization)
        case = await self._case(principal, facets, current)
        return await self.planner.explain(case.current, task, case.placed, max_tokens, at)

    async def policy(self, principal: Principal, policy_id: str, version: int | None = None) -> StoredPolicy:
        """Return a policy as it was written: the published version, or an earlier one. Raises `NotFound`.

        Who does not change or audit policies is not shown what is in trial: it reaches nobody.
        """
        current = await self._library.current(principal.organization)
        editions = {fold_id(e.policy.id): e for e in current.snapshot.published}
        edition = editions.get(fold_id(policy_id))
        sees_trials = bool(principal.roles & {"steward", "operator", "auditor"})
        if edition and edition.policy.trial and not sees_trials:
            raise NotFound(f"policy {policy_id} is in trial: it is delivered to nobody yet")
        newest = edition.version if edition else None
        wanted = version or newest
        too_new = version is not None and newest is not None and version > newest
        stored = None
        if wanted is not None and not too_new:
            stored = await self._sets.versions.version(principal.organization, policy_id, wanted)
        if stored is None:
            raise NotFound(_missing(policy_id, version, newest, [e.policy.id for e in editions.values()]))
        return stored if sees_trials else replace(stored, text=without_trials(PolicyFile(stored.path, stored.text)))

    async def published(self, principal: Principal) -> PolicyListing:
        """Return the published set."""
        current = await self._library.current(principal.organization)
        waived = waivers_by_policy(current.waivers, self._clock())
        return PolicyListing(
            current.snapshot.revision,
            tuple(
                PublishedPolicy(e.policy.id, e.version, e.policy.title, waived.get(e.policy.id, ()), e.policy.has_trial)
                for e in current.snapshot.published
            ),
        )

    async def facet_values(self, principal: Principal) -> Mapping[str, tuple[str, ...]]:
        """Return facet of a call -> the values that the published vocabulary has, those that lie in no other first."""
        vocabulary = (await self._library.current(principal.organization)).snapshot.vocabulary
        return {
            facet: tuple(value.name for value in sorted(values, key=lambda value: bool(value.parents)))
            for facet, values in vocabulary.values.items()
            if values
        }

    async def verify(self, principal: Principal) -> int:
        """Read all of the published set anew; return how many policies it has, 0 when none was ever published.

        Raises `Corrupt`, with the remedy, for what is not as it was published.
        """
        return await self._library.verify(principal.organization)

    async def make_ready(self, organization: str, model: EmbeddingModel) -> None:
        """Embed the published sections with a model that is about to be used."""
        await self._library.make_ready(organization, model)

    async def settle(self) -> None:
        """Write the receipts that waited for the store while it was away."""
        await self._receipts.settle()

    async def history(self, principal: Principal, limit: int = 20) -> list[Publication]:
        """Return who published what and when, newest first."""
        return await self._sets.history(principal.organization, limit)

    async def policy_history(self, principal: Principal, policy_id: str, limit: int = 20) -> list[PolicyChange]:
        """Return the publications that changed one policy, newest first."""
        return await self._sets.changes_of(principal.organization, policy_id, limit)

    async def _case(self, principal: Principal, facets: Facets, current: Current | None = None) -> _Case:
        facets.validate()
        current = current or await self._library.current(principal.organization)
        degraded = current.degraded
        entity: RememberedEntity | None = None
        if facets.entity and facets.entity.strip():
            try:
                entity = await self._entities.governance_facts(principal, facets.entity)
            except (Unavailable, Corrupt):
                # Unknown properties match, so without memory there can be more rules and never fewer.
                degraded = (*degraded, "memory")
        return _Case(current, situation_of(principal, facets, entity, current.snapshot.vocabulary), degraded)


def read_folder(path: Path) -> list[PolicyFile]:
    """Return every Markdown file below a folder and its vocabulary, by path. Raises `InvalidInput` without a policy."""
    if not path.is_dir():
        raise InvalidInput("policies", f"{path} is not a folder.", "Name a folder of Markdown policies.")
    found: list[PolicyFile] = []
    policies = sorted(path.rglob("*.md"))
    for file in [*policies, *path.glob(VOCABULARY_FILE)]:
        try:
            found.append(PolicyFile(file.relative_to(path).as_posix(), file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput("policies", f"{file} cannot be read as UTF-8 text: {error}.") from error
    if not policies:
        raise InvalidInput("policies", f"{path} holds no .md file.", "Put at least one policy into it.")
    return sorted(found, key=lambda file: file.path)


def _delivery(whole: ContextAnswer, answer: ContextAnswer, facets: Facets) -> dict[str, Any]:
    """Describe a delivery for its receipt: what governs, what of it was sent, and what was held."""
    versions = {policy.policy_id: policy.version for policy in whole.policies}
    return {
        "revision": whole.revision,
        "etag": whole.etag,
        "facets": facets.given(),
        "assumed": list(whole.assumed),
        "rules": [f"{rule.policy_id}#{rule.rule_id}@{versions[rule.policy_id]}" for rule in whole.rules],
        "sections": [f"{section.policy_id}#{section.section_id}@{section.version}" for section in whole.sections],
        "held": list(answer.held),
        "omitted": [f"{section.policy_id}#{section.section_id}" for section in answer.omitted],
        "unchanged": answer.unchanged,
        "degraded": list(answer.degraded),
    }


def _validate(field: str, text: str, maximum: int) -> None:
    if not text.strip():
        raise InvalidInput(field, "is empty.", "Say what it is about.")
    if len(text) > maximum:
        raise InvalidInput(field, f"{len(text)} characters.", f"At most {maximum} are possible; shorten it.")


def _check_topics(topics: Sequence[str]) -> None:
    if len(topics) > TOPICS_MAX:
        raise InvalidInput("topics", f"{len(topics)} topics.", f"At most {TOPICS_MAX} are possible.")
    for number, topic in enumerate(topics):
        _validate(f"topics.{number}", topic, TOPIC_CHARACTERS_MAX)


def _missing(policy_id: str, version: int | None, newest: int | None, known: list[str]) -> str:
    if newest is not None:
        return f"policy {policy_id} has no version {version}; the published one is {newest}"
    near = get_close_matches(policy_id, known, n=3, cutoff=0.4) or known[:5]
    return f"no policy {policy_id!r} is published; near: {', '.join(near)}"
