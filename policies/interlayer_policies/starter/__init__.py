"""Starter policies of a business software company and its vocabulary of facets: files beside this module."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from interlayer_policies.document.policy import PolicyFile, Problem
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary, parse_vocabulary


def starter_files() -> list[PolicyFile]:
    """Return the starter policies and their vocabulary by path."""
    folder = resources.files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith((".md", ".yaml")))
    return [PolicyFile(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names]


def vocabulary_of(files: Sequence[PolicyFile]) -> Vocabulary | list[Problem]:
    """Return the vocabulary among the files of a set, that of the starter policies where there is none."""
    file = next((one for one in files if one.path == VOCABULARY_FILE), None)
    return parse_vocabulary(file) if file else starter_vocabulary()


@lru_cache(maxsize=1)
def starter_vocabulary() -> Vocabulary:
    """Return the usual regions, audiences and channels."""
    file = next(one for one in starter_files() if one.path == VOCABULARY_FILE)
    read = parse_vocabulary(file)
    if isinstance(read, Vocabulary):
        return read
    raise ValueError(str(read[0]))  # it comes with the package
