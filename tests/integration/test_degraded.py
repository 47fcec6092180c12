"""The vector layer away or hanging: every tool goes on from the item store or says what is missing, in bounded time."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import boto3
import pytest

from emulators import BUCKET, Emulator, reach
from proxies import Mode, Proxy, proxying
from vector_indexes import location_on_s3

pytestmark = pytest.mark.anyio

FACTS = [f"Berth {n} was dredged." for n in range(70)]  # more than recall embeds by itself
WAIT_S = 90


@pytest.fixture
def proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Generator[Proxy]:
    reach(emulator, monkeypatch)
    with proxying(emulator.url) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


def facts(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text} for text in texts]


def found(answer: dict[str, Any]) -> set[str]:
    return {result["fact"]["text"] for result in answer["results"]}


async def answers_in_full(call: Any, query: str) -> dict[str, Any]:
    with anyio.fail_after(WAIT_S):
        while "degraded" in (answer := await call("search_memory", query=query)):  # noqa: ASYNC110
            await anyio.sleep(0.5)
    return answer


@pytest.mark.timeout(300)
@pytest.mark.parametrize("trouble", ["fail", "hang"])
async def test_s3_in_trouble_costs_rank_and_nothing_else(
    connect: Any, proxy: Proxy, tmp_path: Path, trouble: Mode, emulator: Emulator
) -> None:
    entity = "company:harbour.example"
    async with connect(VECTORS=location_on_s3(tmp_path)) as call:
        first = await call("memorize", entity=entity, facts=facts(*FACTS))
        await answers_in_full(call, "dredged berth")
        proxy.mode = trouble
        with anyio.fail_after(WAIT_S):
            await call("memorize", entity="company:yard.example", facts=facts("The crane Goliath lifts 900 tons."))
            answer = await call("search_memory", query="crane Goliath")
            assert found(answer) == {"The crane Goliath lifts 900 tons."}
            [said] = answer["degraded"]
            assert said.startswith("vectors: found by words alone")
            told = await call("recall_entity", entity=entity, query="berth 7", limit=100)
            assert {fact["text"] for fact in told["facts"]} <= set(FACTS)
            assert told["facts"][0]["text"] == FACTS[7]
            assert (await call("list_entities", entity_type="company"))["entities"]
            assert (await call("get_governance_context", task="Write an email"))["rules"]
        with anyio.fail_after(WAIT_S):
            erased = await call("forget", fact_id=first["facts"][3]["fact_id"], reason="asked to")
            assert erased["pending"].startswith("vectors and files: ")
            told = await call("recall_entity", entity=entity, query=FACTS[3], limit=100)
            assert FACTS[3] not in {fact["text"] for fact in told["facts"]}
            assert FACTS[3] not in found(await call("search_memory", query=FACTS[3]))
        proxy.mode = "pass"
        proxy.released.set()
        answer = await answers_in_full(call, "crane Goliath")  # caught up by itself
        assert "The crane Goliath lifts 900 tons." in found(answer)
        assert FACTS[3] not in found(await call("search_memory", query=FACTS[3], limit=100))
    s3 = boto3.client("s3", endpoint_url=emulator.url)
    prefix = location_on_s3(tmp_path).rpartition("/")[2]
    listed = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]
    bodies = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in listed}
    assert any(b"Goliath" in body for body in bodies.values())
    assert not [key for key, body in bodies.items() if FACTS[3].encode() in body]


async def test_a_server_starts_and_serves_while_s3_is_away(connect: Any, proxy: Proxy, tmp_path: Path) -> None:
    proxy.mode = "fail"
    async with connect(VECTORS=location_on_s3(tmp_path)) as call:
        await call("memorize", entity="company:yard.example", facts=facts("The yard builds ferries."))
        assert (await call("recall_entity", entity="company:yard.example"))["facts"]
        assert found(await call("search_memory", query="ferries")) == {"The yard builds ferries."}


async def test_a_server_refuses_a_store_where_writers_overwrite_each_other(
    connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.mode = "lie"
    async with connect(VECTORS=location_on_s3(tmp_path)) as call:
        said = await call.error("recall_entity", entity="company:yard.example")
        assert "If-None-Match" in said
        assert "s3+ddb://" in said
