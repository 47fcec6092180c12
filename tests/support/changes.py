"""Pairs of notes of which the later one corrects the earlier one, with the claim that each makes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlayer.language.terms import terms


@dataclass(frozen=True)
class Note:
    """A note, when it was taken, and what it claims."""

    text: str
    at: datetime
    claim: str


@dataclass(frozen=True)
class Change:
    """What was so, what is so since, and the question that asks for it."""

    name: str
    company: str
    question: str
    stale: Note
    fresh: Note


def changes(folder: Path) -> Iterator[Change]:
    """Yield the pairs of a folder."""
    for path in sorted(folder.glob("*/metadata.json")):
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stale, fresh = (
            Note(
                (path.parent / f"{age}.txt").read_text(encoding="utf-8"),
                datetime.fromisoformat(held[f"{age}_date"]).replace(tzinfo=UTC),
                held[f"{age}_claim"],
            )
            for age in ("stale", "fresh")
        )
        yield Change(held["pair_id"], held["company"], held["expected_query"], stale, fresh)


def rank_of(claim: Note, other: Note, facts: list[dict[str, Any]]) -> int:
    """Return the place of the first fact of the note that says at least half of what only its claim says."""
    own = set(terms(claim.claim)) - set(terms(other.claim))
    for place, fact in enumerate(facts):
        if fact["source"] == claim.at.isoformat() and 2 * len(own & set(terms(fact["text"]))) >= len(own):
            return place
    return len(facts)
