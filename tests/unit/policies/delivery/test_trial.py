"""What is in trial changes no answer, whatever it would displace; its effect is told as that of the promoted set."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interlayer_policies.delivery.evidence.query import query_of, texts_of
from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.selection import Request, select
from interlayer_policies.delivery.snapshot import Edition, Snapshot, sections_of
from interlayer_policies.delivery.trial import NOTED_MAX, Trials, effect_body
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile, Situation

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
QUERY = query_of(texts_of("Offer a discount on the voucher"), None)
TIERS = ("law", "org", "unit", "team")

scopes = st.fixed_dictionaries(
    {},
    optional={"regions": st.sampled_from([["eu"], ["us"]]), "audiences": st.sampled_from([["customer"], ["lead"]])},
)


@st.composite
def sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = [f"p{number}" for number in range(draw(st.integers(2, 5)))]
    found: list[dict[str, Any]] = []
    for name in ids:
        others = [f"{one}#R1" for one in ids if one != name]
        rule = {
            "id": "R1",
            "text": "At most {limit}.",
            "level": draw(st.sampled_from(["must_not", "must", "should", "may"])),
            "key": "k",
            "overrides": draw(st.lists(st.sampled_from(others), max_size=1)),
            "trial": draw(st.booleans()),
        }
        found.append({
            "id": name,
            "title": "Discount and voucher",
            "tier": draw(st.sampled_from(TIERS)),
            "scope": draw(scopes),
            "supersedes": draw(st.lists(st.sampled_from([one for one in ids if one != name]), max_size=1)),
            "params": {"limit": {"value": draw(st.integers(1, 3)), "merge": "min"}},
            "rules": [rule, {"text": f"Mind {name}."}],
            "trial": draw(st.booleans()),
        })  # fmt: skip
    return found


def policies_of(documents: list[dict[str, Any]]) -> list[Policy]:
    found: list[Policy] = []
    for document in documents:
        text = f"---\n{json.dumps(document)}\n---\n## Vouchers\nA discount on a voucher is for {document['id']}.\n"
        read = parse(PolicyFile(f"{document['id']}.md", text))
        assert isinstance(read, Policy), read
        found.append(read)
    return found


def snapshot_of(policies: list[Policy], promoted: Snapshot | None = None) -> Snapshot:
    editions = [Edition(policy, 1) for policy in policies]
    return Snapshot(1, editions, sections_of(editions), None, promoted=promoted)


def tried(documents: list[dict[str, Any]]) -> Snapshot:
    policies = policies_of(documents)
    return snapshot_of(policies, snapshot_of([policy.promoted() for policy in policies]))


def without_trials(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [document for document in documents if not document["trial"]]
    return [{**one, "rules": [rule for rule in one["rules"] if not rule.get("trial")]} for one in kept]


situations = st.fixed_dictionaries(
    {"agent": st.just(("bot",))},
    optional={
        "region": st.sampled_from([("eu",), ("us",)]),
        "audience": st.sampled_from([("customer",), ("lead",)]),
    },
)


@given(sets(), situations)
def test_an_answer_is_that_of_the_set_without_its_trials(documents: list[dict[str, Any]], situation: Situation) -> None:
    # Numbered rules keep their id where the first one is left out.
    for document in documents:
        document["rules"][1]["id"] = "R2"
    request = Request(QUERY, situation, NOW, 2_000)
    answer = select(tried(documents), request).whole
    bare = select(snapshot_of(policies_of(without_trials(documents))), request).whole
    assert (answer.rules, answer.overridden, answer.conflicts) == (bare.rules, bare.overridden, bare.conflicts)
    assert (answer.sections, answer.assumed, answer.etag) == (bare.sections, bare.assumed, bare.etag)


@given(sets(), situations)
def test_what_a_trial_would_do_is_what_it_does_once_promoted(
    documents: list[dict[str, Any]], situation: Situation
) -> None:
    snapshot = tried(documents)
    live = [rule.ref for rule in govern(snapshot, situation, NOW).rules]
    promoted = snapshot.promoted
    assert promoted is not None
    then = {rule.ref for rule in govern(promoted, situation, NOW).rules}
    in_trial = {rule.ref for rule in promoted.rules} - {rule.ref for rule in snapshot.rules}
    effect = Trials(snapshot, situation, NOW).on_task(live, QUERY)
    assert {ref.removesuffix("@1") for ref in effect.rules} == then & in_trial
    assert {ref for ref, _ in effect.displaced} == set(live) - then


def test_a_receipt_names_so_many_and_no_more() -> None:
    rules = [{"text": f"Mind number {number}.", "check": {"kind": "forbid_terms", "terms": ["offer"]}}
             for number in range(60)]  # fmt: skip
    snapshot = tried([{"id": "many", "trial": True, "rules": rules}])
    trials = Trials(snapshot, {"agent": ("bot",)}, NOW)
    assert len(trials.on_task([], QUERY).rules) == 60
    noted = effect_body(trials.on_draft([], "An offer, an offer and an offer"))
    assert len(noted["rules"]) == NOTED_MAX
    assert sum(len(places) for _, places in noted["flagged"]) == NOTED_MAX
    assert not Trials(snapshot_of(policies_of([{"id": "none", "rules": ["Be kind."]}])), {}, NOW)
