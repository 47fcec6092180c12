"""What a content writes that may name somebody: words with capitals in a row, addresses, domains and numbers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from interlayer.documents.document import Document, Piece
from interlayer.language.terms import STOP_WORDS
from interlayer.language.writing.conventions import language_of
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.memorize.mentions.words import HONORIFICS, PARTICLES, Words, words_of

_TOKEN: Final = re.compile(r"[^\W_]+(?:['’.&/+-][^\W_]+)*")
_POSSESSIVE: Final = re.compile(r"['’]s$")
_ELIDED: Final = re.compile(r"(?:[dlmnstcj]|qu)['’]", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_DOMAIN: Final = re.compile(r"(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w@-])", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?<!\w)\+\d[\d\s().-]{6,20}\d")
_TELLING: Final = frozenset({"statement", "question", "fragment", "greeting", "signature"})
_GAP: Final = re.compile(r"\s|\.\s|\s&\s")
_NAME_WORDS: Final = 5
FORMS_MAX: Final = 150
"""Names that are looked up of one content."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word and its place in the text of its piece."""

    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        """The word in lower case."""
        return self.text.casefold()

    @property
    def is_capital(self) -> bool:
        """Whether it begins as names do."""
        return self.text[0].isupper() or (self.text[0].isdigit() and not self.text.isdigit())


@dataclass(frozen=True)
class Passage:
    """A piece of a document with its words."""

    piece: Piece
    words: Words

    @property
    def text(self) -> str:
        """What it says."""
        return self.piece.text

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its words in order, without possessive endings and elided articles."""
        return tuple(_tokens(self.piece.text))

    @cached_property
    def runs(self) -> Sequence[tuple[int, int, str]]:
        """The words in a row that may be a name, [first, last), with their form, the longest first."""
        spans = [
            (first, last)
            for first, token in enumerate(self.tokens)
            if token.is_capital
            for last in range(first + 1, self._reach(first) + 1)
            if self.tokens[last - 1].is_capital
        ]
        spans.sort(key=lambda span: span[0] - span[1])
        return [(first, last, self.form(first, last)) for first, last in spans]

    def _reach(self, first: int) -> int:
        """Return behind which word a name ends at the latest that begins at a word."""
        last = first + 1
        while last < min(len(self.tokens), first + _NAME_WORDS):
            token, before = self.tokens[last], self.tokens[last - 1]
            gap = self.text[before.end : token.start]
            if not _GAP.fullmatch(gap) or (gap[0] == "." and len(before.text) > 1 and before.folded not in HONORIFICS):
                break
            if not token.is_capital and token.folded not in PARTICLES:
                break
            last += 1
        return last

    def said(self, first: int, last: int) -> str:
        """Return words as they are written."""
        end = self.tokens[last - 1]
        return self.text[self.tokens[first].start : end.start + len(end.text)]

    def form(self, first: int, last: int) -> str:
        """Return words as a name is looked up."""
        return fold_name(self.said(first, last))


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        word, start = found[0], found.start()
        elided = _ELIDED.match(word)
        if elided and elided.end() < len(word):
            yield Token(elided[0], start, start + elided.end())
            word, start = word[elided.end() :], start + elided.end()
        yield Token(_POSSESSIVE.sub("", word), start, found.end())


class Surface:
    """A content as it is written: the passages that tell, and what in them may be looked up."""

    def __init__(self, content: str, document: Document) -> None:
        language = language_of(content)
        usual = words_of(language)
        self.document = document
        self.passages: Sequence[Passage] = [
            Passage(piece, words_of(language_of(piece.text) or language) if len(piece.text) > 40 else usual)
            for piece in document.pieces
            if piece.kind in _TELLING
        ]

    def forms(self) -> list[str]:
        """Return the folded names that are looked up: those of several words first, then the most frequent."""
        found = Counter(
            form
            for passage in self.passages
            for first, last, form in passage.runs
            if last - first > 1 or passage.tokens[first].folded not in STOP_WORDS
        )
        people = [fold_name(one.name) for one in self.document.participants if one.name]
        people += [fold_name(passage.piece.label) for passage in self.passages if passage.piece.label]
        ordered = sorted(found, key=lambda form: (" " not in form, -found[form]))
        return list(dict.fromkeys([*people, *ordered]))[:FORMS_MAX]

    def addresses(self) -> list[str]:
        """Return the e-mail addresses, those of the heads first."""
        heads = [one.address for one in self.document.participants if one.address]
        return list(dict.fromkeys(one.lower() for one in [*heads, *self._found(_ADDRESS)]))

    def domains(self) -> list[str]:
        """Return the domains that stand for themselves."""
        return list(dict.fromkeys(one.lower() for one in self._found(_DOMAIN)))

    def phones(self) -> list[str]:
        """Return the phone numbers with a country code."""
        return list(dict.fromkeys(self._found(_PHONE)))

    def numbered(self) -> list[str]:
        """Return the words that hold a digit and a letter or a mark, as numbers of records do."""
        return list(
            dict.fromkeys(
                token.text
                for passage in self.passages
                for token in passage.tokens
                if any(map(str.isdigit, token.text)) and not token.text.isdigit()
            )
        )

    def _found(self, form: re.Pattern[str]) -> Iterator[str]:
        for passage in self.passages:
            for match in form.finditer(passage.text):
                yield match[0]
