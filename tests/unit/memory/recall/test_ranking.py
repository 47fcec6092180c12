"""Which facts answer a query best, without a store: the same for the same view, monotone, and never more than asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.recall.ranking import asked, rank, without_query
from interlayer.models.local import static_vectors
from told_entities import NAME, ToldEntity

SUBJECTS = ["pumps", "valves", "cranes", "ferries", "trucks", "harbours", "invoices", "contracts"]
FACTS = [f"The {subject} of the {place} were inspected." for subject in SUBJECTS for place in ("north", "south")]
QUERIES = st.sampled_from(
    ["Which pumps were inspected?", "the cranes in the south", "invoices", "nothing of the kind", ""]
)
CHOSEN = st.lists(st.integers(0, len(FACTS) - 1), min_size=1, unique=True).map(sorted)


def entity(*, confidence: float = 0.9, sources: int = 1) -> ToldEntity:
    """Tell every fact, each on the same day, by one source after another."""
    made = ToldEntity()
    for number, text in enumerate(FACTS):
        made.tell(text, confidence=confidence, source=f"source {number % sources}")
    assert len(made.view.ordered) == len(FACTS)
    return made


ENTITY = entity(sources=4)


def places(query: str, numbers: list[int], best: int = 100, of: ToldEntity = ENTITY) -> list[int]:
    """Return the numbers of the ranked facts."""
    return [fact.number for fact, _ in ranked(query, numbers, best, of)]


def ranked(
    query: str, numbers: list[int], best: int = 100, of: ToldEntity = ENTITY
) -> list[tuple[FactState, float | None]]:
    [vector] = static_vectors([asked(query, [NAME])]) if query else [np.zeros(256, dtype=np.float32)]
    return rank(of.view, query, vector, np.array(numbers, dtype=np.int64), best, [NAME])


@given(QUERIES, CHOSEN)
def test_every_fact_that_is_asked_for_is_ranked_once_with_a_score_that_never_rises(
    query: str, numbers: list[int]
) -> None:
    found = ranked(query, numbers)
    assert sorted(fact.number for fact, _ in found) == numbers
    scores = [score for _, score in found if score is not None]
    assert len(scores) == len(numbers)
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(QUERIES, CHOSEN, st.integers(1, 20))
def test_fewer_are_the_first_of_more_and_asking_changes_nothing(query: str, numbers: list[int], best: int) -> None:
    everything = places(query, numbers)
    assert places(query, numbers, best) == everything[:best]
    assert places(query, numbers) == everything


def test_no_facts_are_ranked_as_none() -> None:
    assert places("pumps", []) == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_has_the_words_of_the_query_comes_first(subject: str) -> None:
    first = places(f"{subject} of the south", list(range(len(FACTS))), 2)
    assert FACTS[first[0]] == f"The {subject} of the south were inspected."
    assert FACTS[first[1]] == f"The {subject} of the north were inspected."


@given(st.integers(0, len(FACTS) - 1), QUERIES)
def test_more_confidence_never_costs_a_fact_its_place(number: int, query: str) -> None:
    everything = list(range(len(FACTS)))
    surer = ToldEntity()
    for place, text in enumerate(FACTS):
        surer.tell(text, confidence=0.9 if place == number else 0.5, source=f"source {place}")
    before = places(query, everything, of=UNSURE)
    after = places(query, everything, of=surer)
    assert after.index(number) <= before.index(number)
    rest = [place for place in before if place != number]
    assert [place for place in after if place != number] == rest, "the others keep their order"


UNSURE = entity(confidence=0.5, sources=len(FACTS))


def test_what_changed_stands_above_what_was_so_unless_the_past_is_asked_for() -> None:
    moved = ToldEntity()
    moved.tell("Acme is headquartered in Bergen.", day=0)
    moved.tell("Twelve trucks carry the freight.", day=1)
    moved.tell("Acme has relocated its headquarters to Oslo.", day=90)
    numbers = list(range(len(moved.view.ordered)))
    now = [moved.view.ordered[place].record.text for place in places("where is it headquartered", numbers, of=moved)]
    assert now.index("Acme has relocated its headquarters to Oslo.") < now.index("Acme is headquartered in Bergen.")
    then = [moved.view.ordered[place].record.text for place in places("where was it headquartered", numbers, of=moved)]
    assert then[0] == "Acme is headquartered in Bergen."


def test_without_a_query_the_surest_and_newest_come_first_one_source_after_another() -> None:
    made = ToldEntity()
    for text, confidence, day, source in (
        ("The pier was painted.", 0.5, 0, "a"),
        ("The crane was sold.", 0.9, 0, "a"),
        ("The dock was dredged.", 0.9, 5, "a"),
        ("The ferry was late.", 0.7, 0, "b"),
    ):
        made.tell(text, confidence=confidence, day=day, source=source)
    order = [fact.number for fact, _ in without_query(made.view, np.arange(4), 10)]
    assert order == [2, 3, 1, 0]
    assert {score for _, score in without_query(made.view, np.arange(4), 10)} == {None}


@given(CHOSEN, st.integers(1, 20))
def test_without_a_query_fewer_are_the_first_of_more(numbers: list[int], best: int) -> None:
    everything = [fact.number for fact, _ in without_query(ENTITY.view, np.array(numbers), 100)]
    assert sorted(everything) == numbers
    assert [fact.number for fact, _ in without_query(ENTITY.view, np.array(numbers), best)] == everything[:best]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("Acme headquarters", "headquarters"),
        ("the staff of ACME", "staff"),
        ("Acme", "Acme"),
        ("Where is it?", "Where is it?"),
    ],
)
def test_an_entitys_own_names_tell_none_of_its_facts_from_another(query: str, kept: str) -> None:
    assert asked(query, [NAME]) == kept
