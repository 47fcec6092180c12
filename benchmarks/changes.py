"""Measure what becomes of a statement when a newer one repeats, replaces or resembles it; needs the research data.

`python benchmarks changes [--json] [--data DIR] [--wrong]`: every labelled pair is told to an entity of its own through
`memorize`, in both orders of arrival, and what is current afterwards is held against the label. The long list of facts
is told in portions, a minute apart, and the answer to each question looked for in the first fact and among five.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio

from interlayer.ids import system_clock
from interlayer.memory.memory import Memory
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.choice import EmbedderChoice
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.sqlite.items import SqliteItems
from measuring import ROOT, machine, show

CALLER: Final = Principal("bench", "benchmark")
SPRING: Final = datetime(2026, 1, 1, tzinfo=UTC)
LATER: Final = timedelta(days=150)
PORTION: Final = 30
NEVER_MERGED: Final = ("distinct", "swap", "opposite")
LANGUAGES: Final = ("en", "de", "fr", "es")
BARS: Final = {"right": 0.85, "of each language": 0.80, "wrongly superseded": 0.02, "first": 0.92, "among five": 0.99}


@dataclass(frozen=True)
class Outcome:
    """A labelled pair, whether the older one arrived last, and what became of it."""

    pair: dict[str, Any]
    late: bool
    became: str

    @property
    def right(self) -> bool:
        """Whether it is one of the outcomes that count as right."""
        return self.became in self.pair["accept"]


async def outcomes(memory: Memory, pairs: Sequence[dict[str, Any]]) -> list[Outcome]:
    """Tell each pair to an entity of its own, in both orders, and say what became of it."""
    found: list[Outcome] = []
    for pair in pairs:
        for late in (False, True):
            entity = f"company:{pair['id']}{'-late' if late else ''}.example"
            told = [(pair["older"], SPRING), (pair["newer"], SPRING + LATER)]
            for text, at in reversed(told) if late else told:
                await tell(memory, entity, [text], at)
            wanted = RecallRequest(entity=entity, include=["facts", "history"])
            answer = await memory.recaller.recall(CALLER, wanted)
            found.append(Outcome(pair, late, became([fact.status for fact in answer.facts])))
    return found


def became(statuses: Sequence[str]) -> str:
    """Name what became of a pair by the facts that there are."""
    if len(statuses) == 1:
        return "merged"
    return "superseded" if "superseded" in statuses else "both"


async def tell(memory: Memory, entity: str, texts: Sequence[str], at: datetime) -> None:
    """Memorize statements as facts, observed at a time."""
    facts = [FactCandidate(text, 0.9) for text in texts]
    request = MemorizeRequest(entity=entity, facts=facts, observed_at=at, source=at.isoformat())
    await memory.memorizer.memorize(CALLER, request)


async def questions(memory: Memory, folder: Path) -> tuple[float, float]:
    """Tell the long list and return the shares of answers in the first fact and among five."""
    entity = "company:world.example"
    facts = [one["text"] for one in lines(folder / "facts.jsonl")]
    for number, first in enumerate(range(0, len(facts), PORTION)):
        await tell(memory, entity, facts[first : first + PORTION], SPRING + timedelta(minutes=number))
    asked = list(lines(folder / "questions.jsonl"))
    places: list[int] = []
    for one in asked:
        answer = await memory.recaller.recall(CALLER, RecallRequest(entity=entity, query=one["question"], limit=5))
        texts = [fact.text for fact in answer.facts]
        places.append(next((at for at, text in enumerate(texts) if one["answer"] in text), len(texts) + 5))
    return sum(at == 0 for at in places) / len(asked), sum(at < 5 for at in places) / len(asked)


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file, one a line."""
    yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def shares(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return the share of right outcomes by category and language, and what was merged or superseded wrongly."""
    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for one in found:
        for name in ("all", one.pair["category"], one.pair["lang"]):
            groups[name].append(one)
    return {
        "right": {name: round(sum(one.right for one in group) / len(group), 3) for name, group in groups.items()},
        "as is best": round(sum(one.became == one.pair["expect"] for one in found) / len(found), 3),
        "merged wrongly": [
            one.pair["id"] for one in found if one.became == "merged" and one.pair["category"] in NEVER_MERGED
        ],
        "lost": sum(one.became == "merged" and not one.right for one in found),
        "wrongly superseded": round(sum(one.became == "superseded" and not one.right for one in found) / len(found), 3),
        "became": dict(Counter(one.became for one in found)),
    }


async def measured(data: Path) -> tuple[dict[bool, dict[str, Any]], list[Outcome], tuple[float, float]]:
    """Measure pairs in both orders, and the long list."""
    embedder = LocalEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteItems(Path(folder) / "interlayer.db")
        index = LanceIndex(str(Path(folder) / "vectors"), embedder.space)
        spaces = Spaces(store, EmbedderChoice(embedder.space.model), always(embedder), always(index))
        memory = Memory.over(store, spaces, starter_schema(), system_clock)
        found = await outcomes(memory, list(lines(data / "changes" / "changes.jsonl")))
        first = await questions(memory, data / "fact-lists")
        await index.close()
        await store.close()
    return {late: shares([one for one in found if one.late is late]) for late in (False, True)}, found, first


def always(thing: Any) -> Any:
    """Return a factory of one thing."""
    return lambda *_: thing  # type: ignore[reportUnknownLambdaType]


def missed(by_order: dict[bool, dict[str, Any]], first: tuple[float, float]) -> list[str]:
    """Name the bars that are missed."""
    told = by_order[False]
    checks = {
        "right": told["right"]["all"] >= BARS["right"],
        "of each language": all(told["right"][language] >= BARS["of each language"] for language in LANGUAGES),
        "wrongly superseded": told["wrongly superseded"] <= BARS["wrongly superseded"],
        "merged wrongly": not any(one["merged wrongly"] for one in by_order.values()),
        "first": first[0] >= BARS["first"],
        "among five": first[1] >= BARS["among five"],
    }
    return [name for name, held in checks.items() if not held]


def main() -> None:
    """Measure, print, and exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--wrong", action="store_true", help="also print every pair with a wrong outcome")
    options = parser.parse_args()
    by_order, found, first = anyio.run(measured, options.data)
    below = missed(by_order, first)
    if options.json:
        told = {"late" if late else "in order": one for late, one in by_order.items()}
        print(json.dumps({"machine": machine(), "changes": told, "first": first[0], "among_five": first[1]}))
    else:
        names = list(by_order[False]["right"])
        rows = [(name, by_order[False]["right"][name], by_order[True]["right"][name]) for name in names]
        show("Share of outcomes that count as right", ["", "in order", "older one last"], rows)
        for late, one in by_order.items():
            print(f"{'older one last' if late else 'in order'}: ", end="")
            print("; ".join(f"{name} {value}" for name, value in one.items() if name != "right"))
        print(f"long list: first {first[0]:.2f}, among five {first[1]:.2f}")
    if options.wrong:
        for one in found:
            if not one.right:
                pair = one.pair
                print(f"{pair['id']} {pair['lang']} {pair['category']}: {one.became}, not {pair['expect']}")
                print(f"    {pair['older']}\n    {pair['newer']}{'  (the older one last)' if one.late else ''}")
    print(f"missed: {', '.join(below)}" if below else "every bar is met", file=sys.stderr)
    sys.exit(1 if below else 0)


if __name__ == "__main__":
    main()
