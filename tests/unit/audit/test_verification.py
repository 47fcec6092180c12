"""Verifying: whatever a forger does to events, segments or receipts is named; what is in order is not."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_rooms import DETAIL, ME, AuditRoom, Forger
from interlayer.answers import as_json
from interlayer.audit.merkle import merkle_root
from interlayer.audit.queries import ReceiptFilter
from interlayer.audit.reader import Checkpoint, Report, read_checkpoints
from interlayer.audit.segments import segment_digest
from interlayer.audit.trail import Event, event_hash
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.principal import Principal
from interlayer.storage.items import Key, Put

pytestmark = pytest.mark.anyio

HOURS = "acme#receipts#"
NEWEST = f"{HOURS}2026061515"
PICK = st.tuples(*[st.integers(0, 10_000)] * 3)
FIELDS = ["at", "agent", "task_hmac", "revision", "rules", "facets", "kind", "expires_at"]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Original:
    """A trail that is in order: events and receipts of four hours, sealed, and the checkpoint of its head."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = Checkpoint("acme", 0, "", "")

    async def make(self) -> None:
        room = AuditRoom(self.path)
        for hour in range(4):
            await room.event(revision=hour, reason="Grüße, “quoted” \u2028 \x7f")
            await room.deliver(5, task=f"ä {hour}")
            room.advance(seconds=20)
            await room.seal()
            await room.deliver(3)
            room.advance(hours=1)
            await room.seal()
        room.advance(days=2)
        await room.seal()
        assert not (await room.verify()).faults
        self.head = await room.audit.checkpoint(ME)
        self.now = room.now
        await room.close()

    async def after(self, forger: Forger, *checkpoints: Checkpoint) -> Report:
        room = AuditRoom(forger.done(), now=self.now)
        try:
            return await room.verify(*checkpoints)
        finally:
            await room.close()


@pytest.fixture(scope="module")
async def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    original = Original(tmp_path_factory.mktemp("trail") / "items.db")
    await original.make()
    return original


@pytest.fixture
def forger(original: Original, tmp_path: Path) -> Forger:
    return Forger(original.path, tmp_path / "forged.db")


def named(report: Report, what: str) -> dict[str, str]:
    return {fault.name: fault.problem for fault in report.faults if fault.what == what}


def rehash(body: dict[str, Any]) -> None:
    body["hash"] = event_hash(body)


async def test_a_trail_in_order_is_found_so(original: Original, forger: Forger) -> None:
    report = await original.after(forger, original.head)
    assert (report.events, report.segments, report.receipts) == (original.head.number, 8, 32)
    assert (report.faults, report.checkpoints, report.head) == ([], 1, original.head.hash)


async def test_a_trail_in_order_has_nothing_to_do_with_checkpoints_of_others(
    original: Original, forger: Forger
) -> None:
    report = await original.after(forger, Checkpoint("globex", 1, "0" * 64, ""))
    assert (report.faults, report.checkpoints) == ([], 0)


@pytest.mark.parametrize("way", ["change", "replace", "delete", "swap", "shift", "insert", "append", "truncate"])
@given(pick=PICK)
@settings(max_examples=20)
async def test_any_forged_event_is_named(
    original: Original, tmp_path_factory: Any, way: str, pick: tuple[int, int, int]
) -> None:
    forger = Forger(original.path, tmp_path_factory.mktemp("e") / "f.db")
    names = forge_event(forger, way, *pick)
    report = await original.after(forger, original.head)
    found = {*named(report, "event").items(), *named(report, "checkpoint").items()}
    assert found >= names, [str(fault) for fault in report.faults]


def forge_event(forger: Forger, way: str, one: int, other: int, third: int) -> set[tuple[str, str]]:
    """Forge an event in some way; return what is to be named, and how."""
    places = forger.places("acme#chain")
    end = len(places)
    number = one % end + 1
    place = places[number - 1]
    second = places[(number + other % (end - 1)) % end]
    if way == "swap":
        forger.swap(place, second)
        return {(str(number), "reordered"), (str(int(second[1])), "reordered")}
    if way in {"shift", "insert", "append", "truncate"}:
        return forge_order(forger, way, number)
    if way == "delete":
        forger.delete(place)
        return {(str(number), "missing")}
    body = forger.read(place)
    if way == "change":
        forger.write(place, body | {sorted(body)[third % len(body)]: "else"})
        return {(str(number), "changed")}
    body["actor"] = "nobody"
    forger.write(place, body | {"hash": event_hash(body)})
    return {(str(number), "replaced" if number < end else "differs")}


