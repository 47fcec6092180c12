"""What auditors look for among receipts: by kind, caller, entity, policy and time, who knew what, and whose words."""

import hmac
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from interlayer.audit.reads import READS
from interlayer.audit.receipts import sealed
from interlayer.ids import timestamp

_CALLS: Final = ("rules", "sections")

IsSought = Callable[[Mapping[str, Any]], bool]
"""Tells of the body of a receipt whether it is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtEntity:
    """An entity as receipts name it: `type:id` of it and of what was merged into it, and all that it is called."""

    refs: Collection[str]
    names: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFilter:
    """Which receipts are looked for; what is not given does not matter.

    `version` is that of the policy or, without one, the revision of the entity. `since` is included, `until` too.
    """

    kinds: Collection[str] = ()
    agent: str | None = None
    user: str | None = None
    entity: SoughtEntity | None = None
    policy: str | None = None
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def test(self, key: bytes | None) -> "IsSought":
        """Build the test of a receipt's body; `key` is that of the organization's HMACs."""
        named = {sealed(key, name) for name in self.entity.names} if self.entity and key else set[str]()

        def is_sought(body: Mapping[str, Any]) -> bool:
            return all(
                (
                    not self.kinds or body.get("kind") in self.kinds,
                    self.agent is None or body.get("agent") == self.agent,
                    self.user is None or body.get("user") == self.user,
                    self.since is None or str(body.get("at")) >= timestamp(self.since),
                    self.until is None or str(body.get("at")) <= timestamp(self.until),
                    self.policy is None or any(self._refs(body)),
                    self.entity is None or self._is_about(body, self.entity.refs, named),
                    self.version is None or bool(self.policy) or self._has_revision(body),
                )
            )

        return is_sought

    def _refs(self, body: Mapping[str, Any]) -> Iterator[str]:
        for name in _CALLS:
            yield from self.of_policy(body.get(name))

    def of_policy(self, refs: Any) -> list[str]:
        """Return those of `policy#rule@version` that are of the policy, and of the version if one is given."""
        found = [str(ref) for ref in refs] if isinstance(refs, list) else []
        found = [ref for ref in found if ref.partition("#")[0] == self.policy]
        return [ref for ref in found if self.version is None or ref.rpartition("@")[2] == str(self.version)]

    def _is_about(self, body: Mapping[str, Any], refs: Collection[str], named: Collection[str]) -> bool:
        facets = body.get("facets")
        asked = (body.get("asked_hmac"), facets.get("entity_hmac") if isinstance(facets, dict) else None)
        return (
            body.get("entity") in refs
            or any(one.get("entity") in refs for one in shown_of_body(body))
            or body.get("everything") is True
            or any(one in named for one in asked)
        )

    def _has_revision(self, body: Mapping[str, Any]) -> bool:
        refs = self.entity.refs if self.entity else None
        return any(
            one.get("revision") == self.version and (refs is None or one.get("entity") in refs)
            for one in shown_of_body(body)
        )


def told_body(sought: ReceiptFilter, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt whose rules and sections are those of the policy that is looked for."""
    if sought.policy is None:
        return dict(body)
    return {**body, **{name: sought.of_policy(body[name]) for name in _CALLS if name in body}}


def shown_of_body(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a receipt says of each entity that was shown; of a forged one, what can be read of it."""
    entities = body.get("entities")
    return [one for one in entities if isinstance(one, dict)] if isinstance(entities, list) else []


@dataclass(slots=True, kw_only=True)
class Knower:
    """Who had been shown something of an entity by then, or had memorized it: when, which facts, values and versions.

    `properties` has by name the memories that the values shown were from. With `everything` an export held all that
    there was.
    """

    agent: str
    user: str
    reads: int = 0
    first_at: str = ""
    last_at: str = ""
    everything: bool = False
    revisions: list[int] = field(default_factory=list[int])
    facts: list[str] = field(default_factory=list[str])
    more_facts: int = 0
    properties: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    sources: list[str] = field(default_factory=list[str])
    memorized: list[str] = field(default_factory=list[str])

    def add(self, body: Mapping[str, Any], refs: Collection[str]) -> None:
        """Add what a receipt tells; receipts may come in any order."""
        at = str(body.get("at"))
        self.first_at, self.last_at = min(self.first_at or at, at), max(self.last_at, at)
        if body.get("kind") not in READS:
            self.memorized.append(str(body.get("memory_id")))
            return
        self.reads += 1
        self.everything = self.everything or body.get("everything") is True
        for one in shown_of_body(body):
            if one.get("entity") in refs:
                self._add_shown(one)

    def _add_shown(self, shown: Mapping[str, Any]) -> None:
        if isinstance(revision := shown.get("revision"), int) and revision not in self.revisions:
            self.revisions = sorted([*self.revisions, revision])
        for mine, name in ((self.facts, "facts"), (self.sources, "sources")):
            mine.extend(one for one in dict.fromkeys(_texts(shown.get(name))) if one not in mine)
        more = shown.get("more_facts")
        self.more_facts = max(self.more_facts, more if isinstance(more, int) else 0)
        properties = shown.get("properties")
        values = properties if isinstance(properties, dict) else dict.fromkeys(_texts(properties), "")
        for name, memory in values.items():
            known = self.properties.setdefault(name, [])
            if memory and memory not in known:
                known.append(memory)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether words are those of a receipt: `field` names the HMAC that they have, empty where they have none."""

    receipt: str
    kind: str
    at: str
    agent: str
    user: str
    field: str
    sealed_in: str

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return bool(self.field)


def matching_field(body: Mapping[str, Any], key: bytes, text: str) -> str:
    """Return the name of the HMAC of a receipt that a text has, with or without its last line break; else nothing."""
    texts = dict.fromkeys([text, text.removesuffix("\n"), text.removesuffix("\n").removesuffix("\r")])
    digests = [sealed(key, one) for one in texts]
    for name, value in _hmacs(body):
        if any(hmac.compare_digest(value.encode(), digest.encode()) for digest in digests):
            return name
    return ""


def _hmacs(body: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _hmacs(value, f"{inside}{name}.")
        elif str(name).endswith("_hmac") and isinstance(value, str):
            yield f"{inside}{name}", value
