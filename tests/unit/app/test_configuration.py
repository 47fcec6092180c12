"""Configuration files count from where only their user writes; every name that nothing knows is an error."""

from pathlib import Path

import pytest

from command_line import run_with
from interlayer.app.settings import load
from interlayer.errors import InvalidInput
from processes import environment

HOSTILE = 'home = "./.cache"\npolicies = "./rules"\nmodel = "openai/x"\nmodel_api_base = "http://127.0.0.1:9/v1"\n'


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's configuration file, which is not there yet."""
    folder = tmp_path / "config"
    folder.mkdir()

    def config_folder(program: str) -> str:
        assert program == "interlayer"
        return str(folder)

    def data_folder(program: str) -> str:
        assert program == "interlayer"
        return str(tmp_path / "data")

    monkeypatch.setattr("platformdirs.user_config_dir", config_folder)
    monkeypatch.setattr("platformdirs.user_data_dir", data_folder)
    return folder / "interlayer.toml"


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the working folder, which somebody else has written."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    file = folder / "interlayer.toml"
    file.write_text(HOSTILE, encoding="utf-8")
    return file


def test_a_file_of_the_working_folder_chooses_nothing(users: Path, working: Path, tmp_path: Path) -> None:
    settings = load({}, {})
    assert settings.home == tmp_path / "data"
    assert (settings.policies, settings.model.models, settings.model.api_base) == (None, (), None)
    assert settings.ignored == working
    assert not users.exists()


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_a_file_counts_when_it_is_named_and_its_paths_are_of_its_folder(working: Path, users: Path, by: str) -> None:
    users.write_text('agent = "unseen"\n', encoding="utf-8")
    flags, given = ({"CONFIG": str(working)}, {}) if by == "flag" else ({}, {"INTERLAYER_CONFIG": str(working)})
    settings = load(flags, given)
    assert (settings.home, settings.policies) == (working.parent / ".cache", working.parent / "rules")
    assert settings.principal.agent == "local", "it counts instead of the user's own"
    assert settings.ignored is None


def test_the_users_file_counts_and_that_of_the_home_before_it(users: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    users.write_text('home = "../home"\norg = "users"\nagent = "users"\nschema = "mine.yaml"\n', encoding="utf-8")
    (home / "interlayer.toml").write_text('agent = "homes"\nroles = ["reader"]\n', encoding="utf-8")
    settings = load({}, {})
    assert settings.home.resolve() == home
    principal = settings.principal
    assert (principal.organization, principal.agent, principal.roles) == ("users", "homes", {"reader"})
    assert settings.schema == users.parent / "mine.yaml"
    assert load({"HOME": str(tmp_path / "other")}, {}).principal.agent == "users", "that home has no file"


def test_a_home_does_not_choose_another_home(users: Path, tmp_path: Path) -> None:
    (tmp_path / "interlayer.toml").write_text('home = "elsewhere"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="already chosen") as raised:
        load({"HOME": str(tmp_path)}, {})
    assert str(users) in str(raised.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [("MODLE", "MODEL"), ("API_BASE", "MODEL_API_BASE"), ("HOMES", "HOME"), ("AUTH_AUDIENC", "AUTH_AUDIENCE")],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_an_unknown_name_is_an_error_that_names_the_nearest(tmp_path: Path, name: str, near: str, place: str) -> None:
    file = tmp_path / "named.toml"
    file.write_text(f'{name.lower()} = "x"\n' if place == "file" else "", encoding="utf-8")
    given = {"INTERLAYER_CONFIG": str(file)} | ({f"INTERLAYER_{name}": "x"} if place == "environment" else {})
    expected = near.lower() if place == "file" else f"INTERLAYER_{near}"
    with pytest.raises(InvalidInput) as raised:
        load({}, given)
    assert str(raised.value).endswith(f"unknown setting. Did you mean {expected}?")


@pytest.mark.parametrize(
    "name",
    [
        "INTERLAYER",  # a program of the same name
        "XINTERLAYER_FOO",
        "INTERLAYER_SERVICE_HOST",
        "INTERLAYER_SERVICE_PORT",
        "INTERLAYER_SERVICE_PORT_HTTP",
        "INTERLAYER_PORT",
        "INTERLAYER_PORT_8000_TCP",
        "INTERLAYER_PORT_8000_TCP_ADDR",
        "INTERLAYER_STAGING_PORT_8000_TCP_PROTO",
    ],
)
def test_what_kubernetes_tells_its_containers_is_no_setting(name: str) -> None:
    load({}, {name: "tcp://10.0.0.1:8000", "INTERLAYER_CONFIG": "/nowhere"})


def test_a_command_names_the_file_that_it_ignores_and_how_it_would_count(working: Path, tmp_path: Path) -> None:
    variables = environment(tmp_path / "home", LOG_LEVEL="ERROR")
    done = run_with(variables, working.parent, "model", "show")
    assert done.returncode == 0
    assert f"{working} is ignored" in done.stderr
    assert f"--config {working}" in done.stderr
    assert "none" in done.stdout
    assert not (working.parent / ".cache").exists()
    working.write_text('model = "openai/x"\n', encoding="utf-8")
    named = run_with(variables, working.parent, "--config", str(working), "model", "show")
    assert "openai/x" in named.stdout
    assert "ignored" not in named.stderr
    missing = run_with(variables, working.parent, "--config", "nothing.toml", "model", "show")
    assert (missing.returncode, "nothing.toml" in missing.stderr) == (2, True)
