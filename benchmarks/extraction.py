"""Measure what the pipeline loses of a perfect model's answers, and what it lets in of made-up ones.

`python benchmarks extraction [--json] [--data DIR] [--missed]`: a scripted server behind real HTTP and the real
litellm answers as a perfect model would, that is with what the labels of each sample expect, in sentences that stand on
their own and with a quote from the sample; and with made-up candidates among them, which have no quote in the text, or
another figure, name or value than the text has. What is stored is compared with the labels.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import anyio

from interlayer.app.evaluation.evaluation import Sample, evaluate, samples_of
from interlayer.app.settings import load
from interlayer.language.terms import terms
from interlayer.models.chat import ChatSettings
from interlayer.text.private import masked
from interlayer.text.sentences import sentences
from measuring import ROOT, machine, show
from scripted_model import Asked, Reply, scripted_model

_PRONOUNS: Final = (
    (r"They're\b", "{} is"),
    (r"They've\b", "{} has"),
    (r"Their\b", "{}'s"),
    (r"They\b", "{}"),
)
_MADE_UP: Final = "Zanzibar Quillworth"
_PLANTED_FIGURE: Final = 987_123


class PerfectModel:
    """Answers with the labels of the sample that it is asked about, and with made-up candidates."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples
        self.planted = Counter[str]()

    def __call__(self, asked: Asked) -> Reply:
        """Return the answer about the passage that is asked about."""
        passage = asked["messages"][-1]["content"].partition(" text»\n")[2]
        passage = passage.rpartition("\n«")[0]
        # By most of its lines: secrets are blotted out of what the model gets.
        lines = {line for line in passage.splitlines() if line.strip()}
        sample = max(self._samples, key=lambda one: len(lines & set(one.text.splitlines())))
        spoken = [passage[one.start : one.end] for one in sentences(passage)] or [passage]
        facts = [
            {"text": _on_its_own(text, sample), "quote": quote, "confidence": 0.95, "status": "new"}
            for text in sample.expected_facts
            if (quote := _quote(text, sample, passage))
        ]
        properties = [
            {"name": name, "value": value, "quote": quote, "confidence": 0.95, "status": "new"}
            for name, value in sample.labels["expected_properties"].items()
            if (quote := _quote(f"{name} {value}", sample, passage))
        ]
        made_up = self._made_up(spoken[0], sample)
        return Reply(json.dumps({"facts": facts + made_up[0], "properties": properties + made_up[1]}))

    def _made_up(self, quote: str, sample: Sample) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        name = str(sample.labels.get("company", "Acme"))
        sure = {"confidence": 0.99, "status": "new"}
        facts = [
            {"text": f"{name} has a plant on the moon.", "quote": "a plant on the moon, as we said", **sure},
            {"text": f"{name} has {_PLANTED_FIGURE} branches.", "quote": quote, **sure},
            {"text": f"{name} is owned by {_MADE_UP}.", "quote": quote, **sure},
            {"text": f"{name} was founded on 1871-03-04.", "quote": quote, **sure},
        ]
        free = [
            one for one in ("job_title", "competitors_mentioned") if one not in sample.labels["expected_properties"]
        ]
        values: dict[str, Any] = {"job_title": f"Chief {_MADE_UP}", "competitors_mentioned": [_MADE_UP]}
        properties = [{"name": one, "value": values[one], "quote": quote, **sure} for one in free]
        properties.append({"name": "industry_of_the_moon", "value": "x", "quote": quote, **sure})
        self.planted.update(facts=len(facts), properties=len(properties))
        return facts, properties


def _on_its_own(text: str, sample: Sample) -> str:
    """Return a labelled fact with the company's name for its pronoun, as the prompt asks."""
    for pronoun, name in _PRONOUNS:
        text = re.sub(f"^{pronoun}", name.format(sample.labels.get("company", "The company")), text)
    return text


def _quote(statement: str, sample: Sample, passage: str) -> str | None:
    """Return the sentence of the sample that says most of a statement, None if it is not in this passage."""
    wanted = set(terms(statement))
    spoken = [sample.text[one.start : one.end] for one in sentences(sample.text)] or [sample.text]
    best = max(spoken, key=lambda one: len(wanted & set(terms(one))))
    return best if masked(best) in passage else None


def _quietly(done: int) -> None:
    _ = done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--missed", action="store_true", help="also print what was expected and not found")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "governed-memory")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no {given.data}; name the folder with --data")
    perfect = PerfectModel(samples_of(given.data))
    with scripted_model() as server, tempfile.TemporaryDirectory() as home:
        server.answer = perfect
        settings = replace(load({"HOME": home}, {}), model=ChatSettings())
        model = ChatSettings(models=("openai/perfect",), api_base=server.url, api_key="none", timeout_s=120)
        scores = anyio.run(evaluate, settings, model, given.data, _quietly)
    total = scores["all"]
    unexpected = total.facts_stored - total.facts_right + total.properties_stored - total.properties_right
    made_up = {"made_up": perfect.planted.total(), "stored_and_not_expected": unexpected, "rejected": total.rejected}
    if given.json:
        rows = {kind: one.shares() for kind, one in scores.items()}
        result = {"machine": machine(), "scores": rows, **made_up, "unquoted": total.unquoted}
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    columns = ("kind", "samples", *total.shares())
    rows_ = [[kind, one.samples, *one.shares().values()] for kind, one in scores.items()]
    show("What a perfect model finds and what is stored of it (bar: 0.95 each)", columns, rows_)
    sys.stdout.write("\n" + "\n".join(f"{name}: {value}" for name, value in made_up.items()))
    sys.stdout.write(f"\nstored without a quote in the text: {total.unquoted}\n")
    if given.missed:
        sys.stdout.write("\n".join(["", *total.missed, ""]))


if __name__ == "__main__":
    main()
