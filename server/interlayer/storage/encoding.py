"""How every item store writes a body, and the limits that every one of them enforces."""

import json
from collections.abc import Sequence
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.storage.items import (
    ITEM_BYTES_MAX,
    TRANSACT_BYTES_MAX,
    TRANSACT_OPERATIONS_MAX,
    Key,
    Operation,
    Put,
)

PARTITION_BYTES_MAX: Final = 2_048
SORT_BYTES_MAX: Final = 1_024


def encode(operations: Sequence[Operation]) -> list[bytes | None]:
    """Return the compact JSON of every put, None for the rest. Raises `InvalidInput` for what no store may take."""
    bodies = [_encode(operation) for operation in operations]
    _check_limits(operations, bodies)
    return bodies


def fits(key: Key) -> bool:
    """Tell whether an item can have this key. Raises `InvalidInput` for half a character."""
    try:
        partition, sort = len(key.partition.encode()), len(key.sort.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput("key", "half of a surrogate pair.", "Send valid Unicode.") from error
    return 0 < partition <= PARTITION_BYTES_MAX and 0 < sort <= SORT_BYTES_MAX


def _encode(operation: Operation) -> bytes | None:
    if not isinstance(operation, Put):
        return None
    try:
        return json.dumps(operation.body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("item", "a text with half of a surrogate pair.", "Send valid Unicode.") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("item", f"not JSON: {error}.") from error


def _check_limits(operations: Sequence[Operation], bodies: Sequence[bytes | None]) -> None:
    if len(operations) > TRANSACT_OPERATIONS_MAX:
        raise InvalidInput("transaction", f"{len(operations)} operations, {TRANSACT_OPERATIONS_MAX} is the limit.")
    if len({operation.key for operation in operations}) < len(operations):
        raise InvalidInput("transaction", "two operations on one key.")
    for operation in operations:
        if not fits(operation.key):
            limits = f"{PARTITION_BYTES_MAX} and {SORT_BYTES_MAX} bytes"
            raise InvalidInput("key", f"empty or too long: {operation.key.partition[:80]!r}; {limits} are the limit.")
    sizes = [len(body) for body in bodies if body is not None]
    if max(sizes, default=0) > ITEM_BYTES_MAX:
        raise InvalidInput("item", f"{max(sizes)} bytes, {ITEM_BYTES_MAX} is the limit.")
    if sum(sizes) > TRANSACT_BYTES_MAX:
        raise InvalidInput("transaction", f"{sum(sizes)} bytes, {TRANSACT_BYTES_MAX} is the limit.")
