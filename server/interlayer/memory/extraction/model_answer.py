"""A model's answer read back, entry by entry: what has one meaning is read, what has none is lost and named.

Each entry is a candidate of its own, so that one that is out of form costs no other. Which known fact an entry repeats
or replaces it says by a label (F1, F2, ...), which is shorter and copied more surely than an id.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from interlayer.errors import InvalidInput
from interlayer.memory.extraction.extractor import (
    ExtractedEntity,
    ExtractedFact,
    ExtractedProperty,
    ExtractedRelation,
    Extraction,
    KnownFact,
    LostEntry,
)
from interlayer.memory.log.identifiers import check_text
from interlayer.models.structured import NotInForm

_MISTAKES: Final = 3
_SHOWN: Final = 400
UNJUDGED: Final = 0.7  # a confidence that is not given: the statement rests on a quote, but nobody judged it
_LEVELS: Final = {"very high": 0.95, "certain": 0.95, "high": 0.9, "medium": 0.7, "moderate": 0.7, "low": 0.4}
_LARGEST: Final = 1e300  # beyond it are infinity and numbers that no float holds
_PERCENT_MIN: Final = 10  # at or under it a number may be a mark of another scale
_NUMBER: Final = re.compile(r"\s*(\d{1,3}(?:[.,]\d+)?)\s*(%?)\s*")
_LABEL: Final = re.compile(r"\W*[Ff]?(\d{1,3})\b")
_NONE: Final = {"", "none", "null", "n/a", "-", "no", "false"}
_TRUE: Final = {"true", "yes"}

_LISTS: Final = {"facts": False, "properties": True, "relations": True, "entities": True}
"""The lists of an answer, and which of them it may do without."""

_KNOWN_BY: Final = {"text": "facts", "source": "relations", "identifiers": "entities", "name": "properties"}
"""The field by which an entry that stands alone is known to be of a list."""

E = TypeVar("E")


class _Mistake(Exception):
    """What is wrong with a field of an entry."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")


class AnswerReader:
    """Reads answers of a model that was told of `known`, the first of them as F1. Counts labels that it made up."""

    def __init__(self, known: Sequence[KnownFact] = ()) -> None:
        self._known = known
        self._unknown = 0

    def read(self, data: Any) -> Extraction:
        """Return an answer as an extraction.

        Raises `NotInForm` with the first mistakes, each with its place; usable are the entries without.
        """
        self._unknown = 0
        answer = _unwrapped(data)
        lost: list[LostEntry] = []
        for name, may_lack in _LISTS.items():
            if not isinstance(answer.get(name), list | dict) and not (may_lack and answer.get(name) is None):
                lost.append(LostEntry(f"{name}: has to be a list"))
        found = Extraction(
            list(self._read_all(answer, "facts", self._fact, lost)),
            list(self._read_all(answer, "properties", _property, lost)),
            list(self._read_all(answer, "relations", _relation, lost)),
            list(self._read_all(answer, "entities", _entity, lost)),
            lost=lost,
            unknown_facts=self._unknown,
        )
        if not lost:
            return found
        raise NotInForm("; ".join(one.why for one in lost[:_MISTAKES]), found if _states(found) else None)

    def gather(self, objects: Sequence[Any]) -> Extraction | None:
        """Return the usable objects of an answer that breaks off, or is no JSON as a whole."""
        lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
        for one in objects:
            part: Mapping[str, Any] = one if isinstance(one, dict) else {}
            if any(isinstance(part.get(name), list) for name in _LISTS):
                for name in _LISTS:
                    lists[name] += _entries(part.get(name))
            elif name := next((name for field, name in _KNOWN_BY.items() if field in part), None):
                lists[name].append(part)
        rest = LostEntry("the rest of the answer cannot be read")
        try:
            found = self.read(lists)
        except NotInForm as mistake:
            found = mistake.usable
        return replace(found, lost=[*found.lost, rest]) if found and _states(found) else None

    def _read_all(
        self, answer: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], E], lost: list[LostEntry]
    ) -> Iterator[E]:
        for number, entry in enumerate(_entries(answer.get(name))):
            place = f"{name}.{number}"
            if not isinstance(entry, dict):
                said = _printable(entry if isinstance(entry, str) else json.dumps(entry))
                lost.append(LostEntry(f"{place}: has to be an object", said[:_SHOWN], said))
                continue
            known = cast("Mapping[str, Any]", entry)
            try:
                yield read(known)
            except _Mistake as mistake:
                lost.append(LostEntry(f"{place}.{mistake}", *_said(known)))

    def _fact(self, entry: Mapping[str, Any]) -> ExtractedFact:
        return ExtractedFact(
            text=_text(entry, "text"),
            quote=_text(entry, "quote"),
            confidence=_confidence(entry.get("confidence")),
            observed_at=_text_or_none(entry, "observed_at"),
            subject=_about(entry),
            repeats=self._named(entry.get("repeats")),
            replaces=self._named(entry.get("replaces")),
            ended=_is_true(entry.get("ended")),
        )

    def _named(self, label: Any) -> str | None:
        """Return the id of the known fact that an entry names by its label or its words."""
        if isinstance(label, list):
            label = next(iter(cast("list[Any]", label)), None)
        if label is None or isinstance(label, bool) or str(label).strip().casefold() in _NONE:
            return None
        found = _LABEL.match(str(label))
        if found and 1 <= int(found[1]) <= len(self._known):
            return self._known[int(found[1]) - 1].id
        for one in self._known:
            if _folded(one.text) == _folded(str(label)):
                return one.id
        self._unknown += 1
        return None


