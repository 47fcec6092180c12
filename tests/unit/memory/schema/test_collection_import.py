"""Collection files become schemas that work, or errors that name the place."""

import json
from typing import Any

import pytest

from interlayer.errors import InvalidInput
from interlayer.memory.schema.collection_import import schema_of
from interlayer.memory.schema.schema import parse_schema


def collection(name: str = "Sales", **more: Any) -> dict[str, Any]:
    properties = [
        {"systemName": "Deal Stage", "type": "options", "options": "Open, Closed Won, 1-10", "description": "Where."},
        {"systemName": "pains", "type": "array"},
        {"systemName": "signed", "type": "boolean"},
        {"systemName": "due", "type": "date"},
        {"systemName": "seats", "type": "number", "update": True},
        {"systemName": "note", "type": "text"},
        {"systemName": "old", "type": "text", "status": "Archived"},
    ]
    return {"collectionName": name, "entityType": "Contact", "properties": properties} | more


def test_a_collection_becomes_an_entity_type() -> None:
    text, notes = schema_of(json.dumps([collection()]), "file.json")
    schema = parse_schema(text, "made")
    made = schema.entities["contact"].properties
    assert {name: one.type for name, one in made.items()} == {
        "deal_stage": "enum", "pains": "list", "signed": "boolean", "due": "date", "seats": "number", "note": "text",
    }  # fmt: skip
    assert made["deal_stage"].normal("closed won") == "Closed Won"
    assert made["pains"].update == "append"
    assert "email" in schema.entities["contact"].identifiers
    assert "deal" in schema.entities
    assert "old" in notes[0]


def test_collections_of_one_type_are_joined_and_can_be_chosen() -> None:
    more = collection(
        "Support", properties=[{"systemName": "note", "type": "number"}, {"systemName": "tier", "type": "text"}]
    )
    text, notes = schema_of(json.dumps([collection(), more]), "file.json")
    made = parse_schema(text, "made").entities["contact"].properties
    assert (made["note"].type, made["tier"].type) == ("text", "text")
    assert any("first definition stands: note" in note for note in notes)
    text, _ = schema_of(json.dumps([collection(), more]), "file.json", ["Support"])
    assert set(parse_schema(text, "made").entities["contact"].properties) == {"note", "tier"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "file.json: no JSON"),
        ("{}", "file.json"),
        ('[{"properties": []}]', "0.entityType"),
        (
            json.dumps([collection(properties=[{"systemName": "x", "type": "blob"}])]),
            "file.json: Sales.x: unknown type 'blob'",
        ),
        (json.dumps([collection(properties=[{"systemName": "x", "type": "options"}])]), "options are missing"),
        (json.dumps([collection(properties=[{"systemName": "7", "type": "text"}])]), "'7' cannot be a name"),
        (json.dumps([collection(status="Archived")]), "none of that name is active"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says.replace(".", r"\.").replace("'", ".")):
        schema_of(text, "file.json")
