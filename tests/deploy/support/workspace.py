"""Terraform at work on a copy of the modules, with the double in place of the provider and no network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import bindings
from double import attached

ROOT: Final = Path(__file__).parents[3]
MODULES: Final = ROOT / "deploy" / "terraform"
TABLES: Final = Path("server/interlayer/storage/dynamodb/tables.json")
PHASES: Final = ("1-foundation", "2-network", "3-data", "4-service")
REGION: Final = "eu-central-1"
SOON: Final = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
"""Within what support may be let in for."""
_ATTACHED: Final = "TF_REATTACH_PROVIDERS"
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LANG")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    text: str


@dataclass(slots=True)
class Workspace:
    """A copy of the repository's modules; `environment` goes to terraform."""

    folder: Path
    environment: dict[str, str]
    variables: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def phase(self, name: str) -> Path:
        """Return the folder of a phase."""
        return self.folder / "deploy" / "terraform" / name

    def terraform(self, phase: str, *arguments: str) -> Outcome:
        """Run terraform in a phase."""
        return self._run(["terraform", *arguments], self.phase(phase))

    def all_phases(self, action: str) -> str:
        """Run the one command for all phases and demand that it succeeds."""
        outcome = self._run(["./phases", action], self.phase("."))
        assert outcome.code == 0, outcome.text
        return outcome.text

    def _run(self, command: list[str], folder: Path) -> Outcome:
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout)

    def done(self, phase: str, *arguments: str) -> str:
        """Run terraform and demand that it succeeds."""
        outcome = self.terraform(phase, *arguments)
        assert outcome.code == 0, f"{phase}: terraform {' '.join(arguments)}\n{outcome.text}"
        return outcome.text

    def settings(self, phase: str) -> list[str]:
        """Return the variables of a phase as arguments."""
        return [f"-var={name}={_hcl(value)}" for name, value in self.variables.get(phase, {}).items()]

    def apply(self, *phases: str) -> None:
        """Make what phases describe, in order."""
        for phase in phases:
            self.done(phase, "apply", "-auto-approve", "-no-color", "-input=false", *self.settings(phase))

    def plan(self, phase: str) -> dict[str, Any]:
        """Return a plan as JSON."""
        self.done(phase, "plan", "-out=plan", "-no-color", "-input=false", *self.settings(phase))
        return json.loads(self.done(phase, "show", "-json", "plan"))

    def outputs(self, phase: str) -> dict[str, Any]:
        """Return the outputs of a phase that was applied."""
        found = json.loads(self.done(phase, "output", "-json"))
        return {name: one["value"] for name, one in found.items()}

    def unattached(self) -> "Workspace":
        """Return the same without a provider: only so does terraform look for the version that the modules want."""
        return Workspace(self.folder, {name: one for name, one in self.environment.items() if name != _ATTACHED})

    def copy(self, folder: Path) -> "Workspace":
        """Return another workspace with the same states."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workspace(folder, self.environment, dict(self.variables))


def _hcl(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def workspace(folder: Path, *, modules: Path = MODULES, endpoint: str | None = None, init: bool = True) -> Workspace:
    """Return a workspace with the phases initialized; `endpoint` is of an emulator to make things in."""
    copied = folder / "repository"
    shutil.copytree(
        modules, copied / "deploy" / "terraform", ignore=shutil.ignore_patterns("*.tfstate*", ".terraform*")
    )
    (copied / TABLES).parent.mkdir(parents=True)
    shutil.copy(ROOT / TABLES, copied / TABLES)
    mirror = folder / "mirror"
    _install(mirror)
    rc = folder / "terraform.rc"
    rc.write_text(
        f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n'
    )
    provider = attached(schema_file(copied / "deploy" / "terraform"), endpoint)
    made = Workspace(
        copied,
        {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "TF_CLI_CONFIG_FILE": str(rc),
            _ATTACHED: json.dumps({"registry.terraform.io/hashicorp/aws": provider}),
            "CHECKPOINT_DISABLE": "1",
        },
        {"1-foundation": {"region": REGION, "organization": "acme"}},
    )
    if init:
        for phase in PHASES:
            made.unattached().done(phase, "init", "-no-color", "-input=false")
    return made


def schema_file(modules: Path) -> Path:
    """Return the rebuilt schema of the types that modules use; it is kept in the environment, as it takes seconds."""
    types = sorted(set(bindings.types_in(modules)) | set(bindings.types_in(MODULES)))
    known = [one for one in types if one in set(bindings.types_in(MODULES))]
    digest = hashlib.sha256("\n".join([bindings.VERSION, *known, Path(bindings.__file__).read_text()]).encode())
    kept = Path(sys.prefix) / f"schema-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        package = Path(sys.prefix) / "bindings"
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(bindings.schema(package, known)), encoding="utf-8")
        partial.replace(kept)
    return kept


def _install(mirror: Path) -> None:
    place = mirror / "registry.terraform.io/hashicorp/aws" / bindings.VERSION / "linux_amd64"
    place.mkdir(parents=True)
    plugin = place / f"terraform-provider-aws_v{bindings.VERSION}_x5"
    plugin.write_text("#!/bin/sh\necho terraform is attached to the provider and starts none >&2\nexit 1\n")
    plugin.chmod(0o755)
