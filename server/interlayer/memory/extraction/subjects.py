"""Whom a model may speak of: the main entity, those that were known before, and whom it names and the content does too.

A model finds and names, and decides nothing about who is who: whom it lists is somebody known wherever a name or an
identifier says so, else somebody new who is called as the content writes it. An identifier is only taken for somebody's
where it spells the name or stands beside it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.language.attribution import MAIN
from interlayer.language.lexicon.reader import words
from interlayer.memory.extraction.extractor import ExtractedEntity, ExtractionTask, KnownSubject
from interlayer.memory.log.identifiers import fold_name, normal_identifier, parse_entity
from interlayer.memory.schema.schema import Schema
from interlayer.text.mail_domains import is_private_mailbox

_WORD: Final = re.compile(r"[^\W_]+")
_TITLES: Final = words("titles")
_LEGAL_FORMS: Final = words("legal_forms")
_NO_NAMES: Final = words("titles", "stop_words", "third_person_pronouns", "first_and_second_person_pronouns")
_BESIDE: Final = r"[\s\"'“”(<\[,:]{0,4}"  # what may stand between a name and its identifier
_PHONE: Final = "phone"  # several people share one
_PERSONAL: Final = {"he", "she"}


class AmbiguousSubject(Exception):
    """Several bear the name by which somebody is called."""


class Subjects:
    """Everybody whom an answer may be about, by number; the first is the main entity."""

    def __init__(self, task: ExtractionTask, listed: Sequence[ExtractedEntity]) -> None:
        self._task = task
        self._schema = task.schema
        self.all: list[KnownSubject] = [task.main, *task.subjects]
        self._dropped: set[str] = set()
        self._ambiguous = {fold_name(name) for name in task.ambiguous}
        for one in listed:
            self._admit(one)

    def find(self, said: str) -> int | None:
        """Return who is called so, None for nobody. Raises `AmbiguousSubject` where several may be."""
        called = self._bare(said)
        if not called:
            return MAIN
        exact = self._called(called)
        if len(exact) > 1 or (not exact and called in self._ambiguous):
            raise AmbiguousSubject(said)
        if exact or called in self._dropped:
            return exact[0] if exact else None
        alike = list(self._alike(called))
        if len(alike) > 1:
            raise AmbiguousSubject(said)
        return alike[0] if alike else None

    def of_type(self, kind: str) -> list[int]:
        """Return everybody of an entity type."""
        return [number for number, one in enumerate(self.all) if one.type == kind]

    def belongs(self, number: int) -> bool:
        """Return whether the text may be about somebody where it names nobody.

        So it may be about the main entity, and about its own: the host of its address, or the only one of a type that
        are not people.
        """
        one = self.all[number]
        hosts = {key.partition("@")[2] for key in self.all[MAIN].keys}
        is_own = not hosts.isdisjoint(one.keys) or (
            not self._is_person(one.type) and self.of_type(one.type) == [number]
        )
        return number == MAIN or is_own

    def _is_person(self, kind: str) -> bool:
        declared = self._schema.entities.get(kind)
        return declared is not None and not _PERSONAL.isdisjoint(declared.pronouns)

    def _bare(self, said: str) -> str:
        called = fold_name(said)
        kind, colon, rest = called.partition(":")
        return rest.strip() if colon and kind in self._schema.entities else called

    def _called(self, called: str) -> list[int]:
        return [
            number
            for number, one in enumerate(self.all)
            if called in map(fold_name, one.names) or called in map(fold_name, one.keys)
        ]

    def _alike(self, called: str) -> Iterator[int]:
        """Yield who may be called so for short."""
        said = {word for word in _WORD.findall(called) if word not in _NO_NAMES and word not in _LEGAL_FORMS}
        if self._task.bears(called):
            yield MAIN
        for number, one in enumerate(self.all[1:], 1):
            if said and any(said <= set(_WORD.findall(fold_name(name))) for name in one.names):
                yield number

    def _admit(self, listed: ExtractedEntity) -> None:
        """Take in somebody whom a model lists, if that is nobody yet and the content names him."""
        name = self._without_titles(listed.name)
        known = self._known(listed, name)
        made = None if known is not None or listed.type not in self._schema.entities else self._made(listed, name)
        if made:
            self.all.append(made)
        elif known is None or known < 0:
            self._dropped.add(self._bare(listed.name))

    def _known(self, listed: ExtractedEntity, name: str) -> int | None:
        """Return who of those known a model lists, None for nobody; below 0 where it mixes up two of them."""
        identified = {number for key in listed.identifiers for number in self._called(self._bare(key))}
        if identified:
            (first, *more) = sorted(identified)
            return -1 if more or not self._may_be_called(first, name) else first
        try:
            found = self.find(name)
        except AmbiguousSubject:
            return -1
        held = [key for key in listed.identifiers if self._stands(key)]
        if found is None or not held:
            return found
        if not any(self._is_bound(key, name, listed.type) for key in held):
            return -1
        return None if self.all[found].keys and self._called(fold_name(name)) else found  # another of the name

    def _may_be_called(self, number: int, name: str) -> bool:
        said = set(_WORD.findall(fold_name(name))) - _NO_NAMES
        one = self.all[number]
        known = {word for text in (*one.names, *one.keys) for word in _WORD.findall(fold_name(text))}
        return not said or not said.isdisjoint(known)

    def _made(self, listed: ExtractedEntity, name: str) -> KnownSubject | None:
        """Return somebody new, None where the content does not name him so."""
        declared = self._schema.entities[listed.type]
        kinds = [kind for kind in declared.identifiers if kind != _PHONE]
        keys = [key for key in (listed.name, *listed.identifiers) if self._is_bound(key, name, listed.type)]
        is_named = self._is_name(name, least=2 if self._is_person(listed.type) else 1)
        if not keys and not is_named:
            return None
        shown = name if is_named and name not in keys else ""
        entity = f"{listed.type}:{keys[0] if keys else name}"
        if keys and shown and "@" in keys[0]:
            entity = f"{listed.type}:{shown} <{keys[0]}>"
        try:
            parse_entity(entity, self._schema)
            normal = [_normal(key, kinds, self._schema) for key in keys[:1]]
        except InvalidInput:
            return None
        return KnownSubject(entity, (shown or keys[0],), tuple(normal))

    def _is_bound(self, key: str, name: str, kind: str) -> bool:
        """Return whether an identifier stands in the content as somebody's: it spells the name, or is beside it."""
        declared = self._schema.entities.get(kind)
        shapes = (
            [self._schema.identifiers[one].shape for one in declared.identifiers if one != _PHONE] if declared else []
        )
        if not any(shape is not None and shape.fullmatch(key) for shape in shapes) or not self._stands(key):
            return False
        said = [word for word in _WORD.findall(fold_name(name)) if word not in _LEGAL_FORMS]
        if fold_name(name) == fold_name(key) or not said:
            return True
        person, at, _ = key.partition("@")
        if not at and is_private_mailbox(fold_name(key)):
            return False
        own = _WORD.findall(fold_name(person if at else key.rpartition(".")[0] or key))
        if "".join(said) in own or (set(said) <= set(own) if at else set(said) == set(own)):
            return True
        one, other = re.escape(name), re.escape(key)
        return bool(re.search(rf"(?i){one}{_BESIDE}{other}(?!\w)|(?<!\w){other}{_BESIDE}{one}", self._task.content))

    def _is_name(self, name: str, least: int) -> bool:
        said = [word for word in _WORD.findall(name) if word.casefold() not in _NO_NAMES]
        return len(said) >= least and any(not word[0].islower() for word in said) and self._stands(name)

    def _stands(self, text: str) -> bool:
        blanks = r"\s+".join(map(re.escape, text.split()))
        return bool(blanks) and re.search(rf"(?<!\w){blanks}(?!\w)", self._task.content) is not None

    @staticmethod
    def _without_titles(name: str) -> str:
        parts = name.split()
        while len(parts) > 1 and parts[0].casefold().rstrip(".") in _TITLES:
            parts.pop(0)
        return " ".join(parts)


def _normal(key: str, kinds: Sequence[str], schema: Schema) -> str:
    """Return an identifier as it is kept."""
    shapes = ((kind, schema.identifiers[kind].shape) for kind in kinds)
    kind = next(kind for kind, shape in shapes if shape is not None and shape.fullmatch(key))
    return normal_identifier(kind, key, schema)
