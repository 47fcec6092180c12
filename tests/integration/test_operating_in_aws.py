"""docs/operating-in-aws.md is true: its commands exist, print what it shows, and bring back what was remembered."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import boto3
import click
import pytest
import yaml

from command_line import interlayer
from emulators import REGION, Emulator
from guide import masked, run_guide
from interlayer.app.composition import build, opened
from interlayer.app.settings import Settings, load
from interlayer.app.transfer import export
from interlayer.app.transfer import load as import_file
from interlayer.ids import system_clock
from interlayer.main import cli
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from processes import command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "operating-in-aws.md").read_text(encoding="utf-8")
COMPOSE = Path(__file__).parents[2] / "deploy" / "docker" / "compose.yaml"
ACME = "company:acme.example"
TABLES = ("memory", "governance", "audit")


def commands(text: str) -> Iterator[str]:
    """Yield every command of the program that a page names, in fences and in lines."""
    yield from re.findall(r"^(?:\$ )?(interlayer .+)$", text, re.MULTILINE)
    yield from re.findall(r"`(interlayer [^`]+)`", text)


@pytest.mark.parametrize("page", ["operating-in-aws.md", "cost.md"])
def test_every_command_of_the_page_exists(page: str) -> None:
    named = [*commands((DOCS / page).read_text(encoding="utf-8"))]
    assert named
    for line in named:
        words = iter(shlex.split(line)[1:])
        here: click.Command = cli
        for word in words:
            if word.startswith("--"):
                options = {name for one in here.params for name in one.opts}
                assert word in options, line
                continue
            inner = here.commands.get(word) if isinstance(here, click.Group) else None
            assert inner is not None or not isinstance(here, click.Group) or here is cli, line
            here = inner or here
        assert not isinstance(here, click.Group), line


@pytest.mark.timeout(180)  # stores are opened a dozen times, on a machine that may be busy
def test_the_page_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [*run_guide(PAGE, tmp_path)]
    assert len(shown) == 6
    for one in shown:
        assert masked(one.documented) == masked(one.printed), one.command
    with_facts = interlayer(tmp_path / "restored", "memory", "show", ACME, "--json")
    assert {fact["text"] for fact in json.loads(with_facts.stdout)["facts"]} == {
        "Acme asked for a pilot in March.",
        "Acme sells pumps.",
    }


@pytest.mark.anyio
async def test_what_was_erased_since_is_erased_again_as_the_page_says(tmp_path: Path) -> None:
    file, trail = tmp_path / "backup.jsonl", tmp_path / "trail-before-restore.jsonl"
    async with opened(load({"HOME": str(tmp_path / "home")}, {})) as parts:
        who = parts.settings.principal
        await parts.memory.memorizer.memorize(who, MemorizeRequest(entity=ACME, content="Acme sells pumps."))
        await export(parts.store, "default", file, system_clock, lambda _: None)
        await parts.memory.forgetter.forget(who, "asked for", entity=ACME)
    assert interlayer(tmp_path / "home", "audit", "export", str(trail)).returncode == 0
    found = re.search(r"^grep .* trail-before-restore\.jsonl .*$", PAGE, re.MULTILINE)
    assert found
    done = await anyio.run_process(["sh", "-c", found[0]], cwd=tmp_path)
    erased = json.loads("{" + done.stdout.decode() + "}")["subject"]
    restored = build(load({"HOME": str(tmp_path / "restored")}, {}))
    try:
        await import_file(restored, "default", file, lambda _: None)
        assert (await restored.memory.recaller.recall(who, RecallRequest(entity=ACME))).found
        await restored.memory.forgetter.forget(who, "again", entity=erased)
        assert not (await restored.memory.recaller.recall(who, RecallRequest(entity=ACME))).found
    finally:
        await restored.close()


@pytest.mark.anyio
@pytest.mark.timeout(180)  # processes of their own, on a machine that may be busy
async def test_tables_restored_to_a_point_in_time_serve_what_was_remembered(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in emulator.environment.items():
        monkeypatch.setenv(variable, value)
    name = f"t{uuid4().hex[:8]}"

    def at(prefix: str, home: str) -> Settings:
        store = f"dynamodb://{prefix}?region={REGION}&endpoint_url={emulator.url}"
        return load({"HOME": str(tmp_path / home), "STORE": store}, {"INTERLAYER_CONFIG": "/nowhere"})

    def store(action: str, prefix: str, *more: str) -> "subprocess.CompletedProcess[str]":
        place = f"dynamodb://{prefix}?region={REGION}&endpoint_url={emulator.url}"
        return interlayer(tmp_path / "cli", "store", action, *more, STORE=place)

    assert store("create", name).returncode == 0
    async with opened(at(name, "before")) as parts:
        who = parts.settings.principal
        request = MemorizeRequest(entity=ACME, facts=[FactCandidate("Acme sells pumps.", 0.9)])
        await parts.memory.memorizer.memorize(who, request)
        await parts.access.create(who, "bot", ["reader"], [], 30)
    dynamodb: Any = boto3.client("dynamodb", region_name=REGION)
    for table in TABLES:
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=f"{name}-{table}", TargetTableName=f"{name}r-{table}", RestoreDateTime=datetime.now(UTC)
        )
    made = store("create", f"{name}r")
    assert made.returncode == 0, made.stderr
    checked = store("check", f"{name}r", "--json")
    assert checked.returncode == 0, checked.stdout
    async with opened(at(f"{name}r", "after")) as parts:
        rebuilt = await parts.memory.backfill.fill("default", await parts.memory.spaces.of("default"))
        assert (rebuilt.facts, rebuilt.added) == (1, 1)
        told = await parts.memory.recaller.recall(who, RecallRequest(entity=ACME))
        assert [fact.text for fact in told.facts] == ["Acme sells pumps."]
        assert [key.agent for key in await parts.access.keys(who)] == ["bot"]
    verified = interlayer(
        tmp_path / "cli", "audit", "verify", STORE=f"dynamodb://{name}r?region={REGION}&endpoint_url={emulator.url}"
    )
    assert verified.returncode == 0, verified.stdout


@pytest.mark.timeout(180)
def test_the_laptop_makes_its_tables_and_its_bucket(emulator: Emulator, tmp_path: Path) -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    there = {"AWS_ENDPOINT_URL_DYNAMODB": emulator.url, "AWS_ENDPOINT_URL_S3": emulator.url}
    given = {**services["server"]["environment"], **there, "INTERLAYER_HOME": str(tmp_path / "home")}
    given["INTERLAYER_STORE"] = given["INTERLAYER_STORE"].replace("http://tables:8000", emulator.url)
    variables = {"PATH": os.environ["PATH"], "AWS_ALLOW_HTTP": "true", **given}

    def start(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            arguments, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    _, *bucket = services["make-bucket"]["entrypoint"]
    made = start(*command(*services["make-tables"]["command"]))
    assert made.returncode == 0, made.stderr
    for _ in range(2):  # starting again harms nothing
        made = start(command()[0], *bucket)
        assert made.returncode == 0, made.stderr
    looked = start(*command("doctor"))
    assert looked.returncode == 0, looked.stdout
