"""A statement with what comparing it needs; made once, compared often."""

from dataclasses import dataclass
from functools import lru_cache

from interlayer.language.distinction import REMEMBERED


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an entity."""

    text: str

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str) -> "Statement":
        """Read a text."""
        return cls(text)
