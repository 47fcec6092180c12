"""Do what deploy/docker/Dockerfile does, without an engine: `make image-check`.

Its RUN lines are run on what the build context holds, its entry point is started in an environment of its own, and its
health check is asked. Not covered: the base image, the user, the read-only file system.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
HEALTHY_WITHIN_S = 60.0


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, continued lines joined."""
    text = "\n".join(line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def main() -> int:
    """Install and start as the image would; exit 0 when the health check passes."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        started = time.monotonic()
        _build(place)
        size = sum(path.lstat().st_size for path in (place / "opt").rglob("*")) / 1e6
        print(f"installed in {time.monotonic() - started:.0f} s, {size:.0f} MB")
        healthy = _serve(place)
        print("no answer to the health check" if healthy is None else f"healthy after {healthy:.1f} s")
        return healthy is None


def _here(place: Path, text: str) -> str:
    """Return a line of the Dockerfile with the folders of the image moved under `place`."""
    return text.replace("/opt/interlayer", str(place / "opt")).replace("/data", str(place / "data"))


def _build(place: Path) -> None:
    source = place / "src"
    source.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("INTERLAYER_", "PYTHON"))}
    for word, rest in instructions():
        if word == "ENV" and rest.startswith("PIP_"):
            environment |= dict(pair.split("=", 1) for pair in rest.split())
        elif word == "COPY" and not rest.startswith("--"):
            *files, _ = rest.split()
            for file in files:
                _copy(ROOT / file, source / (Path(file).name))
        elif word == "RUN":
            line = _here(place, rest)
            command = json.loads(line) if line.startswith("[") else ["/bin/sh", "-c", line]
            subprocess.run(command, cwd=source, env=environment, stdout=subprocess.DEVNULL, check=True)


def _copy(file: Path, to: Path) -> None:
    if file.is_dir():
        shutil.copytree(file, to, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(file, to)


def _serve(place: Path) -> float | None:
    """Start the entry point and ask its health check; return after how many seconds it passed, None if never."""
    said = dict(instructions())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {
        "PATH": f"{place / 'opt' / 'bin'}:/usr/bin:/bin",
        "HOME": str(place),
        "INTERLAYER_HOME": str(place / "data"),
        "INTERLAYER_AUTH": "keys",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
    command = [part.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for part in command]
    health = json.loads(said["HEALTHCHECK"].split(" CMD ", 1)[1])
    health = [str(place / "opt" / "bin" / health[0]), *(part.replace(":8000", f":{port}") for part in health[1:])]
    program = str(place / "opt" / "bin" / command[0])
    started = time.monotonic()
    process = subprocess.Popen([program, *command[1:]], cwd=place, env=environment)
    try:
        while time.monotonic() < started + HEALTHY_WITHIN_S and process.poll() is None:
            if subprocess.run(health, env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return time.monotonic() - started
        return None
    finally:
        process.terminate()
        process.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
