"""Measure whether guidance is found by meaning and off-topic tasks get none; needs the research data.

`python benchmarks guidance [--json] [--data DIR] [--minilm DIR]`: over 22 policies, how many of 30 tasks are delivered
the section that helps, asked in other words without and with topics, and in its own words, and how many of 20 off-topic
tasks are delivered anything; over a bank's documents, the share of the required ones among the first 20. Then the
numbers of the floor and of the fused score are chosen anew, each time without a fifth of the tasks, and measured on it.
`--minilm` as in `recall`.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np
from governance import NoEntities, distinct
from numpy.typing import NDArray

from interlayer.audit.trail import Trail
from interlayer.ids import system_clock
from interlayer.models.calibration import calibrate as scale_of
from interlayer.models.embedder import EmbeddingModel, OneModel, Vectors
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.sqlite.items import SqliteItems
from interlayer_policies.delivery.evidence.background import Background, background_of, background_texts
from interlayer_policies.delivery.evidence.floor import FLOOR, Floor
from interlayer_policies.delivery.evidence.query import Query, query_of, texts_of
from interlayer_policies.delivery.relevance import SHARES, SectionIndex, Shares
from interlayer_policies.delivery.snapshot import Edition, GuidanceSection, sections_of
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.governance import Facets, Governance, read_folder
from measuring import show
from research_data import FOLDER, bank_policies

FOLDS: Final = 5
FIRST: Final = 20
OFF_TOPIC_AT_MOST: Final = 0.05
WAYS: Final = ("other words", "with topics", "own words", "off-topic", "off-topic with topics")
BARS: Final = (">= 30 %", ">= 90 %", ">= 98 %", "<= 5 %", "<= 5 %")
FLOORS: Final = [
    Floor(nearness=nearness, work=work)
    for nearness, work in itertools.product((0.045, 0.05, 0.055, 0.06, 0.065, 0.075), (0.6, 0.7, 0.8))
]
SHARES_TRIED: Final = [
    Shares(title=title, meaning=meaning)
    for title, meaning in itertools.product((0.18, 0.24, 0.3), (0.1, 0.14, 0.2, 0.3))
]
CALLER: Final = Principal("bench", "benchmark")

Task = tuple[str, Sequence[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Indexed:
    """The sections of a set with their vectors, and the tasks that it is asked with."""

    sections: list[GuidanceSection]
    heads: list[str]
    vectors: Vectors
    model: EmbeddingModel

    def index(self, shares: Shares = SHARES, floor: Floor = FLOOR) -> SectionIndex:
        """Return the index with these numbers."""
        numbers = np.array([section.number for section in self.sections], dtype=np.intp)
        texts = [section.indexed for section in self.sections]
        return SectionIndex(texts, self.heads, numbers, self.vectors, self.model.scale, shares, floor)


async def indexed(files: Sequence[PolicyFile], model: EmbeddingModel) -> Indexed:
    """Return the sections of policies with their vectors."""
    policies = sorted((one for one in map(parse, files) if isinstance(one, Policy)), key=lambda policy: policy.id)
    sections = sections_of([Edition(policy, 1) for policy in policies])
    heads = ["\n".join([policy.title, policy.description]) for policy in policies]
    return Indexed(sections, heads, await model.embedder.embed([one.indexed for one in sections]), model)


def lines(file: Path) -> list[Any]:
    """Read a file of one JSON value a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def tasks_of(folder: Path) -> list[list[Task]]:
    """Return the tasks of each way to ask, with the section that is wanted, None where none should come."""
    cases, strangers = lines(folder / "tasks.jsonl"), lines(folder / "off_topic.jsonl")
    wanted = [(case["policy_id"], case["section_id"]) for case in cases]
    return [
        [(case["hard"], (), one) for case, one in zip(cases, wanted, strict=True)],
        [(case["hard"], case["topics"], one) for case, one in zip(cases, wanted, strict=True)],
        [(case["own_words"], (), one) for case, one in zip(cases, wanted, strict=True)],
        [(one["task"], (), None) for one in strangers],
        [(one["task"], one["topics"], None) for one in strangers],
    ]


async def delivered(files: Sequence[PolicyFile], ways: list[list[Task]], model: EmbeddingModel) -> list[list[bool]]:
    """Return for each way and task whether the wanted section, or any, is delivered within the default budget."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteItems(Path(folder) / "items.db")
        governance = Governance(store, Trail(store, system_clock), OneModel(model), NoEntities(), system_clock)
        await governance.publish(CALLER, files, reason="benchmark")
        found: list[list[bool]] = []
        for way in ways:
            found.append([])
            for task, topics, wanted in way:
                answer = await governance.context(CALLER, task, Facets(), topics=topics)
                while answer.degraded:
                    await anyio.sleep(0.05)
                    answer = await governance.context(CALLER, task, Facets(), topics=topics)
                refs = {(one.policy_id, one.section_id) for one in answer.sections}
                found[-1].append(wanted in refs if wanted else bool(refs))
        await store.close()
    return found


def pass_floor(
    index: SectionIndex, queries: list[list[Query]], places: list[list[int | None]]
) -> list[NDArray[np.bool_]]:
    """Return for each way (tasks,): whether the wanted section, or any, passes the floor."""
    every = np.arange(index.size)
    return [
        np.array(
            [
                bool(passes.any() if place is None else passes[place])
                for query, place in zip(asked, wanted, strict=True)
                for passes in [index.relevance(query, every).passes]
            ]
        )
        for asked, wanted in zip(queries, places, strict=True)
    ]


def folds(count: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return what is chosen by and what is measured on: neighbours are alike, so they stay together."""
    return [(np.setdiff1d(np.arange(count), part), part) for part in np.array_split(np.arange(count), FOLDS)]


