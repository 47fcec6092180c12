"""How the server is reached over HTTP, and how much a caller may ask of it there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interlayer.app.configuration import PREFIX
from interlayer.errors import InvalidInput

CALLS_PER_MINUTE: Final = 12_000
TOKENS_PER_MINUTE: Final = 10_000_000
"""More than any agent or import at work asks for: what runs wild or is hostile reaches them."""

_MOST: Final = 10**9
_HOST: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Names that the server is called by, web pages that may call it, and what a caller may ask for in a minute."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    calls_per_minute: int = CALLS_PER_MINUTE
    tokens_per_minute: int = TOKENS_PER_MINUTE


def read_http_settings(values: Mapping[str, str]) -> HttpSettings:
    """Return how the server is reached. Raises `InvalidInput` naming setting and remedy."""
    return HttpSettings(
        _names(values, "HOSTS", _HOST, "Write HOST or HOST:PORT, several with commas."),
        _names(values, "ORIGINS", _ORIGIN, "Write https://HOST or https://HOST:PORT, several with commas."),
        _count(values, "CALLS_PER_MINUTE", CALLS_PER_MINUTE),
        _count(values, "TOKENS_PER_MINUTE", TOKENS_PER_MINUTE),
    )


def _names(values: Mapping[str, str], setting: str, shape: re.Pattern[str], remedy: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in values.get(setting, "").split(",") if part.strip())
    for name in names:
        if not shape.fullmatch(name):
            raise InvalidInput(PREFIX + setting, f"{name[:60]!r} cannot be one.", remedy)
    return names


def _count(values: Mapping[str, str], setting: str, default: int) -> int:
    text = values.get(setting, str(default))
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _MOST:
        raise InvalidInput(PREFIX + setting, f"{text[:40]!r} is not between 0 and {_MOST}.", "0 is no limit.")
    return int(text)
