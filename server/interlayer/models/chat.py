"""The chat port: a question with a JSON schema, answered by the first of several models that can.

Each model is asked in the strictest form that it takes (its own JSON schema mode, its JSON mode, plain text), and what
it takes is remembered. An answer that is not in form is shown to the model with its mistake, once. What is busy or down
is tried again after the wait that it asks for; then the next model is asked.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Generic, Protocol, TypeVar

import anyio

from interlayer.errors import Unavailable
from interlayer.models.structured import NotInForm, parsed, repair, response_format, told
from interlayer.models.vendor import Call, Message, Passing, Reply, Unsupported, complete, price

OUTPUT_TOKENS: Final = 8_192  # models that think before they answer spend from it too
_FORMS: Final = ("json_schema", "json_object", "text")
_FIRST_WAIT_S: Final = 0.5
_TOKENS_A_BYTE: Final = 0.4  # a prompt is estimated on the high side: English has 0.25 tokens a byte, JSON 0.35

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Which models are asked, first come first, and how patiently. `rate` is requests a minute, 0 without limit."""

    models: tuple[str, ...] = ()
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 45.0
    retries: int = 2
    rate: int = 0
    daily_tokens: int = 0
    daily_cost: float = 0.0

    @property
    def name(self) -> str:
        """What answers call the models together."""
        return self.models[0] if self.models else "none"


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked. `read` makes the answer's JSON into a value, and raises `NotInForm` with the mistake."""

    system: str
    user: str
    name: str
    schema: Mapping[str, Any]
    read: Callable[[Any], T]


class Meter(Protocol):
    """Counts what calls cost. Tokens are estimated before a call and settled after it."""

    async def reserve(self, tokens: int, cost: float) -> None:
        """Count ahead. Raises `OverBudget` when the budget of the day does not hold so much."""
        ...

    async def settle(self, tokens: int, cost: float) -> None:
        """Correct what was counted ahead by a difference, which may be negative."""
        ...


class Uncounted:
    """The meter of calls that no budget pays for, such as a probe."""

    async def reserve(self, tokens: int, cost: float) -> None:
        """Count nothing."""

    async def settle(self, tokens: int, cost: float) -> None:
        """Count nothing."""


class Chat:
    """Asks. Raises `Unavailable` when no model gives an answer in form; the reason names what each of them did."""

    def __init__(self, settings: ChatSettings, meter: Meter) -> None:
        self._settings = settings
        self._meter = meter
        self._pace = _pace(settings.api_base, settings.models, settings.rate)

    async def ask(self, question: Question[T]) -> tuple[T, str]:
        """Return the answer and the model that gave it."""
        problems: list[str] = []
        for model in self._settings.models:
            try:
                return await self._ask(model, question), model
            except OverBudget:
                raise
            except Unavailable as error:
                problems.append(str(error))
                logger.info("%s gave no answer: %s", model, error)
        raise Unavailable("; ".join(problems) or "no model is configured.")

    async def _ask(self, model: str, question: Question[T]) -> T:
        """Ask in the strictest form that the model takes."""
        place = (model, self._settings.api_base or "")
        problem: Unavailable = Unavailable(f"{model}: no form of response is taken.")
        for form in _FORMS[_FORMS.index(_taken.get(place, _FORMS[0])) :]:
            try:
                answer = await self._in_form(model, question, form)
            except Unsupported as error:
                problem = error
                continue
            _taken[place] = form
            return answer
        raise problem

    async def _in_form(self, model: str, question: Question[T], form: str) -> T:
        """Ask, and once more with the mistake shown if the answer is not in form."""
        first: list[Message] = [
            {"role": "system", "content": question.system},
            {"role": "user", "content": told(question.user, question.schema, form)},
        ]
        answer = await self._answer(model, first, question, form)
        try:
            return question.read(parsed(answer.text, cut=answer.cut))
        except NotInForm as mistake:
            again = [*first, *repair(answer.text, str(mistake))]
        answer = await self._answer(model, again, question, form)
        try:
            return question.read(parsed(answer.text, cut=answer.cut))
        except NotInForm as mistake:
            raise Unavailable(f"{model}: its answer is not in form: {mistake}") from mistake

    async def _answer(self, model: str, messages: Sequence[Message], question: Question[T], form: str) -> Reply:
        settings = self._settings
        call = Call(
            model=model,
            messages=messages,
            response_format=response_format(question.name, question.schema, form),
            timeout_s=settings.timeout_s,
            output_tokens=OUTPUT_TOKENS,
            api_base=settings.api_base,
            api_key=settings.api_key,
        )
        reply = await self._patiently(call)
        if reply.refused or not reply.text.strip():
            raise Unavailable(f"{model}: it refused: {reply.refused or 'an empty answer'}")
        return reply

    async def _patiently(self, call: Call) -> Reply:
        """Call, and again after a while if the provider is busy or down for the moment."""
        wait = _FIRST_WAIT_S
        for left in range(self._settings.retries, -1, -1):
            await self._pace()
            try:
                return await self._metered(call)
            except Passing as error:
                if not left or (error.wait_s or 0) > self._settings.timeout_s:
                    raise
                await anyio.sleep(wait if error.wait_s is None else error.wait_s)
                wait *= 2
        raise AssertionError

    async def _metered(self, call: Call) -> Reply:
        """Call within the budget: what it may take at most is counted before, and what it took after."""
        prompt = round(len(json.dumps(call.messages, ensure_ascii=False).encode()) * _TOKENS_A_BYTE)
        tokens, cost = prompt + call.output_tokens, 0.0
        if self._settings.daily_cost:
            found = await price(call.model, prompt, call.output_tokens)
            if found is None:
                raise OverBudget(
                    f"{call.model} has no known price, so INTERLAYER_MODEL_DAILY_COST cannot be kept. "
                    "Set INTERLAYER_MODEL_DAILY_TOKENS instead."
                )
            cost = found
        await self._meter.reserve(tokens, cost)
        taken = Reply("", "", cut=False, tokens=0, cost=0.0)
        try:
            taken = await complete(call)
        finally:
            with anyio.CancelScope(shield=True):
                await self._meter.settle(taken.tokens - tokens, taken.cost - cost)
        return taken


class OverBudget(Unavailable):
    """The budget of the day does not hold another call; it is no use to ask another model."""


_taken: dict[tuple[str, str], str] = {}
"""The form that a model at an address was last found to take, as long as the process lives."""


@lru_cache(maxsize=64)
def _pace(api_base: str | None, models: tuple[str, ...], rate: int) -> Callable[[], Awaitable[None]]:
    """Return what waits until this process may make another request; shared by all who use the same models."""
    _ = api_base, models
    turn = 0.0

    async def wait() -> None:
        nonlocal turn
        if not rate:
            return
        now = anyio.current_time()
        mine = max(turn, now)
        turn = mine + 60 / rate
        await anyio.sleep(mine - now)

    return wait


def with_models(settings: ChatSettings, models: Sequence[str], api_base: str | None) -> ChatSettings:
    """Return the settings with other models at another address."""
    return replace(settings, models=tuple(models), api_base=api_base)
