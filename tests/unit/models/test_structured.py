"""Answers of models that were cut short, and schemas without bounds."""

import json

import pytest

from interlayer.models.structured import NotInForm, parsed, unbounded, whole_objects

FACTS = [
    {"text": 'Acme said "no {" to [Globex]', "n": [1, 2]},
    {"text": "ends in a backslash \\", "n": []},
    {"text": "Göteborg", "n": [3]},
]
ANSWER = json.dumps({"facts": FACTS, "properties": [{"name": "a"}, {"name": "b"}]}, ensure_ascii=False)


@pytest.mark.parametrize("before", ["", "Here it is:\n```json\n"])
def test_of_an_answer_that_ends_anywhere_the_whole_entries_are_left(before: str) -> None:
    entries = [*FACTS, {"name": "a"}, {"name": "b"}]
    seen: set[int] = set()
    for end in range(len(ANSWER)):
        found = whole_objects(before + ANSWER[:end])
        assert found == entries[: len(found)]
        seen.add(len(found))
    assert seen == {0, 1, 2, 3, 4, 5}


def test_of_an_answer_with_a_fault_in_the_middle_the_whole_entries_are_left() -> None:
    broken = ANSWER.replace('"ends in', '"ends \\x in')
    with pytest.raises(NotInForm, match="no JSON"):
        parsed('{"facts": [' + "\\")
    assert whole_objects(broken) == [FACTS[0], FACTS[2], {"name": "a"}, {"name": "b"}]
    assert whole_objects("{" * 10_000) == []


@pytest.mark.parametrize(
    "dressed",
    [
        "{}",
        "Of the text {about Acme} I keep: {}",
        "<think>Perhaps {{}}</think>{}",
        "```json\n{}\n```",
        '{{"facts": []}} was too little: {}',
    ],
)
def test_the_answer_is_found_among_words_with_braces(dressed: str) -> None:
    answer = ANSWER if dressed == "{}" else dressed.replace("{}", ANSWER).replace("{{", "{").replace("}}", "}")
    assert parsed(answer) == json.loads(ANSWER)
    assert parsed(json.dumps(ANSWER)) == json.loads(ANSWER)


def test_a_list_of_entries_is_read_as_one() -> None:
    assert parsed(json.dumps(FACTS)) == FACTS
    assert parsed(ANSWER.replace("Göte", "Göte\n"))["facts"][2]["text"] == "Göte\nborg"


def test_lists_under_one_key_that_is_said_twice_stand_together() -> None:
    assert parsed('{"facts": [1], "other": 1, "facts": [2], "other": 2}') == {"facts": [1, 2], "other": 2}


def test_a_number_that_no_number_can_be_is_no_json() -> None:
    with pytest.raises(NotInForm):
        parsed('{"a": ' + "9" * 5_000 + "}")


def test_bounds_and_lists_of_numbers_are_left_out_and_nothing_else() -> None:
    share = {"type": "number", "enum": [0.5, 1]}
    names = {"type": "string", "enum": ["maxLength"], "maxLength": 9}
    schema = {"type": "array", "maxItems": 3, "items": {"anyOf": [share, names]}, "required": ["maxItems"]}
    assert unbounded(schema) == {
        "type": "array",
        "items": {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["maxLength"]}]},
        "required": ["maxItems"],
    }
