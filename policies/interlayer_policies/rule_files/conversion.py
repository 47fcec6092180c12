"""From rule files that teams have already to policies: sentences that oblige become rules, all else guidance.

Nothing is dropped: every word of a source stands in the title, the description, the scope, a rule or a section of its
policy. A rule takes along its heading and what introduces it, because it is delivered alone (`clauses`); an entry or a
paragraph that is wholly in rules moves out of its section. Whatever obliges and stays guidance is told with the reason.
Files that hold only where they are relevant bring no rules, since a rule is delivered whenever its scope matches.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from interlayer.errors import InvalidInput
from interlayer.language.obligations import find_obligation, opens_with_condition
from interlayer_policies.document.fences import code_lines
from interlayer_policies.document.names import bare, slug, unique
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import BINDING_LEVELS, Policy, PolicyFile
from interlayer_policies.rule_files.clauses import read_clauses
from interlayer_policies.rule_files.outcome import Imported, ImportedRule, KeptObligation
from interlayer_policies.rule_files.outline import plain
from interlayer_policies.rule_files.placement import Placed, RuleFile, placed

_TITLE_MAX: Final = 200
_NAME_CUT_AT: Final = 76  # where a number follows, so that the name fits into the 80 characters of a slug
_DESCRIPTION_MAX: Final = 500

_HEADING: Final = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_OURS: Final = re.compile(r"---[ \t]*\r?\n(?:(?!---).*\n)*?(?:id|rules|scope):")
_BLANK: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_SUFFIX: Final = re.compile(r"\.(?:mdc|md|markdown|txt)$")
_RELEVANT_ONLY: Final = "its file holds only for the tasks that it is relevant to, and a rule would reach every call"
_HEADING_OBLIGES: Final = "it is a heading; say it in a sentence under it"


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
        return plain(bare(self.heading[2])).rstrip(":") if self.heading and self.level > 1 else ""

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
        if file.unread:
            found.append(Imported(file.path, None, not_read=file.unread))
            continue
        place = placed(file)
        content = (file.text.strip(), place.tags)
        if not content[0] or content in seen:
            found.append(Imported(file.path, None, same_as=seen.get(content, ""), includes=file.includes))
            continue
        seen[content] = file.path
        name = unique(slug(_SUFFIX.sub("", file.path)), taken, cut_at=_NAME_CUT_AT)
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
    tags = tuple(policy.scope.patterns("tags"))
    return Imported(file.path, copy, policy.title, tags, rules=rules, sections=sections)


def _convert(file: RuleFile, place: Placed, name: str) -> Imported:
    place, parameters = _with_parameters(place)
    blocks = _blocks(place)
    rules, kept = _take_rules(blocks, place, parameters)
    body = _body(blocks)
    title, as_text = _title(body, file.path)
    lead = [*(f"    {line}" for line in place.kept), *as_text]
    if len(place.description) > _DESCRIPTION_MAX:
        lead = [place.description, "", *lead]
    written = yaml.safe_dump(
        _head(name, title, place, rules, parameters), sort_keys=False, allow_unicode=True, width=10_000
    )
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
        includes=file.includes,
        parameters=parameters,
        kept=tuple(kept),
        sections=tuple(section.id for section in policy.sections),
    )


def _head(
    name: str, title: str, place: Placed, rules: Sequence[ImportedRule], parameters: Sequence[str]
) -> dict[str, Any]:
    head: dict[str, Any] = {"id": name, "title": title}
    if 0 < len(place.description) <= _DESCRIPTION_MAX:
        head["description"] = place.description
    if place.tags:
        head["scope"] = {"tags": list(place.tags)}
    if parameters:
        head["params"] = {one: {"value": one} for one in parameters}
    if rules:
        head["rules"] = [{"id": rule.id, "level": rule.level, "text": rule.text} for rule in rules]
    return head


def _blocks(place: Placed) -> list[_Block]:
    blocks = [_Block(None, place.first_line)]
    for number, (line, in_code) in enumerate(zip(place.body, code_lines(place.body), strict=True), place.first_line):
        heading = None if in_code else _HEADING.match(line)
        if heading:
            blocks.append(_Block(heading, number))
        else:
            blocks[-1].lines.append(line)
    return blocks


def _with_parameters(place: Placed) -> tuple[Placed, tuple[str, ...]]:
    """Return a file with its blanks to fill in, `{{company}}`, as parameters of ours, and their names."""
    names: dict[str, None] = {}

    def declare(found: re.Match[str]) -> str:
        names.setdefault(found[1])
        return f"{{{found[1]}}}"

    coded = code_lines(place.body)
    body = [
        line if in_code or "`" in line else _BLANK.sub(declare, line)
        for line, in_code in zip(place.body, coded, strict=True)
    ]
    return replace(place, body=body), tuple(names)


def _take_rules(
    blocks: Sequence[_Block], place: Placed, parameters: Sequence[str]
) -> tuple[list[ImportedRule], list[KeptObligation]]:
    """Take what becomes a rule out of the blocks; return it, and what obliges and stays."""
    rules: list[ImportedRule] = []
    kept: list[KeptObligation] = []
    above: list[tuple[int, str]] = []  # the headings that the present one stands under
    for block in blocks:
        above = [one for one in above if one[0] < block.level]
        conditions = [name for _, name in above if opens_with_condition(name)]
        read = read_clauses(block.lines, [*conditions, *([block.name] if block.name else [])], parameters)
        first = block.line + (1 if block.heading else 0)
        above.append((block.level, block.heading[2].rstrip(":") if block.heading else ""))
        kept += _in_heading(block)
        if place.activation == "relevant":
            kept += [KeptObligation(first + one.line, one.level, one.text, _RELEVANT_ONLY) for one in read.rules]
        else:
            for one in read.rules:
                rules.append(ImportedRule(f"R{len(rules) + 1}", one.level, one.text, first + one.line))
            block.moved = bool(read.moved) and all(block.name in one.text for one in read.rules)
            block.lines = _without(block.lines, read.moved)
        kept += [KeptObligation(first + one.line, one.level, one.text, one.reason) for one in read.kept]
    return rules, kept


def _without(lines: Sequence[str], moved: Collection[int]) -> list[str]:
    """Return the lines that stay; of the blank ones around what went, one."""
    kept: list[str] = []
    after_moved = False
    for number, line in enumerate(lines):
        if number in moved:
            after_moved = True
        elif line.strip() or not (after_moved and (not kept or not kept[-1].strip())):
            kept.append(line)
            after_moved = after_moved and not line.strip()
    return kept


def _in_heading(block: _Block) -> Iterator[KeptObligation]:
    found = find_obligation(block.heading[2]) if block.heading else None
    if block.heading and found and found.place == "main" and found.force in BINDING_LEVELS:
        yield KeptObligation(block.line, found.force, block.heading[2], _HEADING_OBLIGES)


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


def _refuse_clashes(found: Sequence[Imported]) -> None:
    """Raise `InvalidInput` when two policies have one id; only files that were policies already name their own."""
    ids: dict[str, str] = {}
    for one in found:
        policy = parse(one.file) if one.file else None
        if isinstance(policy, Policy) and ids.setdefault(policy.id, one.source) != one.source:
            raise InvalidInput(one.source, f"has the id {policy.id!r} of {ids[policy.id]}.", "Rename one of the two.")
