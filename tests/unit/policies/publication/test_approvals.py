"""Whatever is edited: a rule with approvers that then reaches fewer calls, or says something else, asks them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.situation import read_situation
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.approvers import Approvers
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary, parse_vocabulary
from interlayer_policies.publication.approvals import asked, groups_of

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
IDS = [f"p{number}" for number in range(5)]
WORDS = ["eu", "de", "by", "chat", "mail", "fax"]
FACETS = ("region", "channel", "tags")


def snapshot_of(documents: Sequence[dict[str, Any]], facets: dict[str, Any]) -> Snapshot:
    policies: list[Policy] = []
    for document in documents:
        policy = parse(PolicyFile(f"{document['id']}.md", f"---\n{json.dumps(document)}\n---\n"))
        assert isinstance(policy, Policy), policy
        policies.append(policy)
    vocabulary = parse_vocabulary(PolicyFile(VOCABULARY_FILE, json.dumps(facets)))
    assert isinstance(vocabulary, Vocabulary), vocabulary
    editions = [Edition(policy, 1) for policy in sorted(policies, key=lambda policy: policy.id)]
    return Snapshot(1, editions, (), None, vocabulary=vocabulary)


LISTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True)
SCOPES = st.fixed_dictionaries({}, optional={"regions": LISTS, "channels": LISTS, "tags": LISTS})
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.sampled_from(["At most {limit}.", "At most {limit} of {words}.", "Be kind."]),
            "level": st.sampled_from(["must", "must_not", "should"]),
        },
        optional={
            "key": st.sampled_from(["k", "l"]),
            "overrides": st.lists(st.sampled_from([f"{one}#R1" for one in IDS]), min_size=1, max_size=2),
            "trial": st.just(True),
        },
    ),
    min_size=1,
    max_size=2,
)
MERGES = st.sampled_from(["min", "max"])
PARAMS = st.fixed_dictionaries(
    {
        "limit": st.fixed_dictionaries(
            {"value": st.integers(1, 3)}, optional={"merge": st.sampled_from(["min", "max"])}
        ),
        "words": st.just({"value": ["red"]}),
    }
)


def one(policy_id: str, text: str = "Be kind.", *, limit: int = 1, merge: str = "", **more: Any) -> dict[str, Any]:
    rule = {"text": text, "level": "must", **{name: more.pop(name) for name in ("key", "overrides") if name in more}}
    parameter = {"value": limit, **({"merge": merge} if merge else {})}
    return {"id": policy_id, "rules": [rule], "params": {"limit": parameter}, **more}


GUARDED = one("p0", "At most {limit}.", key="k", merge="max", approvers=["legal"])
DISPLACING = one("p1", overrides=["p0#R1"])
GERMAN_ONLY = {**DISPLACING, "scope": {"regions": ["de"]}}
GERMAN = {"regions": {"eu": None, "de": {"in": "eu"}, "by": {"in": "de"}}}


@pytest.mark.parametrize(
    ("shared", "before", "after", "said"),
    [
        ([], [], [DISPLACING], {}),
        ([], [], [one("p1", supersedes=["p0"])], {}),
        ([], [DISPLACING], [{**DISPLACING, "rules": [{**DISPLACING["rules"][0], "text": "Be brief."}]}], {}),
        ([], [], [one("p1", "At most {limit}.", key="k", limit=9, tier="team")], {}),
        ([DISPLACING], [one("p2", overrides=["p1#R1"])], [], {}),
        ([DISPLACING, one("p2", overrides=["p1#R1"])], [], [one("p3", supersedes=["p2"])], {}),
        ([DISPLACING], [one("p2", supersedes=["p1"])], [], {}),
        (
            [{**DISPLACING, "scope": {"regions": ["de"]}}],
            [one("p2", scope={"regions": ["by"]})],
            [],
            {"region": ("de",)},
        ),
        ([], [{**DISPLACING, "scope": {"regions": ["by"]}}], [{**DISPLACING, "scope": {}}], {"region": ("eu",)}),
    ],
    ids=[
        "overrides",
        "supersedes",
        "says else",
        "merged",
        "shield gone",
        "shield superseded",
        "freed",
        "doubt",
        "wider",
    ],
)
def test_each_way_to_narrow_a_rule_asks_its_approvers(shared: Any, before: Any, after: Any, said: Any) -> None:
    then, soon = (snapshot_of([GUARDED, *shared, *more], GERMAN) for more in (before, after))
    changed = [document["id"] for document in (*before, *after)]
    assert asked(then, soon, changed) == {"p0": (Approvers(("legal",)),)}
    rules = [{rule.ref: rule.text for rule in govern(these, said, NOW).rules} for these in (then, soon)]
    assert rules[0].get("p0#R1", rules[0].get("p1#R1")) != rules[1].get("p0#R1", rules[1].get("p1#R1"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([DISPLACING], []),
        ([], [one("p1", "Be brief.")]),
        ([DISPLACING], [{**DISPLACING, "title": "Another title"}]),
        ([], [one("p1", scope={"regions": ["de"]})]),
    ],
)
def test_what_narrows_no_rule_asks_nobody(before: Any, after: Any) -> None:
    then, soon = (snapshot_of([GUARDED, *more], GERMAN) for more in (before, after))
    assert asked(then, soon, ["p1"]) == {}


def policy_of(policy_id: str) -> st.SearchStrategy[dict[str, Any]]:
    later = IDS[IDS.index(policy_id) + 1 :]
    supersedes = {"supersedes": st.lists(st.sampled_from(later), min_size=1, max_size=2)} if later else {}
    return st.fixed_dictionaries(
        {
            "id": st.just(policy_id),
            "tier": st.sampled_from(["org", "team"]),
            "scope": SCOPES,
            "rules": RULES,
            "params": PARAMS,
        },
        optional={"effective": st.sampled_from([{"from": "2026-06-01"}, {"until": "2026-06-01"}]), **supersedes},
    )


POLICIES = st.lists(st.sampled_from(IDS), min_size=1, unique=True).flatmap(
    lambda ids: st.tuples(*map(policy_of, ids)).map(list)
)
PARENTS = st.sampled_from([{}, {"de": {"in": "eu"}}, {"de": {"in": "eu"}, "by": {"in": "de"}}, {"by": {"in": "eu"}}])
REGIONS = st.tuples(PARENTS, st.booleans()).map(
    lambda given_: {"eu": None, "de": None, "by": {"aliases": ["fax"]} if given_[1] else None, **given_[0]}
)
CHANNELS = st.sampled_from(
    [
        {},
        {"chat": None},
        {"chat": {"aliases": ["talk"]}, "mail": None},
        {"chat": {"aliases": ["mail"]}, "fax": None},
        {"chat": {"in": "mail"}, "mail": {"aliases": ["talk"]}},
    ]
)
VOCABULARIES = st.fixed_dictionaries({"regions": REGIONS, "channels": CHANNELS}, optional={"tags": CHANNELS})
SITUATIONS = st.dictionaries(
    st.sampled_from(FACETS), st.lists(st.sampled_from([*WORDS, "talk"]), min_size=1, max_size=2).map(tuple)
)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """Draw two sets: one policy put in, changed or taken out, or another vocabulary, or both."""
    before, facets = draw(POLICIES), draw(VOCABULARIES)
    after, other = before, facets
    if draw(st.booleans()):
        policy_id = draw(st.sampled_from(IDS))
        after = [document for document in before if document["id"] != policy_id]
        if draw(st.booleans()):
            after = [*after, draw(policy_of(policy_id))]
    if draw(st.booleans()):
        other = draw(VOCABULARIES)
    return before, facets, after, other


WAIVED = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([{}, {"channel": ("chat",)}])), max_size=1)


@given(edits(), SITUATIONS, WAIVED)
def test_a_rule_that_reaches_fewer_calls_asks_its_approvers(edit: Any, said: Any, waived: Any) -> None:
    documents, facets, others, other_facets = edit
    kept = [document["id"] for document in documents if document in others]
    guarded = kept[0] if kept else ""

    def guard(these: Any) -> Any:
        return [{**one, "approvers": ["legal"]} if one["id"] == guarded else one for one in these]

    before, after = snapshot_of(guard(documents), facets), snapshot_of(guard(others), other_facets)
    changed = [one["id"] for one in (*documents, *others) if one not in others or one not in documents]
    changed += [VOCABULARY_FILE] if facets != other_facets else []
    waivers = [
        Waiver("w", rule.ref, rule.etag, scope, NOW.replace(year=2027), "ann", "why", NOW)
        for place, scope in waived
        if before.rules
        for rule in [before.rules[place % len(before.rules)]]
    ]
    then, soon = (
        {rule.ref: rule.etag for rule in govern(one, read_situation(said, one.vocabulary), NOW, waivers).rules}
        for one in (before, after)
    )
    lost = [ref for ref in then if ref.startswith(f"{guarded}#") and then[ref] != soon.get(ref)]
    if guarded and lost:
        assert asked(before, after, changed, waivers).get(guarded) == (Approvers(("legal",)),), (lost, then, soon)


@given(POLICIES, VOCABULARIES)
def test_a_change_of_nothing_asks_nobody(documents: Any, facets: Any) -> None:
    guarded = [{**document, "approvers": ["legal"]} for document in documents]
    assert asked(snapshot_of(guarded, facets), snapshot_of(guarded, facets), []) == {}


def test_a_group_from_whom_several_have_to_agree_is_there_as_often() -> None:
    assert groups_of([Approvers(("b", "a"), 2), Approvers(("a", "b")), Approvers(("c",))]) == (
        ("a", "b"),
        ("a", "b"),
        ("c",),
    )
