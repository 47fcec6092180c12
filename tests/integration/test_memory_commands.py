"""`interlayer memory` as a person uses it in a day: names in place of ids, and a question back where one is too few."""

import json
import os
import select
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from command_line import interlayer
from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer.memory.requests import FactCandidate, MemorizeRequest, PropertyCandidate, RelationCandidate
from processes import command, environment

HALCYON = "company:halcyon.example"


async def _memorize(
    home: Path,
    entity: str,
    *texts: str,
    name: str | None = None,
    day: int = 1,
    source: str | None = None,
    values: Mapping[str, Any] | None = None,
    about: Mapping[str, Sequence[str]] | None = None,
    works_at: str = "",
    visibility: str = "",
    user: str = "",
) -> str:
    facts = [FactCandidate(text, 0.9) for text in texts]
    facts += [FactCandidate(text, 0.9, about=other) for other, said in (about or {}).items() for text in said]
    request = MemorizeRequest(
        entity=entity,
        name=name,
        facts=facts,
        properties=[PropertyCandidate(one, value, 0.9) for one, value in (values or {}).items()],
        relations=[RelationCandidate("works_at", works_at)] if works_at else (),
        observed_at=datetime(2026, 11, day, tzinfo=UTC),
        source=source,
        visibility=visibility,
    )
    async with opened(load({}, environment(home, USER=user) if user else environment(home))) as parts:
        done = await parts.memory.memorizer.memorize(parts.settings.principal, request)
    return done.memory_id


