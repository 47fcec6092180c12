"""One change of an entity: head, list, names, index, relations, places and outbox follow from its log and its head."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from interlayer.memory.log import keys, outbox
from interlayer.memory.log.change import EntityChange, Rewriting
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.records import EntityId, FactRecord, Head, Memorized, Merged, RelationRecord
from interlayer.memory.schema.schema import starter_schema
from interlayer.storage.items import ABSENT, Delete, Key, Operation, Put

ORG = "acme"
ONE, OTHER = EntityId("company", "e_1"), EntityId("company", "e_2")
AT = "2026-03-01T09:00:00.000000Z"
SCHEMA = starter_schema().entities["company"]
INDEXED = next(name for name, declared in SCHEMA.current.items() if declared.indexed)


def head(**more: Any) -> Head:
    known = Head(ONE, "Acme", ("Acme",), {}, revision=1, created_at=AT, updated_at=AT, properties={})
    return replace(known, **more)


def memorized(**more: Any) -> Memorized:
    told = Memorized(id="m_1", revision=2, agent="tester", recorded_at=AT, observed_at=AT, extractor="caller")
    return replace(told, **more)


def change(before: Head | None, after: Head | None, **more: Any) -> list[Operation]:
    stored = StoredHead(before, 7) if before else None
    return EntityChange(organization=ORG, schema=SCHEMA, stored=stored, after=after, **more).operations()


def puts(operations: Sequence[Operation]) -> set[Key]:
    return {one.key for one in operations if isinstance(one, Put)}


def deletes(operations: Sequence[Operation]) -> set[Key]:
    return {one.key for one in operations if isinstance(one, Delete)}


def listing(entity: EntityId) -> Key:
    return keys.listing(ORG, entity.type, entity.id)


def name(form: str) -> Key:
    return keys.name(ORG, "company", form, ONE.id)


def borne(form: str) -> set[Key]:
    return {keys.borne(ORG, form), keys.borne(ORG, form, ONE)}


def sound(form: str) -> Key:
    return keys.sound(ORG, "company", form, ONE.id)


def index(value: Any) -> Key:
    return keys.index(ORG, "company", INDEXED, value, ONE.id)


def test_a_new_entity_is_put_where_there_is_none() -> None:
    made = change(None, head(properties={INDEXED: "a"}))
    assert puts(made) == {keys.head(ORG, ONE), listing(ONE), name("acme"), sound("a25a"), index("a"), *borne("acme")}
    hints = borne("acme")  # others may bear it too
    assert {one.expect for one in made if isinstance(one, Put) and one.key not in hints} == {ABSENT}
    assert {one.expect for one in made if isinstance(one, Put) and one.key in hints} == {None}


def test_a_head_is_written_over_the_one_that_was_read() -> None:
    (put,) = change(head(), head(revision=2))
    assert isinstance(put, Put)
    assert (put.key, put.expect) == (keys.head(ORG, ONE), 7)


def test_names_and_index_move_with_the_head() -> None:
    moved = change(
        head(names=("Acme", "ACME Ltd"), properties={INDEXED: "a"}),
        head(names=("acme", "Acme Inc"), properties={INDEXED: "b"}),
    )
    assert puts(moved) == {keys.head(ORG, ONE), name("acme inc"), index("b"), *borne("acme inc")}
    assert deletes(moved) == {name("acme ltd"), index("a"), keys.borne(ORG, "acme ltd", ONE)}


def test_a_company_is_found_without_its_legal_form() -> None:
    made = change(None, head(names=("Halcyon GmbH & Co. KG",)))
    forms = ("halcyon gmbh & co. kg", "halcyon")
    assert {one for one in puts(made) if keys.is_borne(one)} == {one for form in forms for one in borne(form)}


def test_what_is_merged_into_another_is_found_no_more_and_comes_back() -> None:
    stands = head(properties={INDEXED: "a"})
    absorbed = replace(stands, merged_into=OTHER)
    places = {listing(ONE), name("acme"), sound("a25a"), index("a"), keys.borne(ORG, "acme", ONE)}
    assert deletes(change(stands, absorbed)) == places
    assert puts(change(absorbed, stands)) == {keys.head(ORG, ONE), *places, keys.borne(ORG, "acme")}
    assert deletes(change(absorbed, None)) == {keys.head(ORG, ONE)}


def test_a_memory_brings_its_place_its_relations_and_an_outbox_entry() -> None:
    pointer = Put(keys.relation(ORG, OTHER, "owns", ONE), {})
    entry = memorized(relations=(RelationRecord("owns", OTHER),))
    made = change(head(), head(revision=2), appended=(entry,), relations=[pointer])
    assert puts(made) == {
        keys.head(ORG, ONE),
        keys.memory(ORG, ONE, 2),
        keys.memory_place(ORG, "m_1"),
        keys.relation(ORG, OTHER, "owns", ONE),
        outbox.entry_key(ORG, "m_1"),
    }


def test_a_merge_leaves_nothing_to_project() -> None:
    entry = Merged(
        id="m_9", revision=2, agent="tester", recorded_at=AT, observed_at=AT, extractor="operator", absorbs=OTHER
    )
    assert puts(change(head(), head(revision=2), appended=(entry,))) == {keys.head(ORG, ONE), keys.memory(ORG, ONE, 2)}


@pytest.mark.parametrize("stays", [True, False])
def test_a_rewritten_memory_is_replaced_where_it_lies_and_projected_again(stays: bool) -> None:
    fact = FactRecord("f_1_0", "Acme leases a plant.", 0.9, AT)
    before = memorized(facts=(fact,))
    after = memorized(facts=(replace(fact, id="f_1_5_0"),)) if stays else None
    place, part = keys.memory(ORG, ONE, 2), keys.memory(ORG, ONE, 2, 1)
    again = Key("memory", outbox.queue(ORG), "o_1")
    rewriting = Rewriting(before, after, 2, {place: 3, part: 1})
    made = EntityChange(
        organization=ORG, schema=SCHEMA, stored=StoredHead(head(), 7), after=head(revision=2), rewritten=(rewriting,)
    ).operations(lambda: again)
    gone = {outbox.entry_key(ORG, "m_1"), part}
    assert deletes(made) == (gone if stays else {*gone, place})
    by_key = {one.key: one for one in made if isinstance(one, Put)}
    if stays:
        assert by_key[place].expect == 3
        assert by_key[again].body["remove"] == ["f_1_5_0"]  # its row stands in for the former one
    else:
        assert by_key.keys() == {keys.head(ORG, ONE)}
