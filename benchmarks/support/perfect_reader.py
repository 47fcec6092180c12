"""A model that reads the labelled interactions without a mistake: it answers each text with what its labels say."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any, Final

from interlayer.memory.schema.schema import starter_schema
from interlayer.text.sentences import sentences
from scripted_model import Asked, Reply

Text = Mapping[str, Any]

_SURE: Final = 0.95
_NOBODY: Final = "Quentin Zanzibar"
_MOST: Final = 200
_FEW: Final = 3  # words of a sentence that states nothing
_CLAUSE: Final = re.compile(
    r"; |(?<=[a-z]\.) (?=[^\W\da-z])|: (?=they\b|he\b|she\b)|, and (?:that )?| and (?=she\b|he\b|they\b)|, so "
)
_KNOWN: Final = re.compile(r"(?m)^(F\d+)(?: \(([^)]*)\))?: (.*)$")
_ROLE: Final = re.compile(r"(?i)ansprechpartner|contact (?:for|is)|responsable|leiter")
_LEFT: Final = re.compile(r"\b(?:left|leaving|leaves|verlassen|verlässt|quitte|quitté)\b", re.IGNORECASE)
_FOR_NAMES: Final = (
    (r"\b(?:I am|we are|they are|I'm|we're)\b", "{} is"),
    (r"\b(?:our|my|their|his|her|unser|unsere|mein|meine|notre|nos|mon|ma)\b(?= \w)", "{}'s"),
    (r"\b(?:I|we|they|he|she|ich|wir|er|je|nous|elle|ils?)\b", "{}"),
)
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WORD: Final = re.compile(r"[^\W_]+")


class PerfectReader:
    """Answers with the labels of the text that it is asked about; it knows the accounts by their names.

    The questions tell it which known facts a statement takes the place of: those that hold their outdated answer.
    """

    def __init__(self, texts: Sequence[Text], accounts: Mapping[str, str], questions: Sequence[Text]) -> None:
        self._texts = texts
        self._questions = [one for one in questions if one["stale"]]
        self._names = dict(accounts)
        self._employers: dict[str, str] = {}
        for text in texts:
            for one in _entities(text):
                self._names.setdefault(one, _name_in(text["content"], one))

    def __call__(self, asked: Asked) -> Reply:
        """Return the answer on the text that is asked about."""
        message = asked["messages"][-1]["content"]
        passage = message.partition(" text»\n")[2].rpartition("\n«")[0]
        text = next(one for one in self._texts if one["content"].strip() == passage.strip())
        told = message.rpartition(" text»\n")[0]
        reachable = [one for one in _entities(text) if self._is_named(one, passage, told)]
        return Reply(json.dumps(self._answer(text, reachable, told), ensure_ascii=False))

    def _answer(self, text: Text, reachable: Sequence[str], told: str) -> dict[str, Any]:
        statements = [(one, entity) for one in text["statements"] for entity in _told_of(one["entity"], reachable)]
        facts = [fact for one, entity in statements for fact in self._facts(text, entity, one["keys"])]
        facts += self._rest(text, [fact["quote"] for fact in facts])
        main = self._names.get(text["entity"] or "", "")
        facts = [fact | self._replacing(fact, main, told) for fact in facts]
        properties = [self._property(text, one) for one in text["properties"] if one["entity"] in reachable]
        properties += [
            self._property(text, one)
            for one in text["may"]
            if one["entity"] in reachable and _sentence(text, [one["value"], self._names[one["entity"]]])
        ]
        relations = [self._relation(text, one) for one in text["relations"]]
        relations += self._ends(text, statements)
        self._employers.update((one["source"], one["target"]) for one in text["relations"] if one["type"] == "works_at")
        listed = [*reachable, *(one for one, name in self._names.items() if name in text["content"])]
        entities = [self._entity(one, text["content"]) for one in dict.fromkeys(listed)]
        return {"entities": entities, "facts": facts, "properties": properties, "relations": relations}

    def _is_named(self, entity: str, passage: str, told: str) -> bool:
        """Whether a text names an entity, or the prompt says that it belongs to whom the text is about."""
        name, key = self._names[entity], entity.partition(":")[2]
        return name in passage or key in passage or f'"{name}"' in told or key in told

    def _entity(self, entity: str, content: str) -> dict[str, Any]:
        kind, _, key = entity.partition(":")
        return {"name": self._names[entity], "type": kind, "identifiers": [key] if key in content else []}

    def _facts(self, text: Text, entity: str, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        quote = _sentence(text, keys)
        if quote:
            said = self._on_its_own(text, _clause(quote, keys), entity)
            yield {"quote": quote, "about": self._names[entity], "text": said, "confidence": _SURE, "observed_at": ""}

    def _replacing(self, fact: Mapping[str, str], main: str, told: str) -> dict[str, Any]:
        """Return which of the facts that the model is told of a statement takes the place of."""
        known = _KNOWN.findall(told.partition(" known facts»\n")[2].partition("\n«")[0])
        about = "" if fact["about"] == main else fact["about"]
        named = {of for _, of, _ in known}
        if _LEFT.search(fact["text"]):
            label = next((label for label, of, former in known if of == about and _ROLE.search(former)), "")
            return {"repeats": "", "replaces": label, "ended": bool(label)}
        for one in self._questions:
            if all(re.search(gold, fact["text"], re.IGNORECASE) for gold in one["gold"]):
                for label, of, former in known:
                    is_of_him = of == about or (about and of and about not in named)
                    is_right = all(re.search(gold, former, re.IGNORECASE) for gold in one["gold"])
                    if is_of_him and re.search(one["stale"], former, re.IGNORECASE) and not is_right:
                        return {"repeats": "", "replaces": label, "ended": False}
        return {"repeats": "", "replaces": "", "ended": False}

    def _rest(self, text: Text, quotes: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield what no label asks for, which is of the main entity."""
        for quote in _spoken(text):
            if not any(quote in one for one in quotes) and text["entity"] and len(quote.split()) > _FEW:
                said = self._on_its_own(text, quote, text["entity"])
                yield {"quote": quote, "about": "", "text": said, "confidence": _SURE, "observed_at": ""}

    def _on_its_own(self, text: Text, sentence: str, entity: str) -> str:
        """Return a sentence with names for pronouns: of whom it is about, or of the main entity beside its name."""
        is_named = self._names[entity].split()[0] in sentence
        name = self._names[text["entity"] or entity] if is_named else self._names[entity]
        for pattern, form in _FOR_NAMES:
            sentence = re.sub(pattern, form.format(name), sentence, flags=re.IGNORECASE)
        return sentence

    def _property(self, text: Text, label: Mapping[str, Any]) -> dict[str, Any]:
        value, name = label["value"], label["name"]
        declared = starter_schema().entities[label["entity"].partition(":")[0]].current[name]
        said = [str(value), *declared.values.get(value, ())] if declared.values else [str(value)]
        found = (_sentence(text, [one], self._names[label["entity"]]) for one in (*said, _grouped(value), name))
        quote = next(filter(None, found), text["content"])
        return {
            "quote": quote,
            "about": self._names[label["entity"]],
            "name": name,
            "value": value,
            "confidence": _SURE,
        }

    def _relation(self, text: Text, label: Mapping[str, Any]) -> dict[str, Any]:
        source, target = self._names[label["source"]], self._names[label["target"]]
        content = text["content"]
        short, of = source.split()[0], target.split()[0]
        alone = (
            ([source], [short], [target], [of]) if label["type"] == "works_at" else ([target], [of], [source], [short])
        )
        tried = ([source, target], [short, of], *alone)
        quote = next(filter(None, (_sentence(text, names) for names in tried)), None)
        ends = {"source": source, "type": label["type"], "target": target}
        return {"quote": quote or content, **ends, "confidence": _SURE, "ended": False, "observed_at": ""}

    def _ends(self, text: Text, statements: Sequence[tuple[Mapping[str, Any], str]]) -> Iterator[dict[str, Any]]:
        """Yield the jobs that people have left, as a statement says."""
        for one, entity in statements:
            quote = _sentence(text, one["keys"]) or ""
            house = self._employers.get(entity)
            if house and _LEFT.search(quote) and _is_of_house(quote, self._names[house]):
                ends = {"source": self._names[entity], "type": "works_at", "target": self._names[house]}
                yield {"quote": quote, **ends, "confidence": _SURE, "ended": True, "observed_at": ""}


