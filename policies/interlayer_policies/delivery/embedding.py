"""Vectors of tasks and of sections, waited for only so long.

Embedding is never cut off: what takes longer than its caller may wait goes on by itself, and serves the next call that
asks the same. So neither a model that hangs nor a thread that it blocks holds up an answer.
"""

import asyncio  # noqa: TID251  (anyio has no task that outlives the call that started it)
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.models.embedder import Embedder, Vectors
from interlayer_policies.delivery.evidence.background import Background, background_of, background_texts
from interlayer_policies.delivery.evidence.query import Query, query_of, texts_of

QUERY_DEADLINE_S: Final = 0.025
HOSTED_DEADLINE_S: Final = 0.5
"""For a task, where its model is not at hand: whoever chose such a model can wait for its round trip."""
SECTIONS_DEADLINE_S: Final = 1.0
"""For a set that a process has not seen: once, because then its sections go on being embedded by themselves."""
PUBLISH_DEADLINE_S: Final = 60.0
"""For a steward, who can wait: what a publish is judged by must not depend on how busy the model is."""

_GIVEN_UP_AFTER_S: Final = 60.0
_AT_ONCE: Final = 8  # each can hold a thread of the pool that the stores use too
_BATCH: Final = 512
_TASKS_REMEMBERED: Final = 512
_VECTORS_REMEMBERED: Final = 50_000

_Result = TypeVar("_Result")


class Embeddings:
    """One embedder with what it has made so far: tasks, the newest ones, and sections, by their text."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._queries: OrderedDict[str, Query] = OrderedDict()
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._asking: dict[object, asyncio.Task[Query | None]] = {}
        self._filling: dict[frozenset[str], asyncio.Task[bool]] = {}
        self._background: Background | None = None
        self.arrivals = 0
        """How often sections were embedded: when it has risen, vectors that were missing may be there."""

    async def query(self, task: str, within: float, topics: Sequence[str] = ()) -> Query:
        """Return a task made ready, without vectors when they cannot be had in `within` seconds.

        A model that is not at hand is waited for longer.
        """
        asked = "\0".join([task, *topics])
        found = self._queries.get(asked)
        if found is not None:
            self._queries.move_to_end(asked)
            return found
        texts = texts_of(task, topics)
        within = within if self._embedder.at_hand else max(within, HOSTED_DEADLINE_S)
        # Each call asks anew: what hangs may hang for ever, and the model be well by now.
        found = await _wait_for(self._asking, object(), lambda: self._ask(asked, texts), within)
        return found or query_of(texts, None)

    async def of_sections(self, texts: Sequence[str], within: float) -> Vectors | None:
        """Return (n, dims) unit vectors, None when they cannot be had in `within` seconds.

        A text that was embedded before is not embedded again, and who asks while it is going on waits no second time.
        """
        missing = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        if missing:
            wanted = frozenset(missing)
            under_way = next((run for run in self._filling if run >= wanted), None)
            patience = within if under_way is None else min(within, QUERY_DEADLINE_S)
            if not await _wait_for(self._filling, under_way or wanted, lambda: self._fill(missing), patience):
                return None
        if not texts:
            return np.zeros((0, self._embedder.space.dims), dtype=np.float32)
        vectors = np.stack([self._vectors[text] for text in texts])
        if len(self._vectors) > _VECTORS_REMEMBERED:
            self._vectors = {text: self._vectors[text] for text in texts}
        return vectors

    async def _ask(self, task: str, texts: Sequence[str]) -> Query | None:
        try:
            async with asyncio.timeout(_GIVEN_UP_AFTER_S):
                background = await self._know_background()
                vectors = await self._embedder.embed(texts, query=True)
        except (Unavailable, TimeoutError):
            return None
        query = self._queries[task] = query_of(texts, vectors, background)
        while len(self._queries) > _TASKS_REMEMBERED:
            self._queries.popitem(last=False)
        return query

    async def _know_background(self) -> Background:
        if self._background is None:
            self._background = background_of(await self._embedder.embed(background_texts()))
        return self._background

    async def _fill(self, texts: Sequence[str]) -> bool:
        for first in range(0, len(texts), _BATCH):
            batch = texts[first : first + _BATCH]
            try:
                async with asyncio.timeout(_GIVEN_UP_AFTER_S):
                    await self._know_background()
                    vectors = await self._embedder.embed(batch)
            except (Unavailable, TimeoutError):
                return False
            self._vectors |= dict(zip(batch, vectors, strict=True))
        self.arrivals += 1
        return True


async def _wait_for(
    running: dict[Any, asyncio.Task[_Result]], key: Any, work: Callable[[], Coroutine[Any, Any, _Result]], within: float
) -> _Result | None:
    """Wait for `work`; None when it is not done in `within` seconds or too much is going on.

    Work of a key that is going on is joined. Raises what it raises.
    """
    if key not in running and len(running) >= _AT_ONCE:
        return None
    task = running.get(key)
    if task is None:
        task = running[key] = asyncio.create_task(work())
        task.add_done_callback(lambda done: _end(running, key, done))
    done, _ = await asyncio.wait({task}, timeout=within)
    return task.result() if done else None


def _end(running: dict[Any, asyncio.Task[_Result]], key: Any, done: "asyncio.Task[_Result]") -> None:
    running.pop(key, None)
    if not done.cancelled():
        done.exception()  # looked at, so that what nobody waits for any more does not complain at exit
