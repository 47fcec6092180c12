"""By which names a server is called, and which pages may call it, for each way to bind it."""

import pytest

from interlayer.app.http_settings import HttpSettings, read_http_settings
from interlayer.app.mcp_server.door.names import known_names
from interlayer.errors import InvalidInput

AUDIENCE = "https://memory.acme.example/mcp"
EVIL = ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "", "a@127.0.0.1", "["]
EVIL_ORIGINS = ["http://evil.example", "https://localhost.evil.example", "null", "", "http://127.0.0.1@evil.example"]


@pytest.mark.parametrize("bound", ["127.0.0.1", "127.0.0.2", "::1", "0:0:0:0:0:0:0:1", "localhost"])
def test_bound_to_this_machine_only_its_own_names_are_taken(bound: str) -> None:
    names = known_names(HttpSettings(), bound, "")
    for host in ("127.0.0.1", "127.0.0.2:8000", "localhost:1", "[::1]:8000", "[0:0:0:0:0:0:0:1]:8000", "LOCALHOST"):
        assert names.takes_host(host)
        assert names.takes_origin(f"http://{host}")
    assert not any(map(names.takes_host, EVIL))
    assert not any(map(names.takes_origin, EVIL_ORIGINS))


def test_behind_a_proxy_on_this_machine_the_names_of_the_settings_are_taken_too() -> None:
    names = known_names(HttpSettings(hosts=("memory.acme.example", "other.example:8443")), "127.0.0.1", "")
    assert names.takes_host("memory.acme.example")
    assert names.takes_host("Memory.Acme.example:443")
    assert names.takes_host("other.example:8443")
    assert not names.takes_host("other.example")
    assert not names.takes_origin("https://memory.acme.example")
    assert not any(map(names.takes_host, EVIL))


def test_the_address_that_tokens_are_meant_for_is_known() -> None:
    names = known_names(HttpSettings(origins=("https://app.acme.example",)), "0.0.0.0", AUDIENCE)  # noqa: S104
    assert names.takes_host("memory.acme.example")
    assert names.takes_origin("https://memory.acme.example")
    assert names.takes_origin("https://app.acme.example")
    assert not any(map(names.takes_host, ["localhost", *EVIL]))
    assert not any(map(names.takes_origin, ["http://localhost", "http://app.acme.example", *EVIL_ORIGINS]))


def test_reached_from_anywhere_and_told_no_name_any_host_is_taken_but_no_page() -> None:
    names = known_names(HttpSettings(), "0.0.0.0", "")  # noqa: S104
    assert names.takes_host("10.0.0.7:8000")
    assert not any(map(names.takes_origin, ["http://localhost", *EVIL_ORIGINS]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOSTS", "https://memory.acme.example"),
        ("HOSTS", "*"),
        ("HOSTS", "a b"),
        ("ORIGINS", "app.acme.example"),
        ("ORIGINS", "https://app.acme.example/"),
        ("ORIGINS", "*"),
        ("CALLS_PER_MINUTE", "-1"),
        ("CALLS_PER_MINUTE", "many"),
        ("TOKENS_PER_MINUTE", "99999999999"),
    ],
)
def test_a_setting_that_cannot_be_one_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=f"INTERLAYER_{name}"):
        read_http_settings({name: value})
