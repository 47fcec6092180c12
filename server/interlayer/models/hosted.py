"""Embedding models that a provider or an own endpoint serves, through litellm, which is imported only then (5 s).

Requests stay within the provider's limits: so many texts at once, so long a text, four requests in flight. What fails
for the moment (429, 5xx, no connection, no answer) is tried again, less and less often; what will not mend is not.
Where a call waits, all of that is within seconds, and after a failure the next calls do not wait at all for a while.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import anyio
import anyio.to_thread
import numpy as np

from interlayer.errors import Unavailable
from interlayer.models.choice import EmbedderChoice
from interlayer.models.embedder import Space, Vectors, unit
from interlayer.models.prefixes import prefixes_of
from interlayer.models.vendor import asked_to_wait, litellm

# Texts a request, from the providers' API references; an endpoint of one's own may take few (32 is the default of
# Hugging Face's text-embeddings-inference). Bedrock's Titan takes one, litellm sends them one by one.
_TEXTS: Final = {"text-embedding": 1_024, "azure": 1_024, "cohere": 96, "gemini": 100, "vertex_ai": 100, "voyage": 128}
_TEXTS_ELSEWHERE: Final = 32
_CHARACTERS: Final = 200_000  # of all texts of a request: OpenAI takes 300,000 tokens
_CHARACTERS_A_TOKEN: Final = 3  # of English at the least; longer texts are cut, which costs them their end
_TOKENS_ELSEWHERE: Final = 500  # what the smallest models take
_IN_FLIGHT: Final = 4
_TIMEOUT_S: Final = 20.0
_ATTEMPTS: Final = 5
_WAIT_S: Final = 0.5  # before the second attempt, twice as long before each further one
_WAIT_MAX_S: Final = 20.0
_QUERY_S: Final = 3.0  # for queries: words alone rank well, so one attempt
_WAITING_S: Final = 5.0  # for statements that a call waits for, with every attempt
_PAUSE_S: Final = 5.0  # after a failure, in which no call waits
_TOO_MUCH: Final = frozenset({400, 413, 422})  # how servers turn down more texts than they take at once
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class HostedEmbedder:
    """Any litellm embedding id. Raises `Unavailable` naming the model, what went wrong and what to look at."""

    def __init__(self, choice: EmbedderChoice, dims: int = 0) -> None:
        self._choice = choice
        self._dims = dims
        self._prefixes = prefixes_of(choice.name)
        self._sending = anyio.CapacityLimiter(_IN_FLIGHT)
        self._resting_until = 0.0
        self._trouble = ""
        self._most = max(_TEXTS.values())  # texts in one request, fewer where a server has turned down more

    @property
    def space(self) -> Space:
        """The model by its litellm id; 0 dims until it has answered or they were said."""
        return Space(self._choice.name, self._dims, self._prefixes.recipe)

    @property
    def at_hand(self) -> bool:
        """It is not: a request takes its time and its price."""
        return False

    @property
    def trouble(self) -> str:
        """What went wrong with the last request."""
        return self._trouble

    def preload(self) -> None:
        """Import litellm; safe from any thread."""
        litellm()

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:
        """Return (n, dims) unit vectors. A query is always waited for."""
        if not texts:
            return np.zeros((0, self._dims), dtype=np.float32)
        waiting = waiting or query
        if waiting and anyio.current_time() < self._resting_until:
            raise Unavailable(f"{self._trouble} It is not asked again for a moment.")
        patience_s = (_QUERY_S if query else _WAITING_S) if waiting else math.inf
        try:
            vendor = await anyio.to_thread.run_sync(litellm)
            with anyio.fail_after(patience_s):
                made = await self._make(vendor, texts, query)
        except TimeoutError:
            raise self._fail(f"{self._choice.name}: no answer within {patience_s:.0f} s.") from None
        except Unavailable as error:
            raise self._fail(str(error)) from error
        self._trouble = ""
        self._resting_until = 0.0
        return made

    def _fail(self, trouble: str) -> Unavailable:
        self._trouble = trouble
        self._resting_until = anyio.current_time() + _PAUSE_S
        return Unavailable(trouble)

    async def _make(self, vendor: Any, texts: Sequence[str], query: bool) -> Vectors:
        batches = self._batches(vendor, [_prepare(text, query, self._prefixes) for text in texts])
        made: list[Any] = [None] * len(batches)

        async def send(number: int) -> None:
            async with self._sending:
                try:
                    made[number] = await self._answer(vendor, batches[number], query=query)
                except Unavailable as error:
                    made[number] = error

        async with anyio.create_task_group() as group:
            for number in range(len(batches)):
                group.start_soon(send, number)
        for one in made:
            if isinstance(one, Unavailable):
                raise one
        return unit(np.concatenate(made))

    def _batches(self, vendor: Any, texts: Sequence[str]) -> list[list[str]]:
        known = price_of(vendor, self._choice.name).get("max_input_tokens") or _TOKENS_ELSEWHERE
        longest = known * _CHARACTERS_A_TOKEN
        known_most = (texts for begin, texts in _TEXTS.items() if self._choice.name.startswith(begin))
        most = min(next(known_most, _TEXTS_ELSEWHERE), self._most)
        batches: list[list[str]] = []
        room = 0
        for text in texts:
            cut = text[:longest]
            if not batches or len(batches[-1]) == most or len(cut) > room:
                batches.append([])
                room = _CHARACTERS
            batches[-1].append(cut)
            room -= len(cut)
        return batches

    async def _answer(self, vendor: Any, texts: list[str], *, query: bool) -> Vectors:
        wait = _WAIT_S
        for attempt in range(1, (1 if query else _ATTEMPTS) + 1):
            try:
                return self._check(await self._ask(vendor, texts, query=query), texts)
            except _TooMany:
                self._most = half = len(texts) // 2
                parts = [await self._answer(vendor, part, query=query) for part in (texts[:half], texts[half:])]
                return np.concatenate(parts)
            except _Passing as failure:
                pause = max(wait, min(failure.retry_after_s, _WAIT_MAX_S))
                is_late = anyio.current_time() + pause > anyio.current_effective_deadline()
                if query or is_late or attempt == _ATTEMPTS:
                    raise Unavailable(f"{self._choice.name}: {failure}") from failure
                await anyio.sleep(pause)
                wait = min(2 * wait, _WAIT_MAX_S)
        raise AssertionError  # the last attempt has returned or raised

    async def _ask(self, vendor: Any, texts: list[str], *, query: bool) -> Any:
        more = {"api_base": self._choice.api_base} if self._choice.api_base else {}
        if input_type := self._prefixes.query_type if query else self._prefixes.document_type:
            more["input_type"] = input_type
        try:
            with anyio.fail_after(_TIMEOUT_S + 1):
                answer = await vendor.aembedding(
                    model=self._choice.name, input=texts, timeout=_TIMEOUT_S, max_retries=0, **more
                )
        except TimeoutError as error:
            raise _Passing(f"no answer within {_TIMEOUT_S:.0f} s.") from error
        except Exception as error:
            status = getattr(error, "status_code", None)
            reason = str(error).partition("\n")[0][:200]
            if status in _PASSING:
                raise _Passing(reason, asked_to_wait(error) or 0.0) from error
            if status in _TOO_MUCH and len(texts) > 1:
                raise _TooMany from error
            raise Unavailable(
                f"{self._choice.name}: {reason} Check the model's name, its key and INTERLAYER_EMBEDDER_API_BASE."
            ) from error
        return answer.data

    def _check(self, data: Sequence[Any], texts: Sequence[str]) -> Vectors:
        """Return the vectors of an answer, one a text and all of one width."""
        ordered = sorted(data, key=lambda one: one.get("index") or 0)
        vectors = [np.asarray(one["embedding"], dtype=np.float32) for one in ordered]
        widths = {vector.shape for vector in vectors}
        if len(vectors) != len(texts) or len(widths) != 1 or not np.isfinite(vectors).all():
            raise _Passing(f"{len(vectors)} vectors for {len(texts)} texts, of {sorted(widths)} numbers.")
        dims = vectors[0].shape[0]
        if self._dims not in (0, dims):
            raise Unavailable(
                f"{self._choice.name}: it made vectors of {dims} dims, {self._dims} are on record. Is it another model?"
            )
        self._dims = dims
        return np.stack(vectors)


class _TooMany(Exception):
    """More texts than a server takes at once, or something else that it does not like about them."""


class _Passing(Exception):
    """A failure that may be gone in a moment."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


def price_of(vendor: Any, model: str) -> dict[str, Any]:
    """Look a model up in litellm's bundled list; empty if it is not there."""
    prices: dict[str, dict[str, Any]] = vendor.model_cost
    return prices.get(model) or prices.get(model.partition("/")[2]) or {}


def _prepare(text: str, query: bool, prefixes: Any) -> str:
    """Return a text as it is sent; providers refuse an empty one."""
    return (prefixes.query if query else prefixes.document) + (text if text.strip() else "-")
