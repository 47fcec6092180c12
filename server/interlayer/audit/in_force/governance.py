"""What governs, compared with the events that brought it: published sets and their texts, waivers, keys of callers.

These comparisons say in their own words what is wrong, and hold for records that are older than digests. What an item
means is the affair of governance and access; here are only the fields that their events repeat.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from interlayer.audit.chain import Fault
from interlayer.audit.ledger import body_of
from interlayer.storage.items import ItemStore, Key, Span
from interlayer.storage.streaming import stream
from interlayer.text.budget import compact_json

_PAGE: Final = 200
_OF_KEYS: Final = ("agent", "user", "roles", "teams", "expires_at")
_OF_WAIVERS: Final = ("rule", "until", "scope", "reason")

Found = dict[str, Fault]
"""Faults by the name of the item, as `interlayer.audit.state` has it, or of what stands in one."""


@dataclass(slots=True)
class GovernanceState:
    """What the events of governance come to."""

    published: dict[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])
    """Revision -> detail of the event that published it."""
    waivers: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Those granted and not ended, with their rule."""
    keys: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    revoked: set[str] = field(default_factory=set[str])

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        kind, subject, detail = event.get("type"), str(event.get("subject")), event.get("detail")
        if not isinstance(detail, dict):
            return
        if kind == "policy.published" and isinstance(detail.get("revision"), int) and "set_hash" in detail:
            self.published[detail["revision"]] = detail
        elif kind == "policy.waived":
            self.waivers[str(detail.get("waiver"))] = {**detail, "rule": subject}
        elif kind == "policy.waiver_ended":
            self.waivers.pop(str(detail.get("waiver")), None)
        elif kind == "access.created":
            self.keys[subject] = detail
        elif kind == "access.revoked":
            self.revoked.add(subject)

    async def compare(self, store: ItemStore, organization: str, now: str) -> tuple[Found, int]:
        """Return what is not as its events say, and how many things were compared."""
        found: Found = {}
        compared = await self._keys(store, organization, found)
        if self.published:
            await self._head(store, organization, now, found)
            compared += await self._sets(store, organization, found)
        return found, compared

    async def _keys(self, store: ItemStore, organization: str, found: Found) -> int:
        left = set(self.keys)
        async for item in stream(store, "governance", f"{organization}#access"):
            key_id, body = item.key.sort, body_of(item)
            left.discard(key_id)
            created = self.keys.get(key_id)
            problem = "it was put there, and no event has created it" if created is None else ""
            if created is not None:
                differs = [name for name in _OF_KEYS if name in created and _differs(body.get(name), created[name])]
                problem = f"its {', '.join(differs)} are not those that it was created with" if differs else ""
                if not problem and bool(body.get("revoked_at")) != (key_id in self.revoked):
                    is_revoked = key_id in self.revoked
                    problem = "an event has revoked it, and it is in force" if is_revoked else "no event has revoked it"
            if problem:
                found[f"access/{key_id}"] = Fault("key", key_id, "forged" if created is None else "changed", problem)
        for key_id in left:
            found[f"access/{key_id}"] = Fault("key", key_id, "missing", "an event has created it, and it is not there")
        return len(self.keys)

    async def _head(self, store: ItemStore, organization: str, now: str, found: Found) -> None:
        item = await store.get(Key("governance", f"{organization}#policies", "head"))
        newest = max(self.published)
        if item is None:
            found["policies/head"] = Fault("policy set", "head", "missing", f"revision {newest} was published")
            return
        body, said = body_of(item), self.published[newest]
        if any(body.get(name) != said.get(name) for name in ("revision", "set_hash")):
            told = f"revision {newest} was published last, and {body.get('revision')} is in force, or another set"
            found["policies/head"] = Fault("policy set", "head", "changed", told)
        held = {str(one.get("id")): one for one in _objects(body.get("waivers"))}
        for waiver_id, waiver in held.items():
            granted = self.waivers.get(waiver_id)
            if granted is None:
                found[f"waiver/{waiver_id}"] = Fault(
                    "waiver", waiver_id, "forged", "it exempts, and no event has granted it, or one has ended it"
                )
            elif any(_differs(waiver.get(name), granted.get(name)) for name in _OF_WAIVERS):
                found[f"waiver/{waiver_id}"] = Fault("waiver", waiver_id, "changed", "it is not as it was granted")
        for waiver_id, granted in self.waivers.items():
            if waiver_id not in held and str(granted.get("until")) > now:
                told = "it was granted and not ended, and exempts nobody"
                found[f"waiver/{waiver_id}"] = Fault("waiver", waiver_id, "missing", told)

    async def _sets(self, store: ItemStore, organization: str, found: Found) -> int:
        """Look at each set that was published, and at the text of each version that one has."""
        texts: dict[tuple[str, int], str] = {}
        partition = f"{organization}#policies"
        for revision, said in self.published.items():
            name = f"set#{revision:08d}"
            item = await store.get(Key("governance", partition, name))
            if item is None:
                found[f"policies/{name}"] = Fault("policy set", name, "missing", f"revision {revision} was published")
                continue
            if body_of(item).get("set_hash") != said.get("set_hash"):
                told = f"it is not the set that revision {revision} was published with"
                found[f"policies/{name}"] = Fault("policy set", name, "changed", told)
            entries = [
                entry
                async for part in stream(store, "governance", partition, Span.prefix(f"part#{revision:08d}#"))
                for entry in _objects(body_of(part).get("policies"))
            ]
            if _set_hash(entries) != said.get("set_hash"):
                told = f"its entries are not those that revision {revision} was published with"
                found[f"policies/entries/{revision}"] = Fault("policy set", f"part#{revision:08d}", "changed", told)
                continue
            for entry in entries:
                if isinstance(version := entry.get("version"), int):
                    texts[str(entry.get("id")), version] = str(entry.get("sha256"))
        await self._texts(store, organization, texts, found)
        return len(self.published) + len(texts)

    async def _texts(
        self, store: ItemStore, organization: str, texts: Mapping[tuple[str, int], str], found: Found
    ) -> None:
        places = {
            Key("governance", f"{organization}#policy#{policy.strip().casefold()}", f"v{version:06d}"): (
                policy,
                version,
            )
            for policy, version in texts
        }
        listed = list(places)
        for first in range(0, len(listed), _PAGE):
            page = listed[first : first + _PAGE]
            items = await store.get_many(page)
            for place in page:
                policy, version = places[place]
                item = items.get(place)
                text = body_of(item).get("text") if item else None
                name = f"{policy} v{version}"
                if item is None:
                    found[f"policy/{name}"] = Fault("policy", name, "missing", "a published set has it")
                elif hashlib.sha256(str(text).encode(errors="surrogatepass")).hexdigest() != texts[policy, version]:
                    found[f"policy/{name}"] = Fault(
                        "policy", name, "changed", "its text is not the one that was published"
                    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _differs(stored: Any, said: Any) -> bool:
    """Whether a stored value is another one than an event says; where there is nothing, nothing has to be."""
    return (stored or None) != (said or None)


def _set_hash(entries: Sequence[Mapping[str, Any]]) -> str:
    told = [[entry.get("id"), entry.get("sha256")] for entry in entries]
    return hashlib.sha256(compact_json(told).encode()).hexdigest()
