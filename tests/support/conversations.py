"""Conversations with questions whose evidence is known (LoCoMo); a turn is memorized by one call, as an agent would."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

UNANSWERABLE = 5


@dataclass(frozen=True)
class Turn:
    """What was said, its id, and when."""

    id: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Question:
    """A question and the ids of the turns that hold its answer."""

    text: str
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """One conversation of two people over months."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]


def conversations(folder: Path) -> Iterator[Conversation]:
    """Yield the conversations of a folder, with their answerable questions."""
    for path in sorted(folder.glob("*.json")):
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sessions = sorted((key for key in held if re.fullmatch(r"session_\d+", key)), key=lambda key: int(key[8:]))
        turns = tuple(
            Turn(turn["dia_id"], f"{turn['speaker']}: {turn['text']}", _instant(held[f"{key}_date_time"]))
            for key in sessions
            for turn in held[key]
        )
        known = {turn.id for turn in turns}
        found = [
            Question(one["question"], frozenset(re.findall(r"D\d+:\d+", " ".join(one["evidence"]))) & known)
            for one in held["qa"]
            if one["category"] != UNANSWERABLE
        ]
        yield Conversation(path.stem, turns, tuple(one for one in found if one.evidence))


def found_among(ranked: list[str], evidence: frozenset[str], first: int) -> float:
    """Return the share of the evidence among the first distinct ids of a ranking."""
    return len(evidence & set(list(dict.fromkeys(ranked))[:first])) / len(evidence)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
