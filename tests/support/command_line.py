"""The command line in this process, where a process of its own (a second to start) would prove nothing more.

That `interlayer` starts as a program, ends with its code and writes to real pipes is what `test_command_line.py`,
`test_life_cycle.py` and whoever uses `processes.command` show.
"""

import contextlib
import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from threading import Thread

from click.testing import CliRunner

from interlayer.main import cli
from processes import environment


def interlayer(home: Path, *arguments: str, stdin: str | None = None, **settings: str) -> "CompletedProcess[str]":
    """Run a command as `subprocess.run` would, in the folder of the home; return its code and what it printed."""
    return run_with(environment(home, **settings), home.parent, *arguments, stdin=stdin)


def run_with(
    variables: Mapping[str, str], folder: Path, *arguments: str, stdin: str | None = None
) -> "CompletedProcess[str]":
    """Run a command with these variables and no others, in a folder."""
    outcome: list[CompletedProcess[str]] = []

    def run() -> None:
        absent = {name: None for name in os.environ if name not in variables}
        done = CliRunner().invoke(cli, arguments, stdin, {**absent, **variables}, prog_name="interlayer")
        trace = ""
        if done.exc_info and done.exception and not isinstance(done.exception, SystemExit):
            trace = "".join(traceback.format_exception(*done.exc_info))
        outcome.append(CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr + trace))

    # In a thread of its own: a command starts an event loop, and the test may be running in one.
    with contextlib.chdir(folder):
        thread = Thread(target=run)
        thread.start()
        thread.join()
    return outcome[0]
