"""The snapshots that calls are answered from: loaded when an organization's head moves, kept while it stands.

The head is read on every call. When it cannot be read, or leads to a set that is damaged, the last good set is served
for a while, marked; after that the answer is a refusal, because an agent must not act on rules that may have been
withdrawn. A damaged set is never served in part.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import anyio
import anyio.to_thread

from interlayer.errors import Corrupt, Unavailable
from interlayer.ids import Clock
from interlayer.models.embedder import EmbeddingModel, EmbeddingModels, Vectors
from interlayer_policies.delivery.answers import REFUSAL
from interlayer_policies.delivery.embedding import PUBLISH_DEADLINE_S, QUERY_DEADLINE_S, SECTIONS_DEADLINE_S, Embeddings
from interlayer_policies.delivery.evidence.query import Query, query_of, texts_of
from interlayer_policies.delivery.snapshot import Edition, GuidanceSection, Snapshot, sections_of
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.names import unify_references
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary
from interlayer_policies.publication.sets import MENDED_BY, Head, StoredPolicy
from interlayer_policies.publication.store import PolicySets
from interlayer_policies.starter import vocabulary_of

STALE_MAX: Final = timedelta(seconds=300)
HEAD_DEADLINE_S: Final = 5.0

_EMBED_AGAIN_AFTER: Final = timedelta(seconds=5)
_BUILT_INLINE_MAX: Final = 20  # policies: fewer take less time than handing them to a thread

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shelf:
    """What is kept of one organization; `trouble` is what last kept the published set from being read."""

    snapshot: Snapshot
    head: Head
    seen_at: datetime
    embed_tried_at: datetime
    arrivals: int
    trouble: str = ""

    def holds(self, head: Head) -> bool:
        """Whether this is the set that a head leads to; a revision alone is not enough after a restored backup."""
        return (self.head.revision, self.head.set_hash) == (head.revision, head.set_hash)


@dataclass(frozen=True, slots=True)
class Current:
    """The set to answer from and what was unavailable in getting it: `store`, `set` (damaged), `waivers`."""

    snapshot: Snapshot
    degraded: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def store_away(self) -> bool:
        """Whether this set is served from memory because the store could not be read."""
        return "store" in self.degraded


class SnapshotCache:
    """Current snapshots by organization, and the embeddings that they share."""

    def __init__(
        self,
        sets: PolicySets,
        models: EmbeddingModels,
        clock: Clock,
        stale_max: timedelta = STALE_MAX,
        zone: tzinfo = UTC,
    ) -> None:
        self._sets = sets
        self._models = models
        self._embeddings: dict[str, Embeddings] = {}  # by space
        self._clock = clock
        self._stale_max = stale_max
        self._zone = zone
        self._shelves: dict[str, _Shelf] = {}
        self._loading: dict[str, anyio.Lock] = {}

    async def current(self, organization: str) -> Current:
        """Return the set to answer from: the published one, or for a while the last that could be read.

        Raises `Unavailable` or `Corrupt`, saying to take no action, when there is none to go by.
        """
        try:
            return await self.published(organization)
        except (Unavailable, Corrupt) as error:
            return self._last_good(organization, error)

    async def published(self, organization: str) -> Current:
        """Return the published set as the store has it now. Raises `Unavailable` and `Corrupt`."""
        head = await self._head(organization)
        if head is None:
            raise Unavailable(f"No policies are published for {organization}: publish some.")
        shelf = await self._shelf(organization, head, await self._model(organization))
        if shelf.holds(head):
            shelf.head = head
        shelf.seen_at, shelf.trouble = self._clock(), ""
        degraded = ("waivers",) if shelf.head.waivers_unread else ()
        return Current(shelf.snapshot, degraded, shelf.head.waivers)

    async def verify(self, organization: str) -> int:
        """Read all of the published set anew; return how many policies it has, 0 when none was ever published.

        Raises `Corrupt`, with the remedy, for what is not as it was published.
        """
        head = await self._head(organization)
        return len((await self._read(organization, head, None))[0]) if head else 0

    async def query(
        self, snapshot: Snapshot, task: str, within: float = QUERY_DEADLINE_S, topics: Sequence[str] = ()
    ) -> tuple[Query, bool]:
        """Return a task made ready in the space of the set, and whether its vectors could not be had in time."""
        if snapshot.model is None:
            return query_of(texts_of(task, topics), None), True
        found = await self._of(snapshot.model).query(task, within, topics)
        return found, found.vectors is None or not snapshot.index.has_vectors

    async def build(
        self,
        revision: int,
        editions: Sequence[Edition],
        model: EmbeddingModel | None,
        within: float = SECTIONS_DEADLINE_S,
        vocabulary: Vocabulary | None = None,
    ) -> Snapshot:
        """Return a snapshot of these policies; without vectors when they cannot be had in `within` seconds."""
        unified = unify_references([edition.policy for edition in editions])
        editions = [replace(edition, policy=policy) for edition, policy in zip(editions, unified, strict=True)]
        promoted = None
        if any(edition.policy.has_trial for edition in editions):
            tried = [replace(edition, policy=edition.policy.promoted()) for edition in editions]
            promoted = await self.build(revision, tried, model, within, vocabulary)
        sections = sections_of(editions)
        vectors = await self._vectors(sections, model, within)
        given = (revision, editions, sections, vectors, model, vocabulary, promoted)
        return (
            Snapshot(*given) if len(editions) <= _BUILT_INLINE_MAX else await anyio.to_thread.run_sync(Snapshot, *given)
        )

    async def try_out(self, policies: Sequence[Policy], vocabulary: Vocabulary) -> Snapshot:
        """Return a snapshot of policies that are not published, in the space that is in use here."""
        editions = [Edition(policy, 1) for policy in policies]
        return await self.build(0, editions, await self._model(), PUBLISH_DEADLINE_S, vocabulary)

    async def prepare(self, organization: str, editions: Sequence[Edition]) -> None:
        """Embed what a publish brings before it is in force, so that the first call after it need not wait."""
        await self._vectors(sections_of(editions), await self._model(organization), PUBLISH_DEADLINE_S)

    async def make_ready(self, organization: str, model: EmbeddingModel) -> None:
        """Embed the sections of the published set with a model that is about to be used."""
        shelf = self._shelves.get(organization)
        if shelf:
            await self._vectors(shelf.snapshot.sections, model, PUBLISH_DEADLINE_S)

    async def _model(self, organization: str = "") -> EmbeddingModel | None:
        """Return the model to go by, None while that cannot be told: an answer then rests on words alone."""
        shelf = self._shelves.get(organization)
        model = shelf.snapshot.model if shelf else None
        with anyio.move_on_after(HEAD_DEADLINE_S), suppress(Unavailable, Corrupt):
            model = await self._models.of(organization)
        return model

    def _of(self, model: EmbeddingModel) -> Embeddings:
        return self._embeddings.setdefault(model.embedder.space.id, Embeddings(model.embedder))

    async def _vectors(
        self, sections: Sequence[GuidanceSection], model: EmbeddingModel | None, within: float
    ) -> Vectors | None:
        return await self._of(model).of_sections([one.indexed for one in sections], within) if model else None

    def _arrivals(self, model: EmbeddingModel | None) -> int:
        return self._of(model).arrivals if model else 0

    def _is_good(self, shelf: _Shelf, head: Head, model: EmbeddingModel | None) -> bool:
        if not shelf.holds(head) or shelf.snapshot.model != model:
            return False
        if shelf.snapshot.index.has_vectors:
            return True
        nothing_new = shelf.arrivals == self._arrivals(model)
        return nothing_new and self._clock() - shelf.embed_tried_at < _EMBED_AGAIN_AFTER

    async def _can_embed(self, shelf: _Shelf, model: EmbeddingModel | None) -> bool:
        """Whether the vectors that a set was loaded without can be had now."""
        return await self._vectors(shelf.snapshot.sections, model, QUERY_DEADLINE_S) is not None

    def _last_good(self, organization: str, error: Unavailable | Corrupt) -> Current:
        shelf = self._shelves.get(organization)
        # A clock that was set back must not stretch the limit.
        if shelf is None or abs(self._clock() - shelf.seen_at) >= self._stale_max:
            raise type(error)(f"The policies cannot be read: {error} {REFUSAL}") from error
        damaged = isinstance(error, Corrupt)
        if damaged and shelf.trouble != str(error):
            shelf.trouble = str(error)
            logger.error("revision %s stays in force for now: %s", shelf.head.revision, error)
        return Current(shelf.snapshot, ("set" if damaged else "store",), shelf.head.waivers)

    async def _head(self, organization: str) -> Head | None:
        try:
            with anyio.fail_after(HEAD_DEADLINE_S):
                return await self._sets.head(organization)
        except TimeoutError:
            raise Unavailable(f"the store does not answer within {HEAD_DEADLINE_S:.0f} s.") from None

    async def _shelf(self, organization: str, head: Head, model: EmbeddingModel | None) -> _Shelf:
        """Return a shelf with this set or a later one, loading it once for all who wait."""
        shelf = self._shelves.get(organization)
        lock = self._loading.setdefault(organization, anyio.Lock())
        if shelf is not None and (self._is_good(shelf, head, model) or (shelf.holds(head) and lock.locked())):
            return shelf  # where another call only fetches the vectors, nobody waits for them
        async with lock:
            head = await self._head(organization) or head  # it may have moved while this call waited
            shelf = self._shelves.get(organization)
            if shelf is not None and self._is_good(shelf, head, model):
                return shelf
            arrivals = self._arrivals(model)
            same = shelf is not None and shelf.holds(head)
            if shelf is not None and same and not await self._can_embed(shelf, model):
                shelf.embed_tried_at, shelf.arrivals = self._clock(), arrivals
                return shelf
            if shelf and same:
                editions, vocabulary = shelf.snapshot.published, shelf.snapshot.vocabulary
            else:
                editions, vocabulary = await self._read(organization, head, shelf)
            snapshot = await self.build(head.revision, editions, model, vocabulary=vocabulary)
            shelf = self._shelves[organization] = _Shelf(snapshot, head, self._clock(), self._clock(), arrivals)
            return shelf

    async def _read(self, organization: str, head: Head, shelf: _Shelf | None) -> tuple[Sequence[Edition], Vocabulary]:
        """Return the policies of a set and its vocabulary, whole and as they were published. Raises `Corrupt`."""
        entries = await self._sets.published_entries(organization, head)
        known = {(e.policy.id, e.version, e.sha256): e for e in shelf.snapshot.published} if shelf else {}
        unknown = [entry for entry in entries if (entry.id, entry.version, entry.sha256) not in known]
        stored = await self._sets.versions.sources(organization, unknown)
        vocabulary = _vocabulary([source for source in stored if source.path == VOCABULARY_FILE])
        policies = [source for source in stored if source.path != VOCABULARY_FILE]
        if len(policies) <= _BUILT_INLINE_MAX:
            parsed = _editions(policies, self._zone)
        else:
            parsed = await anyio.to_thread.run_sync(_editions, policies, self._zone)
        known |= {(edition.policy.id, edition.version, edition.sha256): edition for edition in parsed}
        present = [entry for entry in entries if entry.id != VOCABULARY_FILE]
        return [known[entry.id, entry.version, entry.sha256] for entry in present], vocabulary


def _vocabulary(stored: Sequence[StoredPolicy]) -> Vocabulary:
    """Return the vocabulary that was published with a set, or that of the starter policies. Raises `Corrupt`."""
    read = vocabulary_of([PolicyFile(source.path, source.text) for source in stored])
    if not isinstance(read, Vocabulary):
        raise Corrupt(f"the vocabulary of the policies cannot be read: {read[0]}. {MENDED_BY}")
    return read


def _editions(stored: Sequence[StoredPolicy], zone: tzinfo) -> list[Edition]:
    editions: list[Edition] = []
    for source in stored:
        policy = parse(PolicyFile(source.path, source.text), zone)
        if not isinstance(policy, Policy):
            raise Corrupt(f"policy {source.policy_id} v{source.version} cannot be read: {policy[0]}. {MENDED_BY}")
        editions.append(Edition(policy, source.version, source.sha256))
    return editions
