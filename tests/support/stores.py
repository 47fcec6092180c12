"""Where the stores of a domain's test keep what they hold: in memory, or in a folder, for a test that reads its files.

A test asks for files with `@pytest.mark.on_disk`, also to have writers contend for a file; without the mark there are
none that it could read.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from interlayer.models.embedder import Space
from interlayer.storage.in_memory.items import InMemoryItems, Partitions
from interlayer.storage.in_memory.vectors import Datasets, InMemoryIndex
from interlayer.storage.items import ItemStore
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.sqlite.items import SqliteItems
from interlayer.storage.vectors import VectorIndex


class Place(Protocol):
    """Opens stores; what one of them writes, every other one of the place reads."""

    def items(self, now_s: Callable[[], float] = ...) -> ItemStore: ...

    def index(self, space: Space) -> VectorIndex: ...


class InMemory:
    """A place that ends with the test."""

    def __init__(self) -> None:
        self._partitions = Partitions()
        self._datasets = Datasets()

    def items(self, now_s: Callable[[], float] = time.time) -> ItemStore:
        return InMemoryItems(self._partitions, now_s)

    def index(self, space: Space) -> VectorIndex:
        return InMemoryIndex(space, self._datasets)


class OnDisk:
    """A place in a folder, as the product has it on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def items(self, now_s: Callable[[], float] = time.time) -> ItemStore:
        return SqliteItems(self.folder / "interlayer.db", now_s)

    def index(self, space: Space) -> VectorIndex:
        return LanceIndex(str(self.folder / "vectors"), space)

    def raw(self, pattern: str = "*") -> bytes:
        """Return the bytes of all files whose name matches; there has to be one."""
        files = [path for path in self.folder.rglob(pattern) if path.is_file()]
        assert files, f"no {pattern} in {self.folder}"
        return b"".join(path.read_bytes() for path in files)


def place_of(request: pytest.FixtureRequest, folder: Path) -> Place:
    """Return the place that the test asks for by its mark, or by its lack of one."""
    return OnDisk(folder) if request.node.get_closest_marker("on_disk") else InMemory()
