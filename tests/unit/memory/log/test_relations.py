"""Which relations hold follows from what was observed when, and not from the order in which it was told."""

from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from interlayer.memory.log.records import (
    EntityId,
    Memorized,
    Observation,
    Relation,
    RelationRecord,
    entry_body,
    read_entry,
)
from interlayer.memory.log.relations import RelationFold, noted_pointer
from interlayer.memory.schema.relation import RelationRules

ACME, GLOBEX, INITECH = (EntityId("company", f"e_{name}") for name in ("acme", "globex", "initech"))
RULES = RelationRules({"works_at": 1, "advises": 2}, {"company": "works_at"})


def day(number: int) -> str:
    return f"2026-01-{number:02d}T00:00:00.000000Z"


def memory(number: int, *relations: RelationRecord, at: int = 1, **more: Any) -> Memorized:
    return Memorized(
        id=f"m_{number}",
        revision=number,
        agent="tester",
        recorded_at=day(20),
        observed_at=day(at),
        extractor="caller",
        source=f"mail {number}",
        relations=relations,
        **more,
    )


def works(target: EntityId, at: int, **more: Any) -> RelationRecord:
    return RelationRecord("works_at", target, day(at), **more)


def statuses(*memories: Memorized) -> dict[str, str]:
    states = RelationFold.of(memories, RULES).states
    return {one.target.id.removeprefix("e_"): state.status for one, state in states.items()}


def test_the_one_observed_last_is_current_in_whatever_order_they_come() -> None:
    told = [memory(1, works(ACME, 1)), memory(2, works(GLOBEX, 5)), memory(3, works(INITECH, 3))]
    for order in permutations(told):
        assert statuses(*order) == {"acme": "superseded", "globex": "current", "initech": "superseded"}


def test_what_ended_stays_ended_until_it_is_observed_again() -> None:
    told = [memory(1, works(ACME, 1)), memory(2, works(ACME, 5, ended=True)), memory(3, works(ACME, 3))]
    for order in permutations(told):
        assert statuses(*order) == {"acme": "ended"}
    assert statuses(*told, memory(4, works(ACME, 7))) == {"acme": "current"}


def test_the_end_of_the_newer_does_not_bring_the_older_back() -> None:
    told = [memory(1, works(ACME, 1)), memory(2, works(GLOBEX, 5)), memory(3, works(GLOBEX, 8, ended=True))]
    assert statuses(*told) == {"acme": "superseded", "globex": "ended"}


def test_as_many_are_current_as_the_schema_lets_be() -> None:
    told = [memory(n, RelationRecord("advises", one, day(n))) for n, one in enumerate((ACME, GLOBEX, INITECH), 1)]
    assert statuses(*told) == {"acme": "superseded", "globex": "current", "initech": "current"}
    free = [memory(n, RelationRecord("knows", one, day(n))) for n, one in enumerate((ACME, GLOBEX, INITECH), 1)]
    assert set(statuses(*free).values()) == {"current"}


def test_a_doubtful_voice_neither_ends_nor_displaces_a_sure_one() -> None:
    sure = memory(1, works(ACME, 1))
    assert statuses(sure, memory(2, works(ACME, 5, ended=True, confidence=0.3))) == {"acme": "current"}
    assert statuses(sure, memory(2, works(GLOBEX, 5, confidence=0.3))) == {"acme": "current", "globex": "superseded"}


def test_a_value_that_no_relation_stands_for_displaces_what_the_property_mirrors() -> None:
    named = Observation("company", "Globex", 0.9, day(5))
    told = [memory(1, works(ACME, 1)), memory(2, at=5, properties=(named,))]
    for order in permutations(told):
        assert statuses(*order) == {"acme": "superseded"}
    own = memory(1, works(ACME, 1), properties=(Observation("company", "Acme", 0.9, day(1)),))
    again = memory(2, at=5, properties=(Observation("company", "ACME", 0.9, day(5)),))
    assert statuses(own, again) == {"acme": "current"}, "the same in other letters"


def test_a_value_that_is_emptied_ends_the_relation() -> None:
    emptied = memory(2, at=5, properties=(Observation("company", None, 0.9, day(5), remove=True),))
    for order in permutations([memory(1, works(ACME, 1)), emptied]):
        assert statuses(*order) == {"acme": "ended"}


def test_independent_witnesses_are_surer_together() -> None:
    told = [memory(n, works(ACME, n, confidence=0.8)) for n in (1, 2)]
    (state,) = RelationFold.of(told, RULES).states.values()
    assert state.confidence == 0.96
    assert (state.observed_at, state.basis.id) == (day(2), "m_2")


def test_what_was_stored_before_relations_had_dates_is_read() -> None:
    body = {**entry_body(memory(1)), "relations": [{"type": "works_at", "target": {"type": "company", "id": "e_acme"}}]}
    (state,) = RelationFold.of([read_entry(body)], RULES).states.values()
    assert (state.status, state.observed_at, state.confidence) == ("current", day(1), 0.9)
    assert noted_pointer({"memory_id": "m_1", "recorded_at": day(1)}) is None


def test_a_fold_is_extended_without_a_change_of_it() -> None:
    fold = RelationFold.of([memory(1, works(ACME, 1))], RULES)
    longer = fold.extended(memory(2, works(GLOBEX, 2)))
    assert fold.states[Relation("works_at", ACME)].status == "current"
    assert longer.states[Relation("works_at", ACME)].status == "superseded"


RECORDS = st.builds(
    RelationRecord,
    st.sampled_from(["works_at", "advises", "knows"]),
    st.sampled_from([ACME, GLOBEX, INITECH]),
    st.integers(1, 9).map(day),
    st.sampled_from([0.3, 0.6, 0.9]),
    st.booleans(),
)
VALUES = st.builds(
    Observation,
    st.just("company"),
    st.sampled_from(["Acme", "Globex", "Hooli"]),
    st.sampled_from([0.3, 0.9]),
    st.integers(1, 9).map(day),
    remove=st.booleans(),
)


@given(st.lists(st.tuples(st.lists(RECORDS, max_size=2), st.lists(VALUES, max_size=1)), max_size=6), st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_fold_does_not_depend_on_the_order_of_arrival(told: list[Any], chance: Any) -> None:
    memories = [
        memory(number, *relations, properties=tuple(values)) for number, (relations, values) in enumerate(told, 1)
    ]
    other = [*memories]
    chance.shuffle(other)
    one, two = (RelationFold.of(order, RULES).states for order in (memories, other))
    assert {relation: (state.status, state.observed_at, state.confidence) for relation, state in one.items()} == {
        relation: (state.status, state.observed_at, state.confidence) for relation, state in two.items()
    }
