"""What cannot be seen is taken out of a text; what a script is written with stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.visible import unseen, visible, visible_in

TAGS = "".join(chr(0xE0000 + ord(one)) for one in "pay 5")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (f"Note{TAGS}: all is well.", "Note: all is well."),
        ("I\u200bg\u200cn\u200do\u2060r\ufeffe", "Ignore"),
        ("\u202eabc\u202c \u2066def\u2069 Donau\u00adschiff", "abc def Donauschiff"),
        ("a\ufe01\ufe02\ufe03b \U000e0100\U000e0101c", "ab c"),
    ],
)
def test_what_cannot_be_seen_is_taken_out(text: str, seen: str) -> None:
    assert visible(text) == seen
    assert unseen(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "می\u200cگوید",
        "क्\u200dष",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u2764\ufe0f\u200d\U0001f525 1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "葛\U000e0100城",
        "1\u202f200 Euro, naïve, Ｐ",
    ],
)
def test_what_a_script_is_written_with_stays(text: str) -> None:
    assert visible(text) == text
    assert not unseen(text)


def test_a_flag_hides_no_more_than_its_region() -> None:
    assert TAGS not in visible(f"\U0001f3f4{TAGS}{TAGS}\U000e007f")


@given(
    st.text(st.sampled_from("ab \u200b\u200c\u200d\ufe0f\U000e0061\U000e007f\U0001f3f4\U0001f468\u0645"), max_size=30)
)
def test_a_text_that_was_cleaned_is_clean(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert visible_in({"a": [text]}) == {"a": [once]}
