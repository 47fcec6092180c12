"""The settings, read once: flags, then environment, then the configuration files that count, then defaults.

Nothing else in the project reads the environment. `SETTINGS` is the list that the documentation is tested against.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import Final, Literal, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from interlayer.app.configuration import PREFIX, environment_values, home_folder, read_configuration
from interlayer.app.http_settings import HttpSettings, read_http_settings
from interlayer.app.identity_provider import Jwt, read_authentication
from interlayer.errors import InvalidInput
from interlayer.models.chat import ChatSettings
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.principal import ALL_ROLES, KNOWN_ROLES, Principal
from interlayer.storage.dynamodb.client import Place, parse_place
from interlayer.storage.lance.s3 import S3Place

SETTINGS: Final[Mapping[str, str]] = {
    "CONFIG": "configuration file that counts instead of the user's and the home's, as `--config`",
    "HOME": "folder of the embedded stores; default: the platform's user data folder",
    "STORE": "serving layer; `sqlite` (a file under home) or `dynamodb://TABLE_PREFIX?region=...&endpoint_url=...`",
    "VECTORS": "vector layer; `lance` (a folder under home), `s3://BUCKET/PREFIX`, `s3+ddb://BUCKET/PREFIX?ddbTableName=TABLE`",
    "EMBEDDER": "embedding model; `local` (bundled, offline), `fastembed/MODEL`, or a litellm embedding id",
    "EMBEDDER_API_BASE": "address of a self-hosted endpoint of the embedding model",
    "EMBEDDER_FOLDER": "folder with the files of a `fastembed/` model; default: fetched from its hub once",
    "MODEL": "extraction models, first come first, as litellm names them; `none` (plain content is cut into sentences)",
    "MODEL_API_BASE": "address of a self-hosted model, such as `http://127.0.0.1:8000/v1`; default: the provider's",
    "MODEL_API_KEY": "key of the model; default: the provider's own variable, such as `OPENAI_API_KEY`",
    "MODEL_TIMEOUT": "seconds that a call waits for the model, 1 to 600; `45`",
    "MODEL_RETRIES": "how often a busy model is asked again, 0 to 10; `2`",
    "MODEL_PASSAGE": "characters that one request asks about, 200 to 100,000; longer content takes several; `12000`",
    "MODEL_OUTPUT_TOKENS": "tokens that an answer may have, 512 to 100,000; `8192`",
    "MODEL_RATE": "requests a minute that a process makes at most; `0` (no limit)",
    "MODEL_DAILY_TOKENS": "tokens that the organization's models may take on a day (UTC); `0` (no limit)",
    "MODEL_DAILY_COST": "US dollars that they may cost on a day, by litellm's price list; `0` (no limit)",
    "SCHEMA": "YAML schema file; default: the bundled starter schema",
    "POLICIES": "folder of policies published at first start; default: the bundled starter policies",
    "ORG": "organization of a local caller; `default`",
    "USER": "person that a local caller works for; default: none",
    "AGENT": "agent name of a local caller; `local`",
    "ROLES": "roles of a local caller, comma-separated; default: all but `privacy`",
    "TEAMS": "teams of a local caller, comma-separated; default: none",
    "READER_SEES": "how sensitive a value the role `reader` sees at most: `internal` or `personal`; `personal`",
    "TOKEN": "API key or access token that commands are run with, and whose user and roles they have; default: none",
    "AUTH": "authentication of HTTP callers; `none`, which binds to loopback addresses only, `keys` or `jwt`",
    "AUTH_ISSUER": "with `jwt`: issuer of the tokens, as their `iss` names it",
    "AUTH_AUDIENCE": "with `jwt`: what their `aud` has to hold, best our `/mcp` address; several with commas",
    "AUTH_JWKS": "with `jwt`: https address of the issuer's signing keys; default: found by its discovery document",
    "AUTH_ORG_CLAIM": "with `jwt`: claim that must say INTERLAYER_ORG, or CLAIM=VALUE such as `tid=GUID`",
    "AUTH_SCOPES": "with `jwt`: scopes that clients ask for at first, or `none`; `interlayer:reader interlayer:writer`",
    "AUTH_MAPPING": "with `jwt`: TOML file of what the provider's groups and app roles give; default: none",
    "ERASURE_QUOTA": "how often a caller may `forget` over MCP on a day (UTC), 0 to 100,000; `20`; 0: no limit",
    "ERASURE_GRACE": "how long `forget` can be taken back, `12h`, `7d` or `2w`, at most 90 days; default: not at all",
    "HOSTS": "names that clients call a server over HTTP by, comma-separated, beside those that it knows",
    "ORIGINS": "web pages that may call it, such as `https://app.acme.com`, comma-separated",
    "CALLS_PER_MINUTE": "requests a minute that one caller with a key or token may make; `12000`, `0` (no limit)",
    "TOKENS_PER_MINUTE": "tokens a minute that it may send, at four bytes each; `10000000`, `0` (no limit)",
    "RECEIPT_DAYS": "how many days a receipt is kept, 180 to 3650; `400`",
    "UNRECORDED_READS": "`answer` a read whose receipt cannot be kept, and say so in it, or `refuse` it; `answer`",
    "STALE_SECONDS": "how long the last good policies serve while the published ones cannot be read, 0 to 86400; `300`",
    "TIME_ZONE": "time zone of dates in policies and waivers, one for all processes, such as `Europe/Berlin`; `UTC`",
    "ANSWERS": "answers hold `both` text and structured content; `text` or `structured` for hosts that show both",
    "LOG_LEVEL": "`DEBUG`, `INFO`, `WARNING` or `ERROR` to stderr; `WARNING`",
    "DEBUG": "any value: errors of the command line show their stack trace",
}
RECEIPT_DAYS_MIN: Final = 180
_LOGS_ARE_KEPT: Final = "Logs of what an AI system was told are to be kept for six months at least."
_NO_STALE: Final = "0 refuses every call as soon as the policies cannot be read."
_GRACE_MAX: Final = timedelta(days=90)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}")
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
_ADDRESS: Final = re.compile(r"https?://[^\s/@]+(/\S*)?")
_NO_ADDRESS: Final = "is no address, or has a user in it."  # which is not shown: it may be a password
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


Answers = Literal["both", "text", "structured"]
"""In which form tools answer."""

ReaderSees = Literal["internal", "personal"]
"""Up to which sensitivity the role reader reads values."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that configures a process."""

    home: Path
    store: Place | None
    """DynamoDB tables; None is the file under home."""
    schema: Path | None
    policies: Path | None
    principal: Principal
    receipt_days: int
    log_level: str
    debug: bool
    auth: Literal["none", "keys"] | Jwt = "none"
    stale_seconds: int = 300
    model: ChatSettings = field(default_factory=ChatSettings)
    vectors: str = "lance"
    embedder: EmbedderChoice = BUNDLED
    time_zone: tzinfo = UTC
    answers: Answers = "both"
    reader_sees: ReaderSees = "personal"
    erasures_a_day: int = 20
    erasure_grace: timedelta = timedelta()
    token: str = field(default="", repr=False)
    """What proves who runs a command; empty where only the settings say it."""
    reads_required: bool = False
    """Whether a read that cannot be put on record is refused."""
    http: HttpSettings = field(default_factory=HttpSettings)
    ignored: Path | None = None
    """A configuration file in the working folder, which does not count."""

    @property
    def store_file(self) -> Path:
        """The file of the embedded serving layer."""
        return self.home / "interlayer.db"

    @property
    def is_in_use(self) -> bool:
        """Whether there may be anything in the serving layer: tables are not asked."""
        return self.store is not None or self.store_file.exists()

    @property
    def has_policies(self) -> bool:
        """Whether somebody chose or published policies already, as far as can be told without opening the store."""
        return self.is_in_use or self.policies is not None


