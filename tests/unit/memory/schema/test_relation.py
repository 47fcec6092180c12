"""Types of relation: whatever a relation is called, it is one; what is not known is told with the nearest."""

import pytest

from interlayer.memory.schema.description import described
from interlayer.memory.schema.relation import RelationReading
from interlayer.memory.schema.schema import dump_schema, parse_schema, starter_schema

STARTER = starter_schema()


@pytest.mark.parametrize(
    ("given", "ends", "expected"),
    [
        ("works_at", "contact company", RelationReading("works_at")),
        ("employee_of", "contact company", RelationReading("works_at")),
        ("employs", "company contact", RelationReading("works_at", turned=True)),
        ("sold_to", "deal company", RelationReading("buyer_of", turned=True)),
        ("partner_of", "company company", RelationReading("partner_of")),
        ("acquired_by", "company company", RelationReading("parent_of", turned=True)),
        ("about", "ticket deal", RelationReading("about")),
    ],
)
def test_a_relation_is_read_by_any_of_its_names(given: str, ends: str, expected: RelationReading) -> None:
    assert STARTER.relation_types.read(given, *ends.split()) == expected


def test_a_word_whose_ends_do_not_fit_is_left_as_it_is() -> None:
    for given in ("works_for", "employs"):
        read = STARTER.relation_types.read(given, "deal", "ticket")
        assert (read.type, read.turned) == (given, False)
        assert "works_at leads from contact to company" in read.note


def test_the_nearest_fits_the_ends() -> None:
    def nearest(given: str, *ends: str) -> str:
        return STARTER.relation_types.read(given, *ends).note

    assert nearest("work_at", "contact", "company").endswith("the nearest is works_at")
    assert nearest("repports_to", "contact", "contact").endswith("the nearest is reports_to")
    assert nearest("zzz", "contact", "company") == "unknown type of relation"


def test_a_schema_is_written_as_it_is_read() -> None:
    assert parse_schema(dump_schema(STARTER), "again") == STARTER
    assert '"from":["contact"]' in STARTER.canonical


def test_agents_are_told_of_the_types() -> None:
    told = {line.partition(":")[0]: line for line in described(STARTER).relations}
    assert told["works_at"].startswith("works_at: contact -> company; inverse employs; at most 1 at once. Employer")
    assert told["about"].startswith("about: ticket -> any; inverse has_ticket.")
