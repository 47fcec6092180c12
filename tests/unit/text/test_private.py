"""Secrets are told by their shape, blotted out in place, and everyday words are not taken for them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.private import MASK, masked, untellable

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAx\nq83vEjRWeJq83vEj\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("The key is AKIAQWERTYUIOPASDFGH today.", "AKIAQWERTYUIOPASDFGH"),
        ("Token ghp_abcdefghijklmnopqrstuvwxyz0123456789 works", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("card 4111 1111 1111 1111 on file", "4111 1111 1111 1111"),
        ("card 4111\u00a01111\u00a01111\u00a01111 on file", "4111\u00a01111\u00a01111\u00a01111"),
        ("card 5500-0055-5555-5559.", "5500-0055-5555-5559"),
        ("amex 378282246310005", "378282246310005"),
        (f"take {PEM} now", PEM),
        (f"take {PEM} now".replace("\n", "\\n"), "MIIEpAIBAAKCAQEAx"),
        (f"take {PEM[:70]}", "MIIEpAIBAAKCAQEAx"),
        ("see postgres://app:s3cr3t@db.example/prod", "s3cr3t"),
        ("The password for the portal is Winter26!", "Winter26!"),
        ("db_password=hunter2x and go", "hunter2x"),
        ("Das Passwort lautet Herbst2027.", "Herbst2027"),
        ("Mot de passe : Automne2027", "Automne2027"),
        ("La contraseña es Otoño2027!", "2027"),
        ("密码：Qiutian2027!", "Qiutian2027"),
        ("パスワードはAki20270!です", "Aki20270"),
        ("Login: root / herbst-77x", "herbst-77x"),
        ("Authorization: Bearer abcdefghijklmnopqrstuv0123", "abcdefghijklmnopqrstuv0123"),
        ("api key: correct-horse-battery", "correct-horse-battery"),
    ],
)
def test_a_secret_is_blotted_out_in_place(text: str, secret: str) -> None:
    hidden = masked(text)
    assert secret not in hidden
    assert len(hidden) == len(text)
    assert masked(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "The password is required.",
        "The password is case-sensitive!",
        "Login: shop.example.com/path1234",
        "Das Passwort ist vergessen.",
        "Their API key is rate-limited to a thousand calls.",
        "Call +4915112345678 or +1 (206) 555-0100.",
        "Invoice 4111111111111112 is open.",
        "It happened at 1719839283726 ms.",
        "The token economy grew by 12%.",
        "See https://acme.example/docs and ann@acme.example.",
        "Sort key and primary key are set.",
    ],
)
def test_everyday_words_and_numbers_are_no_secrets(text: str) -> None:
    assert masked(text) == text


@given(st.text(max_size=300))
def test_places_are_in_order_and_apart(text: str) -> None:
    ends = [0]
    for start, end in untellable(text):
        assert ends[-1] <= start < end <= len(text)
        ends.append(end)
    assert len(masked(text)) == len(text)


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_secret_is_found_wherever_it_stands(before: str, after: str) -> None:
    assert "AKIAQWERTYUIOPASDFGH" not in masked(f"{before} AKIAQWERTYUIOPASDFGH {after}")
    assert MASK in masked(f"{before} AKIAQWERTYUIOPASDFGH {after}")


@pytest.mark.parametrize(
    "unit",
    ["-----BEGIN PRIVATE KEY-----\n", "password ", "password: ", "api_key for ", "a://b:", "1 ", "4111 ", "Bearer "],
)
def test_no_text_of_the_largest_size_takes_long(unit: str) -> None:
    text = (unit * (200_000 // len(unit) + 1))[:200_000]
    start = time.process_time()
    untellable(text)
    assert time.process_time() - start < 5
