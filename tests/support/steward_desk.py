"""A steward's desk: a home, a folder of policies, the command line, and agents that call meanwhile."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from click.testing import CliRunner, Result

from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.main import cli
from interlayer.principal import Principal
from interlayer_policies.governance import Facets


@dataclass(frozen=True)
class Desk:
    """Runs commands in this process, in the folder that holds `policies`."""

    home: Path
    folder: Path

    def write(self, **files: str) -> None:
        """Write policies, `facets` as the vocabulary."""
        for name, text in files.items():
            path = self.folder / ("facets.yaml" if name == "facets" else f"{name}.md")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, agent: str = "ann", fails: bool = False, **settings: str) -> Result:
        """Run `interlayer policy ...`, which has to end well, or has to fail in words."""
        inherited = {name: None for name in os.environ if name.startswith("INTERLAYER_")}
        own = {"INTERLAYER_HOME": str(self.home), "INTERLAYER_AGENT": agent, "COLUMNS": "200", **settings}
        done = CliRunner().invoke(cli, ("policy", *arguments), env={**inherited, **own})
        assert (done.exit_code != 0) is fails, done.output
        assert "Traceback" not in done.output
        return done

    def told(self, *arguments: str, **options: Any) -> Any:
        """Run a command with --json and read what it prints."""
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def publish(self, *options: str, **as_whom: Any) -> Any:
        """Publish the folder."""
        return self.told("publish", str(self.folder), "--reason", "because", *options, **as_whom)

    def ask(self, task: str = "Reply to the customer", times: int = 1, **facets: Any) -> Any:
        """Let an agent ask for its context; return the last answer."""

        async def call(parts: Parts) -> Any:
            return await parts.domains.governance.context(_AGENT, task, Facets(**facets))

        return [self._in_process(call) for _ in range(times)][-1]

    def check(self, text: str, **facets: Any) -> Any:
        """Let an agent have a draft checked."""

        async def call(parts: Parts) -> Any:
            return await parts.domains.governance.check(_AGENT, text, Facets(**facets))

        return self._in_process(call)

    def _in_process(self, call: Any) -> Any:
        async def run() -> Any:
            async with opened(load({"HOME": str(self.home)}, {"INTERLAYER_CONFIG": os.devnull})) as parts:
                return await call(parts)

        return anyio.run(run)


_AGENT = Principal("default", "support-7", frozenset({"reader"}))
