"""The container as far as it can be told without an engine: what the Dockerfile and the compose file promise."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from interlayer.app.settings import load
from interlayer.main import cli

DOCKER = Path(__file__).parents[3] / "deploy" / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with continued lines joined and comments left out."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(line.split()[0].upper(), line.split(maxsplit=1)[1]) for line in joined]


INSTRUCTIONS = instructions()
LAST_STAGE = INSTRUCTIONS[max(place for place, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]


def of(word: str, among: list[tuple[str, str]] = LAST_STAGE) -> list[str]:
    return [rest for one, rest in among if one == word]


def test_the_base_is_chosen_by_whoever_builds() -> None:
    assert INSTRUCTIONS[0][0] == "ARG"
    assert re.match(r"BASE=\S+:\S+$", INSTRUCTIONS[0][1])
    assert not INSTRUCTIONS[0][1].endswith(":latest")
    assert {base.split()[0] for base in of("FROM", INSTRUCTIONS)} == {"${BASE}"}


def test_it_runs_as_a_user_that_is_a_number_and_not_root() -> None:
    assert of("USER") == ["10001:10001"]
    words = [word for word, _ in LAST_STAGE]
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_start_and_health_check_need_no_shell() -> None:
    entrypoint, command = json.loads(of("ENTRYPOINT")[0]), json.loads(of("CMD")[0])
    assert entrypoint == ["interlayer"]
    assert command[0] in cli.commands
    health = re.search(r"CMD (\[.*\])$", of("HEALTHCHECK")[0])
    assert health
    assert json.loads(health[1])[0] == "python"
    assert "/healthz" in health[1]


def test_its_label_names_the_version_that_program_and_chart_have() -> None:
    label = re.search(r'org\.opencontainers\.image\.version="(\S+?)"', of("LABEL")[0])
    chart = yaml.safe_load((DOCKER.parent / "helm" / "interlayer" / "Chart.yaml").read_text(encoding="utf-8"))
    assert label
    assert label[1] == version("interlayer") == chart["appVersion"]


def test_data_is_all_that_it_has_to_write_to() -> None:
    settings = dict(pair.split("=", 1) for line in of("ENV") for pair in line.split())
    assert of("VOLUME") == [settings["INTERLAYER_HOME"]] == [settings["TMPDIR"]]
    assert settings["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "unchecked-hash" in of("RUN", INSTRUCTIONS)[-1]


def test_what_is_installed_is_pinned_by_hash_and_nothing_is_fetched_by_the_builder() -> None:
    assert not of("ADD", INSTRUCTIONS)
    installs = [run for run in of("RUN", INSTRUCTIONS) if re.search(r'pip"?,? "?install', run)]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    assert not of("RUN")
    pins = re.findall(r"^([a-z0-9.-]+)==", (DOCKER / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"lancedb", "mcp", "boto3", "litellm", "hatchling"} <= set(pins)


def test_no_instruction_holds_a_secret() -> None:
    assert not re.search(
        r"(?i)(key|secret|token|password)\w*=", " ".join(of("ENV", INSTRUCTIONS) + of("ARG", INSTRUCTIONS))
    )


def test_the_laptop_has_a_server_and_two_stores_and_makes_what_they_need() -> None:
    assert set(SERVICES) == {"server", "make-tables", "make-bucket", "tables", "objects"}
    assert set(COMPOSE["volumes"]) == {"home", "tables", "objects", "versions"}
    assert set(SERVICES["server"]["depends_on"]) == {"make-tables", "make-bucket"}
    group, name = SERVICES["make-tables"]["command"][:2]
    made: Any = cli.commands[group]
    assert name in made.commands
    options = {option for one in made.commands[name].params for option in one.opts}
    assert set(SERVICES["make-tables"]["command"][2:]) <= options
    compile("\n".join(SERVICES["make-bucket"]["entrypoint"][2:]), "make-bucket", "exec")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_confined_and_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "devices", "cap_add"} & set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert bool(service.get("ports")) == (name == "server")
    assert name == "server" or service["networks"] == ["stores"]
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))
    repository, _, tag = service["image"].rpartition(":")
    assert repository
    assert tag == "local" if repository == "interlayer" else re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


def test_the_stores_cannot_reach_out_and_the_license_is_named() -> None:
    assert COMPOSE["networks"]["stores"] == {"internal": True}
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    assert "DynamoDB Local License Agreement" in text


def test_the_settings_of_the_server_are_ones_that_it_takes() -> None:
    settings = load({}, {**SERVICES["server"]["environment"], "INTERLAYER_CONFIG": "/nowhere"})
    assert settings.auth == "keys"
    assert settings.vectors == "s3://interlayer/vectors"
    assert settings.store is not None
    assert settings.store.endpoint_url == "http://tables:8000"
