"""What is left of an entry of a log, a head and an item when a person's names and identifiers are taken out of them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from interlayer.memory.erasure.subjects.names import ERASED, SubjectNames
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import EntityId, Head, LogEntry, Memorized, Observation
from interlayer.memory.memorize.commit import SOURCE_PART
from interlayer.storage.items import Delete, Item, Operation, Put

Change = tuple[str, str]
"""What kind of thing was redacted, and its words before."""


def redact_entry(entry: LogEntry, names: SubjectNames, own: Set[EntityId]) -> LogEntry:
    """Return an entry that names nobody: markers in its statements, and no relation to the person.

    Places in the content stay right, because content is overwritten in place. A value that was nothing but the name
    goes.
    """
    values = [replace(one, value=value) for one in entry.properties if (value := _value(one, names)) is not _GONE]
    redacted = replace(
        entry,
        facts=tuple(replace(one, text=names.redact(one.text)) for one in entry.facts),
        confirms=tuple(replace(one, text=names.redact(one.text)) for one in entry.confirms),
        properties=tuple(values),
        relations=tuple(one for one in entry.relations if one.target not in own),
        source=names.redact(entry.source) if entry.source else entry.source,
        context=tuple((place, names.redact(words)) for place, words in entry.context),
    )
    if isinstance(redacted, Memorized) and redacted.idempotency and names.find(redacted.idempotency):
        redacted = replace(redacted, idempotency=None)
    return redacted


def changes_of(before: LogEntry, after: LogEntry) -> Iterator[Change]:
    """Yield what the redaction of an entry changed."""
    left = {one.id: one.text for one in after.facts}
    said = {one.fact_id: one.text for one in after.confirms}
    yield from (("facts", one.text) for one in before.facts if left.get(one.id) != one.text)
    yield from (("facts", one.text) for one in before.confirms if said.get(one.fact_id) != one.text)
    yield from (("properties", f"{one.name}: {one.value}") for one in before.properties if one not in after.properties)
    yield from (("relations", one.type) for one in before.relations if one not in after.relations)
    if before.source and before.source != after.source:
        yield "sources", before.source


def texts_of(entry: LogEntry) -> list[str]:
    """Return every text of an entry."""
    told = [one.text for one in (*entry.facts, *entry.confirms)] + [words for _, words in entry.context]
    told += [str(one.value) for one in entry.properties] + [entry.source or ""]
    return [*told, entry.idempotency or ""] if isinstance(entry, Memorized) else told


def redact_head(head: Head, names: SubjectNames, *, careful: bool) -> Head:
    """Return a head under which the person is not found; one that was called by nothing else bears the marker.

    Where it is careful, names that are only likely to be meant stay.
    """

    def told(text: str) -> str:
        return text if careful and names.certainty([text]) != "certain" else names.redact(text)

    def unnamed(values: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        kept = {kind: tuple(one for one in known if told(one) == one) for kind, known in values.items()}
        return {kind: known for kind, known in kept.items() if known}

    called = dict.fromkeys(told(one) for one in head.names)
    return replace(
        head,
        name=told(head.name),
        names=tuple(called),
        lent=tuple(told(one) for one in head.lent),
        identifiers=unnamed(head.identifiers),
        labels={
            visibility: replace(
                label,
                name=told(label.name),
                names=tuple(dict.fromkeys(told(one) for one in label.names)),
                identifiers=unnamed(label.identifiers),
            )
            for visibility, label in head.labels.items()
        },
    )


def head_changes(before: Head, after: Head) -> Iterator[Change]:
    """Yield what the redaction of a head changed."""
    called = {after.name, *after.names, *after.lent}
    yield from (
        ("names", one) for one in dict.fromkeys((before.name, *before.names, *before.lent)) if one not in called
    )
    yield from (("identifiers", value) for _, value in _lost(before, after))


def claims(organization: str, before: Head, after: Head) -> list[Operation]:
    """Build what takes back the claims to what an entity is not called by any more."""
    entity = before.entity
    kept = {fold_name(one) for one in (after.name, *after.names)}
    forms = {fold_name(one) for one in (before.name, *before.names)} - kept
    return [
        *(Delete(keys.identifier(organization, entity.type, value, kind)) for kind, value in _lost(before, after)),
        *(Delete(keys.identifier(organization, entity.type, form, identifiers.NAME)) for form in sorted(forms)),
    ]


def blot_content(parts: Sequence[Item], names: SubjectNames) -> Iterator[Operation]:
    """Yield the parts of a content in which the person is overwritten in place."""
    redacted = names.blot("".join(part.body["text"] for part in parts))
    for number, part in enumerate(parts):
        text = redacted[number * SOURCE_PART : (number + 1) * SOURCE_PART]
        if text != part.body["text"]:
            yield Put(part.key, {"text": text}, part.version)


def redact_answer(item: Item, names: SubjectNames) -> Operation:
    """Build what takes the person out of an answer kept for replay."""
    body: Mapping[str, Any] = names.redact_in(item.body)
    expires_at = item.body.get("expires_at")
    return Put(item.key, body, item.version, expires_at if isinstance(expires_at, int) else None)


_GONE: Any = object()


def _value(one: Observation, names: SubjectNames) -> Any:
    value = names.redact_in(one.value)
    if value == one.value:
        return one.value
    if isinstance(value, list):
        kept: list[Any] = [entry for entry in value if entry != ERASED]
        return kept or _GONE
    return _GONE if value == ERASED else value


def _lost(before: Head, after: Head) -> list[tuple[str, str]]:
    return [
        (kind, value)
        for kind, values in before.identifiers.items()
        for value in values
        if value not in after.identifiers.get(kind, ())
    ]