def forge_order(forger: Forger, way: str, number: int) -> set[tuple[str, str]]:
    """Put events where none were, or cut them off; return what is to be named, and how."""
    places = forger.places("acme#chain")
    end = len(places)
    place = places[number - 1]
    if way == "shift":  # everything from here on one further, and the gap filled
        for later in reversed(places[number - 1 :]):
            forger.write((later[0], f"{int(later[1]) + 1:012d}"), forger.read(later))
        return {(str(number + 1), "reordered")}
    if way == "insert":
        forger.write((place[0], f"{place[1]}5"), forger.read(place))
        return {(f"{place[1]}5", "forged")}
    if way == "append":
        forger.write((place[0], f"{end + 1:012d}"), forger.read(place))
        return {(str(end + 1), "reordered")}
    forger.delete(*places[number - 1 :])
    return {(str(number) if number == end else f"{number}-{end}", "missing")}


@pytest.mark.parametrize("way", ["change", "drop", "delete", "hide", "swap", "move", "insert"])
@given(pick=PICK)
@settings(max_examples=20)
async def test_any_forged_receipt_is_named(
    original: Original, tmp_path_factory: Any, way: str, pick: tuple[int, int, int]
) -> None:
    forger = Forger(original.path, tmp_path_factory.mktemp("r") / "f.db")
    names = forge_receipt(forger, way, *pick)
    report = await original.after(forger)
    found = [(fault.name, fault.problem) for fault in report.faults if fault.what == "receipt"]
    assert set(found) >= names
    assert len(report.faults) == len(found) <= 2, "nothing else is blamed"


def forge_receipt(forger: Forger, way: str, one: int, other: int, third: int) -> set[tuple[str, str]]:
    """Forge a receipt in some way; return what is to be named, and how."""
    places = forger.places(HOURS)
    place = places[one % len(places)]
    second = places[(one + 1 + other % (len(places) - 1)) % len(places)]
    body = forger.read(place)
    field = FIELDS[third % len(FIELDS)]
    if way == "swap":
        forger.swap(place, second)
        return {(place[1], "changed"), (second[1], "changed")}
    if way == "insert":
        name = f"{place[1][:-1]}{'0' if place[1][-1] != '0' else '1'}"
        forger.write((place[0], name), body)
        return {(name, "unsealed")} if place[0] < NEWEST else set()
    if way in {"delete", "move"}:
        forger.delete(place)
        if way == "move":
            forger.write((f"{HOURS}2026061511", place[1]), body)
    elif way == "hide":
        forger.hide(place)
    else:
        del body[field]
        forger.write(place, body | ({field: 7} if way == "change" else {}))
        return {(place[1], "changed")}
    return {(place[1], "missing")}


@pytest.mark.parametrize("way", ["change", "leaf", "order", "cut", "delete", "swap"])
@given(pick=PICK)
@settings(max_examples=20)
async def test_any_forged_segment_is_named(
    original: Original, tmp_path_factory: Any, way: str, pick: tuple[int, int, int]
) -> None:
    forger = Forger(original.path, tmp_path_factory.mktemp("s") / "f.db")
    names = forge_segment(forger, way, *pick)
    report = await original.after(forger)
    assert {fault.name: fault.problem for fault in report.faults} == names, "and no event or receipt is blamed"


def forge_segment(forger: Forger, way: str, one: int, other: int, third: int) -> dict[str, str]:
    """Forge a segment in some way; return what is to be named, and how."""
    places = forger.places("acme#segments")
    place = places[one % len(places)]
    second = places[(one + 1 + other % (len(places) - 1)) % len(places)]
    body = forger.read(place)
    leaves = body["leaves"]
    if way == "delete":
        forger.delete(place)
        return {place[1]: "missing"}
    if way == "swap":
        forger.swap(place, second)
        return {place[1]: "changed", second[1]: "changed"}
    if way == "change":
        body[sorted(body)[third % len(body)]] = 0
    elif way == "leaf":
        leaves[other % len(leaves)][third % 3] = "0" * 64
    elif way == "order":
        leaves.reverse()
    else:
        leaves.pop(other % len(leaves))
    forger.write(place, body)
    return {place[1]: "changed"}


