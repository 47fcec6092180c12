"""Values as people of several countries write them: read whole, or turned down for what they leave open."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlayer.language.dates import parsed
from interlayer.language.instants import instant_of
from interlayer.language.quantities.amounts import amounts
from interlayer.language.quantities.values import Money, money_of, number_of
from interlayer.language.writing.conventions import UNKNOWN, Ambiguous, Conventions, conventions_of, language_of
from interlayer.language.writing.phones import phone_of

ENGLISH = Conventions(".", None)
GERMAN = Conventions(",", True)
MARKS = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "es": (".", ","), "ch": ("’", ".")}


def written(number: float, style: str) -> str:
    """Write a number with two decimals, or whole, as people of a country do."""
    thousands, decimal = MARKS[style]
    whole, _, part = f"{number:,.2f}".partition(".")
    return whole.replace(",", thousands) + (decimal + part if part != "00" else "")


@given(st.integers(0, 10**11), st.sampled_from(sorted(MARKS)), st.sampled_from(["EUR {}", "{} €", "{}", "$ {}"]))
@example(125_000, "de", "{} €")
def test_an_amount_is_read_back_or_turned_down(hundredths: int, style: str, form: str) -> None:
    number = hundredths / 100
    try:
        read = money_of(form.format(written(number, style)))
    except Ambiguous as why:
        assert f"{number:.10g}" in str(why) or f"{number / 1000:.10g}" in str(why)
        return
    assert read
    assert read.amount == pytest.approx(number)


@given(st.integers(-(10**9), 10**9), st.sampled_from(sorted(MARKS)))
def test_a_number_is_read_back_by_the_conventions_of_its_text(hundredths: int, style: str) -> None:
    decimal = MARKS[style][1]
    conventions = Conventions("," if decimal == "," else ".")
    assert number_of(written(hundredths / 100, style), conventions) == pytest.approx(hundredths / 100)


@pytest.mark.parametrize(
    ("text", "conventions", "value"),
    [
        ("1.250", GERMAN, 1_250),
        ("1.250", ENGLISH, 1.25),
        ("1,250", GERMAN, 1.25),
        ("1,250", ENGLISH, 1_250),
        ("1,250", UNKNOWN, 1_250),
        ("0.450", UNKNOWN, 0.45),
        ("99.999 %", UNKNOWN, 99.999),
        ("−3,5", UNKNOWN, -3.5),
        ("zweiundvierzig", UNKNOWN, 42),
        ("fünfzehn Prozent", UNKNOWN, 15),
        ("quatre-vingt-dix-sept", UNKNOWN, 97),
        ("treinta y cinco", UNKNOWN, 35),
        ("dos millones", UNKNOWN, 2_000_000),
    ],
)
def test_the_text_decides_what_a_mark_parts(text: str, conventions: Conventions, value: float) -> None:
    assert number_of(text, conventions) == pytest.approx(value)


@pytest.mark.parametrize("text", ["1.250", "12,500 %", "2.500 million"])
def test_a_number_that_can_be_two_is_turned_down_by_name(text: str) -> None:
    with pytest.raises(Ambiguous, match="may be .* or .*; write one of these"):
        number_of(text)


def test_only_a_whole_number_can_be_meant_by_a_count() -> None:
    assert number_of("1.250", whole=True) == 1_250
    assert number_of("1.250", ENGLISH, whole=True) == 1_250


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("7.300 €", Money(7_300, "EUR")),
        ("1,5 Mio. EUR", Money(1_500_000, "EUR")),
        ("2,4 millions d'euros", Money(2_400_000, "EUR")),
        ("3 millones de euros", Money(3_000_000, "EUR")),
        ("CHF 450.-", Money(450, "CHF")),
        ("R$ 2.345,67", Money(2_345.67, "BRL")),
        ("NOK 900", Money(900, "NOK")),
        ("900 nok", Money(900, "NOK")),
        ("ALL 300", Money(300, "ALL")),
        ("all 300", None),
        ("€40K ARR", Money(40_000, "EUR")),
        ("700 QQQ", None),
    ],
)
def test_the_currency_is_kept(text: str, money: Money | None) -> None:
    assert money_of(text) == money


@pytest.mark.parametrize(("text", "named"), [("800 kr", "SEK, NOK or DKK"), ("KWD 4.500", "4.5 or 4500")])
def test_money_of_two_readings_is_turned_down_by_name(text: str, named: str) -> None:
    with pytest.raises(Ambiguous, match=named):
        money_of(text)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("The rate is 4.5 and the limit 1,200.", "."),
        ("It costs 1.234,56 EUR.", ","),
        ("Wir haben am 31.12. um 14.30 Uhr mit der Leitung und dem Einkauf gesprochen.", ","),
        ("Nous sommes une équipe de vente et nous avons le budget.", ","),
        ("Tenemos el presupuesto para la empresa.", ","),
        ("We have the budget for this.", "."),
        ("Betrag: 1’250.50 CHF", "."),
        ("12345", None),
    ],
)
def test_conventions_are_told_by_numbers_and_then_by_language(text: str, decimal: str | None) -> None:
    assert conventions_of(text).decimal == decimal


def test_dates_of_the_text_tell_whether_the_day_stands_first() -> None:
    assert conventions_of("on 13/05/2027").day_first is True
    assert conventions_of("on 05/13/2027").day_first is False
    assert conventions_of("Wir treffen uns mit der Leitung am 03/05/2027.").day_first is True
    assert conventions_of("We meet them on the 03/05/2027.").day_first is None
    assert (language_of("Das ist der Plan für die Firma."), language_of("42")) == ("de", None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("24.02.2027", date(2027, 2, 24)),
        ("3. 4. 2027", date(2027, 4, 3)),
        ("24/02/2027", date(2027, 2, 24)),
        ("02/24/2027", date(2027, 2, 24)),
        ("2027/2/24", date(2027, 2, 24)),
        ("20270224", date(2027, 2, 24)),
        ("2027年2月24日", date(2027, 2, 24)),
        ("24 de febrero de 2027", date(2027, 2, 24)),
        ("1er mars 2027", date(2027, 3, 1)),
        ("Mittwoch, den 24. Februar 2027", date(2027, 2, 24)),
        ("31.02.2027", None),
        ("February 2027", None),
        ("24 February", None),
    ],
)
def test_dates_are_read_in_figures_and_words(text: str, value: date | None) -> None:
    assert parsed(text) == value


def test_a_day_without_a_year_is_the_next_one() -> None:
    said = Conventions(written_on=date(2027, 11, 20))
    assert parsed("24 February", said) == date(2028, 2, 24)
    assert parsed("Dec 3rd", said) == date(2027, 12, 3)
    assert parsed("November 20", said) == date(2027, 11, 20)


@pytest.mark.parametrize("text", ["03/05/2027", "3-5-2027", "26/05/27"])
def test_a_date_that_can_be_two_is_turned_down_by_name(text: str) -> None:
    with pytest.raises(Ambiguous, match=r"may be \d{4}-\d\d-\d\d or \d{4}-\d\d-\d\d"):
        parsed(text)


def test_the_text_decides_the_order_of_day_and_month() -> None:
    assert parsed("03/05/2027", Conventions(day_first=True)) == date(2027, 5, 3)
    assert parsed("03/05/2027", Conventions(day_first=False)) == date(2027, 3, 5)


@given(
    st.dates(date(1950, 1, 1), date(2090, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%B %d %Y"])
)
def test_a_date_is_read_back_or_turned_down(day: date, form: str) -> None:
    try:
        assert parsed(day.strftime(form)) == day
    except Ambiguous as why:
        assert day.isoformat() in str(why)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2027-02-24 09:30 CET", datetime(2027, 2, 24, 8, 30, tzinfo=UTC)),
        ("2027-02-24T09:30:00+05:30", datetime(2027, 2, 24, 4, 0, tzinfo=UTC)),
        ("2027-02-24T09:30Z", datetime(2027, 2, 24, 9, 30, tzinfo=UTC)),
        ("2027-02-24T24:00", datetime(2027, 2, 25, tzinfo=UTC)),
        ("24.02.2027, 14.30 Uhr", datetime(2027, 2, 24, 14, 30, tzinfo=UTC)),
        ("24 February 2027 at 2:30 pm", datetime(2027, 2, 24, 14, 30, tzinfo=UTC)),
        ("3pm 24 February 2027", datetime(2027, 2, 24, 15, tzinfo=UTC)),
        ("2027-02-24 12:15 am", datetime(2027, 2, 24, 0, 15, tzinfo=UTC)),
        ("2027-02-24 09:30 UTC-3", datetime(2027, 2, 24, 12, 30, tzinfo=UTC)),
        ("24 February 2027", datetime(2027, 2, 24, tzinfo=UTC)),
        ("2027-02-24 25:00", None),
        ("2027-02-24 13:00 pm", None),
        ("2027-02-24 09:30 or so", None),
        ("09:30", None),
        ("9999-12-31T24:00", None),
    ],
)
def test_times_are_read_with_their_zone(text: str, value: datetime | None) -> None:
    assert instant_of(text) == value


@pytest.mark.parametrize("zone", ["IST", "CST", "QQT"])
def test_a_zone_that_cannot_be_told_is_turned_down_by_name(zone: str) -> None:
    with pytest.raises(Ambiguous, match=zone):
        instant_of(f"2027-02-24 09:30 {zone}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+1 415 555 0123", "+14155550123"),
        ("+49 (0)30 901820", "+4930901820"),
        ("0049 30 901820", "+4930901820"),
        ("tel:+33-1-23-45-67-89", "+33123456789"),
        ("+44 20 7946 0958 ext. 12", "+442079460958x12"),
        ("(415) 555-0123", "4155550123"),
        ("030/901820", "030901820"),
        ("+1 415", None),
        ("+999 123456", None),
        ("24.02.2027", None),
        ("call me", None),
    ],
)
def test_phones_keep_their_country(text: str, value: str | None) -> None:
    assert phone_of(text) == value
    assert value is None or phone_of(value) == value


def test_checks_read_the_marks_of_the_text_as_values_do() -> None:
    draft = "wir gewähren ihnen und der firma 12,5 % rabatt auf 1.500 lizenzen"
    assert [one.value for one in amounts(draft, "%")] == [12.5]
    assert [one.value for one in amounts(draft, "lizenzen")] == [1_500]


@given(st.text(max_size=40))
def test_any_text_is_read_or_turned_down(text: str) -> None:
    for read in (number_of, money_of, parsed, instant_of, phone_of, conventions_of):
        try:
            read(text)
        except Ambiguous:
            continue
