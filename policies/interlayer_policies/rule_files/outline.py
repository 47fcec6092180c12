"""The outline of a Markdown text: its paragraphs, its lists with their entries, and what is neither.

Clauses of policies are lettered or numbered without being lists of Markdown: `(a) Users must ...`. They are entries
here too, and a list below one is its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

Kind = Literal["paragraph", "list", "entry", "step", "table", "quote", "html", "code"]

_CLAUSE: Final = re.compile(
    r"\s*(?:\((?:[a-z]{1,2}|[ivx]{1,4}|\d{1,2})\)|[a-z]\)|§ ?\d+|\d{1,2}(?:\.\d{1,2})+\.?)[ \t]+(?=\S)"
)
_MARKER: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_OTHERS: Final[dict[str, Kind]] = {"table": "table", "blockquote": "quote", "html_block": "html"}
_EMPHASIS: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])|(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)")
_SHORT: Final = 60  # characters: a wrapped line is longer
_ORDER: Final = re.compile(r"(?:[-*] )?[*_]*[A-ZÄÖÜÉ]")


@dataclass(slots=True)
class Node:
    """A part of a text: lines `start` to `end` (exclusive), what it says itself, and what stands below it.

    A list has its entries below it; a `step` is an entry with a number of its own list. `own_end` is where what it says
    itself ends. `beside` is what it holds besides its own text and lists.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    own_end: int = 0
    below: list["Node"] = field(default_factory=list["Node"])
    beside: list["Node"] = field(default_factory=list["Node"])

    @property
    def more(self) -> bool:
        """Whether it holds anything besides its own text and lists."""
        return bool(self.beside)


def outline(lines: Sequence[str], opens_order: "re.Pattern[str] | None" = None) -> list[Node]:
    """Return the parts of a text without headings, in order. A line of a paragraph that `opens_order` is one itself."""
    tree = _tree("\n".join(line.replace("\r", " ") for line in lines))
    return _with_clauses(list(_nodes(tree, lines)), lines, opens_order)


def plain(text: str) -> str:
    """Return a text in one line without emphasis."""
    bare = text.replace("**", "").replace("__", "")
    return " ".join(_EMPHASIS.sub(lambda found: found[1] or found[2], bare).split())


def _nodes(tree: "SyntaxTreeNode", lines: Sequence[str]) -> Iterator[Node]:
    for node in tree.children:
        start, end = node.map or (0, 0)
        if node.type == "paragraph":
            yield Node("paragraph", start, end, plain("\n".join(lines[start:end])), end)
        elif node.type in {"bullet_list", "ordered_list"}:
            kind: Kind = "entry" if node.type == "bullet_list" else "step"
            yield Node("list", start, end, below=[_entry(item, kind, lines) for item in node.children])
        elif node.type == "html_block" and lines[start].lstrip().startswith("<!--"):
            yield Node("code", start, end, own_end=end)
        else:
            yield Node(_OTHERS.get(node.type, "code"), start, end, own_end=end)


def _entry(item: "SyntaxTreeNode", kind: Kind, lines: Sequence[str]) -> Node:
    start, end = item.map or (0, 0)
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    inner = list(_nodes(item, lines))
    own = inner[0] if inner and inner[0].kind == "paragraph" else None
    text = plain(_MARKER.sub("", "\n".join(lines[own.start : own.end]), count=1)) if own else ""
    below = [node for node in inner if node is not own]
    return Node(
        kind,
        start,
        end,
        text,
        own.end if own else start,
        [entry for node in below if node.kind == "list" for entry in node.below],
        [node for node in below if node.kind != "list"],
    )


def _with_clauses(nodes: Sequence[Node], lines: Sequence[str], opens_order: "re.Pattern[str] | None") -> list[Node]:
    """Return the nodes with lettered paragraphs as entries of lists, and lists behind one as what stands below it."""
    found: list[Node] = []
    clauses: Node | None = None  # the list of clauses that may go on
    for node in nodes:
        parts = list(_parts(node, lines, opens_order)) if node.kind == "paragraph" else [node]
        for part in parts:
            if part.kind == "entry":
                if clauses is None:
                    clauses = Node("list", part.start, part.end)
                    found.append(clauses)
                clauses.below.append(part)
                clauses.end = part.end
            elif part.kind == "list" and clauses is not None and _is_indented(lines[part.start]):
                last = clauses.below[-1]
                last.below += part.below
                last.end = clauses.end = part.end
            else:
                clauses = None
                found.append(part)
    return found


def _parts(node: Node, lines: Sequence[str], opens_order: "re.Pattern[str] | None") -> Iterator[Node]:
    """Yield a paragraph, or the clauses and orders that its lines begin."""
    inner = range(node.start + 1, node.end)
    starts = [node.start, *(n for n in inner if _CLAUSE.match(lines[n]) or _opens(lines, n, opens_order))]
    for start, end in zip(starts, [*starts[1:], node.end], strict=True):
        clause = _CLAUSE.match(lines[start])
        text = plain("\n".join([lines[start][clause.end() if clause else 0 :], *lines[start + 1 : end]]))
        yield Node("entry" if clause else "paragraph", start, end, text, end)


def _opens(lines: Sequence[str], number: int, opens_order: "re.Pattern[str] | None") -> bool:
    """Whether a line of a paragraph stands for itself: it is an order, or comes behind a short line that is one."""
    line, before = lines[number], lines[number - 1].rstrip()
    if opens_order is None or not _ORDER.match(line):
        return False
    listed = len(before) < _SHORT and before[-1:] not in {",", ";", ":"} and opens_order.match(before)
    return bool(opens_order.match(line) or listed)


def _is_indented(line: str) -> bool:
    return line[:1] in {" ", "\t"}


def _tree(text: str) -> "SyntaxTreeNode":
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_parser().parse(text))


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")
