"""What a call is about, and when: whatever judging its candidates takes beside the candidates."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlayer.language.lexicon.reader import words
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.schema.gate_settings import GateSettings
from interlayer.memory.schema.schema import EntitySchema

_WORD: Final = re.compile(r"[^\W_]+")
# What may stand beside a name without making it another one.
_TITLES: Final = words("titles", "legal_forms")
_PRONOUNS: Final = words("third_person_pronouns", "first_and_second_person_pronouns", "demonstratives")


@dataclass(frozen=True, slots=True)
class GateContext:
    """The entity of a call as far as it is known, and the instant at which its words were said.

    `name` is what the entity is called, `names` its display names, `keys` its identifiers.
    """

    entity_type: str
    schema: EntitySchema
    gates: GateSettings
    observed_at: datetime
    name: str
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Everything that the entity is called."""
        return (self.name, *self.names, *self.keys)

    def bears(self, subject: str) -> bool:
        """Return whether somebody that a model names is this entity."""
        said = fold_name(subject).removeprefix(f"{self.entity_type}:").strip()
        if said in {fold_name(name) for name in self.known} or said in _PRONOUNS:
            return True
        bare = [word for word in _WORD.findall(said) if word not in _TITLES]
        if not bare or bare == _WORD.findall(self.entity_type):
            return True
        if self.names:
            return any(_is_same(bare, _WORD.findall(fold_name(name))) for name in self.names)
        return any(_may_be(bare, fold_name(key)) for key in (self.name, *self.keys))


def _is_same(said: list[str], own: list[str]) -> bool:
    """Whether the words of a name are among an entity's, or differ from them by a title only."""
    bare = {word for word in own if word not in _TITLES}
    return set(said) <= set(own) or (bool(bare) and bare == set(said))


def _may_be(said: list[str], key: str) -> bool:
    """Whether an entity of which only an identifier is known may bear a name: Ann Lee and ann@acme.example."""
    person, at, _ = key.partition("@")
    if at:
        return any(word in _WORD.findall(person) for word in said)
    return "".join(said) in _WORD.findall(key) or set(said) <= set(_WORD.findall(key))
