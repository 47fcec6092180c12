"""Whatever fails, an agent gets every rule in scope or is told to take no action; never fewer rules, in silence."""

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta, tzinfo
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faulty import FaultyEmbedder, FaultyEntities, FaultyStore, SetClock
from interlayer.audit.trail import Trail
from interlayer.errors import Corrupt, InterlayerError, InvalidInput, Unavailable
from interlayer.models.embedder import EmbeddingModel, OneModel
from interlayer.models.local import LocalEmbedder
from interlayer.models.scale import REFERENCE
from interlayer.principal import Principal
from interlayer.storage.items import Key
from interlayer.storage.sqlite.items import SqliteItems
from interlayer_policies.governance import Facets, Governance, PolicyFile
from interlayer_policies.publication import receipts
from interlayer_policies.publication import snapshot_cache as library

ME = Principal("acme", "outbound-1")
EMBEDDER = LocalEmbedder()
pytestmark = pytest.mark.anyio

RULE = "---\nid: {0}\ndescription: d\nscope: {1}\nrules: [Always think of {0}.]\n---\n# {0}\n"
REFUNDS = "## Refunds\nCheck the invoice of the order before the refund is paid out.\n"
TASK = "Refund an order by its invoice"
STUCK_S = 60  # far beyond any deadline, on a busy machine too
REFUSED = "Take no externally visible or irreversible action"
FIRST = (RULE.format("a", "{}") + REFUNDS, RULE.format("b", "{when: {stage: [open]}}"))
SECOND = (*FIRST, RULE.format("c", "{}"))


def files(*texts: str) -> list[PolicyFile]:
    return [PolicyFile(f"p{number}.md", text) for number, text in enumerate(texts)]


def refs(answer: Any) -> list[str]:
    return [f"{rule.policy_id}#{rule.rule_id}" for rule in answer.rules]


class Place:
    """A home on a real SQLite file, and a running server on it whose surroundings fail when told to."""

    def __init__(self, folder: Path, stale: float = 300) -> None:
        self.path = folder / "items.db"
        self.clock = SetClock()
        self.disk = SqliteItems(self.path)
        self.store = FaultyStore(self.disk)
        self.embedder = FaultyEmbedder(EMBEDDER)
        self.entities = FaultyEntities()
        self.stale = timedelta(seconds=stale)
        self.running = self.start()

    def start(self) -> Governance:
        """Return a service that has seen nothing yet."""
        trail = Trail(self.store, self.clock)
        models = OneModel(EmbeddingModel(self.embedder, REFERENCE))
        return Governance(self.store, trail, models, self.entities, self.clock, stale_max=self.stale)

    async def publish(self, *texts: str, **options: Any) -> int:
        """Publish from another process, which nothing hinders."""
        models = OneModel(EmbeddingModel(EMBEDDER, REFERENCE))
        other = Governance(self.disk, Trail(self.disk, self.clock), models, FaultyEntities(), self.clock)
        return (await other.publish(ME, files(*texts), reason="test", **options)).revision

    async def context(self, governance: Governance | None = None, **facets: Any) -> Any:
        return await (governance or self.running).context(ME, TASK, Facets(**facets))

    def damage(self, partition: str, sort: str, change: Callable[[Any], Any]) -> None:
        """Change an item behind everybody's back; None removes it."""
        with sqlite3.connect(self.path) as file:
            where = (f"acme#{partition}", sort)
            [row] = file.execute("SELECT body FROM items WHERE partition = ? AND sort = ?", where).fetchall()
            body = change(json.loads(row[0]))
            if body is None:
                file.execute("DELETE FROM items WHERE partition = ? AND sort = ?", where)
            else:
                text = body if isinstance(body, str) else json.dumps(body)
                file.execute("UPDATE items SET body = ? WHERE partition = ? AND sort = ?", (text, *where))
        file.close()


@pytest.fixture
async def place(tmp_path: Path) -> Any:
    place = Place(tmp_path)
    yield place
    await place.disk.close()


async def refused(call: Any) -> str:
    with pytest.raises(InterlayerError) as raised:
        await call
    assert REFUSED in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("seconds", [300, 20])
