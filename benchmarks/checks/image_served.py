"""Push the image to a registry, pull it by its digest, serve it as a node would, stop it, run the compose file.

`image.py` starts this with a network and processes of its own: no other machine can be reached, every port is free,
and what is left running ends with it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import yaml
from image import EMULATOR, IMAGE, Buildah, program, step
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from measuring import ROOT

REGISTRY: Final = "127.0.0.1:5000"
ADDRESS: Final = "http://127.0.0.1:8000"
COMPOSE: Final = ROOT / "deploy" / "docker" / "compose.yaml"
PLUGINS: Final = ("/usr/libexec/docker/cli-plugins/docker-compose", "/usr/lib/docker/cli-plugins/docker-compose")
CLIENTS: Final = 4
WRITING_S: Final = 3.0
STOPS_WITHIN_S: Final = 10.0
# As ECS and Kubernetes run it: nothing can be written to but /data, and there is no right to gain.
CONFINED: Final = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=1g")
ABOUT_ITSELF: Final = """
import json, litellm, lancedb, pyarrow, awslambdaric
told = dict(line.split(":\\t") for line in open("/proc/1/status").read().splitlines() if ":\\t" in line)
try:
    open("/opt/interlayer/x", "w")
    written = True
except OSError:
    written = False
told = {"uid": told["Uid"].split(), "rights": told["CapEff"], "gains": told["NoNewPrivs"], "written": written}
print(json.dumps(told))
"""


def main(work: Path) -> None:
    """Go the whole way; anything that is not as it should be raises."""
    subprocess.run([program("ip"), "link", "set", "lo", "up"], check=True)
    os.environ["DOCKER_HOST"] = f"unix://{work}/docker.sock"
    settings = work / "docker-settings"  # none of the caller's
    settings.mkdir(exist_ok=True)
    (settings / "config.json").write_text("{}", encoding="utf-8")
    os.environ["DOCKER_CONFIG"] = str(settings)
    os.environ.pop("DOCKER_CONTEXT", None)
    with ExitStack() as running:
        with step("registry and engine started"):
            running.enter_context(_registry(work))
            running.enter_context(_engine(work))
        pulled = {name: _through_registry(Buildah(work), name) for name in (IMAGE, EMULATOR)}
        serve(pulled[IMAGE])
        compose(pulled[IMAGE], pulled[EMULATOR], work)


def docker(*arguments: str) -> str:
    """Ask the engine, and read what it prints."""
    done = subprocess.run([program("docker"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"docker {' '.join(arguments)}: {(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


@contextmanager
def _running(work: Path, *command: str, answers: Callable[[], bool]) -> Generator[None]:
    log = work / f"{Path(command[0]).name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _until(answers, 60, lambda: log.read_text(encoding="utf-8")[-2000:])
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _registry(work: Path) -> Any:
    settings = work / "registry.yaml"
    storage = {"filesystem": {"rootdirectory": str(work / "registry")}}
    settings.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": REGISTRY}}), encoding="utf-8")
    return _running(
        work, "docker-registry", "serve", str(settings), answers=lambda: status(f"http://{REGISTRY}/v2/") == 200
    )


def _engine(work: Path) -> Any:
    folders = [f"--data-root={work}/docker", f"--exec-root={work}/docker-run", f"--pidfile={work}/docker.pid"]

    def answers() -> bool:
        return subprocess.run([program("docker"), "version"], capture_output=True, check=False).returncode == 0

    return _running(work, "dockerd", f"--host={os.environ['DOCKER_HOST']}", *folders, answers=answers)


def _through_registry(store: Buildah, name: str) -> str:
    """Push an image and pull it by the digest that the registry knows it by; return that name."""
    repository = f"{REGISTRY}/{name.removeprefix('localhost/')}"
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as digest:
        with step(f"pushed {repository}"):
            store("push", "--tls-verify=false", f"--digestfile={digest.name}", name, f"docker://{repository}:0.1.0")
        pinned = f"{repository}@{digest.read()}"
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    address = f"http://{REGISTRY}/v2/{name.removeprefix('localhost/')}/manifests/{pinned.partition('@')[2]}"
    asked = urllib.request.Request(address, headers=accept)
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        compressed = sum(layer["size"] for layer in json.load(answer)["layers"])
    with step(f"pulled by digest, {compressed / 1e6:.0f} MB compressed"):
        docker("pull", "--quiet", pinned)
    return pinned


def serve(image: str) -> None:
    """Serve, use, stop while clients write, start again: everything that was acknowledged has to be there."""
    run = ("run", "--detach", "--name=server", "--publish=127.0.0.1:8000:8000", "--volume=memory:/data", *CONFINED)
    with step("ready"):
        docker(*run, "--env=INTERLAYER_AUTH=keys", image)
        _until(lambda: status(f"{ADDRESS}/readyz") == 200, 60, _logs)
    with step("healthy, by the image's own check"):
        _until(lambda: docker("inspect", "--format={{.State.Health.Status}}", "server") == "healthy", 60, _logs)
    _hold(status(f"{ADDRESS}/healthz") == 200, "/healthz does not answer")
    _hold(status(f"{ADDRESS}/mcp") == 401, "somebody without a key is let in")
    told = json.loads(docker("exec", "--env=LITELLM_LOCAL_MODEL_COST_MAP=True", "server", "python", "-c", ABOUT_ITSELF))
    wanted = {"uid": ["10001"] * 4, "rights": "0" * 16, "gains": "1", "written": False}
    _hold(told == wanted, str(told))
    token = docker("exec", "server", "interlayer", "access", "create", "agent-1").split()[-1]
    written: list[str] = []
    anyio.run(_write_until_it_ends, token, written)
    code = docker("inspect", "--format={{.State.ExitCode}}", "server")
    print(f"{len(written)} entities acknowledged before it stopped, with exit code {code}")
    _hold(code == "0" and bool(written), _logs())
    with step("ready again"):
        docker("start", "server")
        _until(lambda: status(f"{ADDRESS}/readyz") == 200, 60, _logs)
    with step("every acknowledged entity recalled, audit trail verified"):
        anyio.run(_recall, token, written)
        docker("exec", "server", "interlayer", "audit", "verify")
    _hold("Traceback" not in _logs(), _logs())
    docker("rm", "--force", "--volumes", "server")


def compose(image: str, emulator: str, work: Path) -> None:
    """Run the compose file with an emulator in place of the two stores, which cannot be pulled here."""
    plugin = next((path for path in (os.environ.get("COMPOSE_PLUGIN", ""), *PLUGINS) if Path(path).is_file()), None)
    if plugin is None:
        print("compose file not run: there is no docker-compose 2")
        return
    anywhere = {"BIND_HOST": "0.0.0.0", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0"}  # noqa: S104
    program_of = {"image": emulator, "entrypoint": ["/opt/emulator/bin/python", "-m", "ministack"], "command": []}
    stores = {
        name: {**program_of, "environment": {**anywhere, "GATEWAY_PORT": port}}
        for name, port in (("tables", "8000"), ("objects", "9000"))
    }
    instead = work / "instead.yaml"
    instead.write_text(yaml.safe_dump({"services": stores}), encoding="utf-8")
    docker("tag", image, "interlayer:local")

    def run(*arguments: str) -> str:
        command = [plugin, "--file", str(COMPOSE), "--file", str(instead), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        _hold(not done.returncode, f"compose {' '.join(arguments)}: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout.strip()

    with step("compose: up and ready"):
        run("up", "--no-build", "--detach")
        _until(lambda: status(f"{ADDRESS}/readyz") == 200, 60, lambda: run("logs"))
    with step("compose: key made, memorized, server started again, recalled"):
        made = run("run", "--rm", "server", "access", "create", "my-agent", "--role", "reader", "--role", "writer")
        token = made.split()[-1]
        anyio.run(_memorize, token, "company:acme.example")
        run("restart", "server")
        _until(lambda: status(f"{ADDRESS}/readyz") == 200, 60, lambda: run("logs"))
        anyio.run(_recall, token, ["company:acme.example"])
    run("down", "--volumes")


def status(address: str) -> int | None:
    """Return the status that an address answers with, None if it does not."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, urllib.error.URLError):
        return None


