"""The chat port: a question with a JSON schema, answered by the first of several models that can.

Each model is asked in the strictest form that it takes (`structured.FORMS`), and what it takes is remembered. An answer
that is not in form is shown to the model with its mistake, once; after that what is in form of both counts, if anything
is. An answer that ended at the limit of tokens is not asked for again in the same words: that would end there too. What
is busy or down is tried again after the wait that it asks for; then the next model is asked.
"""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Generic, Protocol, TypeVar

import anyio

from interlayer.errors import Unavailable
from interlayer.models.structured import FORMS, NotInForm, parsed, repair, response_format, told, whole_objects
from interlayer.models.vendor import Call, Message, Passing, Reply, Unsupported, complete, price

_FIRST_WAIT_S: Final = 0.5
_TOKENS_A_BYTE: Final = 0.4  # a prompt is estimated on the high side: English has 0.25 tokens a byte, JSON 0.35

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Which models are asked, first come first, and how patiently. `rate` is requests a minute, 0 without limit.

    `passage` is how many characters one request asks about, `output_tokens` how long its answer may be; models that
    think before they answer spend from it too.
    """

    models: tuple[str, ...] = ()
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 45.0
    retries: int = 2
    passage: int = 12_000  # some 3,000 tokens, of which a model overlooks little
    output_tokens: int = 8_192
    rate: int = 0
    daily_tokens: int = 0
    daily_cost: float = 0.0

    @property
    def name(self) -> str:
        """What answers call the models together."""
        return self.models[0] if self.models else "none"


def _nothing(objects: Sequence[Any]) -> Any:
    _ = objects


def _later(first: Any, second: Any) -> Any:
    _ = first
    return second


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked. `read` makes the answer's JSON into a value, and raises `NotInForm` with the mistake.

    `gather` makes a value of the objects that can be read of an answer that is no JSON as a whole, None if that is
    nothing. `join` puts what was usable of a first answer beside a second one. The schema may have bounds; a model that
    takes none is asked without them.
    """

    system: str
    user: str
    name: str
    schema: Mapping[str, Any]
    read: Callable[[Any], T]
    gather: Callable[[Sequence[Any]], T | None] = _nothing
    join: Callable[[T, T], T] = _later


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


class CutShort(Unavailable):
    """An answer ended at the limit of tokens. `whole` is what was in form before that, None if nothing was."""

    def __init__(self, model: str, whole: Any) -> None:
        super().__init__(f"{model}: its answer ended at the limit of tokens before it was complete")
        self.model = model
        self.whole = whole


