"""The DynamoDB tables: made and mended as `tables.json` describes them, and checked.

`tables.json` is the one description: deployments read it too.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import anyio

from interlayer.errors import InterlayerError, Refused, Unavailable
from interlayer.storage.dynamodb.client import CallFailed, DynamoCalls, Patience, Place, ServiceRefused

_ACTIVE_WITHIN_S: Final = 300.0
_UNKNOWN: Final = ("UnknownOperationException", "UnsupportedOperationException", "InvalidAction")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator chooses at creation: the key that encrypts (None: one that AWS owns), and what is left off."""

    kms_key: str | None = None
    protected: bool = True
    recoverable: bool = True


@dataclass(frozen=True, slots=True)
class TableState:
    """One table as it was found: well, or what is wrong with it."""

    name: str
    ok: bool
    detail: str


def description() -> Mapping[str, Any]:
    """Read `tables.json`."""
    return json.loads(
        resources.files("interlayer.storage.dynamodb").joinpath("tables.json").read_text(encoding="utf-8")
    )


async def create_tables(place: Place, wish: Wish, say: Say) -> None:
    """Make the tables that are missing and mend the settings of those that are there; idempotent.

    Raises `Refused` for a table of that name with other keys, `Unavailable` when AWS cannot be reached or says no.
    """
    calls = DynamoCalls(place, Patience())
    described = description()
    try:
        for name, table in described["tables"].items():
            await _Maker(calls, place.table(name), described, table, wish, say).make()
    except CallFailed as failure:
        raise Unavailable(f"{place}: {failure}") from failure
    finally:
        await calls.close()


async def check_tables(place: Place, organization: str) -> list[TableState]:
    """Return how each table is: keys, expiry, recovery, stream, and what the present role may do. Writes nothing.

    What it may do is tried on a partition of the organization: a role may have rights on no other.
    """
    calls = DynamoCalls(place, Patience())
    described = description()
    states: list[TableState] = []
    try:
        for name, table in described["tables"].items():
            full = place.table(name)
            try:
                states.append(await _check(calls, full, described, table, organization))
            except (InterlayerError, CallFailed) as failure:
                states.append(TableState(full, ok=False, detail=str(failure)))
    finally:
        await calls.close()
    return states


