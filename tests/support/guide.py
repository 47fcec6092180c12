"""The guides as they are run: their files are written, their edits made, their commands run, their output compared.

`make guide` writes the output of a run into each guide.
"""

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import anyio
from click.testing import CliRunner

from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer.main import cli
from interlayer.memory.requests import MemorizeRequest
from interlayer.principal import Principal
from interlayer_policies.governance import Facets

_DOCS = Path(__file__).parents[2] / "docs"
GUIDE = _DOCS / "stewards.md"
GUIDES = (GUIDE, _DOCS / "cost.md", _DOCS / "operating-in-aws.md")

_STEP = re.compile(
    r"`(?P<file>[\w./-]+)`:\n\n```markdown\n(?P<text>.*?)```\n"
    r"|<!-- edit (?P<edited>[\w./-]+): (?P<before>.+?) -> (?P<after>.+?) -->\n"
    r"|<!-- an agent asks (?P<calls>\d+) times -->\n"
    r"|<!-- an agent remembers of (?P<entity>\S+): (?P<words>.+?) -->\n"
    r"|```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```\n",
    re.DOTALL,
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_VARYING = re.compile(
    rf"\b(?:pr|w|rc|e|m)_[0-9a-z]{{16}}\b|{_DATE.pattern}(?:[ T]\d\d:\d\d(?::\d\d)?)?|\b[0-9a-f]{{64}}\b"
)
_ID = re.compile(r"\b(?:pr|w|rc)_[0-9a-z]{16}\b")


@dataclass(frozen=True)
class Shown:
    """A command of the guide as it was run now, what the guide shows of it and what it printed; and their places."""

    command: str
    documented: str
    printed: str
    command_span: tuple[int, int]
    output_span: tuple[int, int]


def run_guide(text: str, folder: Path) -> Iterator[Shown]:
    """Do what the guide says in an empty folder."""
    environment = {
        **{name: None for name in os.environ if name.startswith("INTERLAYER_")},
        "INTERLAYER_HOME": str(folder / "home"),
        "INTERLAYER_AGENT": "ann@company.example",
        "COLUMNS": "112",
    }
    real: dict[str, str] = {}
    for step in _STEP.finditer(text):
        if step["file"]:
            path = folder / step["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["text"], encoding="utf-8")
        elif step["edited"]:
            path = folder / step["edited"]
            before = path.read_text(encoding="utf-8")
            assert before.count(step["before"]) == 1, step[0]
            path.write_text(before.replace(step["before"], step["after"]), encoding="utf-8")
        elif step["calls"]:
            anyio.run(_ask, folder / "home", int(step["calls"]))
        elif step["entity"]:
            anyio.run(_remember, folder / "home", step["entity"], step["words"])
        else:
            command = _DATE.sub(_to_come, step["command"])
            for documented, now in real.items():
                command = command.replace(documented, now)
            program, *arguments = shlex.split(command)
            assert program == "interlayer"
            done = CliRunner().invoke(cli, arguments, env=environment)
            printed = "\n".join(line.rstrip() for line in done.output.splitlines())
            printed = printed + "\n" if printed else ""
            real |= dict(zip(_ID.findall(step["output"]), _ID.findall(printed), strict=False))
            yield Shown(command, step["output"], printed, step.span("command"), step.span("output"))


def masked(text: str) -> str:
    """Return an output without what differs from run to run, each part by as many dots."""
    return _VARYING.sub(lambda found: "." * len(found[0]), text)


def _to_come(found: re.Match[str]) -> str:
    """Return a date of the guide, moved where it has passed: a waiver ends in the future."""
    today = datetime.now(UTC).date()
    return found[0] if date.fromisoformat(found[0]) > today else (today + timedelta(days=40)).isoformat()


async def _ask(home: Path, calls: int) -> None:
    settings = load({"HOME": str(home)}, {})
    async with opened(settings) as parts:
        agent = Principal("default", "support-7", frozenset({"reader"}))
        for _ in range(calls):
            facets = Facets(channel="chat", audience="customer")
            await parts.domains.governance.context(agent, "The customer wants 300 dollars back", facets)


async def _remember(home: Path, entity: str, words: str) -> None:
    settings = load({"HOME": str(home)}, {})
    async with opened(settings) as parts:
        agent = Principal("default", "support-7", frozenset({"writer"}))
        await parts.memory.memorizer.memorize(agent, MemorizeRequest(entity=entity, content=words))


def _write(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        shown = [*run_guide(text, Path(name))]
    for one in reversed(shown):
        text = text[: one.output_span[0]] + one.printed + text[one.output_span[1] :]
        text = text[: one.command_span[0]] + one.command + text[one.command_span[1] :]
    guide.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for one in GUIDES:
        _write(one)
