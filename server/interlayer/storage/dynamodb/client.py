"""Calls of the DynamoDB API: one shared client, bounded waiting, and retries with jitter.

The client retries nothing by itself. So every attempt is ours: it is known which call may have been applied although
its answer was lost, and an unreachable store is an error within a bounded time.
"""

import logging
import random
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import anyio
import anyio.to_thread

from interlayer.errors import InvalidInput, Unavailable

SETTING: Final = "INTERLAYER_STORE"
_EXAMPLE: Final = "Write dynamodb://TABLE_PREFIX?region=eu-central-1, or sqlite."
_PREFIX_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_PREFIX_MAX: Final = 200
_PARAMETERS: Final = ("region", "endpoint_url")

_AT_ONCE: Final = 16  # threads, and connections: beyond that a process gains nothing and botocore throws them away
_FIRST_DELAY_S: Final = 0.05
_LONGEST_DELAY_S: Final = 1.5
_TROUBLED_S: Final = 5.0
_AGAIN: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "ThrottledException",
        "Throttling",
        "RequestLimitExceeded",
        "RequestThrottled",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
        "InternalServerError",
        "ServiceUnavailable",
    }
)
_REMEDIES: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "the table is not there: run `interlayer store create`, or mend INTERLAYER_STORE",
    "AccessDeniedException": "access is denied: see docs/dynamodb.md for the rights that the role needs",
    "UnrecognizedClientException": "the AWS credentials are not valid",
    "InvalidSignatureException": "the AWS credentials are not valid, or this machine's clock is wrong",
    "ExpiredTokenException": "the AWS credentials have expired",
}
_KEY_REMEDY: Final = "the KMS key of the tables cannot be used: see docs/operating-in-aws.md, Three in the morning"
_KEY_REFUSED: Final = "KMSKeyRefused"  # a code of ours: a right of the role is not what lacks

logger = logging.getLogger(__name__)
_opening: Final = threading.Lock()  # a session, unlike a client, is not for several threads at once


