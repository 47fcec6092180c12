"""Starts copies of a worker script as processes of their own, as a second server on the same data would be."""

import os
import signal
import sys
from pathlib import Path

import anyio

from processes import forked


async def killed(script: str, arguments: list[str]) -> None:
    """Run the script as a process of its own that has to end by SIGKILL."""
    command = forked(str(Path(__file__).parent / script), *arguments)
    done = await anyio.run_process(command, env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stderr.decode())


async def run_workers(script: str, arguments: list[list[str]]) -> list[str]:
    """Run the script once for each list of arguments, at the same time; return what each wrote to stdout."""
    outputs = [""] * len(arguments)

    async def run(number: int) -> None:
        command = forked(str(Path(__file__).parent / script), *arguments[number])
        done = await anyio.run_process(command, env=environment(), check=False)
        assert done.returncode == 0, done.stderr.decode()
        outputs[number] = done.stdout.decode()

    async with anyio.create_task_group() as group:
        for number in range(len(arguments)):
            group.start_soon(run, number)
    return outputs


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
