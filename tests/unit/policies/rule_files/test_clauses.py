"""Policies as companies write them: what obliges becomes a rule that is whole by itself, or is told with the reason."""

import re

from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy
from interlayer_policies.rule_files.conversion import imported
from interlayer_policies.rule_files.outcome import Imported
from interlayer_policies.rule_files.placement import RuleFile
from research_data import bank_policies, needed

SECURITY = """# Premises

Access to our buildings is limited.

## Policy statements

Our policy requires that

(a) Access to the premises is restricted.

(b) Staff must wear badges in secure areas
(such as server rooms).

(c) Keep a record of each visit, including
repairs.

  * Details must be captured for all repairs to locks; and
  * All records shall be kept for seven years.

(d) Visitors may enter with an escort. They must sign
the book.

## Controls

* Badges

    * Staff must report a lost badge to the desk.
    * Lost badges are blocked.

### Desks

Laptops must be locked when nobody is near. Drawers should be locked too.

Papers with names must not be left on desks. They must never
be left in printers. Recordings are never deleted.

Passwords must meet one of the following:

- twelve characters
- four words

1. Open the ticket.
2. The ticket must name its owner.

| who | rule |
| --- | --- |
| Guest | Guests must sign in. |

> Nobody may enter after eight.

### When you answer as the billing bot

- Never promise a refund.
- Quote the invoice.
"""


def one(text: str, path: str = "AGENTS.md") -> Imported:
    [found] = imported([RuleFile(path, text)])
    return found


def rules(text: str) -> list[tuple[str, str]]:
    return [(rule.level, rule.text) for rule in one(text).rules]


def test_a_long_policy_gives_its_rules() -> None:
    found = one(SECURITY, "premises.md")
    assert [(rule.line, rule.level, rule.text) for rule in found.rules] == [
        (9, "must", "Policy statements: Our policy requires that: Access to the premises is restricted."),
        (11, "must", "Policy statements: Staff must wear badges in secure areas (such as server rooms)."),
        (14, "must", "Policy statements: Our policy requires that: Keep a record of each visit, including repairs."),
        (17, "must", "Policy statements: Details must be captured for all repairs to locks"),
        (18, "must", "Policy statements: All records shall be kept for seven years."),
        (20, "must", "Policy statements: Visitors may enter with an escort. They must sign the book."),
        (27, "must", "Controls: Badges: Staff must report a lost badge to the desk."),
        (32, "must", "Desks: Laptops must be locked when nobody is near. Drawers should be locked too."),
        (34, "must_not", "Desks: Papers with names must not be left on desks. They must never be left in printers."),
        (39, "must", "Desks: Passwords must meet one of the following: twelve characters; four words"),
        (53, "must_not", "When you answer as the billing bot: Never promise a refund."),
    ]


def test_what_obliges_and_stays_guidance_is_told_with_the_reason() -> None:
    told = {kept.line: (kept.text, kept.reason) for kept in one(SECURITY, "premises.md").kept}
    assert {line: reason.split(",")[0] for line, (_, reason) in told.items()} == {
        35: "it says what is so",
        43: "it is a step of a numbered list",
        47: "it stands in a table",
        49: "it stands in a quotation",
    }
    assert told[43][0] == "The ticket must name its owner."


def test_every_line_that_obliges_is_in_a_rule_or_told() -> None:
    found = one(SECURITY, "premises.md")
    said = _squeeze(" ".join([*(rule.text for rule in found.rules), *(kept.text for kept in found.kept)]))
    lines = [line for line in SECURITY.splitlines() if re.search(r"\b(must|shall|never)\b", line, re.IGNORECASE)]
    assert len(lines) > 10
    for line in lines:
        near = re.search(r"\w+ (?:must|shall|never)\b", line, re.IGNORECASE)
        assert near is None or _squeeze(near[0]) in said, line


