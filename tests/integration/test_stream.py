"""The stream consumer, fed with the records that DynamoDB's streams API really gives."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from emulators import REGION, Emulator
from interlayer.app import stream
from interlayer.app.composition import build
from interlayer.app.settings import load
from interlayer.errors import Unavailable
from interlayer.memory.projection.projector import Projector
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables
from organizations import memorize

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


@pytest.fixture
async def prefix(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"stream{uuid4().hex[:8]}"
    store = f"dynamodb://{name}?region={REGION}&endpoint_url={emulator.url}"
    for variable, value in emulator.environment.items():
        if variable != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(variable, value)
    for variable, value in {"HOME": str(tmp_path), "STORE": store, "CONFIG": "/nowhere"}.items():
        monkeypatch.setenv(f"INTERLAYER_{variable}", value)
    await create_tables(Place(name, REGION, emulator.url), Wish(), lambda _: None)
    return name


def records(emulator: Emulator, table: str) -> Generator[dict[str, Any]]:
    """Yield the records of a table's stream as Lambda hands them over."""
    tables = boto3.client("dynamodb", region_name=REGION, endpoint_url=emulator.url)
    streams = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=emulator.url)
    arn = tables.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = streams.get_records(ShardIterator=iterator)["Records"]
        yield from (json.loads(json.dumps(one, default=str)) for one in found)
    tables.close()
    streams.close()


async def test_what_a_dead_server_left_in_the_outbox_is_projected_once(
    prefix: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anyio.to_thread

    parts = build(load({}))
    await memorize(parts, ACME, "Acme sells pumps.", "Acme has a pier.")
    event = {"Records": list(records(emulator, f"{prefix}-memory"))}
    assert len(event["Records"]) > 5
    working = Projector.drain

    async def away(_: Projector, organization: str) -> int:
        raise Unavailable(f"{organization}: the index is away.")

    monkeypatch.setattr(Projector, "drain", away)
    failed = await anyio.to_thread.run_sync(stream.handler, event, None)
    numbers = {one["dynamodb"]["SequenceNumber"] for one in event["Records"]}
    assert len(failed["batchItemFailures"]) == 1
    assert {one["itemIdentifier"] for one in failed["batchItemFailures"]} <= numbers
    monkeypatch.setattr(Projector, "drain", working)
    index = (await parts.memory.spaces.of("default")).index
    for _ in range(2):
        assert await anyio.to_thread.run_sync(stream.handler, event, None) == {"batchItemFailures": []}
        assert len(await index.ids("default")) == 2
    assert await parts.memory.projector.drain("default") <= 1  # this server's own, which it still holds
    assert len(await index.ids("default")) == 2
    assert await anyio.to_thread.run_sync(stream.handler, {"optimize": ["default"]}, None) == {"batchItemFailures": []}
    await parts.close()
