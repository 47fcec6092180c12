"""Export and import of an organization: everything that its stores hold, as JSON Lines, to any backend.

The file is described in docs/export-format.md. Vectors are not in it: they are made anew from the facts.
"""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, get_args

from interlayer import __version__
from interlayer.app.composition import Parts
from interlayer.errors import InvalidInput, Refused
from interlayer.ids import Clock, timestamp
from interlayer.memory.log import keys, outbox
from interlayer.storage.items import (
    TRANSACT_BYTES_MAX,
    TRANSACT_OPERATIONS_MAX,
    Delete,
    Item,
    ItemStore,
    Key,
    Put,
    Table,
)
from interlayer.storage.optimistic import apply_if_unchanged
from interlayer.text.budget import compact_json

FORMAT: Final = "interlayer-export"
VERSION: Final = 1
TABLES: Final[Sequence[Table]] = get_args(Table)
_BATCH_BYTES: Final = TRANSACT_BYTES_MAX // 2
_PROGRESS: Final = 1_000

Progress = Callable[[int], None]


async def export(store: ItemStore, organization: str, file: Path, clock: Clock, progress: Progress) -> int:
    """Write everything of an organization to a file (`-`: stdout, `.gz`: compressed); return how many items."""
    digest = hashlib.sha256()
    count = 0
    header = {
        "format": FORMAT,
        "version": VERSION,
        "organization": organization,
        "created_at": timestamp(clock()),
        "interlayer": __version__,
    }
    with writing(file) as out:

        def line(record: Mapping[str, Any]) -> None:
            data = f"{compact_json(record)}\n".encode()
            digest.update(data)
            out.write(data)

        line(header)
        for table in TABLES:
            async for item in _items(store, table, organization):
                line(_record(item, organization))
                count += 1
                if count % _PROGRESS == 0:
                    progress(count)
        out.write(f"{compact_json({'items': count, 'sha256': digest.hexdigest()})}\n".encode())
    return count


async def load(parts: Parts, organization: str, file: Path, progress: Progress) -> int:
    """Bring a file's organization in under a name; return how many items it holds.

    The file is checked whole before anything is written. What a killed import leaves behind is completed by running
    it again. Raises `InvalidInput` for a file that is damaged or not ours, `Refused` when the organization is in use.
    """
    types = list(parts.memory.schema.entities)
    with _reading(file) as path:
        digest = _verify_file(path, types)
        marker = keys.importing(organization)
        begun = await parts.store.get(marker)
        if begun and begun.body["sha256"] != digest:
            raise Refused(f"{organization}: the import of another file is not complete. Import that file again first.")
        if begun is None:
            await _make_room(parts.store, organization)
            await parts.store.transact([Put(marker, {"sha256": digest})])
        count = await _write_all(parts.store, organization, path, progress)
    await parts.memory.spaces.claim(organization)
    await parts.memory.projector.drain(organization)
    await parts.memory.backfill.fill(organization, await parts.memory.spaces.of(organization))
    await parts.store.transact([Delete(marker)])
    return count


async def _items(store: ItemStore, table: Table, organization: str) -> AsyncGenerator[Item]:
    """Yield what is exported: all but the notes of work that the copy does anew."""
    derived, of_the_copy = {outbox.queue(organization)}, {keys.space(organization), keys.retention(organization)}
    aside = keys.set_aside(organization, "").partition  # what was forgotten goes nowhere
    async with contextlib.aclosing(store.scan(table, f"{keys.organization(organization)}#")) as found:
        async for item in found:
            partition = item.key.partition
            if partition in derived or item.key in of_the_copy or partition == aside:
                continue
            if not partition.startswith(f"{aside}#"):
                yield item


def _record(item: Item, organization: str) -> dict[str, Any]:
    partition = item.key.partition.removeprefix(f"{keys.organization(organization)}#")
    record: dict[str, Any] = {"table": item.key.table, "partition": partition, "sort": item.key.sort}
    if item.expires_at is not None:
        record["expires_at"] = item.expires_at
    return record | {"body": item.body}


async def _make_room(store: ItemStore, organization: str) -> None:
    """Remove what a first start leaves behind; refuse when there is anything else."""
    found: list[Key] = []
    for table in TABLES:
        async with contextlib.aclosing(store.scan(table, f"{keys.organization(organization)}#")) as items:
            async for item in items:
                if not _of_first_start(item, organization):
                    raise Refused(
                        f"organization: {organization} is in use. Import under another name (--org), into another "
                        "--home, or forget what it holds first."
                    )
                found.append(item.key)
    for first in range(0, len(found), TRANSACT_OPERATIONS_MAX):
        await store.transact([Delete(key) for key in found[first : first + TRANSACT_OPERATIONS_MAX]])