def test_an_entry_keeps_the_condition_of_its_list() -> None:
    text = "# Data\n\nWhen you use chatbots of others:\n\n- Do not send names\n- Be careful\n\nAsk when in doubt.\n"
    assert rules(text) == [("must_not", "When you use chatbots of others: Do not send names")]
    [guidance] = policy(one(text)).sections
    assert "When you use chatbots of others:" in guidance.text, "it still introduces what stays"
    nested = "- In the billing room:\n  - Never smoke.\n  - Guests must sign.\n- Never run.\n"
    assert rules(nested) == [
        ("must_not", "In the billing room: Never smoke."),
        ("must", "In the billing room: Guests must sign."),
        ("must_not", "Never run."),
    ]
    assert rules("## When you sell\n### Prices\n- Never guess.\n") == [
        ("must_not", "When you sell: Prices: Never guess.")
    ]


def test_an_introduction_that_obliges_makes_rules_of_what_it_introduces() -> None:
    assert rules("Agents must:\n\n- cite the source;\n- keep the log\n") == [
        ("must", "Agents must: cite the source"),
        ("must", "Agents must: keep the log"),
    ]
    assert rules("The following are prohibited:\n- sharing badges\n") == [
        ("must_not", "The following are prohibited: sharing badges")
    ]
    assert rules("It is prohibited to:\n- say that staff must pay\n") == []


def test_blanks_to_fill_in_become_parameters() -> None:
    found = one(
        "{{company}} policy requires that:\n\n(a) Badges of {{company}} are returned.\n\n(b) Never use `{{code}}`.\n"
    )
    assert found.parameters == ("company",)
    assert [rule.text for rule in found.rules] == ["{company} policy requires that: Badges of {company} are returned."]
    assert policy(found).values == {"company": "company"}
    assert [kept.text for kept in found.kept] == ["Never use `{{code}}`."]


def test_steps_are_rules_only_where_each_of_them_obliges() -> None:
    assert rules("1. NEVER join by hand.\n2. ALWAYS sort.\n") == [
        ("must_not", "NEVER join by hand."),
        ("must", "ALWAYS sort."),
    ]
    steps = one("1. Open the lid.\n2. Never look into the light.\n")
    assert steps.rules == ()
    assert [kept.text for kept in steps.kept] == ["Never look into the light."]


def test_code_comments_and_nested_fences_bring_nothing() -> None:
    text = "# A\n````md\n```sh\n- Never in code.\n## No heading\n```\n````\n- Never as root.\n<!-- - Never here. -->\n"
    assert rules(text) == [("must_not", "Never as root.")]
    assert one(text).kept == ()


def test_a_sentence_that_points_back_takes_along_what_it_points_at() -> None:
    text = "Backups are made at night. They must be kept for a year. The tapes lie in the vault. Nobody reads them.\n"
    assert rules(text) == [("must", "Backups are made at night. They must be kept for a year.")]
    [kept] = one("- This must stop.\n").kept
    assert "points at something" in kept.reason


def test_a_file_for_some_tasks_only_tells_its_obligations_and_brings_no_rule() -> None:
    found = one("---\ndescription: When data is changed\n---\n- Never drop a table.\n", ".cursor/rules/a.mdc")
    assert found.rules == ()
    assert "relevant" in found.kept[0].reason


def test_orders_in_four_languages_become_rules() -> None:
    text = (
        "Wenn Sie als Rechnungs-Bot antworten:\n\n- Niemals eine Erstattung zusagen.\n\n"
        "Les agents doivent :\n\n- citer la source ;\n\nQueda prohibido revelar precios internos.\n"
    )
    assert rules(text) == [
        ("must_not", "Wenn Sie als Rechnungs-Bot antworten: Niemals eine Erstattung zusagen."),
        ("must", "Les agents doivent: citer la source"),
        ("must_not", "Queda prohibido revelar precios internos."),
    ]


def test_the_obligations_of_a_banks_documents_are_rules_or_told() -> None:
    met = lines = 0
    for text in (file.text for file in bank_policies(needed("bank-policies"))[:150]):
        found = one(text, "bank.md")
        said = _squeeze(" ".join([*(rule.text for rule in found.rules), *(kept.text for kept in found.kept)]))
        for near in re.finditer(r"[^\s|*]+ \**(?:must|shall|never)\b\**(?! *\?)", text):
            lines += 1
            met += _squeeze(near[0]) in said
    assert lines > 30
    assert met >= 0.95 * lines, (met, lines)


def policy(found: Imported) -> Policy:
    assert found.file is not None
    read = parse(found.file)
    assert isinstance(read, Policy)
    return read


def _squeeze(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
