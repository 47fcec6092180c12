"""From a file to a policy: front matter, rules, and Markdown split into sections at its second-level headings."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Final

from interlayer.language.obligations import denies, find_obligation, is_other_language, is_statement
from interlayer.text.yaml_source import Located, replace_entries
from interlayer_policies.document.approvers import Approvers, is_team
from interlayer_policies.document.days import begins, ends
from interlayer_policies.document.expectation import read_expectation
from interlayer_policies.document.frontmatter import (
    ApproverKeys,
    CheckKeys,
    FrontMatter,
    Header,
    RuleKeys,
    read_header,
)
from interlayer_policies.document.names import fold_id, slug
from interlayer_policies.document.policy import (
    BINDING_LEVELS,
    FACET_OF_SCOPE_KEY,
    LEVELS,
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
from interlayer_policies.document.sections import divide, split_sections
from interlayer_policies.document.vocabulary import VOCABULARY_FILE

FILE_BYTES_MAX: Final = 200_000

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_SHOWN: Final = 60


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
    heading, sections = split_sections(lines[body_from:], body_from + 1)
    return _policy(file, header, heading, sections, zone)


def without_trials(file: PolicyFile) -> str:
    """Return the text of a policy file that could be read without the rules in trial; the others keep their numbers."""
    policy = parse(file)
    tried = [number for number, rule in enumerate(policy.rules) if rule.trial] if isinstance(policy, Policy) else []
    if not tried:
        return file.text
    lines = file.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    end = next(n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---")
    head = replace_entries("\n".join(lines[1:end]), "rules", tried, "{trial: true}")
    return "\n".join([lines[0], head, *lines[end:]])


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
        sections=tuple(part for section in sections for part in divide(replace(section, title=section.title or title))),
        expectations=tuple(read_expectation(test, header.line("tests", n), zone) for n, test in enumerate(keys.tests)),
        trial=keys.trial,
        approvers=_approvers(keys.approvers),
        tier_approvers={tier: _approvers(given) for tier, given in keys.tier_approvers.items()},
        title_line=header.line("title"),
        description_line=header.line("description"),
    )
    problems = [Problem(file.path, line, message) for line, message in _inconsistencies(policy, header)]
    return problems or policy


def _approvers(keys: ApproverKeys) -> Approvers:
    return Approvers(tuple(" ".join(name.split()) for name in keys.of if name.strip()), keys.quorum)


def _quorum_problems(policy: Policy, header: Header) -> Iterator[tuple[int, str]]:
    named = {"approvers": policy.approvers, **{f"tier_approvers.{t}": one for t, one in policy.tier_approvers.items()}}
    for key, approvers in named.items():
        people = {folded(name) for name in approvers.names}
        if approvers.quorum > max(len(people), 1) and not any(map(is_team, people)):
            message = f"{key}: {approvers.quorum} have to agree and {len(people)} are named; name more, or a team"
            yield header.line(*key.split(".")), message


def _inconsistencies(policy: Policy, header: Header) -> Iterator[tuple[int, str]]:
    start, end = policy.effective.start, policy.effective.end
    if start and end and start >= end:
        yield header.line("effective"), "effective: until is not after from"
    if fold_id(policy.id) == VOCABULARY_FILE:
        yield header.line("id"), f"id: {VOCABULARY_FILE} is the name of the vocabulary; choose another one"
    if fold_id(policy.id) in map(fold_id, policy.supersedes):
        yield header.line("supersedes"), "supersedes: a policy cannot supersede itself"
    yield from _parameter_problems(policy, header)
    yield from _quorum_problems(policy, header)
    seen: dict[str, str] = {}
    for number, rule in enumerate(policy.rules):
        first = seen.get(fold_id(rule.id))
        seen.setdefault(fold_id(rule.id), rule.id)
        if first is not None:
            other = "" if first == rule.id else f", first as {first!r}: ids that differ only by case are one id"
            yield rule.line, f"rule id {rule.id!r} is used twice in this policy{other}; give one of the rules another"
        if header.keys.rules[number].level is None and level_of(rule.text) is None:
            yield rule.line, _ask_for_level(rule)
        for name in sorted(rule.placeholders - policy.parameters.keys()):
            yield rule.line, f"rule {rule.id}: parameter {{{name}}} is not declared under params"


def _ask_for_level(rule: Rule) -> str:
    shown = rule.text if len(rule.text) <= _SHOWN else f"{rule.text[:_SHOWN]}..."
    known = ", ".join(LEVELS[1:])
    said = f"rule {rule.id}: {shown!r} does not tell whether it forbids, requires or advises"
    return f"{said}; say the level: write `level: must_not` (or {known}) beside `text:`"


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
        level=keys.level or level_of(keys.text) or "must",  # where none can be told, the policy is refused
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


@lru_cache(maxsize=10_000)
def level_of(text: str) -> Level | None:
    """Return the level that a rule's own words tell, in English, German, French and Spanish; None where they do not.

    An order without a word of obligation is a requirement, or a prohibition where it denies something.
    """
    said = _SENTENCE_END.split(text.strip())
    found = [one for one in map(find_obligation, said) if one is not None and one.place == "main"]
    if found:
        return next((one for one in found if one.force in BINDING_LEVELS), found[0]).force
    if is_other_language(text) or is_statement(said[0]):
        return None
    return "must_not" if denies(said[0]) else "must"


def _check(keys: CheckKeys) -> Check:
    return Check(keys.kind, dict(keys.model_extra or {}))
