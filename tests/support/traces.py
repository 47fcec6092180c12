"""Looking for words in everything that a home keeps: raw files in several encodings, and every version of the index."""

from collections.abc import Sequence
from pathlib import Path

import lancedb

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")


def in_files(home: Path, words: Sequence[str]) -> list[str]:
    """Return `word in file` for every file below a folder that holds a word in any case and encoding."""
    found: list[str] = []
    for file in sorted(home.rglob("*")):
        if file.is_file():
            data = file.read_bytes().lower()
            hits = {word for word in words for encoding in ENCODINGS if word.lower().encode(encoding) in data}
            found += [f"{word} in {file.relative_to(home)}" for word in sorted(hits)]
    return found


def in_index(home: Path, words: Sequence[str]) -> list[str]:
    """Return `word in table@version` for every version of every table that can still be opened."""
    found: list[str] = []
    for folder in sorted((home / "vectors").glob("*")) if (home / "vectors").is_dir() else ():
        if not folder.is_dir():
            continue
        connection = lancedb.connect(str(folder))
        for name in connection.list_tables().tables:
            for version in connection.open_table(name).list_versions():
                table = connection.open_table(name)
                table.checkout(version["version"])
                held = str(table.to_arrow().drop_columns(["vector"]).to_pylist()).lower()
                searchable = any("text" in index.columns for index in table.list_indices())
                for word in words:
                    by_word = table.search(word, query_type="fts").limit(5).to_list() if searchable else []
                    if word.lower() in f"{held} {by_word}".lower():
                        found.append(f"{word} in {name}@{version['version']}")
    return found


def remaining(home: Path, words: Sequence[str]) -> list[str]:
    """Return every place in which a word is left."""
    return [*in_files(home, words), *in_index(home, words)]
