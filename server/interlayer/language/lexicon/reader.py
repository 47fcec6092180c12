"""Reads the word lists, each file once, when it is first asked for.

A list is all files of its name: `words("months")` has the months of every language that has a `months.txt`. The folders
are called by the language's code in ISO 639; `mul` is what belongs to none. In a file an entry stands in a line of its
own: its forms, with commas between them, and what it means after `=` where that is a number or a code. `*` at the end
of a form is any ending. `#` begins a comment; the first says what the list is for.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeVar

_ENDING: Final = ".txt"

Meaning = TypeVar("Meaning")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: the forms of a word, the usual one first, as they are written; and what it means."""

    forms: tuple[str, ...]
    meaning: str = ""


@lru_cache(maxsize=1)
def lists() -> Mapping[str, tuple[Traversable, ...]]:
    """Find the files of every list: name -> the files of all languages, in order of their codes."""
    found: defaultdict[str, list[Traversable]] = defaultdict(list)
    for folder in _folders():
        for file in folder.iterdir():
            if file.name.endswith(_ENDING):
                found[file.name.removesuffix(_ENDING)].append(file)
    return {name: tuple(files) for name, files in found.items()}


def _folders() -> list[Traversable]:
    folders = (folder for folder in resources.files("interlayer.language.lexicon").iterdir() if folder.is_dir())
    return sorted(folders, key=lambda folder: folder.name)


@cache
def entries(name: str) -> tuple[Entry, ...]:
    """Read a list in every language that has it. Raises `KeyError` if none has."""
    return tuple(entry for file in lists()[name] for entry in parse(file.read_text(encoding="utf-8")))


def parse(text: str) -> Iterator[Entry]:
    """Yield the entries of one file."""
    for line in text.splitlines():
        said = line.partition("#")[0].strip()
        if said:
            forms, _, meaning = said.partition("=")
            yield Entry(tuple(form.strip() for form in forms.split(",")), meaning.strip())


def forms(*names: str) -> frozenset[str]:
    """Return every form of some lists, as it is written: for patterns, which know no folded ß."""
    return frozenset(form for name in names for entry in entries(name) for form in entry.forms)


def words(*names: str) -> frozenset[str]:
    """Return every form of some lists, folded."""
    return frozenset(form.casefold() for name in names for entry in entries(name) for form in entry.forms)


@cache
def entries_of(language: str, name: str) -> tuple[Entry, ...]:
    """Read a list in one language; empty if that language has none."""
    files = (folder.joinpath(name + _ENDING) for folder in _folders() if folder.name == language)
    return tuple(entry for file in files if file.is_file() for entry in parse(file.read_text(encoding="utf-8")))


def words_by_language(name: str) -> Mapping[str, frozenset[str]]:
    """Return code of a language -> the forms, folded, that its list of this name has."""
    found: dict[str, frozenset[str]] = {}
    for folder in _folders():
        file = folder.joinpath(name + _ENDING)
        if file.is_file():
            said = parse(file.read_text(encoding="utf-8"))
            found[folder.name] = frozenset(form.casefold() for entry in said for form in entry.forms)
    return found


def meanings(name: str) -> Mapping[str, str]:
    """Return folded form -> meaning, of a list whose entries have one."""
    return {form.casefold(): entry.meaning for entry in entries(name) for form in entry.forms}


def figures(name: str) -> Mapping[str, float]:
    """Return folded form -> number, of a list whose entries mean one, written 12, 0.5 or 1/3."""
    return {form: _number(meaning) for form, meaning in meanings(name).items()}


def with_plain_forms(known: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
    """Return the forms of a list and each without its accents, as they are typed in haste: fünf, funf."""
    plain = {_plain(form): meaning for form, meaning in known.items()}
    return {**plain, **known}


def _plain(form: str) -> str:
    parts = unicodedata.normalize("NFKD", form)
    return "".join(part for part in parts if not unicodedata.combining(part)).replace("ß", "ss")


def pattern(forms: Iterable[str]) -> str:
    """Return forms as the alternatives of a pattern, for `re` and RE2: the longest first, any blank between words."""
    return "|".join(_escape(form) for form in sorted(set(forms), key=lambda form: (-len(form), form)))


def factored(forms: Iterable[str]) -> str:
    """Return what `pattern` matches with common beginnings written once, which a long list is compiled faster in."""
    root: dict[str, Any] = {}
    for form in forms:
        node = root
        for character in form:
            node = node.setdefault(character, {})
        node[""] = {}
    return _alternatives(root)


def _alternatives(node: dict[str, Any]) -> str:
    """Return a node's continuations; where a form ends at it they may be missing, and the longer form counts."""
    parts = [
        (r"\s+" if character == " " else re.escape(character)) + _alternatives(after)
        for character, after in sorted(node.items())
        if character
    ]
    if not parts:
        return ""
    if len(parts) == 1 and "" not in node:
        return parts[0]
    return f"(?:{'|'.join(parts)})" + ("?" if "" in node else "")


def _escape(form: str) -> str:
    body = r"\s+".join(re.escape(word) for word in form.removesuffix("*").split())
    return body + r"\w*" if form.endswith("*") else body


def _number(meaning: str) -> float:
    whole, _, parts = meaning.partition("/")
    return float(whole) / float(parts or 1)
