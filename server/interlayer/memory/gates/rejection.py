"""Why a gate turns a candidate down: a code that programs go by, and the particulars for people."""

from dataclasses import dataclass
from typing import Literal, cast

GateCode = Literal[
    "secret",
    "instruction",
    "oversized",
    "empty",
    "low_confidence",
    "unknown_property",
    "type",
    "ambiguous",
    "ungrounded",
    "other_entity",
    "dangling",
    "unanchored",
    "question",
    "greeting",
    "fragment",
    "furniture",
    "not_in_form",
    "unknown_fact",
]
"""What each stands for is in `gates.gates`."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason of a rejection; written `code: detail` in answers and where it is kept."""

    code: GateCode
    detail: str = ""

    @classmethod
    def parse(cls, text: str) -> "Rejection":
        """Read a reason that was kept."""
        code, _, detail = text.partition(": ")
        return cls(cast("GateCode", code), detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code
