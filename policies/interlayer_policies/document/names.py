"""Names that policies, rules and sections go by: what they may be made of, how they compare, how a title becomes one.

Ids are compared without case and delivered as their author wrote them.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from interlayer_policies.document.policy import Policy, Rule

POLICY_ID_MAX: Final = 80
RULE_ID_MAX: Final = 40

_PUNCTUATION: Final = "._-"
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")


def fold_id(name: str) -> str:
    """Return an id, or a reference `policy#rule`, as it is compared."""
    return name.strip().casefold()


def check_id(name: str, longest: int) -> str:
    """Return an id. Raises `ValueError`, with the remedy, for one that is no id."""
    wrong = next((one for one in name if not _is_in_word(one) and one not in _PUNCTUATION), None)
    if wrong is not None:
        shown = "a blank" if wrong.isspace() else repr(wrong)
        raise ValueError(f"{name[:80]!r} has {shown} in it; use letters, digits and . _ - only")
    if not name or not name[0].isalnum():
        raise ValueError(f"{name[:80]!r} does not begin with a letter or a digit; begin it with one")
    if len(name) > longest:
        raise ValueError(f"{name[:80]!r} is longer than {longest} characters; shorten it")
    return name


def bare(heading: str) -> str:
    """Return a heading without tags, entities and the targets of its links, in one line."""
    return " ".join(_TAG.sub(" ", html.unescape(_LINK.sub(r"\1", heading))).split())


def slug(text: str) -> str:
    """Return a text as lower-case words of any script joined by `-`: `Größe & Maß` as `grosse-mass`, `返金` as it is.

    Tags, entities and the targets of links are left out.
    """
    spelled = "".join(one if _is_in_word(one) else "-" for one in _without_accents(bare(text).casefold()))
    return "-".join(filter(None, spelled.split("-")))[:POLICY_ID_MAX].rstrip("-") or "section"


def unify_references(policies: Sequence[Policy]) -> list[Policy]:
    """Return policies whose references are written as the policies and rules of the set that they mean.

    What refers to nothing stays as it is, for lint to name.
    """
    ids = {fold_id(policy.id): policy.id for policy in policies}
    rules = {
        fold_id(f"{policy.id}#{rule.id}"): f"{policy.id}#{rule.id}" for policy in policies for rule in policy.rules
    }
    return [_unify(policy, ids, rules) for policy in policies]


def _unify(policy: Policy, ids: Mapping[str, str], rules: Mapping[str, str]) -> Policy:
    known = {fold_id(rule.id): rule.id for rule in policy.rules}

    def named(references: Iterable[str]) -> tuple[str, ...]:
        return tuple(_spell(one, ids, rules, known) for one in references)

    return replace(
        policy,
        supersedes=tuple(ids.get(fold_id(one), one) for one in policy.supersedes),
        rules=tuple(_overriding(rule, rules) for rule in policy.rules),
        expectations=tuple(
            replace(
                one,
                rules=named(one.rules),
                sections=_sections(one.sections, ids),
                absent=named(one.absent),
                violations=named(one.violations),
            )
            for one in policy.expectations
        ),
    )


def _overriding(rule: Rule, rules: Mapping[str, str]) -> Rule:
    spelled = tuple(rules.get(fold_id(one), one) for one in rule.overrides)
    return rule if spelled == rule.overrides else replace(rule, overrides=spelled)


def _spell(reference: str, ids: Mapping[str, str], rules: Mapping[str, str], own: Mapping[str, str]) -> str:
    if "#" in reference:
        return rules.get(fold_id(reference), _with_owner(reference, ids))
    return own.get(fold_id(reference), reference)


def _sections(references: Iterable[str], ids: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_with_owner(one, ids) if "#" in one else fold_id(one) for one in references)


def _with_owner(reference: str, ids: Mapping[str, str]) -> str:
    owner, _, local = reference.rpartition("#")
    return f"{ids.get(fold_id(owner), owner)}#{local}"


def unique(wanted: str, taken: set[str], cut_at: int | None = None) -> str:
    """Return a name, with a number where it is taken, and take it; one with a number is cut before that if asked."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[:cut_at]}-{number}"
    taken.add(name)
    return name


def _is_in_word(character: str) -> bool:
    """Whether a character is a letter, a digit, or a mark that letters of some scripts bear."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _without_accents(text: str) -> str:
    """Return a text whose Latin letters bear no accents; letters of other scripts keep theirs."""
    kept: list[str] = []
    latin = False
    for one in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(one) and latin:
            continue
        latin = one.isascii() and one.isalpha()
        kept.append(one)
    return unicodedata.normalize("NFC", "".join(kept))
