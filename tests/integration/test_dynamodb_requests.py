"""How many requests a call makes of DynamoDB, counted on the wire: each costs money and a round trip."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from emulators import REGION, Emulator
from faulty_proxy import FaultyProxy, faulty_proxy
from interlayer.answers import as_json
from interlayer.app.composition import Parts, build
from interlayer.app.settings import load
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest, RelationCandidate
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables
from interlayer_policies.governance import Facets

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
READ = ["Query", "Query"]  # who bears the key; log, head and incoming relations of the entity


@pytest.fixture
def proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Generator[FaultyProxy]:
    for name, value in emulator.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    with faulty_proxy(emulator.url) as running:
        yield running


@pytest.fixture
async def parts(proxy: FaultyProxy, tmp_path: Path) -> AsyncGenerator[Parts]:
    await create_tables(Place("counted", REGION, proxy.url), Wish(), lambda _: None)
    opened = build(_settings(tmp_path, proxy, f"org{uuid4().hex[:12]}"))
    await opened.prepare()
    yield opened
    await opened.close()


def _settings(home: Path, proxy: FaultyProxy, organization: str) -> Any:
    url = f"dynamodb://counted?region={REGION}&endpoint_url={proxy.url}"
    return load({"HOME": str(home), "STORE": url, "ORG": organization}, {"INTERLAYER_CONFIG": "/nowhere"})


def ten_facts(number: int = 0) -> list[FactCandidate]:
    words = "pumps valves pipes seals motors gears filters hoses tanks meters".split()
    return [FactCandidate(f"Acme sold {number + 40 + n} {word} in May.", 0.9) for n, word in enumerate(words)]


def counted(proxy: FaultyProxy) -> list[str]:
    """Return the requests but for the record of the embedding spaces, read once a second whatever is asked."""
    names = zip(proxy.names(), [one.body for one in proxy.exchanges], strict=True)
    return [name for name, body in names if not (name == "GetItem" and b'"S": "space"' in body)]


async def memorize(parts: Parts, entity: str = ACME, **request: Any) -> dict[str, Any]:
    asked = MemorizeRequest(entity=entity, **request)
    return as_json(await parts.memory.memorizer.memorize(parts.settings.principal, asked))


async def recall(parts: Parts, entity: str = ACME, **request: Any) -> dict[str, Any]:
    asked = RecallRequest(entity=entity, **request)
    return as_json(await parts.memory.recaller.recall(parts.settings.principal, asked))


async def test_memorizing_ten_facts_takes_no_more_than_six_requests(parts: Parts, proxy: FaultyProxy) -> None:
    organization = parts.settings.principal.organization
    await memorize(parts, entity="company:other.example", facts=ten_facts())  # makes the key of receipts, once
    proxy.forget()
    await memorize(parts, facts=ten_facts())
    await parts.memory.projector.drain(organization)
    assert len(counted(proxy)) <= 6, counted(proxy)
    proxy.forget()
    again = await memorize(parts, facts=ten_facts(100), idempotency_key="k")
    assert {one["outcome"] for one in again["facts"]} == {"added"}
    assert counted(proxy) == ["GetItem", "GetItem", *READ, "TransactWriteItems"]
    proxy.forget()
    await memorize(parts, content="Acme sold 900 cranes in June. It employs 40 people.", identifiers={"crm_id": "7"})
    # one looks for whom the content names, one asks which model reads content; that answer holds for a second
    wanted = ["Query", "BatchGetItem", "Query", "BatchGetItem", "GetItem", "GetItem", "TransactWriteItems"]
    assert counted(proxy) == wanted


async def test_recalling_an_entity_takes_two_requests(parts: Parts, proxy: FaultyProxy, tmp_path: Path) -> None:
    await memorize(parts, facts=ten_facts(), name="Acme Ltd")
    other = build(_settings(tmp_path / "other", proxy, parts.settings.principal.organization))
    try:
        for reader, entity in ((parts, ACME), (other, ACME), (other, "company:Acme Ltd")):
            proxy.forget()
            assert len((await recall(reader, entity))["facts"]) == 10
            assert counted(proxy) == READ
        await memorize(parts, facts=ten_facts(100))
        proxy.forget()
        assert len((await recall(other, query="how many sold in May?"))["facts"]) == 20
        assert counted(proxy) == READ  # what others have added comes with it
    finally:
        await other.close()


async def test_relations_take_one_request_more_however_many_there_are(parts: Parts, proxy: FaultyProxy) -> None:
    await memorize(
        parts, facts=ten_facts(), relations=[RelationCandidate("partner_of", f"company:p{n}.example") for n in range(5)]
    )
    for number in range(5):
        await memorize(parts, f"contact:c{number}@acme.example", relations=[RelationCandidate("works_at", ACME)])
    proxy.forget()
    assert len((await recall(parts, max_tokens=8_000))["relations"]) == 10
    assert counted(proxy) == [*READ, "BatchGetItem"]
    proxy.forget()
    await recall(parts, include=("properties", "facts"))
    assert counted(proxy) == READ


async def test_neighbours_take_a_request_more_and_one_for_each_log_that_is_not_held(
    parts: Parts, proxy: FaultyProxy, tmp_path: Path
) -> None:
    await memorize(parts, facts=ten_facts())
    for number in range(20):
        works = [RelationCandidate("works_at", ACME)]
        await memorize(parts, f"contact:c{number}@acme.example", facts=ten_facts(), relations=works)
    proxy.forget()
    told = await recall(parts, follow=["*"], query="how many sold in May?", max_tokens=8_000)
    assert (len(told["neighbours"]), {len(one["facts"]) for one in told["neighbours"]}) == (20, {3})
    assert counted(proxy) == [*READ, "BatchGetItem"]
    other = build(_settings(tmp_path / "other", proxy, parts.settings.principal.organization))
    try:
        proxy.forget()
        assert len((await recall(other, follow=["*"], include=("properties",)))["neighbours"]) == 20
        assert counted(proxy) == [*READ, "BatchGetItem"]
        proxy.forget()
        await recall(other, follow=["*"], max_tokens=8_000)
        assert counted(proxy) == [*READ, "BatchGetItem", *["Query"] * 20]
    finally:
        await other.close()


async def test_a_path_reads_each_entity_between_two_once(parts: Parts, proxy: FaultyProxy, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        relations = [RelationCandidate("works_at", ACME), RelationCandidate("knows", "contact:zoe@zoo.example")]
        await memorize(parts, f"contact:{name}@acme.example", facts=ten_facts(), relations=relations)
    other = build(_settings(tmp_path / "other", proxy, parts.settings.principal.organization))
    try:
        proxy.forget()
        who = parts.settings.principal
        found = await other.memory.recaller.paths.find(who, "contact:ann@acme.example", "contact:bob@acme.example")
        assert len(found.paths) == 2
        assert len(counted(proxy)) <= 20, counted(proxy)
    finally:
        await other.close()


async def test_governance_of_an_unchanged_set_takes_two_requests(parts: Parts, proxy: FaultyProxy) -> None:
    governance, who = parts.domains.governance, parts.settings.principal
    await governance.context(who, "Write an e-mail.", Facets())
    proxy.forget()
    first = await governance.context(who, "Offer a discount.", Facets(channel="email"))
    assert counted(proxy) == ["GetItem", "TransactWriteItems"]  # the head of the set; the receipt
    proxy.forget()
    assert (await governance.context(who, "Offer a discount.", Facets(channel="email"), if_etag=first.etag)).unchanged
    await governance.check(who, "I can offer you a 30% discount.", Facets())
    assert counted(proxy) == ["GetItem", "TransactWriteItems"] * 2


async def test_doing_nothing_costs_a_few_reads_a_minute(parts: Parts, proxy: FaultyProxy) -> None:
    await parts.sealer.seal(parts.settings.principal)
    proxy.forget()
    await parts.sealer.seal(parts.settings.principal)
    assert len(counted(proxy)) <= 6, counted(proxy)
    await parts.domains.governance.published(parts.settings.principal)
    proxy.forget()
    await parts.memory.projector.drain(parts.settings.principal.organization)
    await parts.domains.governance.published(parts.settings.principal)
    assert counted(proxy) == ["Query", "GetItem"]


async def test_an_interaction_of_five_entities_takes_no_more_than_twelve_requests(
    parts: Parts, proxy: FaultyProxy, tmp_path: Path
) -> None:
    organization = parts.settings.principal.organization
    await memorize(parts, name="Acme Pumps", facts=ten_facts())
    mail = (
        "From: Ann Lee <ann.lee@acme.example>\nTo: Bob Ray <bob.ray@acme.example>\nSubject: Deal D-7\n\n"
        "Hi Bob,\nwe need 40 seats from May. Carla Diaz, our head of IT, runs the rollout. "
        "Deal D-7 closes on 3 March. Globex GmbH offered us less.\nAnn Lee\n"
    )
    others = [FactCandidate("Globex offered less.", 0.9, about="company:globex.example")]
    others.append(FactCandidate("Bob signs the contract.", 0.9, about="contact:bob.ray@acme.example"))
    proxy.forget()
    first = await memorize(parts, ACME, content=mail, facts=others, idempotency_key="mail 1")
    assert len(first["also"]) >= 4, [one["entity"]["name"] for one in first["also"]]
    # For each of the four that are new, one looks for whom it may be confused with.
    assert len(counted(proxy)) <= 14, counted(proxy)
    size = sum(len(one.body) for one in proxy.exchanges)
    assert size < 60_000, "of what is sent for an e-mail"
    other = build(_settings(tmp_path / "other", proxy, organization))
    try:
        for reader, most in ((parts, 12), (other, 16)):  # who knows all of them, and who has yet to read five logs
            proxy.forget()
            again = await memorize(reader, ACME, content=mail.replace("40 seats", "55 seats"), facts=others, source="b")
            assert len(again["also"]) >= 4
            assert len(counted(proxy)) <= most, counted(proxy)
    finally:
        await other.close()
