"""Which rules govern: scope, effective dates, precedence, merging, superseding, conflicts; whatever the file order."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlayer.answers import as_json
from interlayer_policies.delivery.answers import (
    Budget,
    CheckAnswer,
    ContextAnswer,
    DeliveredPolicy,
    DeliveredRule,
    DeliveredSection,
    Omitted,
    Overridden,
    Violation,
)
from interlayer_policies.delivery.evidence.query import query_of, texts_of
from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.selection import Request, select
from interlayer_policies.delivery.snapshot import Edition, Snapshot, sections_of
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile, Situation, folded, is_higher

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SITUATION: dict[str, tuple[str, ...]] = {"agent": ("bot",)}


def snapshot_of(documents: Sequence[dict[str, Any]]) -> Snapshot:
    """JSON is YAML: each document is the front matter of a policy. As a published set is: ordered by id."""
    policies: list[Policy] = []
    for document in documents:
        body = document.get("body", "")
        head = json.dumps({name: value for name, value in document.items() if name != "body"})
        result = parse(PolicyFile(f"{document['id']}.md", f"---\n{head}\n---\n{body}"))
        assert isinstance(result, Policy), result
        policies.append(result)
    editions = [Edition(policy, 1) for policy in sorted(policies, key=lambda policy: policy.id)]
    return Snapshot(1, editions, sections_of(editions), None)


def answer(
    documents: Sequence[dict[str, Any]],
    situation: Situation = SITUATION,
    *,
    now: datetime = NOW,
    max_tokens: int = 2_000,
    task: str = "Reply to the customer",
) -> ContextAnswer:
    query = query_of(texts_of(task), None)
    return select(snapshot_of(documents), Request(query, situation, now, max_tokens)).whole


def rule(text: str = "Be kind.", level: str = "must", **more: Any) -> dict[str, Any]:
    return {"text": text, "level": level, **more}


def one(policy_id: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": policy_id, "rules": list(rules) or [rule(f"Rule of {policy_id}.")], **more}


def refs(given_answer: ContextAnswer) -> list[str]:
    return [f"{rule.policy_id}#{rule.rule_id}" for rule in given_answer.rules]


def lost(given_answer: ContextAnswer) -> dict[str, tuple[str, str]]:
    return {f"{entry.policy_id}#{entry.rule_id}": (entry.by, entry.why) for entry in given_answer.overridden}


@pytest.mark.parametrize(
    ("scope", "situation", "matches"),
    [
        ({"agents": ["outbound-*"]}, {"agent": ("outbound-7",)}, True),
        ({"agents": ["Outbound-?"]}, {"agent": ("outbound-77",)}, False),
        ({"channels": ["email", "chat"]}, {"channel": ("chat",)}, True),
        ({"channels": ["email"], "regions": ["EU"]}, {"channel": ("email",), "region": ("us",)}, False),
        ({"tags": ["pricing"]}, {"tags": ("legal", "pricing")}, True),
        ({"tags": ["pricing"]}, {"tags": ("legal",)}, False),
        ({"teams": ["sales"]}, {"team": ("sales", "support")}, True),
        ({"when": {"stage": ["closed_*"]}}, {"entity.stage": ("closed_won",)}, True),
        ({"when": {"stage": ["open"]}}, {"entity.stage": ("closed_won",)}, False),
        ({"when": {"seats": [15]}}, {"entity.seats": (folded(15.0),)}, True),
    ],
)
def test_scopes_match_any_value_of_a_facet_and_all_facets(scope: Any, situation: Situation, matches: bool) -> None:
    assert bool(answer([one("a", scope=scope)], {**SITUATION, **situation}).rules) is matches


def test_a_facet_not_given_matches_and_is_said_to_be_assumed() -> None:
    documents = [
        one("a", scope={"channels": ["email"], "when": {"stage": ["open"]}}),
        one("b", scope={"regions": "eu"}),
    ]
    got = answer(documents, {**SITUATION, "region": ("us",)})
    assert refs(got) == ["a#R1"]
    assert got.assumed == ("channel", "entity.stage")
    assert got.policies[0].why == "channel assumed, entity.stage assumed"
    assert got.rules[0].why is None
    assert answer(documents, {**SITUATION, "channel": ("chat",), "region": ("us",)}).assumed == ()


def limited(policy_id: str, level: str = "must_not", value: int = 10, **more: Any) -> dict[str, Any]:
    """Write a policy whose one rule has the key and the parameter of all others that this writes."""
    return one(policy_id, rule("At most {limit}.", level, key="k"), params={"limit": {"value": value}}, **more)


def test_a_prohibition_beats_a_requirement_beats_a_permission_of_its_tier_and_below() -> None:
    levels = ["may", "should", "should_not", "must", "must_not"]
    got = answer([limited(f"p{n}", level, tier="unit" if n == 4 else "team") for n, level in enumerate(levels)])
    assert refs(got) == ["p4#R1"]
    assert lost(got) == {f"p{n}#R1": ("p4#R1", "same key, tier") for n in range(4)}
    same = answer([limited("a", "should"), limited("b", "must")])
    assert (refs(same), lost(same)) == (["b#R1"], {"a#R1": ("b#R1", "same key, level")})


@pytest.mark.parametrize("by", ["key", "supersedes", "overrides"])
def test_a_lower_tier_never_removes_a_rule_of_a_higher_one(by: str) -> None:
    law = limited("law", "must", tier="law")
    low = limited("low", "must_not", tier="agent", supersedes=["law"] if by == "supersedes" else [])
    if by == "overrides":
        low["rules"][0]["overrides"] = ["law#R1"]
    got = answer([law, low])
    assert set(refs(got)) == {"law#R1", "low#R1"}
    assert [clash.rules for clash in got.conflicts] == [("law#R1", "low#R1")], "they contradict, and both are told"


def test_a_stricter_rule_of_a_lower_tier_is_delivered_beside_a_weaker_one_of_a_higher() -> None:
    assert set(refs(answer([limited("org", "should", tier="org"), limited("team", "must", tier="team")]))) == {
        "org#R1",
        "team#R1",
    }


def test_rules_that_share_a_key_and_no_parameter_say_different_things() -> None:
    cap = limited("cap", value=100)
    other = one("law", rule("Never refuse a refund.", "must_not", key="k"), tier="law")
    assert set(refs(answer([cap, other]))) == {"cap#R1", "law#R1"}


def test_a_rule_overrides_by_name_where_it_holds_and_only_in_its_tier_or_below() -> None:
    usual = limited("usual", value=15)
    winter = one("winter", rule("Up to 30 is fine.", "may", overrides=["usual#R1"]), scope={"regions": ["de"]})
    here = answer([usual, winter], {**SITUATION, "region": ("de",)})
    assert (refs(here), lost(here)) == (["winter#R1"], {"usual#R1": ("winter#R1", "overrides it by name")})
    assert refs(answer([usual, winter], {**SITUATION, "region": ("fr",)})) == ["usual#R1"]
    assert set(refs(answer([usual, winter]))) == {"usual#R1", "winter#R1"}, "nobody said where: both are delivered"


@pytest.mark.parametrize(
    ("strong", "weak", "why"),
    [
        ({"tier": "law"}, {"tier": "org", "scope": {"agents": ["bot"]}}, "tier"),
        ({"scope": {"agents": ["bot"]}}, {"effective": {"from": "2026-05-01"}}, "narrower scope"),
        ({"effective": {"from": "2026-05-01"}}, {"effective": {"from": "2026-04-01"}}, "later start"),
        ({"effective": {"from": "2026-05-01"}}, {}, "later start"),
        ({}, {}, "id"),
    ],
)
def test_precedence_is_tier_then_scope_then_start_then_id(strong: Any, weak: Any, why: str) -> None:
    for names in (("a", "b"), ("b", "a")) if why != "id" else (("a", "b"),):
        got = answer([limited(names[0], "must", **strong), limited(names[1], "must", **weak)])
        assert refs(got) == [f"{names[0]}#R1"]
        assert lost(got) == {f"{names[1]}#R1": (f"{names[0]}#R1", f"same key, {why}")}


def test_what_may_be_superseded_displaces_nothing() -> None:
    """Found by a search: p7 may be superseded for team a, so that without a team it must not silence p1."""
    p0 = one("p0", scope={"teams": ["a"]}, supersedes=["p7"])
    p1, p7 = limited("p1", "should"), limited("p7", "must")
    assert set(refs(answer([p0, p1, p7], {**SITUATION, "team": ("a",)}))) == {"p0#R1", "p1#R1"}
    assert set(refs(answer([p0, p1, p7]))) == {"p0#R1", "p1#R1", "p7#R1"}


def test_what_may_be_displaced_displaces_only_what_its_own_rival_displaces_too() -> None:
    two = {"limit": {"value": 1}, "words": {"value": ["red"]}}
    top = one("a", rule("{limit}.", key="k"), params=two, tier="law", scope={"channels": ["chat"]})
    middle = one("b", rule("{limit} of {words}.", key="k"), params=two, tier="org")
    bottom = one("c", rule("Only {words}.", key="k"), params=two, tier="team")
    assert set(refs(answer([top, middle, bottom], {**SITUATION, "channel": ("chat",)}))) == {"a#R1", "c#R1"}
    assert set(refs(answer([top, middle, bottom]))) == {"a#R1", "b#R1", "c#R1"}
    assert refs(answer([top, middle, bottom], {**SITUATION, "channel": ("email",)})) == ["b#R1"]


def test_rules_without_a_key_never_override_each_other() -> None:
    assert refs(answer([one("a"), one("b"), one("c", rule(level="must_not"))])) == ["c#R1", "a#R1", "b#R1"]


@pytest.mark.parametrize(
    ("merge", "values", "expected"),
    [
        ("min", (15, 10), "10"),
        ("max", (15, 20.5), "20.5"),
        ("union", (["a"], ["b", "a"]), "a, b"),
        ("intersect", (["a", "b"], ["b", "c"]), "b"),
    ],
)
def test_parameters_of_one_key_are_merged_as_declared(merge: str, values: tuple[Any, Any], expected: str) -> None:
    check = {"kind": "forbid_terms", "terms": ["{limit}"]}
    documents = [
        one(
            name,
            rule("Keep to {limit}.", "must_not", key="k", check=check),
            tier=tier,
            params={"limit": {"value": value, "merge": merge}},
        )
        for name, tier, value in zip(("a", "b"), ("org", "team"), values, strict=True)
    ]
    got = answer(documents)
    assert [rule.text for rule in got.rules] == [f"Keep to {expected}."]
    assert refs(got) == ["a#R1"]
    assert lost(got) == {"b#R1": ("a#R1", "same key, merged: limit")}


def test_a_rule_that_may_not_apply_takes_no_other_away() -> None:
    wide, narrow = limited("wide", value=15), limited("narrow", value=25, scope={"channels": ["partner"]})
    unknown = answer([wide, narrow])
    assert sorted(refs(unknown)) == ["narrow#R1", "wide#R1"]
    assert [clash.rules for clash in unknown.conflicts] == [("narrow#R1", "wide#R1")]
    assert "not given" in unknown.conflicts[0].why
    assert refs(answer([wide, narrow], {**SITUATION, "channel": ("partner",)})) == ["narrow#R1"]
    assert refs(answer([wide, narrow], {**SITUATION, "channel": ("email",)})) == ["wide#R1"]


def test_an_incompatible_pair_is_delivered_whole_and_named() -> None:
    got = answer([one("a", rule(level="must", key="k")), one("b", rule(level="must_not", key="k"))])
    assert refs(got) == ["b#R1", "a#R1"]
    assert [(clash.key, clash.rules) for clash in got.conflicts] == [("k", ("b#R1", "a#R1"))]


def test_a_superseded_policy_gives_way_while_the_newer_one_holds() -> None:
    old = one("old", scope={"regions": ["eu"]})
    new = one("new", supersedes=["old"], effective={"from": "2026-06-01", "until": "2026-06-30"})
    assert lost(answer([old, new])) == {"old#R1": ("new", "superseded by new")}
    assert refs(answer([old, new], now=datetime(2026, 5, 1, tzinfo=UTC))) == ["old#R1"]
    assert refs(answer([old, new], now=datetime(2026, 7, 1, tzinfo=UTC))) == ["old#R1"]
    maybe = one("new", supersedes=["old"], scope={"channels": ["email"]})
    assert sorted(refs(answer([old, maybe]))) == ["new#R1", "old#R1"], "it may not hold, so it takes nothing away"


def test_effective_times_are_sharp_and_say_when_they_next_change_something() -> None:
    documents = [
        one("a", effective={"from": "2026-06-15", "until": "2026-06-16"}),
        one("b", effective={"from": "2026-06-16T08:30:00+02:00"}, scope={"channels": ["email"]}),
    ]

    def at(*moment: int) -> ContextAnswer:
        return answer(documents, now=datetime(*moment, tzinfo=UTC))  # type: ignore[misc]

    assert refs(at(2026, 6, 14, 23, 59, 59)) == []
    assert at(2026, 6, 14).valid_until == "2026-06-15T00:00:00.000000Z"
    assert refs(at(2026, 6, 15)) == ["a#R1"]
    assert at(2026, 6, 15).valid_until == "2026-06-16T06:30:00.000000Z"
    assert refs(at(2026, 6, 16, 6, 30)) == ["a#R1", "b#R1"]
    assert refs(at(2026, 6, 17)) == ["b#R1"]
    assert at(2026, 6, 17).valid_until is None
    elsewhere = answer(documents, {**SITUATION, "channel": ("chat",)}, now=datetime(2026, 6, 15, tzinfo=UTC))
    assert elsewhere.valid_until == "2026-06-17T00:00:00.000000Z", "a policy out of scope changes nothing"


@pytest.mark.parametrize("zone", ["+00:00", "+02:00", "-05:30"])
def test_a_policy_begins_and_ends_to_the_millisecond(zone: str) -> None:
    start, end = (
        datetime.fromisoformat(f"2026-06-15T00:00:00{zone}"),
        datetime.fromisoformat(f"2026-06-16T00:00:00{zone}"),
    )
    document = one("a", effective={"from": start.isoformat(), "until": end.isoformat()})
    step = timedelta(milliseconds=1)
    held = {
        at: refs(answer([document], now=at)) for at in (start - step, start, start + step, end - step, end, end + step)
    }
    assert list(held.values()) == [[], ["a#R1"], ["a#R1"], ["a#R1"], [], []]
    until = {at: answer([document], now=at).valid_until for at in (start - step, start, end - step, end)}
    named = [moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in (start, end, end)]
    assert list(until.values()) == [*named, None]


WORDS = st.sampled_from(["a", "b", "c"])
LISTS = st.lists(st.sampled_from(["a", "b", "c", "*", "?"]), min_size=1, max_size=2)
SCOPES = st.fixed_dictionaries(
    {},
    optional={
        "teams": LISTS, "channels": LISTS, "audiences": LISTS, "regions": LISTS, "entity_types": LISTS, "tags": LISTS,
        "when": st.dictionaries(st.sampled_from(["stage", "size"]), LISTS, max_size=2),
    },
)  # fmt: skip
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.sampled_from(["Be kind.", "Offer {limit} at most.", "Only {words}.", "{limit} of {words}."]),
            "level": st.sampled_from(["must", "must_not", "should", "should_not", "may"]),
        },
        optional={
            "key": st.sampled_from(["k", "l"]),
            "overrides": st.lists(st.sampled_from(["p1#R1", "p2#R1", "p7#R2"]), min_size=1, max_size=2),
        },
    ),
    max_size=3,
)


def parameter(values: st.SearchStrategy[Any], *merges: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"value": values}, optional={"merge": st.sampled_from(merges)})


PARAMS = st.fixed_dictionaries(
    {
        "limit": parameter(st.integers(1, 30), "min", "max"),
        "words": parameter(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1), "union", "intersect"),
    }
)
DAYS = [(NOW + timedelta(days=days)).isoformat() for days in (-2, -1, 0, 1)]
EFFECTIVE = st.one_of(
    st.sampled_from(DAYS).map(lambda day: {"from": day}),
    st.sampled_from(DAYS).map(lambda day: {"until": day}),
    st.sampled_from([(a, b) for a in DAYS for b in DAYS if a < b]).map(lambda two: {"from": two[0], "until": two[1]}),
)


def without_itself(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in document.items() if name != "supersedes" or document["id"] not in ("p7", "p8")
    }


ONE_POLICY: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "id": st.sampled_from([f"p{n}" for n in range(9)]),
        "tier": st.sampled_from(["law", "org", "unit", "team", "agent"]),
        "scope": SCOPES,
        "rules": RULES,
        "params": PARAMS,
        "body": st.sampled_from(["", "## Refunds\nHow refunds work for orders.", "## Returns\nPacking of returns."]),
    },
    optional={
        "supersedes": st.lists(st.sampled_from(["p7", "p8"]), min_size=1, max_size=2, unique=True),
        "effective": EFFECTIVE,
    },
)
POLICIES: st.SearchStrategy[Any] = st.lists(ONE_POLICY, max_size=6, unique_by=lambda document: document["id"]).map(
    lambda documents: [without_itself(document) for document in documents]
)
FACETS = ("team", "channel", "audience", "region", "entity_type", "tags", "entity.stage", "entity.size")
SITUATIONS = st.dictionaries(st.sampled_from(FACETS), st.tuples(WORDS)).map(lambda known: SITUATION | known)


def in_scope(given_answer: ContextAnswer) -> set[str]:
    return {*refs(given_answer), *lost(given_answer)}


def is_due(document: dict[str, Any], situation: Situation) -> bool:
    """Whether a policy holds in a situation at `NOW`, said as plainly as the contract does."""
    names = {"teams": "team", "channels": "channel", "audiences": "audience", "regions": "region",
             "entity_types": "entity_type", "tags": "tags"}  # fmt: skip
    scope = dict(document["scope"])
    limits = {f"entity.{name}": patterns for name, patterns in scope.pop("when", {}).items()}
    limits |= {names[name]: patterns for name, patterns in scope.items()}
    times = document.get("effective", {})
    return (
        all(
            any(fnmatchcase(value, pattern) for value in situation[facet] for pattern in patterns)
            for facet, patterns in limits.items()
            if facet in situation
        )
        and datetime.fromisoformat(times.get("from", DAYS[0])) <= NOW
        and ("until" not in times or datetime.fromisoformat(times["until"]) > NOW)
    )


@given(POLICIES, SITUATIONS, st.integers(1, 8_000))
def test_every_rule_in_scope_is_delivered_or_overridden_whatever_the_budget(
    documents: Any, situation: Situation, max_tokens: int
) -> None:
    roomy = answer(documents, situation, max_tokens=8_000)
    tight = answer(documents, situation, max_tokens=max_tokens)
    assert tight.rules == roomy.rules
    assert tight.overridden == roomy.overridden
    expected = {f"{document['id']}#R{n + 1}" for document in documents for n in range(len(document["rules"]))
                if is_due(document, situation)}  # fmt: skip
    assert in_scope(tight) == expected
    assert tight.budget.exceeded_by == max(0, tight.budget.used - max_tokens)
    assert not set(refs(tight)) & set(lost(tight))


@given(POLICIES, SITUATIONS, st.sampled_from(FACETS))
def test_removing_a_facet_never_shrinks_the_rules(documents: Any, situation: Situation, facet: str) -> None:
    without = {name: values for name, values in situation.items() if name != facet}
    known, unknown = answer(documents, situation), answer(documents, without)
    assert in_scope(known) <= in_scope(unknown)
    assert set(refs(known)) <= set(refs(unknown)), "nor does it let one rule take another away"


@given(POLICIES, ONE_POLICY.map(without_itself), SITUATIONS)
def test_whatever_is_added_below_takes_away_nothing_above(documents: Any, added: Any, situation: Situation) -> None:
    others = [document for document in documents if document["id"] != added["id"]]
    before, after = (govern(snapshot_of(these), situation, NOW) for these in (others, [*others, added]))
    above = {rule.ref for rule in before.rules if is_higher(rule.edition.policy.tier, added["tier"])}
    assert above <= {rule.ref for rule in after.rules}


@given(POLICIES, SITUATIONS, st.randoms(use_true_random=False))
def test_the_order_of_files_never_changes_a_byte(documents: Any, situation: Situation, random: Any) -> None:
    shuffled = [dict(random.sample(list(document.items()), len(document))) for document in documents]
    random.shuffle(shuffled)
    task = "How do refunds for orders work?"
    first, second = answer(documents, situation, task=task), answer(shuffled, situation, task=task)
    assert json.dumps(as_json(first)) == json.dumps(as_json(second))


# The words are the loser's alone: the winner's policy has a parameter of that name, which its rule does not use.
ONE_OF_TWO_PARAMETERS = [
    one(
        "p0",
        {"text": "Offer {limit} at most.", "level": "must_not", "key": "l", "overrides": ["p1#R1"]},
        tier="law",
        scope={},
        body="",
        params={"limit": {"value": 1, "merge": "min"}, "words": {"value": ["red", "red"]}},
    ),
    one(
        "p1",
        {"text": "Be kind.", "level": "must"},
        {"text": "{limit} of {words}.", "level": "must_not", "key": "l"},
        tier="law",
        scope={},
        body="",
        params={"limit": {"value": 1}, "words": {"value": ["red"]}},
    ),
]


@given(POLICIES, SITUATIONS)
@example(ONE_OF_TWO_PARAMETERS, {})
def test_a_merged_limit_is_never_laxer_than_that_of_a_rule_it_carries_on(documents: Any, situation: Situation) -> None:
    governing = govern(snapshot_of(documents), situation, NOW)
    bound = {rule.ref: rule for rule in snapshot_of(documents).rules}
    delivered = {rule.ref: rule for rule in governing.rules}
    for entry in governing.overridden:
        if "merged" not in entry.why:
            continue
        winner, loser = delivered[entry.by], bound[f"{entry.policy_id}#{entry.rule_id}"]
        names = [
            name
            for name in winner.rule.placeholders & loser.rule.placeholders
            if winner.edition.policy.parameters[name].merge
        ]
        assert names, "what is said to be merged is"
        for name in names:
            merge = winner.edition.policy.parameters[name].merge
            mine: Any = winner.values[name]
            theirs: Any = loser.values[name]
            if merge in {"union", "intersect"}:
                mine, theirs = set(mine), set(theirs)
            assert mine >= theirs if merge in {"max", "union"} else mine <= theirs


@given(POLICIES, SITUATIONS, st.data())
def test_what_is_held_and_what_is_sent_make_up_the_whole(documents: Any, situation: Situation, data: Any) -> None:
    snapshot, query = snapshot_of(documents), query_of(texts_of("How do refunds for orders work?"), None)
    request = Request(query, situation, NOW, 2_000)
    whole = select(snapshot, request).answer
    etags = [entry.etag for entry in (*whole.policies, *whole.sections)]
    have = data.draw(st.sets(st.sampled_from([*etags, "unknown"])))
    part = select(snapshot, replace(request, have=frozenset(have))).answer
    assert sorted([*part.held, *(entry.etag for entry in (*part.policies, *part.sections))]) == sorted(etags)
    assert set(part.held) == have & set(etags)
    assert (part.etag, part.overridden, part.conflicts) == (whole.etag, whole.overridden, whole.conflicts)
    assert part.budget.used <= whole.budget.used
    same = select(snapshot, replace(request, if_etag=whole.etag)).answer
    assert (same.unchanged, same.rules, same.sections, same.etag) == (True, (), (), whole.etag)
    assert not select(snapshot, replace(request, if_etag=whole.etag[:-1])).answer.unchanged


def waivers_for(documents: Any, chosen: Sequence[tuple[int, dict[str, list[str]]]]) -> tuple[Waiver, ...]:
    """Return waivers of some rules of these documents, each for a scope."""
    rules = snapshot_of(documents).rules
    return tuple(
        Waiver(
            id=f"w{number}",
            rule=rules[place % len(rules)].ref,
            rule_etag=rules[place % len(rules)].etag,
            scope={facet: tuple(patterns) for facet, patterns in scope.items()},
            until=NOW + timedelta(days=1),
            approver="ann",
            reason="launch",
            granted_at=NOW,
        )
        for number, (place, scope) in enumerate(chosen)
        if rules
    )


WAIVERS = st.lists(
    st.tuples(st.integers(0, 20), st.dictionaries(st.sampled_from(["channel", "team", "region"]), LISTS, max_size=2)),
    max_size=4,
)


@given(POLICIES, SITUATIONS, st.sampled_from(FACETS), WAIVERS)
def test_with_waivers_too_removing_a_facet_never_shrinks_the_rules(
    documents: Any, situation: Situation, facet: str, chosen: Any
) -> None:
    snapshot, waivers = snapshot_of(documents), waivers_for(documents, chosen)
    without = {name: values for name, values in situation.items() if name != facet}
    known, unknown = (govern(snapshot, one, NOW, waivers) for one in (situation, without))
    assert {rule.ref for rule in known.rules} <= {rule.ref for rule in unknown.rules}


# What is waived takes the place of a rule that takes the place of a third; the waiver lets the second one stand.
ONE_AFTER_THE_OTHER = [
    one("p0", rule("At most {limit}.", key="k"), params={"limit": {"value": 1}}),
    one(
        "p1",
        rule("Only {words}.", "should", key="k"),
        rule("{limit} of {words}.", key="k"),
        params={"limit": {"value": 1}, "words": {"value": ["red"]}},
    ),
]


def test_what_a_waiver_lets_stand_is_delivered_beside_what_it_would_displace() -> None:
    snapshot, waivers = snapshot_of(ONE_AFTER_THE_OTHER), waivers_for(ONE_AFTER_THE_OTHER, [(0, {})])
    assert waivers[0].rule == "p0#R1"
    plain, exempt = govern(snapshot, SITUATION, NOW), govern(snapshot, SITUATION, NOW, waivers)
    assert {rule.ref for rule in plain.rules} == {"p0#R1", "p1#R1"}
    assert {rule.ref for rule in exempt.rules} == {"p1#R1", "p1#R2"}
    assert exempt.conflicts == (), "both hold, and nothing is left open between them"


@given(POLICIES, SITUATIONS, WAIVERS)
@example(ONE_AFTER_THE_OTHER, {}, [(0, {})])
def test_a_waiver_takes_its_rule_out_of_its_scope_and_nothing_else(
    documents: Any, situation: Situation, chosen: Any
) -> None:
    snapshot, waivers = snapshot_of(documents), waivers_for(documents, chosen)
    plain, exempt = govern(snapshot, situation, NOW), govern(snapshot, situation, NOW, waivers)
    certain = {one.rule for one in waivers if one.is_certain(situation)}
    delivered = {rule.ref for rule in exempt.rules}
    assert not delivered & certain
    assert {rule.ref for rule in plain.rules} - certain <= delivered
    end = NOW + timedelta(days=1)
    later, without = govern(snapshot, situation, end, waivers), govern(snapshot, situation, end)
    assert {rule.ref for rule in later.rules} == {rule.ref for rule in without.rules}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            ContextAnswer,
            """etag revision unchanged policies rules sections held omitted overridden conflicts assumed budget
            valid_until degraded receipt_id""",
        ),
        (DeliveredPolicy, "policy_id version title tier etag why"),
        (DeliveredRule, "policy_id rule_id level text why"),
        (DeliveredSection, "policy_id version section_id title text why score etag"),
        (Omitted, "policy_id section_id why tokens"),
        (Overridden, "policy_id rule_id by why"),
        (Budget, "max used rules exceeded_by"),
        (CheckAnswer, "compliant violations not_checked revision receipt_id"),
        (Violation, "policy_id version rule_id level start end excerpt remedy"),
    ],
)
def test_the_answers_have_every_field_of_the_contract(kind: Any, names: str) -> None:
    assert set(names.split()) <= {field.name for field in fields(kind)}


def test_parameters_stand_in_sections_and_their_titles() -> None:
    document = one(
        "a",
        params={"team_price": {"value": 90}},
        description="Prices of the team plan.",
        body="## Price of {team_price}\nThe team plan costs {team_price} euros. Write {name} as it is.",
    )
    got = answer(
        [document, one("b", body="## Travel\nBook trains early.")],
        task="How much does the team plan cost, what is its price in euros?",
    )
    [section] = got.sections
    assert section.title == "Price of 90"
    assert section.text == "The team plan costs 90 euros. Write {name} as it is."
