"""What only an object store can show: erasure in every version, leases, leftovers of dead writers, stores that lie."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import boto3
import pytest

from emulators import BUCKET, LOCK_TABLE, Emulator, reach
from interlayer.errors import Refused, Unavailable
from interlayer.storage.lance import lease, s3
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.lance.lease import Busy, Leases, Register
from interlayer.storage.lance.registers import DynamoRegister, S3Register
from proxies import proxying
from vector_indexes import SPACE, location_on_s3, numbered, unit_vectors

pytestmark = pytest.mark.anyio

ORGANIZATION = "acme"


@pytest.fixture(autouse=True)
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of the emulator, which this process takes for AWS."""
    reach(emulator, monkeypatch)
    return boto3.client("s3")


@pytest.fixture(params=["s3", "s3+ddb"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return location_on_s3(tmp_path, request.param)


@pytest.fixture
async def index(location: str) -> AsyncGenerator[LanceIndex]:
    opened = LanceIndex(location, SPACE)
    yield opened
    await opened.close()


def prefix_of(location: str) -> str:
    return location.partition(f"{BUCKET}/")[2].partition("?")[0]


def objects(aws: Any, bucket: str, prefix: str, *holding: str) -> list[str]:
    """Return key and version of everything below a prefix, deleted or not, that holds one of the words."""
    found: list[str] = []
    for page in aws.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Versions", ()):
            body = aws.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            if any(word.encode() in body for word in holding):
                found.append(f"{one['Key']}@{one['VersionId']}")
    return found


async def test_what_was_removed_is_in_no_object(aws: Any, index: LanceIndex, location: str) -> None:
    for number in range(3):
        await index.add(ORGANIZATION, numbered(20, first=20 * number), unit_vectors(20, number))
    assert objects(aws, BUCKET, prefix_of(location), "marker00007")
    assert await index.remove(ORGANIZATION, ["r00007", "r00041"]) == 2
    assert objects(aws, BUCKET, prefix_of(location), "marker00007", "marker00041", "r00007", "r00041") == []
    assert objects(aws, BUCKET, prefix_of(location), "marker00008")
    assert len(await index.ids(ORGANIZATION)) == 58
    await index.add(ORGANIZATION, numbered(61), unit_vectors(61))
    assert len(await index.ids(ORGANIZATION)) == 61


async def test_a_bucket_that_keeps_versions_keeps_none_of_what_was_removed(aws: Any, tmp_path: Path) -> None:
    bucket = "versions-" + prefix_of(location_on_s3(tmp_path))
    aws.create_bucket(Bucket=bucket)
    aws.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    index = LanceIndex(f"s3://{bucket}/deep/prefix", SPACE)
    await index.add(ORGANIZATION, numbered(5), unit_vectors(5))
    await index.remove(ORGANIZATION, ["r00003"])
    assert objects(aws, bucket, "", "marker00003", "r00003") == []
    assert objects(aws, bucket, "", "marker00002")
    await index.drop(ORGANIZATION)
    assert objects(aws, bucket, "", "marker00002", "r00002") == []
    await index.close()


async def test_what_a_dead_writer_left_is_deleted_once_nobody_can_go_on_with_it(
    aws: Any, index: LanceIndex, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await index.add(ORGANIZATION, numbered(3), unit_vectors(3))
    [data] = [key for key in objects(aws, BUCKET, prefix_of(location), "marker00001") if "/data/" in key]
    key = data.partition("@")[0]
    orphan = key.replace("/data/", "/data/0")
    aws.copy_object(Bucket=BUCKET, Key=orphan, CopySource={"Bucket": BUCKET, "Key": key})
    with pytest.raises(Unavailable, match="unfinished write"):
        await index.remove(ORGANIZATION, ["r00001"])
    assert await index.ids(ORGANIZATION) == {"r00000", "r00002"}
    monkeypatch.setattr(s3, "_IN_PROGRESS_S", -1.0)
    assert await index.remove(ORGANIZATION, ["r00001"]) == 0
    assert objects(aws, BUCKET, prefix_of(location), "marker00001", "r00001") == []
    assert await index.ids(ORGANIZATION) == {"r00000", "r00002"}


async def test_an_unfinished_write_of_other_rows_is_left_alone(aws: Any, index: LanceIndex, location: str) -> None:
    await index.add(ORGANIZATION, numbered(1), unit_vectors(1))
    [data] = [key for key in objects(aws, BUCKET, prefix_of(location), "marker00000") if "/data/" in key]
    orphan = data.partition("@")[0].replace("/data/", "/data/0")
    aws.copy_object(Bucket=BUCKET, Key=orphan, CopySource={"Bucket": BUCKET, "Key": data.partition("@")[0]})
    await index.add(ORGANIZATION, numbered(2), unit_vectors(2))
    assert await index.remove(ORGANIZATION, ["r00001"]) == 1
    assert orphan in {one["Key"] for one in aws.list_objects_v2(Bucket=BUCKET, Prefix=orphan)["Contents"]}


async def test_a_dropped_table_is_made_again(index: LanceIndex, location: str) -> None:
    await index.add(ORGANIZATION, numbered(4), unit_vectors(4))
    await index.drop(ORGANIZATION)
    assert await index.ids(ORGANIZATION) == set()
    await index.add(ORGANIZATION, numbered(2), unit_vectors(2))
    other = LanceIndex(location, SPACE)
    assert await other.ids(ORGANIZATION) == {"r00000", "r00001"}
    await other.close()


# Leases


@pytest.fixture(params=["s3", "s3+ddb"])
def place(request: pytest.FixtureRequest, tmp_path: Path, aws: Any) -> Register:
    if request.param == "s3":
        return S3Register(aws, BUCKET, str(tmp_path))
    return DynamoRegister(boto3.client("dynamodb"), LOCK_TABLE, str(tmp_path))


async def test_a_lease_has_one_holder_and_is_free_again_afterwards(place: Register) -> None:
    held = 0

    async def hold() -> None:
        nonlocal held
        async with Leases().hold(place, 20.0) as own:
            assert held == 0
            held += 1
            await anyio.sleep(0.02)
            own.kept()
            held -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(hold)
    async with Leases().hold(place, 0.0):
        with pytest.raises(Busy, match="Try again"):
            async with Leases().hold(place, 0.0):
                pass


async def test_the_lease_of_a_dead_process_runs_out_and_a_stalled_one_is_told(
    place: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(lease, "_RENEW_S", 3_600.0)
    waiting = Leases(lambda: now_s)
    stalled = Leases().hold(place, 0.0)
    own = await stalled.__aenter__()
    for seen_s in (0.0, lease.LEASE_S - 1):
        now_s = seen_s
        with pytest.raises(Busy):
            await waiting.hold(place, 0.0).__aenter__()
    now_s = lease.LEASE_S + 1
    async with waiting.hold(place, 0.0):
        await anyio.to_thread.run_sync(own.renew)
        with pytest.raises(Unavailable, match="lost its lease"):
            own.kept()
        await stalled.__aexit__(None, None, None)
        mark = await anyio.to_thread.run_sync(place.read)
        assert mark
        assert mark.text  # whoever was overtaken does not free what another holds


# The store


async def test_a_store_that_ignores_conditions_is_refused_and_nothing_is_written(
    emulator: Emulator, aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(emulator.url, "lie") as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        index = LanceIndex(location_on_s3(tmp_path), SPACE)
        for _ in range(2):
            with pytest.raises(Refused, match=r"If-None-Match.*s3\+ddb://"):
                await index.add(ORGANIZATION, numbered(1), unit_vectors(1))
        with pytest.raises(Refused):
            await index.verify()
        await index.close()
    assert "Contents" not in aws.list_objects_v2(Bucket=BUCKET, Prefix=prefix_of(location_on_s3(tmp_path)))


async def test_a_table_for_commits_with_other_keys_is_refused(tmp_path: Path) -> None:
    boto3.client("dynamodb").create_table(
        TableName=f"odd-{tmp_path.name}",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    index = LanceIndex(f"s3+ddb://{BUCKET}/x?ddbTableName=odd-{tmp_path.name}", SPACE)
    with pytest.raises(Refused, match="base_uri"):
        await index.verify()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "endpoint"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials"),
    ],
)
async def test_what_cannot_be_reached_is_unavailable_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    index = LanceIndex(location_on_s3(tmp_path), SPACE)
    with pytest.raises(Unavailable, match=words):
        await index.ids(ORGANIZATION)
    with pytest.raises(Unavailable, match="no-such-bucket"):
        await LanceIndex("s3://no-such-bucket/x", SPACE).ping()