class ConfusedReader(PerfectReader):
    """Says of others what the labels say of somebody, of people who are not there, and with quotes from elsewhere.

    `planted` is what it says, beside nothing that is right. What concerns a house and its people may be either's.
    """

    def __init__(self, texts: Sequence[Text], accounts: Mapping[str, str], questions: Sequence[Text]) -> None:
        super().__init__(texts, accounts, questions)
        self.planted: set[str] = set()

    def _answer(self, text: Text, reachable: Sequence[str], told: str) -> dict[str, Any]:
        """Return an answer that holds no candidate that may be stored."""
        right = super()._answer(text, reachable, told)
        others = [one for one in self._names if one.partition(":")[0] in ("contact", "company")]
        facts: list[dict[str, Any]] = []
        for fact, other in product(right["facts"], others):
            if not self._may_be(text, fact["quote"], other):
                said = f"{self._names[other]}: {fact['text']}"
                facts.append({**fact, "about": self._names[other], "text": said, "replaces": "", "ended": False})
        somebody = {"quote": _spoken(text)[0], "confidence": _SURE, "observed_at": "", "replaces": "", "ended": False}
        facts.append({**somebody, "about": _NOBODY, "text": f"{_NOBODY} owns everything."})
        facts.append(
            {**somebody, "about": "", "text": "Everything is free.", "quote": "everything is free for all of you"}
        )
        self.planted.update(fact["text"] for fact in facts)
        properties = [
            {**one, "about": self._names[other]}
            for one, other in product(right["properties"], others)
            if other.startswith("contact:") and one["about"] != self._names[other]
        ]
        listed = [*right["entities"], *(self._entity(one, text["content"]) for one in others)]
        listed.append({"name": _NOBODY, "type": "contact", "identifiers": listed[0]["identifiers"]})
        return {"entities": listed, "facts": facts[:_MOST], "properties": properties[:_MOST], "relations": []}

    def _may_be(self, text: Text, quote: str, other: str) -> bool:
        """Whether a reader might accept of somebody what a text says, by its labels."""
        accepted = [
            one["entity"] for one in text["statements"] if all(_fold(key) in _fold(quote) for key in one["keys"])
        ]
        accepted += [
            [one["entity"]] for one in (*text["properties"], *text["may"]) if _fold(str(one["value"])) in _fold(quote)
        ]
        houses = {
            one.rpartition("@")[2].rpartition(":")[2] for some in accepted for one in (*some, text["entity"] or "")
        }
        is_of_house = other.startswith("company:") and other.partition(":")[2] in houses
        called = {self._names.get(one) for some in accepted for one in (*some, text["entity"])}
        named = self._names[other].split(maxsplit=1)[0] in quote or self._names[other] in called
        return named or is_of_house or any(other in some for some in accepted)


