"""DynamoDB behind a failing network: nothing acknowledged is lost, nothing applied twice, and errors come in time."""

import json
import math
import time
from collections.abc import AsyncGenerator, Generator
from uuid import uuid4

import anyio
import pytest

from emulators import REGION, Emulator
from faulty_proxy import Answer, Cut, Delay, Drop, Fault, FaultyProxy, Hang, faulty_proxy
from interlayer.errors import Unavailable
from interlayer.storage.dynamodb.client import Patience, Place
from interlayer.storage.dynamodb.items import DynamoItems
from interlayer.storage.dynamodb.tables import Wish, check_tables, create_tables
from interlayer.storage.items import Check, Delete, Key, Put, VersionConflict

pytestmark = pytest.mark.anyio

BRISK = Patience(connect_s=0.5, answer_s=0.5, altogether_s=2.0)
_made: set[str] = set()
WITHIN_S = 10.0  # far above what it should take, far below for ever


def refusal(code: str, status: int = 400) -> Answer:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "too much"}
    return Answer(status, json.dumps(body).encode())


def cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code} for code in codes]
    body = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": reasons}
    return Answer(400, json.dumps(body | {"message": "cancelled"}).encode())


PASSING: dict[str, Fault] = {
    "throttled": refusal("ProvisionedThroughputExceededException"),
    "throttled on demand": refusal("ThrottlingException"),
    "in progress": refusal("TransactionInProgressException"),
    "broken": refusal("InternalServerError", 500),
    "a gateway's page": Answer(503, b"<html>try later</html>", "text/html"),
    "an answer that is no JSON": Answer(200, b"<html>welcome to the hotel</html>", "text/html"),
    "reset before": Drop(forwarded=False),
    "reset after": Drop(forwarded=True),
    "cut off": Cut(after_bytes=1),
    "hanging before": Hang(forwarded=False),
    "hanging after": Hang(forwarded=True),
    "JSON that was changed on the way": Answer(200, b"{}", headers={"x-amz-crc32": "1"}),
    "slow": Delay(0.1),
}


@pytest.fixture
def proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Generator[FaultyProxy]:
    for name, value in emulator.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    with faulty_proxy(emulator.url) as running:
        yield running


@pytest.fixture
async def store(emulator: Emulator, proxy: FaultyProxy) -> AsyncGenerator[DynamoItems]:
    if emulator.url not in _made:
        await create_tables(Place("faults", REGION, emulator.url), Wish(), lambda _: None)
        _made.add(emulator.url)
    opened = DynamoItems(Place("faults", REGION, proxy.url), patience=BRISK)
    yield opened
    proxy.heal()
    await opened.close()


@pytest.fixture
def key() -> Key:
    return Key("memory", f"acme#{uuid4().hex}", "a")


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_write_that_meets_a_fault_is_applied_once(
    store: DynamoItems, proxy: FaultyProxy, key: Key, fault: Fault
) -> None:
    await store.transact([Put(key, {"n": 1})])
    proxy.inject(fault, "TransactWriteItems", 1 if isinstance(fault, Hang) else 2)
    other = Key("governance", key.partition, "log")
    with anyio.fail_after(WITHIN_S):
        await store.transact([Put(key, {"n": 2}, expect=1), Put(other, {"log": True})])
    proxy.heal()
    found = await store.get_many([key, other])
    assert {one.sort: (item.version, item.body) for one, item in found.items()} == {
        "a": (2, {"n": 2}),
        "log": (1, {"log": True}),
    }


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_read_that_meets_a_fault_is_answered(
    store: DynamoItems, proxy: FaultyProxy, key: Key, fault: Fault
) -> None:
    await store.transact([Put(key, {"n": 1})])
    with anyio.fail_after(WITHIN_S):
        for name in ("GetItem", "Query", "BatchGetItem"):
            proxy.inject(fault, name)
        assert await store.get(key) is not None
        assert len((await store.query("memory", key.partition)).items) == 1
        assert len(await store.get_many([key, Key("audit", "acme#x", "y")])) == 1


async def test_a_delete_whose_answer_is_lost_is_no_conflict(store: DynamoItems, proxy: FaultyProxy, key: Key) -> None:
    await store.transact([Put(key, {})])
    proxy.inject(Drop(forwarded=True), "TransactWriteItems")
    await store.transact([Delete(key, expect=1)])
    assert await store.get(key) is None


