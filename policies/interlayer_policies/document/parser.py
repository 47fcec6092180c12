"""From a file to a policy: front matter, rules, and Markdown split into sections at its second-level headings."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Final

from interlayer.text.yaml_source import Located
from interlayer_policies.document.days import begins, ends
from interlayer_policies.document.expectation import read_expectation
from interlayer_policies.document.frontmatter import (
    CheckKeys,
    FrontMatter,
    Header,
    RuleKeys,
    read_header,
)
from interlayer_policies.document.policy import (
    FACET_OF_SCOPE_KEY,
    PROPERTY_FACET,
    Check,
    Effective,
    Level,
    Parameter,
    Policy,
    PolicyFile,
    Problem,
    Rule,
    Scope,
    Section,
    folded,
)

FILE_BYTES_MAX: Final = 200_000

FENCE: Final = re.compile(r"^\s{0,3}(```|~~~)")
_HEADING: Final = re.compile(r"^(#{1,2})[ \t]+(.*?)[ \t]*#*$")
_PROHIBITION: Final = re.compile(r"^(never|do not|don['’]t)\b", re.IGNORECASE)
_NOT_IN_SLUG: Final = re.compile(r"[^a-z0-9]+")
_OVERVIEW: Final = "overview"


def parse(file: PolicyFile, zone: tzinfo = UTC) -> Policy | list[Problem]:
    """Return the policy of a file, or everything that keeps it from being one; its dates are days of the zone."""
    if len(file.text.encode()) > FILE_BYTES_MAX:
        return [Problem(file.path, 1, f"larger than {FILE_BYTES_MAX} bytes; split it into several policies")]
    lines = file.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if not any(line.strip() for line in lines):
        return [Problem(file.path, 1, "empty file")]
    body_from = 0
    if lines[0].rstrip() == "---":
        end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is None:
            return [Problem(file.path, 1, "front matter is opened by --- and never closed by another ---")]
        body_from = end + 1
        header = read_header("\n".join(lines[1:end]), file.path, 2)
    elif _is_unopened(lines):
        return [Problem(file.path, 1, "front matter is closed by --- and never opened; put --- into the first line")]
    else:
        header = Header(FrontMatter(), Located({}, {}))
    if isinstance(header, list):
        return header
    heading, sections = _sections(lines[body_from:], body_from + 1)
    return _policy(file, header, heading, sections, zone)


def _is_unopened(lines: list[str]) -> bool:
    """Whether a file begins with keys of the front matter, and `---` comes only after them."""
    first = next(line for line in lines if line.strip())
    key = first.partition(":")[0]
    return ":" in first and key in FrontMatter.model_fields and any(line.rstrip() == "---" for line in lines)


def _policy(
    file: PolicyFile, header: Header, heading: str | None, sections: list[Section], zone: tzinfo
) -> Policy | list[Problem]:
    keys, given = header.keys, header.keys.effective
    policy_id = keys.id or slug(file.path.removesuffix(".md"))
    title = keys.title or heading or policy_id.replace("-", " ").capitalize()
    effective = Effective(
        begins(given.start, zone) if given.start else None, ends(given.end, zone) if given.end else None
    )
    policy = Policy(
        id=policy_id,
        title=title,
        file=file.path,
        description=keys.description,
        owner=keys.owner,
        tier=keys.tier,
        scope=_scope(header),
        effective=effective,
        supersedes=keys.supersedes,
        parameters={name: Parameter(given.value, given.merge) for name, given in keys.params.items()},
        rules=tuple(_rule(rule, number, header) for number, rule in enumerate(keys.rules)),
        sections=tuple(replace(section, title=section.title or title) for section in sections),
        expectations=tuple(read_expectation(test, header.line("tests", n), zone) for n, test in enumerate(keys.tests)),
        trial=keys.trial,
        approvers=keys.approvers,
        tier_approvers=keys.tier_approvers,
        title_line=header.line("title"),
        description_line=header.line("description"),
    )
    problems = [Problem(file.path, line, message) for line, message in _inconsistencies(policy, header)]
    return problems or policy


def _inconsistencies(policy: Policy, header: Header) -> Iterator[tuple[int, str]]:
    start, end = policy.effective.start, policy.effective.end
    if start and end and start >= end:
        yield header.line("effective"), "effective: until is not after from"
    if policy.id in policy.supersedes:
        yield header.line("supersedes"), "supersedes: a policy cannot supersede itself"
    yield from _parameter_problems(policy, header)
    seen: set[str] = set()
    for rule in policy.rules:
        if rule.id in seen:
            yield rule.line, f"rule id {rule.id!r} is used twice in this policy"
        seen.add(rule.id)
        for name in sorted(rule.placeholders - policy.parameters.keys()):
            yield rule.line, f"rule {rule.id}: parameter {{{name}}} is not declared under params"


def _parameter_problems(policy: Policy, header: Header) -> Iterator[tuple[int, str]]:
    for name, parameter in policy.parameters.items():
        if parameter.merge in {"min", "max"} and not isinstance(parameter.value, float):
            yield header.line("params", name), f"params.{name}: merge {parameter.merge} needs a number"
        if parameter.merge in {"union", "intersect"} and not isinstance(parameter.value, tuple):
            yield header.line("params", name), f"params.{name}: merge {parameter.merge} needs a list"


def _scope(header: Header) -> Scope:
    keys = header.keys.scope
    limits = [(facet, getattr(keys, key)) for key, facet in FACET_OF_SCOPE_KEY.items()]
    limits += [(f"{PROPERTY_FACET}{name}", patterns) for name, patterns in keys.when.items()]
    return Scope(tuple((facet, tuple(sorted({folded(p) for p in patterns}))) for facet, patterns in limits if patterns))


def _rule(keys: RuleKeys, number: int, header: Header) -> Rule:
    return Rule(
        id=keys.id or f"R{number + 1}",
        level=keys.level or _level_of(keys.text),
        text=" ".join(keys.text.split()),
        key=keys.key,
        check=_check(keys.check) if keys.check else None,
        remedy=keys.remedy,
        good=keys.good,
        bad=keys.bad,
        overrides=keys.overrides,
        trial=keys.trial,
        line=header.line("rules", number),
    )


def _level_of(text: str) -> Level:
    return "must_not" if _PROHIBITION.match(text.strip()) else "must"


def _check(keys: CheckKeys) -> Check:
    return Check(keys.kind, dict(keys.model_extra or {}))


def slug(text: str) -> str:
    """Return the text as lower-case words joined by `-`."""
    return _NOT_IN_SLUG.sub("-", text.casefold()).strip("-")[:80].rstrip("-") or "section"


def _sections(lines: list[str], first_line: int) -> tuple[str | None, list[Section]]:
    """Return the first heading and the sections; text under no second-level heading is the overview.

    The overview has an empty title: the caller knows the policy's.
    """
    first_heading: str | None = None
    parts: list[tuple[str | None, list[str], int]] = [(None, [], first_line)]
    fenced = False
    for number, line in enumerate(lines, first_line):
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            parts[-1][1].append(line)
            continue
        if first_heading is None:
            first_heading = heading[2]
            if heading[1] == "#":
                continue
        parts.append((heading[2], [], number))
    sections: list[Section] = []
    taken: set[str] = set()
    for heading, body, line in parts:
        text = "\n".join(body).strip()
        if text:
            section_id = _unique(_OVERVIEW if heading is None else slug(heading), taken)
            sections.append(Section(section_id, heading or "", text, line))
    return first_heading, sections


def _unique(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    taken.add(name)
    return name