def choose_floor(results: list[list[NDArray[np.bool_]]]) -> list[list[Any]]:
    """Return rows: what of each fifth of the tasks is delivered with the floor that was chosen by the others."""
    rows: list[list[Any]] = []
    several = zip(folds(len(results[0][0])), folds(len(results[0][3])), strict=True)
    for number, ((learned, measured), (strange, stranger)) in enumerate(several):
        best = max(range(len(results)), key=lambda place: _merit(results[place], learned, strange))
        kept = [one[measured if way < 3 else stranger] for way, one in enumerate(results[best])]
        chosen = FLOORS[best]
        rows.append([number + 1, *(f"{one.sum()} of {len(one)}" for one in kept), chosen.nearness, chosen.work])
    total = [sum(int(row[way + 1].split()[0]) for row in rows) for way in range(len(WAYS))]
    return [*rows, ["all", *(f"{n} of {len(results[0][way])}" for way, n in enumerate(total)), "", ""]]


def _merit(one: list[NDArray[np.bool_]], learned: NDArray[np.intp], strange: NDArray[np.intp]) -> tuple[float, float]:
    """Return how good a floor is: first at most one off-topic task, or the bar; then what is found."""
    noise = float(max(one[3][strange].mean(), one[4][strange].mean()))
    return -max(0.0, noise - max(OFF_TOPIC_AT_MOST, 1 / len(strange))), float(one[0][learned].mean()) - noise


def choose_shares(results: list[NDArray[np.float64]]) -> list[list[Any]]:
    """Return rows: the share found of each fifth of the tasks with the shares that were chosen by the others."""
    rows: list[list[Any]] = []
    held: list[NDArray[np.float64]] = []
    for number, (learned, measured) in enumerate(folds(len(results[0]))):
        best = max(range(len(results)), key=lambda place: float(results[place][learned].mean()))
        held.append(results[best][measured])
        chosen = SHARES_TRIED[best]
        rows.append([number + 1, round(float(held[-1].mean()), 2), chosen.title, chosen.meaning])
    return [*rows, ["all", round(float(np.concatenate(held).mean()), 3), "", ""]]


async def query(task: str, topics: Sequence[str], background: Background, model: EmbeddingModel) -> Query:
    """Return a task made ready."""
    texts = texts_of(task, topics)
    return query_of(texts, await model.embedder.embed(texts, query=True), background)


async def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    embedder: Any = LocalEmbedder()
    if arguments.minilm:
        from minilm import MiniLm

        embedder = MiniLm(Path(arguments.minilm))
    model = EmbeddingModel(embedder, await scale_of(embedder))
    background = background_of(await embedder.embed(background_texts()))
    folder = Path(arguments.data) / "guidance"
    files, ways = read_folder(folder / "policies"), tasks_of(folder)
    given = await delivered(files, ways, model)
    small = await indexed(files, model)
    names = [(section.edition.policy.id, section.section_id) for section in small.sections]
    queries = [[await query(task, topics, background, model) for task, topics, _ in way] for way in ways]
    places = [[names.index(wanted) if wanted else None for _, _, wanted in way] for way in ways]
    floors = choose_floor([pass_floor(small.index(floor=floor), queries, places) for floor in FLOORS])

    documents = bank_policies(Path(arguments.data) / "bank-policies")
    large = await indexed(documents, model)
    ids = {file.path.removesuffix(".md"): one.id for file in documents if isinstance(one := parse(file), Policy)}
    tasks = lines(Path(arguments.data) / "bank-policies" / "tasks.jsonl")
    asked = [await query(task["task"], (), background, model) for task in tasks]
    required = [{ids[one] for one in task["required_documents"]} for task in tasks]
    owners = [section.edition.policy.id for section in large.sections]

    def found(shares: Shares) -> NDArray[np.float64]:
        index = large.index(shares)
        ranked = [distinct(owners, index.relevance(one, np.arange(index.size)).scores())[:FIRST] for one in asked]
        return np.array([len(need & set(first)) / len(need) for need, first in zip(required, ranked, strict=True)])

    in_use = found(SHARES)
    shares = choose_shares([found(one) for one in SHARES_TRIED])
    table: list[list[Any]] = [
        [way, f"{sum(one)} of {len(one)}", bar] for way, one, bar in zip(WAYS, given, BARS, strict=True)
    ]
    table.append([f"a bank's documents @{FIRST}", round(float(in_use.mean()), 3), ">= 0.60"])
    by_fold = [round(float(part.mean()), 2) for part in np.array_split(in_use, FOLDS)]
    if arguments.json:
        print(json.dumps({"bars": table, "bank by fold": by_fold, "floor": floors, "shares": shares}))
        return
    show("With the numbers in use", ["what", "found", "bar"], table)
    show("The bank's tasks by fold, with the numbers in use", [str(n + 1) for n in range(FOLDS)], [by_fold])
    show("Floor chosen without the fold, measured on it", ["fold", *WAYS, "nearness", "work"], floors)
    show(f"Shares chosen without the fold, bank @{FIRST} on it", ["fold", "found", "title", "meaning"], shares)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", default=str(FOLDER))
    parser.add_argument("--minilm")
    anyio.run(run, parser.parse_args())
