"""Passages of a long text: nothing is lost between them, and each begins where a sentence does."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.passages import passages
from interlayer.text.sentences import sentences

TEXT = st.lists(
    st.sampled_from(["Acme sells pumps. ", "It is in Oslo. ", "x" * 70 + " ", "\n\n", "Ann: yes.\n"]), max_size=40
)


@given(TEXT.map("".join), st.integers(20, 120), st.integers(0, 19))
def test_passages_hold_every_character_in_order(text: str, size: int, overlap: int) -> None:
    found = list(passages(text, size, overlap))
    assert all(len(one) <= size for one in found)
    end = 0
    for one in found:
        start = next(at for at in range(end, max(end - overlap, 0) - 1, -1) if text.startswith(one, at))
        assert start <= end
        end = start + len(one)
    assert end == len(text)


def test_passages_are_cut_between_sentences_and_overlap() -> None:
    text = " ".join(f"Plant {number} makes pumps." for number in range(40))
    found = list(passages(text, 200, 60))
    starts = {one.start for one in sentences(text)}
    assert all(text.index(one) in starts for one in found)
    assert all(one.split(".")[-3].strip() in other for one, other in pairwise(found))
