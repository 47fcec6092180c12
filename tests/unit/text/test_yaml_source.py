"""YAML with line numbers, as schemas and policies are both read."""

import pytest

from interlayer.text.yaml_source import InvalidFile, read_yaml

TEXT = "title: Refunds\nregions: [NO, on]\nrules:\n  - text: Ask.\n    key: ask\n  - Wait.\n"


def test_every_key_and_entry_has_the_line_of_its_file() -> None:
    located = read_yaml(TEXT, "a.md", first_line=2)
    assert located.data["regions"] == ["NO", "on"], "only true and false are truth values"
    assert [located.line(place) for place in [(), ("title",), ("rules", 0, "key"), ("rules", 1)]] == [2, 2, 6, 7]


def test_a_place_that_the_file_does_not_have_is_the_nearest_around_it() -> None:
    located = read_yaml(TEXT, "a.md")
    assert located.line(("rules", 0, "level")) == 4
    assert located.line(("rules", "a step of the validator", 0, "key")) == 5
    assert located.line(("owner",)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:12: a: is given twice, first in line 10; keep one of them"),
        ("a: &one [1]\nb: *one\n", "x.yaml:10: b: is an alias or nested too deep; write the value out"),
        ("a: " + "[" * 30 + "]" * 30, "x.yaml:10: a." + "0." * 19 + "0: is an alias or nested too deep"),
        ("a: 1\nb: [\n", "x.yaml:12: is no YAML: "),
        ("a: !!python/object:os.system x\n", "x.yaml:10: is no YAML: "),
    ],
)
def test_a_mistake_has_the_line_of_its_file(text: str, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_yaml(text, "x.yaml", first_line=10)
    assert str(caught.value).startswith(said)
