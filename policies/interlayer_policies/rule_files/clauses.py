"""From the text under one heading to the rules that stand in it, each whole by itself, and what obliges and is no rule.

A rule is delivered alone. So an entry of a list takes along the line that introduces the list, with its condition, and
the entries above it; a sentence takes along the condition that its paragraph begins with. What would say something else
by itself stays where it is, and is told with the reason.
"""

import re
from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Final

from interlayer.language.obligations import (
    Obligation,
    ends_in_obligation,
    find_obligation,
    may_open_with_pointer,
    offers_choice,
    opens_with_condition,
    opens_with_pointer,
    order_pattern,
)
from interlayer_policies.document.policy import BINDING_LEVELS, Level
from interlayer_policies.rule_files.outcome import FoundRule, KeptClause, Reading
from interlayer_policies.rule_files.outline import Node, outline, plain
from interlayer_policies.rule_files.sentences import (
    Lead,
    all_entries,
    binds,
    force_of,
    introduces,
    is_binding,
    is_choice,
    is_label,
    is_one_rule,
    lead_of,
    split_sentences,
)

RULE_MAX: Final = 500

_JOINT: Final = re.compile(r"[;,]\s+[^\W\d_]{1,4}$")  # "...; and" of an entry that is not the last
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

_ADVICE: Final = "it advises; a rule would reach every call in scope, guidance reaches the tasks that it is about"
_SUBORDINATE: Final = "it obliges only in a clause that depends on another one; say it as a sentence of its own"
_STATEMENT: Final = "it says what is so, not what to do; if it binds an agent, say it as an order"
_STEP: Final = "it is a step of a numbered list, whose steps need each other"
_POINTER: Final = "it points at something said before it; name that in the sentence"
_CONTRARY: Final = "the line above its list forbids and it requires, or the reverse; say it in one sentence"
_TOO_LONG: Final = f"it is longer than {RULE_MAX} characters with what it needs; shorten it or split it"
_UNPRINTABLE: Final = "it holds {braces} or signs that no rule may hold; write it without them"
_INTRODUCTION: Final = "it introduces what follows; say it in one sentence"
_CHOICE: Final = "it offers a choice of what is listed, too long for one rule; shorten it"
_TABLE: Final = "it stands in a table, whose rows need their head"
_HTML: Final = "it stands in HTML"
_BESIDE: Final = "it stands in an entry of a list with other paragraphs; say it in an entry of its own"
_QUOTE: Final = "it stands in a quotation"


def read_clauses(lines: Sequence[str], under: Sequence[str], parameters: Collection[str] = ()) -> Reading:
    """Find the rules in the lines under a heading; `under` are the headings that they take along.

    A rule may hold `{name}` of these parameters and no other.
    """
    found = Reading()
    _Reader(lines, list(under), found, frozenset(parameters)).read(outline(lines, order_pattern()))
    found.rules.sort(key=lambda rule: rule.line)
    found.kept.sort(key=lambda clause: clause.line)
    return found


