"""The claims of the usual identity providers, as they really come, say who calls; other kinds of token are refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlayer.app.identity_provider import IdentityMapping, Jwt, read_mapping
from interlayer.app.mcp_server.token_claims import (
    TokenRefused,
    demand_access_type,
    demand_audience,
    doubts,
    principal_of,
)
from interlayer.errors import InvalidInput
from interlayer.principal import Principal

AUDIENCE = "https://interlayer.acme.example/mcp"
JWT = Jwt("https://login.acme.example/", (AUDIENCE,))
OKTA = {"cid": "0oa1", "uid": "00u1", "scp": ["openid", "interlayer:reader"], "sub": "ann@acme.example", "ver": 1}
ENTRA = {
    "azp": "6e74",
    "tid": "72f9",
    "oid": "ann-oid",
    "sub": "pairwise-1",
    "scp": "interlayer:reader interlayer:writer",
    "roles": ["interlayer:steward"],
    "groups": ["b1a2"],
    "ver": "2.0",
}
ENTRA_ALONE = {"appid": "6e74", "tid": "72f9", "oid": "robot", "sub": "robot", "roles": ["interlayer:reader"]}
AUTH0 = {
    "azp": "a0Client",
    "sub": "auth0|5f7c",
    "org_id": "org_8Hy2",
    "scope": "openid profile",
    "permissions": ["interlayer:reader", "read:reports"],
}
AUTH0_ALONE = {"azp": "a0Client", "sub": "a0Client@clients", "gty": "client-credentials", "scope": "interlayer:reader"}
KEYCLOAK = {
    "typ": "Bearer",
    "azp": "assistant",
    "sub": "f2d1",
    "scope": "openid email",
    "realm_access": {"roles": ["offline_access", "operator", "interlayer:writer"]},
    "resource_access": {AUDIENCE: {"roles": ["reader"]}, "account": {"roles": ["steward"]}},
    "groups": ["/sales", "/sales/emea"],
    "organization": ["acme"],
}
KEYCLOAK_ALONE = {"typ": "Bearer", "azp": "robot", "sub": "f2d2", "preferred_username": "service-account-robot"}
COGNITO = {
    "token_use": "access",
    "client_id": "1example",
    "sub": "aaaa-bbbb",
    "scope": f"{AUDIENCE}/interlayer:reader",
    "cognito:groups": ["sales"],
}


def caller(claims: dict[str, Any], jwt: Jwt = JWT) -> Principal:
    return principal_of(claims, jwt, "acme")


@pytest.mark.parametrize(
    ("claims", "agent", "user", "roles", "teams"),
    [
        (OKTA, "0oa1", "ann@acme.example", {"reader"}, set[str]()),
        ({**OKTA, "sub": "0oa1"}, "0oa1", "", {"reader"}, set[str]()),
        (ENTRA, "6e74", "pairwise-1", {"reader", "writer", "steward"}, {"b1a2"}),
        (ENTRA_ALONE, "6e74", "", {"reader"}, set[str]()),
        (AUTH0, "a0Client", "auth0|5f7c", {"reader"}, set[str]()),
        (AUTH0_ALONE, "a0Client", "", {"reader"}, set[str]()),
        (KEYCLOAK, "assistant", "f2d1", {"reader", "writer"}, {"sales", "sales/emea"}),
        (KEYCLOAK_ALONE, "robot", "", set[str](), set[str]()),
        (COGNITO, "1example", "aaaa-bbbb", {"reader"}, {"sales"}),
        ({"sub": "robot", "scope": "interlayer:reader"}, "robot", "", {"reader"}, set[str]()),
        (
            {"sub": "robot", "scope": "interlayer:reader interlayer:reader:restricted interlayer:eraser"},
            "robot",
            "",
            {"reader", "reader:restricted", "eraser"},
            set[str](),
        ),
    ],
)
def test_providers_name_agent_user_roles_and_teams_in_their_own_ways(
    claims: dict[str, Any], agent: str, user: str, roles: set[str], teams: set[str]
) -> None:
    found = caller(claims)
    assert (found.organization, found.agent, found.user, found.roles, found.teams) == (
        "acme",
        agent,
        user,
        roles,
        teams,
    )


def test_a_group_is_one_name_whatever_is_in_it() -> None:
    for groups in ("Sales Managers", ["Sales Managers"]):
        assert caller({**OKTA, "groups": groups}).teams == {"Sales Managers"}
    assert caller({**OKTA, "groups": ["sales\x1b[31m", "sa\nles", " ", "x" * 300, 7]}).teams == set()


def test_the_mapping_may_name_further_claims_of_groups() -> None:
    jwt = replace(JWT, mapping=IdentityMapping(group_claims=("https://acme.example/groups",)))
    claims = {**AUTH0, "https://acme.example/groups": ["sales"]}
    assert (caller(claims).teams, caller(claims, jwt).teams) == (set(), {"sales"})


def test_the_name_of_this_server_before_a_scope_is_taken_off() -> None:
    jwt = replace(JWT, audiences=("6e74-api", AUDIENCE))
    for scope in ("interlayer:reader", "6e74-api/interlayer:reader", f"{AUDIENCE}/interlayer:reader"):
        assert caller({"azp": "c", "sub": "ann", "scp": scope}, jwt).roles == {"reader"}
    assert not caller({"azp": "c", "sub": "ann", "scp": "api://other/interlayer:reader"}, jwt).roles


def test_a_token_has_to_be_meant_for_this_server() -> None:
    for claims in ({"aud": AUDIENCE}, {"aud": ["other", AUDIENCE]}, COGNITO):
        demand_audience(claims, JWT)
    other = {**COGNITO, "scope": "https://other.example/interlayer:reader interlayer:reader"}
    nobody = {"scope": f"{AUDIENCE}/interlayer:reader"}
    for claims in ({"aud": "other"}, {"aud": [AUDIENCE + "/"]}, {"aud": {AUDIENCE: 1}}, {"aud": []}, {}, nobody, other):
        with pytest.raises(TokenRefused, match="aud"):
            demand_audience(claims, JWT)


@pytest.mark.parametrize(
    "claims", [{"hasgroups": True}, {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}]
)
def test_groups_that_the_provider_keeps_back_are_told(claims: dict[str, Any]) -> None:
    found = caller({**ENTRA, "groups": None, **claims})
    assert (found.roles, found.teams) == ({"reader", "writer", "steward"}, set())
    assert "no group counts" in doubts({**ENTRA, **claims})[0]
    assert not doubts(ENTRA)


def test_a_delegated_token_names_who_acts_for_whom() -> None:
    act = {"sub": "desk-agent", "act": {"sub": "planner"}}
    found = caller({"client_id": "gateway", "sub": "ann", "scope": "interlayer:reader", "act": act})
    assert (found.agent, found.user, found.actors) == ("gateway", "ann", ("desk-agent", "planner"))
    assert caller({"sub": "ann", "act": act}).agent == "desk-agent"


@pytest.mark.parametrize("act", ["desk", {"act": {}}, {"sub": ""}, {"sub": "a\nb"}, [], {"sub": 7}])
def test_who_acts_is_a_chain_of_names_or_the_token_is_refused(act: Any) -> None:
    with pytest.raises(TokenRefused, match="act"):
        caller({"client_id": "gateway", "sub": "ann", "act": act})


def test_a_chain_of_actors_has_an_end() -> None:
    chain: dict[str, Any] = {"sub": "last"}
    for number in range(10):
        chain = {"sub": f"actor-{number}", "act": chain}
    with pytest.raises(TokenRefused, match="act"):
        caller({"client_id": "gateway", "sub": "ann", "act": chain})


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"azp": "c", "sub": "ann", "nonce": "n", "at_hash": "h"}, "nonce and at_hash"),
        ({"azp": "c", "sub": "ann", "nonce": "n", "roles": ["reader"]}, "ID token"),
        ({"azp": "c", "sub": "ann", "typ": "ID", "scope": "interlayer:reader"}, "ID token"),
        ({"azp": "c", "sub": "ann", "typ": "Refresh", "scope": "interlayer:reader"}, "refresh"),
        ({"sub": "ann", "token_use": "id"}, "ID token"),
        ({"sub": "ann", "events": {}}, "event"),
        ({"scope": "interlayer:reader"}, "no client"),
        ({"client_id": ["c"], "scope": [], "sub": "ann", "roles": ["steward"]}, "ID token"),
        # of Entra, for an application that is client and audience in one and asked with no nonce
        ({"tid": "72f9", "oid": "ann-oid", "sub": "pairwise-1", "ver": "2.0", "roles": ["steward"]}, "ID token"),
        ({"client_id": "a\nb"}, "client"),
        ({"client_id": "c", "sub": "x" * 300}, "sub"),
    ],
)
def test_a_token_for_something_else_is_refused_with_the_reason(claims: dict[str, Any], words: str) -> None:
    with pytest.raises(TokenRefused, match=words):
        caller(claims)


def test_a_nonce_beside_scopes_makes_no_id_token() -> None:
    assert caller({**AUTH0, "nonce": "n"}).roles == {"reader"}


@pytest.mark.parametrize("kind", ["oauth-id-jag+jwt", "logout+jwt", "dpop+jwt", 7])
def test_the_header_may_say_that_it_is_no_access_token(kind: Any) -> None:
    with pytest.raises(TokenRefused, match="typ"):
        demand_access_type({"typ": kind})
    for fine in ({}, {"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": "application/at+jwt"}):
        demand_access_type(fine)


def test_the_organization_is_what_the_named_claim_has_to_say() -> None:
    by_name, by_value = replace(JWT, organization_claim="org_id"), replace(JWT, organization_claim="tid")
    by_value = replace(by_value, organization_value="72f9")
    assert caller({**AUTH0, "org_id": "acme"}, by_name).organization == "acme"
    assert caller(ENTRA, by_value).organization == "acme"
    for claims, jwt in (
        (AUTH0, by_name),
        ({**ENTRA, "tid": "acme"}, by_value),
        ({"client_id": "c", "scope": "x"}, by_name),
        ({"client_id": "c", "scope": "x", "org_id": ["acme", "beta"]}, by_name),
        ({"client_id": "c", "scope": "x", "org_id": None}, by_name),
        ({"client_id": "c", "scope": "x", "organization": "beta", "org_id": "acme"}, by_name),
        ({**KEYCLOAK, "organization": {"beta": {}}}, JWT),
        ({**KEYCLOAK, "organization": ["acme", "beta"]}, JWT),
    ):
        with pytest.raises(TokenRefused, match="organization that this server is for"):
            caller(claims, jwt)


MAPPING = """
default_roles = ["reader"]
[groups.b1a2]
roles = ["writer"]
teams = ["sales"]
[app_roles."Interlayer.Steward"]
roles = ["steward"]
teams = ["policy"]
"""


def test_a_file_says_what_groups_and_app_roles_give(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(MAPPING, encoding="utf-8")
    jwt = replace(JWT, mapping=read_mapping(file))
    found = caller({"azp": "c", "sub": "ann", "groups": ["b1a2", "other"], "roles": ["Interlayer.Steward"]}, jwt)
    assert (found.roles, found.teams) == ({"reader", "writer", "steward"}, {"sales", "other", "policy"})
    assert caller({"azp": "c", "sub": "ann", "scope": "openid"}, jwt).roles == {"reader"}
    assert caller({"azp": "c", "sub": "ann", "realm_access": {"roles": ["Interlayer.Steward"]}}, jwt).teams == {
        "policy"
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("group = {}", "Did you mean groups"),
        ("groups = 7", "groups: is no table"),
        ("[groups]\na = 7", "groups.a: is no table"),
        ("[groups.a]\nrole = []", "Did you mean roles"),
        ("[groups.a]\nroles = ['king']", "groups.a.roles: unknown: king"),
        ("[app_roles.a]\nteams = 'sales'", "app_roles.a.teams: is no list"),
        ("default_roles = ['king']", "default_roles: unknown: king"),
        ("group_claims = 'groups'", "group_claims: is no list"),
        ("default_roles = [", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as raised:
        read_mapping(file)
    assert words in str(raised.value)