async def test_a_transaction_cancelled_by_another_is_tried_again(
    store: DynamoItems, proxy: FaultyProxy, key: Key
) -> None:
    proxy.inject(cancelled("None", "TransactionConflict"), "TransactWriteItems", 2)
    other = Key("memory", key.partition, "b")
    await store.transact([Put(key, {}), Put(other, {})])
    proxy.inject(cancelled("TransactionConflict", "ConditionalCheckFailed"), "TransactWriteItems")
    with pytest.raises(VersionConflict) as caught:
        await store.transact([Check(key, 1), Put(other, {}, expect=1)])
    assert caught.value.keys == (other,)


@pytest.mark.parametrize("name", ["throttled", "broken", "reset before", "reset after", "hanging before"])
async def test_a_store_that_stays_away_is_unavailable_in_time_and_back_at_once(
    store: DynamoItems, proxy: FaultyProxy, key: Key, name: str
) -> None:
    proxy.inject(PASSING[name], times=math.inf)
    with anyio.fail_after(WITHIN_S):
        with pytest.raises(Unavailable, match="may succeed later"):
            await store.get(key)
        with pytest.raises(Unavailable, match="may succeed later"):
            await store.transact([Put(key, {})])
    proxy.heal()
    with anyio.fail_after(WITHIN_S):
        written = await store.get(key)
        assert (written is not None) == (name == "reset after"), "only a write that was forwarded can have been applied"
        if written is None:
            await store.transact([Put(key, {})])


async def test_what_just_could_not_be_reached_is_not_waited_for_again(proxy: FaultyProxy, key: Key) -> None:
    proxy.inject(Drop(forwarded=False), times=math.inf)
    store = DynamoItems(Place("faults", REGION, proxy.url), patience=BRISK)
    with pytest.raises(Unavailable):
        await store.get(key)
    tried = len(proxy.names())
    assert tried > 3
    with pytest.raises(Unavailable):
        await store.get(key)
    assert len(proxy.names()) == tried + 1
    await store.close()


async def test_keys_that_a_batch_leaves_out_are_asked_for_again(
    store: DynamoItems, proxy: FaultyProxy, key: Key
) -> None:
    other = Key("memory", key.partition, "b")
    await store.transact([Put(key, {}), Put(other, {})])
    left_out = {"faults-memory": {"Keys": [{"p": {"S": key.partition}, "s": {"S": "a"}}], "ConsistentRead": True}}
    proxy.inject(Answer(200, json.dumps({"Responses": {}, "UnprocessedKeys": left_out}).encode()), "BatchGetItem", 2)
    proxy.forget()
    assert set(await store.get_many([key, other])) == {key}, "the proxy has kept the other to itself"
    assert len(proxy.names()) == 3


@pytest.mark.usefixtures("store")
async def test_nobody_at_the_address_and_no_table_are_told_apart(emulator: Emulator) -> None:
    begun = time.monotonic()
    nobody = DynamoItems(Place("faults", REGION, "http://127.0.0.1:9"), patience=BRISK)
    with pytest.raises(Unavailable, match="127.0.0.1:9"):
        await nobody.get(Key("memory", "acme#x", "a"))
    assert time.monotonic() - begun < WITHIN_S
    bare = DynamoItems(Place("bare", REGION, emulator.url), patience=BRISK)
    with pytest.raises(Unavailable, match="store create"):
        await bare.get(Key("memory", "acme#x", "a"))
    await nobody.close()
    await bare.close()
    assert [one.ok for one in await check_tables(Place("bare", REGION, emulator.url), "acme")] == [False] * 3
    assert [one.ok for one in await check_tables(Place("faults", REGION, emulator.url), "acme")] == [True] * 3


async def test_a_role_without_a_right_is_named(proxy: FaultyProxy, store: DynamoItems, key: Key) -> None:
    proxy.inject(refusal("AccessDeniedException"), "PutItem", math.inf)
    states = await check_tables(Place("faults", REGION, proxy.url), "acme")
    assert all(not one.ok and "may not PutItem" in one.detail for one in states)
    proxy.inject(refusal("AccessDeniedException"), "GetItem")
    with pytest.raises(Unavailable, match="access is denied"):
        await store.get(key)
