"""install: the entry of each host, merged without losing what is there."""

import json
import os
from pathlib import Path

import pytest

from interlayer.app.hosts.clients import clients, configuration, merge, untold
from interlayer.errors import InvalidInput


@pytest.mark.parametrize("name", ["claude-desktop", "claude-code", "cursor", "vscode"])
def test_an_entry_names_an_absolute_command_and_carries_settings(tmp_path: Path, name: str) -> None:
    client = clients(tmp_path, tmp_path)[name]
    entry = configuration(client, {"INTERLAYER_ORG": "acme", "PATH": "/bin"})[client.key]["interlayer"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"] == ["serve"]
    assert entry["env"] == {"INTERLAYER_ORG": "acme"}


def test_merging_keeps_everything_else_and_a_backup(tmp_path: Path) -> None:
    client = clients(tmp_path, tmp_path)["cursor"]
    client.path.parent.mkdir()
    before = {"mcpServers": {"other": {"command": "x"}}, "theme": "dark"}
    client.path.write_text(json.dumps(before), encoding="utf-8")
    wanted = configuration(client, {})
    merge(client, wanted)
    merge(client, wanted)
    after = json.loads(client.path.read_text(encoding="utf-8"))
    assert after["theme"] == "dark"
    assert set(after["mcpServers"]) == {"other", "interlayer"}
    assert client.path.with_name("mcp.json.bak").exists()


@pytest.mark.parametrize("text", ["{not json", "[]", '{"mcpServers": []}'])
def test_a_file_that_cannot_be_merged_into_stays_as_it_was(tmp_path: Path, text: str) -> None:
    client = clients(tmp_path, tmp_path)["claude-code"]
    client.path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="by hand"):
        merge(client, configuration(client, {}))
    assert client.path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("name", "written", "left_out"),
    [
        ("claude-desktop", None, ["INTERLAYER_MODEL_API_KEY"]),
        ("claude-code", "${INTERLAYER_MODEL_API_KEY:-}", []),
        ("cursor", "${env:INTERLAYER_MODEL_API_KEY}", []),
        ("vscode", None, []),
    ],
)
def test_of_a_secret_only_the_name_is_written(
    tmp_path: Path, name: str, written: str | None, left_out: list[str]
) -> None:
    client = clients(tmp_path, tmp_path)[name]
    environment = {"INTERLAYER_ORG": "acme", "INTERLAYER_MODEL_API_KEY": "sk-canary", "INTERLAYER_PORT": "tcp://x"}
    merge(client, configuration(client, environment))
    text = client.path.read_text(encoding="utf-8")
    assert "sk-canary" not in text
    expected = {"INTERLAYER_ORG": "acme"} | ({"INTERLAYER_MODEL_API_KEY": written} if written else {})
    assert json.loads(text)[client.key]["interlayer"]["env"] == expected
    assert untold(client, environment) == left_out


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_merging_does_not_open_a_file_that_holds_the_secrets_of_others(tmp_path: Path) -> None:
    client = clients(tmp_path, tmp_path)["claude-code"]
    client.path.write_text("{}", encoding="utf-8")
    client.path.chmod(0o600)
    merge(client, configuration(client, {}))
    assert client.path.stat().st_mode & 0o077 == 0
