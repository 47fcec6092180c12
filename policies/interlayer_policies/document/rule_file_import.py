"""From rule files that teams have already to policies: obligations of one line become rules, all else guidance.

Nothing is dropped: every word of a source stands in the title, the description, the scope, a rule or a section of its
policy. A list item becomes a rule only when it is one sentence that plainly obliges (never, do not, always, must); it
moves out of its section and takes the heading along, because a rule is delivered alone. Files that hold only where they
are relevant bring no rules, since a rule is delivered whenever its scope matches.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from interlayer.errors import InvalidInput
from interlayer.text.sentences import sentences
from interlayer_policies.document.parser import FENCE, parse, slug
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.document.rule_files import Placed, RuleFile, placed

_TITLE_MAX: Final = 200
_DESCRIPTION_MAX: Final = 500
_RULE_MAX: Final = 500

_HEADING: Final = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_ITEM: Final = re.compile(r"[-*+][ \t]+(\S.*)$")  # the entries of a numbered list are steps: they need each other
_NESTED: Final = re.compile(r"[ \t]+(?:[-*+]|\d{1,3}[.)])[ \t]")
_LABEL: Final = r"(?:[^:.!?]{1,60}:\s+)?"
_PROHIBITION: Final = re.compile(
    rf"{_LABEL}(?:you\s+)?(?:never|do\s+not|don['’]t)\b|.*\bmust\s*(?:not|never)\b", re.IGNORECASE
)
_REQUIREMENT: Final = re.compile(rf"{_LABEL}always\b|.*\bmust\b", re.IGNORECASE)
_OURS: Final = re.compile(r"---[ \t]*\r?\n(?:(?!---).*\n)*?(?:id|rules|scope):")
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class ImportedRule:
    """A rule and the line of the source that it was."""

    id: str
    level: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a source: its policy, or the source with the same text that stands for it.

    `tags` is its scope (none: every call); with `relevant_only` it brings no rules.
    """

    source: str
    file: PolicyFile | None
    title: str = ""
    tags: tuple[str, ...] = ()
    relevant_only: bool = False
    rules: tuple[ImportedRule, ...] = ()
    sections: tuple[str, ...] = ()
    same_as: str = ""


@dataclass(slots=True)
class _Block:
    """A heading of any level, or none at the beginning, and the lines under it."""

    heading: re.Match[str] | None
    line: int
    lines: list[str] = field(default_factory=list[str])
    moved: bool = False

    @property
    def level(self) -> int:
        """1 to 6, 0 without a heading."""
        return len(self.heading[1]) if self.heading else 0

    @property
    def name(self) -> str:
        """What its rules take along: the heading below the title."""
        return self.heading[2].rstrip(":") if self.heading and self.level > 1 else ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands under the heading."""
        return not any(line.strip() for line in self.lines)


def imported(files: Sequence[RuleFile]) -> list[Imported]:
    """Return a policy for each file, in order. Raises `InvalidInput` for a file that cannot become one."""
    found: list[Imported] = []
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    taken: set[str] = set()
    for file in files:
        place = placed(file)
        content = (file.text.strip(), place.tags)
        if not content[0] or content in seen:
            found.append(Imported(file.path, None, same_as=seen.get(content, "")))
            continue
        seen[content] = file.path
        name = _unique(slug(file.path.removesuffix(".mdc").removesuffix(".md")), taken)
        found.append(_as_it_is(file, name) or _convert(file, place, name))
    _refuse_clashes(found)
    return found


def _as_it_is(file: RuleFile, name: str) -> Imported | None:
    """Return a file that is a policy already, under a name that is free."""
    policy = parse(PolicyFile(file.path, file.text))
    if not isinstance(policy, Policy) or not _OURS.match(file.text):
        return None
    rules = tuple(ImportedRule(rule.id, rule.level, rule.text, rule.line) for rule in policy.rules)
    sections = tuple(section.id for section in policy.sections)
    copy = PolicyFile(f"{name}.md", file.text)
    return Imported(file.path, copy, policy.title, tuple(policy.scope.patterns("tags")), False, rules, sections)


def _convert(file: RuleFile, place: Placed, name: str) -> Imported:
    blocks = _blocks(place)
    rules: list[ImportedRule] = []
    if place.activation == "always":
        for block in blocks:
            for line, level, text in _obligations(block):
                rules.append(ImportedRule(f"R{len(rules) + 1}", level, text, line))
    body = _body(blocks)
    title, as_text = _title(body, file.path)
    lead = [*(f"    {line}" for line in place.kept), *as_text]
    if len(place.description) > _DESCRIPTION_MAX:
        lead = [place.description, "", *lead]
    written = yaml.safe_dump(_head(name, title, place, rules), sort_keys=False, allow_unicode=True, width=10_000)
    text = "\n".join(["---", written.rstrip("\n"), "---", *([*lead, ""] if lead else []), *body]).rstrip() + "\n"
    policy = parse(PolicyFile(f"{name}.md", text))
    if not isinstance(policy, Policy):
        raise InvalidInput(file.path, f"cannot become a policy: {policy[0].message}.", "Change it, or leave it out.")
    return Imported(
        source=file.path,
        file=PolicyFile(f"{name}.md", text),
        title=policy.title,
        tags=place.tags,
        relevant_only=place.activation == "relevant",
        rules=tuple(rules),
        sections=tuple(section.id for section in policy.sections),
    )


def _head(name: str, title: str, place: Placed, rules: Sequence[ImportedRule]) -> dict[str, Any]:
    head: dict[str, Any] = {"id": name, "title": title}
    if 0 < len(place.description) <= _DESCRIPTION_MAX:
        head["description"] = place.description
    if place.tags:
        head["scope"] = {"tags": list(place.tags)}
    if rules:
        head["rules"] = [{"id": rule.id, "level": rule.level, "text": rule.text} for rule in rules]
    return head


def _blocks(place: Placed) -> list[_Block]:
    blocks = [_Block(None, place.first_line)]
    fenced = False
    for number, line in enumerate(place.body, place.first_line):
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading:
            blocks.append(_Block(heading, number))
        else:
            blocks[-1].lines.append(line)
    return blocks


def _obligations(block: _Block) -> Iterator[tuple[int, str, str]]:
    """Take the list items that are rules out of a block; yield line, level and text of each."""
    first = block.line + (1 if block.heading else 0)
    kept: list[str] = []
    for start, end, is_item in _spans(block.lines):
        lines = block.lines[start:end]
        rule = _rule(lines, block.name) if is_item else None
        if rule is None:
            kept += lines
        else:
            block.moved = True
            yield first + start, *rule
    block.lines = kept


def _spans(lines: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield the spans of list items (True), each with all that is indented below it, and of every other line alone.

    Lines inside a fence or a comment are no items.
    """
    number, fenced, hidden = 0, False, False
    while number < len(lines):
        start, line = number, lines[number]
        fenced ^= bool(FENCE.match(line))
        hidden = (hidden or "<!--" in line) and "-->" not in line.rpartition("<!--")[2]
        number += 1
        if fenced or hidden or not _ITEM.match(line):
            yield start, number, False
            continue
        end = number
        while end < len(lines) and (lines[end][:1] in {" ", "\t"} or not lines[end].strip()):
            end += 1
        while end > number and not lines[end - 1].strip():
            end -= 1
        fenced = sum(bool(FENCE.match(inner)) for inner in lines[number:end]) % 2 == 1
        yield start, end, True
        number = end


