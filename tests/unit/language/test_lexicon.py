"""The word lists: readable, without doubles, each of them read, and none of them written out in a module again."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from interlayer.language.lexicon.reader import Entry, entries, figures, lists, meanings, parse, pattern, words

ROOT = Path(__file__).parents[3]
LEXICON = ROOT / "server/interlayer/language/lexicon"
FILES = sorted(LEXICON.rglob("*.txt"))
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for part in ("server", "tools", "policies")
    for path in (ROOT / part).rglob("*.py")
}


def named(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def test_an_entry_is_a_line_with_forms_and_a_meaning() -> None:
    text = "# Months.\n\nSeptember, Sept, Sep = 9  # the ninth\nyet to*\n"
    assert list(parse(text)) == [Entry(("September", "Sept", "Sep"), "9"), Entry(("yet to*",))]


def test_a_list_is_that_of_every_language() -> None:
    months = figures("months")
    assert [months[name] for name in ("sept", "mai", "août", "desember")] == [9, 5, 8, 12]
    assert {"kein", "никогда", "ません"} < words("negations")
    assert meanings("currencies")["€"] == meanings("currencies")["euros"] == "EUR"
    with pytest.raises(KeyError):
        entries("colours")


def test_a_pattern_prefers_the_longest_and_takes_any_blank_and_ending() -> None:
    found = re.compile(rf"\b(?:{pattern(['per', 'per cent', 'anweisung*'])})")
    assert [match[0] for match in found.finditer("9 per\u00a0cent, per Anweisung, anweisungen")] == [
        "per\u00a0cent",
        "per",
        "anweisungen",
    ]


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_file_says_what_it_is_for_and_is_in_order_without_doubles(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.match(r"# \S+ ", text), "the first line says what the list is for"
    forms = [form for entry in parse(text) for form in entry.forms]
    assert forms
    assert all(forms)
    if named(file) != "en/value_kinds":  # groups, of which two may have a word in common
        assert len(forms) == len(set(forms))
    for block in text.split("\n\n"):
        found = list(parse(block))
        if found and all(re.fullmatch(r"[-\d./]+", entry.meaning) for entry in found):
            values = [figures(file.stem)[entry.forms[0].casefold()] for entry in found]
            assert values == sorted(values), "by what they mean"
        elif all(len(entry.forms) == 1 and not entry.meaning for entry in found):
            assert [entry.forms for entry in found] == sorted(entry.forms for entry in found), "by letters"


def test_every_list_is_read_by_somebody_and_every_list_that_is_read_is_there() -> None:
    users = "\n".join(text for text in SOURCES.values() if re.search(r"lexicon(\.reader)? import", text))
    said = set(re.findall(r"[\"'](\w+)[\"']", users))
    assert not set(lists()) - said
    read = {
        name
        for call in re.findall(r"(?:words|entries|figures|meanings)\(((?:\s*[\"']\w+[\"'],?)+\s*)\)", users)
        for name in re.findall(r"\w+", call)
    }
    assert len(read) > 30
    assert not read - set(lists())


def test_every_file_belongs_to_a_language() -> None:
    assert {file.parent.name for file in FILES} >= {
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "no",
        "ru",
        "ja",
        "zh",
    }
    assert all(re.fullmatch(r"[a-z]{2}|mul", file.parent.name) for file in FILES)
    assert {file.stem for file in FILES} == set(lists())


@cache
def strings(source: str) -> str:
    """Return the string constants of a module but for docstrings."""
    tree = ast.parse(source)
    told = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return "\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    )


@pytest.mark.parametrize(
    ("name", "most"),
    [("months", 1), ("weekdays", 1), ("number_words", 4), ("ordinals", 2), ("magnitudes", 1), ("currencies", 1)],
)
def test_no_module_writes_out_such_a_list(name: str, most: int) -> None:
    known = {word for word in words(name) if len(word) > 2 and word.isalpha()} - {"may"}
    again = {
        str(path.relative_to(ROOT)): sorted(found)
        for path, text in SOURCES.items()
        if len(found := known & set(re.findall(r"\b[^\W\d_]+\b", strings(text).casefold()))) > most
    }
    assert not again


def test_an_entry_is_written_as_it_is_spoken() -> None:
    odd = {
        f"{named(file)}: {form}"
        for file in FILES
        for entry in parse(file.read_text(encoding="utf-8"))
        for form in entry.forms
        if re.search(r"[()\[\]|\\?+^]", form)
    }
    assert not odd
