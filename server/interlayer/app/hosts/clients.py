"""How to add the server to an agent host: the configuration of each, printed or merged into its file."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interlayer.app.configuration import PATHS, PREFIX
from interlayer.app.settings import SETTINGS
from interlayer.errors import InvalidInput

OF_COMMANDS: Final = frozenset({"TOKEN"})
"""Settings of a person at the command line, and of no server."""

SECRETS: Final = (f"{PREFIX}MODEL_API_KEY",)
"""Variables whose values are written into no file."""


@dataclass(frozen=True, slots=True)
class Client:
    """An agent host, where its configuration lies and under which key the servers stand."""

    title: str
    path: Path
    key: str
    hint: str
    reference: str = ""
    """How its configuration names a variable of its environment; empty if it cannot."""
    inherits: bool = False
    """Whether a server gets the host's whole environment anyway."""


def clients(home: Path, working: Path) -> Mapping[str, Client]:
    """Return the known hosts by the name that the command takes."""
    return {
        "claude-desktop": Client("Claude Desktop", _claude_desktop(home), "mcpServers", "Restart Claude Desktop."),
        "claude-code": Client(
            "Claude Code",
            working / ".mcp.json",
            "mcpServers",
            "Or run: claude mcp add interlayer -- interlayer serve.",
            reference="${{{}:-}}",
        ),
        "cursor": Client(
            "Cursor", working / ".cursor" / "mcp.json", "mcpServers", "Reload the window.", reference="${{env:{}}}"
        ),
        "vscode": Client("VS Code", working / ".vscode" / "mcp.json", "servers", "Reload the window.", inherits=True),
    }


def configuration(client: Client, environment: Mapping[str, str]) -> dict[str, Any]:
    """Build what has to stand in the host's configuration: an absolute command, for hosts start with a minimal PATH.

    Settings that are in force now (`INTERLAYER_*`) are carried along; of a secret only its name, where the host can
    take it from its environment.
    """
    command = shutil.which("interlayer") or str(Path(sys.executable).with_name("interlayer"))
    entry: dict[str, Any] = {"type": "stdio"} if client.key == "servers" else {}
    entry |= {"command": str(Path(command).absolute()), "args": ["serve"]}
    named = SETTINGS.keys() - OF_COMMANDS
    settings = {name: value for name, value in environment.items() if name.removeprefix(PREFIX) in named}
    for secret in SECRETS:
        if settings.pop(secret, "") and client.reference:
            settings[secret] = client.reference.format(secret)
    return {client.key: {"interlayer": entry | ({"env": settings} if settings else {})}}


def untold(client: Client, environment: Mapping[str, str]) -> list[str]:
    """Return the secrets in force now that a server which this host starts would not get."""
    if client.reference or client.inherits:
        return []
    return [secret for secret in SECRETS if environment.get(secret)]


def settings_in_force(flags: Mapping[str, str | None]) -> dict[str, str]:
    """Return the settings in force now, from the environment and the flags of the command, with paths made whole."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX) and value}
    environment |= {f"{PREFIX}{name}": value for name, value in flags.items() if value}
    for name in PATHS:  # a host starts the server in a folder of its own choosing
        if value := environment.get(f"{PREFIX}{name}"):
            environment[f"{PREFIX}{name}"] = str(Path(value).expanduser().absolute())
    return environment


def merge(client: Client, wanted: Mapping[str, Any]) -> None:
    """Write the entry into the host's file, keep everything else, and leave a backup beside it.

    Raises `InvalidInput` when the file is not JSON that can be merged into; then it is left as it was.
    """
    current: Any = {}
    if client.path.exists():
        try:
            current = json.loads(client.path.read_text(encoding="utf-8") or "{}")
        except ValueError as error:
            raise InvalidInput(str(client.path), f"is not plain JSON ({error}).", "Add the entry by hand.") from error
        if not isinstance(current, dict) or not isinstance(current.get(client.key, {}), dict):
            raise InvalidInput(str(client.path), f"has no object {client.key!r}.", "Add the entry by hand.")
        shutil.copy2(client.path, client.path.with_name(client.path.name + ".bak"))
    current[client.key] = {**current.get(client.key, {}), **wanted[client.key]}
    client.path.parent.mkdir(parents=True, exist_ok=True)
    partial = client.path.with_name(client.path.name + ".new")
    partial.write_text(json.dumps(current, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if client.path.exists():
        shutil.copymode(client.path, partial)  # it may hold the secrets of other servers
    partial.replace(client.path)


_DESKTOP_FILE: Final = Path("Claude") / "claude_desktop_config.json"


def _claude_desktop(home: Path) -> Path:
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / _DESKTOP_FILE
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")) / _DESKTOP_FILE
    return home / ".config" / _DESKTOP_FILE
