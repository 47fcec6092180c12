"""The item store on DynamoDB: three tables, strongly consistent reads, one transaction a write.

An item has the attributes `p` and `s` (partition and sort key), `v` (version), `b` (the body as JSON) or `z` (the same,
compressed), and `ttl` (when it expires). A transaction carries a token: sent again after its answer was lost, it is
answered as it was the first time, and not applied twice. That is why a single write is a transaction as well, although
it costs twice as much. docs/dynamodb.md lists the access patterns and what they cost.
"""

import json
import math
import random
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final, cast, get_args
from uuid import uuid4

import anyio

from interlayer.errors import Corrupt, Unavailable
from interlayer.storage.dynamodb.client import CallFailed, DynamoCalls, Patience, Place
from interlayer.storage.encoding import encode, fits
from interlayer.storage.items import (
    EVERYTHING,
    LAST,
    Delete,
    Item,
    Key,
    Operation,
    Page,
    Put,
    Span,
    Table,
    VersionConflict,
)

_BATCH_KEYS: Final = 100
_BATCHES_AT_ONCE: Final = 4
_BATCH_ATTEMPTS: Final = 12
_COMPRESSED_FROM: Final = 1_024  # bytes: one unit of writing; below that there is nothing to save
_LIVE: Final = "(attribute_not_exists(#t) OR #t > :now)"
_GONE: Final = "(attribute_not_exists(p) OR #t <= :now)"


class DynamoItems:
    """`ItemStore` on the tables of a place. `now_s` gives seconds since 1970, for expiry."""

    def __init__(self, place: Place, now_s: Callable[[], float] = time.time, patience: Patience | None = None) -> None:
        self._place = place
        self._now_s = now_s
        self._calls = DynamoCalls(place, patience or Patience())
        self._names: Mapping[str, Table] = {place.table(table): table for table in get_args(Table)}

    async def get(self, key: Key) -> Item | None:
        """Return the item, or None."""
        if not fits(key):
            return None
        answer = await self._call(
            "get_item", TableName=self._place.table(key.table), Key=_address(key), ConsistentRead=True
        )
        return self._live(key.table, answer["Item"]) if "Item" in answer else None

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return those of the items that exist."""
        wanted = [key for key in dict.fromkeys(keys) if fits(key)]
        found: dict[Key, Item] = {}
        limiter = anyio.CapacityLimiter(_BATCHES_AT_ONCE)

        async def read(batch: Sequence[Key]) -> None:
            async with limiter:
                found.update(await self._batch(batch))

        if len(wanted) <= _BATCH_KEYS:  # no task group: an error comes as it is
            return await self._batch(wanted)
        try:
            async with anyio.create_task_group() as group:
                for first in range(0, len(wanted), _BATCH_KEYS):
                    group.start_soon(read, wanted[first : first + _BATCH_KEYS])
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return found

    async def query(
        self,
        table: Table,
        partition: str,
        span: Span = EVERYTHING,
        *,
        reverse: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """Return items of a partition in sort order."""
        start, end = span.start, span.end
        if cursor is not None:
            start, end = (start, min(end, cursor)) if reverse else (max(start, cursor), end)
        if not fits(Key(table, partition, start or "-")) or start >= end:
            fits(Key(table, partition, end))
            return Page([])
        request: dict[str, Any] = {
            "TableName": self._place.table(table),
            "ConsistentRead": True,
            "ScanIndexForward": not reverse,
            **_condition(partition, start, end),
        }
        # Both edges of a range are included there: what does not belong to it is left out here. One more than asked
        # for tells whether there is another page.
        if limit is not None:
            request["Limit"] = limit + 1 + (cursor is not None) + (end != LAST)
        found: list[Item] = []
        while True:
            answer = await self._call("query", **request)
            for attributes in answer["Items"]:
                item = self._live(table, attributes)
                if item and item.key.sort != (None if reverse else cursor) and item.key.sort < end:
                    found.append(item)
            after = answer.get("LastEvaluatedKey")
            if after is None or (limit is not None and len(found) > limit):
                break
            request["ExclusiveStartKey"] = after
        more = limit is not None and len(found) > limit
        items = found[:limit] if more else found
        return Page(items, items[-1].key.sort if more and items else None)

    async def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        """Yield every item of every partition that begins with `prefix`.

        It reads, and pays for, the whole table with all organizations in it, and is not one moment's state: take copies
        while nobody writes, or of a table restored to a point in time.
        """
        request: dict[str, Any] = {
            "TableName": self._place.table(table),
            "ConsistentRead": True,
            "FilterExpression": "begins_with(p, :prefix)",
            "ExpressionAttributeValues": {":prefix": {"S": prefix}},
        }
        if not prefix:
            del request["FilterExpression"], request["ExpressionAttributeValues"]
        while True:
            answer = await self._call("scan", **request)
            for attributes in answer["Items"]:
                item = self._live(table, attributes, with_expiry=True)
                if item:
                    yield item
            after = answer.get("LastEvaluatedKey")
            if after is None:
                return
            request["ExclusiveStartKey"] = after

    async def transact(self, operations: Sequence[Operation]) -> None:
        """Apply all operations or none."""
        bodies = encode(operations)
        if not operations:
            return
        now = {"N": str(math.floor(self._now_s()))}
        items = [self._write(operation, body, now) for operation, body in zip(operations, bodies, strict=True)]
        try:
            await self._call("transact_write_items", is_write=True, TransactItems=items, ClientRequestToken=uuid4().hex)
        except CallFailed as failure:
            failed = [
                operation.key
                for operation, reason in zip(operations, failure.reasons, strict=False)
                if reason.get("Code") == "ConditionalCheckFailed"
            ]
            if failed:
                raise VersionConflict(failed) from failure
            raise Unavailable(f"{self._place}: the transaction was refused: {failure}") from failure

    async def note(self, put: Put) -> None:
        """Write one item; the service keeps it as safe as any other."""
        await self.transact([put])

    async def purge(self, until_s: float | None = None) -> int:  # noqa: ARG002
        """Do nothing: DynamoDB deletes what has expired by itself, within days, and nothing shows it meanwhile."""
        return 0

    async def scrub(self) -> None:
        """Do nothing: a deleted item cannot be read from the table.

        Copies in point-in-time recovery last as long as its window (35 days unless shortened), those in the stream a
        day, and backups until they are deleted: AWS rules these, and docs/dynamodb.md says how to shorten them.
        """

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._calls.close()

    async def _call(self, operation: str, *, is_write: bool = False, **parameters: Any) -> dict[str, Any]:
        try:
            return await self._calls.call(operation, is_write=is_write, **parameters)
        except CallFailed as failure:
            if is_write:
                raise
            raise Unavailable(f"{self._place}: {operation}: {failure}") from failure

    async def _batch(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return the items of at most 100 keys; what the service leaves out is asked for again, ever more slowly."""
        wanted: dict[str, Any] = {}
        for key in keys:
            place = wanted.setdefault(self._place.table(key.table), {"Keys": [], "ConsistentRead": True})
            place["Keys"].append(_address(key))
        found: dict[Key, Item] = {}
        for attempt in range(_BATCH_ATTEMPTS):
            if not wanted:
                return found
            if attempt:
                await anyio.sleep(random.uniform(0.5, 1.0) * min(0.03 * 2**attempt, 1.5))  # noqa: S311 - jitter
            answer = await self._call("batch_get_item", RequestItems=wanted)
            for name, returned in answer["Responses"].items():
                for attributes in returned:
                    item = self._live(self._names[name], attributes)
                    if item:
                        found[item.key] = item
            wanted = answer.get("UnprocessedKeys") or {}
        raise Unavailable(f"{self._place}: too busy to return all items asked for; the same call may succeed later.")

    def _write(self, operation: Operation, body: bytes | None, now: Mapping[str, str]) -> dict[str, Any]:
        """Return an operation as the API takes it, with what it expects as its condition."""
        entry: dict[str, Any] = {"TableName": self._place.table(operation.key.table), **_expectation(operation, now)}
        if isinstance(operation, Put) and body is not None:
            version = time.time_ns() if operation.expect is None else operation.expect + 1
            attributes = {**_address(operation.key), "v": {"N": str(version)}, **_pack(body)}
            if operation.expires_at is not None:
                attributes["ttl"] = {"N": str(operation.expires_at)}
            return {"Put": {**entry, "Item": attributes}}
        entry["Key"] = _address(operation.key)
        return {"Delete" if isinstance(operation, Delete) else "ConditionCheck": entry}

    def _live(self, table: Table, attributes: Mapping[str, Any], *, with_expiry: bool = False) -> Item | None:
        """Return the item of stored attributes, None when it has expired. Raises `Corrupt`."""
        try:
            key = Key(table, attributes["p"]["S"], attributes["s"]["S"])
            expires_at = int(attributes["ttl"]["N"]) if "ttl" in attributes else None
            if expires_at is not None and expires_at <= self._now_s():
                return None
            packed = attributes["z"]["B"] if "z" in attributes else None
            body = json.loads(zlib.decompress(cast("bytes", packed)) if packed is not None else attributes["b"]["S"])
            return Item(key, int(attributes["v"]["N"]), body, expires_at if with_expiry else None)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            where = f"{self._place.table(table)}: {attributes.get('p')}, {attributes.get('s')}"
            raise Corrupt(
                f"{where}: {error!r}. Restore the table to a point in time before that, or import an export."
            ) from error


