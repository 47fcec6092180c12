"""Without a model, what is found for listed and formed properties in texts of each kind is right."""

import json

import pytest

from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.schema.collection_import import schema_of
from interlayer.memory.schema.schema import parse_schema
from research_data import needed

FORMED = {"enum", "boolean", "date", "number"}


@pytest.mark.parametrize(
    ("kind", "recalled"), [("documents", 0.8), ("call_notes", 0.8), ("emails", 0.75), ("chats", 0.85)]
)
def test_found_properties_are_right(kind: str, recalled: float) -> None:
    folder = needed(f"governed-memory/{kind}")
    text, _ = schema_of((folder.parent / "collections.json").read_text(encoding="utf-8"), "collections.json")
    schema = parse_schema(text, "collections").entities["contact"]
    right = found = stated = 0
    for path in sorted(folder.glob("*.txt")):
        truth = json.loads(path.with_name(f"{path.stem}.ground_truth.json").read_text(encoding="utf-8"))
        expected = truth["expected_properties"]
        for one in properties_of(path.read_text(encoding="utf-8"), schema, []):
            found += 1
            right += expected.get(one.name) == schema.properties[one.name].normal(one.value)
        stated += sum(name in schema.properties and schema.properties[name].type in FORMED for name in expected)
    assert right / found >= 0.9
    assert right / stated >= recalled
