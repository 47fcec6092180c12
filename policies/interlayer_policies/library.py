"""The snapshots that calls are answered from: loaded when an organization's head moves, kept while it stands.

The head is read on every call. When it cannot be read, the last set that could is served for `STALE_MAX`, marked;
after that the answer is a refusal, because an agent must not act on rules that may have been withdrawn.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Corrupt, Unavailable
from interlayer.ids import Clock
from interlayer.models.embedder import EmbeddingModel, EmbeddingModels, Vectors
from interlayer_policies.parsing import parse
from interlayer_policies.policy import Policy, PolicyFile
from interlayer_policies.relevance import Query, query_of, texts_of
from interlayer_policies.sets import StoredPolicy
from interlayer_policies.snapshot import Edition, GuidanceSection, Snapshot, sections_of
from interlayer_policies.store import PolicySets
from interlayer_policies.waivers import Waiver

STALE_MAX: Final = timedelta(seconds=300)
QUERY_DEADLINE_S: Final = 0.025
QUERY_DEADLINE_HOSTED_S: Final = 0.5  # for a model that is not at hand; such an answer is remembered
REFUSAL: Final = (
    "Take no externally visible or irreversible action until governance answers again; then ask for the context anew."
)

_EMBED_AGAIN_AFTER: Final = timedelta(seconds=5)
_TASKS_REMEMBERED: Final = 512
_VECTORS_REMEMBERED: Final = 50_000
_BUILT_INLINE_MAX: Final = 20  # policies: fewer take less time than handing them to a thread


@dataclass(slots=True)
class _Shelf:
    """What is kept of one organization."""

    snapshot: Snapshot
    seen_at: datetime
    embed_tried_at: datetime
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Current:
    """The set to answer from and what was unavailable in getting it."""

    snapshot: Snapshot
    degraded: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def store_away(self) -> bool:
        """Whether this set is served from memory because the store could not be read."""
        return "store" in self.degraded


class Library:
    """Current snapshots by organization, and what is dear to make: parsed policies and vectors, by content."""

    def __init__(self, sets: PolicySets, models: EmbeddingModels, clock: Clock) -> None:
        self._sets = sets
        self._models = models
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}
        self._loading: dict[str, anyio.Lock] = {}
        self._vectors: dict[tuple[str, str], NDArray[np.float32]] = {}  # by space and text
        self._queries: OrderedDict[tuple[str, str], Query] = OrderedDict()

    async def current(self, organization: str) -> Current:
        """Return the published set. Raises `Unavailable`, saying to take no action, when there is none to go by."""
        try:
            head = await self._sets.head(organization)
            model = await self._models.of(organization)
            shelf = await self._shelf(organization, head.revision, model) if head else None
        except Unavailable as error:
            return self._stale(organization, error)
        if shelf is None:
            raise Unavailable(f"No policies are published for {organization}: publish some. {REFUSAL}")
        shelf.seen_at = self._clock()
        if head and shelf.snapshot.revision == head.revision:
            shelf.waivers = head.waivers
        return Current(shelf.snapshot, (), shelf.waivers)

    async def query(self, snapshot: Snapshot, task: str) -> tuple[Query, bool]:
        """Return a task made ready in the space of the set, and whether its vectors could not be had in time."""
        place = (snapshot.model.embedder.space.id if snapshot.model else "", task)
        found = self._queries.get(place)
        if found is not None:
            self._queries.move_to_end(place)
        else:
            texts = texts_of(task)
            found = query_of(texts, await _query_vectors(snapshot.model, texts) if snapshot.model else None)
            if found.vectors is not None:
                self._remember(place, found)
        return found, found.vectors is None or not snapshot.index.has_vectors

    async def build(self, revision: int, editions: Sequence[Edition], model: EmbeddingModel | None = None) -> Snapshot:
        """Return a snapshot of these policies; without vectors when the embedder is unavailable."""
        sections = sections_of(editions)
        model = model or await self._models.of()
        try:
            vectors = await self._section_vectors(sections, model)
        except Unavailable:
            vectors = None
        if len(editions) <= _BUILT_INLINE_MAX:
            return Snapshot(revision, editions, sections, vectors, model)
        return await anyio.to_thread.run_sync(Snapshot, revision, editions, sections, vectors, model)

    async def make_ready(self, organization: str, model: EmbeddingModel) -> None:
        """Embed the sections of the published set with a model that is about to be used. Raises `Unavailable`."""
        shelf = self._shelves.get(organization)
        if shelf:
            await self._section_vectors(shelf.snapshot.sections, model)

    def _is_good(self, shelf: _Shelf, revision: int, model: EmbeddingModel) -> bool:
        if shelf.snapshot.revision < revision or shelf.snapshot.model != model:
            return False
        return shelf.snapshot.index.has_vectors or self._clock() - shelf.embed_tried_at < _EMBED_AGAIN_AFTER

    def _stale(self, organization: str, error: Unavailable) -> Current:
        shelf = self._shelves.get(organization)
        if shelf is None or self._clock() - shelf.seen_at > STALE_MAX:
            raise Unavailable(f"The policies are out of reach: {error} {REFUSAL}") from error
        return Current(shelf.snapshot, ("store",), shelf.waivers)

    async def _shelf(self, organization: str, revision: int, model: EmbeddingModel) -> _Shelf:
        """Return a shelf with this revision or a later one, loading it once for all who wait."""
        shelf = self._shelves.get(organization)
        if shelf is not None and self._is_good(shelf, revision, model):
            return shelf
        async with self._loading.setdefault(organization, anyio.Lock()):
            shelf = self._shelves.get(organization)
            if shelf is not None and self._is_good(shelf, revision, model):
                return shelf
            entries = await self._sets.entries(organization, revision)
            if entries is None:
                raise Corrupt(f"policy set {revision} of {organization} is missing; publish the policies again")
            known = {(e.policy.id, e.version): e for e in shelf.snapshot.editions} if shelf else {}
            unknown = [entry for entry in entries if (entry.id, entry.version) not in known]
            stored = await self._sets.versions.sources(organization, unknown)
            if len(stored) <= _BUILT_INLINE_MAX:
                parsed = _editions(stored)
            else:
                parsed = await anyio.to_thread.run_sync(_editions, stored)
            known |= {(edition.policy.id, edition.version): edition for edition in parsed}
            snapshot = await self.build(revision, [known[entry.id, entry.version] for entry in entries], model)
            shelf = self._shelves[organization] = _Shelf(snapshot, self._clock(), self._clock())
            return shelf

    async def _section_vectors(self, sections: Sequence[GuidanceSection], model: EmbeddingModel) -> Vectors:
        """Return (sections, dims) unit vectors; a text that was embedded before is not embedded again."""
        space = model.embedder.space
        wanted = list(dict.fromkeys(section.indexed for section in sections))
        if len(self._vectors) > _VECTORS_REMEMBERED:
            self._vectors.clear()
        known = {text: self._vectors[space.id, text] for text in wanted if (space.id, text) in self._vectors}
        missing = [text for text in wanted if text not in known]
        known |= dict(zip(missing, await model.embedder.embed(missing), strict=True))
        self._vectors |= {(space.id, text): known[text] for text in missing}
        if not sections:
            return np.zeros((0, space.dims), dtype=np.float32)
        return np.stack([known[section.indexed] for section in sections])

    def _remember(self, place: tuple[str, str], query: Query) -> None:
        self._queries[place] = query
        while len(self._queries) > _TASKS_REMEMBERED:
            self._queries.popitem(last=False)


async def _query_vectors(model: EmbeddingModel, texts: Sequence[str]) -> Vectors | None:
    vectors: Vectors | None = None
    with anyio.move_on_after(QUERY_DEADLINE_S if model.embedder.at_hand else QUERY_DEADLINE_HOSTED_S):
        try:
            vectors = await model.embedder.embed(texts, query=True)
        except Unavailable:
            return None
    return vectors


def _editions(stored: Sequence[StoredPolicy]) -> list[Edition]:
    editions: list[Edition] = []
    for source in stored:
        policy = parse(PolicyFile(source.path, source.text))
        if not isinstance(policy, Policy):
            raise Corrupt(f"policy {source.policy_id} v{source.version} cannot be read: {policy[0]}. Publish it again.")
        editions.append(Edition(policy, source.version))
    return editions
