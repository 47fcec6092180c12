"""What is kept of a content beside its statements: words, few of them, and none once a statement is forgotten."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.terms import content_words
from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize.reading.context import context_of

pytestmark = pytest.mark.anyio

CONTENT = "How do you take returns? Only with a signed form. And who signs it? The warehouse manager does."


def test_the_words_between_statements_stay_with_their_places() -> None:
    first = CONTENT.index("Only"), CONTENT.index(" And")
    second = CONTENT.index("The warehouse"), len(CONTENT)
    assert context_of(CONTENT, [second, first]) == ((0, "take returns"), (first[1], "signs"))
    assert context_of(CONTENT, [(0, len(CONTENT))]) == ()
    assert context_of("", []) == ()


@given(st.text(max_size=300), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6))
def test_context_holds_no_more_than_words_of_the_content(content: str, spans: list[tuple[int, int]]) -> None:
    found = context_of(content, [(min(one), max(one)) for one in spans])
    assert [place for place, _ in found] == sorted(place for place, _ in found)
    assert sum(len(text.split()) for _, text in found) <= 400
    held = {part for word in content_words(content) for part in word.split()}
    assert all(len(text.split()) <= 30 for _, text in found)
    if not spans:
        assert {word for _, text in found for word in text.split()} <= held


async def test_forgetting_a_fact_lets_the_words_beside_it_go(room: Any) -> None:
    made = await room.memorize("company:acme.example", content=CONTENT)
    known = next(iter(await room.entities.heads("acme", [EntityId(*made["entity"]["ref"].split(":", 1))])))
    before = [entry.context for entry in await room.entities.log("acme", known)]
    assert any("returns" in text for context in before for _, text in context)
    await room.forgetter.forget(room.principal, fact_id=made["facts"][0]["fact_id"], reason="asked to")
    known = next(iter(await room.entities.heads("acme", [EntityId(*made["entity"]["ref"].split(":", 1))])))
    assert [entry.context for entry in await room.entities.log("acme", known)] == [()]
