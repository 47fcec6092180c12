"""Settings: flags before environment before file before default, and mistakes named with their remedy."""

from pathlib import Path

import pytest

from interlayer.app.identity_provider import Jwt
from interlayer.app.mcp_server.transports import parse_address
from interlayer.app.settings import load
from interlayer.errors import InvalidInput, Refused


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    config = tmp_path / "interlayer.toml"
    config.write_text('org = "from-file"\nagent = "from-file"\nhome = "/srv/from-file"\n', encoding="utf-8")
    environment = {"INTERLAYER_CONFIG": str(config), "INTERLAYER_ORG": "from-env", "INTERLAYER_AGENT": "from-env"}
    settings = load({"ORG": "from-flag", "AGENT": None}, environment)
    assert settings.principal.organization == "from-flag"
    assert settings.principal.agent == "from-env"
    assert settings.home == Path("/srv/from-file")


def test_the_defaults_are_a_local_caller_with_every_role_but_one() -> None:
    principal = load({}, {"INTERLAYER_CONFIG": "/nowhere"}).principal
    assert (principal.organization, principal.agent) == ("default", "local")
    assert {"reader", "reader:restricted", "writer", "eraser", "steward"} <= principal.roles
    assert "privacy" not in principal.roles


def test_the_role_for_the_data_of_persons_is_given_by_name() -> None:
    given = {"INTERLAYER_CONFIG": "/nowhere", "INTERLAYER_ROLES": "reader, reader:personal, privacy"}
    assert load({}, given).principal.roles == {"reader", "reader:personal", "privacy"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STORE", "postgres://x", "dynamodb://TABLE_PREFIX"),
        ("STORE", "dynamodb://", "begin the name of a table"),
        ("STORE", "dynamodb://a/b", "sqlite"),
        ("STORE", "dynamodb://a?regio=eu", "region"),
        ("STORE", "dynamodb://a?region=", "empty"),
        ("STORE", "dynamodb://a?region=x&region=y", "twice"),
        ("STORE", "dynamodb://a?endpoint_url=localhost:8000", "http"),
        ("VECTORS", "s3://", "s3://BUCKET/PREFIX"),
        ("VECTORS", "s3+ddb://bucket/x", "ddbTableName"),
        ("VECTORS", "s3://bucket/x?ddbTableName=t", "s3+ddb"),
        ("VECTORS", "gs://bucket/x", "s3://BUCKET/PREFIX"),
        ("EMBEDDER", "two words", "litellm"),
        ("EMBEDDER_FOLDER", "/nowhere/at/all", "folder"),
        ("EMBEDDER_API_BASE", "ftp://x", "https"),
        ("EMBEDDER_API_BASE", "https://user:hunter2@host/v1", "has a user in it"),
        ("AUTH", "basic", "keys"),
        ("AUTH", "jwt", "AUTH_ISSUER"),
        ("ROLES", "reader,king", "king"),
        ("USER", "a#b", "no name"),
        ("ORG", "a#b", "no name"),
        ("LOG_LEVEL", "LOUD", "WARNING"),
        ("ANSWERS", "json", "both, text, structured"),
        ("STALE_SECONDS", "-1", "0 refuses"),
        ("STALE_SECONDS", "86401", "0 refuses"),
        ("STALE_SECONDS", "5m", "0 refuses"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(name: str, value: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"INTERLAYER_{name}") as raised:
        load({}, {f"INTERLAYER_{name}": value, "INTERLAYER_CONFIG": "/nowhere"})
    assert words in str(raised.value)


def test_tokens_of_an_identity_provider_are_of_an_organization_that_is_named() -> None:
    names = ("ISSUER", "AUDIENCE", "JWKS")
    given = {f"INTERLAYER_AUTH_{name}": f"https://login.acme.example/{name}" for name in names}
    given |= {"INTERLAYER_AUTH": "jwt", "INTERLAYER_CONFIG": "/nowhere"}
    with pytest.raises(InvalidInput, match="INTERLAYER_ORG"):
        load({}, given)
    for claim, name, value in (("", "", ""), ("org_id", "org_id", ""), ("tid=72f9", "tid", "72f9")):
        auth = load({}, {**given, "INTERLAYER_ORG": "acme", "INTERLAYER_AUTH_ORG_CLAIM": claim}).auth
        assert isinstance(auth, Jwt)
        assert (auth.organization_claim, auth.organization_value) == (name, value)


def test_an_issuer_without_an_address_of_keys_is_asked_for_it_and_never_in_the_clear() -> None:
    given = {"AUTH": "jwt", "ORG": "acme", "CONFIG": "/nowhere", "AUTH_AUDIENCE": "6e74, https://acme.example/mcp"}
    settings = {f"INTERLAYER_{name}": value for name, value in given.items()}
    auth = load({}, {**settings, "INTERLAYER_AUTH_ISSUER": "https://login.acme.example"}).auth
    assert isinstance(auth, Jwt)
    assert (auth.jwks, auth.audiences, auth.audience) == ("", ("6e74", "https://acme.example/mcp"), auth.audiences[1])
    with pytest.raises(InvalidInput, match="INTERLAYER_AUTH_ISSUER"):
        load({}, {**settings, "INTERLAYER_AUTH_ISSUER": "http://login.acme.example"})
    with pytest.raises(InvalidInput, match="INTERLAYER_AUTH_AUDIENCE"):
        load({}, {**settings, "INTERLAYER_AUTH_ISSUER": "https://a.example", "INTERLAYER_AUTH_AUDIENCE": " , "})


def test_a_local_caller_works_for_a_person() -> None:
    named = {"INTERLAYER_CONFIG": "/nowhere", "INTERLAYER_USER": "ann@acme.example", "INTERLAYER_TEAMS": "sales,emea"}
    principal = load({}, named).principal
    assert (principal.user, principal.teams) == ("ann@acme.example", {"sales", "emea"})
    assert load({}, {"INTERLAYER_CONFIG": "/nowhere"}).principal.user == ""


def test_the_tables_of_dynamodb_are_named_with_region_and_endpoint() -> None:
    url = "dynamodb://acme-prod?region=eu-central-1&endpoint_url=http://127.0.0.1:8000"
    store = load({}, {"INTERLAYER_STORE": url, "INTERLAYER_CONFIG": "/nowhere"}).store
    assert store is not None
    assert (store.table("audit"), store.region, store.endpoint_url) == (
        "acme-prod-audit",
        "eu-central-1",
        "http://127.0.0.1:8000",
    )
    assert load({}, {"INTERLAYER_CONFIG": "/nowhere"}).store is None


def test_an_unknown_setting_in_the_file_names_the_nearest(tmp_path: Path) -> None:
    config = tmp_path / "interlayer.toml"
    config.write_text('hom = "/tmp"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="home"):
        load({}, {"INTERLAYER_CONFIG": str(config)})


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "192.168.1.4:8000", "example.com:80", "[::]:80"])
def test_only_loopback_is_bound_without_authentication(address: str) -> None:
    with pytest.raises(Refused, match="authentication"):
        parse_address(address)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:80", ("::1", 80)),
        (":80", ("127.0.0.1", 80)),
    ],
)
def test_an_address_is_host_and_port(address: str, place: tuple[str, int]) -> None:
    assert parse_address(address) == place


