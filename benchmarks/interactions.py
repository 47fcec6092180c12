"""Measure what is remembered of a day of e-mails, calls, tickets and notes without a model; needs the research data.

`python benchmarks interactions [--perfect-model | --confused-model] [--json] [--data DIR] [--missed]`: the known
accounts are memorized, then every text in order, each by one call. Reported are the labelled statements that a fact of
the right entity holds, the share of new facts that are furniture, facts that bear a label of another sentence, the
properties and relations of all whom a text reaches, and what the questions find at the end. A statement that an entity
holds which it is not about is at a wrong one, unless that is the entity that the call is mainly about. A scripted
server answers over HTTP: each text with its labels, or with what they say of others, of nobody and elsewhere.
"""

import argparse
import json
import re
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import anyio

from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.errors import InvalidInput
from interlayer.memory.memorize.answer import FactOutcome, MemorizeAnswer
from interlayer.memory.requests import MemorizeRequest, RecallRequest, SearchRequest
from interlayer.models.chat import ChatSettings
from measuring import ROOT, machine, show
from perfect_reader import ConfusedReader, PerfectReader
from scripted_model import scripted_model

_ALL_FACTS: Final = RecallRequest(entity="", include=("facts",), limit=200, max_tokens=8_000)
_ADDED_TIME: Final = re.compile(r" \(\d{4}[^()]*\)")  # what is put behind a relative time
_PHONE: Final = re.compile(r"\+[\d\s().-]{7,24}")
_LABEL: Final = re.compile(r"([^:]{1,60}):\s+(.+)", re.DOTALL)

Text = dict[str, Any]


@dataclass
class Tally:
    """What was counted, and what was missed, in words."""

    counts: Counter[str] = field(default_factory=Counter[str])
    missed: list[str] = field(default_factory=list[str])
    stored: list[str] = field(default_factory=list[str])

    def share(self, part: str, whole: str) -> float:
        """Return one count as a share of another."""
        return round(self.counts[part] / self.counts[whole], 3) if self.counts[whole] else 0.0

    def miss(self, kind: str, where: str, what: object) -> None:
        """Count and note something that is wrong."""
        self.counts[kind] += 1
        self.missed.append(f"{kind} | {where} | {what}")

    def report(self) -> dict[str, float]:
        """Return the figures, by name."""
        count = self.counts
        return {
            "statements on the right entity": self.share("statements", "expected"),
            "statements on the right entity, texts without one": self.share("statements_unnamed", "expected_unnamed"),
            "statements": count["expected"],
            "statements on a wrong entity": count["wrong_entity"],
            "relations": self.share("related", "relations"),
            "entities reached beside the main one": count["also"],
            "entities created": count["created"],
            "facts stored": count["facts"],
            "noise, share of the facts": self.share("noise", "facts"),
            "wrong labels": count["wrong"],
            "labels of another sentence": count["label"],
            "properties, precision": self.share("right", "found"),
            "properties, recall": self.share("wanted", "properties"),
            "questions right": self.share("answered", "questions"),
            "questions": count["questions"],
            "stale shown as current": count["stale"],
            "of questions that have a stale answer": count["could_be_stale"],
            "texts refused": count["refused"],
        } | ({"planted": count["planted"], "planted, stored": count["planted_stored"]} if count["planted"] else {})


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file, one a line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def fold(text: str) -> str:
    """Return a text in lower case, without accents, with single blanks."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split())


def is_noise(fact: str, text: Text) -> bool:
    """Whether a fact is a piece of the text's furniture, or nothing but furniture."""
    said, left = fold(fact), fold(fact)
    for one in map(fold, text["noise"]):
        if said.strip(" .,-") in one:
            return True
        left = left.replace(one, " ")
    return not re.search(r"\w", left)


def has_label_of_another(fact: str, content: str) -> bool:
    """Whether a fact puts a label before words that it does not stand before in the content."""
    said, bare = fold(content), _ADDED_TIME.sub("", fact)
    label = _LABEL.fullmatch(bare)
    return bool(label) and fold(bare) not in said and fold(label[2]) in said


async def stored(parts: Parts, entity: str) -> tuple[str, list[str]]:
    """Return the id of an entity, empty where there is none, and its current facts."""
    request = replace(_ALL_FACTS, entity=entity)
    answer = await parts.memory.recaller.recall(parts.settings.principal, request)
    return answer.entity.ref if answer.entity else "", [one.text for one in answer.facts]


