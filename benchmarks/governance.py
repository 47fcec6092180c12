"""Measure how much of the guidance that a task requires is found; needs the research data.

`python benchmarks governance [--json] [--quick | --scale] [--data DIR] [--minilm DIR]`: the documents of a bank are
published as plain guidance, every task is asked as it is written, and the share of its required documents among the
first 10, 20 and 40 distinct policies is averaged over the tasks: as ranked, as delivered into the largest budget, and
by BM25 alone and vectors alone. Then, with the bundled embedder, what a poor description loses, and how long calls take
on 1,000 and 10,000 invented policies (not with `--quick`). `--minilm` as in `recall`. `--scale` measures only what
needs no data: what calls are given on 1,000 policies with 2,000 rules in disjoint scopes, and how long that takes.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np

from described_policies import TASKS, described_policies
from governed_calls import latencies
from interlayer.audit.trail import Trail
from interlayer.ids import system_clock
from interlayer.language.terms import terms
from interlayer.models.calibration import calibrate as scale_of
from interlayer.models.embedder import EmbeddingModel, OneModel
from interlayer.models.local import LocalEmbedder
from interlayer.models.scale import REFERENCE
from interlayer.principal import Principal
from interlayer.storage.sqlite.items import SqliteItems
from interlayer.text.bm25 import Bm25
from interlayer_policies.delivery.evidence.background import background_of, background_texts
from interlayer_policies.delivery.evidence.query import query_of, texts_of
from interlayer_policies.delivery.snapshot import Edition, Snapshot, sections_of
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy
from interlayer_policies.governance import ContextAnswer, Facets, Governance, RememberedEntity
from measuring import machine, percentile, show
from research_data import FOLDER, bank_policies
from scoped_calls import HEADER as SCOPED
from scoped_calls import scoped

FIRST: Final = (10, 20, 40)
BARS: Final = {"bundled": (0.38, 0.50, 0.64), "minilm": (0.40, 0.55, 0.70)}
CALLER: Final = Principal("bench", "benchmark")
BUDGET: Final = 8_000
ROUNDS: Final = 5
LATE: Final = 100

Shares = dict[str, dict[int, list[float]]]


class NoEntities:
    """Nothing is remembered here."""

    async def governance_facts(self, principal: Principal, entity: str) -> RememberedEntity:
        """Return no type and no properties."""
        del principal, entity
        return RememberedEntity(None, {})


async def measure(data: Path, embedder: Any, name: str) -> tuple[Shares, list[float], float]:
    """Return way -> first -> each task's share of what it requires, milliseconds a call, and the share degraded."""
    files = bank_policies(data)
    tasks = [json.loads(line) for line in (data / "tasks.jsonl").read_text(encoding="utf-8").splitlines()]
    policies = [policy for policy in map(parse, files) if isinstance(policy, Policy)]
    by_file = {file.path.removesuffix(".md"): policy.id for file, policy in zip(files, policies, strict=True)}
    editions = [Edition(policy, 1) for policy in sorted(policies, key=lambda policy: policy.id)]
    sections = sections_of(editions)
    owners = [section.edition.policy.id for section in sections]
    vectors = await embedder.embed([section.indexed for section in sections])
    words = Bm25()
    for section in sections:
        words.add(terms(section.indexed))
    background = background_of(await embedder.embed(background_texts()))
    model = EmbeddingModel(embedder, await scale_of(embedder))
    snapshot, everything = Snapshot(1, editions, sections, vectors, model), np.arange(len(sections))
    shares: Shares = defaultdict(lambda: defaultdict(list))
    took: list[float] = []
    degraded = 0
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteItems(Path(folder) / "items.db")
        governance = Governance(store, Trail(store, system_clock), OneModel(model), NoEntities(), system_clock)
        await governance.publish(CALLER, files, reason="benchmark")
        for task in tasks:
            text = str(task["task"])
            required = {by_file[document] for document in task["required_documents"]}
            asked = texts_of(text)
            query = query_of(asked, await embedder.embed(asked, query=True), background)
            answer = await with_vectors(governance, text)
            found = {
                f"ranked, {name}": distinct(owners, snapshot.index.relevance(query, everything).scores()),
                f"delivered in {BUDGET} tokens, {name}": list(dict.fromkeys(s.policy_id for s in answer.sections)),
                "BM25 alone": distinct(owners, words.scores(terms(text))),
                f"vectors alone, {name}": distinct(owners, vectors @ np.asarray(query.vectors)[0]),
            }
            for way, ranked in found.items():
                for first in FIRST:
                    shares[way][first].append(len(required & set(ranked[:first])) / len(required))
        for number in range(ROUNDS * len(tasks)):
            task = f"{tasks[number % len(tasks)]['task'][:400]} Case {number}."
            start = time.perf_counter()
            answer = await governance.context(CALLER, task, Facets())
            took.append((time.perf_counter() - start) * 1_000)
            degraded += bool(answer.degraded)
        await store.close()
    return shares, took, degraded / len(took)