@pytest.mark.parametrize("address", ["8000", "localhost", "localhost:x", "localhost:0", "localhost:70000"])
def test_what_is_no_address_says_how_one_looks(address: str) -> None:
    with pytest.raises(InvalidInput, match="127.0.0.1:8000"):
        parse_address(address)


@pytest.mark.parametrize(("given", "seconds"), [({}, 300), ({"STALE_SECONDS": "0"}, 0), ({"STALE_SECONDS": "60"}, 60)])
def test_the_last_good_policies_serve_for_as_long_as_is_set(given: dict[str, str], seconds: int) -> None:
    assert load(given, {"INTERLAYER_CONFIG": "/nowhere"}).stale_seconds == seconds


def test_models_are_asked_in_the_order_in_which_they_are_named() -> None:
    given = {"MODEL": "openai/a, anthropic/b,openai/a", "MODEL_TIMEOUT": "12.5", "MODEL_DAILY_COST": "3.5"}
    model = load({}, {f"INTERLAYER_{name}": value for name, value in given.items()}).model
    assert (model.models, model.timeout_s, model.daily_cost) == (("openai/a", "anthropic/b"), 12.5, 3.5)
    assert load({}, {}).model.models == ()
    assert "k3y" not in repr(load({}, {"INTERLAYER_MODEL_API_KEY": "k3y"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL", "none,openai/a"),
        ("MODEL", "a model"),
        ("MODEL_API_BASE", "localhost:8000"),
        ("MODEL_API_BASE", "http://user:secret@host/v1"),
        ("MODEL_TIMEOUT", "0"),
        ("MODEL_RETRIES", "-1"),
        ("MODEL_PASSAGE", "100"),
        ("MODEL_OUTPUT_TOKENS", "0"),
        ("MODEL_RATE", "fast"),
        ("MODEL_DAILY_TOKENS", "1e6"),
        ("MODEL_DAILY_COST", "nan"),
    ],
)
def test_a_model_setting_that_does_not_hold_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=f"INTERLAYER_{name}") as raised:
        load({}, {f"INTERLAYER_{name}": value})
    assert "secret" not in str(raised.value)
