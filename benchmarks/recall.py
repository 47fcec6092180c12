"""Measure how much of what answers a question `recall_entity` finds; needs the research data.

`python benchmarks recall [--json] [--data DIR] [--minilm DIR] [--dates]`: every turn of a LoCoMo conversation is
memorized by one call, every answerable question is asked, and the share of its evidence among the first 5, 10 and 20
distinct sources is averaged over the questions, beside BM25 alone and vectors alone. `--minilm` names a folder with
`model.onnx` and `tokenizer.json`; with `--dates` every turn is observed when it was said and not now.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np

from conversations import Conversation, conversations, found_among
from interlayer.ids import system_clock
from interlayer.language.terms import terms
from interlayer.memory.memory import Memory
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.requests import MemorizeRequest, RecallRequest
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.choice import EmbedderChoice
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.sqlite.items import SqliteItems
from interlayer.text.bm25 import Bm25
from measuring import ROOT, machine, show

FIRST: Final = (5, 10, 20)
BARS: Final = {"bundled": (0.65, 0.75, 0.82), "minilm": (0.68, 0.78, 0.85)}
CALLER: Final = Principal("bench", "benchmark")
RECALLED: Final = 200

Shares = dict[str, dict[int, list[float]]]


async def measured(conversation: Conversation, embedder: Any, name: str, shares: Shares, dates: bool) -> None:
    """Memorize a conversation and add what each way finds of each question's evidence."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteItems(Path(folder) / "interlayer.db")
        index = LanceIndex(str(Path(folder) / "vectors"), embedder.space)
        schema = starter_schema()
        spaces = Spaces(store, EmbedderChoice(embedder.space.model), always(embedder), always(index))
        memory = Memory.over(store, spaces, schema, system_clock)
        entity = f"contact:{conversation.name}@conversations.example"
        for turn in conversation.turns:
            at = turn.at if dates else None
            request = MemorizeRequest(entity=entity, content=turn.text, source=turn.id, observed_at=at)
            await memory.memorizer.memorize(CALLER, request)
        for question in conversation.questions:
            wanted = RecallRequest(entity=entity, query=question.text, limit=RECALLED, max_tokens=200_000)
            answer = await memory.recaller.recall(CALLER, wanted)
            add(shares, f"recall_entity, {name}", [fact.source for fact in answer.facts], question.evidence)
        await index.close()
        await store.close()
    await floors(conversation, embedder, name, shares)


def always(thing: Any) -> Any:
    """Return a factory of one thing."""
    return lambda *_: thing  # type: ignore[reportUnknownLambdaType]


async def floors(conversation: Conversation, embedder: Any, name: str, shares: Shares) -> None:
    """Add what BM25 alone and vectors alone find among whole turns."""
    ids = [turn.id for turn in conversation.turns]
    lexical = Bm25()
    for turn in conversation.turns:
        lexical.add(terms(turn.text))
    vectors = await embedder.embed([turn.text for turn in conversation.turns])
    asked = await embedder.embed([question.text for question in conversation.questions])
    for question, vector in zip(conversation.questions, asked, strict=True):
        for way, scores in (
            ("BM25 alone, stemmed, stop words out", lexical.scores(terms(question.text))),
            (f"vectors alone, {name}", vectors @ vector),
        ):
            order = np.argsort(-scores, kind="stable")
            add(shares, way, [ids[place] for place in order], question.evidence)


def add(shares: Shares, way: str, ranked: list[str], evidence: frozenset[str]) -> None:
    """Add the shares that one ranking finds."""
    for first in FIRST:
        shares[way][first].append(found_among(ranked, evidence, first))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "locomo")
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--dates", action="store_true")
    given = parser.parse_args(arguments)
    held = list(conversations(given.data))
    if not held:
        sys.exit(f"no conversations at {given.data}; name the folder with --data")
    embedders: dict[str, Any] = {"bundled": LocalEmbedder()}
    if given.minilm:
        from minilm import MiniLm

        embedders["minilm"] = MiniLm(given.minilm)
    shares: Shares = defaultdict(lambda: defaultdict(list))
    for name, embedder in embedders.items():
        once: Shares = defaultdict(lambda: defaultdict(list))
        for number, conversation in enumerate(held, 1):
            sys.stderr.write(f"\r{name}: conversation {number} of {len(held)} ")
            anyio.run(measured, conversation, embedder, name, once, given.dates)
        shares |= once
    sys.stderr.write("\n")
    report(shares, held, as_json=given.json)


def report(shares: Shares, held: Sequence[Conversation], *, as_json: bool) -> None:
    """Print the averages, with the bars."""
    asked = sum(len(one.questions) for one in held)
    averages = {way: {first: round(float(np.mean(by[first])), 3) for first in FIRST} for way, by in shares.items()}
    if as_json:
        sys.stdout.write(json.dumps({"machine": machine(), "questions": asked, "shares": averages}, indent=2) + "\n")
        return
    rows = [[way, *(f"{by[first]:.3f}" for first in FIRST)] for way, by in averages.items()]
    rows += [[f"bar, {name}", *(f"{bar:.2f}" for bar in bars)] for name, bars in BARS.items()]
    show(f"Evidence found, {len(held)} conversations, {asked} questions", ["", "@5", "@10", "@20"], rows)


if __name__ == "__main__":
    main()