@pytest.mark.parametrize("body", [[], "x", 5, None, {}, {"at": "\ud800"}, {"leaves": [[]], "detail": 1, "number": []}])
@pytest.mark.parametrize("place", [0, -1])
async def test_what_is_no_such_thing_at_all_is_named(original: Original, forger: Forger, body: Any, place: int) -> None:
    event, receipt, segment = (forger.places(partition)[place] for partition in ("acme#chain", HOURS, "acme#segments"))
    forger.write(event, body)
    forger.write(receipt, body)
    forger.write(segment, body)
    report = await original.after(forger)
    assert named(report, "event")[str(int(event[1]))] == "changed"
    assert not report.checkpoints
    assert segment[1] in named(report, "segment")


@pytest.mark.parametrize(
    ("forged", "segment"), [(1, ""), (2, ""), (1, "0000000000-x"), (1, "9999999999-x"), (2, "none")]
)
async def test_receipts_are_looked_at_though_the_first_events_tell_no_time(
    original: Original, forger: Forger, forged: int, segment: str
) -> None:
    first, *_ = forger.places("acme#segments")
    if segment:
        forger.write((first[0], segment), {})
    for place in forger.places("acme#chain")[:forged]:
        forger.write(place, forger.read(place) | {"at": "once"})
    report = await original.after(forger)
    assert "1" in named(report, "event")
    assert report.receipts + report.unchecked == 4 * 8


async def test_a_chain_written_anew_is_found_by_its_checkpoint_alone(original: Original, forger: Forger) -> None:
    previous = "0" * 64
    for place in forger.places("acme#chain"):
        body = forger.read(place) | {"actor": "nobody", "previous": previous}
        rehash(body)
        forger.write(place, body)
        previous = body["hash"]
    copy = Forger(forger.done(), forger.path.with_suffix(".copy"))
    assert (await original.after(Forger(forger.path, forger.path.with_suffix(".first")))).faults == []
    assert named(await original.after(copy, original.head), "checkpoint") == {str(original.head.number): "differs"}


async def test_newest_events_cut_off_are_found_by_the_checkpoint(original: Original, forger: Forger) -> None:
    places = forger.places("acme#chain")
    forger.delete(*places[1:])
    report = await original.after(forger, original.head)
    assert named(report, "event") == {f"2-{original.head.number}": "missing"}


@pytest.mark.parametrize("hour", ["2026061512", "2026061514", "2026061523", "1999010100", "2099010100"])
async def test_a_segment_that_no_event_has_sealed_is_named(original: Original, forger: Forger, hour: str) -> None:
    place = forger.places("acme#segments")[0]
    forger.write((place[0], f"{hour}-000009"), forger.read(place))
    forger.write((place[0], f"{hour}-x"), forger.read(place))
    report = await original.after(forger)
    assert named(report, "segment") == {f"{hour}-000009": "forged", f"{hour}-x": "forged"}
    assert len(report.faults) == 2