class _Reader:
    """Reads one outline."""

    def __init__(self, lines: Sequence[str], under: list[str], found: Reading, parameters: frozenset[str]) -> None:
        self._parameters = parameters
        self._lines = lines
        self._under = under
        self._found = found

    def read(self, nodes: Sequence[Node]) -> None:
        """Read the parts in order; a line that introduces holds for the list, or else the paragraphs, behind it."""
        lead: Node | None = None
        for node, after in zip_longest(nodes, nodes[1:]):
            if node.kind == "paragraph" and introduces(node, after):
                lead = node
                self._read_before_lead(node)
                if after is None or after.kind not in {"list", "paragraph"}:
                    last = lead_of(node.text)
                    self._keep(node, last.text, last.obligation, _INTRODUCTION)
                    lead = None
            elif node.kind == "paragraph":
                self._read_paragraph(node, lead)
                if after is not None and after.kind == "list":
                    lead = None
            elif node.kind == "list":
                self._read_list(node, lead)
                lead = None
            else:
                self._list_opaque(node)

    def _read_before_lead(self, node: Node) -> None:
        said = split_sentences(node.text)
        if len(said) > 1:
            self._read_text(Node(node.kind, node.start, node.end, " ".join(said[:-1])), ())

    def _read_paragraph(self, node: Node, lead: Node | None) -> None:
        before = lead_of(lead.text) if lead else None
        if self._read_text(node, (before,) if before else ()):
            self._found.moved |= set(range(node.start, node.end))
            if lead:
                self._found.moved |= set(range(lead.start, lead.end)) if len(split_sentences(lead.text)) == 1 else set()

    def _read_list(self, node: Node, lead: Node | None) -> None:
        first = lead_of(lead.text) if lead else None
        leads = (first,) if first else ()
        if first and (offers_choice(first.text) or is_choice(node)):
            self._read_choice(node, first, lead)
            return
        if not self._may_move(node, leads):
            for entry in all_entries(node.below):
                self._keep(entry, entry.text, find_obligation(entry.text), _STEP)
            moved = False
        else:
            done = [self._read_entry(entry, leads) for entry in node.below]
            moved = all(done)
        before = len(self._found.rules)
        if moved and lead and len(split_sentences(lead.text)) == 1:
            self._found.moved |= set(range(lead.start, lead.end))
        if lead and first and first.level and not moved and before == len(self._found.rules):
            ruled = any(node.start <= rule.line < node.end for rule in self._found.rules)
            if not ruled:
                self._keep(lead, lead.text, first.obligation, _INTRODUCTION)

    def _may_move(self, node: Node, leads: tuple[Lead, ...]) -> bool:
        """Whether the entries of a list hold each by itself; steps do only where every one of them obliges."""
        if not any(entry.kind == "step" for entry in node.below) or (leads and leads[-1].level in BINDING_LEVELS):
            return True
        return all(binds(entry.text) for entry in node.below)

    def _read_choice(self, node: Node, first: Lead, lead: Node | None) -> None:
        """Read a list of which one entry is enough: it is one rule, or none."""
        whole = "; ".join(entry.text.rstrip(";,. ") for entry in node.below)
        simple = not any(entry.below or entry.more for entry in node.below)
        if first.level in BINDING_LEVELS and simple and self._add(node.start, first.level, f"{first.text}: {whole}"):
            self._found.moved |= set(range(node.start, node.end))
            if lead and len(split_sentences(lead.text)) == 1:
                self._found.moved |= set(range(lead.start, lead.end))
        elif lead:
            self._keep(lead, lead.text, first.obligation, _CHOICE)
            for entry in all_entries(node.below):
                self._keep(entry, entry.text, find_obligation(entry.text), _CHOICE)

    def _read_entry(self, entry: Node, leads: tuple[Lead, ...]) -> bool:
        """Read an entry and what stands below it; return whether all of its words are in rules."""
        own = not entry.text
        for node in entry.beside:
            self._list_opaque(node)
        if entry.below:
            heads = entry.text.endswith((":", "：")) or ends_in_obligation(entry.text)
            labels = is_label(entry.text)
            takes = heads or labels or opens_with_condition(entry.text)
            inner = (*leads, lead_of(entry.text)) if takes and entry.text else leads
            if not heads:
                own = self._read_text(entry, leads)
            done = [self._read_entry(one, inner) for one in entry.below]
            own = (own or (takes and bool(entry.text))) and all(done)
            if heads and not any(entry.start < rule.line < entry.end for rule in self._found.rules):
                self._keep(entry, entry.text, find_obligation(entry.text), _INTRODUCTION)
        else:
            own = self._read_text(entry, leads)
        moved = own and not entry.more
        if moved:
            self._found.moved |= set(range(entry.start, entry.end))
        return moved

    def _read_text(self, node: Node, leads: tuple[Lead, ...]) -> bool:
        """Take the rules out of a text; return whether every sentence of it is in one."""
        said = split_sentences(node.text)
        obligations = [find_obligation(one) for one in said]
        binding = [n for n, one in enumerate(obligations) if is_binding(one)]
        level = leads[-1].level if leads else None
        if not binding and not any(obligations) and level in BINDING_LEVELS and node.text:
            return self._add_or_keep(node, level, node.text, leads)
        if not binding:
            self._keep_others(node, said, obligations)
            return False
        if level == "must_not" and any(force_of(obligations[n]) == "must" for n in binding):
            for number in binding:
                self._keep(node, said[number], obligations[number], _CONTRARY)
            return False
        if is_one_rule(node, said, obligations):
            if opens_with_pointer(said[0]) and not leads:
                self._keep(node, node.text, obligations[binding[0]], _POINTER)
                return False
            return self._add_or_keep(node, force_of(obligations[binding[0]]), node.text, leads)
        self._keep_others(node, said, obligations)
        return self._read_sentences(node, said, obligations, leads)

    def _keep_others(self, node: Node, said: Sequence[str], obligations: Sequence[Obligation | None]) -> None:
        """Tell of the sentences that oblige and do not bind by themselves."""
        for text, one in zip(said, obligations, strict=True):
            if not is_binding(one):
                self._keep(node, text, one, _reason(one))

    def _read_sentences(
        self, node: Node, said: list[str], obligations: list[Obligation | None], leads: tuple[Lead, ...]
    ) -> bool:
        """Make a rule of each sentence that binds, with the condition or the sentence that it rests on."""
        covered: set[int] = set()
        condition = [0] if opens_with_condition(said[0]) and not is_binding(obligations[0]) else []
        groups: list[list[int]] = []
        for number, one in enumerate(obligations):
            if not is_binding(one):
                continue
            if not (may_open_with_pointer(said[number]) if number else opens_with_pointer(said[number])):
                groups.append([number])
            elif number == 0:
                self._keep(node, said[number], one, _POINTER)
            elif groups and groups[-1][-1] == number - 1:
                groups[-1].append(number)
            else:
                groups.append([number - 1, number])
        for group in groups:
            needs = sorted({*condition, *group})
            first = next(n for n in group if is_binding(obligations[n]))
            text = " ".join(said[n] for n in needs)
            if self._add_or_keep(node, force_of(obligations[first]), text, leads, said[first]):
                covered |= set(needs)
        return len(covered) == len(said)

    def _add_or_keep(self, node: Node, level: Level, text: str, leads: tuple[Lead, ...], sentence: str = "") -> bool:
        text = _JOINT.sub("", text.rstrip(" ;,"))
        binds = is_binding(find_obligation(text)) or any(one.level and not one.is_bare for one in leads)
        taken = [lead.text for lead in leads if not (lead.is_bare and binds)]
        introduced = ": ".join([*taken, text])
        reason = _INTRODUCTION if text.endswith((":", "：")) else ""
        if not reason:
            reason = "" if self._add(self._line(node, sentence or text), level, introduced) else _TOO_LONG
            reason = _UNPRINTABLE if reason and not self._is_plain(introduced) else reason
        if reason:
            self._found.kept.append(KeptClause(self._line(node, sentence or text), level, text, reason))
        return not reason

    def _add(self, line: int, level: Level, text: str) -> bool:
        """Add a rule with its headings; of headings that make it too long only those that are conditions stay."""
        conditions = [one for one in self._under if opens_with_condition(one)]
        for under in (self._under, conditions):
            whole = ": ".join([*under, text])
            if len(whole) <= RULE_MAX and self._is_plain(whole):
                self._found.rules.append(FoundRule(line, level, whole))
                return True
        return False

    def _is_plain(self, text: str) -> bool:
        strange = set(_PLACEHOLDER.findall(text)) - self._parameters
        return text.isprintable() and not strange and "<!--" not in text

    def _keep(self, node: Node, text: str, obligation: Obligation | None, reason: str) -> None:
        if obligation is not None and obligation.force != "may" and "<!--" not in text:
            self._found.kept.append(KeptClause(self._line(node, text), obligation.force, text, reason))

    def _line(self, node: Node, text: str) -> int:
        """Return the line in which a sentence of a part begins."""
        start = " ".join(text.split()[:3])
        for number in range(node.start, node.end):
            if start and start in plain(" ".join(self._lines[number : number + 2])):
                in_next = number + 1 < node.end and start in plain(self._lines[number + 1])
                return number + 1 if in_next else number
        return node.start

    def _list_opaque(self, node: Node) -> None:
        if node.kind == "code":
            return
        for number in range(node.start, node.end):
            text = plain(self._lines[number].strip(" >|"))
            for one in split_sentences(text):
                obligation = find_obligation(one)
                if is_binding(obligation):
                    reason = {"table": _TABLE, "quote": _QUOTE, "html": _HTML}.get(node.kind, _BESIDE)
                    self._found.kept.append(KeptClause(number, force_of(obligation), one, reason))


def _reason(obligation: Obligation | None) -> str:
    if obligation is None or obligation.place == "main":
        return _ADVICE
    return _SUBORDINATE if obligation.place == "subordinate" else _STATEMENT
