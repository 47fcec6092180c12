"""Relations as calls state them: by any name, dated, ended, and one truth with the properties that mirror them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate

pytestmark = pytest.mark.anyio

ANN = "contact:ann@mail.example"
ACME, GLOBEX = "company:acme.example", "company:globex.example"
HISTORY = ["properties", "facts", "relations", "history"]


def on(day: int, month: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def works(target: str = ACME, **more: Any) -> list[RelationCandidate]:
    return [RelationCandidate("works_at", target, **more)]


async def companies(room: Any) -> None:
    await room.facts(ACME, "Acme sells pumps.", name="Acme")
    await room.facts(GLOBEX, "Globex sells valves.", name="Globex")


async def seen(room: Any, entity: str, **more: Any) -> list[tuple[str, str, str]]:
    answer = await room.recall(entity, **more)
    return [(one["type"], one["name"], one["status"]) for one in answer["relations"]]


async def company_of(room: Any, entity: str = ANN) -> Any:
    values = {one["name"]: one["value"] for one in (await room.recall(entity))["properties"]}
    return values.get("company")


async def test_a_relation_is_seen_from_both_ends_with_name_date_source_and_values(room: Any) -> None:
    await companies(room)
    title = [PropertyCandidate("job_title", "CTO", 0.9)]
    told = await room.memorize(ANN, name="Ann", properties=title, relations=works(), source="mail 7", observed_at=on(3))
    (out,) = (await room.recall(ANN))["relations"]
    (back,) = (await room.recall(ACME))["relations"]
    assert (out["type"], out["direction"], out["name"], out["target"]) == ("works_at", "out", "Acme", out["entity"])
    assert (back["type"], back["direction"], back["name"], back["entity"]) == (
        "employs",
        "in",
        "Ann",
        told["entity"]["ref"],
    )
    assert back["properties"] == {"job_title": "CTO"}, "and not the company, which the relation says"
    for one in (out, back):
        assert (one["status"], one["observed_at"][:10], one["confidence"]) == ("current", "2026-01-03", 0.9)
        assert (one["memory_id"], one["source"]) == (told["memory_id"], "mail 7")


@pytest.mark.parametrize("newest_first", [True, False])
async def test_after_a_change_of_jobs_only_the_new_employer_is_current(room: Any, newest_first: bool) -> None:
    await companies(room)
    told = [(works(ACME), on(1)), (works(GLOBEX), on(5))]
    for relations, at in told[::-1] if newest_first else told:
        await room.memorize(ANN, relations=relations, observed_at=at)
    for one in (room, room.other()):
        assert await seen(one, ANN) == [("works_at", "Globex", "current")]
        assert await seen(one, ACME) == []
        assert await seen(one, GLOBEX) == [("employs", "ann@mail.example", "current")]
        assert await seen(one, ANN, include=HISTORY) == [
            ("works_at", "Globex", "current"),
            ("works_at", "Acme", "superseded"),
        ]
        assert await seen(one, ACME, include=HISTORY) == [("employs", "ann@mail.example", "superseded")]
        assert await company_of(one) == "Globex"


async def test_the_answer_says_what_became_of_a_relation(room: Any) -> None:
    await companies(room)
    (first,) = (await room.memorize(ANN, relations=works(), observed_at=on(1)))["relations"]
    (again,) = (await room.memorize(ANN, relations=works(), observed_at=on(2)))["relations"]
    moved = (await room.memorize(ANN, relations=works(GLOBEX), observed_at=on(5)))["relations"][0]
    late = (await room.memorize(ANN, relations=works(), observed_at=on(3)))["relations"][0]
    left = (await room.memorize(ANN, relations=works(GLOBEX, ended=True), observed_at=on(9)))["relations"][0]
    assert [one["outcome"] for one in (first, again, moved, late, left)] == [
        "added",
        "confirmed",
        "added",
        "kept",
        "ended",
    ]
    assert moved["supersedes"] == first["target"]
    assert "superseded" in late["reason"]


async def test_an_ended_relation_is_over_on_both_sides_and_takes_the_value_along(room: Any) -> None:
    await companies(room)
    await room.memorize(ANN, relations=works(), observed_at=on(1))
    assert await company_of(room) == "Acme"
    await room.memorize(ANN, relations=works(ended=True), observed_at=on(5))
    assert await seen(room, ANN) == []
    assert await seen(room, ACME, include=HISTORY) == [("employs", "ann@mail.example", "ended")]
    assert await company_of(room) is None


@pytest.mark.parametrize(
    ("entity", "kind", "target"),
    [
        (ANN, "works_for", ACME),
        (ANN, "Employed By", ACME),
        (ACME, "employs", ANN),
        (ACME, "employer_of", ANN),
    ],
)
async def test_a_synonym_or_an_inverse_is_stored_as_the_one_type(
    room: Any, entity: str, kind: str, target: str
) -> None:
    await companies(room)
    await room.memorize(entity, relations=[RelationCandidate(kind, target)])
    assert await seen(room, ANN) == [("works_at", "Acme", "current")]


async def test_an_unknown_type_and_ends_that_do_not_fit_are_taken_and_said(room: Any) -> None:
    given = [
        RelationCandidate("work_at", ACME),
        RelationCandidate("works_at", "deal:D-1"),
        RelationCandidate("knows", "contact:bo@mail.example"),
    ]
    unknown, misfit, known = (await room.memorize(ANN, relations=given))["relations"]
    assert (unknown["type"], unknown["reason"]) == ("work_at", "unknown type of relation; the nearest is works_at")
    assert misfit["reason"] == "works_at leads from contact to company, not from contact to deal"
    assert "reason" not in known
    assert len((await room.recall(ANN))["relations"]) == 3


async def test_a_value_that_names_a_known_company_makes_the_relation(room: Any) -> None:
    await companies(room)
    answer = await room.memorize(ANN, properties=[PropertyCandidate("company", "Globex", 0.9)], observed_at=on(2))
    assert [one["type"] for one in answer["relations"]] == ["works_at"]
    assert await seen(room, GLOBEX) == [("employs", "ann@mail.example", "current")]
    await room.memorize(ANN, properties=[PropertyCandidate("company", "Acme", 0.9)], observed_at=on(5))
    assert await seen(room, ANN) == [("works_at", "Acme", "current")]
    await room.memorize(ANN, properties=[PropertyCandidate("company", "Hooli", 0.9)], observed_at=on(7))
    assert await seen(room, ANN) == [], "she is somewhere else, where nobody is known"
    await room.memorize(ANN, relations=works(), observed_at=on(9))
    assert await company_of(room) == "Acme"


async def test_a_value_and_its_relation_in_one_call_are_told_once(room: Any) -> None:
    await companies(room)
    value = [PropertyCandidate("company", "Acme", 0.9)]
    answer = await room.memorize(ANN, properties=value, relations=works())
    assert [one["name"] for one in answer["properties"]] == ["company"]
    assert len(answer["relations"]) == 1
    assert len(await seen(room, ANN)) == 1


async def test_an_address_of_a_known_companys_domain_makes_the_relation(room: Any) -> None:
    await companies(room)
    await room.facts("contact:priya@acme.example", "Priya likes tea.")
    assert await seen(room, "contact:priya@acme.example") == [("works_at", "Acme", "current")]
    (one,) = (await room.recall("contact:priya@acme.example"))["relations"]
    assert one["confidence"] == 0.45
    await room.memorize("contact:priya@acme.example", relations=works(GLOBEX))
    await room.facts("contact:priya@acme.example", "Priya skis.")
    assert await seen(room, "contact:priya@acme.example") == [("works_at", "Globex", "current")], "said in words"


async def test_an_address_says_nothing_against_what_is_known_nor_of_a_free_mailbox(room: Any) -> None:
    await companies(room)
    await room.facts("company:gmail.com", "Gmail is a mailbox.", name="Gmail")
    await room.facts("contact:bo@gmail.com", "Bo skis.")
    assert await seen(room, "contact:bo@gmail.com") == []
    await room.memorize(ANN, relations=works(GLOBEX))
    await room.memorize(ANN, facts=[FactCandidate("Ann skis.", 0.9)], identifiers={"email": "ann@acme.example"})
    assert await seen(room, ANN) == [("works_at", "Globex", "current")]
    await room.facts("contact:cy@hooli.example", "Cy skis.")
    assert await seen(room, "contact:cy@hooli.example") == [], "nobody knows the company"


async def test_the_past_has_the_relations_of_then(room: Any) -> None:
    await companies(room)
    await room.memorize(ANN, relations=works(), observed_at=on(1))
    before = room.clock.now
    room.clock.now = on(1, month=12)
    await room.memorize(ANN, relations=works(GLOBEX), observed_at=on(1, month=11))
    assert await seen(room, ANN, as_of=on(1, month=10)) == [("works_at", "Acme", "current")]
    assert await seen(room, ACME, as_of=on(1, month=10)) == [("employs", "ann@mail.example", "current")]
    assert await seen(room, ACME, known_at=before) == [("employs", "ann@mail.example", "current")]
    assert await seen(room, GLOBEX, known_at=before) == []


@pytest.mark.on_disk
async def test_forgetting_the_newer_brings_the_older_back_on_both_sides(room: Any) -> None:
    await companies(room)
    await room.memorize(ANN, relations=works(), observed_at=on(1))
    newer = await room.memorize(ANN, relations=works(GLOBEX), observed_at=on(5))
    await room.forgetter.forget(room.principal, "request 7", memory_id=newer["memory_id"])
    for one in (room, room.other()):
        assert await seen(one, ANN) == [("works_at", "Acme", "current")]
        assert await seen(one, ACME) == [("employs", "ann@mail.example", "current")]
        assert await seen(one, GLOBEX, include=HISTORY) == []


async def test_a_relation_is_traced_to_those_who_say_it(room: Any) -> None:
    await companies(room)
    await room.memorize(ANN, relations=works(), observed_at=on(1), source="mail 7")
    await room.memorize(ANN, relations=works(ended=True), observed_at=on(5), source="call 8")
    why = await room.memory.explain_relation(room.principal, ANN, "works_for")
    assert [(one.type, one.to.name, one.status) for one in why.relations] == [("works_at", "Acme", "ended")]
    assert [(one.said, one.source, one.observed_at[:10]) for one in why.voices] == [
        ("works_at Acme is over", "call 8", "2026-01-05"),
        ("works_at Acme", "mail 7", "2026-01-01"),
    ]
    assert await room.memory.explain_relation(room.principal, ANN, "knows") is None


@pytest.mark.on_disk
async def test_merged_people_have_one_employer_and_split_ones_have_theirs_again(room: Any) -> None:
    await companies(room)
    other = "contact:ann.lee@mail.example"
    await room.memorize(ANN, name="Ann", relations=works(), observed_at=on(1))
    second = await room.memorize(other, name="Ann Lee", relations=works(GLOBEX), observed_at=on(5))
    await room.merger.merge(room.principal, ANN, other, "one person")
    assert await seen(room, ANN) == [("works_at", "Globex", "current")]
    assert await seen(room, ACME) == []
    assert [kind for kind, _, _ in await seen(room, GLOBEX)] == ["employs"]
    await room.memorize(ANN, relations=works(GLOBEX), observed_at=on(6))
    assert len(await seen(room, GLOBEX)) == 1, "noted with both, told once"
    await room.merger.split(room.principal, ANN, second["entity"]["ref"], "two after all")
    assert await seen(room, other) == [("works_at", "Globex", "current")]
    assert {name for _, name, _ in await seen(room, GLOBEX)} == {"Ann", "Ann Lee"}


async def test_many_relations_leave_room_for_facts(room: Any) -> None:
    await room.facts(ACME, *(f"Acme has sold {n} pumps of kind {n}." for n in range(20)), name="Acme")
    for number in range(40):
        await room.memorize(f"contact:p{number}@mail.example", name=f"Person {number}", relations=works())
    answer = await room.recall(ACME)
    assert len(answer["facts"]) > 5
    assert answer["omitted"]["relations"] == "max_tokens"
    assert len(answer["relations"]) > 3
