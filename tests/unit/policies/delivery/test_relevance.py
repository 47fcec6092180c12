"""Guidance: relevant sections come, best first, into what the budget leaves; a task about something else gets none.

All tasks and policies here are invented; the floor was set with them.
"""

import json
from typing import Any

import pytest

from interlayer.answers import as_json
from interlayer.errors import InvalidInput
from interlayer_policies.delivery.sizes import json_bytes, tokens_of
from interlayer_policies.governance import Facets, read_folder, starter_files
from research_data import needed

pytestmark = pytest.mark.anyio

OFF_TOPIC = """
Plan the company holiday party
Book a table for lunch
Write a poem about autumn
Translate this recipe for banana bread
Fix the printer on the second floor
Summarise the weather forecast for Paris
Schedule a dentist appointment for Monday
Refactor the sorting function and add unit tests
Find a cheap flight to Lisbon in May
Order new chairs for the office
Explain how photosynthesis works
Make a playlist for a road trip with the team
Write a birthday card for my colleague Anna
Compute the average of these ten numbers
Organise parking for visitors next week. We need twelve spots and a sign at the entrance. Ask the landlord.
Draft an out of office reply for my vacation
Pick a gift for a colleague who is leaving
Buy tickets for the football match
""".strip().splitlines()

ON_TOPIC = {
    "Describe our volume tiers": "discounts#volume-pricing",
    "Customer wants us to delete their account data": "data-deletion#receiving-a-deletion-request",
    "Draft a follow up email to a prospect": "brand-voice#emails-to-prospects",
    "Reply to a lead who says another vendor is cheaper": "competitor-pricing#answering-a-comparison",
    "A journalist is asking about a data leak": "customer-privacy#reporting-a-leak",
    "Answer a security questionnaire": "legal-claims#certifications",
    "Negotiate the renewal with procurement": "discounts#negotiating-without-discounting",
}

GUIDE = "---\nid: {0}\ndescription: about {0}\n---\n# {0}\n## {1}\n{2}\n"
LONG = " ".join(f"Refund step {n}: check the invoice of the order and the refund form." for n in range(20))


@pytest.fixture
async def starters(world: Any) -> Any:
    await world.governance.ensure_published(world.me, starter_files())
    return world


async def test_a_task_about_something_else_gets_no_sections(starters: Any) -> None:
    for task in OFF_TOPIC:
        got = await starters.context(task)
        assert (task, got.sections, got.omitted) == (task, (), ())
        assert got.rules, "rules do not depend on the task"


async def test_a_task_within_a_policy_gets_its_section(starters: Any) -> None:
    for task, wanted in ON_TOPIC.items():
        got = await starters.context(task)
        assert wanted in [f"{section.policy_id}#{section.section_id}" for section in got.sections], task
        assert not got.degraded


async def test_a_default_answer_keeps_to_its_budget_and_counts_itself_right(starters: Any) -> None:
    for task in [*ON_TOPIC, OFF_TOPIC[0]]:
        got = await starters.context(task)
        counted = tokens_of(json_bytes(got))
        assert counted <= 2_000
        assert abs(counted - got.budget.used) <= 2
        assert got.budget.exceeded_by == 0
        scores = [section.score for section in got.sections]
        assert scores == sorted(scores, reverse=True)


async def test_rules_are_never_trimmed_to_a_budget(starters: Any) -> None:
    roomy, tight = await starters.context("Describe our volume tiers"), None
    tight = await starters.context("Describe our volume tiers", max_tokens=1)
    assert tight.rules == roomy.rules
    assert tight.sections == ()
    assert tight.budget.exceeded_by == tight.budget.used - 1
    assert tight.budget.rules == roomy.budget.rules
    assert [(note.section_id, note.why) for note in tight.omitted] == [("volume-pricing", "budget")]
    assert tight.omitted[0].tokens > 50


async def test_sections_that_do_not_fit_are_named_and_never_cut(world: Any) -> None:
    await world.publish(
        GUIDE.format("long", "Refund in detail", LONG),
        GUIDE.format("short", "Refund in short", "Check the invoice of the order, then the refund form."),
    )
    got = await world.context("How do I check the invoice for a refund of an order?", max_tokens=500)
    assert [section.section_id for section in got.sections] == ["refund-in-short"]
    assert [note.section_id for note in got.omitted] == ["refund-in-detail"]
    assert got.budget.used <= 500
    whole = await world.context("How do I check the invoice for a refund of an order?", max_tokens=8_000)
    assert {section.section_id: section.text for section in whole.sections}["refund-in-detail"] == LONG


