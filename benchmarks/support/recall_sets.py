"""Four sets of remembered sources with questions whose evidence is known, in one form; a long list and pairs beside.

Evidence is counted in units: a turn of a conversation, a whole message, a line of a note. A question names groups of
units; of each group any one will do, because a needed string may have been said more than once.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conversations import conversations

_VENDOR: Final = {
    "job_title": "What is the contact's job title?",
    "company_size": "How big is the company?",
    "technology_stack": "Which technologies do they use?",
    "pain_points": "What are their pain points?",
    "decision_timeline": "When do they decide?",
    "competitors_mentioned": "Which competitors did they mention?",
    "deal_value": "What is the deal worth?",
    "deal_stage": "At what stage is the deal?",
    "current_solution": "What do they use today?",
    "buying_process": "How do they buy?",
    "next_steps": "What are the next steps?",
}


@dataclass(frozen=True)
class Source:
    """What one call memorizes, and when it was observed; its units by the place in the text at which each begins."""

    id: str
    text: str
    at: datetime | None
    units: tuple[tuple[int, str], ...]

    def unit(self, place: int) -> str:
        """Return the id of the unit that holds a character."""
        return next((name for start, name in reversed(self.units) if start <= place), self.units[0][1])

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the id and the text of each unit."""
        ends = [*(start for start, _ in self.units[1:]), len(self.text)]
        for (start, name), end in zip(self.units, ends, strict=True):
            yield name, self.text[start:end].strip()


@dataclass(frozen=True)
class Question:
    """A question, the groups of units that hold its answer, and after how many sources it is asked."""

    text: str
    evidence: tuple[frozenset[str], ...]
    after: int


@dataclass(frozen=True)
class World:
    """What is memorized of one entity, in order, and what is asked of it."""

    name: str
    sources: tuple[Source, ...]
    questions: tuple[Question, ...]


def recall_sets(folder: Path) -> Mapping[str, Sequence[World]]:
    """Return the worlds of each set of which the data are there."""
    readers = {
        "LoCoMo": ("locomo", _locomo),
        "gatemem-household": ("gatemem-household", _household),
        "interactions": ("interactions", _interactions),
        "vendor's notes": ("governed-memory", _vendor),
    }
    return {name: list(read(folder / held)) for name, (held, read) in readers.items() if (folder / held).is_dir()}


def share_found(ranked: Sequence[str], evidence: Sequence[frozenset[str]], first: int) -> float:
    """Return the share of the groups of which a unit is among the first distinct ones of a ranking."""
    shown = set(list(dict.fromkeys(ranked))[:first])
    return sum(bool(group & shown) for group in evidence) / len(evidence)


def _whole(name: str, text: str, at: datetime | None) -> Source:
    return Source(name, text, at, ((0, name),))


def _lines(name: str, text: str, at: datetime | None) -> Source:
    starts = [found.start() for found in re.finditer(r"^.*\w.*$", text, re.MULTILINE)]
    return Source(name, text, at, tuple((start, f"{name}:{number}") for number, start in enumerate(starts)))


def _locomo(folder: Path) -> Iterator[World]:
    """Yield every conversation; each turn is observed when it was said."""
    for one in conversations(folder):
        questions = (
            Question(asked.text, tuple(frozenset({unit}) for unit in sorted(asked.evidence)), len(one.turns))
            for asked in one.questions
        )
        yield World(one.name, tuple(_whole(turn.id, turn.text, turn.at) for turn in one.turns), tuple(questions))


def _household(folder: Path) -> Iterator[World]:
    """Yield every episode; a question that has to be answered is asked when it was."""
    asked = [one for one in _rows(folder / "checkpoints.jsonl") if one["query_type"] == "utility"]
    for episode in _rows(folder / "episodes.jsonl"):
        names = {one["principal_id"]: one["display_name"] for one in episode["entities"]["principals"]}
        sources = tuple(
            _whole(
                turn["turn_id"],
                f"{names[turn['speaker']['principal_id']]}: {turn['text']}",
                datetime.fromisoformat(turn["timestamp"]).replace(tzinfo=UTC),
            )
            for turn in episode["turns"]
        )
        places = {source.id: place for place, source in enumerate(sources, 1)}
        questions = (
            _holding(one["query_text"], sources[: places[one["as_of_turn_id"]]], one["judge_spec"]["include"])
            for one in asked
            if one["episode_id"] == episode["episode_id"]
        )
        yield World(episode["episode_id"], sources, tuple(one for one in questions if one))


def _interactions(folder: Path) -> Iterator[World]:
    """Yield the texts as one world, each question with the name of whom it is about."""
    names = {one["entity"]: one["name"] for one in _rows(folder / "accounts.jsonl")}
    sources = tuple(
        _whole(one["id"], one["content"], datetime.fromisoformat(one["observed_at"]))
        for one in _rows(folder / "texts.jsonl")
    )
    questions: list[Question] = []
    for one in _rows(folder / "questions.jsonl"):
        held = frozenset(
            source.id for source in sources if all(re.search(gold, source.text, re.IGNORECASE) for gold in one["gold"])
        )
        if held and one.get("kind") != "relation":
            questions.append(Question(_named(one["entity"], names, one["question"]), (held,), len(sources)))
    yield World("two days", sources, tuple(questions))


def _named(entity: str | None, names: Mapping[str, str], question: str) -> str:
    """Return a question with the name of its entity, or with what its reference says of it."""
    if entity is None:
        return question
    said = entity.partition(":")[2]
    local, _, domain = said.partition("@")
    known = names.get(entity) or (local.replace(".", " ").title() if domain else said)
    return f"{known}: {question}"


def _vendor(folder: Path) -> Iterator[World]:
    """Yield what is kept of each company: five notes of it, two that differ, or five sources on one person."""
    by_company: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for path in sorted(folder.glob("*/*_[0-9]*.ground_truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        text = path.with_name(path.name.replace(".ground_truth.json", ".txt")).read_text(encoding="utf-8")
        by_company.setdefault(truth["company"], []).append((text, truth))
    for company, notes in by_company.items():
        sources = tuple(_lines(truth["sample_id"], text, None) for text, truth in notes)
        asked = (
            _holding(question, sources, [one for _, truth in notes for one in _values(truth, name)])
            for name, question in _VENDOR.items()
        )
        yield World(company, sources, tuple(one for one in asked if one))
    person = sorted((folder / "multi_source").glob("source_*.txt"))
    sources = tuple(_lines(path.stem, path.read_text(encoding="utf-8"), None) for path in person)
    queries = json.loads((folder / "recall_queries" / "recall_queries.json").read_text(encoding="utf-8"))
    found = (_holding(one["query"], sources, one["expected_topics"]) for one in queries)
    yield World("one person", sources, tuple(one for one in found if one))


def _values(truth: Mapping[str, Any], name: str) -> list[str]:
    """Return the strings that state a property of a note."""
    value = truth["expected_properties"].get(name)
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, int):
        return [f"${value // 1000}K" if value < 1_000_000 else f"{value:,}", f"{value:,}"]
    return str(value).split(", ")


def _holding(text: str, sources: Sequence[Source], needed: Sequence[str]) -> Question | None:
    """Return a question for needed strings; None if nothing that is there holds one."""
    units = [(name, " ".join(held.casefold().split())) for source in sources for name, held in source.texts()]
    groups = {
        frozenset(name for name, held in units if re.search(rf"(?<!\w){re.escape(one.casefold())}(?!\w)", held))
        for one in needed
    }
    groups.discard(frozenset())
    return Question(text, tuple(sorted(groups, key=sorted)), len(sources)) if groups else None


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
