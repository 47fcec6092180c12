"""What a statement adds to an entity, decided without a store: nothing told is lost, and order decides nothing."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.memory.reconciliation.reconcile import Decision, confirmations_of, facts_of, reconcile
from interlayer.memory.requests import FactCandidate
from interlayer.models.local import static_vectors
from interlayer.models.scale import REFERENCE
from told_entities import NAME, ToldEntity, on_day, view_of

# Statements that say nothing of each other, and series of which only one can be so at a time.
APART = ["Acme has a pier in Oslo.", "Twelve trucks carry the freight.", "Maria prefers letters over calls."]
STAFF = [f"Acme has {count} employees." for count in (280, 312, 340)]
STORES = [f"Acme uses {name} as its primary database." for name in ("Oracle", "PostgreSQL")]
STATEMENTS = st.sampled_from([*APART, *STAFF, *STORES])
TELLINGS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3), min_size=1, max_size=6)


def decide(texts: Sequence[str], entity: ToldEntity | None = None) -> list[Decision]:
    view = (entity or ToldEntity()).view
    vectors = static_vectors(list(texts))
    candidates = [FactCandidate(text, 0.9) for text in texts]
    return reconcile(candidates, vectors, view, view.vectors, REFERENCE, [NAME], on_day(3))


def test_every_candidate_gets_one_decision_in_its_place() -> None:
    decided = decide([*APART, APART[0]])
    assert [one.candidate.text for one in decided] == [*APART, APART[0]]
    assert [one.outcome for one in decided] == ["added", "added", "added", "merged"]
    assert decided[3].duplicate_of == 0, "named by its number in the call"


@pytest.mark.parametrize(
    "again", ["acme HAS a pier in Oslo", "Acme has a pier, in Oslo!", "  Acme has a pier in oslo . "]
)
def test_the_same_words_are_one_statement_whatever_their_case_and_punctuation(again: str) -> None:
    entity = ToldEntity()
    entity.tell(APART[0])
    [decision] = decide([again], entity)
    assert (decision.outcome, decision.similarity) == ("merged", 1.0)
    assert decision.duplicate_of == entity.fact(APART[0]).record.id


def test_the_same_words_are_known_without_vectors_too() -> None:
    entity = ToldEntity()
    entity.tell(*APART)
    nothing = np.zeros((2, 0), dtype=np.float32)
    candidates = [FactCandidate(text, 0.9) for text in (APART[1], "The dock was painted.")]
    decided = reconcile(candidates, nothing, entity.view, nothing[:0], REFERENCE, [NAME], on_day(3))
    assert [one.outcome for one in decided] == ["merged", "added"]


def test_another_number_is_another_statement_however_near_it_lies() -> None:
    entity = ToldEntity()
    entity.tell(STAFF[0])
    [decision] = decide([STAFF[1]], entity)
    assert decision.outcome == "added"


def test_what_cannot_be_so_at_one_time_is_named_by_when_it_was_observed() -> None:
    entity = ToldEntity()
    for day, text in ((10, STAFF[0]), (30, STAFF[2])):
        entity.tell(text, day=day)
    [between] = entity.tell(STAFF[1], day=20)
    assert between.supersedes == (entity.fact(STAFF[0]).record.id,)
    assert between.superseded_by == (entity.fact(STAFF[2]).record.id,)
    assert between.opposed == ()
    assert entity.current() == {STAFF[2]}


def test_a_candidate_is_compared_with_those_before_it_in_a_call_of_any_length() -> None:
    texts = [f"Pump {number} stands in hall {number % 7}." for number in range(300)]  # more than are compared at a time
    decided = decide([*texts, texts[0], texts[299]])
    assert {one.outcome for one in decided[:300]} == {"added"}
    assert [one.duplicate_of for one in decided[300:]] == [0, 299]


@given(TELLINGS)
def test_nothing_told_is_lost(tellings: list[list[str]]) -> None:
    entity = ToldEntity()
    for day, texts in enumerate(tellings):
        entity.tell(*texts, day=day)
    told = {text for texts in tellings for text in texts}
    assert {fact.record.text for fact in entity.view.ordered} == told
    assert entity.current() | entity.superseded() == told


@given(TELLINGS)
def test_telling_it_all_again_adds_no_fact_and_changes_none(tellings: list[list[str]]) -> None:
    entity = ToldEntity()
    for day, texts in enumerate(tellings):
        entity.tell(*texts, day=day)
    before = {fact.record.id: (fact.record.text, fact.superseded_by is None) for fact in entity.view.ordered}
    for day, texts in enumerate(tellings):
        assert {one.outcome for one in entity.tell(*texts, day=day)} == {"merged"}
    after = {fact.record.id: (fact.record.text, fact.superseded_by is None) for fact in entity.view.ordered}
    assert after == before


@settings(max_examples=80)
@given(st.lists(STATEMENTS, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_of_what_was_observed_at_other_times_changes_nothing(
    texts: list[str], random: Random
) -> None:
    told = list(enumerate(texts))
    shuffled = random.sample(told, len(told))
    entities: list[ToldEntity] = []
    for order in (told, shuffled):
        entity = ToldEntity()
        for day, text in order:
            entity.tell(text, day=day)
        entities.append(entity)
    one, other = entities
    assert (one.current(), one.superseded()) == (other.current(), other.superseded())
    assert {fact.record.text: fact.seen_at for fact in one.view.ordered} == {
        fact.record.text: fact.seen_at for fact in other.view.ordered
    }


@given(TELLINGS)
def test_what_is_stored_of_a_decision_names_the_facts_of_the_view_and_no_others(tellings: list[list[str]]) -> None:
    entity = ToldEntity()
    for day, texts in enumerate(tellings):
        entity.tell(*texts, day=day)
    known = set(entity.view.facts)
    for memory in entity.log:
        assert {fact.id for fact in memory.facts} <= known
        assert {other for fact in memory.facts for other in fact.contradicts} <= known
        assert {said.fact_id for said in memory.confirms} <= known
    assert sum(len(memory.facts) for memory in entity.log) == len(known)
    assert {fact.record.id for fact in view_of(entity.log).ordered} == known


def test_facts_are_numbered_by_their_place_in_the_call_and_confirmations_by_the_fact() -> None:
    entity = ToldEntity()
    entity.tell(APART[0])
    decided = decide([APART[0], APART[1], APART[1], APART[2]], entity)
    facts = facts_of(decided, "m_9", on_day(3), beside=True)
    assert [(fact.id, fact.text, fact.observed_at) for fact in facts] == [
        ("f_9_1", APART[1], on_day(3)),
        ("f_9_3", APART[2], on_day(3)),
    ]
    assert all(fact.given for fact in facts), "stated by the caller beside content"
    [confirmed] = confirmations_of(decided, on_day(3), beside=False, memory_id="m_9")
    assert (confirmed.fact_id, confirmed.similarity, confirmed.given) == (entity.fact(APART[0]).record.id, 1.0, False)
