"""Measure how much of what answers a question `recall_entity` finds; needs the research data.

`python benchmarks recall [--json] [--data DIR] [--sets NAME ...] [--choose]
[--minilm DIR]`: over four sets, every
source is memorized by one call and every question is asked. A table a set has the share of the evidence among the
first 1, 5 and 10 distinct turns, messages or lines, averaged over the questions, beside BM25 alone and vectors alone
over whole ones. Below stand the long list of which some facts are overtaken, and pairs of notes of which the later
one corrects the earlier. `--choose` chooses the weights of recall's legs anew, on all sets but one at a time, and
prints how each serves the set that was left out. `--minilm` names a folder with `model.onnx` and `tokenizer.json`.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np

from changes import Change, Note, changes, rank_of
from fusion_choice import FIRST, Case, choose
from interlayer.language.terms import terms
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.memory import Memory
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.answer import RecallAnswer
from interlayer.memory.recall.query import asked
from interlayer.memory.recall.relevance import Relevance
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.choice import EmbedderChoice
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.in_memory.items import InMemoryItems
from interlayer.storage.in_memory.vectors import InMemoryIndex
from interlayer.text.bm25 import Bm25
from measuring import ROOT, machine, show
from recall_sets import Question, Source, World, recall_sets, share_found

CALLER: Final = Principal("bench", "benchmark")
RECALLED: Final = 200
AFTERWARDS: Final = datetime(2027, 6, 1, tzinfo=UTC)  # when everything is told: later than all that was observed
PORTION: Final = 30  # facts of the long list that one call memorizes

Shares = dict[str, dict[int, list[float]]]


def memory_of(embedder: Any) -> Memory:
    """Return a memory that lasts as long as the process."""
    store, index = InMemoryItems(), InMemoryIndex(embedder.space)
    spaces = Spaces(store, EmbedderChoice(embedder.space.model), always(embedder), always(index))
    return Memory.over(store, spaces, starter_schema(), lambda: AFTERWARDS)


def always(thing: Any) -> Any:
    """Return a factory of one thing."""
    return lambda *_: thing  # type: ignore[reportUnknownLambdaType]


@dataclass(frozen=True)
class Asking:
    """An entity of a memory, and what it was told."""

    memory: Memory
    entity: str
    sources: Mapping[str, Source]

    async def told(self, source: Source) -> None:
        """Memorize a source."""
        request = MemorizeRequest(entity=self.entity, content=source.text, source=source.id, observed_at=source.at)
        await self.memory.memorizer.memorize(CALLER, request)

    async def units(self, query: str) -> list[str]:
        """Return the units of the facts that a query finds, best first."""
        answer = await recalled(self.memory, self.entity, query)
        view, _ = await view_of(self.memory, self.entity)
        return [self.unit(fact) for one in answer.facts if (fact := view.fact(one.fact_id))]

    async def case(self, question: Question, embedder: Any) -> Case:
        """Return what recall knows of each fact before it weighs it."""
        view, names = await view_of(self.memory, self.entity)
        current = np.flatnonzero(~view.traits.superseded)
        [vector] = await embedder.embed([asked(question.text, names)], query=True)
        relevance = Relevance.of(view, question.text, vector, current, names, ())
        facts = [view.ordered[number] for number in current]
        return Case.of(relevance.legs, [self.unit(fact) for fact in facts], question.evidence)

    def unit(self, fact: FactState) -> str:
        """Return the unit that a fact stands in."""
        return self.sources[fact.memory.source or ""].unit(fact.record.span[0] if fact.record.span else 0)


async def recalled(memory: Memory, entity: str, query: str, limit: int = RECALLED) -> RecallAnswer:
    """Ask for more than any figure needs."""
    request = RecallRequest(entity=entity, query=query, limit=limit, max_tokens=200_000)
    return await memory.recaller.recall(CALLER, request)


async def view_of(memory: Memory, entity: str) -> tuple[EntityView, Sequence[str]]:
    """Return everything that is known of an entity, and what it is called."""
    known = await memory.entities.resolve(CALLER.organization, parse_entity(entity, memory.schema))
    stored = await memory.entities.head(CALLER.organization, known) if known else None
    if stored is None:
        raise LookupError(entity)
    return await memory.entities.view(CALLER.organization, stored.head), (stored.head.name, *stored.head.names)


async def measured(world: World, embedder: Any, name: str, shares: Shares, cases: list[Case] | None) -> None:
    """Memorize a world and add what each way finds of each question's evidence, and the cases if they are wanted."""
    asking = Asking(memory_of(embedder), "company:world.example", {one.id: one for one in world.sources})
    floors = Floors(embedder)
    told = 0
    for question in sorted(world.questions, key=lambda one: one.after):
        for source in world.sources[told : question.after]:
            await asking.told(source)
            await floors.told(source)
        told = question.after
        if cases is not None:
            cases.append(await asking.case(question, embedder))
        ways = {f"recall_entity, {name}": await asking.units(question.text), **await floors.units(question.text, name)}
        for way, ranked in ways.items():
            for first in FIRST:
                shares[way][first].append(share_found(ranked, question.evidence, first))