async def with_vectors(governance: Governance, task: str) -> ContextAnswer:
    """Deliver when the model had time: its late word is there for a later call."""
    for _ in range(LATE):
        answer = await governance.context(CALLER, task, Facets(), max_tokens=BUDGET)
        if not answer.degraded:
            return answer
        await anyio.sleep(0.1)
    raise RuntimeError("the embedder does not answer")


async def described(data: Path) -> list[list[Any]]:
    """Return rows: how policies are described, tasks of theirs that they were delivered for, and the worst of them.

    They stand among the documents of the bank, asked within the default budget.
    """
    rows: list[list[Any]] = []
    unrelated = bank_policies(data / "bank-policies")
    for way in ("well_authored", "poorly_authored"):
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteItems(Path(folder) / "items.db")
            models = OneModel(EmbeddingModel(LocalEmbedder(), REFERENCE))
            governance = Governance(store, Trail(store, system_clock), models, NoEntities(), system_clock)
            files = described_policies(data / "governed-memory", way)
            await governance.publish(CALLER, [*files, *unrelated], reason="benchmark")
            found: dict[str, int] = {}
            for category, asked in TASKS.items():
                answers = [await governance.context(CALLER, task, Facets()) for task in asked]
                found[category] = sum(category in {s.policy_id for s in answer.sections} for answer in answers)
            await store.close()
        every = sum(len(asked) for asked in TASKS.values())
        rows.append([way, f"{sum(found.values())} of {every}", ", ".join(f"{c} {n}" for c, n in found.items())])
    return rows


def distinct(owners: list[str], scores: Any) -> list[str]:
    """Return the policies in the order of their best section."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return list(dict.fromkeys(owners[number] for number in order))


async def scale(as_json: bool) -> None:
    """Measure calls in disjoint scopes and print."""
    rows = await scoped()
    if as_json:
        print(json.dumps({"machine": machine(), "scoped": rows}))
        return
    show("1,000 policies with 2,000 rules in disjoint scopes, facets given, in the server", SCOPED, rows)


async def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    if arguments.scale:
        await scale(arguments.json)
        return
    found: dict[str, Any] = {"machine": machine(), "shares": {}, "milliseconds": {}}
    embedders: dict[str, Any] = {"bundled": LocalEmbedder()}
    if arguments.minilm:
        from minilm import MiniLm

        embedders["minilm"] = MiniLm(Path(arguments.minilm))
    for name, embedder in embedders.items():
        shares, took, degraded = await measure(Path(arguments.data) / "bank-policies", embedder, name)
        for way, firsts in shares.items():
            found["shares"][way] = [round(float(np.mean(firsts[first])), 3) for first in FIRST]
        found["shares"][f"bar, {name}"] = list(BARS[name])
        found["milliseconds"][name] = [round(percentile(took, part), 1) for part in (0.5, 0.99)]
        found["milliseconds"][name].append(round(degraded, 2))
    found["described"] = await described(Path(arguments.data))
    found["calls"] = [] if arguments.quick else await latencies()
    if arguments.json:
        print(json.dumps(found))
        return
    show(
        "Required policies found",
        ["way", *(f"@{first}" for first in FIRST)],
        [[w, *s] for w, s in found["shares"].items()],
    )
    rows = [[name, *figures] for name, figures in found["milliseconds"].items()]
    show("New tasks of 400 characters on that set, in the server, ms", ["embedder", "p50", "p99", "degraded"], rows)
    show(
        "Policies without a word of their own but name and description", ["way", "delivered", "by"], found["described"]
    )
    show("get_governance_context, new task each call, ms", ["what", "p50", "p99", "bar", "floor ratio"], found["calls"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", default=str(FOLDER))
    parser.add_argument("--minilm")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scale", action="store_true")
    anyio.run(run, parser.parse_args())
