"""Schema files: what may stand in them, and every mistake with its line; and what a schema takes as a value."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from interlayer.errors import InvalidInput
from interlayer.memory.requests import PropertyCandidate
from interlayer.memory.schema.schema import (
    PropertySchema,
    Schema,
    ValueProblem,
    dump_schema,
    parse_schema,
    read_schema,
    starter_schema,
)
from interlayer.text.yaml_source import InvalidFile
from schemas import VALUES, properties, schemas

HEAD = "version: 1\nentities:\n  deal:\n    properties:\n"


def complaints(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        parse_schema(text, "a.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("      a: {type: colour}", "5: entities.deal.properties.a.type: 'colour' is unknown; known: text, number"),
        ("      a: {type: numbr}", "5: entities.deal.properties.a.type: 'numbr' is unknown; did you mean number?"),
        (
            "      a:\n        type: text\n        updat: max",
            "7: entities.deal.properties.a.updat: unknown key; did you",
        ),
        ("      a:\n        description: x", "5: entities.deal.properties.a.type: is missing; add it"),
        ("      a:\n        type: text\n        update: append", "7: entities.deal.properties.a.update: append needs"),
        ("      a:\n        type: text\n        update: max", "7: entities.deal.properties.a.update: max needs a type"),
        ("      a:\n        type: enum", "5: entities.deal.properties.a.values: belongs to type enum"),
        ("      a:\n        type: text\n        values: [b]", "7: entities.deal.properties.a.values: belongs to type"),
        (
            "      a:\n        type: text\n        enum: [b]",
            "7: entities.deal.properties.a.values: belongs to type enum",
        ),
        (
            "      a: {type: enum, values: {b: [c], c: []}}",
            "5: entities.deal.properties.a.values: 'c' stands for b and",
        ),
        ("      a: {type: enum, values: {b: 3}}", "5: entities.deal.properties.a.values.b: takes a list; write"),
        ("      a:\n        type: enum\n        values: [1, 2]", "7: entities.deal.properties.a.values: takes keys"),
        ("      a:\n        type: reference", "5: entities.deal.properties.a.target: belongs to type reference"),
        ("      a:\n        type: text\n        target: deal", "7: entities.deal.properties.a.target: belongs to type"),
        ("      a:\n        type: reference\n        target: lead", "7: entities.deal.properties.a.target: lead is no"),
        ("      a:\n        type: text\n        unit: days", "7: entities.deal.properties.a.unit: belongs to types"),
        ("      a:\n        type: date\n        pattern: x", "7: entities.deal.properties.a.pattern: belongs to types"),
        (
            "      a:\n        type: text\n        pattern: '('",
            "7: entities.deal.properties.a.pattern: is no RE2 pattern",
        ),
        ("      a:\n        type: text\n        find: ['(?=a)']", "7: entities.deal.properties.a.find: is no RE2"),
        ("      a:\n        type: text\n        find: ['ab']", "7: entities.deal.properties.a.find: '(?im)ab' has 0"),
        ("      a:\n        type: text\n        find: ab", "7: entities.deal.properties.a.find: takes a list; write"),
        ("      a: {type: text, indexed: maybe}", "5: entities.deal.properties.a.indexed: takes true or false"),
        ("      a: {type: text, minimum_confidence: 2}", "5: entities.deal.properties.a.minimum_confidence: should be"),
        (
            "      a: {type: text}\n      b:\n        type: text\n        was: [a]",
            "8: entities.deal.properties.b.was: a is",
        ),
        ("      a: {type: text, was: [c]}\n      b: {type: text, was: [c]}", "6: entities.deal.properties.b.was: c is"),
        (
            "      a: {type: text}\n      a: {type: date}",
            "6: entities.deal.properties.a: is given twice, first in line 5",
        ),
        ("      Size: {type: text}", "5: entities.deal.properties.Size: is no name; use at most 40"),
        ("      a: text", "5: entities.deal.properties.a: takes keys and values"),
        ("      a: &a {type: text}\n      b: *a", "5: entities.deal.properties.b: is an alias or nested too deep"),
        ("      a: {type: text\nentities: 3", "6: is no YAML: "),
        ("      a: {type: text}\nidentifers: {}", "6: identifers: unknown key; did you mean identifiers?"),
        ("      a: {type: text}\n    identifiers: [nr]", "6: entities.deal.identifiers: nr is not declared; add it"),
        ("      a: {type: text}\nidentifiers:\n  nr: {pattern: '('}", "7: identifiers.nr.pattern: is no RE2 pattern"),
        (
            "      a: {type: text}\nidentifiers:\n  nr: {shape: x}",
            "7: identifiers.nr.shape: unknown key; did you mean shared?",
        ),
        ("      a: {type: text}\ngates: {of: []}", "6: gates.of: unknown key; did you mean off?"),
        (
            "      a: {type: text}\nrelations:\n  has: {form: deal}",
            "7: relations.has.form: unknown key; did you mean from?",
        ),
        ("      a: {type: text}\nrelations:\n  has: {to: dale}", "7: relations.has.to: dale is no entity type"),
        ("      a: {type: text}\nrelations:\n  has: {at_most: 0}", "7: relations.has.at_most: should be greater"),
        (
            "      a: {type: text}\nrelations:\n  has: {synonyms: [of]}\n  of: {}",
            "7: relations.has.synonyms: of also stands for of; give it to one of them",
        ),
        ("      a: {type: text, relation: has}", "5: entities.deal.properties.a.relation: needs target"),
        (
            "      a: {type: text, relation: has, target: deal}",
            "5: entities.deal.properties.a.relation: has is no type of relation; add it under relations",
        ),
        (
            "      a: {type: date, relation: has, target: deal}",
            "5: entities.deal.properties.a.relation: belongs to types reference and text",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(lines: str, expected: str) -> None:
    (complaint,) = complaints(f"{HEAD}{lines}\n")
    assert complaint.startswith(f"a.yaml:{expected}")


@pytest.mark.parametrize("text", ["", "- a", "entities: 3", "just words", "entities: " + "[" * 5_000, "a: \x01"])
def test_what_is_no_schema_at_all_is_said_to_be_none(text: str) -> None:
    assert re.match(r"a\.yaml:[12]: (entities: )?(is no YAML|takes keys and values)", complaints(text)[0])


def test_several_mistakes_come_at_once_and_ten_at_most() -> None:
    lines = complaints(HEAD + "".join(f"      p{number}: {{type: colour}}\n" for number in range(13)))
    assert [line.split(":")[1] for line in lines[:-1]] == [str(number) for number in range(5, 15)]
    assert lines[-1] == "a.yaml: and 3 more"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere"):
        read_schema(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"entities: \xff")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_schema(tmp_path / "latin.yaml")


def test_enum_is_another_word_for_values_and_yes_is_a_word() -> None:
    said = f"{HEAD}      a: {{type: enum, enum: {{yes: [y, on], no: }}}}\n"
    found = parse_schema(said, "a.yaml")
    assert found == parse_schema(said.replace("enum: {", "values: {"), "a.yaml")
    assert found.entities["deal"].properties["a"].values == {"yes": ("y", "on"), "no": ()}


def test_the_starter_schema_survives_its_dump() -> None:
    assert parse_schema(dump_schema(starter_schema()), "dump") == starter_schema()


@given(schemas())
def test_any_schema_survives_its_dump(schema: Schema) -> None:
    again = parse_schema(dump_schema(schema), "dump")
    assert again == schema
    assert again.digest == schema.digest
    assert Schema.model_validate_json(schema.canonical) == schema


@settings(max_examples=300)
@given(properties(), VALUES)
def test_a_normal_form_is_its_own_normal_form(said: dict[str, Any], value: Any) -> None:
    declared = PropertySchema.model_validate(said)
    try:
        normal = declared.normal(value)
    except ValueProblem:
        return
    assert declared.normal(normal) == normal


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        ({"type": "reference", "target": ["deal"]}, " deal:  D-7 ", "deal:D-7"),
        ({"type": "reference", "target": "deal"}, "deal:Acme Renewal: 2", "deal:Acme Renewal: 2"),
        ({"type": "reference", "target": ["deal"]}, "lead:D-7", "takes an entity, written deal:key"),
        ({"type": "reference", "target": ["deal", "lead"]}, "D-7", "takes an entity, written deal:key or lead:key"),
        ({"type": "reference", "target": ["deal"]}, "deal:", "takes an entity, written deal:key"),
        ({"type": "reference", "target": ["deal"]}, ["deal:a"], "takes an entity, written deal:key"),
        ({"type": "text", "pattern": "[A-Z]{2}-[0-9]+"}, "AB-12", "AB-12"),
        ({"type": "text", "pattern": "[A-Z]{2}-[0-9]+"}, "xAB-12", "has to match [A-Z]{2}-[0-9]+"),
        ({"type": "text", "pattern": "[A-Z]{2}-[0-9]+"}, "ab-12", "has to match [A-Z]{2}-[0-9]+"),
        ({"type": "email", "pattern": ".*@acme[.]com"}, "Ann@ACME.com", "ann@acme.com"),
        ({"type": "email"}, ["ann@acme.com"], "takes one value"),
        ({"type": "list"}, [" "], "takes 1 to 200 values"),
    ],
)
def test_values_of_the_types(said: dict[str, Any], value: Any, expected: str) -> None:
    declared = PropertySchema.model_validate(said)
    try:
        assert declared.normal(value) == expected
    except ValueProblem as problem:
        assert str(problem) == expected


def test_references_are_found_in_plain_content() -> None:
    declared = PropertySchema.model_validate({"type": "reference", "target": ["deal"], "find": ["renews {value}"]})
    assert declared.finders[0].search("It renews deal:D-7.").group(1) == "deal:D-7"


SCHEMA = """
entities:
  deal:
    properties:
      worth: {type: number, was: [amount], unit: EUR}
      fax: {type: phone, retired: true, find: ['fax: {value}']}
      owner: {type: reference, target: [deal], indexed: true}
"""


@pytest.mark.anyio
async def test_former_names_are_taken_and_retired_properties_are_not(room: Any) -> None:
    under = room.under(parse_schema(SCHEMA, "a.yaml"))
    given = [PropertyCandidate(name, value, 0.9) for name, value in (("amount", 5), ("fax", "555 0100 200"))]
    answer = await under.memorize("deal:D-7", properties=given, content="Fax: 555 0100 300")
    assert [(one["name"], one["outcome"]) for one in answer["properties"]] == [("worth", "set"), ("fax", "rejected")]
    assert answer["properties"][1]["reason"] == "unknown_property: fax is retired"
    with pytest.raises(InvalidInput, match="fax"):
        under.schema.indexed("deal", "fax")
    assert [one["name"] for one in (await under.recall("deal:D-7"))["properties"]] == ["worth"]
