"""Every situation in which a tool answers, played to a real server over an MCP session in memory."""

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
from mcp import Client

from faulty import FaultyEmbedder, FaultyEntities
from interlayer.app.mcp_server.notices import PolicyNotices
from interlayer.app.mcp_server.server import InterlayerServer
from interlayer.errors import Unavailable
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.memory.schema.schema import Schema, dump_schema, parse_schema, starter_schema
from interlayer.models.embedder import EmbeddingModel, OneModel
from interlayer.models.scale import REFERENCE
from interlayer.principal import ALL_ROLES, Principal
from interlayer.storage.vectors import VectorIndex
from interlayer_policies.governance import Governance, PolicyFile, starter_files
from interlayer_tools import Domains
from rooms import EMBEDDER, Room, TestClock
from scripted_extractor import SilentExtractor, says
from stores import InMemory

ACME = "company:acme.example"
ANN = "contact:ann@acme.example"
CONTRACT = "Acme's support contract is worth ${},000 a year."
CLASH = """\
---
id: {0}
description: d
scope: {1}
params: {{name: {{value: {0}}}}}
rules:
  - {{id: R1, level: must, key: clash.key, text: "Sign as {{name}}."}}
---
# Clash {0}
"""
TIGHTER = """\
---
id: tighter
description: d
tier: law
scope: {tags: [clash]}
effective: {from: 2026-01-01, until: 2027-01-01}
params: {tone: {value: formal}}
rules:
  - {id: R1, level: must, key: tone.key, text: "Keep to a {tone} tone."}
---
# Tighter

## How formal

Write formally to the authority about the discount.
"""
LOOSER = """\
---
id: looser
description: d
tier: team
scope: {tags: [clash]}
params: {tone: {value: free}}
rules:
  - {id: R1, level: must, key: tone.key, text: "Keep to a {tone} tone."}
---
# Looser
"""

LEVELS = """\
---
id: levels
description: d
scope: {tags: [levels]}
rules:
  - {id: R1, level: must_not, text: Never say one., check: {kind: forbid_terms, terms: [one]}}
  - {id: R2, level: must, text: Do not say two., check: {kind: forbid_terms, terms: [two]}, remedy: Say 2.}
  - {id: R3, level: should_not, text: Rather not say three., check: {kind: forbid_terms, terms: [three]}}
  - {id: R4, level: should, text: Better not say four., check: {kind: forbid_terms, terms: [four]}}
  - {id: R5, level: may, text: You may leave out five., check: {kind: forbid_terms, terms: [five]}}
---
# Levels
"""
OWN_TYPE = """
  ship:
    description: A vessel.
    identifiers: [crm_id]
    properties:
      owner: {type: reference, target: [company], description: Whose it is.}
      length: {type: number, unit: m, description: Over all., update: max, indexed: true}
      call_sign: {type: text, pattern: '[A-Z]{3,7}', description: By radio., sensitivity: restricted}
      ports: {type: list, description: Where it has been., update: append}
"""