def _rule(lines: Sequence[str], under: str) -> tuple[str, str] | None:
    """Return level and text of a list item that is one plain obligation."""
    item = _ITEM.match(lines[0])
    simple = item and not any(_NESTED.match(line) or FENCE.match(line) or not line.strip() for line in lines[1:])
    if not item or not simple:
        return None
    said = " ".join(" ".join([item[1], *lines[1:]]).replace("**", "").split())
    level = "must_not" if _PROHIBITION.match(said) else "must" if _REQUIREMENT.match(said) else None
    text = f"{under}: {said}" if under else said
    plain = text.isprintable() and not _PLACEHOLDER.search(text) and "<!--" not in text and len(text) <= _RULE_MAX
    if level is None or not plain or said.endswith((":", "?")) or len(list(sentences(said))) != 1:
        return None
    return level, text


def _body(blocks: Sequence[_Block]) -> list[str]:
    """Return the lines of what is left; a heading over nothing becomes text, because no section would bear it."""
    parts: list[list[str]] = [[]]
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        above_others = after is not None and after.level > block.level
        if block.heading is None:
            parts[-1] += block.lines
        elif block.moved and block.name and block.is_blank and not above_others:
            continue  # its words went with its rules
        elif block.level > 2:
            parts[-1] += [block.heading[0], *block.lines]
        else:
            parts.append([block.heading[0], *block.lines])
    body = parts[0]
    titled = False
    for part in parts[1:]:
        heading = _HEADING.match(part[0])
        is_title = bool(heading and len(heading[1]) == 1 and not titled)
        if heading and not is_title and not any(line.strip() for line in part[1:]):
            body += ["", f"**{heading[2]}**", ""] if heading[2] else []
            continue
        titled = True
        body += part
    return body


def _title(body: Sequence[str], path: str) -> tuple[str, list[str]]:
    """Return the title, and the first heading as text where it is no title as it stands.

    The first heading of the first level is consumed as the title when the policy is read.
    """
    blocks = _blocks(Placed(list(body), 1, "", (), "always", []))
    first = next((block.heading for block in blocks if block.level in {1, 2}), None)
    heading = " ".join(first[2].split()) if first and len(first[1]) == 1 else ""
    if heading and len(heading) <= _TITLE_MAX:
        return heading, []
    named = PurePosixPath(path)
    own = named.stem.replace("-", " ").replace("_", " ")
    folder = str(named.parent).removeprefix(".").strip("/")
    title = f"{own} ({folder})" if folder else own
    return title[:_TITLE_MAX] or "Rules", [heading] if heading else []


def _unique(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[:76]}-{number}"
    taken.add(name)
    return name


def _refuse_clashes(found: Sequence[Imported]) -> None:
    """Raise `InvalidInput` when two policies have one id; only files that were policies already name their own."""
    ids: dict[str, str] = {}
    for one in found:
        policy = parse(one.file) if one.file else None
        if isinstance(policy, Policy) and ids.setdefault(policy.id, one.source) != one.source:
            raise InvalidInput(one.source, f"has the id {policy.id!r} of {ids[policy.id]}.", "Rename one of the two.")
