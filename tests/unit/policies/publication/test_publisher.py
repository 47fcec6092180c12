"""Publishing is all or nothing: what is wrong stops it with file, line and reason, and what was published stays."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from interlayer.errors import Conflict, InvalidInput, NotFound, Refused
from interlayer.principal import Principal
from interlayer_policies.governance import Facets, PolicyFile, PolicyProblems, lint, read_folder, starter_files

pytestmark = pytest.mark.anyio

GOOD = "---\nid: {0}\ndescription: d\nrules: [Think of {0}.]\n---\n# {0}\n"
CHECK = """---
id: checked
description: d
rules:
  - text: Never say foo.
    check: {kind: forbid_terms, terms: [foobar]}
    good: [%s]
    bad: [%s]
---
"""
KEYED = "---\nid: {0}\ndescription: d\nscope: {1}\nrules:\n  - {{level: {2}, key: k, text: Say it.}}\n---\n"


@pytest.mark.parametrize(
    ("texts", "file", "line", "words"),
    [
        ((GOOD.format("a"), GOOD.format("a")), "p1.md", 1, "'a' is already used by p0.md"),
        ((GOOD.format("a"), "---\nid: b\ntitel: x\n---\n"), "p1.md", 3, "'title'"),
        ((CHECK % ("a foobar", "foobar"),), "p0.md", 5, "flags the good example 'a foobar'"),
        ((CHECK % ("fine", "foo"),), "p0.md", 5, "does not flag the bad example 'foo'"),
        ((CHECK.replace("terms:", "term:") % ("x", "y"),), "p0.md", 5, "did you mean 'terms'"),
        (
            (GOOD.format("a").replace("---\n#", "tests: [{task: x, expect_rules: [R2]}]\n---\n#"),),
            "p0.md",
            5,
            "no rule 'R2'",
        ),
        (
            ("---\nid: a\ntests:\n  - {task: Plan the party, expect_sections: [refunds]}\n---\n## Refunds\nPaid.\n",),
            "p0.md",
            4,
            "'Plan the party' is not given section a#refunds",
        ),
        ((KEYED.format("a", "{}", "must"), KEYED.format("b", "{}", "must_not")), "p1.md", 6, "incompatible with a#R1"),
        (
            ("---\nid: a\nsupersedes: [b]\n---\n", "---\nid: b\nsupersedes: [a]\n---\n"),
            "p0.md",
            1,
            "supersede each other",
        ),
        ((), "policies", 1, "no policy files"),
    ],
)
async def test_what_is_wrong_is_named_and_what_was_published_stays(
    world: Any, texts: tuple[str, ...], file: str, line: int, words: str
) -> None:
    await world.publish(GOOD.format("before"))
    with pytest.raises(PolicyProblems) as caught:
        await world.publish(*texts)
    named = [problem for problem in caught.value.problems if words in problem.message]
    assert (file, line) in [(problem.file, problem.line) for problem in named]
    assert f"{file}:{line}: " in str(caught.value)
    assert [rule.policy_id for rule in (await world.context()).rules] == ["before"]
    assert len(await world.governance.history(world.me)) == 1


async def test_rules_of_one_rank_that_cannot_meet_are_compatible(world: Any) -> None:
    await world.publish(
        KEYED.format("a", "{regions: [EU]}", "must"),
        KEYED.format("b", "{regions: [US]}", "must_not"),
        KEYED.format("c", "{}", "must"),
    )
    assert not (await world.context(facets=Facets(region="eu"))).conflicts
    assert (await world.context()).conflicts


async def test_all_problems_are_told_at_once(world: Any) -> None:
    with pytest.raises(PolicyProblems) as caught:
        await world.publish("---\nx: 1\n---\n", "---\ny: 1\n---\n", CHECK % ("foobar", "foo"))
    assert [problem.file for problem in caught.value.problems] == ["p0.md", "p1.md", "p2.md", "p2.md"]


def test_warnings_do_not_stop_anything() -> None:
    problems = lint(
        [PolicyFile("a.md", "---\nrules:\n  - {text: Never say up., check: {kind: forbid_terms, terms: [up]}}\n---\n")]
    )
    assert {problem.severity for problem in problems} == {"warning"}
    messages = " ".join(problem.message for problem in problems)
    for words in ("no description", "no bad example", "single words ('up')"):
        assert words in messages


async def test_versions_count_changes_of_a_policy_and_revisions_count_publishes(world: Any) -> None:
    first = await world.governance.publish(
        world.me, world.files(GOOD.format("a"), GOOD.format("b")), reason="start", author="Ann"
    )
    assert (first.revision, first.new, first.added) == (1, True, ("a", "b"))
    again = await world.governance.publish(world.me, world.files(GOOD.format("b"), GOOD.format("a")), reason="same")
    assert (again.revision, again.new, again.added, again.changed, again.removed) == (1, False, (), (), ())
    proposed = world.files(GOOD.format("a") + "More.\n", GOOD.format("c"))
    difference = await world.governance.planner.difference(world.me, proposed)
    outcomes = {one.id: one.outcome for one in difference.policies}
    assert outcomes == {"a": "changed", "b": "removed", "c": "added"}
    second = await world.governance.publish(
        world.me, world.files(GOOD.format("a") + "More.\n", GOOD.format("c")), reason="more"
    )
    assert (second.added, second.changed, second.removed) == (("c",), ("a",), ("b",))
    third = await world.governance.publish(
        world.me, world.files(GOOD.format("a") + "More.\n", GOOD.format("b")), reason="b"
    )
    assert third.revision == 3
    listing = await world.governance.published(world.me)
    assert [(entry.id, entry.version) for entry in listing.policies] == [("a", 2), ("b", 1)]
    history = await world.governance.history(world.me)
    assert [(p.revision, p.reason, p.author, p.added, p.changed, p.removed, p.total) for p in history] == [
        (3, "b", "outbound-1", 1, 0, 1, 2),
        (2, "more", "outbound-1", 1, 1, 1, 2),
        (1, "start", "Ann", 2, 0, 0, 2),
    ]


async def test_a_publish_and_its_audit_event_are_one(world: Any) -> None:
    await world.publish(GOOD.format("a"))
    page = await world.store.query("audit", "acme#chain")
    assert [(item.body["type"], item.body["subject"]) for item in page.items] == [("policy.published", "policies")]
    detail = page.items[0].body["detail"]
    assert (detail["revision"], detail["added"], detail["reason"]) == (1, ["a"], "test")


async def test_of_publishes_at_once_one_wins_and_the_others_are_told(world: Any) -> None:
    await world.publish(GOOD.format("a"))
    services = [world.another_process() for _ in range(4)]
    outcomes: list[str] = []

    async def publish(number: int) -> None:
        try:
            published = await services[number].publish(
                world.me, world.files(GOOD.format("a") + f"By {number}.\n", GOOD.format(f"n{number}")), reason="race"
            )
            outcomes.append(f"won {published.revision}")
        except Conflict as conflict:
            outcomes.append("lost")
            assert "was published by someone else" in str(conflict)

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(publish, number)
    revision = (await world.governance.published(world.me)).revision
    won = [outcome for outcome in outcomes if outcome != "lost"]
    assert revision == 1 + len(won)
    assert len(won) >= 1
    assert len(await world.governance.history(world.me)) == revision
    for policy in (await world.context()).policies:
        assert (await world.governance.policy(world.me, policy.policy_id)).version == policy.version


async def test_several_processes_may_start_at_once_on_an_empty_store(world: Any) -> None:
    services = [world.another_process() for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for service in services:
            tasks.start_soon(service.ensure_published, world.me, starter_files())
    assert (await world.governance.published(world.me)).revision == 1
    await world.publish(GOOD.format("a"))
    await world.governance.ensure_published(world.me, starter_files())
    assert (await world.governance.published(world.me)).revision == 2, "what was published is never undone"


async def test_a_rollback_publishes_an_older_set_again(world: Any) -> None:
    await world.publish(GOOD.format("a"))
    await world.publish(GOOD.format("a") + "More.\n", GOOD.format("b"))
    back = await world.governance.rollback(world.me, 1, reason="mistake")
    assert (back.revision, back.changed, back.removed) == (3, ("a",), ("b",))
    assert (await world.governance.policy(world.me, "a")).text == GOOD.format("a")
    with pytest.raises(NotFound):
        await world.governance.rollback(world.me, 9, reason="no such")


async def test_only_stewards_and_operators_publish(world: Any) -> None:
    reader = Principal("acme", "bot", frozenset({"reader", "writer"}))
    with pytest.raises(Refused, match="steward or operator"):
        await world.governance.publish(reader, world.files(GOOD.format("a")), reason="mine")


async def test_a_large_set_is_published_within_the_limits_of_a_transaction(world: Any) -> None:
    filler = "Long words about nothing much. " * 3_000
    texts = [GOOD.format(f"p{number}") for number in range(900)]
    texts += [GOOD.format(f"long{number}") + filler for number in range(45)]
    revision = await world.publish(*texts)
    assert revision == 1
    assert [entry.total for entry in await world.governance.history(world.me)] == [945]


def test_the_starter_policies_have_no_problem_at_all() -> None:
    files = starter_files()
    assert [file.path.removesuffix(".md") for file in files] == [
        "brand-voice",
        "competitor-pricing",
        "customer-privacy",
        "data-deletion",
        "discounts",
        "escalation",
        "facets.yaml",
        "legal-claims",
        "roadmap",
    ]
    assert lint(files) == []


async def test_the_starter_policies_pass_their_own_tests_and_leave_room_for_guidance(world: Any) -> None:
    assert await world.governance.examine(starter_files()) == []
    await world.governance.ensure_published(world.me, starter_files())
    assert (await world.context()).budget.rules <= 1_200


def test_a_folder_is_read_whole_in_order(tmp_path: Path) -> None:
    (tmp_path / "sales").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "sales" / "b.md").write_text(GOOD.format("b"))
    (tmp_path / "a.md").write_text(GOOD.format("a"))
    (tmp_path / "notes.txt").write_text("not a policy")
    assert [file.path for file in read_folder(tmp_path)] == ["a.md", "sales/b.md"]
    with pytest.raises(InvalidInput, match="holds no"):
        read_folder(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="not a folder"):
        read_folder(tmp_path / "missing")
