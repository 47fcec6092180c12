"""A change of the schema on stored data: what the plan says, what applying does, and what a crash leaves."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failing_items import DyingItems, Killed
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.errors import Conflict, NotFound, Refused, Unavailable
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.memory.migration.migrator import Migrator
from interlayer.memory.migration.plan import SchemaPlan
from interlayer.memory.migration.record import recorded
from interlayer.memory.requests import Condition, PropertyCandidate, SearchRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Put

pytestmark = pytest.mark.anyio

STAGES = {"open": [], "won": [], "lost": []}
DEAL = {
    "stage": {"type": "enum", "values": STAGES, "indexed": True},
    "size": {"type": "text", "indexed": True},
    "note": {"type": "text"},
}
_organizations = itertools.count()


def schema(properties: dict[str, Any], **more: Any) -> Schema:
    return Schema.model_validate({"entities": {"deal": {"properties": properties}, **more}})


def silent(_: int) -> None: ...


def migrator(room: Any, store: Any = None) -> Migrator:
    return Migrator(store or room.store, room.trail, ReceiptBook(store or room.store, room.clock))


async def plan(room: Any, new: Schema) -> SchemaPlan:
    return await migrator(room).plan(room.principal.organization, new, room.schema, silent)


async def apply(room: Any, new: Schema, *, allow_breaking: bool = True) -> Any:
    """Apply, and return a process that was started afterwards."""
    done = await migrator(room).apply(room.principal, new, room.schema, silent, allow_breaking=allow_breaking)
    assert isinstance(done, SchemaPlan)
    after = room.under(new)
    after.principal = room.principal
    await migrator(after).claim(room.principal.organization, new)  # it may start
    await consistent(after)
    return after


async def note(room: Any, entity: str, **values: Any) -> str:
    given = [PropertyCandidate(name, value, 0.9) for name, value in values.items()]
    answer = await room.memorize(entity, properties=given, identifiers={"crm_id": entity})
    ref: str = answer["entity"]["ref"]
    return ref


async def known(room: Any, entity: str) -> dict[str, Any]:
    answer = await room.recall(entity, include=["properties"], max_tokens=8_000)
    return {one["name"]: one["value"] for one in answer["properties"]}


async def matching(room: Any, name: str, value: Any) -> list[str]:
    where = [Condition(name, "eq", value)]
    answer = await room.searcher.list_entities(room.principal, "deal", where, 100, None)
    return [one.name for one in answer.entities]


async def on_record(room: Any) -> Schema:
    found = await recorded(room.store, room.principal.organization)
    assert found
    return found.schema


async def consistent(room: Any, entity_type: str = "deal") -> None:
    """Assert that every head is what its log comes to, and that the indexes hold exactly what the heads say."""
    organization = room.principal.organization
    wanted: set[Any] = set()
    names = {*DEAL, *"abcdefghijklmnopq", *room.schema.stored(entity_type).properties}
    listed = await room.store.query("memory", keys.listing(organization, entity_type, "").partition)
    for item in listed.items:
        entity = f"{entity_type}:{item.key.sort}"
        stored = await room.entities.head(organization, EntityId(entity_type, item.key.sort))
        assert dict(stored.head.properties) == await known(room, entity)
        names |= stored.head.properties.keys()
        for name, value in stored.head.properties.items():
            if room.schema.entities[entity_type].properties[name].indexed:
                wanted.add(keys.index(organization, entity_type, name, value, item.key.sort))
    found: set[Any] = set()
    for name in names:
        page = await room.store.query("memory", keys.index(organization, entity_type, name, "", "").partition)
        found |= {item.key for item in page.items}
    assert found == wanted


@pytest.fixture
async def deals(room: Any) -> Any:
    """Three deals under DEAL, whose schema is on record."""
    made = room.under(schema(DEAL))
    await migrator(made).claim("acme", made.schema)
    await note(made, "deal:D-1", stage="open", size="40", note="first")
    await note(made, "deal:D-2", stage="lost", size="many", note="second")
    await note(made, "deal:D-3", stage="won", note="third")
    await note(made, "deal:D-3", stage="lost")
    await consistent(made)
    return made


async def test_a_rename_keeps_values_history_and_index(deals: Any) -> None:
    new = schema({"phase": DEAL["stage"] | {"was": ["stage"]}, "size": DEAL["size"], "note": DEAL["note"]})
    planned = await plan(deals, new)
    assert [change.effect for change in planned.changes] == ["3 of 3 stored values are shown under the name deal.phase"]
    assert (planned.rewritten, planned.index_written, planned.index_removed) == (3, 3, 3)
    assert await matching(deals, "stage", "open") == ["D-1"]  # a plan writes nothing
    after = await apply(deals, new, allow_breaking=False)
    assert await known(after, "deal:D-1") == {"phase": "open", "size": "40", "note": "first"}
    assert await matching(after, "phase", "lost") == ["D-2", "D-3"]
    history = (await after.recall("deal:D-3", include=["history"]))["history"]
    assert [one["value"] for one in history if one["name"] == "phase"] == ["lost", "won"]
    assert (await plan(after, new)).report().changes == ()


async def test_a_retired_property_comes_back_with_its_history(deals: Any) -> None:
    retired = schema(DEAL | {"stage": DEAL["stage"] | {"retired": True}})
    after = await apply(deals, retired, allow_breaking=False)
    assert await known(after, "deal:D-1") == {"size": "40", "note": "first"}
    answer = await after.recall("deal:D-3", include=["properties", "history"])
    assert {one["name"] for one in answer["history"]} == {"note"}
    planned = await plan(after, schema(DEAL))
    assert planned.changes[0].effect == "3 stored values of deal.stage are shown again"
    back = await apply(after, schema(DEAL), allow_breaking=False)
    assert await matching(back, "stage", "lost") == ["D-2", "D-3"]


async def test_values_that_an_enum_loses_stay_in_history(deals: Any) -> None:
    fewer = schema(DEAL | {"stage": {"type": "enum", "values": ["open", "won"], "indexed": True}})
    planned = await plan(deals, fewer)
    (change,) = planned.changes
    assert change.effect == (
        "2 of 3 stored values of deal.stage are not among the new values: they stay in history and are no longer "
        "shown; 1 of them show an earlier value instead"
    )
    assert len(change.examples) == 2
    with pytest.raises(Refused, match=r"deal\.stage: values without lost.*--allow-breaking"):
        await apply(deals, fewer, allow_breaking=False)
    assert await matching(deals, "stage", "lost") == ["D-2", "D-3"]
    after = await apply(deals, fewer)
    assert "stage" not in await known(after, "deal:D-2")
    assert (await known(after, "deal:D-3"))["stage"] == "won"
    history = (await after.recall("deal:D-2", include=["history"]))["history"]
    assert [one["value"] for one in history if one["name"] == "stage"] == ["lost"]
    again = await apply(after, schema(DEAL), allow_breaking=False)  # widened again: nothing was lost
    assert await matching(again, "stage", "lost") == ["D-2", "D-3"]


async def test_a_value_that_became_a_synonym_is_read_as_the_other(deals: Any) -> None:
    moved = schema(DEAL | {"stage": {"type": "enum", "values": {"open": [], "closed": ["won", "lost"]}}})
    assert (await plan(deals, moved)).changes[0].effect.startswith("2 of 3 stored values of deal.stage are read as")
    after = await apply(deals, moved, allow_breaking=False)
    assert (await known(after, "deal:D-2"))["stage"] == "closed"


async def test_another_type_reads_what_it_can(deals: Any) -> None:
    typed = schema(DEAL | {"size": {"type": "integer", "indexed": True}})
    assert (await plan(deals, typed)).changes[0].effect.startswith("1 of 2 stored values of deal.size are not of the")
    after = await apply(deals, typed)
    assert (await known(after, "deal:D-1"))["size"] == 40
    assert "size" not in await known(after, "deal:D-2")
    assert await matching(after, "size", 40) == ["D-1"]


async def test_indexes_come_and_go(deals: Any) -> None:
    other = schema(
        {"stage": DEAL["stage"] | {"indexed": False}, "size": DEAL["size"]}
        | {"note": {"type": "text", "indexed": True}}
    )
    planned = await plan(deals, other)
    assert [change.effect for change in planned.changes] == [
        "3 index items of deal.stage are removed",
        "3 index items of deal.note are written",
    ]
    assert (planned.index_written, planned.index_removed) == (3, 3)
    after = await apply(deals, other, allow_breaking=False)
    assert await matching(after, "note", "second") == ["D-2"]


async def test_another_update_policy_chooses_another_observation(deals: Any) -> None:
    first = schema(DEAL | {"stage": DEAL["stage"] | {"update": "keep_first"}})
    assert (await plan(deals, first)).changes[0].effect.startswith("1 of 3 stored values of deal.stage give way")
    after = await apply(deals, first)
    assert await matching(after, "stage", "won") == ["D-3"]


async def test_a_removed_type_is_out_of_reach_but_can_be_erased_and_comes_back(deals: Any) -> None:
    told = await deals.facts("deal:D-1", "The deal is about pumps.")
    removed = Schema.model_validate({"entities": {"lead": {}}})
    planned = await plan(deals, removed)
    assert planned.changes[0].effect == "3 entities stay stored and can be neither named nor recalled"
    done = await migrator(deals).apply(deals.principal, removed, deals.schema, silent, allow_breaking=True)
    assert (done.rewritten, done.index_removed) == (3, 5)
    after = deals.under(removed)
    found = await after.searcher.search(after.principal, SearchRequest(query="pumps"))
    assert found.results == ()
    await after.forgetter.forget(after.principal, "asked for", memory_id=told["memory_id"])
    with pytest.raises(NotFound):
        await after.forgetter.forget(after.principal, "asked for", memory_id=told["memory_id"])
    back = await apply(after, schema(DEAL))
    assert await matching(back, "stage", "open") == ["D-1"]


async def test_a_start_records_what_touches_nothing_and_refuses_the_rest(deals: Any) -> None:
    wider = schema(DEAL | {"owner": {"type": "text", "indexed": True}})
    await migrator(deals).claim("acme", wider, "a.yaml")
    assert await on_record(deals) == wider
    with pytest.raises(Refused, match=r"interlayer schema plan b\.yaml.*interlayer schema apply b\.yaml"):
        await migrator(deals).claim("acme", schema({"stage": DEAL["stage"]}), "b.yaml")
    assert await on_record(deals) == wider
    await migrator(deals).claim("acme", schema(DEAL), "a.yaml")  # owner held nothing
    await migrator(deals).claim("umbrella", schema({}), "b.yaml")  # another organization has its own
    assert await on_record(deals) == schema(DEAL)


async def test_a_process_that_was_left_behind_reads_and_does_not_write(deals: Any) -> None:
    ref = await note(deals, "deal:D-1", note="more")
    await apply(deals, schema(DEAL | {"stage": DEAL["stage"] | {"retired": True}}))
    for attempt in (
        note(deals, "deal:D-1", stage="won"),
        deals.forgetter.forget(deals.principal, "asked for", entity=ref),
        matching(deals, "stage", "won"),
        deals.merger.merge(deals.principal, "deal:D-1", "deal:D-2", "asked for"),
    ):
        with pytest.raises(Refused, match="it was changed since this server started"):
            await attempt
    assert (await known(deals, "deal:D-1"))["note"] == "more"


async def test_merged_entities_follow_as_one_and_apart(deals: Any) -> None:
    absorbed = await note(deals, "deal:D-2", note="the same as D-1")
    await deals.merger.merge(deals.principal, "deal:D-1", "deal:D-2", "the same")
    renamed = schema({"phase": DEAL["stage"] | {"was": ["stage"]}, "note": DEAL["note"] | {"indexed": True}})
    planned = await plan(deals, renamed)
    assert planned.changes[0].effect == "2 of 2 stored values are shown under the name deal.phase"
    after = await apply(deals, renamed)
    assert (await known(after, "deal:D-1"))["phase"] == "lost"
    await after.merger.split(after.principal, "deal:D-1", absorbed, "not the same")
    assert await matching(after, "phase", "open") == ["D-1"]
    assert await matching(after, "note", "the same as D-1") == ["D-2"]
    await consistent(after)


async def test_a_second_change_that_comes_between_stops_the_first(deals: Any) -> None:
    class Meddling:
        """Lets somebody else change the record after the first write."""

        def __init__(self) -> None:
            self.writes = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(deals.store, name)

        async def transact(self, operations: Any) -> None:
            await deals.store.transact(operations)
            self.writes += 1
            if self.writes == 1:
                item = await deals.store.get(keys.schema("acme"))
                await deals.store.transact([Put(item.key, item.body, item.version)])

    new = schema(DEAL | {"stage": DEAL["stage"] | {"retired": True}})
    with pytest.raises(Conflict, match="Plan and apply again"):
        await migrator(deals, Meddling()).apply(deals.principal, new, deals.schema, silent, allow_breaking=True)
    await apply(deals, new)


async def test_a_writer_that_was_on_its_way_is_settled_by_another_pass(deals: Any) -> None:
    class Late:
        """Lets a memorize of the former schema commit between reading and rewriting an entity."""

        def __init__(self) -> None:
            self.writes = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(deals.store, name)

        async def transact(self, operations: Any) -> None:
            self.writes += 1
            if self.writes == 3:
                item = await deals.store.get(operations[1].key)
                await deals.store.transact([Put(item.key, item.body, item.version)])
            await deals.store.transact(operations)

    new = schema(DEAL | {"stage": DEAL["stage"] | {"retired": True}})
    done = await migrator(deals, Late()).apply(deals.principal, new, deals.schema, silent, allow_breaking=True)
    assert done.rewritten == 3
    await consistent(deals.under(new))


def changed() -> Schema:
    """Everything at once: renamed, retired, of another type, newly indexed."""
    return schema(
        {
            "phase": DEAL["stage"] | {"was": ["stage"], "values": ["open", "won"]},
            "size": {"type": "integer"},
            "note": {"type": "text", "indexed": True},
            "other": {"type": "text"},
        }
    )


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("then", [changed, lambda: schema(DEAL)], ids=["forward", "back"])
async def test_killed_at_any_write_a_second_run_completes(
    deals: Any, at: int, after: bool, then: Callable[[], Schema]
) -> None:
    before = {name: await known(deals, name) for name in ("deal:D-1", "deal:D-2", "deal:D-3")}
    dying: Any = DyingItems(deals.store, at, after=after)
    with pytest.raises(Killed):
        await Migrator(dying, Trail(dying, deals.clock), ReceiptBook(dying, deals.clock)).apply(
            deals.principal, changed(), deals.schema, silent, allow_breaking=True
        )
    assert dying.written == at + after
    finished = at == 4 and after  # the last write puts the schema on record
    if dying.written and not finished:
        with pytest.raises(Unavailable, match="being changed"):
            await note(deals, "deal:D-1", note="meanwhile")
        with pytest.raises(Refused, match="begun and not finished"):
            await migrator(deals).claim("acme", deals.schema)
    completed = await apply(deals, then())
    if then is changed:
        assert await known(completed, "deal:D-1") == {"phase": "open", "size": 40, "note": "first"}
        assert await known(completed, "deal:D-2") == {"note": "second"}
        assert await matching(completed, "note", "third") == ["D-3"]
    else:
        assert {name: await known(completed, name) for name in before} == before
    events = [item.body["type"] for item in await deals.trail.tail("acme", 5)]
    assert events == ["schema.applied"] * ((dying.written > 0 or then is changed) + (finished and then is not changed))


async def test_more_indexed_properties_than_a_transaction_holds(room: Any) -> None:
    before = room.under(schema({f"p{number}": {"type": "text", "indexed": True} for number in range(130)}))
    for first in range(0, 120, 40):
        await note(before, "deal:D-1", **{f"p{number}": "x" for number in range(first, first + 40)})
    bare = schema({f"q{number}": {"type": "text", "indexed": True, "was": [f"p{number}"]} for number in range(130)})
    after = await apply(before, bare)
    assert await matching(after, "q119", "x") == ["D-1"]
    assert len(await known(after, "deal:D-1")) == 120


NAMES = ("a", "b", "c")
OF_TYPE = {"text": ["12", "red", "won"], "integer": [3, 12], "enum": ["won", "open"], "list": [["x"], ["x", "y"]]}


@st.composite
def declared(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(OF_TYPE)))
    said: dict[str, Any] = {"type": kind, "indexed": draw(st.booleans())}
    if kind == "enum":
        said["values"] = draw(st.sampled_from([["won", "open"], ["won"], ["open", "late"]]))
    updates = {"list": ["replace", "append"], "integer": ["replace", "max"]}.get(kind, ["replace", "keep_first"])
    return said | {"update": draw(st.sampled_from(updates))}


@st.composite
def evolved(draw: st.DrawFn, before: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the properties after one to three random changes, and the names of those that were left alone."""
    after, alone = dict(before), set(before)
    for _ in range(draw(st.integers(1, 3))):
        taken = {former for one in after.values() for former in one.get("was", ())}
        fresh = next(one for one in "defghijklmnopq" if one not in after and one not in taken)
        name = draw(st.sampled_from([*sorted(after), fresh]))
        if name == fresh:
            after[name] = draw(declared())
            continue
        alone.discard(name)
        one = after.pop(name)
        toggled = draw(st.sampled_from(["indexed", "retired"]))
        changed_into: dict[str, tuple[str, dict[str, Any]] | None] = {
            "rename": (fresh, one | {"was": [name, *one.get("was", [])]}),
            "toggle": (name, one | {toggled: not one.get(toggled, False)}),
            "replace": (name, draw(declared()) | {"was": one.get("was", [])}),
            "remove": None,
        }
        into = changed_into[draw(st.sampled_from(sorted(changed_into)))]
        if into:
            after[into[0]] = into[1]
    return after, alone


