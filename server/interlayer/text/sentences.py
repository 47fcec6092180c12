"""From a document to self-contained sentences: Markdown, e-mail and transcript structure first, then sentences.

Sentence boundaries inside a paragraph come from nupunkt (Punkt, with abbreviations and decimals learnt); what is
ours is only the line structure that Punkt knows nothing about.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_HEADING: Final = re.compile(r"^\s{0,3}#{1,6}\s+")
_BULLET: Final = re.compile(r"^\s*(?:[-*•‣–]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_QUOTE: Final = re.compile(r"^\s*>")
_RULE: Final = re.compile(r"^\s*(?:[-=_*~]\s*){3,}$")
_LABEL: Final = re.compile(r"^\s*(?:\*\*)?[\w][\w '/&().-]{0,40}:(?:\*\*)?\s+\S")
_SHORT_LABEL: Final = re.compile(r"([^\W_][\w'’&.-]*(?: [\w'’&./()-]+){0,5}):\s")
_CONTINUED: Final = re.compile(r"\s|[a-z]")
_MARKUP: Final = re.compile(r"\*\*|__|`")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and where it stands in the document: `document[start:end]`, in characters.

    `label` is what its paragraph begins with ("Ann: ...", "Budget: ...") where the sentence itself does not.
    """

    text: str
    start: int
    end: int
    label: str = ""


def sentences(document: str) -> Iterator[Sentence]:
    """Yield the sentences of a document in order, headings and repeated quotations left out."""
    for start, end in _blocks(document):
        block = document[start:end]
        label = ""
        for first, last in _sentence_spans(block):
            text = _clean(block[first:last])
            if text:
                yield Sentence(text, start + first, start + last, label)
            label = label or label_of(text)


def label_of(text: str) -> str:
    """Return the label that a text begins with, such as a speaker's name; empty if there is none."""
    found = _SHORT_LABEL.match(text)
    return found[1] if found else ""


def _blocks(document: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of paragraphs; a bullet, a table row and a `Label: value` line each stand alone.

    Such a line goes on in the next one only if that is indented or begins in lower case.
    """
    block: tuple[int, int] | None = None
    alone = False
    offset = 0
    for line in document.splitlines(keepends=True):
        start, end = offset, offset + len(line.rstrip())
        offset += len(line)
        separate = bool(_BULLET.match(line) or _LABEL.match(line) or line.lstrip().startswith("|"))
        skipped = not line.strip() or bool(_HEADING.match(line) or _QUOTE.match(line) or _RULE.match(line))
        if block and (separate or skipped or (alone and not _CONTINUED.match(line))):
            yield block
            block = None
        if skipped:
            continue
        if block is None:
            block, alone = (start, end), separate
        else:
            block = (block[0], end)
    if block:
        yield block


def _sentence_spans(block: str) -> list[tuple[int, int]]:
    if len(block) < 2:
        return []
    return [(int(start), int(end)) for start, end in _punkt()(block)]


@lru_cache(maxsize=1)
def _punkt() -> Callable[[str], list[tuple[int, int]]]:
    from nupunkt import sent_spans

    return sent_spans


def _clean(text: str) -> str:
    bare = _BULLET.sub("", text, count=1)
    return " ".join(_MARKUP.sub("", bare).split())
