"""The extractor that asks a chat model: prompt, passages of long content, and one extraction from all of them.

Where an answer does not end within its tokens, the passage is asked about in smaller ones. Where even that does not
help, the model goes round in circles; the candidates that were whole by then are good ones, and the extraction says
that it was cut short.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import anyio

from interlayer.memory.extraction.answer_schema import NAME, answer_schema
from interlayer.memory.extraction.extractor import Extraction, ExtractionTask, KnownFact, KnownSubject
from interlayer.memory.extraction.merging import amended, merged
from interlayer.memory.extraction.model_answer import AnswerReader
from interlayer.memory.schema.property import PropertySchema
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.models.chat import Chat, ChatSettings, CutShort, Question
from interlayer.text.passages import passages

_OVERLAPS: Final = 15  # a passage says the last fifteenth of the one before it again
_SMALLEST: Final = 2  # passages of half the size are made no smaller
_AT_ONCE: Final = 4
_VALUE_MAX: Final = 500
_OTHERS_MAX: Final = 40
_PROPERTIES_SHOWN: Final = (
    4_000  # characters: the properties of other types than the main entity's are listed within it
)

Fence = Callable[[], str]
"""Makes a word that nobody who wrote the content can have known."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a model said of a passage. `cut`: it did not come to an end."""

    extraction: Extraction
    model: str
    cut: bool = False