def memorize(home: Path, entity: str, *texts: str, **more: Any) -> str:
    return anyio.run(partial(_memorize, home, entity, *texts, **more))


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home that remembers a company whose budget changed, its people, and a namesake elsewhere."""
    home = tmp_path_factory.mktemp("seeded") / "home"
    budget = "The budget is $150,000 a year."
    memorize(home, HALCYON, budget, name="Halcyon", day=2, source="call 1", values={"employees": 9})
    memorize(home, HALCYON, "The budget is $120,000 a year.", day=20, source="mail 2", values={"employees": 12})
    memorize(home, "contact:anna@halcyon.example", "Anna leads IT.", name="Anna Schmidt", day=3, works_at=HALCYON)
    memorize(home, "contact:anna@orbit.example", "Anna buys for Orbit.", name="Anna Schmidt", day=4)
    memorize(home, "deal:D-101", "They want 460 seats.", name="Halcyon renewal", day=5, values={"stage": "proposal"})
    return home


@pytest.fixture
def told(seeded: Path, home: Path) -> Path:
    """Return a copy of it that a test may change."""
    shutil.copytree(seeded, home)
    return home


def run(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return interlayer(home, "memory", *arguments, **settings)


def test_a_search_groups_what_it_finds_by_entity(told: Path) -> None:
    lines = run(told, "search", "budget", "of", "Halcyon").stdout.splitlines()
    assert lines[0] == "Halcyon  company"
    assert lines[1] == "  The budget is $120,000 a year."
    assert lines[2].startswith("    20 Nov 2026")
    assert lines[2].endswith("mail 2 · 90% sure")
    assert "\x1b" not in "".join(lines)  # colours are for terminals
    found = json.loads(run(told, "search", "seats", "--type", "deal", "--where", "stage=proposal", "--json").stdout)
    assert [one["entity"]["name"] for one in found["results"]] == ["Halcyon renewal"]
    nothing = run(told, "search", "seats", "--type", "deal", "--where", "stage=closed_won")
    assert nothing.returncode == 1
    assert "--where" in run(told, "search", "seats", "--type", "deal", "--where", "stage").stderr


def test_a_list_names_entities_and_a_few_of_their_properties(told: Path) -> None:
    everybody = run(told, "list").stdout
    assert everybody.splitlines()[0].startswith("Anna Schmidt  contact")
    assert "  stage: proposal" in everybody.splitlines()
    big = json.loads(run(told, "list", "company", "--where", "employees>=10", "--json").stdout)
    assert [one["name"] for one in big["entities"]] == ["Halcyon"]
    assert run(told, "list", "--limit", "2").stderr.startswith("There are more than 2")
    assert json.loads(run(told, "list", "--since", "2100-01-01", "--json").stdout)["entities"] == []
    changed = json.loads(run(told, "list", "--since", "2020-01-01", "--json").stdout)["entities"]
    times = [one["updated_at"] for one in changed]
    assert times == sorted(times, reverse=True)
    assert len(changed) == 4
    assert "needs a type" in run(told, "list", "--where", "stage=proposal").stderr
    assert run(told, "list", "compny").returncode == 1


def test_a_list_holds_what_has_to_do_with_another(told: Path) -> None:
    for arguments in (["contact", "--related-to", "Halcyon", "--relation", "works_at"], ["--related-to", "Halcyon"]):
        found = json.loads(run(told, "list", *arguments, "--json").stdout)
        assert [one["name"] for one in found["entities"]] == ["Anna Schmidt"]
    assert run(told, "list", "deal", "--related-to", "Halcyon").returncode == 1
    assert run(told, "list", "--relation", "works_at").returncode == 2


def test_a_timeline_says_what_took_the_place_of_what(told: Path) -> None:
    shown = run(told, "timeline", "Halcyon", "--ids").stdout
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[0] == "Halcyon  company"
    assert "until 20 Nov 2026: The budget is $120,000 a year." in lines
    assert "in place of: The budget is $150,000 a year. (2 Nov 2026)" in lines
    assert "~ employees: 9 -> 12" in lines
    assert any(line.startswith("call 1 · local · recorded ") for line in lines)
    assert "m_" in shown
    assert "m_" not in run(told, "timeline", "Halcyon").stdout
    events = json.loads(run(told, "timeline", "halcyon.example", "--property", "employees", "--json").stdout)["events"]
    assert [(one["event"], one.get("previous"), one["value"]) for one in events] == [
        ("property_set", None, 9),
        ("property_changed", 9, 12),
    ]


def test_a_person_corrects_by_words_and_sees_what_it_takes_the_place_of(told: Path) -> None:
    asked = ["correct", "Halcyon", "--fact", "budget", "--to", "The budget is $90,000 a year."]
    for arguments in ([*asked, "--dry-run"], asked):
        done = run(told, *arguments)
        assert done.returncode == 0, done.stderr
        assert "- The budget is $120,000 a year." in done.stdout
        assert "+ The budget is $90,000 a year." in done.stdout
    value = json.loads(run(told, "correct", "Halcyon", "--property", "employees", "--to", "15", "--json").stdout)
    assert value["values"] == [{"name": "employees", "previous": 12, "value": 15}]
    assert value["memory_id"]
    dossier = json.loads(run(told, "show", "Halcyon", "--json").stdout)
    assert [one["text"] for one in dossier["facts"]] == ["The budget is $90,000 a year."]
    assert [one["source"] for one in dossier["facts"]] == ["corrected by local"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["correct", "Halcyon", "--to", "x"],
        ["correct", "Halcyon", "--fact", "a", "--property", "b", "--to", "x"],
        ["correct", "Halcyon", "--fact", "budget", "--to", "x", "--to", "y"],
        ["end", "Halcyon"],
        ["end", "Halcyon", "12", "--fact", "budget"],
        ["forget", "Halcyon"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(told: Path, arguments: list[str]) -> None:
    assert run(told, *arguments).returncode == 2


def test_what_is_over_stays_as_history(told: Path) -> None:
    done = run(told, "end", "Halcyon", "--fact", "120,000")
    assert "- The budget is $120,000 a year." in done.stdout
    assert run(told, "end", "Halcyon", "--property", "employees").returncode == 0
    dossier = json.loads(run(told, "show", "Halcyon", "--json").stdout)
    assert dossier["properties"] == []
    past = run(told, "timeline", "Halcyon").stdout
    assert "- no longer: The budget is $120,000 a year." in past
    assert "- employees: 12" in past


def test_two_of_one_name_are_listed_with_what_tells_them_apart(told: Path) -> None:
    for arguments in (
        ["show", "Anna Schmidt"],
        ["timeline", "Anna"],
        ["forget", "Anna Schmidt", "--reason", "mistake", "--yes"],
    ):
        refused = run(told, *arguments)
        assert refused.returncode == 1
        assert "anna@halcyon.example" in refused.stderr
        assert "anna@orbit.example" in refused.stderr
    assert "Anna leads IT." in run(told, "show", "anna@halcyon.example").stdout
    assert "nobody is called 'Bob'" in run(told, "show", "Bob").stderr


def test_words_that_several_facts_hold_change_none(told: Path) -> None:
    memorize(told, HALCYON, "Anna decides about the budget.", day=21)
    refused = run(told, "end", "Halcyon", "--fact", "budget")
    assert refused.returncode == 1
    assert "  1  The budget is $120,000 a year." in refused.stderr
    assert "2 facts say 'budget'" in refused.stderr
    assert "no longer" not in run(told, "timeline", "Halcyon").stdout


def test_forget_shows_what_goes_everywhere_and_erases_only_when_told(told: Path) -> None:
    both = memorize(told, HALCYON, "They met Anna.", about={"contact:anna@halcyon.example": ["Anna was ill."]}, day=22)
    for arguments in (["--memory", both, "--dry-run"], ["--memory", both, "--reason", "mistake"]):
        shown = run(told, "forget", *arguments)
        assert shown.returncode == (0 if "--dry-run" in arguments else 1)
        assert "- They met Anna." in shown.stdout
        assert "- Anna was ill." in shown.stdout
    assert "add --yes" in shown.stderr
    assert run(told, "search", "ill", "--json").stdout.count("Anna was ill.") == 1
    erased = run(told, "forget", "--memory", both, "--reason", "mistake", "--yes", "--json")
    assert json.loads(erased.stdout)["erased"]["facts"] == 2
    assert "ill" not in run(told, "search", "ill").stdout
    words = run(told, "forget", "Halcyon", "--fact", "150,000", "--reason", "mistake", "--yes")
    assert words.returncode == 0
    assert "150,000" not in run(told, "timeline", "Halcyon").stdout
    assert run(told, "forget", "Halcyon", "--reason", "mistake", "--yes").returncode == 0
    assert run(told, "show", "company:Halcyon").returncode == 1


def test_what_somebody_keeps_private_is_in_no_answer_to_others(told: Path) -> None:
    memorize(told, HALCYON, "Halcyon may be bought.", day=23, visibility="private", user="maria")
    for arguments in (
        ["search", "bought", "--json"],
        ["show", "Halcyon"],
        ["timeline", "Halcyon"],
        ["forget", "Halcyon", "--dry-run"],
    ):
        assert "bought" not in run(told, *arguments).stdout
        assert "may be bought" in run(told, *arguments, USER="maria").stdout
    assert "nothing that is current" in run(told, "end", "Halcyon", "--fact", "bought").stderr


def test_roles_of_a_key_count_here_too(told: Path) -> None:
    made = interlayer(told, "access", "create", "reading", "--role", "reader")
    key = made.stdout.strip()
    assert "Halcyon" in run(told, "show", "Halcyon", TOKEN=key).stdout
    for arguments, role in (
        (["end", "Halcyon", "--property", "employees"], "writer"),
        (["forget", "Halcyon", "--reason", "mistake", "--yes"], "eraser"),
    ):
        refused = run(told, *arguments, TOKEN=key)
        assert refused.returncode == 1
        assert f"role {role}" in refused.stderr
    assert run(told, "show", "Halcyon").returncode == 0


def test_reads_of_the_command_line_leave_receipts(told: Path) -> None:
    for arguments in (["search", "budget"], ["list", "deal"], ["timeline", "Halcyon"], ["show", "Halcyon"]):
        assert run(told, *arguments).returncode == 0
    receipts = json.loads(interlayer(told, "audit", "receipts", "--limit", "50", "--json").stdout)
    assert {"search", "list", "explain", "recall"} <= {one["kind"] for one in receipts}


def test_duplicates_have_a_name_among_the_questions_of_the_day(told: Path) -> None:
    one, other = (json.loads(interlayer(told, who, "duplicates", "--json").stdout) for who in ("memory", "entity"))
    assert one == other
    assert [pair["one"]["name"] for pair in one] == ["Anna Schmidt"]


def test_a_person_at_a_terminal_is_asked(told: Path) -> None:
    ours, theirs = pytest.importorskip("pty").openpty()
    process = subprocess.Popen(
        command("memory", "forget", "Anna Schmidt", "--reason", "mistake"),
        env={**environment(told), "COLUMNS": "60", "TERM": "xterm"},
        cwd=told.parent,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = _said_until(ours, "Which one")
    assert "anna@orbit.example" in said
    os.write(ours, b"1\n")
    said = _said_until(ours, "for good?")
    assert "Anna" in said
    assert "\x1b[" in said  # a terminal has colours
    os.write(ours, b"y\n")
    assert process.wait(60) == 0
    os.close(ours)
    assert len(json.loads(run(told, "list", "contact", "--json").stdout)["entities"]) == 1


def _said_until(terminal: int, words: str) -> str:
    said = ""
    while words not in said:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, said
        said += os.read(terminal, 4_096).decode()
    return said