def load(flags: Mapping[str, str | None], environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; flags are named as in `SETTINGS`. Raises `InvalidInput` naming setting and remedy."""
    given = dict(os.environ) if environment is None else dict(environment)
    chosen = environment_values(given, SETTINGS) | {name: value for name, value in flags.items() if value}
    configuration = read_configuration(chosen, SETTINGS)
    values = {**configuration.values, **chosen}
    level = values.get("LOG_LEVEL", "WARNING").upper()
    if level not in _LEVELS:
        raise InvalidInput(f"{PREFIX}LOG_LEVEL", f"{level!r} is no level.", f"One of {', '.join(_LEVELS)}.")
    return Settings(
        home=home_folder(values.get("HOME")),
        store=None if values.get("STORE", "sqlite") == "sqlite" else parse_place(values["STORE"]),
        schema=Path(values["SCHEMA"]).expanduser() if values.get("SCHEMA") else None,
        policies=Path(values["POLICIES"]).expanduser() if values.get("POLICIES") else None,
        principal=Principal(
            _name("ORG", values.get("ORG", "default")),
            _name("AGENT", values.get("AGENT", "local")),
            _roles(values.get("ROLES")),
            frozenset(_split(values.get("TEAMS", ""))),
            _name("USER", values["USER"]) if values.get("USER") else "",
        ),
        model=_model(values),
        embedder=embedding_model(
            values.get("EMBEDDER", "local"), values.get("EMBEDDER_API_BASE", ""), values.get("EMBEDDER_FOLDER", "")
        ),
        receipt_days=_whole(values, "RECEIPT_DAYS", 400, RECEIPT_DAYS_MIN, 3_650, _LOGS_ARE_KEPT),
        log_level=level,
        debug=bool(values.get("DEBUG")),
        auth=read_authentication(values),
        stale_seconds=_whole(values, "STALE_SECONDS", 300, 0, 86_400, _NO_STALE),
        vectors=_vectors(values.get("VECTORS", "lance")),
        time_zone=_time_zone(values.get("TIME_ZONE", "UTC")),
        answers=cast("Answers", _one_of("ANSWERS", values.get("ANSWERS", "both"), get_args(Answers))),
        reader_sees=_reader_sees(values.get("READER_SEES", "personal")),
        erasures_a_day=int(_number(values, "ERASURE_QUOTA", 20, 0, 100_000)),
        erasure_grace=_grace(values.get("ERASURE_GRACE", "")),
        token=values.get("TOKEN", "").strip(),
        reads_required=_one_of("UNRECORDED_READS", values.get("UNRECORDED_READS", "answer"), ("answer", "refuse"))
        == "refuse",
        http=read_http_settings(values),
        ignored=configuration.ignored,
    )


def _reader_sees(value: str) -> ReaderSees:
    if value not in get_args(ReaderSees):
        problem = f"{value[:40]!r} is no such sensitivity."
        raise InvalidInput(f"{PREFIX}READER_SEES", problem, f"One of {', '.join(get_args(ReaderSees))}.")
    return cast("ReaderSees", value)


def _one_of(setting: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise InvalidInput(f"{PREFIX}{setting}", f"{value[:40]!r} is not known.", f"One of {', '.join(known)}.")
    return value


def embedding_model(name: str, api_base: str, folder: str, setting: str = f"{PREFIX}EMBEDDER") -> EmbedderChoice:
    """Return a chosen embedding model. Raises `InvalidInput` for what cannot be one."""
    if not _MODEL.fullmatch(name):
        raise InvalidInput(setting, f"{name[:40]!r} is no model.", "Write local, fastembed/MODEL or a litellm id.")
    if api_base and not _ADDRESS.fullmatch(api_base):
        raise InvalidInput(f"{setting}_API_BASE", _NO_ADDRESS, "Write https://HOST/v1.")
    if folder and not Path(folder).expanduser().is_dir():
        raise InvalidInput(f"{setting}_FOLDER", f"{folder} is no folder.", "Name the one that holds model.onnx.")
    choice = EmbedderChoice(name)
    where = str(Path(folder).expanduser().absolute()) if folder and choice.on_disk else ""
    return replace(choice, api_base=api_base if choice.hosted else "", folder=where)


def _name(setting: str, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise InvalidInput(PREFIX + setting, f"{value[:40]!r} is no name.", "Letters, digits, . _ @ - and spaces.")
    return value


def _model(values: Mapping[str, str]) -> ChatSettings:
    address = values.get("MODEL_API_BASE") or None
    if address and not _ADDRESS.fullmatch(address):
        raise InvalidInput(f"{PREFIX}MODEL_API_BASE", _NO_ADDRESS, "Write http://host:port/v1.")
    models = tuple(dict.fromkeys(_split(values.get("MODEL", "none"))))
    if any(re.search(r"\s", one) for one in models) or ("none" in models and len(models) > 1):
        raise InvalidInput(f"{PREFIX}MODEL", "is no list of models.", "Write provider/model, several with commas.")
    return ChatSettings(
        models=() if models == ("none",) else models,
        api_base=address,
        api_key=values.get("MODEL_API_KEY") or None,
        timeout_s=_number(values, "MODEL_TIMEOUT", 45, 1, 600),
        retries=int(_number(values, "MODEL_RETRIES", 2, 0, 10)),
        passage=int(_number(values, "MODEL_PASSAGE", 12_000, 200, 100_000)),
        output_tokens=int(_number(values, "MODEL_OUTPUT_TOKENS", 8_192, 512, 100_000)),
        rate=int(_number(values, "MODEL_RATE", 0, 0, 100_000)),
        daily_tokens=int(_number(values, "MODEL_DAILY_TOKENS", 0, 0, 10**12)),
        daily_cost=_number(values, "MODEL_DAILY_COST", 0, 0, 10**6),
    )


def _number(values: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = values.get(name, str(default))
    if not re.fullmatch(r"\d{1,13}(\.\d{1,6})?", text) or not least <= float(text) <= most:
        raise InvalidInput(PREFIX + name, f"{text[:40]!r} is not between {least:g} and {most:g}.", "")
    return float(text)


def _grace(value: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([hdw])", value or "0d")
    grace = timedelta(hours=int(found[1]) * {"h": 1, "d": 24, "w": 168}[found[2]]) if found else timedelta.max
    if grace > _GRACE_MAX:
        raise InvalidInput(f"{PREFIX}ERASURE_GRACE", f"{value[:20]!r} is no time.", "Write 12h, 7d or 2w, at most 90d.")
    return grace


def _vectors(value: str) -> str:
    if value != "lance":
        S3Place(value)  # raises what is wrong with it
    return value


def _time_zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # known everywhere
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        problem = f"{name[:40]!r} is no time zone that this machine knows."
        raise InvalidInput(
            f"{PREFIX}TIME_ZONE", problem, "Write one of the IANA list, such as Europe/Berlin."
        ) from error


def _whole(values: Mapping[str, str], name: str, default: int, least: int, most: int, remedy: str) -> int:
    value = values.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 6 and least <= int(value) <= most):
        raise InvalidInput(PREFIX + name, f"{value[:40]!r} is not between {least} and {most}.", remedy)
    return int(value)


def _roles(value: str | None) -> frozenset[str]:
    if value is None:
        return ALL_ROLES
    roles = frozenset(_split(value))
    if unknown := roles - KNOWN_ROLES:
        raise InvalidInput(
            f"{PREFIX}ROLES", f"unknown: {', '.join(unknown)}.", f"Known: {', '.join(sorted(KNOWN_ROLES))}."
        )
    return roles


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