def _until(holds: Callable[[], bool], seconds: float, tell: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:.0f} s:\n{tell()}")
        time.sleep(0.05)


def _hold(true: bool, otherwise: str) -> None:
    if not true:
        raise SystemExit(otherwise)


def _logs() -> str:
    done = subprocess.run([program("docker"), "logs", "server"], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr)[-3000:]


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    _hold(not answer.is_error, str(answer.content))
    return dict(answer.structured_content or {})


async def _write_until_it_ends(token: str, written: list[str]) -> None:
    """Memorize from several clients, stop the container meanwhile, and note what was acknowledged."""

    async def write(number: int) -> None:
        with suppress(Exception):  # the server goes away in the middle of whatever it was
            async with _connected(token) as client:
                for place in range(1_000_000):
                    entity = f"company:c{number}-{place}.example"
                    await _call(client, "memorize", entity=entity, facts=[{"text": f"It has {place} pumps."}])
                    written.append(entity)

    async with anyio.create_task_group() as tasks:
        for number in range(CLIENTS):
            tasks.start_soon(write, number)
        await anyio.sleep(WRITING_S)
        started = time.monotonic()
        await anyio.to_thread.run_sync(docker, "stop", "--time=30", "server")
        took = time.monotonic() - started
        print(f"{took:6.1f} s  stopped by SIGTERM with {CLIENTS} clients writing")
        _hold(took < STOPS_WITHIN_S, "it takes too long to stop")
        tasks.cancel_scope.cancel()


async def _recall(token: str, entities: list[str]) -> None:
    async with _connected(token) as client:
        for entity in entities:
            known = await _call(client, "recall_entity", entity=entity, include=["facts"])
            _hold(bool(known.get("facts")), f"{entity} was acknowledged and is lost")


async def _memorize(token: str, entity: str) -> None:
    async with _connected(token) as client:
        await _call(client, "memorize", entity=entity, facts=[{"text": "Acme sells pumps."}])


@asynccontextmanager
async def _connected(token: str) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
        Client(streamable_http_client(f"{ADDRESS}/mcp", http_client=http)) as client,
    ):
        yield client


if __name__ == "__main__":
    main(Path(sys.argv[1]))
