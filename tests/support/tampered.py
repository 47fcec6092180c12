"""An organization that has done everything that leaves a trace, and forty ways to tamper with its store."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from interlayer.app.composition import Parts
from interlayer.audit.trail import event_hash
from interlayer.memory.requests import RecallRequest, RelationCandidate, SearchRequest
from interlayer.principal import Principal
from interlayer_policies.governance import Facets, PolicyFile
from organizations import POLICY, PassingClock, context, memorize, publish

LEGAL = """---
id: legal
title: Legal
approvers: [law]
rules:
  - {{id: R1, level: must, text: {text}}}
---
# Legal
"""


@dataclass
class Traces:
    """What the organization has done, by name."""

    ids: dict[str, str] = field(default_factory=dict[str, str])

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


async def busy_year(parts: Parts, clock: PassingClock) -> Traces:
    """Let an organization do everything that leaves a trace; return the ids of what it did."""
    done = Traces()
    await _govern(parts, clock, done)
    await _remember(parts, done)
    who = parts.settings.principal
    await context(parts, channel="email")
    await parts.domains.governance.check(who, "a draft", Facets(channel="email"))
    bot = Principal("acme", "bot", user="mia")
    await parts.memory.recall(bot, RecallRequest(entity="contact:ann@acme.example", query="pumps"))
    await parts.memory.search(bot, SearchRequest(query="pumps"))
    clock.now += timedelta(minutes=1)
    await parts.sealer.seal(who)
    clock.now += timedelta(hours=3)
    await context(parts, channel="phone")
    clock.now += timedelta(minutes=1)
    await parts.sealer.seal(who)
    return done


async def _govern(parts: Parts, clock: PassingClock, done: Traces) -> None:
    who, governance = parts.settings.principal, parts.domains.governance
    await publish(parts, "alpha", "beta")
    done.ids["revision"] = str(await publish(parts, "alpha", "gamma"))
    until = clock.now + timedelta(days=30)
    waive = governance.stewardship.waive
    done.ids["waiver"] = (await waive(who, "gamma#R1", {"channels": ["email"]}, until, "a trade fair")).id
    ended = await waive(who, "alpha#R1", {}, until, "a mistake")
    done.ids["ended waiver"] = ended.id
    await governance.stewardship.end_waiver(who, ended.id, "it was one")
    files = [PolicyFile(f"{word}.md", POLICY.format(id=word, word=word)) for word in ("alpha", "gamma")]
    law = PolicyFile("legal.md", LEGAL.format(text="Obey the law."))
    proposed = await governance.publish(who, [*files, law], reason="law")
    if proposed.proposal:
        done.ids["proposal"] = proposed.proposal.id
    for name, roles in (("key", ["reader"]), ("revoked key", ["writer"])):
        made, _ = await parts.access.create(who, f"agent of {name}", roles)
        done.ids[name] = made.id
    await parts.access.revoke(who, done["revoked key"], "lost")
    await parts.models.choose(who, "none", None)


async def _remember(parts: Parts, done: Traces) -> None:
    who, memory = parts.settings.principal, parts.memory
    ann = await memorize(
        parts,
        "contact:ann@acme.example",
        "Ann sells pumps.",
        content="Ann Quill keeps a submarine in Oslo. She likes tea.",
        properties={"job_title": "captain"},
        relations=[RelationCandidate("works_at", "company:acme.example")],
    )
    more = await memorize(parts, "contact:ann@acme.example", "Ann moved to Bergen.", "Ann plays chess.")
    done.ids |= {"memory": ann["memory_id"], "ref": ann["entity"]["ref"], "second": more["memory_id"]}
    await memory.forgetter.forget(who, "asked for", fact_id=more["facts"][1]["fact_id"])
    gone = await memorize(parts, "contact:bo@acme.example", "Bo sells valves.", content="Bo is in Rome.")
    done.ids |= {"erased": gone["memory_id"], "erased ref": gone["entity"]["ref"]}
    await memory.forgetter.forget(who, "asked for", entity="contact:bo@acme.example")
    third = await memorize(parts, "contact:ann@acme.example", "Ann has a dog.")
    done.ids["erased memory"] = third["memory_id"]
    await memory.forgetter.forget(who, "asked for", memory_id=third["memory_id"])
    one = await memorize(parts, "company:one.example", "One sells pumps.")
    other = await memorize(parts, "company:other.example", "Other sells valves.", "Other is in Oslo.")
    await memory.merger.merge(who, "company:one.example", "company:other.example", "the same")
    await memorize(parts, "company:one.example", "One sells nozzles.")
    done.ids |= {"merged": other["memory_id"], "kept": one["entity"]["ref"], "merged ref": other["entity"]["ref"]}
    await memorize(parts, "company:three.example", "Three sells pipes.")
    four = (await memorize(parts, "company:four.example", "Four sells pipes too."))["entity"]["ref"]
    await memory.merger.merge(who, "company:three.example", "company:four.example", "the same")
    await memory.merger.split(who, "company:three.example", four, "it was not")
    await memory.merger.merge(who, "company:three.example", "company:four.example", "it was")
    await memory.forgetter.forget(who, "asked for", entity="company:three.example")
    async for entity in memory.reconsideration.entities(who, None):
        await memory.reconsideration.apply(who, entity)


class Intruder:
    """Somebody who holds the file of a store and knows how everything in it is hashed, the key of the HMACs apart."""

    def __init__(self, file: Path, done: Traces) -> None:
        self._file = sqlite3.connect(file, isolation_level=None)
        self.done = done

    def close(self) -> None:
        self._file.close()

    def places(self, table: str, partition: str, sort: str = "%") -> list[tuple[str, str, str]]:
        """Return (table, partition, sort) of the items of partitions and sort keys that are LIKE these."""
        sql = "SELECT tbl, partition, sort FROM items WHERE tbl = ? AND partition LIKE ? AND sort LIKE ? ORDER BY 2, 3"
        return list(self._file.execute(sql, (table, f"acme#{partition}", sort)))

    def read(self, place: tuple[str, str, str]) -> dict[str, Any]:
        sql = "SELECT body FROM items WHERE tbl = ? AND partition = ? AND sort = ?"
        return json.loads(self._file.execute(sql, place).fetchone()[0])

    def write(self, place: tuple[str, str, str], body: Mapping[str, Any]) -> None:
        text = json.dumps(body, ensure_ascii=False).encode()
        self._file.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, 1, ?, NULL)", (*place, text))

    def change(self, place: tuple[str, str, str], **fields: Any) -> None:
        self.write(place, self.read(place) | fields)

    def delete(self, *places: tuple[str, str, str]) -> None:
        for place in places:
            self._file.execute("DELETE FROM items WHERE tbl = ? AND partition = ? AND sort = ?", place)

    def forget_digests(self) -> None:
        """Bring the trail, as long as nothing is sealed, into the form that it had before there were digests."""
        previous = "0" * 64
        for place in self.places("audit", "chain"):
            body = {name: value for name, value in self.read(place).items() if name != "state"}
            body["previous"] = previous
            previous = event_hash(body)
            self.write(place, body | {"hash": previous})
        for place in self.places("audit", "receipts#%"):
            self.write(place, {name: value for name, value in self.read(place).items() if name != "state"})

    # What there is

    def events(self, kind: str = "") -> list[tuple[str, str, str]]:
        return [one for one in self.places("audit", "chain") if kind in self.read(one)["type"]]

    def receipts(self, kind: str) -> list[tuple[str, str, str]]:
        return [one for one in self.places("audit", "receipts#%") if self.read(one)["kind"] == kind]

    def entries(self, ref: str) -> list[tuple[str, str, str]]:
        return self.places("memory", f"e#{ref.replace(':', '#')}", "m#%")

    def head(self, ref: str) -> tuple[str, str, str]:
        return ("memory", f"acme#e#{ref.replace(':', '#')}", "now")

    def entry(self, name: str = "memory", ref: str = "ref") -> tuple[str, str, str]:
        """Return where a memory lies that was named."""
        return next(one for one in self.entries(self.done[ref]) if self.read(one)["id"] == self.done[name])


Way = Callable[[Intruder], str]


@dataclass(frozen=True)
class Tampering:
    """A way to tamper, which returns the name of what is to be found, as what, and how that shows."""

    what: str
    problem: str
    do: Way
    only_with_anchor: bool = False

    @property
    def name(self) -> str:
        return self.do.__name__.removeprefix("_")


TAMPERINGS: list[Tampering] = []


def way(what: str, problem: str, *, only_with_anchor: bool = False) -> Callable[[Way], Way]:
    def added(do: Way) -> Way:
        TAMPERINGS.append(Tampering(what, problem, do, only_with_anchor))
        return do

    return added


# The chain


@way("event", "changed")
def _an_event_says_something_else(it: Intruder) -> str:
    place = it.events("policy.waived")[0]
    it.change(place, actor="somebody else")
    return str(int(place[2]))


@way("event", "replaced")
def _an_event_is_replaced_in_due_form(it: Intruder) -> str:
    place = it.events("access.created")[0]
    body = it.read(place) | {"actor": "somebody else"}
    it.write(place, body | {"hash": event_hash(body)})
    return str(int(place[2]))


@way("event", "missing")
def _an_event_is_removed(it: Intruder) -> str:
    place = it.events("memory.erased")[0]
    it.delete(place)
    return str(int(place[2]))


@way("event", "reordered")
def _two_events_change_places(it: Intruder) -> str:
    one, other = it.events("policy")[0], it.events("access")[0]
    first, second = it.read(one), it.read(other)
    it.write(one, second)
    it.write(other, first)
    return str(int(one[2]))


@way("event", "forged")
def _an_event_stands_where_none_can(it: Intruder) -> str:
    place = it.events()[0]
    it.write((*place[:2], "000000000000"), it.read(place))
    return "000000000000"


@way("event", "missing", only_with_anchor=True)
def _the_newest_event_is_cut_off(it: Intruder) -> str:
    place = it.events("model.chosen")[-1]
    for later in [one for one in it.events() if one[2] >= place[2]]:
        it.delete(later)
    return str(int(place[2]))


@way("checkpoint", "differs", only_with_anchor=True)
def _the_whole_chain_is_written_anew(it: Intruder) -> str:
    previous, name = "0" * 64, ""
    for place in it.events():
        body = it.read(place) | {"previous": previous}
        if body["type"] == "policy.waived":
            body["actor"] = "somebody else"
        previous, name = event_hash(body), str(int(place[2]))
        it.write(place, body | {"hash": previous})
    return name


# Segments and receipts


@way("segment", "changed")
def _a_segment_lists_other_receipts(it: Intruder) -> str:
    place = it.places("audit", "segments")[0]
    body = it.read(place)
    it.write(place, body | {"leaves": body["leaves"][1:], "count": body["count"] - 1})
    return place[2]


@way("segment", "missing")
def _a_segment_is_removed(it: Intruder) -> str:
    place = it.places("audit", "segments")[0]
    it.delete(place)
    return place[2]


@way("segment", "forged")
def _a_segment_that_no_event_has_sealed(it: Intruder) -> str:
    place = it.places("audit", "segments")[0]
    name = f"{place[2][:-1]}9"
    it.write((*place[:2], name), it.read(place) | {"segment": name, "sequence": 9})
    return name


@way("receipt", "changed")
def _a_read_is_put_on_somebody_else(it: Intruder) -> str:
    place = it.receipts("recall")[0]
    it.change(place, agent="sales-1", user="")
    return place[2]


@way("receipt", "changed")
def _a_read_is_said_to_have_shown_less(it: Intruder) -> str:
    place = it.receipts("recall")[0]
    it.change(place, entities=[])
    return place[2]


@way("receipt", "missing")
def _a_read_is_removed_from_the_record(it: Intruder) -> str:
    place = it.receipts("search")[0]
    it.delete(place)
    return place[2]


@way("receipt", "changed")
def _a_delivery_is_said_to_have_named_other_rules(it: Intruder) -> str:
    place = it.receipts("context")[0]
    it.change(place, rules=[])
    return place[2]


@way("receipt", "unsealed")
def _a_receipt_is_put_in_afterwards(it: Intruder) -> str:
    place = it.receipts("context")[0]
    name = f"{place[2][:-1]}{'0' if place[2][-1] != '0' else '1'}"
    it.write((*place[:2], name), it.read(place) | {"agent": "sales-1"})
    return name


@way("receipt", "missing")
def _a_receipt_is_moved_to_another_hour(it: Intruder) -> str:
    place = it.receipts("check")[0]
    body = it.read(place)
    it.delete(place)
    it.write((place[0], f"{place[1][:-1]}{'0' if place[1][-1] != '0' else '1'}", place[2]), body)
    return place[2]


# Policies and waivers


@way("policy", "changed")
def _the_text_of_a_policy_is_rewritten(it: Intruder) -> str:
    (place,) = it.places("governance", "policy#gamma")
    it.change(place, text=it.read(place)["text"].replace("before any", "after any"))
    return "gamma v1"


@way("policy set", "changed")
def _a_policy_is_rewritten_with_all_its_hashes(it: Intruder) -> str:
    import hashlib

    from interlayer.text.budget import compact_json

    (version,) = it.places("governance", "policy#gamma")
    text = it.read(version)["text"].replace("before any", "after any")
    sha = hashlib.sha256(text.encode()).hexdigest()
    it.change(version, text=text, sha256=sha)
    part = it.places("governance", "policies", "part#%")[-1]
    entries = [one | ({"sha256": sha} if one["id"] == "gamma" else {}) for one in it.read(part)["policies"]]
    it.change(part, policies=entries)
    set_hash = hashlib.sha256(compact_json([[one["id"], one["sha256"]] for one in entries]).encode()).hexdigest()
    it.change(it.places("governance", "policies", "set#%")[-1], set_hash=set_hash)
    it.change(("governance", "acme#policies", "head"), set_hash=set_hash)
    return "head"


@way("policy", "missing")
def _a_version_of_a_policy_is_removed(it: Intruder) -> str:
    it.delete(*it.places("governance", "policy#beta"))
    return "beta v1"


@way("policy set", "changed")
def _an_earlier_set_is_put_in_force_again(it: Intruder) -> str:
    earlier = it.read(it.places("governance", "policies", "set#%")[0])
    it.change(("governance", "acme#policies", "head"), revision=earlier["revision"], set_hash=earlier["set_hash"])
    return "head"


@way("policy set", "missing")
def _a_published_set_is_removed(it: Intruder) -> str:
    place = it.places("governance", "policies", "set#%")[0]
    it.delete(place)
    return place[2]


@way("policy set", "forged")
def _a_set_is_put_in_that_nobody_published(it: Intruder) -> str:
    place = it.places("governance", "policies", "set#%")[-1]
    it.write((*place[:2], "set#00000099"), it.read(place) | {"revision": 99})
    return "set#00000099"


@way("policy set", "changed")
def _a_set_is_said_to_be_of_another_author(it: Intruder) -> str:
    place = it.places("governance", "policies", "set#%")[-1]
    it.change(place, author="somebody else")
    return place[2]


@way("policy set", "changed")
def _the_title_of_a_policy_is_changed_in_its_set(it: Intruder) -> str:
    place = it.places("governance", "policies", "part#%")[-1]
    it.change(place, policies=[one | {"title": "Nothing"} for one in it.read(place)["policies"]])
    return place[2]


@way("waiver", "forged")
def _a_waiver_is_forged(it: Intruder) -> str:
    place = ("governance", "acme#policies", "head")
    (granted,) = it.read(place)["waivers"]
    it.change(place, waivers=[granted, granted | {"id": "w_0000000000000000", "rule": "alpha#R1"}])
    return "w_0000000000000000"


@way("waiver", "changed")
def _a_waiver_is_widened(it: Intruder) -> str:
    place = ("governance", "acme#policies", "head")
    (granted,) = it.read(place)["waivers"]
    it.change(place, waivers=[granted | {"scope": {}}])
    return granted["id"]


@way("waiver", "changed")
def _a_waiver_is_prolonged(it: Intruder) -> str:
    place = ("governance", "acme#policies", "head")
    (granted,) = it.read(place)["waivers"]
    it.change(place, waivers=[granted | {"until": "2099-01-01T00:00:00.000000Z"}])
    return granted["id"]


@way("waiver", "missing")
def _a_waiver_is_taken_away(it: Intruder) -> str:
    it.change(("governance", "acme#policies", "head"), waivers=[])
    return it.done["waiver"]


@way("waiver", "forged")
def _an_ended_waiver_is_in_force_again(it: Intruder) -> str:
    place = ("governance", "acme#policies", "head")
    (granted,) = it.read(place)["waivers"]
    it.change(place, waivers=[granted, granted | {"id": it.done["ended waiver"], "rule": "alpha#R1"}])
    return it.done["ended waiver"]


@way("proposal", "changed")
def _a_proposal_is_approved_behind_its_approvers(it: Intruder) -> str:
    (place,) = it.places("governance", "proposals")
    it.change(place, groups=[])
    return place[2]


# Keys of callers


@way("key", "changed")
def _a_key_is_given_more_roles(it: Intruder) -> str:
    place = ("governance", "acme#access", it.done["key"])
    it.change(place, roles=["operator", "reader", "writer"])
    return place[2]


@way("key", "forged")
def _a_key_is_made_behind_the_trail(it: Intruder) -> str:
    place = ("governance", "acme#access", it.done["key"])
    name = f"{place[2][:-1]}{'0' if place[2][-1] != '0' else '1'}"
    it.write((*place[:2], name), it.read(place) | {"id": name})
    return name


@way("key", "changed")
def _a_key_gets_another_secret(it: Intruder) -> str:
    place = ("governance", "acme#access", it.done["key"])
    it.change(place, sha256="0" * 64)
    return place[2]


@way("key", "changed")
def _a_revoked_key_is_in_force_again(it: Intruder) -> str:
    place = ("governance", "acme#access", it.done["revoked key"])
    it.change(place, revoked_at=None)
    return place[2]


@way("key", "missing")
def _a_key_is_removed(it: Intruder) -> str:
    place = ("governance", "acme#access", it.done["key"])
    it.delete(place)
    return place[2]


@way("key", "replaced")
def _the_key_of_the_digests_is_replaced(it: Intruder) -> str:
    it.change(("governance", "acme#policies", "receipt-key"), key="0" * 64)
    return "receipt-key"


# Settings


@way("setting", "changed")
def _the_recorded_schema_is_rewritten(it: Intruder) -> str:
    place = ("memory", "acme#settings", "schema")
    it.change(place, schema=it.read(place)["schema"].replace("job_title", "job_titel"))
    return "schema"


@way("setting", "changed")
def _another_model_reads_the_content(it: Intruder) -> str:
    it.change(("memory", "acme#settings", "model"), models=["openai/gpt-5"], api_base="http://evil.example/v1")
    return "model"


# Memory


@way("memory", "changed")
def _the_words_of_a_fact_are_changed(it: Intruder) -> str:
    place = it.entry("memory")
    body = it.read(place)
    it.write(place, body | {"facts": [one | {"text": "Ann sells submarines."} for one in body["facts"]]})
    return it.done["memory"]


@way("memory", "changed")
def _the_value_of_a_property_is_changed(it: Intruder) -> str:
    place = it.entry("memory")
    body = it.read(place)
    it.write(place, body | {"properties": [one | {"value": "admiral"} for one in body["properties"]]})
    return it.done["memory"]


@way("memory", "changed")
def _a_memory_is_put_on_another_agent(it: Intruder) -> str:
    it.change(it.entry("memory"), agent="somebody else")
    return it.done["memory"]


@way("memory", "forged")
def _a_memory_is_slipped_in(it: Intruder) -> str:
    place = it.entry("memory")
    name = f"{it.done['memory'][:-1]}{'0' if it.done['memory'][-1] != '0' else '1'}"
    it.write((*place[:2], "m#0000000099"), it.read(place) | {"id": name, "revision": 99})
    return name


@way("memory", "missing")
def _a_memory_is_taken_out(it: Intruder) -> str:
    it.delete(it.entry("merged", "merged ref"))
    return it.done["merged"]


@way("memory", "restored")
def _an_erased_memory_is_put_back(it: Intruder) -> str:
    body = it.read(it.entry("memory")) | {"id": it.done["erased memory"], "revision": 77}
    it.write(("memory", f"acme#e#{it.done['ref'].replace(':', '#')}", "m#0000000077"), body)
    return it.done["erased memory"]


@way("memory", "restored")
def _an_erased_entity_is_put_back(it: Intruder) -> str:
    partition = f"acme#e#{it.done['erased ref'].replace(':', '#')}"
    it.write(("memory", partition, "m#0000000001"), it.read(it.entry("memory")) | {"id": it.done["erased"]})
    return it.done["erased"]


@way("entity", "changed")
def _the_head_of_an_entity_shows_another_value(it: Intruder) -> str:
    it.change(it.head(it.done["ref"]), properties={"job_title": "admiral"})
    return it.done["ref"]


@way("entity", "changed")
def _an_entity_is_given_the_identifier_of_another(it: Intruder) -> str:
    it.change(it.head(it.done["ref"]), identifiers={"email": ["ceo@acme.example"]})
    return it.done["ref"]


@way("entity", "missing")
def _the_head_of_an_entity_is_removed(it: Intruder) -> str:
    it.delete(it.head(it.done["kept"]))
    return it.done["kept"]


@way("entity", "changed")
def _a_merge_is_undone_behind_the_trail(it: Intruder) -> str:
    it.change(it.head(it.done["merged ref"]), merged_into=None)
    return it.done["merged ref"]


@way("content", "changed")
def _the_source_of_a_fact_is_rewritten(it: Intruder) -> str:
    (place,) = it.places("memory", f"s#{it.done['memory']}")
    it.change(place, text="Ann Quill is a pirate.")
    return it.done["memory"]


@way("content", "missing")
def _the_source_of_a_fact_is_removed(it: Intruder) -> str:
    it.delete(*it.places("memory", f"s#{it.done['memory']}"))
    return it.done["memory"]


@way("content", "forged")
def _a_source_is_slipped_in(it: Intruder) -> str:
    name = f"{it.done['memory'][:-1]}{'0' if it.done['memory'][-1] != '0' else '1'}"
    it.write(("memory", f"acme#s#{name}", "0000"), {"text": "Ann Quill is a pirate."})
    return name
