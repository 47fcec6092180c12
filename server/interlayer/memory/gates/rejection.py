"""Why a gate turns a candidate down: a code that programs go by, and the particulars for people."""

from dataclasses import dataclass
from typing import Final, Literal, cast

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


UNTRUSTED: Final = "untrusted"
"""What the particulars begin with where it is not certain that somebody gives a model an order."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason of a rejection; written `code: detail` in answers and where it is kept."""

    code: GateCode
    detail: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether it is for an order that may be none, so that a person may let it through."""
        return self.code == "instruction" and self.detail.startswith(UNTRUSTED)

    @property
    def is_final(self) -> bool:
        """Whether what it turned down is never remembered, whoever asks for it."""
        return self.code == "secret" or (self.code == "instruction" and not self.is_doubtful)

    @classmethod
    def parse(cls, text: str) -> "Rejection":
        """Read a reason that was kept."""
        code, _, detail = text.partition(": ")
        return cls(cast("GateCode", code), detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code
