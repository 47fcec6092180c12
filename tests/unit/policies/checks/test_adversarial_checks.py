"""Checks against tricks of writing, numbers in every dress, identifiers of several countries, and ordinary texts."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer_policies.checks.checks import compiled
from interlayer_policies.checks.draft import Draft
from interlayer_policies.governance import PolicyFile, lint


def found(kind: str, text: str, /, **options: Any) -> list[str]:
    return [text[span.start : span.end] for span in compiled(kind, options)(Draft(text))]


INVISIBLE = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202e", "\u2066", "\u061c",
    "\u034f", "\u180e", "\u3164", "\x00", "\x08", "\u0301", "\u0336", "\u20dd", "\ufe0f", "\U000e0041",
]  # fmt: skip
ALIKE = {
    "a": "аɑαᴀａ𝐚ⓐáᵃ🅰🇦", "c": "сᴄｃ𝓬ⓒçᶜ", "e": "еεᴇｅ𝖊ⓔéᵉҽ", "i": "іιıɪｉ𝒊ⓘïⁱ", "n": "ηոɴｎ𝕟ⓝñⁿ", "o": "оοօᴏｏ𝗼ⓞöᵒø",
    "r": "ʀｒ𝚛ⓡřʳ", "s": "ѕꜱｓ𝘴ⓢšˢ", "t": "тτᴛｔ𝔱ⓣťᵗŧ", "u": "υսᴜｕ𝙪ⓤüᵘ", "g": "ɡցɢｇ𝗴ⓖğᵍԍ",
}  # fmt: skip


@pytest.mark.parametrize("invisible", INVISIBLE, ids=lambda one: f"U+{ord(one):04X}")
def test_no_invisible_character_hides_a_term_a_number_or_an_identifier(invisible: str) -> None:
    def within(text: str) -> str:
        return invisible.join(text)

    assert found("forbid_terms", f"We {within('guarantee')} it", terms=["guarantee"])
    assert found("max_number", f"{within('30')}{invisible}% off", unit="%", max=15)
    assert found("forbid_pattern", within("act now"), pattern=r"\bact now\b")
    assert found("pii", within("ann@acme.example"), kinds=["email"])
    assert found("pii", within("4111111111111111"), kinds=["card"])
    assert found("secrets", within("AKIAIOSFODNN7EXAMPLE"))
    assert not found("require_text", within("reply stop"), text="Reply STOP")


@pytest.mark.parametrize("letter", ALIKE)
def test_no_letter_that_looks_like_another_hides_a_term(letter: str) -> None:
    term = "unrestricting cargo"
    for alike in ALIKE[letter]:
        text = term.replace(letter, alike)
        assert found("forbid_terms", f"an {text}!", terms=[term]) == [text], (alike, unicodedata.name(alike))


TRICKS = st.sampled_from([c for c in INVISIBLE if unicodedata.category(c) not in {"Mn", "Me"}])
PIECES = st.lists(
    st.one_of(
        st.sampled_from(["guarantee", "30% off", "ann@acme.example", "act now"]), st.text("xyz .,\n🙂", max_size=9)
    ),
    max_size=6,
)


@given(PIECES, st.data())
def test_what_is_found_stands_exactly_there_whatever_is_slipped_in(pieces: list[str], data: st.DataObject) -> None:
    plain = " ".join(pieces)
    gaps = data.draw(st.lists(st.text(TRICKS, max_size=2), min_size=len(plain), max_size=len(plain)))
    text = "".join(character + gap for character, gap in zip(plain, gaps, strict=True))
    tricks = {ord(c): None for c in INVISIBLE}
    for kind, options in (
        ("forbid_terms", {"terms": ["guarantee"]}),
        ("forbid_pattern", {"pattern": "act now"}),
        ("max_number", {"unit": "%", "max": 15}),
        ("pii", {"kinds": ["email"]}),
    ):
        bare = found(kind, plain, **options)
        shown = found(kind, text, **options)
        assert [one.translate(tricks) for one in shown] == bare
        draft = Draft(text)
        for span in compiled(kind, options)(draft):
            excerpt = draft.excerpt(span)
            assert excerpt == text[span.start : span.end] or (len(excerpt) == 80 and excerpt.endswith("…"))
            assert span.start == 0 or text[span.start] not in INVISIBLE, "it begins with what is seen"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no guarantor, ungaranteed", []),
        ("guarantee\u0301 it", ["guarantee\u0301"]),
        ("\u202eguarantee\u202c", ["guarantee"]),
        ("the guarantee's end", ["guarantee's"]),
        ("pre-guarantee_d", ["guarantee"]),
        ("guarantee1", []),
        ("ﬁnal oﬀer", ["ﬁnal oﬀer"]),
        ("“final” offer", []),
        ("R＆D and r&d, not R & D", ["R＆D", "r&d"]),
    ],
)
def test_terms_end_where_words_end(text: str, expected: list[str]) -> None:
    assert found("forbid_terms", text, terms=["guarantee", "final offer", "R&D"]) == expected


def test_required_text_may_be_set_in_other_quotes_and_dashes() -> None:
    required = "Don't reply - it's \"automatic\""
    assert found("require_text", "x Don’t reply – it’s “automatic”.", text=required) == []
    assert found("require_text", 'Dont reply - it\'s "automatic"', text=required) == [""]


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        ("%", "30%", 30), ("%", "30 %", 30), ("%", "30pct", 30), ("%", "30 percentage points", 30), ("%", "٣٠٪", 30),
        ("%", "３０％", 30), ("%", "thirty-five percent", 35), ("%", "a hundred percent", 100), ("%", "15,5 %", 15.5),
        ("%", "99.999%", 99.999), ("%", "ninety nine per cent", 99), ("%", "−30%", 30), ("%", "half off", 50),
        ("€", "€5.000,00", 5_000), ("€", "5.000 €", 5_000),
        ("€", "1.234.567,89 EUR", 1_234_567.89), ("€", "EUR5000", 5_000),
        ("€", "5 000 euros", 5_000), ("€", "5'000 €", 5_000), ("€", "5,50 €", 5.5), ("€", "0.125 €", 0.125),
        ("$", "$1,234.56", 1_234.56), ("$", "US$ 1.2M", 1.2e6), ("$", "$1.2 m", 1.2e6), ("$", "USD 450K", 450e3),
        ("$", "2 bn dollars", 2e9), ("$", "two billion dollars", 2e9), ("$", "$3 hundred", 300),
        ("$", "1.5 million USD", 1.5e6),
        ("$", "one hundred and five thousand dollars", 105_000), ("$", "A$40", 40), ("₹", "₹1,00,000", 100_000),
        ("₹", "2 crore rupees", 2e7), ("£", "£20", 20), ("¥", "5,000 yen", 5_000), ("CHF", "CHF 1’500", 1_500),
        ("days", "30-day", 30), ("days", "45 business days", 45), ("m", "30 m", 30), ("kg", "1,5 kg", 1.5),
        ("", "1_000", 1), ("", "12,500", 12_500), ("", "1 000 000", 1e6), ("", "two hundred", 200),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_meant(unit: str, text: str, value: float) -> None:
    given_text = f"We say {text} today."
    assert found("max_number", given_text, unit=unit, max=value - 0.001), "it is not less"
    assert not found("max_number", given_text, unit=unit, max=value + 0.001), "nor more"


@pytest.mark.parametrize(
    ("kind", "unit", "limit", "text", "expected"),
    [
        ("max", "%", 20, "between 10 and 30 percent", ["30 percent"]),
        ("max", "%", 35, "between ten and thirty percent", []),
        ("max", "%", 20, "between ten and thirty percent", ["thirty percent"]),
        ("min", "%", 15, "between 10 and 30 percent", ["10"]),
        ("min", "%", 15, "10-30%", ["10"]),
        ("min", "days", 20, "from 10 to 30 days", ["10"]),
        ("min", "days", 20, "ten to thirty days", ["ten"]),
        ("max", "$", 20, "$10–30 a seat", ["30"]),
        ("max", "€", 20, "€10 to 30", ["30"]),
        ("max", "%", 20, "we ship 500 and 10% is off", []),
        ("max", "%", 20, "order 4500 - 10% off", []),
        ("max", "%", 20, "10, 20 and 30 %", ["30 %"]),
        ("max", "", 20, "Q40, v30, B2B, A4, ISO27001", []),
        ("max", "", 20, "version 1.20.3 of 12.05.2026", []),
        ("max", "days", 20, "v30 days", []),
        ("max", "%", 15, "discount of 30 %0", ["30 %"]),
    ],
)
def test_ranges_have_one_unit_and_names_are_no_numbers(
    kind: str, unit: str, limit: float, text: str, expected: list[str]
) -> None:
    assert found(f"{kind}_number", text, unit=unit, **{kind: limit}) == expected


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("The discount that we talked about at such length with all of your many colleagues is now 30%.", True),
        ("30% dis\u200bcounts", True),
        ("The uptime is 99%. We offer no discount.", False),
        ("99% of all invoices are paid, discount or not", False),
    ],
)
def test_near_is_the_clause_that_a_figure_stands_in(text: str, near: bool) -> None:
    assert bool(found("max_number", text, unit="%", near=["discount"], max=15)) is near


CARDS = ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111.1111.1111.1111", "4111–1111–1111–1111", "4111111111111111",
         "4111  1111  1111  1111", "3782 822463 10005", "378282246310005", "3056 930902 5904", "5555 5555 5555 4444",
         "2223 0031 2200 3222", "6011 1111 1111 1117", "3530 1113 3330 0000", "٤١١١ ١١١١ ١١١١ ١١١١"]  # fmt: skip
PHONES = ["+1 (206) 555-0100", "(206)555-0100", "206.555.0100", "206–555–0100", "1-800-555-0199", "+49 (0)30 901820",
          "+49 30/901820", "0049 30 901820", "030 9018200", "0151 23456789", "+33 1 23 45 67 89", "01 23 45 67 89",
          "06.12.34.56.78", "+44 20 7946 0958", "020 7946 0958", "(020) 7946 0958", "07700 900123", "+34 612 345 678",
          "+39 06 1234 5678", "+351 912 345 678", "+12065550100"]  # fmt: skip
NATIONAL = ["123-45-6789", "123 45 6789", "AB 12 34 56 C", "ab123456c", "86 095 742 719", "47036892816",
            "2 69 05 49 588 157 80", "269054958815780", "RSSMRA85T10A562S", "rssmra85t10a562s", "12345678Z",
            "12345678-Z", "12.345.678-Z", "X1234567L", "Y-1234567-X"]  # fmt: skip
IBANS = ["DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "de89 3704 0044 0532 0130 00",
         "GB29 NWBK 6016 1331 9268 19",
         "FR14 2004 1010 0505 0001 3M02 606", "IT60 X054 2811 1010 0000 0123 456", "ES91 2100 0418 4502 0005 1332",
         "NO93 8601 1117 947", "NL91-ABNA-0417-1643-00"]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "written"),
    [(kind, one) for kind, many in
     {"card": CARDS, "phone": PHONES, "national_id": NATIONAL, "iban": IBANS}.items() for one in many],
)  # fmt: skip
def test_an_identifier_is_found_however_it_is_written_and_nothing_around_it(kind: str, written: str) -> None:
    for text in (f"It is {written} from now on.", f"({written}), please", written):
        assert found("pii", text, kinds=[kind]) == [written]


@pytest.mark.parametrize("text", ["call me at 2065550100", "Tel.: 612 345 678", "phone number is 555 0100 22"])
def test_what_is_called_a_phone_is_one(text: str) -> None:
    assert len(found("pii", text, kinds=["phone"])) == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("card", "4111 1111 1111 1112"),
        ("national_id", "86 095 742 718 and 12345678A, 2 69 05 49 588 157 81, RSSMRA85T10A562T, GB 12 34 56 C"),
        ("iban", "DE89 3704 0044 0532 0130 01, DE89 3704 0044 0532 0130, ZZ89 3704 0044 0532 0130 00"),
    ],
)
def test_one_wrong_digit_is_none(kind: str, text: str) -> None:
    assert found("pii", text, kinds=[kind]) == []


ORDINARY = [
    "Hi Ann, your order 4455667788 shipped on 2026-11-23 at 10:15; invoice INV-2026-004417 follows by 05.12.2026.",
    "Version 3.11.4 replaces 3.10.12. Build 20261123.4 passed 1,234 of 1,240 tests in 00:12:45.",
    "Revenue grew from 12,400,000 to 15,600,000, that is +3 200 000, in FY2025/26 (Q3: 4,100,000).",
    "Meet us on 12/05/2026 from 09:00-17:30 in room 204, building 7, or on 01-02-2026 and 03-04-26.",
    "The part number is 978-3-16-148410-0, serial SN-0042-7781-99X, EAN 4006381333931.",
    "Ticket #100234 was opened 1719839283726 ms after the epoch; trace id 5f2b9c7a-4d1e-4c3b-9a77-0c1de2f3a4b5.",
    "Ship 2 x 500 units at 12.50 each, 3 pallets of 120 x 80 x 145 cm, 24/7 support, ISO 27001, SOC 2, RFC 9110.",
    "Our reference: 2026/11/000451. Customer number 10045219, contract 77-4410-22, account manager Bob.",
    "Coordinates 48.137154, 11.576124; pi is 3.14159265358979; the checksum is 9f86d081884c7d659a2feaa0c55ad015.",
    "Call before 5 pm on 2026-11-23. Please text the team on 12.05.2026 about ticket 5512.",
    "Reset your password: the link is below. The token budget is 2000, the key idea is simple.",
    "Room 0123, 0.5 mg, 007, 00:45, 0800 hours, 1-2-3, 10-20-30, 5 000 000 and 612 345 678 in sales.",
    "See https://acme.example/orders/2026-11-23/4455667788?page=12 and 192.168.10.24:8080 or 10.0.0.1/24.",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_business_texts_hold_nothing_personal_and_no_secret(text: str) -> None:
    assert found("pii", text) == []
    assert found("secrets", text) == []


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_business_texts_offer_no_discount(text: str) -> None:
    assert found("max_number", text, unit="%", near=["off", "discount"], max=5) == []
    assert found("max_number", text, unit="$", max=5) == []


@pytest.mark.parametrize("pattern", ["(?=x)y", r"(a)\\1", "(?<!x)y", "(?P<n>a)(?P=n)", "a{1,5000}", "(", "a*", "[z-a]"])
def test_lint_refuses_a_pattern_that_cannot_run_in_linear_time_with_its_line(pattern: str) -> None:
    head = '---\nid: a\ndescription: d\nrules:\n  - Be kind.\n  - {id: R7, level: must_not, text: "No.", bad: [b], '
    text = f'{head}check: {{kind: forbid_pattern, pattern: "{pattern}"}}}}\n---\n'
    [problem] = [one for one in lint([PolicyFile("a.md", text)]) if one.severity == "error"]
    assert (problem.file, problem.line) == ("a.md", 6)
    assert "R7" in problem.message
    assert "pattern" in problem.message
