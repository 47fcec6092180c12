"""An organization as one file: nothing is lost on the way, and what is damaged or in the way is refused."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlayer.app.composition import Parts, build, opened
from interlayer.app.settings import Settings
from interlayer.app.settings import load as load_settings
from interlayer.app.transfer import export, load
from interlayer.errors import InvalidInput, Refused, Unavailable
from interlayer.ids import system_clock
from interlayer.memory.requests import (
    PARTS,
    Condition,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RecallRequest,
    RelationCandidate,
    SearchRequest,
)
from interlayer.storage.items import Operation
from interlayer_policies.governance import Facets

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"


def at(home: Path, organization: str = "default") -> Settings:
    return load_settings({"HOME": str(home), "ORG": organization}, {})


def quiet(_: int) -> None:
    """Nobody is watching."""


FIRST = MemorizeRequest(
    entity=ACME,
    name="Acme Ltd",
    content="Acme uses Oracle as its primary database. Acme sells pumps to 300 customers.",
    properties=[PropertyCandidate("employees", 280, 0.9), PropertyCandidate("industry", "pumps", 0.8)],
    relations=[RelationCandidate("partner_of", "company:globex.example")],
    identifiers={"crm_id": "77"},
    source="call 1",
    idempotency_key="once",
)


async def fill(parts: Parts) -> None:
    domains, who = parts.domains, parts.settings.principal
    await domains.memory.memorizer.memorize(who, FIRST)
    facts = [
        FactCandidate("Acme uses PostgreSQL as its primary database.", 0.9),
        FactCandidate("Acme has a pier.", 0.9),
    ]
    await domains.memory.memorizer.memorize(
        who, MemorizeRequest(entity=ACME, facts=facts, properties=[PropertyCandidate("employees", 300, 0.9)])
    )
    await domains.governance.context(who, "Write an email with a discount.", Facets())


async def answers(parts: Parts) -> list[Any]:
    """Ask the organization as every tool would."""
    domains, who = parts.domains, parts.settings.principal
    listed = await domains.memory.searcher.list_entities(who, "company", [Condition("employees", "gte", 290)], 10, None)
    search = await domains.memory.searcher.search(who, SearchRequest(query="primary database"))
    replay = await domains.memory.memorizer.memorize(who, FIRST)
    context = await domains.governance.context(who, "Write an email with a discount.", Facets())
    everything = [
        await domains.memory.recaller.recall(
            who, RecallRequest(entity=name, query=query, include=PARTS, max_tokens=8_000)
        )
        for name in (ACME, "company:globex.example", "company:Acme Ltd")
        for query in (None, "database")
    ]
    return [listed, search, replay, context.etag, context.revision, everything]


async def copied(home: Path, other: Path, file: Path, organization: str = "default") -> tuple[list[Any], list[Any]]:
    async with opened(at(home)) as parts:
        await fill(parts)
        await export(parts.store, "default", file, system_clock, quiet)
        before = await answers(parts)
    parts = build(at(other, organization))
    await load(parts, organization, file, quiet)
    await parts.close()
    async with opened(at(other, organization)) as parts:
        return before, await answers(parts)


@pytest.mark.parametrize(("name", "organization"), [("all.jsonl", "default"), ("all.jsonl.gz", "copy")])
async def test_a_copy_answers_as_the_original_does(tmp_path: Path, name: str, organization: str) -> None:
    before, after = await copied(tmp_path / "one", tmp_path / "two", tmp_path / name, organization)
    assert after == before
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


async def test_exporting_a_copy_gives_the_same_items(tmp_path: Path) -> None:
    await copied(tmp_path / "one", tmp_path / "two", tmp_path / "first.jsonl")
    async with opened(at(tmp_path / "one")) as one, opened(at(tmp_path / "two")) as two:
        for parts, name in ((one, "a"), (two, "b")):
            await export(parts.store, "default", tmp_path / name, system_clock, quiet)
    first, second = ((tmp_path / name).read_text(encoding="utf-8").splitlines()[1:-1] for name in ("a", "b"))
    receipts = "receipts#"
    assert [line for line in first if receipts not in line] == [line for line in second if receipts not in line]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=3, max_size=80).filter(
            lambda text: any(character.isalpha() for character in text)
        ),
        min_size=1,
        max_size=12,
    )
)
async def test_any_text_survives_the_way(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("transfer")
    asked = RecallRequest(entity="company:x.example", limit=100, include=PARTS, max_tokens=8_000)
    async with opened(at(folder / "one")) as parts:
        for text in texts:
            request = MemorizeRequest(entity="company:x.example", facts=[FactCandidate(text, 0.9)], content="One. Two.")
            await parts.memory.memorizer.memorize(parts.settings.principal, request)
        await export(parts.store, "default", folder / "f", system_clock, quiet)
        before = await parts.memory.recaller.recall(parts.settings.principal, asked)
    parts = build(at(folder / "two"))
    await load(parts, "default", folder / "f", quiet)
    assert await parts.memory.recaller.recall(parts.settings.principal, asked) == before
    await parts.close()


class Dying:
    """A store that fails for good after so many writes."""

    def __init__(self, store: Any, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def transact(self, operations: Sequence[Operation]) -> None:
        if self._left == 0:
            raise Unavailable("killed")
        self._left -= 1
        await self._store.transact(operations)


async def test_an_import_that_is_killed_anywhere_is_completed_by_running_it_again(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    async with opened(at(tmp_path / "one")) as parts:
        await fill(parts)
        for number in range(150):
            request = MemorizeRequest(entity=f"company:{number}.example", facts=[FactCandidate("It sells pumps.", 0.9)])
            await parts.memory.memorizer.memorize(parts.settings.principal, request)
        await export(parts.store, "default", file, system_clock, quiet)
        before = await answers(parts)
    writes = 0
    while True:
        home = tmp_path / f"copy{writes}"
        parts = build(at(home))
        object.__setattr__(parts, "store", Dying(parts.store, writes))
        try:
            await load(parts, "default", file, quiet)
        except Unavailable:
            if writes > 1:
                with pytest.raises(Refused, match="not complete"):
                    await parts.prepare()
        else:
            break
        finally:
            await parts.close()
        again = build(at(home))
        await load(again, "default", file, quiet)
        await again.close()
        async with opened(at(home)) as whole:
            assert await answers(whole) == before
        writes += 1
    assert writes > 5


async def test_what_is_damaged_or_foreign_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    async with opened(at(tmp_path / "one")) as parts:
        await fill(parts)
        await export(parts.store, "default", file, system_clock, quiet)
    lines = file.read_bytes().splitlines(keepends=True)
    bad = {
        "cut off": b"".join(lines[:-1]),
        "was changed": file.read_bytes().replace(b"pumps", b"lamps", 1),
        "no export": b'{"a": 1}\n',
        "no JSON": lines[0] + b"{\n",
        "format version 9": json.dumps({"format": "interlayer-export", "version": 9}).encode() + b"\n",
        "cut off: ": gzip.compress(file.read_bytes())[:-20],
        "no entity type 'ship'": lines[0] + b'{"table":"memory","partition":"t#ship","sort":"e_1","body":{}}\n',
    }
    parts = build(at(tmp_path / "two"))
    for says, content in bad.items():
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(InvalidInput, match=says):
            await load(parts, "default", tmp_path / "bad", quiet)
    assert [item async for item in parts.store.scan("memory", "")] == []
    await parts.close()


async def test_an_organization_in_use_is_not_imported_into_and_a_new_one_is(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    async with opened(at(tmp_path / "one")) as parts:
        await fill(parts)
        await export(parts.store, "default", file, system_clock, quiet)
        with pytest.raises(Refused, match="in use"):
            await load(parts, "default", file, quiet)
    async with opened(at(tmp_path / "two")) as parts:  # a first start has published policies
        await load(parts, "default", file, quiet)
        told = await parts.memory.recaller.recall(parts.settings.principal, RecallRequest(entity=ACME))
        assert told.found
