"""Whether the sentences around a quote carry a statement."""

import pytest

from interlayer.language.distinction import find_distinction
from interlayer.language.evidence import denied, denies_value, replaced, unsupported

KNOWN = ("Acme", "acme.example")


@pytest.mark.parametrize(
    ("statement", "around"),
    [
        ("Acme uses Oracle.", "Acme does not use Oracle."),
        ("Acme uses Oracle.", "Acme does not use Oracle, but it uses Postgres."),
        ("Acme's renewal is signed.", "The renewal is not yet signed."),
        ("Acme missed a payment.", "Acme never missed a payment."),
        ("Acme uses Slack.", "Acme stopped using Slack."),
        ("Acme does not use Oracle.", "Acme uses Oracle."),
        ("Acme nutzt Oracle.", "Das Unternehmen nutzt kein Oracle."),
        ("Acme nutzt Oracle.", "Acme nutzt Oracle nicht."),
        ("Acme utilise Oracle.", "Acme n'utilise pas Oracle."),
        ("Acme usa Oracle.", "Acme non usa Oracle."),
        ("Acme usa Oracle.", "A empresa não usa Oracle."),
        ("Акме использует Oracle.", "Компания не использует Oracle."),
        ("AcmeはOracleを使っています。", "AcmeはOracleを使っていません。"),
        ("Acme使用Oracle。", "公司没有使用Oracle。"),
    ],
)
def test_a_sentence_that_denies_a_statement_does_not_carry_it(statement: str, around: str) -> None:
    assert denied(statement, around, KNOWN)


@pytest.mark.parametrize(
    ("statement", "around"),
    [
        ("Acme uses Postgres.", "Acme does not use Oracle, but uses Postgres."),
        ("Acme does not use Oracle.", "Das Unternehmen nutzt kein Oracle."),
        ("Acme nutzt Oracle nicht.", "Das Unternehmen nutzt kein Oracle."),
        ("Acme no longer uses Slack.", "Acme stopped using Slack."),
        ("Acme lacks a CRM.", "They do not have a CRM."),
        ("Acme has no CRM.", "CRM: none"),
        ("Acme is undecided.", "Acme has not decided."),
        ("Acme uses Slack notifications.", "Their Slack notifications aren't cutting it."),
        ("Acme shifted priorities.", "Acme shifted priorities without sacrificing security."),
        ("Acme uses Oracle.", "Acme uses not only Oracle but Postgres."),
        ("Send them to ap@acme.example.", "No more invoices by post: send them to ap@acme.example."),
    ],
)
def test_a_sentence_that_denies_something_else_carries_it(statement: str, around: str) -> None:
    assert not denied(statement, around, KNOWN)


def test_a_denial_in_another_language_tells_two_statements_apart() -> None:
    assert find_distinction("Acme nutzt Oracle nicht.", "Acme nutzt Oracle.") == "negation"
    assert find_distinction("Acme nutzt kein Oracle.", "Acme nutzt Oracle nicht.") is None
    assert find_distinction("Acme is a non-profit.", "Acme is a profit.") is None


@pytest.mark.parametrize(
    ("value", "around", "is_denied"),
    [
        ("500", "Acme does not have 500 employees.", True),
        ("500", "Acme doesn't have 500 employees, it has 300.", True),
        ("300", "Acme doesn't have 500 employees, it has 300.", False),
        ("450000", "The budget was never $450K.", True),
        ("40", "Acme hat keine 40 Lizenzen.", True),
        ("40", "They want no more than 40 seats.", False),
        ("40", "It is not clear yet, but 40 seats are planned.", False),
        ("40", "With 40 seats they do not need a second server.", False),
        ("40", "We have not 40 seats. Anna counted 40.", False),
        ("40", "Acme wants seats.", False),
    ],
)
def test_a_figure_that_the_sentences_deny_is_no_value(value: str, around: str, is_denied: bool) -> None:
    assert denies_value([value], around) is is_denied


NOTE = "Dana Smith is the CTO. Acme makes pumps and has 40 employees. The budget is with her."


@pytest.mark.parametrize(
    ("statement", "around", "carried"),
    [
        ("Acme is bankrupt.", NOTE, False),
        ("Dana Smith left Acme.", "Dana Smith is the CTO.", False),
        ("Dana left Acme.", "Dana Smith is the CTO.", False),
        ("Acme plans layoffs.", "Acme makes pumps and has 40 employees.", False),
        ("Dana Smith is the CTO of Acme.", "Dana Smith is the CTO.", True),
        ("Acme's CTO is Dana Smith.", "Dana Smith is the CTO.", True),
        ("Acme is a pump maker.", "Acme makes pumps and has 40 employees.", True),
        ("Acme employs 40 people.", "Acme makes pumps and has forty on its payroll.", True),
        ("Budget lies with Dana.", "The budget is with her.", True),
    ],
)
def test_a_statement_rests_on_more_than_its_subject(statement: str, around: str, carried: bool) -> None:
    assert unsupported(statement, around, NOTE, KNOWN) is not carried


def test_a_text_in_another_language_may_say_it_in_other_words() -> None:
    german = "Die Acme GmbH stellt seit 1990 in Ulm Maschinen her."
    assert not unsupported("Acme is a manufacturer.", german, german, KNOWN)


@pytest.mark.parametrize(
    ("statement", "around", "other"),
    [
        ("Acme uses Snowflake.", "Globex uses Snowflake.", "Globex"),
        ("Acme was sued.", "The rival Initech was sued.", "Initech"),
        ("Acme was sued.", "Its parent was sued.", None),
        ("Acme uses Snowflake.", "Globex uses Snowflake, as does Acme.", None),
        ("Acme uses Snowflake.", "We at Globex uses Snowflake.", None),
        ("Acme uses Snowflake.", "The Globex team runs Snowflake.", None),
        ("Dana signs next month.", "Dana signs next month.", None),
    ],
)
def test_what_is_said_of_another_is_no_fact_of_the_entity(statement: str, around: str, other: str | None) -> None:
    assert replaced(statement, around, f"Acme makes pumps. {around}", KNOWN) == other


def test_a_name_with_a_hyphen_is_known_where_it_stands() -> None:
    text = "T-501: fixed in release 4.2."
    assert replaced(text, text, f"Ticket T-501. {text}", ("T-501",)) is None


def test_another_name_may_be_the_entitys_own_where_the_text_has_no_other() -> None:
    text = "Globex uses Snowflake."
    assert replaced("Acme uses Snowflake.", text, text, KNOWN) is None
