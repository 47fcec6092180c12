"""Which facts answer a query best, without a store: the same for the same view, monotone, and never more than asked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import FactRecord, Memorized
from interlayer.memory.recall.query import asked
from interlayer.memory.recall.ranking import Ranked, rank, without_query
from interlayer.models.local import static_vectors
from told_entities import NAME, ToldEntity, on_day, view_of

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
    return ranked(query, numbers, best, of).best.tolist()


def ranked(query: str, numbers: list[int], best: int = 100, of: ToldEntity = ENTITY) -> Ranked:
    [vector] = static_vectors([asked(query, [NAME])]) if query else [np.zeros(256, dtype=np.float32)]
    return rank(of.view, query, vector, np.array(numbers, dtype=np.int64), best, [NAME])


@given(QUERIES, CHOSEN)
def test_every_fact_is_ranked_once_or_counted_as_off_with_a_score_that_never_rises(
    query: str, numbers: list[int]
) -> None:
    found = ranked(query, numbers)
    shown = sorted(found.best.tolist())
    assert shown == found.numbers.tolist()
    assert len(shown) + found.off == len(numbers)
    scores = list(found.scores or ())
    assert len(scores) == len(shown)
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
    if number not in before:
        return  # it has nothing to do with the query
    assert after.index(number) <= before.index(number)
    rest = [place for place in before if place != number]
    assert [place for place in after if place != number] == rest, "the others keep their order"


UNSURE = entity(confidence=0.5, sources=len(FACTS))


def test_what_probably_changed_follows_its_newer_word_directly() -> None:
    told = ToldEntity()
    told.tell("Acme is headquartered in Bergen.", day=0)
    told.tell("Acme has headquarters with a canteen.", day=1)
    told.tell("Acme has relocated its main office to Oslo.", day=90)
    [newer] = told.log[2].facts
    log = [*told.log[:2], replace(told.log[2], facts=(replace(newer, likely=("f_1_0",)),))]
    query = "where is it headquartered"
    assert texts(query, view_of(told.log))[0] == "Acme is headquartered in Bergen.", "its words are nearer"
    assert texts(query, view_of(log))[:2] == [
        "Acme has relocated its main office to Oslo.",
        "Acme is headquartered in Bergen.",
    ]


def test_a_later_change_of_something_else_is_not_lifted() -> None:
    told = ToldEntity()
    told.tell("Payment terms of Acme are 60 days.", day=0)
    told.tell("Acme has cancelled the evaluation because there is no data centre nearby.", day=1)
    assert texts("What are the payment terms?", told.view)[0] == "Payment terms of Acme are 60 days."


def test_the_newer_of_equals_comes_first_unless_the_past_is_asked_for() -> None:
    told = ToldEntity()
    told.tell("The depot stores tyres on the left.", day=0)
    told.tell("The depot stores tyres on the right.", day=90)
    assert texts("where does the depot store tyres?", told.view)[0] == "The depot stores tyres on the right."


def test_a_passage_helps_the_sentence_that_stands_in_it() -> None:
    log = [
        memory(1, "The boiler was replaced.", "It cost nine thousand crowns."),
        memory(2, "The roof was mended.", "It took three weeks."),
        *(memory(number, f"Hall {number} was swept.") for number in range(3, 60)),
        memory(60, "It cost a smile."),
    ]
    assert texts("what did the boiler cost", view_of(log)).index("It cost nine thousand crowns.") < texts(
        "what did the boiler cost", view_of(log)
    ).index("It cost a smile.")


def test_an_announced_change_stands_above_the_one_fact_that_it_changes() -> None:
    told = ToldEntity()
    was, became = "Acme is headquartered in Bergen.", "Acme has relocated its headquarters to Oslo."
    told.tell(was, day=0)
    told.tell("The canteen opens at eleven.", day=1)
    told.tell(became, day=90)
    assert texts("where is it headquartered", told.view)[:2] == [became, was]
    assert texts("where was it headquartered", told.view)[0] == was


def test_what_is_off_the_query_is_left_out_of_a_small_entity_and_counted() -> None:
    told = ToldEntity()
    told.tell("The budget for the crane is 90,000 crowns.")
    for number, text in enumerate(("Ann plays the cello.", "Lunch is at noon.", "The lift is being painted.")):
        for place in ("north", "south", "east", "west"):
            told.tell(text.replace(".", f" in the {place}."), source=f"source {number} {place}")
    [vector] = static_vectors(["What is the budget for the crane?"])
    numbers = np.arange(len(told.view.ordered))
    found = rank(told.view, "What is the budget for the crane?", vector, numbers, 100, [NAME])
    assert told.view.ordered[found.best[0]].record.text == "The budget for the crane is 90,000 crowns."
    assert found.off > 0
    assert 5 <= len(found.best) == len(numbers) - found.off
    elsewhere = "How much may we spend?"  # no word of it is there, so that nothing is clearly off
    assert rank(told.view, elsewhere, static_vectors([elsewhere])[0], numbers, 100, [NAME]).off == 0


def test_words_that_no_fact_has_find_the_fact_beside_them() -> None:
    log = [
        *(memory(number, f"Hall {number} was swept.") for number in range(1, 40)),
        replace(memory(40, "Only with a signed form."), context=((50, "returns refunds accepted"),)),
        memory(41, "Only with a smile."),
    ]
    assert texts("are refunds accepted", view_of(log))[0] == "Only with a signed form."


def memory(number: int, *sentences: str) -> Memorized:
    """Return a memory whose content is these sentences."""
    facts = tuple(
        FactRecord(f"f_{number}_{place}", text, 0.9, on_day(number), span=(100 * place, 100 * place + len(text)))
        for place, text in enumerate(sentences)
    )
    return Memorized(
        id=f"m_{number}",
        revision=number,
        agent="tester",
        recorded_at=on_day(number),
        observed_at=on_day(number),
        extractor="plain",
        has_content=True,
        facts=facts,
    )


def texts(query: str, view: EntityView) -> list[str]:
    """Return the facts that nothing takes the place of, best first."""
    numbers = np.flatnonzero(~view.traits.superseded)
    [vector] = static_vectors([asked(query, [NAME])])
    return [view.ordered[number].record.text for number in rank(view, query, vector, numbers, 100, [NAME]).best]


def test_without_a_query_the_surest_and_newest_come_first_one_source_after_another() -> None:
    made = ToldEntity()
    for text, confidence, day, source in (
        ("The pier was painted.", 0.5, 0, "a"),
        ("The crane was sold.", 0.9, 0, "a"),
        ("The dock was dredged.", 0.9, 5, "a"),
        ("The ferry was late.", 0.7, 0, "b"),
    ):
        made.tell(text, confidence=confidence, day=day, source=source)
    order = without_query(made.view, np.arange(4), 10).best.tolist()
    assert order == [2, 3, 1, 0]
    assert without_query(made.view, np.arange(4), 10).scores is None


@given(CHOSEN, st.integers(1, 20))
def test_without_a_query_fewer_are_the_first_of_more(numbers: list[int], best: int) -> None:
    everything = without_query(ENTITY.view, np.array(numbers), 100).best.tolist()
    assert sorted(everything) == numbers
    assert without_query(ENTITY.view, np.array(numbers), best).best.tolist() == everything[:best]


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
