"""The configuration files that count, and the names that settings may have there and in the environment.

A file counts from where only its user or operator writes: the user's configuration folder and home, of which home wins,
or the one that he names. The working folder may be anybody's checkout: a file there could choose where data, keys and
rules come from, so it is named and ignored.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import platformdirs

from interlayer.errors import InvalidInput

PREFIX: Final = "INTERLAYER_"
CONFIG: Final = "CONFIG"
PATHS: Final = frozenset({CONFIG, "HOME", "SCHEMA", "POLICIES", "EMBEDDER_FOLDER", "AUTH_MAPPING"})
"""Settings that name a file or folder of this machine."""

_FILE: Final = "interlayer.toml"
_OTHERS: Final = re.compile(
    r"TEST_\w+"  # what the project's own tests are told
    # what Kubernetes tells every container of a service that is called interlayer, or interlayer-something
    r"|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the configuration files say, and the file of the working folder that does not count."""

    values: Mapping[str, str]
    ignored: Path | None


def home_folder(chosen: str | None) -> Path:
    """Return the home that is chosen, or the platform's user data folder."""
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_data_dir("interlayer"))


def environment_values(environment: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Return the settings of the environment by their names without the prefix. Raises `InvalidInput`."""
    values: dict[str, str] = {}
    for variable, value in environment.items():
        name = variable.removeprefix(PREFIX)
        if name == variable or (name not in known and _OTHERS.fullmatch(name)):
            continue
        if name not in known:
            raise InvalidInput(variable, "unknown setting.", f"Did you mean {PREFIX}{_nearest(name, known)}?")
        if value:
            values[name] = value
    return values


def read_configuration(chosen: Mapping[str, str], known: Collection[str]) -> Configuration:
    """Read the files that count: the one that flag or environment chose, or else the user's and the home's.

    Raises `InvalidInput` for what is no TOML, and for an unknown name.
    """
    if named := chosen.get(CONFIG):
        path = Path(named).expanduser().absolute()
        return Configuration(_read(path, known), _ignored(path))
    users = Path(platformdirs.user_config_dir("interlayer")) / _FILE
    values = _read(users, known)
    homes = home_folder(chosen.get("HOME") or values.get("HOME")) / _FILE
    if homes != users:
        own = _read(homes, known)
        if "HOME" in own:
            raise InvalidInput(f"{homes}: home", "is already chosen: the file is in it.", f"Set it in {users}.")
        values |= own
    return Configuration(values, _ignored(users, homes))


def _ignored(*counted: Path) -> Path | None:
    """Return the file of the working folder, if there is one that does not count."""
    path = Path.cwd() / _FILE
    return path if path.is_file() and path.resolve() not in {one.resolve() for one in counted} else None


def _read(path: Path, known: Collection[str]) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(str(path), f"cannot be read: {error}.") from error
    names = [name for name in known if name != CONFIG]
    values: dict[str, str] = {}
    for key, value in data.items():
        name = key.upper()
        if name not in names:
            raise InvalidInput(f"{path}: {key}", "unknown setting.", f"Did you mean {_nearest(name, names).lower()}?")
        values[name] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        if name in PATHS and value:  # not of the working folder, which may be anywhere
            values[name] = str(path.parent / Path(values[name]).expanduser())
    return values


def _nearest(name: str, known: Collection[str]) -> str:
    return difflib.get_close_matches(name, known, 1, cutoff=0)[0]


def read_time(setting: str, value: str, most: timedelta) -> timedelta:
    """Return a time such as 12h, 7d or 2w, none for an empty text. Raises `InvalidInput`, also for more than `most`."""
    found = re.fullmatch(r"(\d{1,4})([hdw])", value or "0d")
    time = timedelta(hours=int(found[1]) * {"h": 1, "d": 24, "w": 168}[found[2]]) if found else timedelta.max
    if time > most:
        raise InvalidInput(
            f"{PREFIX}{setting}", f"{value[:20]!r} is no time.", f"Write 12h, 7d or 2w, at most {most.days}d."
        )
    return time
