"""The vector layer, damaged in every way: `reconcile --check` names it, `--rebuild` mends it; no answer is wrong."""

import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import lancedb
import pytest
from lancedb import AsyncTable
from lancedb.expr import col, lit

from command_line import interlayer
from interlayer.answers import as_json
from interlayer.app.composition import Parts
from interlayer.memory.requests import SearchRequest
from organizations import home_of, memorize, recall

pytestmark = pytest.mark.anyio

TEXTS = [f"Contract number {n} covers the harbour crane." for n in range(70)]  # over 64: recall asks the index for them


async def table_of(home: Path) -> AsyncTable:
    connection = await lancedb.connect_async(str(home / "vectors" / "acme"))
    [name] = (await connection.list_tables()).tables
    return await connection.open_table(name)


async def delete_rows(home: Path) -> None:
    table = await table_of(home)
    ids = (await table.query().select(["id"]).limit(3).to_arrow())["id"].to_pylist()
    await table.delete(col("id").isin([lit(one) for one in ids]))


async def add_rows(home: Path) -> None:
    table = await table_of(home)
    rows = await table.query().limit(1).to_arrow()
    changed = rows.set_column(0, rows.schema.field("id"), [["f_forgotten_0"]])
    await table.add(changed)


async def change_text(home: Path) -> None:
    await (await table_of(home)).update({"text": "Contract number 3 was cancelled."}, where="text LIKE '%number 3 %'")


async def change_owner(home: Path) -> None:
    await (await table_of(home)).update({"owner": "company:c_other"}, where="text LIKE '%number 3 %'")


async def drop_table(home: Path) -> None:
    connection = await lancedb.connect_async(str(home / "vectors" / "acme"))
    for name in (await connection.list_tables()).tables:
        await connection.drop_table(name)


async def delete_folder(home: Path) -> None:
    shutil.rmtree(home / "vectors")


def corrupting(pattern: str) -> Callable[[Path], Awaitable[None]]:
    async def corrupt(home: Path) -> None:
        files = [path for path in (home / "vectors").rglob(pattern) if path.is_file()]
        assert files
        for path in files:
            path.write_bytes(b"\xa5" * path.stat().st_size)

    return corrupt


DAMAGE: dict[str, tuple[Callable[[Path], Awaitable[None]], set[str]]] = {
    "rows deleted": (delete_rows, {"missing"}),
    "rows added": (add_rows, {"extra"}),
    "text changed": (change_text, {"changed"}),
    "owner changed": (change_owner, {"changed"}),
    "table dropped": (drop_table, {"missing"}),
    "folder gone": (delete_folder, {"missing"}),
    "data corrupt": (corrupting("data/*.lance"), {"unreadable"}),
    "versions corrupt": (corrupting("_versions/*.manifest"), {"unreadable"}),
    "indexes corrupt": (corrupting("_indices/*/*.lance"), {"unreadable"}),
}


async def search(parts: Parts, query: str) -> dict[str, Any]:
    return as_json(await parts.memory.searcher.search(parts.settings.principal, SearchRequest(query=query, limit=5)))


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_named_and_mended_and_no_answer_is_wrong_meanwhile(home: Path, damage: str) -> None:
    spoil, kinds = DAMAGE[damage]
    async with home_of(home) as parts:
        await parts.prepare()
        await memorize(parts, "company:harbour.example", *TEXTS)
        await parts.memory.projector.drain("acme")
        assert await parts.memory.consistency.differences("acme") == []
    await spoil(home)
    async with home_of(home) as parts:  # a process that has seen none of it before
        await parts.prepare()
        assert {fact["text"] for fact in (await recall(parts, "company:harbour.example"))["facts"]} == set(TEXTS)
        answer = await search(parts, "harbour crane contract")
        if damage in ("table dropped", "folder gone"):
            assert "reconcile --rebuild" in answer["degraded"][0]
            assert answer["results"]
        for result in answer["results"]:
            assert result["fact"]["text"] in TEXTS
            assert result["entity"]["name"] == "harbour.example"
        assert {one.kind for one in await parts.memory.consistency.differences("acme")} == kinds
        await parts.memory.consistency.clear("acme")
        await parts.memory.projector.drain("acme")
        await parts.memory.backfill.fill("acme", await parts.memory.spaces.of("acme"))
        assert await parts.memory.consistency.differences("acme") == []
        answer = await search(parts, "contract number 3")
        assert "degraded" not in answer
        assert answer["results"][0]["fact"]["text"] == TEXTS[3]


async def test_the_command_names_differences_and_ends_with_1_until_they_are_mended(home: Path) -> None:
    async with home_of(home) as parts:
        await parts.prepare()
        await memorize(parts, "company:harbour.example", *TEXTS)
        await parts.memory.projector.drain("acme")
    await delete_folder(home)
    done = interlayer(home, "--org", "acme", "reconcile", "--check")
    assert done.returncode == 1, done.stderr
    assert "50 more" in done.stdout
    assert "in wordllama" in done.stdout
    assert "70 differences. Run `interlayer reconcile --rebuild`." in done.stdout
    done = interlayer(home, "--org", "acme", "reconcile", "--rebuild", "--check", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "replayed": 0,
        "differed": 70,
        "facts": 70,
        "added": 70,
        "removed": 0,
        "names": 0,
        "differences": [],
    }