_TESTS = re.compile(r"^tests:\n(?:  - .*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """A tool's answer in a situation: structured, and as text."""

    tool: str
    situation: str
    answer: dict[str, Any]
    text: str


@dataclass
class Server:
    """A server on a room and a governance, whose surroundings fail when told to; it keeps what it has answered."""

    room: Room
    client: Client
    embedder: FaultyEmbedder
    entities: FaultyEntities
    told: list[Told] = field(default_factory=list[Told])

    async def call(self, situation: str, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool, which has to answer; keep and return its structured content."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, (situation, tool, result.content)
        assert isinstance(result.structured_content, dict), (situation, tool)
        text = str(getattr(result.content[0], "text", ""))
        self.told.append(Told(tool, situation, result.structured_content, text))
        return result.structured_content


class AwayIndex:
    """An index that answers until it is away."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away and name != "close":
            raise Unavailable("The index is out of reach.")
        return getattr(self._index, name)


@asynccontextmanager
async def serving(
    files: Sequence[PolicyFile] = (), roles: frozenset[str] = ALL_ROLES, **more: Any
) -> AsyncGenerator[Server]:
    """Serve a room in memory, governed by these files, to a caller with these roles; `more` goes to the room."""
    place = InMemory()
    index: Any = AwayIndex(place.index(EMBEDDER.space))
    room = Room(place, index, TestClock(), _schema(), **more)
    embedder, entities = FaultyEmbedder(EMBEDDER), FaultyEntities()
    models = OneModel(EmbeddingModel(embedder, REFERENCE))
    governance = Governance(room.store, room.trail, models, entities, room.clock)
    principal = Principal("acme", "tester", roles=roles)
    if files:
        await governance.publish(principal, files, reason="test")
    domains = Domains(room.memory, governance)

    async def published() -> Mapping[str, object]:
        return {}

    server = InterlayerServer(
        lambda: domains,
        lambda: principal,
        anyio.lowlevel.checkpoint,
        lambda: None,
        PolicyNotices(published),
        governance.facet_values,
    )
    async with Client(server) as client:
        yield Server(room, client, embedder, entities)
    await index.close()
    await room.store.close()


def _schema() -> Schema:
    """Return the starter schema with a type of its own that uses what the others leave out."""
    head, _, rest = dump_schema(starter_schema()).partition("entities:\n")
    return parse_schema(f"{head}entities:{OWN_TYPE}{rest}", "situations")


def _policies() -> list[PolicyFile]:
    """Return the starter policies and others that clash, give way and have every level.

    Beside those the starters' own tests find less room for guidance; they are not what is tested here.
    """
    clashing = {"wide": "{tags: [clash]}", "narrow": "{tags: [clash], channels: [letter]}"}
    own = [*(CLASH.format(*one) for one in clashing.items()), TIGHTER, LOOSER, LEVELS]
    starters = [PolicyFile(one.path, _TESTS.sub("", one.text)) for one in starter_files()]
    return [*starters, *(PolicyFile(f"{number}.md", text) for number, text in enumerate(own))]


async def every_situation() -> list[Told]:
    """Play all situations; return what was answered, in order."""
    told: list[Told] = []
    for play in (_remembering, _recalling, _searching, _governing, _forgetting, _degraded):
        async with serving(_policies() if play is _governing else ()) as server:
            await play(server)
        told += server.told
    for extractor in (SilentExtractor(), says(("Acme sells pumps.", "Acme sells pumps"))):
        async with serving(extractor=extractor) as server:
            await _reading(server)
        told += server.told
    async with serving(erasure_grace=timedelta(days=7)) as server:
        await _taking_back(server)
    told += server.told
    async with serving(roles=frozenset({"reader"})) as server:
        await _withholding(server)
    return told + server.told


async def _interactions(server: Server, secret: dict[str, Any]) -> None:
    """Tell of another company and of people beside the main entity, in all the ways in which that may come out."""
    hull, ann = "company:hull.example", "contact:ann@hull.example"

    async def tell(situation: str, day: str, facts: list[str], size: dict[str, Any], **more: Any) -> None:
        told = [{"text": text, "about": hull} for text in facts] + [{"text": f"Acme met Hull on {day}."}]
        values = [{"name": "employees", "about": hull, **size}]
        await server.call(situation, "memorize", entity=ACME, facts=told, properties=values, observed_at=day, **more)

    works = {"type": "works_at", "source": ann}
    await tell("an interaction", "2026-01-05", ["The headquarters of Hull is in Bonn."], {"value": 40})
    await tell(
        "again, in a later one",
        "2026-01-06",
        ["The headquarters of Hull is in Bonn."],
        {"value": 40},
        relations=[{**works, "target": hull}, {"type": "sits_beside", "source": hull, "target": ACME}],
    )
    moved = ["The headquarters of Hull moved to Oslo.", secret["text"]]
    await tell("changed", "2026-02-05", moved, {"value": 55}, relations=[{**works, "target": ACME}])
    await tell("told too late", "2025-02-05", ["Hull sells ropes."], {"value": 30})
    await tell("turned down", "2026-02-06", ["Hull sells sails."], {"value": "many"})
    await tell("taken back", "2026-02-07", ["Hull sells oars."], {"remove": True})
    back = [{"type": "works_at", "target": hull}]
    await server.call("back at work", "memorize", entity=ann, relations=back, observed_at="2026-02-27")


async def _remembering(server: Server) -> None:
    call = server.call
    secret = {"text": "The key is AKIAQWERTYUIOPASDFGH."}
    facts = [{"text": "The headquarters of Acme moved to Berlin."}, secret, {"text": "Acme sells pumps."}]
    size = {"name": "employees", "value": 40}
    first: dict[str, Any] = {
        "entity": ACME,
        "name": "Acme",
        "facts": facts,
        "properties": [size, {"name": "no_such", "value": "1"}],
        "relations": [{"type": "partner_of", "target": "company:globex.example"}],
        "observed_at": "2026-01-05",
        "source": "call 1",
        "idempotency_key": "k1",
    }
    await call("first", "memorize", **first)
    await call("replayed", "memorize", **first)
    await call(
        "confirmed and merged", "memorize", entity=ACME, facts=facts, properties=[size], observed_at="2026-01-06"
    )
    await call(
        "updated and superseded",
        "memorize",
        entity=ACME,
        facts=[{"text": "The headquarters of Acme moved to Oslo."}],
        properties=[{"name": "employees", "value": 55}],
        observed_at="2026-02-05",
    )
    await call(
        "kept and late",
        "memorize",
        entity=ACME,
        facts=[{"text": "The headquarters of Acme moved to Bonn."}],
        properties=[{"name": "employees", "value": 30}],
        observed_at="2025-02-05",
    )
    given = [{"text": "Acme sells pumps.", "ended": True}, {"text": "Acme sells valves.", "replaces": "the menu"}]
    await call("ended, and replacing what is not known", "memorize", entity=ACME, facts=given)
    for situation in ("all turned down, known", "all turned down, replayed"):
        await call(situation, "memorize", entity=ACME, facts=[secret], idempotency_key="k2")
    nobody = "company:nobody.example"
    wrong = [{"name": "employees", "value": "many"}, {"name": "no_such", "value": ["a", "b"]}]
    await call("all turned down, unknown", "memorize", entity=nobody, facts=[secret], properties=wrong)
    bad = [{"text": f"{secret['text']} {n}"} for n in range(100)]
    await call("long answer, all turned down", "memorize", entity=nobody, facts=bad)
    await _interactions(server, secret)
    for one in ("a", "b"):  # two of one name
        await call(
            "of one name",
            "memorize",
            entity=f"contact:{one}@acme.example",
            name="Kim Berg",
            facts=[{"text": "Kim reads."}],
        )
    await call("who is meant", "memorize", entity=ACME, content="Acme met Kim Berg in Oslo.")
    await call("content alone", "memorize", entity=ACME, content="Acme sells pumps. Industry: machinery. Acme is old.")
    await call("money and enum", "memorize", entity="deal:D-1", properties=_deal())
    await call("identifiers", "memorize", entity="company:globex.example", identifiers={"vat_id": "DE123456789"})
    await call("conflict", "memorize", entity=ACME, identifiers={"vat_id": "DE123456789"})
    many = " ".join(f"Berth {n} was dredged on pier {n * 7} by the crew of captain {n}." for n in range(120))
    await call("long answer", "memorize", entity="company:harbour.example", content=many)


def _deal() -> list[dict[str, Any]]:
    return [{"name": "amount", "value": "120000 EUR"}, {"name": "stage", "value": "negotiation"}]


async def _recalling(server: Server) -> None:
    call = server.call
    facts = [{"text": "Acme opened a plant in Lyon."}, {"text": "Acme has 40 employees."}]
    relations = [{"type": "partner_of", "target": "company:globex.example"}]
    properties = [{"name": "employees", "value": 40}, {"name": "industry", "value": "machinery"}]
    await call("told", "memorize", entity=ACME, name="Acme", content="Acme sells pumps.", facts=facts, source="call 1")
    await call(
        "told",
        "memorize",
        entity=ACME,
        facts=[{"text": "Acme has 55 employees."}],
        properties=properties,
        relations=relations,
    )
    await call("told", "memorize", entity="company:globex.example", name="Globex", facts=[{"text": "Globex is Dutch."}])
    works = [{"type": "works_at", "target": ACME}]
    title = [{"name": "job_title", "value": "Head of pumps"}]
    await call(
        "told", "memorize", entity=ANN, name="Ann", facts=[{"text": "Ann skis."}], properties=title, relations=works
    )
    await call("neighbours", "recall_entity", entity=ACME, follow=["*"], query="who is in charge of pumps?")
    await call("neighbours, no room", "recall_entity", entity=ACME, follow=["*"], max_tokens=300)
    everything = ["properties", "facts", "relations", "sources", "history"]
    await call("plain", "recall_entity", entity=ACME)
    await call("query", "recall_entity", entity=ACME, query="where is the plant?")
    await call("everything", "recall_entity", entity=ACME, include=everything)
    await call("everything asked", "recall_entity", entity=ACME, query="employees", include=everything)
    await call("incoming", "recall_entity", entity="company:globex.example")
    await call("by name", "recall_entity", entity="company:Acme")
    first = await call("limit", "recall_entity", entity=ACME, limit=1)
    await call("next page", "recall_entity", entity=ACME, limit=1, cursor=first["next_cursor"])
    await call("budget", "recall_entity", entity=ACME, max_tokens=200, include=everything)
    ports = [{"name": "ports", "value": [f"Port of call number {n}" for n in range(40)]}]
    await call("told", "memorize", entity="ship:S-1", properties=ports, facts=[{"text": "The ship is red."}])
    await call("least budget", "recall_entity", entity="ship:S-1", max_tokens=100, include=everything)
    await call("only facts", "recall_entity", entity=ACME, include=["facts"])
    await call("confident", "recall_entity", entity=ACME, min_confidence=0.99)
    await call("past", "recall_entity", entity=ACME, as_of="2026-03-01T09:00:30Z", query="employees")
    await call("before all", "recall_entity", entity=ACME, as_of="2020-01-01")
    moved = [{"text": f"The headquarters of Acme moved to {town}."} for town in ("Berlin", "Oslo")]
    for number, fact in enumerate(moved):
        await call("told", "memorize", entity=ACME, facts=[fact], observed_at=f"2026-02-0{number + 1}")
    await call("superseded", "recall_entity", entity=ACME, include=["facts", "history"])
    early = [{"text": "Acme uses Okta for single sign-on."}, {"text": CONTRACT.format(50)}]
    await call("told", "memorize", entity=ACME, facts=early, observed_at="2026-02-03")
    near = [{"text": "Acme now uses Entra for single sign-on."}, {"text": "Acme opened a new plant in Lyon."}]
    contract = {"text": CONTRACT.format(60), "replaces": CONTRACT.format(50)}
    await call("near to what is known", "memorize", entity=ACME, facts=[*near, contract])
    await call("probably replaced, and alike", "recall_entity", entity=ACME, include=["facts"])
    gone = [{"name": "industry", "remove": True}]
    await call("told", "memorize", entity=ACME, properties=gone)
    await call("replaced, and removed", "recall_entity", entity=ACME, include=["facts", "history"])
    await call("known then", "recall_entity", entity=ACME, known_at="2026-03-01T09:00:30Z", as_of="2026-02-04")
    await call("unknown", "recall_entity", entity="company:acne.example")
    await call("unknown of another kind", "recall_entity", entity="deal:D-404")
    await call(
        "told long ago", "memorize", entity="deal:D-2", facts=[{"text": "The deal began."}], observed_at="2024-01-01"
    )
    await call("filled in later", "recall_entity", entity="deal:D-2", as_of="2024-06-01")


async def _searching(server: Server) -> None:
    call = server.call
    await call("nothing there", "search_memory", query="pumps")
    await call("nothing there", "list_entities", entity_type="company")
    for number in range(12):
        await call(
            "told",
            "memorize",
            entity=f"company:c{number}.example",
            name=f"Company {number}",
            facts=[{"text": f"Company {number} sells pumps of size {number}."}],
            properties=[{"name": "industry", "value": "pumps" if number % 2 else "valves"}],
            source=f"call {number}",
        )
    buys = [{"type": "buys_from", "target": "company:c3.example"}]
    await call("told", "memorize", entity=ANN, name="Ann", facts=[{"text": "Ann buys pumps."}], relations=buys)
    industry = {"property": "industry", "op": "eq", "value": "pumps"}
    await call("all", "search_memory", query="who sells pumps?")
    await call("related", "search_memory", query="who sells pumps to Ann?")
    await call("related", "list_entities", entity_type="company", related_to=ANN, relation="buys_from")
    await call("of a type", "search_memory", query="pumps", entity_type="contact")
    await call("filtered", "search_memory", query="pumps", entity_type="company", where=[industry])
    none = {**industry, "value": "boats"}
    await call("filtered to nothing", "search_memory", query="pumps", entity_type="company", where=[none])
    first = await call("limit", "search_memory", query="pumps", limit=2)
    await call("next page", "search_memory", query="pumps", limit=2, cursor=first["next_cursor"])
    await call("budget", "search_memory", query="pumps", max_tokens=200)
    await call("all", "list_entities", entity_type="company")
    await call("filtered", "list_entities", entity_type="company", where=[industry])
    await call("filtered to nothing", "list_entities", entity_type="company", where=[none])
    page = await call("limit", "list_entities", entity_type="company", limit=5)
    await call("next page", "list_entities", entity_type="company", limit=5, cursor=page["next_cursor"])
    await call("filtered, limit", "list_entities", entity_type="company", where=[industry], limit=2)
    await call("starter and own", "describe_schema")


async def _governing(server: Server) -> None:
    call = server.call
    task = "Write an e-mail that offers a prospect 30% discount."
    first = await call("plain", "get_governance_context", task=task)
    await call("facets", "get_governance_context", task=task, channel="email", audience="prospect", region="EU")
    await call("unchanged", "get_governance_context", task=task, if_etag=first["etag"])
    held = [one["etag"] for one in (*first["policies"], *first["sections"])]
    await call("held", "get_governance_context", task=task, have=held)
    await call("small budget", "get_governance_context", task=task, max_tokens=900)
    await call("exceeded budget", "get_governance_context", task=task, max_tokens=50)
    await call("conflicts", "get_governance_context", task=task, tags=["clash"])
    await call("entity", "get_governance_context", task=task, entity="deal:D-1")
    await call("every level", "check_compliance", text="one two three four five", tags=["levels"])
    await call("every level", "get_governance_context", task=task, tags=["levels"])
    draft = "We can give you 45% off, guaranteed. Call 206 555 0100 or pay with 4111 1111 1111 1111."
    await call("violations", "check_compliance", text=draft, channel="email")
    doubtful = 'We cannot offer 30% off. You wrote "we need 40% off". Uptime was 99.9% and the discount is 5%.'
    await call("doubtful", "check_compliance", text=doubtful, channel="email", audience="customer")
    await call("compliant", "check_compliance", text="Thank you for your call.", channel="email", audience="customer")
    await call("very many violations", "check_compliance", text=draft * 60, channel="email")
    await call("entity", "check_compliance", text="Hello.", entity="deal:D-1")
    server.entities.fault = Unavailable
    await call("memory away", "get_governance_context", task=task, entity="deal:D-1")
    await call("memory away", "check_compliance", text="Hello.", entity="deal:D-1")
    server.embedder.away = True
    await call("model away", "get_governance_context", task="Answer a question about our roadmap")


async def _forgetting(server: Server) -> None:
    call = server.call
    facts = [{"text": "Acme opened a plant in Lyon."}, {"text": "Acme sells pumps."}, {"text": "Acme is Danish."}]
    employees = [{"name": "employees", "value": 40}]
    relations = [{"type": "partner_of", "target": "company:globex.example"}]
    told = await call("told", "memorize", entity=ACME, facts=facts, properties=employees, relations=relations)
    more = await call("told", "memorize", entity=ACME, content="Acme was founded in 1950. It is based in Oslo.")
    await call("told", "memorize", entity=ACME, facts=[{"text": "Acme has a fleet."}], idempotency_key="k1")
    await call("told", "memorize", entity="company:globex.example", facts=[{"text": "Globex buys from acme.example."}])
    await call("a fact", "forget", fact_id=told["facts"][0]["fact_id"], reason="asked for")
    await call("a memory", "forget", memory_id=more["memory_id"], reason="asked for")
    server.room.index.away = True  # pyright: ignore[reportAttributeAccessIssue]
    await call("a fact, index away", "forget", fact_id=told["facts"][1]["fact_id"], reason="asked for")
    server.room.index.away = False  # pyright: ignore[reportAttributeAccessIssue]
    await call("an entity", "forget", entity=ACME, reason="asked for")


async def _taking_back(server: Server) -> None:
    await server.call("told", "memorize", entity=ACME, facts=[{"text": "Acme sells pumps."}])
    await server.call("with grace", "forget", entity=ACME, reason="mistake", reference="T-1")


async def _withholding(server: Server) -> None:
    sign = [PropertyCandidate("call_sign", "DABC", 0.9)]
    await server.room.memorize("ship:S-1", facts=[FactCandidate("The ship is red.", 0.9)], properties=sign)
    await server.call("withheld", "recall_entity", entity="ship:S-1")
    await server.call("withheld", "search_memory", query="a red ship")
    await server.call("withheld", "list_entities", entity_type="ship")


async def _degraded(server: Server) -> None:
    call = server.call
    facts = [{"text": f"Berth {n} was dredged."} for n in range(5)]
    await call("told", "memorize", entity=ACME, facts=facts)
    space = await server.room.spaces.of("acme")
    away = FaultyEmbedder(space.embedder)
    away.away = True
    degraded = replace(space, embedder=away)
    of = server.room.spaces.of

    async def without_model(organization: str = "") -> Any:
        assert organization
        return degraded

    server.room.spaces.of = without_model
    await call("model away", "memorize", entity=ACME, facts=[{"text": "The crane Goliath lifts 900 tons."}])
    await call("model away", "recall_entity", entity=ACME, query="berth 3")
    await call("model away", "search_memory", query="berth 3")
    server.room.spaces.of = of
    server.room.clock.now += timedelta(seconds=60)
    server.room.index.away = True  # pyright: ignore[reportAttributeAccessIssue]
    await call("index away", "memorize", entity=ACME, facts=[{"text": "The yard builds ferries."}])
    await call("index away", "recall_entity", entity=ACME, query="ferries")
    await call("index away", "search_memory", query="ferries")
    note = server.room.store.note

    async def full(put: Any) -> None:
        raise Unavailable(f"The disk is full; no {put.body['kind']} is noted.")

    server.room.store.note = full
    await call("no receipt", "list_entities", entity_type="company")
    server.room.store.note = note


async def _reading(server: Server) -> None:
    call = server.call
    await call("content", "memorize", entity=ACME, content="Acme sells pumps. Acme is based in Oslo.", name="Acme")
    await call("content", "recall_entity", entity=ACME, include=["facts", "sources"])


def recorded(told: list[Told]) -> str:
    """Return answers as lines of JSON, the order of keys kept."""
    return "".join(json.dumps([one.tool, one.situation, one.answer], ensure_ascii=False) + "\n" for one in told)
