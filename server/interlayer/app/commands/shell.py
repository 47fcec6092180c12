"""What every command shares: settings from flags and environment, and errors that end in one line."""

import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import anyio
import click

from interlayer.answers import as_json
from interlayer.app.settings import Settings, load
from interlayer.errors import InterlayerError

T = TypeVar("T")

FAILED = 1


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


INSTANT: Final = Instant()


class Commands(click.Group):
    """A group whose commands end in one line, and not in a stack trace, when something anticipated goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong becomes one line and exit code 1."""
        try:
            return super().invoke(ctx)
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
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    return settings


def run_async(command: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command to its end and return what it comes to."""
    return anyio.run(command)


def echo(wants_json: bool, answer: Any, show: Callable[[], None]) -> None:
    """Print an answer as JSON, or as people read it."""
    if wants_json:
        click.echo(json.dumps(as_json(answer), indent=2, ensure_ascii=False, default=str))
    else:
        show()


def progress(what: str) -> Callable[[int], None]:
    """Return what shows a running count on one line of a terminal, and nothing elsewhere."""

    def show(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{count:,} {what}", nl=False, err=True)

    return show
