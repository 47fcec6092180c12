"""Identifiers in their many spellings, and names that are nearly right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.errors import InvalidInput
from interlayer.language.fuzzy_names import nearest
from interlayer.memory.log.identifiers import EntityString, normal_identifier, possible_identifiers
from interlayer.memory.schema.schema import parse_schema, starter_schema

SCHEMA = starter_schema()


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (
            "phone",
            [
                "+49 89 1234567",
                "Fax: +49 89 1234567",
                "0049 89 1234567",
                "+49 (0) 89 / 1234567",
                "+49(0)89-123 45 67",
                "tel:+49891234567",
            ],
        ),
        ("phone", ["+1 (206) 555-0100", "+1.206.555.0100", "００１ 206 555 0100", "+١٢٠٦٥٥٥٠١٠٠"]),
        (
            "phone",
            [
                "+1 206 555 0100 ext. 12",
                "+12065550100x12",
                "tel:+1-206-555-0100;ext=12",
                "+1 206 555 0100, Extension 12",
            ],
        ),
        ("email", ["Ann.Lee@Acme.Example", "ann.lee@acme.example", "mailto:Ann.Lee@acme.example?subject=x"]),
        ("email", ["Ann <ann@münchen.example>", "ann@xn--mnchen-3ya.example", "ANN@MÜNCHEN.EXAMPLE."]),
        ("domain", ["acme.example", "https://www.ACME.example/about?x=1", "acme.example:8443", "acme.example."]),
        (
            "domain",
            ["//acme.example/", "ftp://user@acme.example/file", "WWW.acme.example#top", "http://acme.example:80/a"],
        ),
        ("domain", ["bücher.example", "XN--BCHER-KVA.example", "bu\u0308cher.example"]),
        ("crm_id", ["AB-12", "ab-12 ", "ＡＢ-12", "AB‑12", "AB–12", "AB−12"]),
        ("crm_id", ["0065e00000AbcdE", "0065e00000AbcdEAAR", "0065E00000ABCDEAAR"]),
        ("crm_id", ["İŞ-1", "iş-1", "IŞ-1", "ış-1"]),
    ],
)
def test_spellings_of_one_identifier_are_one(kind: str, spellings: list[str]) -> None:
    assert len({normal_identifier(kind, one, SCHEMA) for one in spellings}) == 1


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "+49 89 1234567", "089 1234567"),  # the country of the second is not known
        ("phone", "+1 206 555 0100", "+1 206 555 0100 x12"),
        ("email", "ann@acme.example", "ann@acme.test"),
        ("domain", "acme.example", "shop.acme.example"),
        ("domain", "xn--.example", "xn--x.example"),
        ("domain", "straße.example", "strasse.example"),
        ("phone", "+49 89 1234567", "+49 89 1234567 ext. 1"),
        ("crm_id", "0065e00000AbcdE", "0065e00000aBcdE"),  # ids of Salesforce differ by case
        ("crm_id", "0065e00000AbcdE", "0065e00000abcde"),
        ("email", "ı@acme.example", "i@acme.example"),  # two mailboxes, one of them a look-alike
    ],
)
def test_different_identifiers_stay_apart(kind: str, one: str, other: str) -> None:
    assert normal_identifier(kind, one, SCHEMA) != normal_identifier(kind, other, SCHEMA)


@given(kind=st.sampled_from(["phone", "email", "domain", "crm_id"]), value=st.text(max_size=60))
def test_normal_forms_are_stable(kind: str, value: str) -> None:
    try:
        normal = normal_identifier(kind, value, SCHEMA)
    except InvalidInput:
        return
    assert normal_identifier(kind, normal, SCHEMA) == normal


@pytest.mark.parametrize("value", ["", "   ", "+", "ext"])
def test_a_phone_without_digits_is_none(value: str) -> None:
    with pytest.raises(InvalidInput, match="phone"):
        normal_identifier("phone", value, SCHEMA)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("https://acme.example:8443/about", "domain"),
        ("bücher.example", "domain"),
        ("acme.example/", "domain"),
        ("DE123456789", "vat_id"),
    ],
)
def test_a_key_is_taken_for_what_it_looks_like(key: str, kind: str) -> None:
    assert next(iter(possible_identifiers(EntityString("company", key), starter_schema()))) == kind


@pytest.mark.parametrize(
    ("entity", "kind", "spelling", "key", "name"),
    [
        ("company:Acme", "domain", "https://www.acme.example:8443/about", "acme.example", "Somebody"),
        ("company:Acme", "domain", "bücher.example", "xn--bcher-kva.example.", "Somebody"),
        ("contact:Ann Lee", "email", "Ann <ann@MÜNCHEN.example>", "ann@xn--mnchen-3ya.example", "Somebody"),
        ("contact:Ann Lee", "phone", "0049 (0) 89 1234567", "+49 89 1234567", "Lee, Ann"),
    ],
)
@pytest.mark.anyio
async def test_an_entity_is_found_by_any_spelling_of_its_identifier(
    room: Any, entity: str, kind: str, spelling: str, key: str, name: str
) -> None:
    made = await room.facts(entity, "It rains.", identifiers={kind: spelling})
    found = await room.recall(f"{entity.partition(':')[0]}:{key}")
    assert found["entity"]["ref"] == made["entity"]["ref"]
    again = await room.facts(f"{entity.partition(':')[0]}:{name}", "It snows.", identifiers={kind: key})
    assert again["entity"]["ref"] == made["entity"]["ref"]


@pytest.mark.parametrize("wanted", ["Lee, Ann", "A. Lee", "Lee A.", "Ann Leee", "Ann Lee Ltd."])
@pytest.mark.anyio
async def test_a_name_that_nobody_bears_is_answered_with_who_may_be_meant(room: Any, wanted: str) -> None:
    await room.facts("contact:Ann Lee", "Ann Lee likes tea.")
    await room.facts("contact:Bob Ray", "Bob Ray likes tea.")
    answer = await room.recall(f"contact:{wanted}")
    assert (answer["found"], answer["near"]) == (False, ["contact:Ann Lee"])


NAMES = [
    "TechFlow GmbH",
    "International Business Machines",
    "John Smith",
    "Müller & Söhne AG",
    "Acme Pumps Inc.",
    "Zenith",
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("TechFlow", "TechFlow GmbH"),
        ("TechFlow Inc", "TechFlow GmbH"),
        ("TechFow Ltd.", "TechFlow GmbH"),
        ("IBM", "International Business Machines"),
        ("I.B.M.", "International Business Machines"),
        ("J. Smith", "John Smith"),
        ("Smith, John", "John Smith"),
        ("Jhon Smith", "John Smith"),
        ("Mueller und Soehne", "Müller & Söhne AG"),
        ("Muller Sohne", "Müller & Söhne AG"),
        ("acme pump", "Acme Pumps Inc."),
        ("Pumps Acme", "Acme Pumps Inc."),
        ("Smith, J.", "John Smith"),
        ("ACME PUMPS S.R.L.", "Acme Pumps Inc."),
    ],
)
def test_a_name_that_is_nearly_right_is_offered_first(wanted: str, found: str) -> None:
    assert nearest(wanted, NAMES, 3)[0] == found


@pytest.mark.parametrize("wanted", ["Globex", "Quantum Foods", "X"])
def test_a_name_that_nobody_resembles_offers_nothing(wanted: str) -> None:
    assert nearest(wanted, NAMES, 3) == []


@pytest.mark.anyio
async def test_a_name_as_key_and_another_one_given_lead_to_one_entity(room: Any) -> None:
    first = await room.facts("contact:Key Lee", "Lee likes tea.", name="Other Lee")
    again = await room.facts("contact:Key Lee", "Lee likes rice.", name="Other Lee")
    assert again["entity"]["ref"] == first["entity"]["ref"]
    for key in ("Key Lee", "Other Lee", "key lee"):
        assert len(await room.texts(f"contact:{key}")) == 2
    await room.forgetter.forget(room.principal, "asked to", entity="contact:Other Lee")
    assert not (await room.recall("contact:Key Lee"))["found"]
    assert (await room.facts("contact:Key Lee", "Lee is back."))["entity"]["created"]


def test_case_tells_identifiers_apart_where_the_schema_says_so() -> None:
    schema = parse_schema("entities: {plan: {identifiers: [sku]}}\nidentifiers: {sku: {case: kept}}", "own")
    assert normal_identifier("sku", "Ab‑1", schema) == "Ab-1" != normal_identifier("sku", "AB-1", schema)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("company:O’Reilly Media", "company:O'Reilly Media"),
        ("company:İstanbul Lojistik", "company:İSTANBUL LOJİSTİK"),
        ("company:Işık Tekstil", "company:IŞIK TEKSTİL"),
        ("company:Blue–Green “North”", 'company:blue-green "north"'),
        ("deal:D-1042", "deal:D‑1042"),
        ("deal:0065e00000AbcdE", "deal:0065e00000AbcdEAAR"),
        ('contact:"Ann Lee" <ann.lee@acme.example>', "contact:ann.lee@acme.example"),
        ("contact:Ann Lee <ann.lee@acme.example>", "contact:Ann Lee"),
        ("contact:<ann.lee@acme.example>", "contact:Ann.Lee@acme.example"),
    ],
)
@pytest.mark.anyio
async def test_two_spellings_name_one_entity(room: Any, one: str, other: str) -> None:
    made = await room.facts(one, "It rains.")
    assert (await room.recall(other))["entity"]["ref"] == made["entity"]["ref"]


@pytest.mark.anyio
async def test_records_whose_ids_differ_by_case_are_two(room: Any) -> None:
    one = await room.facts("deal:Alpha", "Alpha is worth 10 EUR.", identifiers={"crm_id": "0065e00000AbcdE"})
    other = await room.facts("deal:Beta", "Beta is worth 99 EUR.", identifiers={"crm_id": "0065e00000aBcdE"})
    assert one["entity"]["ref"] != other["entity"]["ref"]