def _of_first_start(item: Item, organization: str) -> bool:
    """Whether an item is there before anybody has used the organization: its space and its first published policies."""
    if item.key.table == "memory":
        return item.key.partition == keys.space(organization).partition
    return item.key.table == "governance" or item.body.get("number") == 1


async def _write_all(store: ItemStore, organization: str, path: Path, progress: Progress) -> int:
    batch: list[Put] = []
    size = count = 0
    for record, length in _records(path):
        key = Key(record["table"], f"{keys.organization(organization)}#{record['partition']}", record["sort"])
        if len(batch) == TRANSACT_OPERATIONS_MAX or size + length > _BATCH_BYTES:
            await _put(store, batch)
            batch, size = [], 0
        batch.append(Put(key, record["body"], expires_at=record.get("expires_at")))
        size += length
        count += 1
        if count % _PROGRESS == 0:
            progress(count)
    await _put(store, batch)
    return count


async def _put(store: ItemStore, batch: Sequence[Put]) -> None:
    """Write a batch; what an earlier run of the same import has written already is left as it is."""
    if not batch:
        return
    if not await apply_if_unchanged(store, batch):
        there = await store.get_many([put.key for put in batch])
        missing = [put for put in batch if put.key not in there]
        if missing:
            await store.transact(missing)


def _verify_file(path: Path, types: Collection[str]) -> str:
    """Return the digest of a file. Raises `InvalidInput` unless it is whole, one of ours, and fits the schema."""
    digest = hashlib.sha256()
    count = -1
    end: dict[str, Any] = {}
    last = b""
    for number, line in enumerate(_lines(path), start=1):
        record = _object(line, path, number)
        if number == 1:
            _check_header(record, path)
        elif "table" in record:
            _check_record(record, f"{path}:{number}", types)
        digest.update(last)
        last, end = line, record
        count += 1
    if end.get("items") != count - 1 or end.get("sha256") != digest.hexdigest():
        raise InvalidInput("file", f"{path} is cut off or was changed.", "Export again, or take another copy.")
    return digest.hexdigest()


def _check_record(record: Mapping[str, Any], place: str, types: Collection[str]) -> None:
    if record["table"] not in TABLES:
        raise InvalidInput("file", f"{place}: unknown table {record['table']!r}.")
    kind, _, entity_type = str(record.get("partition", "")).partition("#")
    if record["table"] == "memory" and kind == "t" and entity_type not in types:
        raise InvalidInput(
            "file",
            f"{place}: the schema has no entity type {entity_type!r}.",
            "Set INTERLAYER_SCHEMA to the schema of the file.",
        )


def _check_header(header: Mapping[str, Any], path: Path) -> None:
    if header.get("format") != FORMAT:
        raise InvalidInput("file", f"{path} is no export of an organization.")
    if header.get("version") != VERSION:
        raise InvalidInput("file", f"{path} has format version {header.get('version')}.", f"This one reads {VERSION}.")


def _records(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    for number, line in enumerate(_lines(path), start=1):
        record = _object(line, path, number)
        if "table" in record:
            yield record, len(line)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as beginning:
        compressed = beginning.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as lines:
            yield from lines
    except (EOFError, gzip.BadGzipFile) as error:
        raise InvalidInput("file", f"{path} is cut off: {error}.", "Export again, or take another copy.") from error


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise InvalidInput("file", f"{path}:{number}: no JSON: {error}.") from error
    if not isinstance(record, dict):
        raise InvalidInput("file", f"{path}:{number}: not an object.")
    return record


@contextmanager
def writing(file: Path) -> Generator[IO[bytes]]:
    """Open the file so that it is there whole or not at all, and readable by nobody else."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.absolute().parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as raw:
            if file.suffix == ".gz":
                with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _reading(file: Path) -> Generator[Path]:
    """Give a file that can be read twice: what comes from stdin is put aside first."""
    if str(file) != "-":
        yield file
        return
    with tempfile.NamedTemporaryFile() as aside:
        shutil.copyfileobj(sys.stdin.buffer, aside)
        aside.flush()
        yield Path(aside.name)