def _unwrapped(data: Any) -> Mapping[str, Any]:
    """Return the object that holds the lists: an answer may be a bare list of facts, or stand under a name."""
    if isinstance(data, list):
        entries = cast("list[Any]", data)
        if len(entries) == 1 and isinstance(entries[0], dict) and "facts" in entries[0]:
            return cast("Mapping[str, Any]", entries[0])
        return {"facts": entries}
    answer = cast("Mapping[str, Any]", data if isinstance(data, dict) else {})
    if "facts" not in answer and len(answer) == 1:
        (inner,) = answer.values()
        if isinstance(inner, dict) and "facts" in inner:
            return cast("Mapping[str, Any]", inner)
    return answer


def _entries(value: Any) -> list[Any]:
    """Return the entries of a list, lists within it opened; a single object is a list of one."""
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        return []
    opened: list[Any] = []
    for one in cast("list[Any]", value):
        opened += cast("list[Any]", one) if isinstance(one, list) else [one]
    return opened


def _property(entry: Mapping[str, Any]) -> ExtractedProperty:
    remove = _is_true(entry.get("remove"))
    return ExtractedProperty(
        name=_text(entry, "name"),
        value=_value(entry.get("value"), remove=remove),
        quote=_text(entry, "quote"),
        confidence=_confidence(entry.get("confidence")),
        remove=remove,
        subject=_about(entry),
    )


def _relation(entry: Mapping[str, Any]) -> ExtractedRelation:
    return ExtractedRelation(
        source=_text(entry, "source"),
        type=_text(entry, "type"),
        target=_text(entry, "target"),
        quote=_text(entry, "quote"),
        confidence=_confidence(entry.get("confidence")),
        ended=_is_true(entry.get("ended")),
        observed_at=_text_or_none(entry, "observed_at"),
    )


def _entity(entry: Mapping[str, Any]) -> ExtractedEntity:
    given = entry.get("identifiers")
    keys = [given] if isinstance(given, str) else _entries(given)
    named = [_checked(one, "identifiers") for one in keys if isinstance(one, str) and one.strip()]
    return ExtractedEntity(_text(entry, "name"), _text(entry, "type"), tuple(named))


def _states(found: Extraction) -> bool:
    """Whether there is anything to be remembered in what was read."""
    return bool(found.facts or found.properties or found.relations)


def _value(value: Any, *, remove: bool) -> Any:
    if remove and (value is None or value in ("", [])):
        return None
    if isinstance(value, list):
        entries = [_scalar(one) for one in cast("list[Any]", value)]
        return [one if isinstance(one, str) else str(one) for one in entries]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _checked(value, "value")
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < _LARGEST):
        return value
    raise _Mistake("value", "has to be a text, a number, true, false or a list of texts")


def _text(entry: Mapping[str, Any], field: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip():
        raise _Mistake(field, "has to be a text that is not empty" if field in entry else "is missing")
    return _checked(value, field)


def _text_or_none(entry: Mapping[str, Any], field: str) -> str | None:
    value = entry.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _Mistake(field, "has to be a text")
    return _checked(value, field)


def _about(entry: Mapping[str, Any]) -> str | None:
    """Return whom an entry is about; models also call that its subject."""
    return _text_or_none(entry, "about") or _text_or_none(entry, "subject")


def _checked(text: str, field: str) -> str:
    try:
        check_text(text, field)
    except InvalidInput as error:
        raise _Mistake(field, str(error).removeprefix(f"{field}: ")) from error
    return text


def _confidence(value: Any) -> float:
    """Read a confidence: a number, one as text or in percent, or a level. Raises `_Mistake`."""
    if value is None or value == "":
        return UNJUDGED
    share = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 100:
        share = float(value)
    elif isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        share = float(found[1].replace(",", ".")) if found else _LEVELS.get(value.strip().casefold(), math.nan)
        if found and found[2]:
            share /= 100
    share = share / 100 if _PERCENT_MIN < share <= 100 else share
    if not 0 <= share <= 1:
        raise _Mistake("confidence", "has to be a number between 0 and 1")
    return share


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().casefold() in _TRUE)


def _said(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return the statement and the quotation of an entry that cannot be used, as far as it has any."""
    text, quote = (_printable(one) if isinstance(one, str) else "" for one in (entry.get("text"), entry.get("quote")))
    shown = text or quote or _printable(json.dumps(entry, ensure_ascii=False))
    return shown[:_SHOWN], quote or text


def _printable(text: str) -> str:
    """Return a text without what no store can carry."""
    return "".join(
        "\ufffd" if (one < " " and one not in "\t\n\r") or "\ud800" <= one <= "\udfff" else one for one in text
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .")
