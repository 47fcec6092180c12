"""A vector index on S3, or on a store that speaks its API: where it is, who may go there, and what keeps it safe.

LanceDB commits by conditional PUT, so writers of any number of processes append side by side. What must not run
beside itself (preparing, merging, erasing) holds a lease. Endpoint, region and credentials come from the usual AWS
settings, which boto3 reads; LanceDB is given what boto3 found.
"""

import json
import re
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, Final, TypeVar

import anyio.to_thread

from interlayer.errors import InvalidInput, Refused, Unavailable
from interlayer.storage.aws_errors import code_of, translate
from interlayer.storage.lance.lease import Leases, Register
from interlayer.storage.lance.places import Purpose
from interlayer.storage.lance.registers import DynamoRegister, S3Register

T = TypeVar("T")

_LOCATION: Final = re.compile(
    r"(?P<scheme>s3|s3\+ddb)://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?"
    r"(?:\?ddbTableName=(?P<table>[A-Za-z0-9_.-]{3,255}))?"
)
_HOW: Final = "Write s3://BUCKET/PREFIX, or s3+ddb://BUCKET/PREFIX?ddbTableName=TABLE."
_LEASE: Final = ".lease"
_WAIT_S: Final = 25.0  # for a lease: longer than one that a dead process has left behind
_IN_PROGRESS_S: Final = 600.0  # no write lasts longer; an uncommitted file that is older was left by a dead process
_DELETES: Final = 1_000
_CLIENT: Final = {"connect_timeout": 2, "read_timeout": 5, "max_pool_connections": 8}
# LanceDB's own limits: a request that hangs is given up and tried again before the deadlines of a call have passed.
_LIMITS: Final = {
    "connect_timeout": "2s",
    "timeout": "10s",
    "client_max_retries": "2",
    "client_retry_timeout": "10",
    "download_retry_count": "2",
}


