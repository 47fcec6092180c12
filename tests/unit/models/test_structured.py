"""Answers of models that were cut short, and schemas without bounds."""

import json

import pytest

from interlayer.models.structured import NotInForm, parsed, unbounded, whole_part

FACTS = [
    {"text": 'Acme said "no {" to [Globex]', "n": [1, 2]},
    {"text": "ends in a backslash \\", "n": []},
    {"text": "Göteborg", "n": [3]},
]
ANSWER = json.dumps({"facts": FACTS, "properties": [{"name": "a"}, {"name": "b"}]}, ensure_ascii=False)


@pytest.mark.parametrize("before", ["", "Here it is:\n```json\n"])
def test_of_an_answer_that_ends_anywhere_the_whole_entries_are_left(before: str) -> None:
    seen: set[int] = set()
    for end in range(len(ANSWER)):
        try:
            found = parsed(whole_part(before + ANSWER[:end]))
        except NotInForm:
            assert ANSWER[:end].count("}") == 0
            continue
        facts, names = found["facts"], found.get("properties", [])
        whole = [one for one in facts if set(one) == {"text", "n"}]
        assert whole == FACTS[: len(whole)]
        assert len(facts) == len(whole)
        assert names == [{"name": "a"}, {"name": "b"}][: len(names)]
        seen.add(len(facts) + len(names))
    assert seen == {1, 2, 3, 4, 5}


def test_bounds_and_lists_of_numbers_are_left_out_and_nothing_else() -> None:
    share = {"type": "number", "enum": [0.5, 1]}
    names = {"type": "string", "enum": ["maxLength"], "maxLength": 9}
    schema = {"type": "array", "maxItems": 3, "items": {"anyOf": [share, names]}, "required": ["maxItems"]}
    assert unbounded(schema) == {
        "type": "array",
        "items": {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["maxLength"]}]},
        "required": ["maxItems"],
    }
