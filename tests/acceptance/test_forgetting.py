"""Forgetting forgets: after it returns, a word that came in by any route is in no answer, file, version or export."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlayer.answers import as_json
from interlayer.app.composition import Parts
from interlayer.app.transfer import export
from interlayer.errors import InterlayerError, NotFound
from interlayer.ids import system_clock
from interlayer.memory.requests import Condition, RelationCandidate, SearchRequest
from organizations import context, home_of, listed, memorize, publish, recall
from traces import in_files, in_index, remaining
from workers import killed

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

# One word a route, so that a failure names the route.
CONTENT, FACT, PROPERTY, INDEXED, EARLIER, LISTED = (
    "qzcontent",
    "qzfact",
    "qzplain",
    "qzindexed",
    "qzearlier",
    "qzlisted",
)
SOURCE, ANSWER_KEY, NAME, KEY_NAME, MAIL, CRM = "qzsource", "qzanswer", "qzname", "qzkeyname", "qzmail", "qzcrm"
DUPLICATE = "qztwice"
SAID = (CONTENT, FACT, PROPERTY, INDEXED, EARLIER, SOURCE, ANSWER_KEY, DUPLICATE)
NAMED = (NAME, KEY_NAME, MAIL, CRM)
SUBJECT = f"contact:{KEY_NAME} {NAME}"


async def fill(parts: Parts) -> dict[str, Any]:
    """Remember a contact by every route, with updates, so that older versions of everything exist."""
    await publish(parts, "sesame")
    await memorize(parts, "company:acme.example", *(f"Hall {number} is green." for number in range(5)))
    await memorize(parts, "contact:bo@acme.example", "Bo sells pumps.", name="Bo")
    await parts.memory.projector.drain("acme")
    first = await memorize(
        parts,
        SUBJECT,
        f"The {FACT} submarine is turquoise.",
        content=f"The {CONTENT} door was left open. The {DUPLICATE} gate is red! the {DUPLICATE} gate is RED.",
        properties={"location": EARLIER, "job_title": f"{EARLIER} pilot"},
        identifiers={"email": f"{MAIL}@acme.example", "crm_id": f"{CRM}-7"},
        relations=[
            RelationCandidate("works_at", "company:acme.example"),
            RelationCandidate("knows", "contact:bo@acme.example"),
        ],
        source=f"{SOURCE} call",
        idempotency_key=f"{ANSWER_KEY}-1",
    )
    await parts.memory.projector.drain("acme")
    await memorize(
        parts,
        SUBJECT,
        f"THE {FACT} SUBMARINE IS TURQUOISE!",
        content=f"Another {CONTENT} window was left open.",
        properties={"location": INDEXED, "job_title": f"{PROPERTY} captain"},
        source=f"{SOURCE} mail",
        idempotency_key=f"{ANSWER_KEY}-2",
    )
    await parts.memory.projector.drain("acme")
    await context(parts, f"Write to {MAIL}@acme.example about {CONTENT}", entity=SUBJECT)
    return first


async def told(parts: Parts) -> str:
    """Return everything that agents are told, in one text."""
    principal, answers = parts.settings.principal, list[Any]()
    everything = (*SAID, *NAMED)
    for word in everything:
        request = SearchRequest(query=f"{word} submarine door", limit=100, max_tokens=8_000)
        results = (await parts.memory.searcher.search(principal, request)).results
        answers += as_json(results)
    for entity in (SUBJECT, f"contact:{MAIL}@acme.example", "contact:bo@acme.example", "company:acme.example"):
        for as_of in (None, datetime(2026, 3, 1, 10, tzinfo=UTC)):
            answer = await recall(parts, entity, as_of=as_of)
            if answer["found"]:
                answers.append(answer)
    answers.append(await listed(parts, ("contact", "company")))
    for word in (INDEXED, EARLIER):
        where = [Condition("location", "contains", word)]
        answers.append(await parts.memory.searcher.list_entities(principal, "contact", where, 10, None))
    governed = await context(parts, "Offer a discount", entity=SUBJECT)
    return str([*answers, governed])


async def assert_gone(home: Path, words: tuple[str, ...], *processes: Parts) -> None:
    for parts in processes:
        shown = (await told(parts)).lower()
        assert not [word for word in words if word in shown]
    exported = home.parent / "after.jsonl"
    await export(processes[0].store, "acme", exported, system_clock, lambda _: None)
    assert not [word for word in words if word.encode() in exported.read_bytes().lower()]
    assert remaining(home, words) == []


async def test_the_search_for_traces_finds_what_is_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts:
        await fill(parts)
        assert {found.split()[0] for found in in_files(home, (*SAID, *NAMED))} == {*SAID, *NAMED}
        assert {found.split()[0] for found in in_index(home, (FACT, CONTENT))} == {FACT, CONTENT}
        shown = (await told(parts)).lower()
        assert {word for word in (*SAID, *NAMED) if word in shown} >= {FACT, CONTENT, INDEXED, PROPERTY, SOURCE, MAIL}


async def test_nothing_of_a_forgotten_entity_is_left_anywhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts, home_of(home) as other:
        await fill(parts)
        assert FACT in (await told(other)).lower()  # its views are warm
        forget = parts.memory.forgetter.forget
        answer = await forget(parts.settings.principal, "subject_request", reference="7", entity=SUBJECT)
        assert as_json(answer) == {
            "erased": {"entities": 1, "memories": 2, "facts": 4, "properties": 2, "relations": 2, "vectors": 4}
        }
        await assert_gone(home, (*SAID, *NAMED), other, parts)
        for process in (parts, other):
            with pytest.raises(NotFound):
                await process.memory.forgetter.forget(process.settings.principal, "again", entity=SUBJECT)
        assert len((await recall(parts, "company:acme.example"))["facts"]) == 5
        bo = await recall(other, "contact:bo@acme.example")
        assert [one["type"] for one in bo["relations"]] == ["works_at"], "by his address; nobody knows him any more"
        again = await memorize(other, SUBJECT, "Something else.", idempotency_key=f"{ANSWER_KEY}-1")
        assert not again["replayed"]
        assert again["entity"]["created"]


async def test_nothing_of_a_forgotten_memory_is_left_but_what_another_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts, home_of(home) as other:
        first = await fill(parts)
        await told(other)
        forget = parts.memory.forgetter.forget
        answer = await forget(parts.settings.principal, "request 8", memory_id=first["memory_id"])
        assert as_json(answer.erased) == {"memories": 1, "facts": 2, "properties": 2, "relations": 2, "vectors": 3}
        await assert_gone(home, (EARLIER, DUPLICATE, f"{ANSWER_KEY}-1", f"{SOURCE} call"), other, parts)
        assert "door" not in str(in_files(home, ("door was left",)))
        facts = (await recall(other, SUBJECT))["facts"]
        assert [fact["text"] for fact in facts if FACT in fact["text"]] == [f"THE {FACT} SUBMARINE IS TURQUOISE!"]
        found = await other.memory.searcher.search(other.settings.principal, SearchRequest(query=FACT))
        assert found.results[0].fact.text == f"THE {FACT} SUBMARINE IS TURQUOISE!"
        with pytest.raises(NotFound):
            await forget(parts.settings.principal, "again", memory_id=first["memory_id"])
        # What goes on can still be forgotten, by the id that it has had all the time.
        await forget(parts.settings.principal, "request 9", fact_id=facts[0]["fact_id"])
        await forget(parts.settings.principal, "request 9", fact_id=facts[1]["fact_id"])
        await assert_gone(home, (FACT, CONTENT), other, parts)


async def test_nothing_of_a_forgotten_fact_is_left_though_others_confirmed_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts, home_of(home) as other:
        first = await fill(parts)
        for number in range(45):
            said = f"The {FACT} submarine is turquoise."
            await memorize(parts, SUBJECT, content=f"{said} Visit {number}.", idempotency_key=f"v{number}")
        await told(other)
        fact = next(one for one in first["facts"] if FACT in one["text"])
        twice = next(one for one in first["facts"] if DUPLICATE in one["text"])
        forget = parts.memory.forgetter.forget
        answer = await forget(parts.settings.principal, "request 10", fact_id=fact["fact_id"])
        assert as_json(answer.erased) == {"memories": 0, "facts": 1, "properties": 0, "relations": 0, "vectors": 1}
        await forget(parts.settings.principal, "request 11", fact_id=twice["fact_id"])
        await assert_gone(home, (FACT, DUPLICATE), other, parts)
        assert CONTENT in (await told(other)).lower()
        for process in (parts, other):
            with pytest.raises(NotFound):
                await process.memory.forgetter.forget(process.settings.principal, "again", fact_id=fact["fact_id"])


async def test_a_memory_whose_facts_many_others_confirm_is_forgotten_in_portions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts:
        await publish(parts, "kind")
        texts = [f"Pump {number} stands in hall {number}." for number in range(60)]
        first = await memorize(parts, SUBJECT, *texts, properties={"location": FACT})
        for text in texts[:50]:
            await memorize(parts, SUBJECT, text.upper(), source="somebody else")
        forget = parts.memory.forgetter.forget
        answer = await forget(parts.settings.principal, "request 12", memory_id=first["memory_id"])
        assert answer.erased.memories == 1
        assert answer.erased.facts == 10
        left = {fact["text"] for fact in (await recall(parts, SUBJECT))["facts"]}
        assert left == {text.upper() for text in texts[:50]}
        await assert_gone(home, (FACT, texts[55].lower()), parts)


async def test_receipts_and_the_trail_never_held_a_word_of_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts:
        await fill(parts)
        await parts.memory.forgetter.forget(parts.settings.principal, "request 7", entity=SUBJECT)
        exported = tmp_path / "export"
        await export(parts.store, "acme", exported, system_clock, lambda _: None)
    lines = [
        line for line in exported.read_text(encoding="utf-8").split("\n") if '"receipt"' in line or '"audit"' in line
    ]
    assert len(lines) >= 3
    assert not [line for line in lines for word in (*SAID, *NAMED) if word in line.lower()]


@pytest.mark.parametrize("what", ["entity", "memory_id", "fact_id"])
async def test_forgetting_while_others_memorize_takes_no_more_than_it_should(tmp_path: Path, what: str) -> None:
    home = tmp_path / "home"
    async with home_of(home) as parts, home_of(home) as other:
        first = await fill(parts)
        fact = next(one for one in first["facts"] if FACT in one["text"])
        named: Any = {"entity": SUBJECT, "memory_id": first["memory_id"], "fact_id": fact["fact_id"]}[what]
        stored: list[str] = []

        async def write() -> None:
            for number in range(12):
                try:
                    await memorize(other, SUBJECT, f"Number {number} is a plain remark.")
                    stored.append(f"Number {number} is a plain remark.")
                except InterlayerError:
                    continue

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await anyio.lowlevel.checkpoint()
            given: dict[str, Any] = {what: named}
            await parts.memory.forgetter.forget(parts.settings.principal, "request", **given)
        assert len(stored) == 12
        texts = [fact["text"] for fact in (await recall(parts, SUBJECT))["facts"]]
        plain = [text for text in stored if text in texts]
        assert plain == stored[len(stored) - len(plain) :], "a remark after the forgetting is lost"
        if what != "entity":
            assert plain == stored
        words = {"entity": SAID, "memory_id": (EARLIER, DUPLICATE), "fact_id": (FACT,)}[what]
        assert remaining(home, words) == []


@dataclass(frozen=True, slots=True)
class VisitedHome:
    """A home whose subject many visits confirmed: the answer of the first call, and what recall said at the end."""

    path: Path
    first: dict[str, Any]
    recalled: dict[str, Any]


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> VisitedHome:
    """Fill a home once; who kills a process on it takes a copy."""

    async def made() -> VisitedHome:
        home = tmp_path_factory.mktemp("visited") / "home"
        async with home_of(home) as parts:
            first = await fill(parts)
            for number in range(12):
                said = f"The {FACT} submarine is turquoise."
                await memorize(parts, SUBJECT, content=f"{said} Visit {number}.", idempotency_key=f"v{number}")
            await parts.memory.projector.drain("acme")
            return VisitedHome(home, first, await recall(parts, SUBJECT))

    return anyio.run(made)


@pytest.mark.parametrize("applied", ["before", "after"])
@pytest.mark.parametrize(
    ("what", "write"),
    [("entity", 0), ("entity", 1), ("memory_id", 0), ("memory_id", 1), ("fact_id", 0), ("fact_id", 1)],
)
async def test_a_forget_that_was_killed_is_whole_or_not_begun(
    tmp_path: Path, visited: VisitedHome, what: str, write: int, applied: str
) -> None:
    home = Path(shutil.copytree(visited.path, tmp_path / "home"))
    fact = next(one for one in visited.first["facts"] if FACT in one["text"])
    named: Any = {"entity": SUBJECT, "memory_id": visited.first["memory_id"], "fact_id": fact["fact_id"]}[what]
    await killed("forget_worker.py", [str(home), what, named, str(write), applied])
    words = {"entity": (*SAID, *NAMED), "memory_id": (EARLIER, DUPLICATE), "fact_id": (FACT,)}[what]
    async with home_of(home) as parts:
        await parts.memory.projector.drain("acme")  # as every start and `interlayer reconcile` does
        if (write, applied) == (0, "before"):
            assert await recall(parts, SUBJECT) == visited.recalled
            given: dict[str, Any] = {what: named}
            await parts.memory.forgetter.forget(parts.settings.principal, "again", **given)
        await assert_gone(home, words, parts)
        made = await parts.memory.backfill.fill("acme", await parts.memory.spaces.of("acme"))
        assert (made.added, made.removed) == (0, 0)