async def test_a_receipt_sealed_twice_in_due_form_is_named(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db")
    await room.event()
    made = await room.deliver(2)
    room.advance(hours=2)
    await room.seal()
    (segment,) = await room.segments()
    body: dict[str, Any] = {**segment.body, "segment": "2026061512-000002", "sequence": 2}
    detail = {"segment": body["segment"], "count": 2, "root": body["root"], "sha256": segment_digest(body)}
    put = Put(Key("audit", segment.key.partition, body["segment"]), body)
    await room.trail.commit(ME, Event("receipts.sealed", body["segment"], detail), [put])
    assert {fault.name: fault.problem for fault in (await room.verify()).faults} == dict.fromkeys(made, "doubled")
    await room.close()


async def test_a_segment_taken_in_with_a_root_that_is_not_its_own_is_named(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db")
    await room.event()
    await room.deliver(2)
    for number, wrong in enumerate([{"root": "0" * 64}, {"count": 3}, {"first": "rc_0"}, {"leaves": []}], start=1):
        name = f"2026061512-{number:06d}"
        leaves = [["rc_1", "0" * 64, None], ["rc_2", "1" * 64, None]]
        root = merkle_root([str(leaf) for _, leaf, _ in leaves])
        body = {"count": 2, "root": root, "first": "rc_1", "last": "rc_2", "leaves": leaves} | wrong
        detail = {"segment": name, "count": 2, "root": root, "sha256": segment_digest(body)}
        put = Put(Key("audit", "acme#segments", name), body)
        await room.trail.commit(ME, Event("receipts.sealed", name, detail), [put])
        assert named(await room.verify(), "segment")[name] == "forged"
    await room.close()


async def test_a_segment_taken_in_by_two_events_is_named(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db")
    await room.event()
    await room.deliver(2)
    room.advance(seconds=11)
    await room.seal()
    detail = (await room.events())[-1]["detail"]
    await room.event("receipts.sealed", **detail)
    (fault,) = (await room.verify()).faults
    assert (fault.name, fault.problem) == (detail["segment"], "doubled")
    await room.close()


async def test_expired_receipts_are_counted_and_those_removed_before_are_missing(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db", days=180)
    await room.event()
    made = await room.deliver(3)
    room.advance(hours=2)
    await room.seal()
    await room.close()
    forger = Forger(room.path, tmp_path / "f.db")
    forger.delete((f"{HOURS}2026061512", made[1]))
    cut = AuditRoom(forger.done(), now=room.now)
    (fault,) = (await cut.verify()).faults
    assert (fault.name, fault.problem) == (made[1], "missing")
    assert "2026-12-12" in fault.detail
    cut.advance(days=180)
    report = await cut.verify()
    assert (report.receipts, report.expired, report.faults) == (0, 3, [])
    await cut.close()


async def test_receipts_made_under_another_retention_keep_their_own_end(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db", days=None)
    await room.event()
    await room.deliver(2)
    shorter = AuditRoom(room.path, 180, room.now)
    await shorter.deliver(2)
    room.advance(days=200)
    await room.seal()
    report = await room.verify()
    assert (report.receipts, report.expired, report.faults) == (2, 0, []), "what expired unsealed leaves no trace"
    await shorter.store.close()
    await room.close()


async def test_what_an_agent_had_been_told_of_a_policy_at_a_time(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db")
    other = Principal("acme", "support-2")
    await room.event()
    (first,) = await room.deliver(rules=["discounts#R1@1", "tone#R1@1"])
    between = room.now
    room.advance(days=3)
    (second,) = await room.deliver(rules=["discounts#R1@2"], sections=["discounts#why@2"])
    (third,) = await room.deliver(rules=["tone#R1@2"])
    await room.deliver(who=other, rules=["discounts#R1@2"])
    await room.receipts.write(ME, "check", "text", DETAIL)

    async def told(policy: str | None = None, at: datetime | None = None) -> list[tuple[str, list[str], list[str]]]:
        sought = ReceiptFilter(agent=ME.agent, policy=policy, until=at, kinds=["context"] if at else [])
        found = await room.audit.receipts(ME, sought)
        return [(one.id, one.body["rules"], one.body["sections"]) for one in found]

    assert await told(policy="discounts", at=between) == [(first, ["discounts#R1@1"], [])]
    assert (await told(policy="discounts", at=room.now))[0] == (second, ["discounts#R1@2"], ["discounts#why@2"])
    assert [one[0] for one in await told(at=room.now)] == [third, second, first]
    assert await told(policy="discount", at=room.now) == []
    assert len(await told()) == 4
    assert len(await room.audit.receipts(ME, limit=2)) == 2
    await room.close()


async def test_a_checkpoint_is_refused_off_the_chain_of_the_earlier_one(original: Original, forger: Forger) -> None:
    wrong = Checkpoint("acme", 2, "f" * 64, "2026-06-15T12:00:00Z")
    foreign = Checkpoint("globex", 2, "f" * 64, "2026-06-15T12:00:00Z")
    room = AuditRoom(forger.done(), now=original.now)
    assert (await room.audit.checkpoint(ME, [wrong, original.head, foreign])).hash == original.head.hash
    with pytest.raises(Refused, match="does not go on"):
        await room.audit.checkpoint(ME, [original.head, wrong])
    assert not (await room.verify(foreign)).faults
    await room.close()


async def test_the_trail_is_for_auditors_and_operators(tmp_path: Path) -> None:
    room = AuditRoom(tmp_path / "items.db")
    reader = Principal("acme", "bot", frozenset({"reader", "writer", "steward"}))
    with pytest.raises(Refused, match="auditor"):
        await room.audit.newest(reader, 1)
    with pytest.raises(Refused, match="auditor"):
        await room.audit.verify(reader)
    with pytest.raises(NotFound, match="INTERLAYER_ORG"):
        await room.verify()
    await room.close()


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"organization":"acme","number":"1","hash":"","at":""}'])
def test_a_damaged_anchor_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    good = json.dumps(as_json(Checkpoint("acme", 1, "a", "b")))
    (tmp_path / "anchor").write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="anchor:3"):
        read_checkpoints(tmp_path / "anchor")
    (tmp_path / "anchor").write_text(good, encoding="utf-8")
    with pytest.raises(InvalidInput, match="globex"):
        read_checkpoints(tmp_path / "anchor", "globex")
