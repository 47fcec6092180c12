"""An entity as the fold of its log: the same log is the same view, and what is superseded is never current."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.entities.view import EntityView, exact_form, valid_then
from interlayer.models.embedder import Space
from interlayer.models.local import static_vectors
from told_entities import ToldEntity, on_day, view_of

STATEMENTS = st.sampled_from(
    [
        "Acme has a pier in Oslo.",
        "Twelve trucks carry the freight.",
        *(f"Acme has {count} employees." for count in (280, 312, 340)),
        *(f"Acme uses {name} as its primary database." for name in ("Oracle", "PostgreSQL")),
    ]
)
TELLINGS = st.lists(
    st.tuples(st.lists(STATEMENTS, min_size=1, max_size=3), st.integers(0, 4), st.sampled_from([None, "call", "mail"])),
    min_size=1,
    max_size=6,
)


def told(tellings: list[tuple[list[str], int, str | None]]) -> ToldEntity:
    entity = ToldEntity()
    for texts, day, source in tellings:
        entity.tell(*texts, day=day, source=source)
    return entity


def shown(view: EntityView) -> list[tuple[object, ...]]:
    """Return everything that a view says of its facts, in order."""
    return [
        (
            fact.record,
            fact.memory.id,
            fact.confirmed_by,
            fact.said_as,
            fact.confidence,
            fact.seen_at,
            sorted(other.record.id for other in fact.contradicts),
            fact.superseded_by and fact.superseded_by.record.id,
        )
        for fact in view.ordered
    ]


@given(TELLINGS)
def test_the_same_log_is_the_same_view_however_often_it_is_folded(
    tellings: list[tuple[list[str], int, str | None]],
) -> None:
    entity = told(tellings)
    for _ in range(2):
        again = view_of(entity.log)
        assert shown(again) == shown(entity.view)
        assert again.revision == len(entity.log)
        assert np.array_equal(again.vectors, entity.view.vectors)


@given(TELLINGS)
def test_what_is_superseded_is_never_current_and_the_last_word_always_is(
    tellings: list[tuple[list[str], int, str | None]],
) -> None:
    view = told(tellings).view
    for fact in view.ordered:
        newer = fact.superseded_by
        assert bool(view.traits.superseded[fact.number]) == (newer is not None)
        if newer:
            assert (newer.seen_at, newer.number) > (fact.seen_at, fact.number)
        for other in fact.contradicts:
            assert fact in other.contradicts, "of two that contradict each other, each says so"
            assert other is not fact
    latest = max(view.ordered, key=lambda fact: (fact.seen_at, fact.number))
    assert latest.superseded_by is None


@given(TELLINGS)
def test_vectors_that_come_late_make_the_same_view(tellings: list[tuple[list[str], int, str | None]]) -> None:
    entity = told(tellings)
    late = view_of(entity.log, vectors=False)
    assert len(late.lacking) == len(late.ordered)
    assert not late.vectors.any()
    late.give(dict(zip(late.lacking, static_vectors(list(late.lacking.values())), strict=True)))
    assert late.lacking == {}
    assert shown(late) == shown(entity.view)
    assert np.allclose(late.vectors, entity.view.vectors)
    assert np.allclose(late.vector_sum, entity.view.vectors.sum(axis=0), atol=1e-5)


def test_a_view_that_moves_to_another_space_keeps_everything_but_its_vectors() -> None:
    entity = told([(["Acme has a pier in Oslo.", "Acme has 280 employees."], 0, None)])
    before = shown(entity.view)
    first, second = (fact.record.id for fact in entity.view.ordered)
    vector = np.array([0.6, 0.8], dtype=np.float32)
    entity.view.move(Space("narrow", 2, "v1"), {first: vector})
    assert shown(entity.view) == before
    assert np.array_equal(entity.view.vectors, np.array([vector, [0, 0]], dtype=np.float32))
    assert set(entity.view.lacking) == {second}


@pytest.mark.parametrize(
    ("sources", "rises"), [(("call", "mail"), True), (("call", "call"), False), ((None, None), False)]
)
def test_only_an_independent_voice_adds_confidence(sources: tuple[str | None, str | None], rises: bool) -> None:
    entity = ToldEntity()
    first, second = sources
    entity.tell("Acme has a pier in Oslo.", source=first, confidence=0.6)
    entity.tell("acme has a pier in oslo", source=second, day=2, confidence=0.6)
    fact = entity.fact("Acme has a pier in Oslo.")
    assert fact.confirmed_by == ["m_2"]
    assert fact.seen_at == on_day(2)
    assert (fact.confidence > 0.6) is rises
    assert fact.confidence <= 1


@given(TELLINGS, st.integers(0, 5))
def test_a_view_of_the_past_holds_what_was_observed_by_then_and_nothing_else(
    tellings: list[tuple[list[str], int, str | None]], day: int
) -> None:
    log = told(tellings).log
    past = view_of([valid_then(entry, on_day(day)) for entry in log])
    expected = {text for texts, when, _ in tellings if when <= day for text in texts}
    assert {fact.record.text for fact in past.ordered} == expected
    assert all(fact.seen_at <= on_day(day) for fact in past.ordered)
    if day >= 4:
        assert shown(past) == shown(view_of(log))


def test_a_confirmation_of_a_fact_that_went_away_stands_for_itself() -> None:
    entity = told([(["Acme has a pier in Oslo."], 0, None), (["ACME has a pier in Oslo!"], 1, None)])
    left = view_of(entity.log[1:])
    [fact] = left.ordered
    assert fact.record.text == "ACME has a pier in Oslo!"
    assert fact.memory.id == "m_2"
    known = left.fact("f_1_0")
    assert known is fact, "known by the id that the first voice gave it, too"


@given(st.text(max_size=60))
def test_the_form_by_which_statements_are_equal_is_its_own_form(text: str) -> None:
    assert exact_form(exact_form(text)) == exact_form(text)
    assert exact_form(f"  {text}! ") == exact_form(text)
