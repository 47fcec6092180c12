"""Labelled texts with orders to a model, and harmless ones: each told to an entity of its own, and what comes back."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interlayer.answers import as_json
from interlayer.errors import InvalidInput
from interlayer.language.prompt_injection.orders import strength
from interlayer.memory.memory import Memory
from interlayer.memory.requests import PARTS, FactCandidate, MemorizeRequest, RecallRequest
from interlayer.principal import Principal
from interlayer.text.visible import visible

FOLDS: Final = 5
THRESHOLDS: Final = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
_FALSE_ALARM: Final = 3  # a harmless text that is refused weighs as much as so many orders that are stored
_MAILS: Final = 100
_MAIL_MIN: Final = 100  # characters of a draft that stands for a mail


@dataclass(frozen=True)
class Told:
    """A labelled text, and all that recall says of the entity to which it was told."""

    row: dict[str, Any]
    recalled: str

    @property
    def is_order(self) -> bool:
        """Whether it holds an order to a model."""
        return not self.row["stored_ok"]

    @property
    def is_right(self) -> bool:
        """Whether nothing of an order comes back, or all of a harmless text."""
        if self.is_order:
            return not any(piece in self.recalled for piece in self.row["order"])
        return all(piece in self.recalled for piece in self.row["keep"])


@dataclass(frozen=True)
class Fold:
    """A part of the texts, judged with the threshold that is best for all the others."""

    number: int
    threshold: float
    orders: int
    missed: int
    harmless: int
    refused: int


def labelled(folder: Path) -> list[dict[str, Any]]:
    """Return the labelled texts."""
    return [json.loads(line) for line in (folder / "texts.jsonl").read_text(encoding="utf-8").splitlines()]


def harmless_mails(data: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of a hundred mails, documents and notes of a business, none with an order to a model."""
    folder = data / "governed-memory"
    kinds = ("emails", "documents", "call_notes", "chats", "transcripts")
    files = [path for kind in kinds for path in sorted((folder / kind).glob("*.txt"))]
    texts = [(path.stem, path.read_text(encoding="utf-8")) for path in files]
    for line in (data / "interactions" / "texts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts.append((row["id"], row["content"]))
    for line in (data / "compliance" / "texts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if len(row["text"]) >= _MAIL_MIN:
            texts.append((row["id"], row["text"]))
    yield from texts[:_MAILS]


async def tell(memory: Memory, caller: Principal, row: dict[str, Any]) -> Told:
    """Tell a text to an entity of its own in the place that it is meant for; return what recall says then."""
    entity, text = f"company:{row['id']}.example", row["text"]
    given: dict[str, dict[str, Any]] = {
        "content": {"content": text},
        "fact": {"facts": [FactCandidate(text, 0.9)]},
        "source": {"facts": [FactCandidate(row.get("statement", "It makes pumps."), 0.9)], "source": text},
        "name": {"facts": [FactCandidate("It makes pumps.", 0.9)], "name": text},
    }
    with suppress(InvalidInput):  # then nothing was stored, which recall shows
        await memory.memorizer.memorize(caller, MemorizeRequest(entity=entity, **given[row["where"]]))
    asked = RecallRequest(entity=entity, include=PARTS, limit=200, max_tokens=8_000)
    answer = as_json(await memory.recaller.recall(caller, asked))
    return Told(row, json.dumps(answer, ensure_ascii=False))


async def refusals(memory: Memory, caller: Principal, name: str, text: str) -> int:
    """Tell a harmless text; return how many of its statements are taken for orders."""
    answer = await memory.memorizer.memorize(caller, MemorizeRequest(entity=f"company:{name}.example", content=text))
    return answer.gates.rejected.get("instruction", 0)


def folds(rows: Sequence[dict[str, Any]]) -> Iterator[Fold]:
    """Judge each fifth of the texts by itself, with the threshold that is best for the other four fifths."""
    scored = [(strength(visible(row["text"])), not row["stored_ok"]) for row in rows if row["form"] != "invisible"]
    for number in range(FOLDS):
        own = scored[number::FOLDS]
        others = [one for at, one in enumerate(scored) if at % FOLDS != number]
        threshold = min(THRESHOLDS, key=lambda least: (_cost(others, least), abs(least - 1.0)))
        orders = [score for score, is_order in own if is_order]
        harmless = [score for score, is_order in own if not is_order]
        missed, refused = sum(one < threshold for one in orders), sum(one >= threshold for one in harmless)
        yield Fold(number, threshold, len(orders), missed, len(harmless), refused)


def _cost(scored: Sequence[tuple[float, bool]], least: float) -> int:
    return sum(score < least if is_order else _FALSE_ALARM * (score >= least) for score, is_order in scored)