async def test_the_last_good_set_serves_up_to_the_limit_and_then_no_more(tmp_path: Path, seconds: int) -> None:
    place = Place(tmp_path, seconds)
    await place.publish(*FIRST)
    await place.context()
    place.store.away = {"read", "write"}
    place.clock.advance(milliseconds=seconds * 1_000 - 1)
    stale = await place.context()
    assert (refs(stale), stale.degraded) == (["a#R1", "b#R1"], ("store",))
    assert (await place.running.check(ME, "A draft", Facets())).degraded == ("store",)
    place.clock.advance(milliseconds=1)
    await refused(place.context())
    await refused(place.running.check(ME, "A draft", Facets()))
    place.store.away = set()
    assert (await place.context()).degraded == ()
    await place.disk.close()


async def test_a_limit_of_nothing_refuses_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path, 0)
    await place.publish(*FIRST)
    assert (await place.context()).degraded == ()
    place.store.away = {"read"}
    await refused(place.context())
    await place.disk.close()


async def test_a_clock_that_is_set_back_does_not_stretch_the_limit(place: Place) -> None:
    await place.publish(*FIRST)
    await place.context()
    place.store.away = {"read"}
    place.clock.advance(days=-1)
    await refused(place.context())


async def test_a_start_without_the_store_refuses(place: Place) -> None:
    await place.publish(*FIRST)
    place.store.away = {"read"}
    await refused(place.context(place.start()))
    await refused(place.start().check(ME, "A draft", Facets()))


async def test_a_store_that_does_not_answer_is_a_store_that_is_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.publish(*FIRST)
    await place.context()
    place.store.hangs = True  # from here on, so that no deadline is short for what answers
    monkeypatch.setattr(library, "HEAD_DEADLINE_S", 0.01)
    monkeypatch.setattr(receipts, "DEADLINE_S", 0.01)
    stale = await place.context()
    assert (refs(stale), stale.degraded) == (["a#R1", "b#R1"], ("store",))
    await refused(place.context(place.start()))


DAMAGES: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "no such set": ("policies", "set#00000002", lambda _: None),
    "no entries": ("policies", "part#00000002#000", lambda _: None),
    "entries of another set": ("policies", "part#00000002#000", lambda body: {"policies": body["policies"][:1]}),
    "entries of no shape": ("policies", "part#00000002#000", lambda _: {"policies": [{"id": "a"}]}),
    "a set of no shape": ("policies", "set#00000002", lambda body: body | {"parts": "one"}),
    "a set with another hash": ("policies", "set#00000002", lambda body: body | {"set_hash": "0" * 64}),
    "a head with another hash": ("policies", "head", lambda body: body | {"set_hash": "0" * 64}),
    "a head of no shape": ("policies", "head", lambda body: {"at": body["at"]}),
    "a head that is no JSON": ("policies", "head", lambda _: '{"revision": 2'),
    "no such version": ("policy#c", "v000001", lambda _: None),
    "another text": ("policy#c", "v000001", lambda body: body | {"text": body["text"].replace("Always", "Never")}),
    "another text and hash": ("policy#c", "v000001", lambda body: body | {"text": "x", "sha256": "0" * 64}),
    "a version of no shape": ("policy#c", "v000001", lambda _: {"text": "x"}),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_set_is_never_served_in_part(place: Place, damage: str) -> None:
    await place.publish(*FIRST)
    before = await place.context()
    await place.publish(*SECOND)
    place.damage(*DAMAGES[damage])
    kept = await place.context()
    assert (refs(kept), kept.revision, kept.degraded) == (refs(before), 1, ("set",))
    await refused(place.context(place.start()))
    await refused(place.start().check(ME, "A draft", Facets()))
    place.clock.advance(seconds=300)
    await refused(place.context())


@pytest.mark.parametrize("damage", [name for name in DAMAGES if not name.startswith("a head")])
async def test_a_damaged_set_is_mended_by_publishing_or_rolling_back_with_the_glass_broken(
    place: Place, damage: str
) -> None:
    await place.publish(*FIRST)
    await place.publish(*SECOND)
    place.damage(*DAMAGES[damage])
    with pytest.raises(Corrupt, match="--break-glass"):
        await place.publish(*SECOND)
    assert await place.publish(*SECOND, break_glass=True) == 3
    fresh = place.start()
    assert refs(await place.context(fresh)) == ["a#R1", "b#R1", "c#R1"]
    assert (await fresh.history(ME))[0].break_glass
    await fresh.rollback(ME, 1, reason="back")
    assert refs(await place.context()) == ["a#R1", "b#R1"]