@dataclass(frozen=True, slots=True)
class Place:
    """Where the three tables are: what their names begin with, the region and the endpoint (None: as AWS says)."""

    prefix: str
    region: str | None = None
    endpoint_url: str | None = None

    def table(self, name: str) -> str:
        """Return the name of one of the tables."""
        return f"{self.prefix}-{name}"

    def __str__(self) -> str:
        return f"dynamodb://{self.prefix}" + (f" in {self.region}" if self.region else "")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for an answer, and altogether before no further attempt."""

    connect_s: float = 2.0
    answer_s: float = 4.0
    altogether_s: float = 6.0


def parse_place(url: str) -> Place:
    """Return the place that `dynamodb://TABLE_PREFIX?region=...&endpoint_url=...` names. Raises `InvalidInput`."""
    parts = urlsplit(url)
    prefix = parts.netloc
    if parts.scheme != "dynamodb" or parts.path.strip("/") or parts.fragment:
        raise InvalidInput(SETTING, f"{url[:80]!r} is no store.", _EXAMPLE)
    if not 0 < len(prefix) <= _PREFIX_MAX or not _PREFIX_LETTERS.issuperset(prefix):
        raise InvalidInput(SETTING, f"{prefix[:80]!r} cannot begin the name of a table.", "Letters, digits, _ . and -.")
    given = parse_qsl(parts.query, keep_blank_values=True)
    parameters = dict(given)
    unknown = next((name for name in parameters if name not in _PARAMETERS), None)
    if unknown is not None:
        raise InvalidInput(SETTING, f"unknown parameter {unknown[:40]!r}.", f"Known: {', '.join(_PARAMETERS)}.")
    if len(given) > len(parameters) or not all(parameters.values()):
        raise InvalidInput(SETTING, "a parameter is empty or given twice.", _EXAMPLE)
    endpoint = parameters.get("endpoint_url")
    if endpoint is not None and not (urlsplit(endpoint).scheme in ("http", "https") and urlsplit(endpoint).hostname):
        raise InvalidInput(SETTING, f"endpoint_url {endpoint[:80]!r} is no address.", "Write http://HOST:PORT.")
    return Place(prefix, parameters.get("region"), endpoint)


class CallFailed(Exception):
    """The service refused a call for good: the caller knows what that means for its operation."""

    def __init__(self, code: str, message: str, reasons: list[dict[str, Any]]) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.reasons = reasons
        """Of a cancelled transaction: one reason an operation."""


class ServiceRefused(Unavailable):
    """The service refuses any call like this until an operator mends something; `aws_code` says what.

    Who raises it again in other words need not know that it is one.
    """

    def __init__(self, message: str, aws_code: str = "") -> None:
        super().__init__(message)
        self.aws_code = aws_code


class DynamoCalls:
    """Makes calls from async code, in threads. Safe for any number of concurrent tasks."""

    def __init__(self, place: Place, patience: Patience) -> None:
        self.place = place
        self._patience = patience
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        self._making = threading.Lock()
        self._client: Any = None
        self._closed = False
        self._troubled_until = 0.0

    async def call(self, operation: str, *, is_write: bool = False, **parameters: Any) -> dict[str, Any]:
        """Return the answer of an API operation, such as `get_item`.

        Raises `Unavailable` when no attempt got through in time, and `CallFailed` for what another attempt would not
        change. A write that is tried again must be harmless when it was applied before.
        """
        # What just could not be reached is asked once and no more, so that whoever can do without it is told at once.
        begun = time.monotonic()
        until = begun if begun < self._troubled_until else begun + self._patience.altogether_s
        delay = _FIRST_DELAY_S
        while True:
            try:
                answer = await anyio.to_thread.run_sync(
                    self._attempt, operation, parameters, abandon_on_cancel=not is_write, limiter=self._limiter
                )
            except _Again as failure:
                pause = random.uniform(0.1, 1.0) * delay  # noqa: S311 - jitter, so that callers do not come back at once
                if time.monotonic() + pause > until:
                    if failure.is_unreachable:
                        self._troubled_until = time.monotonic() + _TROUBLED_S
                    told = "a write may have been applied all the same; " if is_write and failure.is_unreachable else ""
                    raise Unavailable(f"{self.place}: {failure}; {told}the same call may succeed later.") from failure
                logger.info("%s: %s; trying again", operation, failure)
                await anyio.sleep(pause)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            else:
                self._troubled_until = 0.0
                return answer

    async def close(self) -> None:
        """Close the connections; idempotent. Later calls raise `Unavailable`."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await anyio.to_thread.run_sync(client.close)

    def _attempt(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
        from botocore.parsers import ResponseParserError

        try:
            return getattr(self._opened(), operation)(**parameters)
        except ClientError as error:
            raise _failure(self.place, error.response) from error
        except (HTTPClientError, ResponseParserError) as error:
            raise _Again(_first_line(error), is_unreachable=True) from error
        except NoCredentialsError as error:
            raise Unavailable(
                f"{self.place}: no AWS credentials were found. Set them as for any AWS program."
            ) from error
        except BotoCoreError as error:
            raise Unavailable(f"{self.place}: {_first_line(error)}.") from error

    def _opened(self) -> Any:
        with self._making:
            if self._closed:
                raise Unavailable(f"{self.place}: closed")
            if self._client is None:
                self._client = open_client(self.place, self._patience)
            return self._client


def open_client(place: Place, patience: Patience, service: str = "dynamodb") -> Any:
    """Return a client of the AWS SDK that tries every call once. Credentials come from the usual chain."""
    from botocore.config import Config

    config = Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.answer_s,
        max_pool_connections=_AT_ONCE,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    with _opening:
        client = _session().client(service, region_name=place.region, endpoint_url=place.endpoint_url, config=config)
    client.meta.events.register(f"response-received.{service}", _verify)
    return client


@cache
def _session() -> Any:
    """Return the one session of the process: it holds the description of the services, which is slow to read."""
    from boto3.session import Session

    return Session()


def _verify(response_dict: Mapping[str, Any] | None, **_: Any) -> None:
    """Let no success count that is not the service's own: the SDK reads a stranger's page as an empty answer."""
    from botocore.parsers import ResponseParserError

    if response_dict is None or response_dict["status_code"] != 200:
        return
    headers = response_dict["headers"]
    if not str(headers.get("content-type", "")).startswith("application/x-amz-json"):
        raise ResponseParserError("somebody else answered in the place of DynamoDB")
    checksum = None if headers.get("content-encoding") else headers.get("x-amz-crc32")
    if checksum is not None and int(checksum) != zlib.crc32(response_dict["body"]):
        raise ResponseParserError("the answer was changed on the way")


class _Again(Exception):
    """An attempt failed in a way that the next may not."""

    def __init__(self, message: str, *, is_unreachable: bool = False) -> None:
        super().__init__(message)
        self.is_unreachable = is_unreachable


def _failure(place: Place, response: Mapping[str, Any]) -> Exception:
    """Tell what a refusal of the service means: try again, tell the operator, or let the caller decide."""
    error: Mapping[str, Any] = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])
    causes = {str(reason.get("Code")) for reason in reasons} - {"None"}
    if causes:
        if "ConditionalCheckFailed" in causes or "ValidationError" in causes:
            return CallFailed(code, message, reasons)
        return _Again(", ".join(sorted(causes)))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _AGAIN or status >= 500 or status == 429:
        return _Again(f"{code or status} {message}".strip(), is_unreachable=status in (502, 503, 504))
    if message.startswith("KMS "):  # under the code of a right that lacks, or another
        return ServiceRefused(f"{place}: {_KEY_REMEDY} ({message}).", _KEY_REFUSED)
    if code in _REMEDIES:
        return ServiceRefused(f"{place}: {_REMEDIES[code]} ({message}).", code)
    return CallFailed(code, message, reasons)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:300]