async def read_text(parts: Parts, text: Text, tally: Tally) -> None:
    """Memorize a text and count what became of it."""
    request = MemorizeRequest(
        entity=text["entity"],
        content=text["content"],
        name=text.get("name"),
        identifiers=text.get("identifiers") or {},
        source=f"{text['kind']} {text['id']}",
        observed_at=datetime.fromisoformat(text["observed_at"]),
    )
    try:
        answer = await parts.memory.memorizer.memorize(parts.settings.principal, request)
    except InvalidInput as error:
        tally.counts["expected"] += len(text["statements"])
        tally.miss("refused", text["id"], error)
        return
    reached = [(answer.entity, answer.facts), *((one.entity, one.facts) for one in answer.also or ())]
    tally.counts["also"] += len(reached) - 1
    for entity, facts in reached:
        if entity.created:
            tally.miss("created", text["id"], (entity.ref, entity.name))
        for fact in facts:
            count_fact(fact, text, tally)
    await find_statements(parts, text, answer, tally)
    await find_relations(parts, text, tally)
    await compare_properties(parts, text, answer, tally)


def count_fact(fact: FactOutcome, text: Text, tally: Tally) -> None:
    """Count a stored fact, and what is wrong with it."""
    if fact.outcome == "rejected":
        return
    tally.counts["facts"] += 1
    tally.stored.append(fact.text)
    if is_noise(fact.text, text):
        tally.miss("noise", text["id"], fact.text)
    if any(re.search(one, fact.text, re.IGNORECASE) for one in text["wrong"]):
        tally.miss("wrong", text["id"], fact.text)
    if has_label_of_another(fact.text, text["content"]):
        tally.miss("label", text["id"], fact.text)


async def find_statements(parts: Parts, text: Text, answer: MemorizeAnswer, tally: Tally) -> None:
    """Look for each labelled statement among the facts of the entities that it may be of."""
    others = {one.entity.ref: [fold(fact.text) for fact in one.facts] for one in answer.also or ()}
    for statement in text["statements"]:
        kind = "" if text["entity"] else "_unnamed"
        keys = [fold(key) for key in statement["keys"]]
        known = dict([await stored(parts, entity) for entity in statement["entity"]])
        is_found = any(all(key in fold(fact) for key in keys) for facts in known.values() for fact in facts)
        for name in dict.fromkeys(("", kind)):
            tally.counts[f"expected{name}"] += 1
            tally.counts[f"statements{name}"] += is_found
        if not is_found:
            tally.miss("statement", text["id"], statement)
        for ref, facts in others.items():
            if ref not in known and any(all(key in fact for key in keys) for fact in facts):
                tally.miss("wrong_entity", text["id"], (ref, statement))


async def find_relations(parts: Parts, text: Text, tally: Tally) -> None:
    """Look for each labelled relation at either end, under any type."""
    for relation in text["relations"]:
        tally.counts["relations"] += 1
        ends: list[tuple[str, set[str]]] = []
        for entity in (relation["source"], relation["target"]):
            request = RecallRequest(entity=entity, include=("relations",), limit=200)
            known = await parts.memory.recaller.recall(parts.settings.principal, request)
            others = {one.entity for one in known.relations}
            ends.append((known.entity.ref if known.entity else "?", others))
        (source, of_source), (target, of_target) = ends
        if target in of_source or source in of_target:
            tally.counts["related"] += 1
        else:
            tally.miss("relation", text["id"], relation)


async def compare_properties(parts: Parts, text: Text, answer: MemorizeAnswer, tally: Tally) -> None:
    """Compare the values that a text has set with those that it states."""
    labels = [*text["properties"], *text["may"]]
    refs = {one: (await stored(parts, one))[0] for one in {label["entity"] for label in labels}}
    wanted = {(refs[one["entity"]], one["name"]): fold(plain(one["value"])) for one in text["properties"]}
    allowed = {(refs[one["entity"]], one["name"], fold(plain(one["value"]))) for one in text["may"]}
    reached = [(answer.entity, answer.properties), *((one.entity, one.properties) for one in answer.also or ())]
    found = {
        (entity.ref, one.name): fold(plain(one.value))
        for entity, values in reached
        for one in values
        if one.outcome != "rejected"
    }
    tally.counts["properties"] += len(wanted)
    tally.counts["found"] += len(found)
    for place, value in found.items():
        if wanted.get(place) == value or (*place, value) in allowed:
            tally.counts["right"] += 1
        else:
            tally.miss("value", text["id"], (*place, value))
    for place, value in wanted.items():
        if found.get(place) == value:
            tally.counts["wanted"] += 1
        else:
            tally.miss("property", text["id"], (*place, value))


