"""How two schemas differ, and what each difference means for what is stored."""

from typing import Any

import pytest
from hypothesis import given

from interlayer.memory.schema.diff import ALL, differences, former_after
from interlayer.memory.schema.schema import Schema
from schemas import schemas

ENUM = {"type": "enum", "values": {"open": ["new"], "won": [], "lost": []}}


def schema(**properties: Any) -> Schema:
    return Schema.model_validate({"entities": {"deal": {"properties": properties}}})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"a": {"type": "text"}}, [("additive", "property is new, of type text")]),
        ({"a": {"type": "text"}}, {}, [("breaking", "property is removed")]),
        ({"a": {"type": "text", "retired": True}}, {}, [("additive", "retired property is removed")]),
        ({"a": {"type": "text"}}, {"a": {"type": "text", "retired": True}}, [("migration", "is retired")]),
        ({"a": {"type": "text", "retired": True}}, {"a": {"type": "text"}}, [("migration", "is in use again")]),
        ({"a": {"type": "text"}}, {"b": {"type": "text", "was": ["a"]}}, [("migration", "goes on from a")]),
        (
            {"a": {"type": "text"}, "b": {"type": "text"}},
            {"b": {"type": "text", "was": ["a"]}},
            [("migration", "goes on from a")],
        ),
        (
            {"b": {"type": "text", "was": ["a"]}},
            {"c": {"type": "text", "was": ["b"]}},
            [("migration", "goes on from b"), ("breaking", "does not go on from a any more")],
        ),
        ({"a": {"type": "text"}}, {"a": {"type": "integer"}}, [("breaking", "type was text, becomes integer")]),
        ({"a": {"type": "text"}}, {"a": {"type": "text", "was": ["z"]}}, [("additive", "also goes on from z")]),
        ({"a": ENUM}, {"a": {"type": "text"}}, [("breaking", "type was enum, becomes text")]),
        (
            {"a": {"type": "number"}},
            {"a": {"type": "number", "update": "max"}},
            [("breaking", "update was replace, becomes max")],
        ),
        (
            {"a": ENUM},
            {"a": {"type": "enum", "values": ["open", "won"]}},
            [("breaking", "values without lost")],
        ),
        (
            {"a": ENUM},
            {"a": {"type": "enum", "values": {"open": [], "won": [], "dead": ["lost"]}}},
            [("migration", "values as a synonym lost; with new dead")],
        ),
        (
            {"a": ENUM},
            {"a": {"type": "enum", "values": ["open", "won", "lost", "late"]}},
            [("additive", "values with new late")],
        ),
        (
            {"a": ENUM},
            {"a": {"type": "enum", "values": ["open", "won", "lost"]}},
            [("additive", "values have other synonyms")],
        ),
        ({"a": {"type": "text"}}, {"a": {"type": "text", "indexed": True}}, [("migration", "is indexed")]),
        ({"a": {"type": "text", "indexed": True}}, {"a": {"type": "text"}}, [("migration", "is not indexed any more")]),
        (
            {"a": {"type": "text"}},
            {"a": {"type": "text", "pattern": "x"}},
            [("breaking", "pattern was none, becomes x")],
        ),
        (
            {"a": {"type": "text", "pattern": "x"}},
            {"a": {"type": "text"}},
            [("additive", "pattern was x, becomes none")],
        ),
        (
            {"a": {"type": "text"}},
            {"a": {"type": "text", "description": "d", "sensitivity": "public", "minimum_confidence": 0.5}},
            [("additive", "description, sensitivity, minimum_confidence changed")],
        ),
    ],
)
def test_changes_of_a_property(old: dict[str, Any], new: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.change) for one in differences(schema(**old), schema(**new))] == expected


def test_changes_of_types_and_identifiers() -> None:
    lead = {"properties": {"owner": {"type": "reference", "target": ["deal", "lead"]}}}
    old = Schema.model_validate({"entities": {"deal": {}, "lead": lead}, "identifiers": {"nr": {}}})
    new = Schema.model_validate(
        {
            "entities": {
                "deal": {"identifiers": ["code"]},
                "lead": {"properties": {"owner": {"type": "reference", "target": "lead"}}},
                "account": {"properties": {"a": {"type": "text"}}},
            },
            "identifiers": {"code": {"pattern": "x"}},
        }
    )
    found = {(one.place, one.kind, one.change) for one in differences(old, new)}
    assert found == {
        ("deal", "additive", "identifiers changed"),
        ("lead.owner", "breaking", "target was deal, lead, becomes lead"),
        ("account", "additive", "entity type is new, with 1 properties"),
        ("identifiers.nr", "additive", "identifier kind is removed"),
        ("identifiers.code", "additive", "identifier kind is new"),
    }
    back = {(one.place, one.kind) for one in differences(new, old)}
    assert ("account", "breaking") in back
    assert ("lead.owner", "additive") in back


def test_what_was_hidden_once_makes_a_harmless_change_a_migration() -> None:
    old, new = schema(a=ENUM), schema(a={"type": "enum", "values": ["open"]})
    former = former_after({}, differences(old, new))
    assert former == {"deal": {"a"}}
    assert [one.kind for one in differences(new, old, former)] == ["migration"]
    assert [one.kind for one in differences(schema(), old, former)] == ["migration"]
    nothing = Schema.model_validate({"entities": {}})
    former = former_after({}, differences(old, nothing))
    assert former == {"deal": {"a", ALL}}
    assert [one.kind for one in differences(nothing, old, former)] == ["migration"]


@pytest.mark.parametrize("more", [{"gates": {"off": ["dangling"]}}, {"version": 2}])
def test_what_is_said_of_all_types_differs_harmlessly(more: dict[str, Any]) -> None:
    old, new = (Schema.model_validate({"entities": {"deal": {}}, **said}) for said in ({}, more))
    assert [(one.kind, one.change) for one in differences(old, new)] == [("additive", f"{next(iter(more))} changed")]


@given(schemas(), schemas())
def test_only_equal_schemas_do_not_differ(old: Schema, new: Schema) -> None:
    assert bool(differences(old, new)) == (old.digest != new.digest)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (None, "90d", "breaking"),
        ("90d", None, "additive"),
        ("90d", "91d", "additive"),
        ("1y", "11m", "breaking"),
        ("30d", "1m", "breaking"),
        ("1m", "30d", "breaking"),
        ("4w", "1m", "additive"),
    ],
)
def test_keeping_for_less_time_is_breaking_because_it_erases(old: str | None, new: str | None, kind: str) -> None:
    before, after = (
        Schema.model_validate({"entities": {"deal": {"properties": {}, "retention": one}}}) for one in (old, new)
    )
    [found] = differences(before, after)
    assert (found.place, found.kind) == ("deal.retention", kind)


def test_any_change_of_a_type_of_relation_is_additive() -> None:
    def with_relations(**relations: Any) -> Schema:
        return Schema.model_validate({"entities": {"deal": {}}, "relations": relations})

    old = with_relations(has={"from": "deal", "at_most": 1}, gone={})
    new = with_relations(has={"from": "deal", "at_most": 2}, made={"inverse": "made_by"})
    assert [(one.place, one.kind, one.change) for one in differences(old, new)] == [
        ("relations.has", "additive", "at_most changed"),
        ("relations.gone", "additive", "type of relation is removed"),
        ("relations.made", "additive", "type of relation is new"),
    ]
