"""Which observed value is current: by time, then by confidence; and what taking values away leaves, in any order."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.log.properties import Observed, PropertyState, fold
from interlayer.memory.log.records import Observation
from interlayer.memory.schema.property import PropertySchema

ONE = PropertySchema(type="text")
LIST = PropertySchema(type="list", update="append")
REPLACED = PropertySchema(type="list")


def seen(value: Any, day: int, confidence: float = 0.9, *, remove: bool = False) -> Observed:
    at = f"2026-05-{day:02d}T00:00:00.000Z"
    return Observed(Observation("it", value, confidence, at, remove=remove), f"m_{day}", None, "agent", at)


def state_of(observed: Sequence[Observed], schema: PropertySchema = ONE) -> PropertyState:
    state: PropertyState | None = None
    for one in observed:
        state, _ = fold(state, one, schema)
    assert state
    return state


def outcomes(observed: Sequence[Observed], schema: PropertySchema = ONE) -> list[str]:
    state: PropertyState | None = None
    told: list[str] = []
    for one in observed:
        state, outcome = fold(state, one, schema)
        told.append(outcome)
    return told


@pytest.mark.parametrize(
    ("first", "second", "current"),
    [
        (seen("old", 1, 0.99), seen("new", 2, 0.6), "new"),
        (seen("new", 2, 0.6), seen("old", 1, 0.99), "new"),
        (seen("old", 1, 0.99), seen("hardly", 2, 0.3), "old"),
        (seen("old", 1, 0.2), seen("hardly", 2, 0.3), "hardly"),
        (seen("sure", 1, 0.9), seen("weak", 1, 0.7), "sure"),
        (seen("weak", 1, 0.7), seen("sure", 1, 0.9), "sure"),
    ],
)
def test_a_later_value_counts_unless_there_is_hardly_any_confidence_in_it(
    first: Observed, second: Observed, current: str
) -> None:
    assert state_of([first, second]).value == current


def test_an_emptied_property_has_no_value_and_takes_a_later_one() -> None:
    observed = [seen("a", 1), seen(None, 3, remove=True), seen("b", 2), seen("c", 4)]
    assert outcomes(observed) == ["set", "removed", "kept", "set"]
    assert state_of(observed[:3]).emptied
    assert state_of(observed).value == "c"


def test_a_value_that_is_not_the_current_one_cannot_be_taken_away() -> None:
    observed = [seen("a", 1), seen("b", 2, remove=True)]
    assert outcomes(observed) == ["set", "kept"]
    assert state_of(observed).value == "a"
    assert outcomes([seen("a", 3), seen("a", 2, remove=True)]) == ["set", "kept"]


def test_what_is_taken_away_before_it_is_told_stays_away() -> None:
    observed = [seen("a", 2, remove=True), seen("a", 1), seen("b", 1)]
    assert outcomes(observed) == ["kept", "kept", "set"]


@pytest.mark.parametrize("schema", [LIST, REPLACED])
def test_a_list_loses_the_entries_that_are_named(schema: PropertySchema) -> None:
    observed = [seen(["Ada", "Bea", "Cid"], 1), seen(["bea"], 2, remove=True)]
    assert outcomes(observed, schema) == ["set", "removed"]
    assert state_of(observed, schema).value == ["Ada", "Cid"]
    emptied = state_of([*observed, seen(None, 3, remove=True)], schema)
    assert emptied.emptied


def test_an_entry_that_was_seen_later_stays() -> None:
    observed = [seen(["Ada"], 1), seen(["Bea"], 4), seen(["Ada", "Bea"], 2, remove=True)]
    assert state_of(observed, LIST).value == ["Bea"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=5))
def test_a_list_comes_to_the_same_in_any_order_of_arrival(steps: list[tuple[str, bool]]) -> None:
    observed = [seen([entry], day, remove=remove) for day, (entry, remove) in enumerate(steps, 1)]
    states = [state_of(order, LIST) for order in permutations(observed)]
    held = {tuple(sorted(state.value)) if not state.emptied else () for state in states}
    assert len(held) == 1
