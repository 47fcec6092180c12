"""One completion through litellm, and what can go wrong with it in our words. Imported heavily, so only when used.

litellm knows the protocols of some hundred providers and takes API keys from the environment by the names that each
provider uses. It takes 4 s to import. Nothing here fetches anything but the completion: price lists come from the
package, there is no telemetry, and no `.env` of the working folder is read.
"""

import gc
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import anyio.to_thread

from interlayer.errors import Unavailable

Message = Mapping[str, str]
"""`role` (`system`, `user`, `assistant`) and `content`."""

_IMPORTING: Final = Lock()
_TURN_S: Final = 0.0005
_NOT_IN_THIS_FORM: Final = {400, 422}
_PASSING: Final = {408, 409, 425, 429}
_KEYS: Final = {401, 403}


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a provider. `response_format` is as OpenAI has it, or None."""

    model: str
    messages: Sequence[Message]
    response_format: Mapping[str, Any] | None
    timeout_s: float
    output_tokens: int
    api_base: str | None
    api_key: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `refused` says why there is no text; `cut` that it ended at the limit of tokens."""

    text: str
    refused: str
    cut: bool
    tokens: int
    cost: float


class Passing(Unavailable):
    """The provider is busy, down or slow. `wait_s` is what it asks for, None when it says nothing."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Unsupported(Unavailable):
    """The provider does not take the call as it is, such as this form of response."""


async def complete(call: Call) -> Reply:
    """Return the reply. Raises `Passing`, `Unsupported`, or `Unavailable` for what will not pass by itself."""
    vendor = await loaded()
    try:
        answer: Any = await vendor.acompletion(
            model=call.model,
            messages=[dict(one) for one in call.messages],
            response_format=dict(call.response_format) if call.response_format else None,
            timeout=call.timeout_s,
            max_tokens=call.output_tokens,
            max_retries=0,  # how often and when is decided in one place, by `chat`
            api_base=call.api_base,
            api_key=call.api_key,
            drop_params=True,
        )
    except Exception as error:
        raise _in_our_words(call.model, error) from error
    return await _reply(call.model, answer)


async def price(model: str, prompt_tokens: int, output_tokens: int) -> float | None:
    """Price so many tokens in US dollars by the package's price list, None for a model without a price."""
    vendor = await loaded()
    try:
        return float(
            sum(vendor.cost_per_token(model=model, prompt_tokens=prompt_tokens, completion_tokens=output_tokens))
        )
    except Exception:  # noqa: BLE001 - its errors for a model without a price share no base
        return None


async def loaded() -> Any:
    """Return litellm, imported in a thread at the first use. Raises `Unavailable` where it is not installed."""
    return await anyio.to_thread.run_sync(litellm)


def litellm() -> Any:
    """Return litellm, made quiet: it would print to stdout, which belongs to the protocol. Safe from any thread."""
    with _IMPORTING:
        return _imported()


@lru_cache(maxsize=1)
def _imported() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # otherwise it reads a .env file of the working folder
    # Of its own types, which it builds at the first call; nobody can do anything about them.
    warnings.filterwarnings("ignore", message=r".*`ReadOnly` qualifier", category=UserWarning)
    with _beside_calls():
        try:
            module: Any = importlib.import_module("litellm")
        except ImportError as error:
            raise Unavailable("litellm is not installed. Install interlayer[models], or unset the model.") from error
        module.telemetry = False
        module.suppress_debug_info = True
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.setLevel(logging.WARNING)
        # It imports half of itself at its first call: that is done here, in a thread, and without a network.
        module.completion(model="openai/none", messages=[{"role": "user", "content": ""}], mock_response="ready")
    return module


@contextmanager
def _beside_calls() -> Generator[None]:
    """Let calls be answered while a thread imports for seconds.

    They wait for a turn of the interpreter's lock at each step, of 5 ms by default; and a million new objects have
    Python search everything that the process remembers for garbage, 0.2 s at a time, during which nothing else runs.
    """
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_TURN_S)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what was imported stays
        if collects:
            gc.enable()
        sys.setswitchinterval(usual)


async def _reply(model: str, answer: Any) -> Reply:
    choice = answer.choices[0] if getattr(answer, "choices", None) else None
    if choice is None:
        raise Passing(f"{model} sent an answer without a choice.")
    message, finish = choice.message, str(choice.finish_reason or "")
    used = getattr(answer, "usage", None)
    prompt_tokens = int(getattr(used, "prompt_tokens", 0) or 0)
    output_tokens = int(getattr(used, "completion_tokens", 0) or 0)
    refused = str(getattr(message, "refusal", None) or "")
    if finish == "content_filter":
        refused = refused or "content filter"
    text = _said(message)
    cost = await price(model, prompt_tokens, output_tokens)
    return Reply(text, refused, finish == "length", prompt_tokens + output_tokens, cost or 0.0)


def _said(message: Any) -> str:
    """Return the text of a message, which may come as the arguments of a call that nobody offered."""
    if isinstance(message.content, str) and message.content.strip():
        return message.content
    calls = getattr(message, "tool_calls", None) or ()
    return "\n".join(str(one.function.arguments or "") for one in calls if getattr(one, "function", None))


def _in_our_words(model: str, error: Exception) -> Unavailable:
    status = getattr(error, "status_code", None)
    kind = type(error).__name__
    # What a provider says of a key may hold the key, and agents read this.
    said = f"{model}: {kind}: HTTP {status}." if status in _KEYS else f"{model}: {_first_line(error)}"
    if kind == "ContextWindowExceededError":
        return Unavailable(f"{said} Lower INTERLAYER_MODEL_OUTPUT_TOKENS or INTERLAYER_MODEL_PASSAGE.")
    if kind == "UnsupportedParamsError" or status in _NOT_IN_THIS_FORM:
        return Unsupported(said)
    if status in _PASSING or (isinstance(status, int) and status >= 500) or kind in {"Timeout", "APIConnectionError"}:
        return Passing(said, asked_to_wait(error))
    remedy = {
        401: " Check the provider's API key in the environment, or INTERLAYER_MODEL_API_KEY.",
        403: " The key is not allowed to use this model.",
        404: " Check INTERLAYER_MODEL and INTERLAYER_MODEL_API_BASE.",
    }.get(status if isinstance(status, int) else 0, "")
    return Unavailable(f"{said}{remedy}")


def _first_line(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [""])[0]
    for noise in ("litellm.", f"{type(error).__name__}: "):
        while line.startswith(noise):
            line = line.removeprefix(noise)
    return f"{type(error).__name__}: {line[:200]}" if line else type(error).__name__


def asked_to_wait(error: Exception) -> float | None:
    """Return the seconds of Retry-After, which is a number or a date."""
    said = next(filter(None, map(_retry_after, _causes(error))), "")
    try:
        return max(float(said), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(error: BaseException) -> str:
    """Return the header of an error: providers' adapters keep the answer, or only its headers, here or there."""
    answered = getattr(getattr(error, "response", None), "headers", None)
    for headers in (answered, getattr(error, "headers", None), getattr(error, "litellm_response_headers", None)):
        said = (headers or {}).get("retry-after")
        if said:
            return str(said).strip()
    return ""


async def is_known(model: str) -> bool:
    """Return whether the package knows the provider of a model. Raises `Unavailable` where it is not installed."""
    vendor = await loaded()
    try:
        named, *_ = vendor.get_llm_provider(model=model)
    except Exception:  # noqa: BLE001 - its errors share no base
        return False
    return bool(named)
