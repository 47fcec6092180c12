"""What the product promises of memory on research data: the fresh claim first, repeats merged, evidence found."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from changes import Note, changes, rank_of
from conversations import conversations, found_among
from research_data import needed

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.mark.parametrize("fresh_first", [False, True], ids=["in order", "out of order"])
async def test_a_fresh_claim_ranks_above_the_stale_one(call: Any, fresh_first: bool) -> None:
    pairs = list(changes(needed("governed-memory/conflict_pairs")))
    wrong: list[str] = []
    for pair in pairs:
        notes: Sequence[Note] = (pair.fresh, pair.stale) if fresh_first else (pair.stale, pair.fresh)
        entity = f"company:{pair.company} {pair.name}"
        for note in notes:
            at = note.at.isoformat()
            await call("memorize", entity=entity, content=note.text, observed_at=at, source=at)
        answer = await call("recall_entity", entity=entity, query=pair.question, limit=100, max_tokens=8000)
        fresh, stale = (
            rank_of(pair.fresh, pair.stale, answer["facts"]),
            rank_of(pair.stale, pair.fresh, answer["facts"]),
        )
        if fresh >= stale:
            wrong.append(f"{pair.name}: fresh at {fresh}, stale at {stale}")
    assert len(pairs) >= 15
    assert not wrong


async def test_a_repeated_fact_is_merged_and_a_look_alike_is_not(call: Any) -> None:
    truth = json.loads((needed("governed-memory/multi_source") / "ground_truth.json").read_text(encoding="utf-8"))
    outcomes: dict[str, str] = {}
    for name, source in truth["sources"].items():
        texts = [*source["unique_facts"], *source["overlap_facts"]]
        answer = await call(
            "memorize", entity="contact:sarah.chen@techflow.io", facts=[{"text": text} for text in texts], source=name
        )
        outcomes |= {fact["text"]: fact["outcome"] for fact in answer["facts"]}
    unique = {text for source in truth["sources"].values() for text in source["unique_facts"]}
    overlaps = {text for source in truth["sources"].values() for text in source["overlap_facts"]}
    assert not [text for text in unique if outcomes[text] == "merged"]
    # Two of the ten are the first to say what they say, and one says more than what it overlaps with.
    assert sum(outcomes[text] == "merged" for text in overlaps) >= 7


async def test_most_evidence_is_among_the_first_ten_sources(call: Any) -> None:
    shares: list[float] = []
    for conversation in list(conversations(needed("locomo")))[:2]:
        entity = f"contact:{conversation.name}@conversations.example"
        for turn in conversation.turns:
            await call("memorize", entity=entity, content=turn.text, source=turn.id)
        for question in conversation.questions:
            answer = await call("recall_entity", entity=entity, query=question.text, limit=60, max_tokens=8000)
            shares.append(found_among([fact["source"] for fact in answer["facts"]], question.evidence, 10))
    assert sum(shares) / len(shares) >= 0.75