class Floors:
    """BM25 alone and vectors alone, over whole turns, messages or lines."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self._ids: list[str] = []
        self._lexical = Bm25()
        self._vectors: list[Any] = []

    async def told(self, source: Source) -> None:
        """Add the units of a source."""
        held = list(source.texts())
        self._ids += [name for name, _ in held]
        for _, text in held:
            self._lexical.add(terms(text))
        self._vectors.extend(await self._embedder.embed([text for _, text in held]))

    async def units(self, query: str, name: str) -> dict[str, list[str]]:
        """Return the units, best first, by each way."""
        [vector] = await self._embedder.embed([query], query=True)
        scores = {
            "BM25 alone, stemmed, stop words out": self._lexical.scores(terms(query)),
            f"vectors alone, {name}": np.stack(self._vectors) @ vector,
        }
        return {way: [self._ids[place] for place in np.argsort(-found, kind="stable")] for way, found in scores.items()}


async def list_measured(folder: Path, embedder: Any) -> tuple[float, float]:
    """Memorize the long list in portions; return the share of answers in the first fact and in the first five."""
    memory, entity = memory_of(embedder), "company:world.example"
    texts = [json.loads(line)["text"] for line in (folder / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for first in range(0, len(texts), PORTION):
        facts = tuple(
            FactCandidate(text, 0.9, observed_at=(began + timedelta(minutes=first + place)).isoformat())
            for place, text in enumerate(texts[first : first + PORTION])
        )
        await memory.memorizer.memorize(CALLER, MemorizeRequest(entity=entity, facts=facts, source=f"list {first}"))
    found: list[tuple[bool, bool]] = []
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        answer = await recalled(memory, entity, asked["question"], 5)
        held = [asked["answer"].casefold() in fact.text.casefold() for fact in answer.facts]
        found.append((held[0], any(held)))
    first, five = np.mean(found, axis=0)
    return float(first), float(five)


async def pairs_measured(pairs: Sequence[Change], embedder: Any) -> list[str]:
    """Memorize each pair of notes in both orders; return those in which the older word stands first."""
    memory = memory_of(embedder)
    wrong: list[str] = []
    for pair in pairs:
        for order, notes in {"in order": (pair.stale, pair.fresh), "out of order": (pair.fresh, pair.stale)}.items():
            entity = f"company:{pair.company} {pair.name} {order}"
            for note in notes:
                told = MemorizeRequest(
                    entity=entity, content=note.text, observed_at=note.at, source=note.at.isoformat()
                )
                await memory.memorizer.memorize(CALLER, told)
            answer = await recalled(memory, entity, pair.question)
            if place_of(pair.fresh, pair.stale, answer) >= place_of(pair.stale, pair.fresh, answer):
                wrong.append(f"{pair.name} {order}")
    return wrong


def place_of(claim: Note, other: Note, answer: RecallAnswer) -> int:
    """Return the place at which an answer has the claim of a note."""
    return rank_of(claim, other, [{"source": fact.source, "text": fact.text} for fact in answer.facts])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="*", help="only these, by the beginning of their names")
    parser.add_argument("--choose", action="store_true", help="choose the weights of the legs anew")
    parser.add_argument("--minilm", type=Path)
    given = parser.parse_args(arguments)
    held = chosen_sets(given)
    embedders: dict[str, Any] = {"bundled": LocalEmbedder()}
    if given.minilm:
        from minilm import MiniLm

        embedders["minilm"] = MiniLm(given.minilm)
    shares: dict[str, Shares] = {}
    cases: dict[str, list[Case]] = defaultdict(list)
    for name, worlds in held.items():
        shares[name] = defaultdict(lambda: defaultdict(list))
        for called, embedder in embedders.items():
            for number, world in enumerate(worlds, 1):
                sys.stderr.write(f"\r{name}, {called}: {number} of {len(worlds)}      ")
                kept = cases[name] if given.choose and called == "bundled" else None
                anyio.run(measured, world, embedder, called, shares[name], kept)
    sys.stderr.write("\n")
    if given.choose:
        report_choice(cases, shares)
        return
    beside = {} if given.sets else measured_beside(given.data, embedders["bundled"])
    report(shares, beside, as_json=given.json)


def chosen_sets(given: argparse.Namespace) -> dict[str, Sequence[World]]:
    """Return the sets that are there and wanted."""
    wanted = tuple(one.casefold() for one in given.sets or ("",))
    held = {name: one for name, one in recall_sets(given.data).items() if name.casefold().startswith(wanted)}
    if not held:
        sys.exit(f"no sets at {given.data}; name the folder with --data")
    return held


def measured_beside(data: Path, embedder: Any) -> dict[str, str]:
    """Return what there is to say of the list and of the pairs."""
    found: dict[str, str] = {}
    if (data / "fact-lists").is_dir():
        first, five = anyio.run(list_measured, data / "fact-lists", embedder)
        found["long list, newest first / among five"] = f"{first:.2f} / {five:.2f}"
    pairs = list(changes(data / "governed-memory" / "conflict_pairs"))
    if pairs:
        wrong = anyio.run(pairs_measured, pairs, embedder)
        named = f"; not: {', '.join(wrong)}" if wrong else ""
        found["changed pairs, newer word first"] = f"{2 * len(pairs) - len(wrong)} of {2 * len(pairs)}{named}"
    return found


def report_choice(cases: Mapping[str, Sequence[Case]], shares: Mapping[str, Shares]) -> None:
    """Print the weights that are chosen without each set, how they serve it, and those that are chosen on all."""
    floors = {
        name: np.array([floor(found, first) for first in FIRST], dtype=np.float32) for name, found in shares.items()
    }
    chosen = choose(cases, floors)
    rows = [
        [
            f"{name}, left out" if name == held_out else name,
            *(f"{ratio * least:.3f} ({ratio:.2f})" for ratio, least in zip(ratios, floors[name], strict=True)),
        ]
        for held_out, choice in chosen.items()
        for name, ratios in choice.ratios.items()
        if held_out in {name, ""}
    ]
    show("Found by chosen weights (times the better floor)", ["", *(f"@{first}" for first in FIRST)], rows)
    for held_out, choice in chosen.items():
        sys.stdout.write(f"\nWEIGHTS without {held_out or 'leaving any out'}: {choice.weights}\n")


def floor(found: Shares, first: int) -> float:
    """Return what the better of BM25 and vectors finds among the first ones."""
    return max(float(np.mean(by[first])) for way, by in found.items() if "alone" in way)


def report(shares: Mapping[str, Shares], beside: Mapping[str, str], *, as_json: bool) -> None:
    """Print the averages, and for `recall_entity` the ratio to the better of the two floors."""
    averages = {
        name: {way: {first: round(float(np.mean(by[first])), 3) for first in FIRST} for way, by in found.items()}
        for name, found in shares.items()
    }
    if as_json:
        held = {"machine": machine(), "shares": averages, "beside": beside}
        sys.stdout.write(json.dumps(held, indent=2) + "\n")
        return
    for name, by_way in averages.items():
        asked = len(next(iter(shares[name].values()))[FIRST[0]])
        rows = [[way, *(f"{by[first]:.3f}" for first in FIRST)] for way, by in by_way.items()]
        better = {first: floor(shares[name], first) for first in FIRST}
        rows += [
            [f"{way}: times the better floor", *(f"{by[first] / better[first]:.2f}" for first in FIRST)]
            for way, by in by_way.items()
            if "alone" not in way
        ]
        show(f"{name}: evidence found, {asked} questions", ["", *(f"@{first}" for first in FIRST)], rows)
    for name, said in beside.items():
        sys.stdout.write(f"\n{name}: {said}\n")


if __name__ == "__main__":
    main()