def _is_of_house(sentence: str, house: str) -> bool:
    return house.split(maxsplit=1)[0] in sentence or re.search(r"(?i)unternehmen|company|société", sentence) is not None


def _entities(text: Text) -> list[str]:
    named = [entity for one in text["statements"] for entity in one["entity"]]
    named += [one["entity"] for one in text["properties"]]
    named += [end for one in text["relations"] for end in (one["source"], one["target"])]
    return list(dict.fromkeys(named))


def _told_of(entities: Sequence[str], reachable: Sequence[str]) -> Iterator[str]:
    """Yield whom a model takes a statement to be about: the first that it can reach, and the house that it concerns."""
    named = [one for one in entities if one in reachable]
    yield from dict.fromkeys([*named[:1], *(one for one in named if one.startswith("company:"))])


def _name_in(content: str, entity: str) -> str:
    """Return how a text calls an entity that is no account: the words of its address, where they stand there."""
    key = entity.partition(":")[2]
    wanted = _WORD.findall(key.partition("@")[0]) if "@" in key else []
    words = [found[0] for found in _WORD.finditer(content)]
    for at in range(len(words) - len(wanted) + 1 if wanted else 0):
        if [_plain(one) for one in words[at : at + len(wanted)]] == wanted and words[at][0].isupper():
            return " ".join(words[at : at + len(wanted)])
    return key


def _sentence(text: Text, keys: Sequence[object], *near: str) -> str | None:
    """Return the sentence of a text that holds all of some words, one with a name that is near before others."""
    spoken = _spoken(text)
    wanted = [_fold(str(key)) for key in keys]
    pairs = [f"{one} {other}" for one, other in pairwise(spoken) if f"{one} {other}" in text["content"]]
    holding = [one for one in (*spoken, *pairs) if all(key in _fold(one) for key in wanted)]
    named = [one for one in holding if any(_fold(name.split()[0]) in _fold(one) for name in near)]
    return next(iter(named or holding), None)


def _spoken(text: Text) -> list[str]:
    """Return the sentences of a text, those first that are none of its furniture."""
    found = [text["content"][one.start : one.end] for one in sentences(text["content"])]
    noise = [_fold(one) for one in text["noise"]]
    return [one for one in found if _fold(one) not in noise]


def _clause(sentence: str, keys: Sequence[str]) -> str:
    """Return the part of a sentence that holds all of some words."""
    parts = _CLAUSE.split(sentence)
    return next((one for one in parts if all(_fold(key) in _fold(one) for key in keys)), sentence)


def _grouped(value: object) -> str:
    """Return a figure as a text writes it."""
    return f"{int(str(value)):,}" if str(value).isdigit() else str(value)


def _plain(word: str) -> str:
    return word.casefold().translate(_UMLAUTS)


def _fold(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split())
