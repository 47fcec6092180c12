"""doctor: is everything in place? One line a check, and the remedy where it is not."""

import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
import numpy as np

from interlayer import __version__
from interlayer.app.composition import Parts, build, first_policies
from interlayer.app.settings import Settings
from interlayer.errors import InterlayerError
from interlayer.memory.extraction.model_choice import Choice
from interlayer.memory.log import keys
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.schema.schema import read_schema, starter_schema
from interlayer.models.chat import Chat, Question, Uncounted
from interlayer.principal import Principal
from interlayer.storage.dynamodb.tables import check_tables
from interlayer_policies.governance import lint

_PROBE: Final[Question[Any]] = Question(
    system="Answer with JSON.",
    user='Answer {"ready": true}.',
    name="probe",
    schema={
        "type": "object",
        "properties": {"ready": {"type": "boolean"}},
        "required": ["ready"],
        "additionalProperties": False,
    },
    read=lambda data: data,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, and what was seen or what to do."""

    name: str
    ok: bool
    detail: str


async def examine(settings: Settings) -> list[Finding]:
    """Return the findings, in the order in which things depend on each other. Writes nothing but empty stores."""
    findings: list[Finding] = []

    async def look(name: str, check: Callable[[], Awaitable[str]]) -> bool:
        try:
            findings.append(Finding(name, ok=True, detail=await check()))
        except InterlayerError as error:
            findings.append(Finding(name, ok=False, detail=str(error)))
        return findings[-1].ok

    async def program() -> str:
        return f"interlayer {__version__}, Python {platform.python_version()} on {sys.platform}"

    async def home() -> str:
        return await anyio.to_thread.run_sync(_writable, settings)

    async def schema() -> str:
        found = read_schema(settings.schema) if settings.schema else starter_schema()
        return f"{len(found.entities)} entity types: {', '.join(found.entities)}"

    async def policies() -> str:
        files = first_policies(settings)
        types = (read_schema(settings.schema) if settings.schema else starter_schema()).allowed_values()
        problems = [problem for problem in lint(files, types) if problem.severity == "error"]
        if problems:
            raise InterlayerError("; ".join(str(problem) for problem in problems[:3]))
        return f"{len(files)} files, no error"

    await look("program", program)
    usable = await look("home", home)
    usable = await look("schema", schema) and usable
    await look("policies", policies)
    if usable:
        await _examine_stores(settings, look)
    return findings


async def _examine_stores(
    settings: Settings, look: Callable[[str, Callable[[], Awaitable[str]]], Awaitable[bool]]
) -> None:
    try:
        parts = build(settings)
    except InterlayerError as error:

        async def raise_again(problem: InterlayerError = error) -> str:
            raise problem

        await look("item store", raise_again)
        return
    organization, spaces = settings.principal.organization, parts.memory.spaces

    async def store() -> str:
        return f"{settings.store or settings.home / 'interlayer.db'}, {await _spaces_of(spaces, organization)}"

    async def tables() -> str:
        states = await check_tables(settings.store, organization) if settings.store else []
        if faults := [f"{one.name}: {one.detail}" for one in states if not one.ok]:
            raise InterlayerError(" ".join(faults))
        return "; ".join(f"{one.name}: {one.detail}" for one in states)

    async def index() -> str:
        place = settings.home / "vectors" if settings.vectors == "lance" else settings.vectors
        rows = await _rows(spaces, organization)
        waiting = (await parts.store.query("memory", keys.outbox(organization).partition, limit=1)).items
        if not rows and not waiting and (missing := await parts.memory.consistency.differences(organization)):
            lost = f"{place}: is empty, and {len(missing)} facts are remembered, which no search finds."
            raise InterlayerError(f"{lost} Run interlayer reconcile --rebuild.")
        return f"{place}, {rows} rows"

    async def model() -> str:
        choice = await parts.models.chosen(organization)
        if not choice.settings.models:
            return "none: agents pass facts and properties, plain content is cut into sentences"
        return await _answering(choice, len(await parts.memory.rereader.backlog.notes(organization)))

    try:
        for name, check in {
            **({"tables": tables} if settings.store else {}),
            "item store": store,
            "stored schema": partial(_fitting, parts, organization),
            "published policies": partial(_verify_policies, parts, settings.principal),
            "clock": partial(_time, parts, organization),
            "vector index": index,
            "embedder": partial(_embedding, spaces, organization),
            "model": model,
        }.items():
            await look(name, check)
    finally:
        await parts.close()


async def _verify_policies(parts: Parts, principal: Principal) -> str:
    found = await parts.domains.governance.verify(principal)
    return f"{found} policies, as they were published" if found else "none: published at the first start"


async def _time(parts: Parts, organization: str) -> str:
    """Return what there is to know of the clock. Raises `ClockInDoubt` when it or what is on record is wrong."""
    doubt = await parts.memory.retention_clock.doubt(organization)
    if doubt and doubt.behind:
        raise doubt
    return str(doubt or "not behind what is on record, nor far ahead of it")


async def _fitting(parts: Parts, organization: str) -> str:
    file = str(parts.settings.schema or "")
    put = await parts.memory.migrator.fitting(organization, parts.memory.schema, file)
    return "the configured schema " + ("goes on record at the next start" if put else "is the one on record")


async def _spaces_of(spaces: Spaces, organization: str) -> str:
    """Return which embedding spaces are in use. Raises `Refused` when another model is configured."""
    notice = await spaces.check(organization)
    record = await spaces.record(organization)
    if record is None:
        return "no embedding space yet"
    beside = f", {record.beside.space.id} is written beside it" if record.beside else ""
    return f"embedding space {record.current.space.id}{beside}. {notice}".strip()


async def _rows(spaces: Spaces, organization: str) -> int:
    """Return how many rows the index has that is searched. Raises what is the matter with it."""
    index = (await spaces.of(organization)).made
    if index is None:  # its model has not answered yet
        return 0
    await index.verify()
    await index.ping()
    return len(await index.ids(organization))


async def _embedding(spaces: Spaces, organization: str) -> str:
    """Return that the model of every space in use makes unit vectors, or raise that one does not."""
    record = await spaces.claim(organization)
    said: list[str] = []
    for entry in filter(None, (record.current, record.beside)):
        made = spaces.active(entry).embedder
        vector = (await made.embed(["a short text"], waiting=True))[0]
        if abs(float(np.linalg.norm(vector)) - 1) > 1e-3:
            raise InterlayerError(f"{entry.choice.name} makes no unit vectors. Install the package anew.")
        said.append(f"{made.space.model}, {len(vector)} dims")
    return "; ".join(said)


async def _answering(choice: Choice, pending: int) -> str:
    """Return that each of the models answers in form, or raise what is the matter with the first that does not."""
    for model in choice.settings.models:
        asked = replace(choice.settings, models=(model,), retries=0)
        await Chat(asked, Uncounted()).ask(_PROBE)
    names = ", then ".join(choice.settings.models)
    return f"{names}: answers in form; {pending} contents still to be read"


def _writable(settings: Settings) -> str:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        raise InterlayerError(
            f"{settings.home}: {error.strerror}. Set INTERLAYER_HOME to a writable folder."
        ) from error
    return str(settings.home)
