"""Who writes a content and who gets it, by its heads and signatures, and where they work."""

import re
from collections.abc import Collection
from typing import Final

from interlayer.documents.document import Participant
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.memorize.mentions.actors import Actor, domain_of, is_called_like, may_be_of
from interlayer.memory.memorize.mentions.cast import Cast
from interlayer.memory.memorize.mentions.surface import Surface
from interlayer.memory.memorize.mentions.words import LEGAL_FORMS, PARTICLES

_SEPARATOR: Final = re.compile(r"\s*[|•·–—]\s*|\s-\s|,\s")
_HOUSE_WORDS: Final = 5


class Correspondence:
    """Takes in who takes part in a mail. `strangers` are names of writers whom the content is not about."""

    def __init__(self, surface: Surface, cast: Cast) -> None:
        self._surface = surface
        self._cast = cast
        self.writers: dict[str, Actor | None] = {}
        self.strangers: set[str] = set()
        self.recipients: list[Actor] = []
        self._take_participants()
        self._found_houses()
        self._take_those_copied()

    def _take_participants(self) -> None:
        for one in self._surface.document.participants:
            actor = self._participant(one)
            self._cast.present += [actor] if actor else []
            if one.role == "from":
                self.writers[one.address or one.name] = actor
                if actor is None and one.name:
                    self.strangers.add(fold_name(one.name))
            elif actor:
                self.recipients.append(actor)

    def _found_houses(self) -> None:
        """Take in where a writer works whose own domain no company bears yet, named by his signature if it is."""
        cast = self._cast
        is_person = cast.main is None or cast.main.type == cast.types.person
        for one in self._surface.document.participants if is_person and cast.types.company else ():
            writer, domain = self.writers.get(one.address or one.name), domain_of(one.address.lower())
            if one.role != "from" or not writer or not domain or cast.at_domain(domain) or cast.house_of(writer):
                continue
            called = [form for p in self._surface.passages for _, _, form in p.runs if form in cast.known.named]
            heads = [h for form in called for h in cast.known.named[form] if h.entity.type == cast.types.company]
            known = {house for house in map(cast.of_head, heads) if may_be_of(domain, house)}
            signed = self._signed(domain)
            writer.company = known.pop() if len(known) == 1 else cast.new(cast.types.company, signed or domain, domain)
            if writer.company and not writer.company.head:
                writer.company.is_guessed = not signed

    def _signed(self, domain: str) -> str:
        """Return the name of a house in a signature: one with a legal form, or one that its domain is called like."""
        for passage in self._surface.passages:
            for part in _SEPARATOR.split(passage.text):
                words = fold_name(part).split()
                is_name = all(token.is_capital or token.folded in PARTICLES for token in passage.tokens)
                if (
                    passage.piece.kind == "greeting"
                    or not is_name
                    or not words
                    or len(words) > _HOUSE_WORDS
                    or "@" in part
                    or any(map(str.isdigit, part))
                ):
                    continue
                is_form = len(words) > 1 and words[-1] in LEGAL_FORMS
                if part.strip()[0].isupper() and (is_form or is_called_like(domain, part)):
                    return part.strip()
        return ""

    def _take_those_copied(self) -> None:
        """Take in who gets a content at the house of its writer or its main entity, if it names them."""
        cast = self._cast
        near = {domain_of(one.address.lower()) for one in self._surface.document.participants if one.role == "from"}
        near = {one for one in near if any(w and one in map(domain_of, w.addresses) for w in self.writers.values())}
        near |= {domain_of(one) for one in cast.main.addresses} if cast.main else set()
        for one in self._surface.document.participants if cast.types.person else ():
            address, words = one.address.lower(), fold_name(one.name).split()
            domain = domain_of(address)
            if one.role == "from" or not words or not domain or domain == cast.own_domain:
                continue
            if domain not in near and not cast.at_domain(domain):
                continue
            if cast.holder(cast.types.person, "email", address) or any(address in a.addresses for a in cast.actors):
                continue
            if self._is_told_of({words[0], words[-1]}) and (actor := cast.new(cast.types.person, one.name, address)):
                cast.present.append(actor)

    def _is_told_of(self, words: Collection[str]) -> bool:
        """Whether statements name somebody by one of his names."""
        return any(
            token.is_capital and fold_name(token.text) in words
            for passage in self._surface.passages
            if passage.piece.kind in {"statement", "question", "fragment"}
            for token in passage.tokens
        )

    def _participant(self, one: Participant) -> Actor | None:
        cast, address = self._cast, one.address.lower()
        main = cast.main
        held = cast.holder(cast.types.person, "email", address) if address else None
        if held:
            held.address = address
            return held
        if main and main.type == cast.types.person:
            is_named = bool(one.name) and main.bears(fold_name(one.name))
            if address in main.addresses or (is_named and one.role == "from"):
                main.address = address or main.address
                cast.learn(one.name)
                main.call(*filter(None, [one.name]))
                return main
        domain = domain_of(address)
        if one.role != "from" or not address or (cast.own_domain and domain == cast.own_domain):
            return None
        house = cast.at_domain(domain)
        is_near = bool(main) and bool(domain) and domain in {domain_of(known) for known in main.addresses}  # type: ignore[union-attr]
        if not cast.types.person or not (house or is_near or (main is None and not self._is_any_known())):
            return None
        known = [a for a in cast.actors if one.name and a.bears(fold_name(one.name)) and cast.is_same(a, address)]
        if len(known) == 1:
            known[0].address = address
            return known[0]
        return cast.new(cast.types.person, one.name or address, address)

    def _is_any_known(self) -> bool:
        """Whether somebody whom a head names is known: whoever else writes then is not whom the content is about."""
        addresses = (one.address.lower() for one in self._surface.document.participants)
        return any(self._cast.holder(self._cast.types.person, "email", one) for one in addresses if one)
