"""Properties that plain content states, by the starter schema: found in four languages, and nothing that is not so."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.schema.schema import parse_schema, starter_schema
from interlayer.memory.schema.types import AmbiguousValue

SCHEMA = starter_schema()


def found(kind: str, text: str, own: str = "") -> dict[str, Any]:
    schema = SCHEMA.entities[kind]

    def bears(name: str) -> bool:
        return name in own if own else bool(name)

    candidates = properties_of(text, schema, [], None, bears, date(2027, 3, 1))
    return {one.name: schema.properties[one.name].normal(one.value) for one in candidates}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("deal", "Wir haben 7,5 % Rabatt vereinbart.", {"discount_percent": 7.5}),
        ("deal", "Nous avons accordé une remise de 7,5 %.", {"discount_percent": 7.5}),
        ("deal", "Acordamos un descuento del 7,5 %.", {"discount_percent": 7.5}),
        ("deal", "Clôture prévue le 2027-06-18.", {"close_date": "2027-06-18"}),
        ("deal", "Discount 20%, not 25%.", {"discount_percent": 20}),
        ("deal", "Stage: closed_lost.", {"stage": "closed_lost"}),
        ("deal", "Stage: Closed-Won", {"stage": "closed_won"}),
        ("deal", "The stage is closed lost", {"stage": "closed_lost"}),
        ("deal", "The deal moved from evaluation to negotiation.", {"stage": "negotiation"}),
        ("deal", "Stage: evaluation -> negotiation", {"stage": "negotiation"}),
        ("deal", "Amount: 2.345,67 EUR", {"amount": {"amount": 2_345.67, "currency": "EUR"}}),
        ("deal", "The amount was cut from $90,000 to $80,000.", {"amount": {"amount": 80_000, "currency": "USD"}}),
        ("deal", "Expected close 2027-06-18 at the latest.", {"close_date": "2027-06-18"}),
        ("deal", "Close date: 18 June", {"close_date": "2027-06-18"}),
        ("deal", "The close date moved from 3 to 10 June.", {"close_date": "2027-06-10"}),
        ("deal", "Competitors: Zola, Trip.com and Quill.", {"competitors": ["Zola", "Trip.com", "Quill"]}),
        ("company", "Unsere Firma hat 1.450 Mitarbeiter.", {"employees": 1_450}),
        ("company", "Nous comptons 1 450 salariés.", {"employees": 1_450}),
        ("company", "La empresa tiene 1.450 empleados.", {"employees": 1_450}),
        ("company", "They have 460 employees, not 600.", {"employees": 460}),
        ("company", "Headquarters: St. Gallen, Switzerland", {"headquarters": "St. Gallen"}),
        ("company", "~~They have 10 employees.~~ They have 12 employees.", {"employees": 12}),
        ("contact", "Phone: +1 415 555 0123", {"phone": "+14155550123"}),
        ("contact", "Her mobile number is +49 (0)170 1234567.", {"phone": "+491701234567"}),
        ("contact", "She asks to be contacted by phone.", {"preferred_channel": "phone"}),
        ("contact", "Please reach me by e-mail.", {"preferred_channel": "email"}),
        ("contact", "I was promoted to Chief Risk Officer.", {"job_title": "Chief Risk Officer"}),
        ("ticket", "Priorität: hoch", {"priority": "high"}),
        ("ticket", "Status changed from open to solved.", {"status": "solved"}),
        ("ticket", "Due: 2027-05-03 09:00 CET", {"due": "2027-05-03T08:00:00Z"}),
    ],
)
def test_a_value_is_found_as_it_is_meant(kind: str, text: str, expected: dict[str, Any]) -> None:
    assert found(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("deal", "No 20% discount was agreed."),
        ("deal", "Es wurde kein Rabatt von 20 % vereinbart."),
        ("deal", "Their competitor offers a 40% discount."),
        ("deal", "They asked for a 20% discount."),
        ("deal", "20% discount if they sign in May."),
        ("deal", "Once they sign, the stage is closed won."),
        ("deal", "They refused the 20% discount."),
        ("deal", "A 20% discount might be possible."),
        ("deal", "Their current vendor gives them 25% discount."),
        ("deal", "Close date: after 2027-06-18 only."),
        ("contact", "Role: formerly CFO"),
        ("deal", "Competitors: none"),
        ("deal", "Wettbewerber: keine"),
        ("deal", "Next step: tbd"),
        ("company", "1 in 5 employees uses it."),
        ("company", "12 employees joined the call."),
        ("company", "They used to have 600 employees."),
        ("company", "Headquarters: not in Oslo any more."),
        ("company", "A similar company has 50 employees."),
        ("deal", "Contract value of the other deal: EUR 90,000."),
        ("deal", "The contract value of the other deal is EUR 70,000."),
        ("contact", "She doesn't prefer email."),
        ("contact", "Is she the decision maker?"),
        ("contact", "Her phone is no longer +49 170 1234567."),
        ("ticket", "Status: solved?"),
    ],
)
def test_what_is_not_so_sets_nothing(kind: str, text: str) -> None:
    assert found(kind, text) == {}


def test_a_title_is_that_of_the_entity_alone() -> None:
    text = "From: Mara Voss <mara@n.example>\n\nI am the CFO. Tom Birk, our head of IT, will call.\n"
    assert found("contact", text, own="Mara Voss mara@n.example")["job_title"] == "CFO"
    assert found("contact", text, own="Tom Birk")["job_title"] == "head of IT"
    assert "job_title" not in found("contact", text, own="Ida Holm")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("My new mobile number is +44 1632 960 001.", "+441632960001"),
        ("You can ring me on +44 1632 960 002 from Monday.", "+441632960002"),
        ("She works from home, phone there +44 1632 960 003.", "+441632960003"),
        ("Mobil erreichen Sie mich unter +49 30 23125 001.", "+493023125001"),
        ("Meine Handynummer hat sich geändert: +49 30 23125 002.", "+493023125002"),
        ("Frau Roth ist mobil unter +49 30 23125 003 zu erreichen.", "+493023125003"),
        ("Je suis joignable au +33 1 99 00 00 01.", "+33199000001"),
        ("Son numéro de portable a changé : +33 1 99 00 00 02.", "+33199000002"),
        ("Mi nuevo número es el +34 900 555 001.", "+34900555001"),
        ("Llámeme al +34 900 555 002.", "+34900555002"),
    ],
)
def test_a_number_is_found_however_it_is_told(text: str, number: str) -> None:
    assert found("contact", text) == {"phone": number}


@pytest.mark.parametrize(
    "text",
    [
        "The invoice number is 2026 1104 553.",
        "Unsere Kundennummer ist 5550114123.",
        "Le numéro de commande est 4500123456.",
        "El número de pedido es 4500 123 456.",
        "Fax: +44 1632 960 004",
        "My old number was +44 1632 960 005.",
    ],
)
def test_another_number_is_no_telephone_number(text: str) -> None:
    assert found("contact", text) == {}


@pytest.mark.parametrize(
    ("lines", "title", "phone"),
    [
        ("Mara Baker\nPlant Manager | Norfolk Seeds\nT +44 1632 960 006", "Plant Manager", "+441632960006"),
        ("Mara Baker\nInhaberin\nNorfolk Seeds, +44 1632 960 007", "Inhaberin", "+441632960007"),
        ("Mara Baker\nResponsable de compras\nMóvil: +34 900 555 003", "Responsable de compras", "+34900555003"),
    ],
)
def test_a_signature_tells_the_title_and_the_number_of_who_signs(lines: str, title: str, phone: str) -> None:
    text = f"From: Mara Baker <mara@n.example>\n\nThe order is fine.\n\nKind regards,\n{lines}\n"
    assert found("contact", text, own="Mara Baker mara@n.example") == {"job_title": title, "phone": phone}
    assert found("contact", text, own="Tom Birk") == {}


def test_what_a_mail_says_counts_more_than_its_signature() -> None:
    text = (
        "From: Mara Voss <mara@n.example>\n\nMy own number has changed to +44 1632 960 008. "
        "I was promoted to site manager.\n\nKind regards,\nMara Voss\nPlant Manager\nT: +44 1632 960 009\n"
    )
    assert found("contact", text, own="Mara Voss mara@n.example") == {
        "job_title": "site manager",
        "phone": "+441632960008",
    }


def test_what_the_seller_says_of_himself_is_not_the_customers() -> None:
    text = "Ida (buyer): We have 320 employees.\nTom (seller): We have 50 employees."
    assert found("company", text)["employees"] == 320


def test_what_can_be_read_in_two_ways_goes_on_as_it_is_written() -> None:
    schema = SCHEMA.entities["deal"]
    (one,) = properties_of("Close date: 03/05/2027", schema, [])
    assert one.value == "03/05/2027"
    with pytest.raises(AmbiguousValue, match="may be 2027-05-03 or 2027-03-05"):
        schema.properties["close_date"].normal(one.value)


def test_a_budget_estimates_a_value_that_nobody_names() -> None:
    schema = parse_schema(
        "entities: {deal: {properties: {deal_value: {type: number, description: Estimated value.}}}}",
        "test",
    ).entities["deal"]
    told = [one.value for one in properties_of("The budget is about $40K.", schema, [])]
    assert told == [40_000]
    both = "The budget is $40K. The deal value is $55K. It is a $55K value."
    assert [one.value for one in properties_of(both, schema, [])] == [55_000]


@given(st.sampled_from(sorted(SCHEMA.entities)), st.text(max_size=200))
def test_every_finding_is_a_value_at_a_place_in_the_text(kind: str, text: str) -> None:
    for one in properties_of(text, SCHEMA.entities[kind], []):
        assert one.span
        assert 0 <= one.span[0] < one.span[1] <= len(text)
