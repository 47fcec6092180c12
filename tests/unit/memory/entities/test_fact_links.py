"""Links of facts beside contradiction: nothing is lost by them, and the newer is read before what is probably over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import (
    Confirmation,
    FactRecord,
    LogEntry,
    Memorized,
    entry_body,
    read_entry,
    statement_of,
)
from interlayer.memory.log.revision import without_memories
from interlayer.memory.recall.arrangement import arrange
from told_entities import on_day, view_of

COUNT = 6


@dataclass(frozen=True)
class Saying:
    """A statement by number, the day on which it was observed, and by number what it is linked with."""

    statement: int
    day: int
    likely: tuple[int, ...] = ()
    alike: tuple[int, ...] = ()
    replaces: tuple[int, ...] = ()
    contradicts: tuple[int, ...] = ()
    ended: bool = False


NUMBERS = st.integers(0, COUNT - 1)
NAMED = st.lists(NUMBERS, max_size=2).map(tuple)
SAYINGS = st.lists(
    st.builds(Saying, NUMBERS, st.integers(0, 9), NAMED, NAMED, NAMED, NAMED, st.booleans()), min_size=1, max_size=9
)


def log_of(sayings: Sequence[Saying]) -> list[LogEntry]:
    """One memory a saying; a statement that was said before is confirmed."""
    first: dict[int, str] = {}
    log: list[LogEntry] = []
    for number, said in enumerate(sayings, 1):
        text, seen, ended = f"Statement number{said.statement}.", on_day(said.day), said.ended
        named = {name: ids(getattr(said, name), first, said) for name in ("likely", "alike", "replaces", "contradicts")}
        facts: list[FactRecord] = []
        confirms: list[Confirmation] = []
        if known := first.get(said.statement):
            replaces = named["replaces"]
            confirms.append(Confirmation(known, 1.0, text, 0.9, seen, replaces=replaces, ended=ended))
        else:
            first[said.statement] = fact_id = f"f_{number}_0"
            facts.append(replace(FactRecord(fact_id, text, 0.9, seen, ended=ended), **named))
        log.append(
            Memorized(
                id=f"m_{number}",
                revision=number,
                agent="tester",
                recorded_at=on_day(1_000 + number),
                observed_at=seen,
                extractor="caller",
                facts=tuple(facts),
                confirms=tuple(confirms),
            )
        )
    return log


def ids(numbers: Sequence[int], first: dict[int, str], said: Saying) -> tuple[str, ...]:
    return tuple(first[number] for number in dict.fromkeys(numbers) if number in first and number != said.statement)


def texts(view: EntityView) -> set[str]:
    return {fact.record.text for fact in view.ordered}


def order(view: EntityView, *, collapse: bool = True) -> list[str]:
    """Return the statements in the order of reading, the first stated ranked best."""
    numbers = np.arange(len(view.ordered))
    places, _ = arrange(numbers, -numbers.astype(float), view.groups, collapse=collapse)
    return [view.ordered[place].record.text for place in places]


@given(SAYINGS)
def test_links_hold_both_ways_and_lose_no_fact(sayings: list[Saying]) -> None:
    view = view_of(log_of(sayings))
    assert texts(view) == {f"Statement number{said.statement}." for said in sayings}
    for fact in view.ordered:
        assert bool(view.traits.superseded[fact.number]) == (not fact.is_current)
        for link in ("contradicts", "likely", "alike"):
            assert fact not in getattr(fact, link)
            assert all(fact in getattr(other, link) for other in getattr(fact, link))


@given(SAYINGS)
def test_what_stands_behind_others_is_current_and_counted(sayings: list[Saying]) -> None:
    view = view_of(log_of(sayings))
    groups = view.groups
    assert sum(groups.like.values()) == len(groups.behind)
    for number, shown in groups.behind.items():
        assert shown not in groups.behind
        assert view.ordered[number].seen_at <= view.ordered[shown].seen_at
        assert view.ordered[number] in view.ordered[shown].alike
    for number, newer in groups.newer.items():
        assert newer.is_current
        assert newer.seen_at > view.ordered[number].seen_at


@given(SAYINGS, st.booleans())
def test_all_facts_are_read_each_once_the_newer_first(sayings: list[Saying], collapse: bool) -> None:
    view = view_of(log_of(sayings))
    read = order(view, collapse=collapse)
    assert sorted(read) == sorted(texts(view))
    place = {text: number for number, text in enumerate(read)}
    groups = view.groups
    for number, newer in groups.newer.items():
        hidden = collapse and (number in groups.behind or newer.number in groups.behind)
        if not hidden:
            assert place[newer.record.text] < place[view.ordered[number].record.text]


@given(SAYINGS, st.sets(st.integers(1, 9), max_size=3))
def test_forgetting_takes_away_what_nobody_else_says_and_nothing_more(sayings: list[Saying], gone: set[int]) -> None:
    log = log_of(sayings)
    left = without_memories(log, {f"m_{number}" for number in gone})
    others = [said for number, said in enumerate(sayings, 1) if number not in gone]
    assert texts(view_of(left)) == {f"Statement number{said.statement}." for said in others}


@given(SAYINGS)
def test_what_is_stored_of_a_link_is_read_back(sayings: list[Saying]) -> None:
    for entry in log_of(sayings):
        assert read_entry(entry_body(entry)) == entry


def test_a_link_to_a_statement_that_comes_later_in_the_log_holds() -> None:
    first, second = log_of([Saying(0, 0), Saying(1, 5, likely=(0,))])
    turned = view_of([replace(second, revision=1), replace(first, revision=2)])
    older, newer = turned.fact("f_1_0"), turned.fact("f_2_0")
    assert older
    assert newer
    assert older.newer is newer
    assert newer.newer is None


def test_what_was_said_to_be_replaced_is_current_again_when_it_is_said_again_later() -> None:
    replaced = [Saying(0, 8), Saying(1, 3, replaces=(0,))]
    view = view_of(log_of(replaced))
    assert [fact.is_current for fact in view.ordered] == [False, True], "whatever the time of each"
    stale = view_of(log_of([*replaced, Saying(0, 1)]))
    assert [fact.is_current for fact in stale.ordered] == [False, True], "an older word says nothing new"
    again = view_of(log_of([*replaced, Saying(0, 9)]))
    assert [fact.is_current for fact in again.ordered] == [True, False]


def test_forgetting_what_said_it_is_over_makes_it_current_again() -> None:
    log = log_of([Saying(0, 0), Saying(0, 5, ended=True)])
    assert not view_of(log).ordered[0].is_current
    assert view_of(without_memories(log, {"m_2"})).ordered[0].is_current
    [left] = view_of(without_memories(log, {"m_1"})).ordered
    assert not left.is_current, "the voice that is left says that it is over"
    assert statement_of(left.record.id) == "1_0"


def test_the_one_wording_that_is_shown_is_the_newest_and_the_others_come_last() -> None:
    view = view_of(log_of([Saying(0, 0), Saying(1, 1), Saying(2, 2, alike=(0,)), Saying(3, 3, alike=(0, 2))]))
    assert order(view) == [f"Statement number{one}." for one in (3, 1, 0, 2)]
    assert view.groups.like == {3: 2}


def test_what_is_probably_replaced_follows_what_replaces_it() -> None:
    view = view_of(log_of([Saying(0, 0), Saying(1, 1), Saying(2, 2, likely=(0,))]))
    assert order(view) == [f"Statement number{one}." for one in (2, 0, 1)]
