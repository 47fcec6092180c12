"""A long section is delivered in parts, each of which says by itself what it is about."""

import re

from hypothesis import given
from hypothesis import strategies as st

from interlayer.text.budget import text_tokens
from interlayer_policies.document.policy import Section
from interlayer_policies.document.sections import PART_TOKENS_MAX, divide, split_sections, whole_section

SENTENCE = "The price of an order of this size is confirmed by the head of sales before it is sent. "


def parts(text: str) -> list[Section]:
    return divide(Section("volume-tiers", "Volume tiers", text, 5))


def test_a_section_that_fits_stays_whole() -> None:
    assert [one.id for one in parts(SENTENCE)] == ["volume-tiers"]
    assert parts(SENTENCE)[0].title == "Volume tiers"


def test_each_part_has_an_id_a_title_and_its_line() -> None:
    found = parts("\n\n".join([SENTENCE * 8] * 5))
    assert [one.id for one in found] == ["volume-tiers", *(f"volume-tiers.{n}" for n in range(2, len(found) + 1))]
    assert [one.title for one in found] == [f"Volume tiers ({n} of {len(found)})" for n in range(1, len(found) + 1)]
    assert found[0].line == 5
    assert sorted(one.line for one in found) == [one.line for one in found]
    assert {whole_section(one.id) for one in found} == {"volume-tiers"}
    assert whole_section("prices#volume-tiers.3") == "prices#volume-tiers"
    assert whole_section("hr-7.2#leave.2") == "hr-7.2#leave", "the dot of a policy's id is none of a part"


def test_a_table_is_cut_between_rows_and_each_part_has_its_head() -> None:
    head = "| Tier | Units | Who |\n| --- | --- | --- |"
    rows = [f"| {n} | {n}000 | {SENTENCE.strip()} |" for n in range(40)]
    found = parts("\n".join(["Our tiers:", "", head, *rows]))
    assert len(found) > 2
    assert all(head in one.text for one in found)
    assert [row for one in found for row in one.text.splitlines() if re.match(r"\| \d", row)] == rows


def test_entries_keep_the_line_that_introduces_them_and_their_heading() -> None:
    entries = [f"- Never promise refund {n}. {SENTENCE}" for n in range(40)]
    found = parts("\n".join(["### Refunds", "", "Intro. When you answer as the billing bot:", "", *entries]))
    assert len(found) > 2
    for one in found[1:]:
        assert one.text.startswith("### Refunds\nWhen you answer as the billing bot:\n- Never promise")
    nested = parts("\n".join(["- In Norway:", *(f"  - Never {n}. {SENTENCE}" for n in range(40))]))
    assert all(one.text.startswith("- In Norway:") for one in nested)


def test_code_is_kept_whole_and_a_heading_with_what_stands_under_it() -> None:
    code = "\n".join(["````py", *["x = 1  # a comment"] * 40, "```", "````"])
    found = parts("\n\n".join([SENTENCE * 14, "### Code", code, SENTENCE * 14]))
    assert sum(code in one.text for one in found) == 1
    assert not any(one.text.rstrip().endswith("### Code") for one in found)
    endless = parts("\n".join(["```", *["y = 2  # another comment"] * 200, "```"]))
    assert all(one.text.startswith("```\n") and one.text.endswith("\n```") for one in endless)


def test_a_paragraph_without_end_is_cut_between_sentences_or_words() -> None:
    for text in (SENTENCE * 60, "word " * 2_000, "返金は十日以内に行う。" * 200, "字" * 3_000):
        found = parts(text)
        assert max(text_tokens(one.text) for one in found) <= PART_TOKENS_MAX + 1
        assert re.sub(r"\s", "", "".join(one.text for one in found)) == re.sub(r"\s", "", text)


_LINES = st.sampled_from(
    ["", "### Deep", "- entry " + "word " * 30, "  - inner " + "word " * 30, "text " * 60, "| a | b |", "|---|---|",
     "| 1 | " + "cell " * 50 + "|", "```", "~~~~", "Intro:", "1. step " + "word " * 20]
)  # fmt: skip


@given(st.lists(_LINES, max_size=60))
def test_no_line_is_lost_and_parts_are_about_as_long_as_they_may_be(lines: list[str]) -> None:
    text = "\n".join(lines).strip()
    found = divide(Section("s", "S", text, 1))
    said = "\n".join(one.text for one in found)
    for line in set(lines):
        assert said.count(line.strip()) >= text.count(line.strip()) or not line.strip()
    assert len({one.id for one in found}) == len(found)


def test_fences_within_fences_hold_no_headings_and_ids_are_of_any_script() -> None:
    lines = [
        "# T",
        "````md",
        "```",
        "## no heading",
        "```",
        "````",
        "## 期限",
        "a",
        "## Größe&nbsp;<b>X</b>",
        "b",
        "## 🚀",
        "c",
    ]
    title, found = split_sections(lines, 1)
    assert title == "T"
    assert [one.id for one in found] == ["overview", "期限", "grosse-x", "section"]