async def test_equal_texts_are_sent_once(world: Any) -> None:
    text = "Check the invoice of the order, then fill in the refund form."
    await world.publish(GUIDE.format("a", "Refunds", text), GUIDE.format("b", "Refunds", text))
    got = await world.context("Refund an order by its invoice")
    assert [section.policy_id for section in got.sections] == ["a"]


async def test_what_a_policy_is_called_counts_for_more_than_a_word_in_passing(world: Any) -> None:
    text = "Ask the workshop for a date. Then tell the driver of the forklift where to bring it."
    passing = "Ask the workshop for a date. Then tell the inspection where the forklift is to be brought."
    await world.publish(
        f"---\nid: b\ntitle: Forklift inspection\n---\n## Steps\n{text}\n",
        f"---\nid: a\ntitle: Yard appointments\n---\n## Steps\n{passing}\n",
    )
    got = await world.context("Arrange the forklift inspection")
    assert [section.policy_id for section in got.sections] == ["b", "a"]


async def test_a_task_of_many_sentences_finds_what_each_of_them_needs(world: Any) -> None:
    kinds = ("invoice", "parcel", "badge", "forklift", "mortgage", "newsletter", "helmet", "pallet")
    await world.publish(
        *(GUIDE.format(kind, f"Lost {kind}", f"Who lost a {kind} fills in form {kind}.") for kind in kinds)
    )
    got = await world.context(" ".join(f"Then she says that she lost her {kind}." for kind in kinds), max_tokens=8_000)
    assert {section.policy_id for section in got.sections} == set(kinds)


async def test_a_section_out_of_scope_is_not_sent(world: Any) -> None:
    text = (
        "---\nid: eu\nscope: {regions: [EU]}\n---\n# eu\n## Refunds\nCheck the invoice of the order for the refund.\n"
    )
    await world.publish(text, GUIDE.format("other", "Pets", "No dogs."))
    task = "Refund an order by its invoice"
    assert (await world.context(task, Facets(region="us"))).sections == ()
    assert len((await world.context(task, Facets(region="eu"))).sections) == 1
    assert len((await world.context(task)).sections) == 1


async def test_the_same_call_gives_the_same_bytes_but_for_its_receipt(starters: Any) -> None:
    first, second = [as_json(await starters.context("Describe our volume tiers")) for _ in range(2)]
    third = as_json(await starters.another_process().context(starters.me, "Describe our volume tiers", Facets()))
    ids = {document.pop("receipt_id") for document in (first, second, third)}
    assert first == second == third
    assert len(ids) == 3


# Topics


async def test_topics_find_guidance_that_the_words_of_the_task_do_not(world: Any) -> None:
    await world.publish(
        "---\nid: outages\ndescription: What to do when a service fails.\nrules: [Be kind.]\n---\n"
        "## Status page\nDuring an outage post an update on the status page every thirty minutes.\n"
    )
    task = "Checkout is dead since nine and people shout at us."
    bare = await world.context(task)
    with_topics = await world.context(task, topics=["outage", "status page", "service incident"])
    assert bare.sections == ()
    assert [one.section_id for one in with_topics.sections] == ["status-page"]
    assert with_topics.rules == bare.rules


@pytest.mark.parametrize(
    ("topics", "field"), [(["x"] * 11, "topics"), (["a", " "], "topics.1"), (["y" * 121], "topics.0")]
)
async def test_topics_have_bounds(world: Any, topics: list[str], field: str) -> None:
    await world.publish("---\nid: p\nrules: [Be kind.]\n---\n")
    with pytest.raises(InvalidInput, match=rf"^{field}: "):
        await world.context("Reply", topics=topics)


async def test_guidance_for_tasks_in_other_words_comes_and_off_topic_ones_get_none(world: Any) -> None:
    folder = needed("guidance")
    await world.governance.publish(world.me, read_folder(folder / "policies"), reason="x")
    cases = [json.loads(line) for line in (folder / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {"hard": 0, "topics": 0, "own_words": 0}
    for case in cases:
        wanted = (case["policy_id"], case["section_id"])
        for way, task, topics in (
            ("hard", case["hard"], []),
            ("topics", case["hard"], case["topics"]),
            ("own_words", case["own_words"], []),
        ):
            sections = (await world.context(task, topics=topics)).sections
            found[way] += wanted in {(one.policy_id, one.section_id) for one in sections}
    assert found["hard"] >= 0.3 * len(cases), found
    assert found["topics"] >= 0.9 * len(cases), found
    assert found["own_words"] >= 0.98 * len(cases), found
    strangers = [json.loads(line) for line in (folder / "off_topic.jsonl").read_text(encoding="utf-8").splitlines()]
    for with_topics in (False, True):
        given = [
            bool((await world.context(one["task"], topics=one["topics"] if with_topics else [])).sections)
            for one in strangers
        ]
        assert sum(given) <= 0.05 * len(strangers)
