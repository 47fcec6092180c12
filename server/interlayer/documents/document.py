"""A content that was read: its pieces in order, each with its place, its kind, who says it and when it was said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal[
    "statement",
    "question",
    "greeting",
    "fragment",
    "header",
    "signature",
    "disclaimer",
    "quoted",
    "furniture",
]
"""What a piece is. Only a statement says something of somebody."""


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody whom the head of a mail names: a display name, an address, or both."""

    name: str
    address: str
    role: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, row or line of a content, which stands at `content[start:end]`, in characters.

    `text` is without marks of lists and type. `label` is what it cannot be understood without and does not stand right
    before it: who speaks, or what a list is of. `written_at` is when its part of the content says that it was written.
    `writer` is the address or name of whoever wrote its part.
    """

    text: str
    start: int
    end: int
    kind: Kind = "statement"
    label: str = ""
    written_at: datetime | None = None
    writer: str = ""

    @property
    def said(self) -> str:
        """The piece with its label."""
        return f"{self.label}: {self.text}" if self.label else self.text


@dataclass(frozen=True, slots=True)
class Document:
    """The pieces of a content in order, and whom its heads name."""

    pieces: tuple[Piece, ...]
    participants: tuple[Participant, ...] = ()

    @property
    def written_at(self) -> datetime | None:
        """When the last part of it was written, as far as it says so."""
        return max((piece.written_at for piece in self.pieces if piece.written_at), default=None)

    @property
    def statements(self) -> Iterator[Piece]:
        """The pieces that say something of somebody."""
        return (piece for piece in self.pieces if piece.kind == "statement")