def _address(key: Key) -> dict[str, Any]:
    return {"p": {"S": key.partition}, "s": {"S": key.sort}}


def _pack(body: bytes) -> dict[str, Any]:
    """Return the attribute that holds a body: compressed where that makes it smaller, for it is paid by size."""
    if len(body) >= _COMPRESSED_FROM:
        packed = zlib.compress(body, 6)
        if len(packed) < len(body):
            return {"z": {"B": packed}}
    return {"b": {"S": body.decode()}}


def _expectation(operation: Operation, now: Mapping[str, str]) -> dict[str, Any]:
    if operation.expect is None:
        return {}
    if operation.expect == 0:
        condition, values = _GONE, {":now": now}
    else:
        condition, values = f"v = :v AND {_LIVE}", {":now": now, ":v": {"N": str(operation.expect)}}
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#t": "ttl"},  # a reserved word
        "ExpressionAttributeValues": values,
    }


def _condition(partition: str, start: str, end: str) -> dict[str, Any]:
    """Return the condition on the keys of a query: nothing but one comparison or BETWEEN is possible on a sort key."""
    values = {":p": {"S": partition}}
    condition = "p = :p"
    if start and end != LAST:
        condition += " AND s BETWEEN :start AND :end"
    elif start:
        condition += " AND s >= :start"
    elif end != LAST:
        condition += " AND s < :end"
    if ":start" in condition:
        values[":start"] = {"S": start}
    if ":end" in condition:
        values[":end"] = {"S": end}
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
