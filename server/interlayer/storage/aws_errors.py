"""What AWS answers when something is wrong, in the project's errors: place, reason and remedy in one line."""

from collections.abc import Generator
from contextlib import contextmanager

from interlayer.errors import InterlayerError, Unavailable


def code_of(error: Exception) -> str:
    """Return the code of an error answer, empty if it is none."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


@contextmanager
def translate(place: str, remedy: str) -> Generator[None]:
    """Turn botocore's errors into `Unavailable`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except InterlayerError:
        raise
    except (BotoCoreError, ClientError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise Unavailable(f"{place}: {reason} {remedy}") from error