class S3Place:
    """`Place` on S3. Raises `InvalidInput` for what is no location."""

    remedy = "Check the bucket, the endpoint, the credentials and their permissions."
    keeps_writers_out = False
    read_s: float | None = 5.0
    write_s: float | None = 10.0
    fragments_max: int = 16  # each costs a search several requests

    def __init__(self, location: str) -> None:
        found = _LOCATION.fullmatch(location)
        if not found or (found["scheme"] == "s3") == bool(found["table"]):
            raise InvalidInput("INTERLAYER_VECTORS", f"{location[:80]!r} is no place for vectors.", _HOW)
        self.name = location
        self._bucket = str(found["bucket"])
        self._prefix = (found["prefix"] or "").strip("/")
        self._table = found["table"]
        self._leases = Leases()
        self._verified = False

    def uri(self, folder: str) -> str:
        """Return the uri of a folder."""
        scheme, query = ("s3+ddb", f"?ddbTableName={self._table}") if self._table else ("s3", "")
        return f"{scheme}://{self._bucket}/{self._key(folder)}{query}"

    def absent(self, folder: str) -> bool:  # noqa: ARG002
        """Return False: only a request could tell."""
        return False

    async def options(self) -> dict[str, str]:
        """Return endpoint, region and credentials as they are now: those of a role are other ones every hour."""
        return await self._call(self._options)

    async def verify(self) -> None:
        """Put one key twice, once a process: the second has to be refused. Raises `Refused` if it is not."""
        if not self._verified:
            await self._call(self._probe_table if self._table else self._probe)
            self._verified = True

    @asynccontextmanager
    async def lock(self, folder: str, purpose: Purpose) -> AsyncGenerator[None]:
        """Hold the folder's lease for all but additions, which S3 orders. A merge does not wait: it raises `Busy`."""
        if purpose == "add":
            yield
            return
        register = await self._call(self._register, self._key(folder, _LEASE))
        async with self._leases.hold(register, 0.0 if purpose == "merge" else _WAIT_S) as lease:
            yield
            lease.kept()

    async def files(self, folder: str) -> Sequence[str]:
        """Return the keys of the objects of a folder."""
        return await self._call(lambda: [one["Key"] for one in self._objects(folder)])

    async def bury(self, folder: str, before: Sequence[str], ids: Sequence[str]) -> None:
        """Delete noncurrent versions and what dead writers left; the caller holds the lease and has rewritten all.

        What an unfinished write of the last ten minutes has left may belong to one that still goes on: if it holds one
        of the ids, `Unavailable` says so, and a later run deletes it.
        """
        await self._call(self._bury, folder, frozenset(before), [one.encode() for one in ids])

    async def discard(self, folder: str, table: str) -> None:
        """Delete every object of a table in every version, and its commits in the lock table."""
        await self._call(self._discard, self._key(folder, f"{table}.lance"))

    def _key(self, *parts: str) -> str:
        return "/".join(part for part in (self._prefix, *parts) if part)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        def run() -> T:
            with translate(self.name, self.remedy):
                return function(*arguments)

        return await anyio.to_thread.run_sync(run, abandon_on_cancel=True)

    @cached_property
    def _session(self) -> Any:
        import boto3

        return boto3.Session()

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 2}
        return self._session.client(service, config=Config(retries=retries, **_CLIENT))

    @cached_property
    def _s3(self) -> Any:
        return self._client("s3")

    def _register(self, key: str) -> Register:
        if self._table:
            return DynamoRegister(self._client("dynamodb"), self._table, f"{self._bucket}/{key}")
        return S3Register(self._s3, self._bucket, key)

    def _options(self) -> dict[str, str]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise Unavailable(f"{self.name}: no AWS credentials. Set a profile, a role, or AWS_ACCESS_KEY_ID.")
        now = credentials.get_frozen_credentials()
        found = {"aws_access_key_id": now.access_key, "aws_secret_access_key": now.secret_key}
        if now.token:
            found["aws_session_token"] = now.token
        found |= {"aws_region": self._s3.meta.region_name or "us-east-1", **_LIMITS}
        endpoint = self._s3.meta.endpoint_url
        if not endpoint.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            found |= {"aws_endpoint": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}
            if self._table:
                found["dynamodb_endpoint"] = self._client("dynamodb").meta.endpoint_url
        return found

    def _probe(self) -> None:
        key = self._key(f".probe-{uuid.uuid4().hex}")
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"", IfNoneMatch="*")
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"", IfNoneMatch="*")
            except self._s3.exceptions.ClientError as error:
                if code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}:
                    return
                raise
        except self._s3.exceptions.ClientError as error:
            if code_of(error) not in {"NotImplemented", "501"}:
                raise
        finally:
            self._s3.delete_object(Bucket=self._bucket, Key=key)
        raise Refused(
            f"INTERLAYER_VECTORS: the store at {self._s3.meta.endpoint_url} ignores If-None-Match, so processes would "
            f"overwrite each other's writes. Use s3+ddb://{self._bucket}/{self._prefix}?ddbTableName=TABLE, which "
            "keeps the commits in DynamoDB."
        )

    def _probe_table(self) -> None:
        self._s3.head_bucket(Bucket=self._bucket)
        keys = self._client("dynamodb").describe_table(TableName=self._table)["Table"]["KeySchema"]
        if {one["AttributeName"]: one["KeyType"] for one in keys} != {"base_uri": "HASH", "version": "RANGE"}:
            raise Refused(
                f"INTERLAYER_VECTORS: table {self._table} has other keys. It needs base_uri (a string, the hash key) "
                "and version (a number, the range key)."
            )

    def _objects(self, folder: str) -> list[dict[str, Any]]:
        return list(self._pages("list_objects_v2", "Contents", self._key(folder) + "/"))

    def _pages(self, operation: str, name: str, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._s3.get_paginator(operation).paginate(Bucket=self._bucket, Prefix=prefix):
            yield from page.get(name, ())

    def _delete(self, objects: Sequence[dict[str, str]]) -> None:
        for first in range(0, len(objects), _DELETES):
            batch = objects[first : first + _DELETES]
            done = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            if done.get("Errors"):
                failed = json.dumps({name: done["Errors"][0].get(name) for name in ("Code", "Key")})
                raise Unavailable(f"{self.name}: {len(done['Errors'])} objects could not be deleted: {failed}.")

    def _bury(self, folder: str, before: frozenset[str], ids: Sequence[bytes]) -> None:
        current = self._objects(folder)
        now = max((one["LastModified"] for one in current), default=None)  # the store's clock: it has just been written
        dead: list[dict[str, str]] = []
        for one in current:
            key = one["Key"]
            if key not in before or key.rsplit("/", 1)[-1] in {_LEASE, "latest_version_hint.json"}:
                continue
            age_s = (now - one["LastModified"]).total_seconds() if now else 0.0
            if "/_indices/" in key or age_s > _IN_PROGRESS_S:  # indexes are made under the lease only, and all anew
                dead.append({"Key": key})
            elif self._holds(key, ids):
                raise Unavailable(
                    f"{self.name}: an unfinished write of the last {_IN_PROGRESS_S / 60:.0f} minutes holds what is "
                    "to be erased; it is deleted when it is certain that nobody goes on with it."
                )
        self._delete(dead)
        self._delete_older_versions(self._key(folder) + "/")

    def _holds(self, key: str, ids: Sequence[bytes]) -> bool:
        try:
            content = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return False
        return any(one in content for one in ids)

    def _delete_older_versions(self, prefix: str) -> None:
        """Delete what a bucket with versioning keeps of objects that were deleted or overwritten."""
        older: list[dict[str, str]] = []
        try:
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                found = [one for one in page.get("Versions", ()) if not one["IsLatest"]]
                older += [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                markers = page.get("DeleteMarkers", ())
                older += [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in markers]
        except self._s3.exceptions.ClientError as error:
            if code_of(error) not in {"NotImplemented", "501"}:  # then the store keeps no versions
                raise
        self._delete(older)

    def _discard(self, prefix: str) -> None:
        self._delete([{"Key": one["Key"]} for one in self._pages("list_objects_v2", "Contents", prefix + "/")])
        self._delete_older_versions(prefix + "/")
        if self._table:
            table = self._session.resource("dynamodb").Table(self._table)
            from boto3.dynamodb.conditions import Key

            for page in table.meta.client.get_paginator("query").paginate(
                TableName=self._table, KeyConditionExpression=Key("base_uri").eq(prefix), ConsistentRead=True
            ):
                with table.batch_writer() as batch:
                    for item in page["Items"]:
                        batch.delete_item(Key={"base_uri": item["base_uri"], "version": item["version"]})
