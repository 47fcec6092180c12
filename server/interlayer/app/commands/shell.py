"""What every command shares: settings, an opened process, and errors that end in one line."""

import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import anyio
import click

from interlayer.answers import as_json
from interlayer.app.home import private_files
from interlayer.app.settings import Settings, load
from interlayer.errors import InterlayerError

if TYPE_CHECKING:
    from interlayer.app.composition import Parts

P = ParamSpec("P")
T = TypeVar("T")

FAILED = 1
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_CODES: Final = "Why: subject_request, consent_withdrawn, retention, mistake, duplicate, contract_end or other."
REASON: Final = click.option("--reason", required=True, metavar="CODE", help=_CODES)
REASON_CODE: Final = click.option("--reason", metavar="CODE", help=_CODES)
REFERENCE: Final = click.option("--reference", metavar="TICKET", help="Where more can be looked up; no prose.")


class Instant(click.ParamType[datetime]):
    """A date or an ISO 8601 instant; without an offset it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant."""
        try:
            given = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is no date or instant, such as 2026-03-01 or 2026-03-01T09:00:00Z.", param, ctx)
        return given if given.tzinfo else given.replace(tzinfo=UTC)


class Day(click.ParamType["date | datetime"]):
    """A date, which is a day of the organization's time zone, or an ISO 8601 instant."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "date | datetime":
        """Return the date or the instant; what a date begins or ends with is for the command to say."""
        try:
            return date.fromisoformat(value) if len(value) == len("2026-03-01") else datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is no date or instant, such as 2026-03-01 or 2026-03-01T09:00:00Z.", param, ctx)


INSTANT: Final = Instant()
DAY: Final = Day()


class Commands(click.Group):
    """A group whose commands return an exit code, or nothing, and end in one line when something goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and exit with what it returns; an error becomes one line and exit code 1."""
        try:
            code = super().invoke(ctx)
        except InterlayerError as error:
            _stop(str(error), error)
        except (OSError, BaseExceptionGroup) as error:
            _stop(_first_message(error), error)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, a user is not shown a stack trace
            _stop(
                f"unexpected {_first_message(error)}. With INTERLAYER_DEBUG=1 the trace is shown; please report it",
                error,
            )
        else:
            sys.exit(code)


def _stop(message: str, error: BaseException) -> None:
    if os.environ.get("INTERLAYER_DEBUG"):
        raise error
    click.echo(f"interlayer: {message}", err=True)
    sys.exit(FAILED)


def _first_message(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of a command, and send the log to stderr."""
    flags: Mapping[str, str | None] = ctx.obj
    settings = load(flags)
    if settings.ignored:
        how = f"If you wrote it and trust it, name it: --config {settings.ignored}, or INTERLAYER_CONFIG."
        click.echo(f"interlayer: {settings.ignored} is ignored, as any file of the working folder. {how}", err=True)
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    return settings


def with_process(command: "Callable[Concatenate[Parts, P], Coroutine[Any, Any, T]]") -> Callable[P, T]:
    """Run a command in an opened process: the home is brought into use before it, the outbox emptied after it."""
    return _in(_open, command)


def with_stores(command: "Callable[Concatenate[Parts, P], Coroutine[Any, Any, T]]") -> Callable[P, T]:
    """Run a command on the stores as they are: nothing is prepared, published or mended."""
    return _in(_compose, command)


def _in(
    place: "Callable[[Settings], AbstractAsyncContextManager[Parts]]",
    command: "Callable[Concatenate[Parts, P], Coroutine[Any, Any, T]]",
) -> Callable[P, T]:
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        settings = settings_of(click.get_current_context())

        async def main() -> T:
            from interlayer.app.caller import recognized

            async with place(settings) as parts:
                return await command(await recognized(parts), *args, **kwargs)

        with private_files():
            return anyio.run(main)

    return run


def _open(settings: Settings) -> "AbstractAsyncContextManager[Parts]":
    from interlayer.app.composition import opened

    return opened(settings)


@asynccontextmanager
async def _compose(settings: Settings) -> "AsyncGenerator[Parts]":
    from interlayer.app.composition import build

    parts = build(settings)
    try:
        yield parts
    finally:
        await parts.close()


def echo(wants_json: bool, answer: Any, show: Callable[[], None], indent: int | None = 2) -> None:
    """Print an answer as JSON, or as people read it."""
    if wants_json:
        click.echo(json.dumps(as_json(answer), indent=indent, ensure_ascii=False, default=str))
    else:
        show()


def progress(what: str) -> Callable[[int], None]:
    """Make a function that shows a running count on one line of a terminal, and nothing elsewhere."""

    def show(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{count:,} {what}", nl=False, err=True)

    return show
