"""How well the configured model reads labelled samples: each is memorized for real, and compared with its labels.

A sample is a pair of files in DIR or a folder of it: `NAME.txt`, and `NAME.ground_truth.json` with `expected_facts`
(texts, or objects with `text`), `expected_properties` ({name: value}), and optionally `entity`, `contact_name` or
`name`, `company`, `observed_at`. Where DIR holds a `collections.json`, that is the schema; else it is the configured
one. All of it happens in a temporary home, whose budget is of the same size and counts by itself.
"""

import json
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from interlayer.app.composition import Parts, build
from interlayer.app.evaluation.scoring import Score, Stored, score
from interlayer.app.settings import Settings
from interlayer.errors import InvalidInput, Refused, Unavailable
from interlayer.ids import parse_instant, system_clock
from interlayer.memory.log.records import EntityId
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.collection_import import schema_of
from interlayer.models.chat import ChatSettings

LABELS: Final = ".ground_truth.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and what is expected of it."""

    kind: str
    name: str
    text: str
    labels: Mapping[str, Any]

    @property
    def expected_facts(self) -> list[str]:
        """The facts, as texts."""
        return [one if isinstance(one, str) else str(one["text"]) for one in self.labels.get("expected_facts", ())]

    @property
    def entity_name(self) -> str | None:
        """What the entity is called, if the labels tell."""
        return self.labels.get("contact_name") or self.labels.get("name")


def samples_of(folder: Path) -> list[Sample]:
    """Return the samples of a folder. Raises `InvalidInput` when there are none or one cannot be read."""
    found = list(_samples(folder))
    if not found:
        raise InvalidInput("--data", f"{folder} holds no sample.", f"Put NAME.txt and NAME{LABELS} there.")
    return found


def _samples(folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.rglob(f"*{LABELS}")):
        text = path.with_name(path.name.removesuffix(LABELS) + ".txt")
        if not text.is_file():
            continue
        try:
            labels: Any = json.loads(path.read_text(encoding="utf-8"))
            content = text.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InvalidInput(str(path), f"cannot be read: {error}.") from error
        if not isinstance(labels, dict) or "expected_facts" not in labels:
            continue
        kind = path.parent.relative_to(folder).as_posix()
        yield Sample(kind if kind != "." else folder.name, text.stem, content, labels)


async def evaluate(
    settings: Settings, model: ChatSettings, folder: Path, progress: Callable[[int], None]
) -> dict[str, Score]:
    """Return the score of each kind of sample, which is its folder, and of all of them under `all`."""
    if not model.models:
        raise Refused("model: none is configured, so there is nothing to evaluate. Set INTERLAYER_MODEL, or --model.")
    samples = samples_of(folder)
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory(prefix="interlayer-evaluate-") as home:
        schema = _schema(folder, Path(home)) or settings.schema
        parts = build(replace(settings, home=Path(home), schema=schema, model=model))
        try:
            await parts.prepare()
            done = 0
            async for sample, one in _score_each(parts, samples):
                scores.setdefault(sample.kind, Score()).add(one)
                done += 1
                progress(done)
        finally:
            await parts.close()
    total = Score()
    for one in scores.values():
        total.add(one)
    if total.pending == total.samples:
        raise Unavailable(f"none of {total.samples} samples could be read; the first is {total.missed[0]}")
    return {**scores, "all": total}


def _schema(folder: Path, home: Path) -> Path | None:
    collections = folder / "collections.json"
    if not collections.is_file():
        return None
    text = collections.read_text(encoding="utf-8")
    first = [str(json.loads(text)[0]["collectionName"])]
    path = home / "schema.yaml"
    path.write_text(schema_of(text, collections.name, first)[0], encoding="utf-8")
    return path


async def _score_each(parts: Parts, samples: list[Sample]) -> AsyncGenerator[tuple[Sample, Score]]:
    spending = parts.models.spending(parts.settings.principal.organization)
    before = (await spending.today()).tokens
    for number, sample in enumerate(samples):
        one = await _of(parts, sample, number)
        after = (await spending.today()).tokens
        one.tokens, before = max(after - before, 0), after
        yield sample, one


async def _of(parts: Parts, sample: Sample, number: int) -> Score:
    principal, schema = parts.settings.principal, parts.memory.schema
    expected: Mapping[str, Any] = sample.labels.get("expected_properties", {})
    given = str(sample.labels.get("entity") or "")
    entity_type = given.partition(":")[0] if given else _best_type(parts, expected)
    observed_at = _when(sample)
    request = MemorizeRequest(
        entity=given or f"{entity_type}:sample_{number}",
        name=sample.entity_name,
        content=sample.text,
        source=sample.name,
        observed_at=observed_at,
    )
    answer = await parts.memory.memorizer.memorize(principal, request)
    if "pending (" in answer.extractor:  # what is stored is not the model's, so it says nothing of the model
        return Score(samples=1, pending=1, missed=[f"{sample.name}: {answer.extractor}"])
    entity = EntityId(answer.entity.type, answer.entity.id) if answer.memory_id else None
    stored = await parts.memory.entities.head(principal.organization, entity) if entity else None
    view = await parts.memory.entities.view(principal.organization, stored.head) if stored else None

    def to_stored(text: str, span: tuple[int, int] | None) -> Stored:
        return Stored(text, sample.text[slice(*span)] if span else None, observed_at)

    facts = [to_stored(one.record.text, one.record.span) for one in (view.ordered if view else ())]
    states = view.properties if view else {}
    names = [name for name in (sample.entity_name, sample.labels.get("company")) if name]
    one = score(
        sample.expected_facts,
        facts,
        expected,
        {name: state.value for name, state in states.items()},
        schema.entities[entity_type].current,
        names,
    )
    one.stored += [to_stored(f"{name}: {state.value}", state.basis.observation.span) for name, state in states.items()]
    one.checked = answer.gates.checked
    one.rejected.update(answer.gates.rejected)
    return one


def _when(sample: Sample) -> datetime:
    given = sample.labels.get("observed_at")
    return parse_instant(str(given), f"{sample.name}: observed_at") if given else system_clock()


def _best_type(parts: Parts, expected: Mapping[str, Any]) -> str:
    """Return the entity type that declares most of the expected properties."""
    entities = parts.memory.schema.entities
    return max(entities, key=lambda name: len(entities[name].current.keys() & expected.keys()))