def plain(value: object) -> str:
    """Return a value as the labels write it: an amount without its currency, no decimals that say nothing.

    A telephone number is the same with blanks and without.
    """
    if isinstance(value, dict):
        return plain(value.get("amount"))
    if isinstance(value, str) and _PHONE.fullmatch(value):
        return re.sub(r"[\s().-]", "", value)
    return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value).removesuffix(".0").removesuffix(".")


async def ask(parts: Parts, question: dict[str, Any], tally: Tally) -> None:
    """Ask a question and judge the answer."""
    gold, stale = question["gold"], question["stale"]
    tally.counts["questions"] += 1
    tally.counts["could_be_stale"] += bool(stale)
    first, shown = await answers(parts, question)
    if any(all(re.search(one, text, re.IGNORECASE) for one in gold) for text in first):
        tally.counts["answered"] += 1
    else:
        tally.miss("question", question["id"], (question["question"], shown[:3]))
    seen = [text for text in shown if stale and re.search(stale, text, re.IGNORECASE)]
    if any(not all(re.search(one, text, re.IGNORECASE) for one in gold) for text in seen):
        tally.miss("stale", question["id"], (question["question"], seen))


async def answers(parts: Parts, question: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what may hold the answer to a question, and everything that is shown as current."""
    who = parts.settings.principal
    if not question["entity"]:
        found = await parts.memory.searcher.search(who, SearchRequest(query=question["question"]))
        texts = [one.fact.text for one in found.results]
        return texts[:1], texts
    request = RecallRequest(entity=question["entity"], query=question["question"])
    answer = await parts.memory.recaller.recall(who, request)
    if question.get("kind") == "relation":
        together = [" | ".join(one.name for one in answer.relations if one.status == "current")]
        return together, together
    facts = [one.text for one in answer.facts if one.status == "current"]
    values = [plain(one.value) for one in answer.properties]
    return [*facts[:1], *values], [*facts, *values]


def known(account: dict[str, str]) -> MemorizeRequest:
    """Return the call that says what is known of an account before: its name, and by what it is recognised."""
    kind, _, key = account["entity"].partition(":")
    identifier = {"company": "domain", "contact": "email"}.get(kind, f"{kind}_id")
    return MemorizeRequest(entity=account["entity"], name=account["name"], identifiers={identifier: key})


async def measure(folder: Path, model: ChatSettings | None = None) -> Tally:
    """Memorize the day, with a model if one is given, and ask."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as home:
        settings = load({"HOME": home, "ORG": "bench"}, {})
        async with opened(replace(settings, model=model) if model else settings) as parts:
            for account in lines_of(folder / "accounts.jsonl"):
                await parts.memory.memorizer.memorize(parts.settings.principal, known(account))
            for text in lines_of(folder / "texts.jsonl"):
                await read_text(parts, text, tally)
            for question in lines_of(folder / "questions.jsonl"):
                await ask(parts, question, tally)
    return tally


def with_model(folder: Path, *, is_confused: bool) -> Tally:
    """Measure with a scripted model over HTTP: it answers each text with its labels, or says everything of others."""
    accounts = {one["entity"]: one["name"] for one in lines_of(folder / "accounts.jsonl")}
    with scripted_model() as server:
        texts, questions = (list(lines_of(folder / f"{name}.jsonl")) for name in ("texts", "questions"))
        server.answer = reader = (ConfusedReader if is_confused else PerfectReader)(texts, accounts, questions)
        model = ChatSettings(models=("openai/perfect",), api_base=server.url, api_key="none", timeout_s=120)
        tally = anyio.run(measure, folder, model)
    if isinstance(reader, ConfusedReader):
        tally.counts["planted"] = len(reader.planted)
        stored = [one for one in tally.stored if one in reader.planted]
        for text in stored:
            tally.miss("planted_stored", "", text)
    return tally


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--missed", action="store_true", help="also print what is missed or wrong")
    parser.add_argument("--perfect-model", action="store_true", help="with a scripted model that makes no mistake")
    parser.add_argument("--confused-model", action="store_true", help="with one that says everything of somebody else")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "interactions")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        sys.exit(f"no {given.data}; name the folder with --data")
    before = machine()
    is_read = given.perfect_model or given.confused_model
    tally = with_model(given.data, is_confused=given.confused_model) if is_read else anyio.run(measure, given.data)
    if given.json:
        result = {"machine": before, **tally.report()} | ({"missed": tally.missed} if given.missed else {})
        sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        return
    how = "with a confused model" if given.confused_model else "with a perfect model" if is_read else "without a model"
    show(f"A day of interactions {how}", ["", "measured"], [list(row) for row in tally.report().items()])
    if given.missed:
        sys.stdout.write("\n" + "\n".join(tally.missed) + "\n")


if __name__ == "__main__":
    main()
