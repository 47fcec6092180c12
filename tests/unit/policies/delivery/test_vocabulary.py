"""What callers say and what scopes mean: aliases, parents, countries, and values that nobody declared."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.principal import Principal
from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.situation import Facets, RememberedEntity, situation_of
from interlayer_policies.delivery.snapshot import Edition, Snapshot, sections_of
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary, parse_vocabulary
from interlayer_policies.governance import read_folder, starter_files
from interlayer_policies.review.lint import lint
from interlayer_policies.starter import starter_vocabulary
from research_data import needed

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ME = Principal("acme", "outbound-1")
pytestmark = pytest.mark.anyio
DECLARED = """
regions:
  EU: {aliases: [Europe]}
  DE: {in: EU}
  Bavaria: {in: DE, aliases: [Freistaat Bayern]}
  FR: {in: [EU, Francophonie]}
  Francophonie: {}
channels:
  email: {aliases: [mail]}
  live chat: {}
teams:
  revenue: {}
  sales: {in: revenue}
"""


def vocabulary(text: str = DECLARED) -> Vocabulary:
    read = parse_vocabulary(PolicyFile(VOCABULARY_FILE, text))
    assert isinstance(read, Vocabulary), read
    return read


def snapshot(scopes: dict[str, Any], known: Vocabulary | None = None) -> Snapshot:
    policies: list[Policy] = []
    for name, scope in sorted(scopes.items()):
        text = f"---\nid: {name}\nscope: {json.dumps(scope)}\nrules: [Be kind.]\n---\n"
        read = parse(PolicyFile(f"{name}.md", text))
        assert isinstance(read, Policy), read
        policies.append(read)
    editions = [Edition(policy, 1) for policy in policies]
    return Snapshot(1, editions, sections_of(editions), None, None, known or vocabulary())


def delivered(of: Snapshot, facets: Facets, principal: Principal = ME) -> tuple[set[str], tuple[str, ...]]:
    """Return the policies whose rule is delivered, and everything that `assumed` says."""
    placed = situation_of(principal, facets, None, of.vocabulary)
    governing = govern(of, placed.situation, NOW)
    ids = {rule.edition.policy.id for rule in governing.rules}
    return ids, (*governing.assumed, *governing.narrower, *placed.notes)


SCOPES: dict[str, Any] = {
    "eu": {"regions": ["EU"]},
    "de": {"regions": ["DE"]},
    "by": {"regions": ["Bavaria"]},
    "fr": {"regions": ["FR"]},
    "mail": {"channels": ["E-Mail"]},
    "chat": {"channels": ["live chat"]},
    "revenue": {"teams": ["revenue"]},
}
ALWAYS = {"mail", "chat", "revenue"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Germany", {"eu", "de", "by"}),
        ("Deutschland", {"eu", "de", "by"}),
        ("de-DE", {"eu", "de", "by"}),
        ("DEU", {"eu", "de", "by"}),
        ("Allemagne", {"eu", "de", "by"}),
        (" frankreich ", {"eu", "fr"}),
        ("Bavaria", {"eu", "de", "by"}),
        ("freistaat-bayern", {"eu", "de", "by"}),
        ("europe", {"eu", "de", "by", "fr"}),
    ],
)
def test_a_region_lies_in_its_parents_and_may_mean_what_lies_in_it(said: str, expected: set[str]) -> None:
    assert delivered(snapshot(SCOPES), Facets(region=said))[0] == expected | ALWAYS


def test_a_parent_alone_is_told_with_whom_it_may_concern() -> None:
    _, assumed = delivered(snapshot(SCOPES), Facets(region="DE"))
    assert "region" in assumed
    assert "region: de/eu may mean what is in it: by" in assumed


@pytest.mark.parametrize("said", ["emails", "E-Mail", "MAIL", "e mail"])
def test_case_plural_and_punctuation_do_not_matter(said: str) -> None:
    ids, assumed = delivered(snapshot(SCOPES), Facets(channel=said))
    assert ids >= {"mail"}
    assert "chat" not in ids
    assert not any(one.startswith("channel") for one in assumed)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Germny", "region: 'Germny' is no value of it and counts as not given"),
        ("unknown", "region: 'unknown' says nothing and counts as not given"),
        ("N/A", "region: 'N/A' says nothing and counts as not given"),
        ("Bavarya", "region: 'Bavarya' is no value of it and counts as not given; the nearest is Bavaria"),
    ],
)
def test_a_value_that_nobody_declared_lifts_nothing_and_is_named(said: str, note: str) -> None:
    ids, assumed = delivered(snapshot(SCOPES), Facets(region=said))
    assert ids == set(SCOPES)
    assert "region" in assumed
    assert note in assumed


@given(st.sampled_from(["region", "channel", "audience", "team"]), st.text(max_size=12))
def test_no_value_outside_of_the_vocabulary_ever_removes_a_rule(facet: str, said: str) -> None:
    of = snapshot(SCOPES)
    if of.vocabulary.read(facet, said) is None:
        assert delivered(of, Facets(**dict[str, Any]({facet: said})))[0] == set(SCOPES)


REGIONS = ("EU", "DE", "Bavaria", "FR", "Francophonie")


@given(
    st.dictionaries(st.sampled_from(["p0", "p1", "p2"]), st.lists(st.sampled_from(REGIONS), min_size=1, max_size=2)),
    st.sampled_from(REGIONS),
)
def test_saying_less_exactly_never_shrinks_the_rules(limits: dict[str, list[str]], said: str) -> None:
    of = snapshot({name: {"regions": regions} for name, regions in limits.items()} or {"p": {}})
    exactly, _ = delivered(of, Facets(region=said))
    for parent in of.vocabulary.ancestors("region", said.casefold()):
        assert exactly <= delivered(of, Facets(region=parent))[0]


def test_a_team_of_the_connection_counts_even_if_nobody_declared_it() -> None:
    of = snapshot(SCOPES | {"support": {"teams": ["support"]}})
    assert "revenue" not in delivered(of, Facets(), Principal("acme", "a", teams=frozenset({"support"})))[0]
    assert "revenue" in delivered(of, Facets(), Principal("acme", "a", teams=frozenset({"Sales"})))[0]


def test_a_parent_may_mean_where_a_waiver_holds_so_that_nothing_is_displaced_by_it() -> None:
    texts = {
        name: f"---\nid: {name}\ntier: {tier}\nparams: {{cap: {{value: {cap}}}}}\n"
        f"rules:\n  - {{key: k, level: must_not, text: 'Not over {{cap}}.'}}\n---\n"
        for name, tier, cap in (("low", "team", 5), ("top", "org", 9))
    }
    policies = [parse(PolicyFile(f"{name}.md", text)) for name, text in texts.items()]
    editions = [Edition(one, 1) for one in policies if isinstance(one, Policy)]
    of = Snapshot(1, editions, (), None, None, vocabulary())
    [etag] = [rule.etag for rule in of.rules if rule.ref == "top#R1"]
    waiver = Waiver("w", "top#R1", etag, {"region": ("de",)}, NOW + timedelta(days=1), "ann", "launch", NOW)

    def ids(region: str) -> set[str]:
        situation = situation_of(ME, Facets(region=region), None, of.vocabulary).situation
        return {rule.edition.policy.id for rule in govern(of, situation, NOW, [waiver]).rules}

    assert ids("DE") == {"low"}
    assert ids("FR") == {"top"}
    assert ids("EU") == {"low", "top"}


def test_the_path_of_a_file_is_taken_as_it_is() -> None:
    of = snapshot({"api": {"tags": ["api", "api/*"]}})
    assert delivered(of, Facets(tags=("api/users.py",)))[0] == {"api"}
    assert delivered(of, Facets(tags=("web/page.ts",)))[0] == set()
    assert delivered(of, Facets(tags=("webpage",)))[0] == {"api"}


def test_a_property_in_doubt_counts_as_not_given() -> None:
    of = snapshot({"open": {"when": {"stage": ["open"]}}})
    known = RememberedEntity("deal", {"stage": "lost"})
    sure = situation_of(ME, Facets(), known, of.vocabulary)
    assert govern(of, sure.situation, NOW).rules == ()
    unsure = situation_of(
        ME, Facets(), RememberedEntity("deal", {"stage": "lost"}, {"stage": "confidence 0.3"}), of.vocabulary
    )
    assert len(govern(of, unsure.situation, NOW).rules) == 1
    assert unsure.notes == ("entity.stage: confidence 0.3",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("planets: {mars: }", "'planets' is no facet; there are regions, audiences"),
        ("regions: {EU: {inn: x}}", "unknown key; did you mean in?"),
        ("regions: {DE: {in: EU}}", "'DE' lies in 'EU', which is no value of this facet; declare it as one"),
        ("regions: {EU: {in: DE}, DE: {in: EU}}", "lies in itself"),
        ("channels: {mail: {aliases: [post]}, letter: {aliases: [post]}}", "'post' stands for 'mail' and for 'letter'"),
        ("channels: {any: }", "'any' means that nothing is given"),
        ("regions: [", "is no YAML"),
    ],
)
def test_a_mistake_in_the_vocabulary_is_told_with_its_line(text: str, said: str) -> None:
    found = [str(one) for one in lint([PolicyFile("a.md", "# A\nText."), PolicyFile(VOCABULARY_FILE, text)])]
    assert any(one.startswith("facets.yaml:") and said in one for one in found), found


TYPES: dict[str, Any] = {"deal": {"stage": ("open", "closed_won"), "seats": None}, "company": {"size": None}}


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("{regions: [Atlantis]}", "regions: 'atlantis' is not in the vocabulary"),
        ("{channels: [e-mial]}", "channels: 'e-mial' is not in the vocabulary; did you mean 'email'?"),
        ("{channels: [any]}", "leave the facet out to mean every value"),
        ("{entity_types: [deel]}", "entity_types: 'deel' does not exist; did you mean 'deal'?"),
        (
            "{entity_types: [deal], when: {stagee: [open]}}",
            "when: there is no property 'stagee'; did you mean 'stage'?",
        ),
        ("{entity_types: [deal], when: {size: [9]}}", "when: there is no property 'size'"),
        ("{when: {stage: [opn]}}", "when: stage: 'opn' does not exist; did you mean 'open'?"),
        ("{regions: [Deutschland, 'b*'], channels: [E-Mail], when: {stage: ['closed_*'], seats: [9]}}", ""),
    ],
)
def test_a_scope_that_names_what_does_not_exist_is_refused(scope: str, said: str) -> None:
    files = [
        PolicyFile("a.md", f"---\nscope: {scope}\nrules: [Be kind.]\n---\n"),
        PolicyFile(VOCABULARY_FILE, DECLARED),
    ]
    found = [str(one) for one in lint(files, TYPES) if one.severity == "error"]
    assert bool(found) is bool(said), found
    assert all(said in one for one in found), found


@pytest.mark.parametrize(
    ("value", "severities"), [("vip", []), ("prospekt", ["warning"]), ("any", ["error"]), ("Leads", [])]
)
def test_without_a_vocabulary_scopes_name_values_as_they_like(value: str, severities: list[str]) -> None:
    files = [PolicyFile("a.md", f"---\nscope: {{audiences: [{value}]}}\nrules: [Be kind.]\n---\n")]
    assert [one.severity for one in lint(files) if "vocabulary" in one.message] == severities


async def test_a_vocabulary_is_published_with_the_set_and_goes_back_with_it(world: Any) -> None:
    policy = world.files("---\nid: p\nscope: {regions: [DACH]}\nrules: [Be kind.]\n---\n")
    first = [*policy, PolicyFile(VOCABULARY_FILE, "regions: {DACH: , Austria: {in: DACH}, FR: }\n")]
    second = [*policy, PolicyFile(VOCABULARY_FILE, "regions: {DACH: , Austria: , FR: }\n")]

    async def is_given(region: str) -> bool:
        return bool((await world.context(facets=Facets(region=region))).rules)

    await world.governance.publish(ME, first, reason="x")
    assert (await is_given("AT"), await is_given("France"), await is_given("Tokyo")) == (True, False, True)
    done = await world.governance.publish(ME, second, reason="y")
    assert done.changed == (VOCABULARY_FILE,)
    assert not await is_given("Austria")
    await world.governance.rollback(ME, 1, reason="z")
    assert await is_given("Österreich")
    assert [one.id for one in (await world.governance.published(ME)).policies] == ["p"]


def test_the_starter_vocabulary_has_no_mistake() -> None:
    assert starter_vocabulary().read("audience", "Leads") == "prospect"
    assert starter_vocabulary().ancestors("region", "de") == ("eu",)
    assert [one for one in lint(starter_files(), None) if one.severity == "error"] == []


# Labelled calls


@pytest.mark.parametrize("kind", ["calls", "lint"])
async def test_calls_in_other_words_are_given_what_concerns_them(world: Any, kind: str) -> None:
    folder = needed("facets")
    files = read_folder(folder / "policies")
    if kind == "lint":
        types = {"deal": {"stage": ("negotiation", "closed_won", "closed_lost")}}
        vocabulary_file = [one for one in files if one.path == VOCABULARY_FILE]
        for line in (folder / "lint.jsonl").read_text().splitlines():
            case = json.loads(line)
            text = f"---\nid: x\nscope: {json.dumps(case['scope'])}\nrules: [Be kind.]\n---\n"
            found = lint([PolicyFile("x.md", text), *vocabulary_file], types)
            assert any(one.severity == "error" for one in found) is case["refused"], case
        return
    await world.governance.publish(ME, files, reason="x")
    for line in (folder / "calls.jsonl").read_text().splitlines():
        case = json.loads(line)
        call: dict[str, Any] = {name: tuple(value) if name == "tags" else value for name, value in case["call"].items()}
        task = call.pop("task", "Write a reply")
        if call.get("entity", "").startswith("deal"):
            continue  # what memory knows is looked at where memory is
        answer = await world.context(task, Facets(**call), max_tokens=8_000)
        ids = {rule.policy_id for rule in answer.rules}
        assert set(case["must"]) <= ids, case
        assert not set(case["must_not"]) & ids, case
        assert set(case["assumed"]) <= set(answer.assumed), case
        if "text" in case:
            checked = await world.governance.check(ME, case["text"], Facets(**call))
            flagged = {one.policy_id for one in checked.violations}
            assert set(case["flagged_by"]) <= flagged, case
            assert not set(case["not_flagged_by"]) & flagged, case
