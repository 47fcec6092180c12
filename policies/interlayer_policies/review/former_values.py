"""Prose that still says what a parameter said until now: the rule follows a changed value, a sentence does not.

Looked for in every policy of the proposed set: the former value with the unit that the parameter bears, in figures or
words. In another policy than the parameter's own it counts only where the paragraph speaks of the same thing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlayer.language.quantities.amounts import amounts
from interlayer.language.quantities.units import names_of
from interlayer.language.terms import terms
from interlayer_policies.document.names import fold_id
from interlayer_policies.document.policy import ParameterValue, Policy, PolicyFile, Problem, written

_LETTERS_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class FormerValue:
    """A parameter whose value changes, with the units that stand beside it and the words of what it is about."""

    policy: str
    name: str
    was: float | str
    now: ParameterValue
    units: tuple[str, ...]
    subject: frozenset[str]

    def found_in(self, text: str, *, own: bool) -> Iterator[str]:
        """Yield how a text says the former value; without a unit only a text of the parameter's `own` policy does."""
        if isinstance(self.was, str):
            pattern = rf"(?<!\w){re.escape(self.was)}(?!\w)"
            yield from (match[0] for match in re.finditer(pattern, text, re.IGNORECASE))
            return
        lower = text.casefold()
        for unit in self.units or (("",) if own else ()):
            if not unit or any(name in lower for name in names_of(unit)):  # most texts are not asked further
                yield from (text[one.start : one.end] for one in amounts(text, unit) if one.value == self.was)


@dataclass(frozen=True, slots=True)
class _Prose:
    """A line of a policy, where it stands and the paragraph around it."""

    line: int
    where: str
    text: str
    around: str


def former_value_problems(
    before: Mapping[str, Policy], after: Sequence[Policy], files: Sequence[PolicyFile]
) -> Iterator[Problem]:
    """Yield a warning for each line that says a former value. `before` are the policies in force, by id."""
    old = {fold_id(name): policy for name, policy in before.items()}
    known = [(old[fold_id(policy.id)], policy) for policy in after if fold_id(policy.id) in old]
    changed = [value for was, policy in known for value in _changed(was, policy)]
    if not changed:
        return
    texts = {file.path: file.text for file in files}
    for policy in after:
        prose = [*_prose(policy, texts.get(policy.file, ""))]
        for value in changed:
            for one in prose:
                own = value.policy == policy.id
                said = next(value.found_in(one.text, own=own), None)
                if said and (own or value.subject & set(terms(one.around))):
                    yield Problem(policy.file, one.line, _message(value, one.where, said, own=own), "warning")


def _message(value: FormerValue, where: str, said: str, *, own: bool) -> str:
    was, now = written(value.was), written(value.now)
    if own:
        return f"{where} says {said!r}, but {value.name} changes from {was} to {now}; write {{{value.name}}} there"
    changes = f"{value.policy} changes its {value.name} from {was} to {now}"
    return f"{where} says {said!r}, and {changes}; change it too if it is the same"


def _changed(old: Policy, new: Policy) -> Iterator[FormerValue]:
    for name, parameter in new.parameters.items():
        if name not in old.parameters or old.parameters[name].value == parameter.value:
            continue
        units = tuple(dict.fromkeys([*_units(old, name), *_units(new, name)]))
        subject = _subject(new, name) - {term for unit in units for term in terms(unit)}
        for was in _gone(old.parameters[name].value, parameter.value):
            if not isinstance(was, str) or len(was) >= _LETTERS_MIN:
                yield FormerValue(new.id, name, was, parameter.value, units, subject)


def _gone(was: ParameterValue, now: ParameterValue) -> list[float | str]:
    if isinstance(was, tuple):
        return [one for one in was if one not in (now if isinstance(now, tuple) else ())]
    return [was]


def _units(policy: Policy, name: str) -> Iterator[str]:
    """Yield what a parameter is counted in, by the words beside it and by the checks that use it."""
    beside = re.compile(rf"([$€£¥]\s?)?\{{{re.escape(name)}\}}(?:[\s-]*(%|[^\W\d_]+))?")
    for text in _texts(policy):
        for match in beside.finditer(text):
            yield from (unit.strip() for unit in match.groups() if unit)
    for rule in policy.rules:
        options: Mapping[str, Any] = rule.check.options if rule.check else {}
        if options.get("unit") and f"{{{name}}}" in map(str, options.values()):
            yield str(options["unit"])


def _texts(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        yield rule.text
        yield rule.remedy
    for section in policy.sections:
        yield section.title
        yield section.text


def _subject(policy: Policy, name: str) -> frozenset[str]:
    """Return the words of what a parameter is about: those of its name, its policy, its rules' keys and checks."""
    using = [rule for rule in policy.rules if name in rule.placeholders]
    said = [name, policy.title, *(rule.key or "" for rule in using)]
    for rule in using:
        near: Any = rule.check.options.get("near", ()) if rule.check else ()
        said += map(str, near if isinstance(near, list) else [near])
    return frozenset(terms(re.sub(r"[_.#]", " ", " ".join(said))))


def _prose(policy: Policy, text: str) -> Iterator[_Prose]:
    """Yield every line that people and agents read; examples and tests are not among them."""
    yield _Prose(policy.title_line, "title", policy.title, policy.title)
    yield _Prose(policy.description_line, "description", policy.description, policy.description)
    for rule in policy.rules:
        yield _Prose(rule.line, f"rule {rule.id}", rule.text, rule.text)
        yield _Prose(rule.line, f"remedy of {rule.id}", rule.remedy, f"{rule.text} {rule.remedy}")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    starts = [*(section.line for section in policy.sections), len(lines) + 1]
    for section, end in zip(policy.sections, starts[1:], strict=True):
        yield from _section(section.id, section.title, lines[section.line - 1 : end - 1], section.line)


def _section(name: str, title: str, lines: Sequence[str], first: int) -> Iterator[_Prose]:
    for offset, line in enumerate(lines):
        above = next((n for n in range(offset, -1, -1) if not lines[n].strip()), 0)
        below = next((n for n in range(offset, len(lines)) if not lines[n].strip()), len(lines))
        if line.strip():
            yield _Prose(first + offset, f"section {name}", line, " ".join([title, *lines[above:below]]))
