"""Build the image without an engine, look into it, push it, pull it by its digest and serve it: `make image`.

Nothing is pulled from elsewhere: the base is put together from Debian's packages, unless BASE names one that can be
pulled. `image_served.py` does what needs an engine, in a network of its own. Needs root, and on Debian
`apt-get install buildah mmdebstrap docker.io docker-registry`; with docker-compose 2 the compose file is run, too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from measuring import ROOT, machine

DEBIAN: Final = "bookworm"
PACKAGES: Final = "python3-minimal,python3-venv,python3-pip,ca-certificates"
NEEDED: Final = ("buildah", "mmdebstrap", "docker-registry", "dockerd", "docker", "unshare", "ip")
BASE: Final = "localhost/base"
IMAGE: Final = "localhost/interlayer"
EMULATOR: Final = "localhost/emulator"
# How this machine reaches a package index. Mounted while building, so that it gets into no layer.
REACHES: Final = ("/etc/pip.conf", "/etc/ssl/certs")
RUN: Final = ("interlayer", "interlayer_tools", "interlayer_policies", "mcp", "lancedb", "boto3", "pydantic")
UNCHECKED: Final = 1  # in the head of a .pyc: made from a hash of its source, which is not looked at
EMULATOR_IN_IT: Final = f"""
FROM {BASE}
COPY tests/emulators.lock /
RUN python3 -m venv /opt/emulator && /opt/emulator/bin/pip install --no-cache-dir --require-hashes -r /emulators.lock
"""


@contextmanager
def step(name: str) -> Generator[None]:
    """Say how long the block took."""
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:6.1f} s  {name}", flush=True)


def program(name: str) -> str:
    """Return where a program is. Raises `SystemExit` if it is nowhere."""
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"There is no {name} here; {Path(__file__).name} says at its top what it needs.")
    return found


def main() -> int:
    """Go the whole way; the first thing that is not as it should be ends it."""
    for name in NEEDED:
        program(name)
    if os.geteuid() != 0:
        sys.exit("Building and serving need root.")
    print(json.dumps(machine()))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        store = Buildah(work)
        try:
            build(store, work)
            look_into(store)
            isolated = (program("unshare"), "--net", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child")
            served = Path(__file__).with_name("image_served.py")
            done = subprocess.run([*isolated, sys.executable, served, work], check=False)
        finally:
            store("rm", "--all")
            store("rmi", "--all", "--force")
    return done.returncode


class Buildah:
    """buildah with a store of its own."""

    def __init__(self, work: Path) -> None:
        self.options = ["--root", str(work / "images"), "--runroot", str(work / "run")]

    def __call__(self, *arguments: str) -> str:
        """Run a command and read what it prints; what it says otherwise is shown when it fails."""
        done = subprocess.run(
            [program("buildah"), *self.options, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"buildah {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout.strip()


def build(store: Buildah, work: Path) -> None:
    """Make the image, and one of the emulator that stands in for the stores of the compose file."""
    base = os.environ.get("BASE")
    if not base:
        with step(f"base of Debian {DEBIAN}"):
            archive = work / "base.tar"
            how = ("--quiet", "--variant=apt", f"--include={PACKAGES}")
            subprocess.run([program("mmdebstrap"), *how, DEBIAN, archive], check=True)
            container = store("from", "scratch")
            store("add", "--quiet", container, str(archive), "/")
            store("commit", "--quiet", container, BASE)
            store("rm", container)
            archive.unlink()
    mounts = [f"--volume={path}:{path}:ro" for path in REACHES if Path(path).exists()]
    how = ("bud", "--isolation=chroot", "--network=host", "--format=docker", *mounts)
    with step("deploy/docker/Dockerfile"):
        file = "deploy/docker/Dockerfile"
        store(*how, f"--build-arg=BASE={base or BASE}", f"--file={file}", f"--tag={IMAGE}", ".")
    with step("emulator for the compose file"):
        text = EMULATOR_IN_IT.replace(BASE, base or BASE)
        recipe = work / "Emulator"
        recipe.write_text(text, encoding="utf-8")
        store(*how, "--ignorefile=/dev/null", f"--file={recipe}", f"--tag={EMULATOR}", ".")


def look_into(store: Buildah) -> None:
    """Judge what is in the image and what is not."""
    image: dict[str, Any] = json.loads(store("inspect", "--type=image", IMAGE))["Docker"]
    with step("looked into it"):
        container = store("from", IMAGE)
        root = Path(store("mount", container))
        whole, ours = _megabytes(root), _megabytes(root / "opt" / "interlayer")
        found = {**_settings(image["config"]), **_files(root)}
        store("umount", container)
    print(f"{whole:.0f} MB, of which the base has {whole - ours:.0f}")
    wrong = {what: told for what, told in found.items() if told}
    if wrong:
        sys.exit("\n".join(f"{what}: {str(told)[:500]}" for what, told in wrong.items()))


def _settings(config: Mapping[str, Any]) -> dict[str, object]:
    return {
        "not the user without rights": config["User"] != "10001:10001",
        "no health check": not config.get("Healthcheck"),
        "a shell starts it": config["Entrypoint"] != ["interlayer"],
        "labels missing": {"title", "description", "licenses", "version"}
        - {name.removeprefix("org.opencontainers.image.") for name in config["Labels"]},
    }


def _files(root: Path) -> dict[str, object]:
    (packages,) = (root / "opt" / "interlayer" / "lib").glob("python3.*/site-packages")
    below = [path for path in (root / "opt" / "interlayer").rglob("*") if path.is_file() and not path.is_symlink()]
    texts = [path for path in (root / "etc").rglob("pip*.conf") if path.stat().st_size]
    return {
        "package index configuration": [*texts, *(root / "root").glob(".config/pip/*"), *(root / "root").glob(".pip*")],
        "cache of pip": [*(root / "root" / ".cache").glob("*")],
        "tests": [path for path in packages.rglob("tests") if path.is_dir()],
        "what only builds": [path for name in ("pip", "setuptools", "hatchling") for path in packages.glob(name)],
        "sources without bytecode": [
            path for name in RUN for path in (packages / name).rglob("*.py") if not _compiled(path)
        ],
        "files that somebody else than root can write to": [
            path for path in below if path.stat().st_uid != 0 or path.stat().st_mode & 0o022
        ],
    }


def _compiled(source: Path) -> bool:
    """Tell whether Python takes the bytecode beside a source without looking at the time of the source."""
    found = [*(source.parent / "__pycache__").glob(f"{source.stem}.cpython-3??.pyc")]
    return len(found) == 1 and int.from_bytes(found[0].read_bytes()[4:8], "little") == UNCHECKED


def _megabytes(folder: Path) -> float:
    said = subprocess.run([program("du"), "-sbx", folder], capture_output=True, text=True, check=True).stdout
    return int(re.split(r"\s", said)[0]) / 1e6


if __name__ == "__main__":
    sys.exit(main())