async def test_a_set_that_is_damaged_after_it_was_read_stays_in_force_where_it_was(place: Place) -> None:
    await place.publish(*FIRST)
    await place.publish(*SECOND)
    await place.context()
    place.damage("policy#c", "v000001", lambda _: None)
    assert (await place.context()).degraded == ()
    await refused(place.context(place.start()))


async def test_a_version_no_program_can_parse_any_more_is_a_damaged_set(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.publish(*FIRST)
    await place.context()
    await place.publish(*SECOND)
    parse = library.parse

    def older_program(file: PolicyFile, zone: tzinfo) -> Any:
        broken = PolicyFile(file.path, file.text.replace("rules:", "laws:")) if "id: c" in file.text else file
        return parse(broken, zone)

    monkeypatch.setattr(library, "parse", older_program)
    kept = await place.context()
    assert (refs(kept), kept.degraded) == (["a#R1", "b#R1"], ("set",))
    assert "laws" in await refused(place.context(place.start()))


async def test_a_restored_backup_is_obeyed_though_its_revision_is_the_same_or_lower(place: Place) -> None:
    await place.publish(*FIRST)
    backup = place.path.with_suffix(".backup")
    with sqlite3.connect(backup) as copy, sqlite3.connect(place.path) as file:
        file.backup(copy)
    await place.publish(*SECOND)
    assert len((await place.context()).rules) == 3
    with sqlite3.connect(backup) as copy, sqlite3.connect(place.path) as file:
        copy.backup(file)
    assert refs(await place.context()) == ["a#R1", "b#R1"]
    await place.publish(*FIRST, RULE.format("d", "{}"))
    assert refs(await place.context()) == ["a#R1", "b#R1", "d#R1"]


def instead(new: Any, _body: Any) -> Any:
    return new


def with_waivers(waivers: Any, body: dict[str, Any]) -> dict[str, Any]:
    return body | {"waivers": waivers}


async def waive_a(place: Place) -> None:
    until = place.clock() + timedelta(days=1)
    await place.running.stewardship.waive(ME, "a#R1", {}, until, "launch")


async def test_a_waiver_that_cannot_be_read_exempts_nobody_and_is_said_to_be_so(place: Place) -> None:
    await place.publish(*FIRST)
    await waive_a(place)
    assert refs(await place.context()) == ["b#R1"]
    head = Key("governance", "acme#policies", "head")
    item = await place.disk.get(head)
    assert item
    [waiver] = item.body["waivers"]
    for unread in (
        [{name: value for name, value in waiver.items() if name != "scope"}],
        [waiver | {"until": "some day"}],
        [waiver | {"scope": {"channel": "*"}}],
        *("all", 7, None),
    ):
        place.damage("policies", "head", partial(with_waivers, unread))
        for governance in (place.running, place.start()):
            got = await place.context(governance)
            assert (refs(got), got.degraded) == (["a#R1", "b#R1"], ("waivers",))
            assert (await governance.check(ME, "A draft", Facets())).degraded == ("waivers",)
    await waive_a(place)
    assert (await place.context()).degraded == ()


@pytest.mark.parametrize("fault", ["away", "late"])
async def test_a_set_loaded_while_the_embedder_is_away_delivers_every_rule(
    place: Place, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "SECTIONS_DEADLINE_S", 0.01)
    await place.publish(*FIRST)
    setattr(place.embedder, fault, True)
    got = await place.context()
    assert (refs(got), got.degraded) == (["a#R1", "b#R1"], ("vector",))
    assert [section.section_id for section in got.sections] == ["refunds"]
    assert (await place.running.check(ME, "A draft", Facets())).degraded == ()
    setattr(place.embedder, fault, False)
    place.clock.advance(seconds=6)
    with anyio.fail_after(STUCK_S):
        while (await place.context()).degraded:  # noqa: ASYNC110 - nothing tells of what comes late
            await anyio.sleep(0.01)


async def test_nobody_waits_while_another_call_fetches_the_vectors(place: Place) -> None:
    await place.publish(*FIRST)
    place.embedder.away = True
    await place.context()
    place.embedder.away, place.embedder.late = False, True
    place.clock.advance(seconds=6)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.context)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(STUCK_S):
            assert len((await place.context()).rules) == 2
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("away", ["write", "audit"])
async def test_nothing_is_delivered_without_a_receipt(place: Place, away: str) -> None:
    await place.publish(*FIRST)
    await place.context()
    place.store.away = {away}
    assert "No receipt" in await refused(place.context())
    await refused(place.running.check(ME, "A draft", Facets()))