class Chat:
    """Asks. Raises `Unavailable` when no model gives an answer in form; the reason names what each of them did.

    It is `CutShort` when that was all that was wrong with an answer: less may be asked for.
    """

    def __init__(self, settings: ChatSettings, meter: Meter) -> None:
        self._settings = settings
        self._meter = meter
        self._pace = _pace(settings.api_base, settings.models, settings.rate)

    async def ask(self, question: Question[T]) -> tuple[T, str]:
        """Return the answer and the model that gave it."""
        problems: list[str] = []
        cut: CutShort | None = None
        for at, model in enumerate(self._settings.models):
            share_s = _share_s(len(self._settings.models) - at)
            try:
                with anyio.fail_after(share_s):
                    return await self._ask(model, question), model
            except OverBudget:
                raise
            except TimeoutError:
                problems.append(f"{model}: no answer within {share_s:.3g} s")
            except Unavailable as error:
                problems.append(str(error))
                cut = error if cut is None and isinstance(error, CutShort) else cut
                logger.info("%s gave no answer: %s", model, error)
        if cut:
            raise cut
        raise Unavailable("; ".join(problems) or "no model is configured.")

    async def _ask(self, model: str, question: Question[T]) -> T:
        """Ask in the strictest form that the model takes."""
        place = (model, self._settings.api_base or "")
        problem: Unavailable = Unavailable(f"{model}: no form of response is taken.")
        for form in FORMS[FORMS.index(_taken.get(place, FORMS[0])) :]:
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
            return _value(model, question, answer)
        except NotInForm as mistake:
            again = [*first, *repair(answer.text, str(mistake))]
            usable = mistake.usable
        try:
            answer = await self._answer(model, again, question, form)
            return _joined(question, usable, _value(model, question, answer))
        except CutShort as cut:
            raise CutShort(model, _joined(question, usable, cut.whole)) from cut
        except NotInForm as mistake:
            value = _joined(question, usable, mistake.usable)
            if value is None:
                raise Unavailable(f"{model}: its answer is not in form: {mistake}") from mistake
            return value
        except Unavailable:
            if usable is None:
                raise
            return usable

    async def _answer(self, model: str, messages: Sequence[Message], question: Question[T], form: str) -> Reply:
        settings = self._settings
        call = Call(
            model=model,
            messages=messages,
            response_format=response_format(question.name, question.schema, form),
            timeout_s=settings.timeout_s,
            output_tokens=settings.output_tokens,
            api_base=settings.api_base,
            api_key=settings.api_key,
        )
        reply = await self._patiently(call)
        if reply.cut and not reply.refused and not reply.text.strip():
            raise CutShort(model, None)  # it spent its tokens on thinking
        if reply.refused or not reply.text.strip():
            raise Unavailable(f"{model}: it refused: {reply.refused or 'an empty answer'}")
        return reply

    async def _patiently(self, call: Call) -> Reply:
        """Call, and again after a while if the provider is busy or down for the moment."""
        wait = _FIRST_WAIT_S
        for left in range(self._settings.retries, -1, -1):
            await anyio.sleep(self._pace.wait_s(anyio.current_time()))
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


def _share_s(models: int) -> float | None:
    """Return how long the first of so many models may take of the time that is left, None for all of it.

    A model that hangs leaves time for those that are asked when it does not answer.
    """
    left_s = anyio.current_effective_deadline() - anyio.current_time()
    return left_s / models if models > 1 and left_s != math.inf else None


def _value(model: str, question: Question[T], answer: Reply) -> T:
    """Read an answer. Raises `NotInForm`, and `CutShort` where its end is missing."""
    try:
        return question.read(parsed(answer.text))
    except NotInForm as mistake:
        usable = mistake.usable
        if usable is None:
            usable = question.gather(whole_objects(answer.text))
        raise CutShort(model, usable) if answer.cut else NotInForm(str(mistake), usable) from mistake


def _joined(question: Question[T], first: T | None, second: T | None) -> Any:
    """Put what was usable of a first answer beside what is of the second, None if neither was."""
    if first is None or second is None:
        return first if second is None else second
    return question.join(first, second)


class OverBudget(Unavailable):
    """The budget of the day does not hold another call; it is no use to ask another model."""


_taken: dict[tuple[str, str], str] = {}
"""The form that a model at an address was last found to take, as long as the process lives."""


class Pace:
    """Spreads requests over the minute: `rate` of them, 0 without limit."""

    def __init__(self, rate: int) -> None:
        self._between_s = 60 / rate if rate else 0.0
        self._turn = 0.0

    def wait_s(self, now: float) -> float:
        """Return for how long a request that is wanted now has to wait, and give it that turn."""
        mine = max(self._turn, now)
        self._turn = mine + self._between_s
        return mine - now


@lru_cache(maxsize=64)
def _pace(api_base: str | None, models: tuple[str, ...], rate: int) -> Pace:
    """Return the pace of this process, which all who use the same models share."""
    _ = api_base, models
    return Pace(rate)


def with_models(settings: ChatSettings, models: Sequence[str], api_base: str | None) -> ChatSettings:
    """Return the settings with other models at another address."""
    return replace(settings, models=tuple(models), api_base=api_base)