@dataclass(frozen=True)
class Step:
    """What is memorized under a schema, the schema that follows, and the names that it leaves alone."""

    before: dict[str, Any]
    noted: dict[str, dict[str, Any]]
    after: dict[str, Any]
    alone: set[str]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    properties = {name: draw(declared()) for name in NAMES}
    steps: list[Step] = []
    for _ in range(3):
        usable = [name for name in sorted(properties) if not properties[name].get("retired")]
        noted = {
            entity: {name: draw(st.sampled_from(OF_TYPE[properties[name]["type"]])) for name in usable}
            for entity in ("deal:D-1", "deal:D-2")
        }
        after, alone = draw(evolved(properties))
        steps.append(Step(properties, noted, after, alone))
        properties = after
    return steps


@settings(max_examples=25)
@given(histories())
async def test_any_changes_keep_what_they_do_not_concern(room: Any, steps: list[Step]) -> None:
    principal = Principal(f"org{next(_organizations)}", "tester")
    process = room.under(schema(steps[0].before))
    process.principal = principal
    await migrator(process).claim(principal.organization, process.schema)
    for step in steps:
        for entity, values in step.noted.items():
            await note(process, entity, **values)
        before = {entity: await known(process, entity) for entity in step.noted}
        planned = await plan(process, schema(step.after))
        following = await apply(process, schema(step.after))  # which compares all with a fresh fold
        await process.store.close()
        process = following
        now = {entity: await known(process, entity) for entity in step.noted}
        for entity, values in before.items():
            assert {name: now[entity].get(name) for name in step.alone} == {n: values.get(n) for n in step.alone}
        assert planned.rewritten >= sum(now[entity] != before[entity] for entity in before)
    await process.store.close()