async def test_a_damaged_key_of_the_receipts_refuses(place: Place) -> None:
    await place.publish(*FIRST)
    await place.context()
    for body in ({"key": "no key"}, {"key": 7}, {}):
        place.damage("policies", "receipt-key", partial(instead, body))
        assert "receipts" in await refused(place.context(place.start()))


async def test_receipts_of_an_outage_wait_and_are_kept_in_order(place: Place) -> None:
    await place.publish(*FIRST)
    await place.context()
    place.store.away = {"read", "write"}
    told = [(await place.context()).receipt_id for _ in range(3)]
    place.store.away = set()
    await place.running.settle()
    page = await place.disk.query("audit", f"acme#receipts#{place.clock():%Y%m%d%H}")
    assert set(told) <= {item.key.sort for item in page.items}


async def test_so_many_receipts_may_wait_and_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "_WAITING_MAX", 2)
    await place.publish(*FIRST)
    await place.context()
    place.store.away = {"read", "write"}
    await place.context()
    await place.context()
    await refused(place.context())


@pytest.mark.parametrize("fault", [Unavailable, Corrupt])
async def test_without_memory_what_depends_on_it_is_taken_as_in_scope(
    place: Place, fault: type[Unavailable | Corrupt]
) -> None:
    await place.publish(*FIRST, RULE.format("d", "{when: {stage: [closed]}}"))
    assert refs(await place.context(entity="deal:1")) == ["a#R1", "b#R1"]
    place.entities.fault = fault
    got = await place.context(entity="deal:1")
    assert (refs(got), got.degraded, got.assumed) == (["a#R1", "b#R1", "d#R1"], ("memory",), ("entity.stage",))
    assert (await place.running.check(ME, "A draft", Facets(entity="deal:1"))).degraded == ("memory",)


FAULTS = st.fixed_dictionaries(
    {
        "away": st.sets(st.sampled_from(["read", "write", "audit", "governance"])),
        "embedder": st.sampled_from(["", "away", "late"]),
        "memory": st.sampled_from([None, Unavailable, Corrupt]),
        "damage": st.sampled_from([None, *DAMAGES]),
        "waivers": st.booleans(),
        "cold": st.booleans(),
        "seconds": st.sampled_from([0, 299, 300, -400]),
    }
)


@given(FAULTS)
@settings(max_examples=60)
def test_whatever_fails_every_rule_in_scope_is_delivered_or_the_call_refused(faults: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(library, "SECTIONS_DEADLINE_S", 0.01)
        anyio.run(_under, faults, Place(Path(folder)))


async def _under(faults: dict[str, Any], place: Place) -> None:
    await place.publish(*FIRST)
    await place.context()
    await place.publish(*SECOND)
    if faults["damage"]:
        place.damage(*DAMAGES[faults["damage"]])
    elif faults["waivers"]:
        place.damage("policies", "head", partial(with_waivers, [{"rule": "a#R1", "scope": {}}]))
    place.store.away = faults["away"]
    place.embedder.away, place.embedder.late = faults["embedder"] == "away", faults["embedder"] == "late"
    place.entities.fault = faults["memory"]
    place.clock.advance(seconds=faults["seconds"])
    governance = place.start() if faults["cold"] else place.running
    read = not faults["away"] & {"read", "governance"}
    sound = read and not faults["damage"]
    fresh = sound and not faults["away"]
    for call in (governance.context, governance.check):
        try:
            got: Any = await call(ME, "A task or a draft", Facets(entity="deal:1"))
        except InvalidInput:
            raise
        except InterlayerError as error:
            assert REFUSED in str(error)
            assert not fresh, "nothing that matters has failed"
            continue
        assert not faults["cold"] or sound, "a cold start has nothing to fall back on"
        assert sound or 0 <= faults["seconds"] < 300, "the limit has passed"
        known = {"a#R1", "b#R1", "c#R1"} if sound else {"a#R1", "b#R1"}
        delivered = set(refs(got)) if hasattr(got, "rules") else set(got.not_checked)
        assert delivered == known
        expected = {"store"} if not read else {"set"} if not sound else set()
        assert expected <= set(got.degraded)
        assert not faults["memory"] or "memory" in got.degraded
        assert call != governance.context or not faults["embedder"] or "vector" in got.degraded
    await place.disk.close()