class ModelExtractor:
    """Reads content with a chat model. Raises `Unavailable` when no model gives an answer in form."""

    def __init__(self, chat: Chat, settings: ChatSettings, fence: Fence = lambda: secrets.token_hex(8)) -> None:
        self._chat = chat
        self._settings = settings
        self._fence = fence

    @property
    def name(self) -> str:
        """The model that is asked first."""
        return self._settings.name

    @property
    def timeout_s(self) -> float:
        """How long a call waits for it."""
        return self._settings.timeout_s

    async def extract(self, task: ExtractionTask) -> Extraction:
        """Read the content passage by passage, and merge; all of it or nothing."""
        texts = list(_passages(task.content, self._settings.passage))
        found: list[list[_Read]] = [[] for _ in texts]
        limit = anyio.CapacityLimiter(_AT_ONCE)

        async def read(number: int) -> None:
            async with limit:
                found[number] = await self._read(task, texts[number])

        try:
            async with anyio.create_task_group() as tasks:
                for number in range(len(texts)):
                    tasks.start_soon(read, number)
        except ExceptionGroup as failed:
            raise _first(failed) from failed
        answers = [one for several in found for one in several]
        models = dict.fromkeys(one.model for one in answers)
        cut = ", cut short" if any(one.cut for one in answers) else ""
        by = f"{'+'.join(models)} (prompt {prompt_version()}{cut})"
        return replace(merged([one.extraction for one in answers]), by=by)

    async def _read(self, task: ExtractionTask, passage: str) -> list[_Read]:
        """Read a passage, and smaller ones of it if the answer does not come to an end."""
        try:
            found, model = await self._chat.ask(await self._question(task, passage))
            return [_Read(_placed(found, passage), model)]
        except CutShort as cut:
            if _SMALLEST * len(passage) > self._settings.passage:
                several: list[_Read] = []
                for part in _passages(passage, (len(passage) + 1) // 2):
                    several += await self._read(task, part)
                return several
            if cut.whole is None:
                raise
            return [_Read(_placed(cut.whole, passage), cut.model, cut=True)]

    async def _question(self, task: ExtractionTask, passage: str) -> Question[Extraction]:
        fence = self._fence()
        while fence in passage:
            fence = self._fence()
        near = await task.nearest(passage)
        reader = AnswerReader(near)
        return Question(
            system=_prompt(),  # in the same words each time, so that servers need not read it anew
            user=_tell(task, passage, near, fence),
            name=NAME,
            schema=answer_schema(
                task.schema, task.entity_type, len(passage), facts_known=bool(near), values_known=bool(task.known)
            ),
            read=reader.read,
            gather=reader.gather,
            join=amended,
        )


def _placed(found: Extraction, passage: str) -> Extraction:
    """Note on what was lost in which passage it was."""
    return replace(found, lost=[replace(one, passage=passage) for one in found.lost]) if found.lost else found


def _passages(text: str, size: int) -> Iterator[str]:
    return passages(text, size, size // _OVERLAPS)


def prompt_version() -> str:
    """Return a name for the prompt that is another one whenever its words are."""
    return hashlib.sha256(_prompt().encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _prompt() -> str:
    return resources.files("interlayer.memory.extraction.prompts").joinpath("extraction.md").read_text(encoding="utf-8")


def _tell(task: ExtractionTask, passage: str, near: Sequence[KnownFact], fence: str) -> str:
    entity = f"{task.entity_type} {json.dumps(task.name, ensure_ascii=False)}"
    known = {name: _short(value) for name, value in task.known.items()}
    parts = [
        f"Types and their properties:\n{_list(task)}",
        f"Relations: {', '.join(_relations(task.schema))}" if task.schema.relations else "",
        f"Fence: {fence}",
        f"Main entity: {entity}",
        f"Written on: {task.observed_at:%A, %Y-%m-%d}",
        _fenced(fence, "known properties", json.dumps(known, ensure_ascii=False)),
        _fenced(fence, "known facts", _labelled(near) or "none"),
        _fenced(fence, "known others", "\n".join(map(_named, task.subjects[:_OTHERS_MAX]))) if task.subjects else "",
        _fenced(fence, "text", passage),
        # Said again at the end: a small model has lost sight of it by then.
        f"State what the text says of the {entity} and others: facts, properties, relations, each with its quote.",
    ]
    return "\n\n".join(filter(None, parts))


def _named(one: KnownSubject) -> str:
    named = f"{one.type} {json.dumps(one.names[0], ensure_ascii=False)}"
    return f"{named} {', '.join(one.keys[:1])}".rstrip()


def _labelled(near: Sequence[KnownFact]) -> str:
    """List known facts under the labels by which a model may name them: long ids come back mangled."""
    return "\n".join(
        f"F{number}{f' ({one.of})' if one.of else ''}: {' '.join(one.text.split())}"
        for number, one in enumerate(near, 1)
    )


def _fenced(fence: str, what: str, data: str) -> str:
    return f"«{fence} {what}»\n{data}\n«{fence} end of {what}»"


def _list(task: ExtractionTask) -> str:
    """List the properties of each type, the main entity's first; of the others in full as far as there is room."""
    full = {kind: "\n".join(_lines(one)) for kind, one in task.schema.entities.items()}
    is_long = sum(map(len, full.values())) > _PROPERTIES_SHOWN
    kinds = sorted(full, key=lambda kind: kind != task.entity_type)
    return "\n".join(
        f"{kind}: {', '.join(task.schema.entities[kind].current)}" if is_long and at else f"{kind}:\n{full[kind]}"
        for at, kind in enumerate(kinds)
    )


def _relations(schema: Schema) -> Iterator[str]:
    for name, one in schema.relations.items():
        ends = f" ({' or '.join(one.sources)} to {' or '.join(one.targets)})" if one.sources and one.targets else ""
        yield f"{name}{ends}"


def _lines(schema: EntitySchema) -> Iterator[str]:
    for name, one in schema.current.items():
        yield f"- {name} ({_type(one)}): {one.description}".rstrip(" :")


def _type(declared: PropertySchema) -> str:
    if declared.values:
        return f"one of: {', '.join(declared.values)}"
    if declared.target:
        return f"reference, such as {declared.target[0]}:key"
    return f"{declared.type}, in {declared.unit}" if declared.unit else declared.type


def _short(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _VALUE_MAX else text[:_VALUE_MAX]


def _first(failed: BaseExceptionGroup[Exception]) -> Exception:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