@dataclass(slots=True)
class _Maker:
    """Brings one table into the described state."""

    calls: DynamoCalls
    name: str
    described: Mapping[str, Any]
    table: Mapping[str, Any]
    wish: Wish
    say: Say

    async def make(self) -> None:
        found = await _describe(self.calls, self.name)
        if found is None:
            self.say(f"{self.name}: creating")
            await self.calls.call("create_table", **self._creation())
            found = await self._active()
        elif _keys(found) != (self.described["partition_key"], self.described["sort_key"]):
            raise Refused(f"{self.name}: a table of that name has other keys. Choose another TABLE_PREFIX.")
        else:
            self.say(f"{self.name}: is there already")
            await self._mend(found)
        await self._expiry()
        if self.described["point_in_time_recovery"] and self.wish.recoverable:
            await self._recovery()
        self.say(f"{self.name}: ready")

    def _creation(self) -> dict[str, Any]:
        keys = {"HASH": self.described["partition_key"], "RANGE": self.described["sort_key"]}
        kind = self.described["key_type"]
        request: dict[str, Any] = {
            "TableName": self.name,
            "BillingMode": self.described["billing_mode"],
            "KeySchema": [{"AttributeName": name, "KeyType": role} for role, name in keys.items()],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name in keys.values()],
            "DeletionProtectionEnabled": self.described["deletion_protection"] and self.wish.protected,
        }
        if self.wish.kms_key:
            request["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": self.wish.kms_key}
        return request | self._stream()

    def _stream(self) -> dict[str, Any]:
        view = self.table["stream_view_type"]
        return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}

    async def _active(self) -> Mapping[str, Any]:
        deadline = time.monotonic() + _ACTIVE_WITHIN_S
        pause = 0.05
        while True:
            found = await _describe(self.calls, self.name)
            if found and found["TableStatus"] == "ACTIVE":
                return found
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.name}: not active after {_ACTIVE_WITHIN_S:.0f} s; run the command again.")
            await anyio.sleep(pause)
            pause = min(pause * 2, 3.0)

    async def _mend(self, found: Mapping[str, Any]) -> None:
        """Change what differs, one setting a call: DynamoDB takes no more at once."""
        changes: list[dict[str, Any]] = []
        if self.table["stream_view_type"] and not found.get("StreamSpecification", {}).get("StreamEnabled"):
            changes.append(self._stream())
        if self.described["deletion_protection"] and self.wish.protected and not found.get("DeletionProtectionEnabled"):
            changes.append({"DeletionProtectionEnabled": True})
        key = self.wish.kms_key
        if key and key != found.get("SSEDescription", {}).get("KMSMasterKeyArn"):
            changes.append({"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}})
        for change in changes:
            self.say(f"{self.name}: setting {', '.join(change)}")
            await self._active()
            await self.calls.call("update_table", TableName=self.name, **change)
        await self._active()

    async def _expiry(self) -> None:
        found = await self.calls.call("describe_time_to_live", TableName=self.name)
        if found["TimeToLiveDescription"]["TimeToLiveStatus"] in ("ENABLED", "ENABLING"):
            return
        wanted = {"Enabled": True, "AttributeName": self.described["ttl_attribute"]}
        await self.calls.call("update_time_to_live", TableName=self.name, TimeToLiveSpecification=wanted)

    async def _recovery(self) -> None:
        try:
            if await _recoverable(self.calls, self.name):
                return
            wanted = {"PointInTimeRecoveryEnabled": True}
            await self.calls.call(
                "update_continuous_backups", TableName=self.name, PointInTimeRecoverySpecification=wanted
            )
        except CallFailed as failure:
            if failure.code not in _UNKNOWN:
                raise
            self.say(f"{self.name}: this service has no point-in-time recovery")


async def _describe(calls: DynamoCalls, name: str) -> Mapping[str, Any] | None:
    try:
        return (await calls.call("describe_table", TableName=name))["Table"]
    except ServiceRefused as refusal:
        if refusal.aws_code == "ResourceNotFoundException":
            return None
        raise


def _keys(found: Mapping[str, Any]) -> tuple[str | None, str | None]:
    by_role = {key["KeyType"]: str(key["AttributeName"]) for key in found["KeySchema"]}
    return by_role.get("HASH"), by_role.get("RANGE")


async def _recoverable(calls: DynamoCalls, name: str) -> bool:
    found = await calls.call("describe_continuous_backups", TableName=name)
    state = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return state.get("PointInTimeRecoveryStatus") == "ENABLED"


async def _check(
    calls: DynamoCalls, name: str, described: Mapping[str, Any], table: Mapping[str, Any], organization: str
) -> TableState:
    found = await _describe(calls, name)
    if found is None:
        return TableState(name, ok=False, detail="is not there. Run `interlayer store create`.")
    faults = list(_faults(found, described, table))
    notes = [f"{found.get('ItemCount', 0):,} items as of the last count"]
    expiry = (await calls.call("describe_time_to_live", TableName=name))["TimeToLiveDescription"]
    if expiry.get("AttributeName") != described["ttl_attribute"]:
        faults.append("expired items are not deleted: time to live is off")
    try:
        notes.append("recoverable" if await _recoverable(calls, name) else "WITHOUT point-in-time recovery")
    except CallFailed as failure:
        if failure.code not in _UNKNOWN:
            raise
        notes.append("recovery unknown: this service does not tell")
    nobody = {"p": {"S": f"{organization}#probe"}, "s": {"S": "probe"}}
    rights = table["service_may"]
    faults += [f"the role may not {right}" for right in rights if not await _may(calls, name, nobody, right)]
    if faults:
        return TableState(
            name, ok=False, detail="; ".join(faults) + ". Run `interlayer store create`, or mend the role."
        )
    return TableState(name, ok=True, detail=", ".join(notes))


def _faults(found: Mapping[str, Any], described: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[str]:
    if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield f"is {found['TableStatus']}"
    if _keys(found) != (described["partition_key"], described["sort_key"]):
        yield "has other keys"
    stream = found.get("StreamSpecification", {})
    if table["stream_view_type"] and stream.get("StreamEnabled") and stream.get("StreamViewType") == "KEYS_ONLY":
        yield "its stream carries keys only"


async def _may(calls: DynamoCalls, name: str, nobody: Mapping[str, Any], right: str) -> bool:
    """Tell whether the present role has a right, by a call that changes nothing whatever is stored."""
    never = {"ConditionExpression": "attribute_exists(p) AND attribute_not_exists(p)"}
    probes: Mapping[str, tuple[str, dict[str, Any]]] = {
        "GetItem": ("get_item", {"TableName": name, "Key": nobody}),
        "BatchGetItem": ("batch_get_item", {"RequestItems": {name: {"Keys": [nobody]}}}),
        "Query": (
            "query",
            {"TableName": name, "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": nobody["p"]}},
        ),
        "PutItem": ("put_item", {"TableName": name, "Item": nobody, **never}),
        "DeleteItem": ("delete_item", {"TableName": name, "Key": nobody, **never}),
        "ConditionCheckItem": (
            "transact_write_items",
            {"TransactItems": [{"ConditionCheck": {"TableName": name, "Key": nobody, **never}}]},
        ),
    }
    operation, parameters = probes[right]
    try:
        await calls.call(operation, **parameters)
    except CallFailed as failure:
        # The condition cannot hold: to be told so is to be allowed.
        return failure.code in ("ConditionalCheckFailedException", "TransactionCanceledException")
    except ServiceRefused as refusal:
        if refusal.aws_code == "AccessDeniedException":
            return False
        raise
    return True
