"""The program in processes forked from one that has imported it: starting takes a tenth of the processor time.

A process of its own is what many tests need: its memory, its locks, its pipes, its death. How the program starts cold,
as a user starts it, is for those that start it by `processes.command`. `forking.py SOCKET` serves until its input ends.
"""

import gc
import importlib
import marshal
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import FrameType

from forked import HEAD, STREAMS, read
from interlayer.storage.lance.vendor import import_lancedb

PROGRAM = (
    "boto3",
    "wordllama",
    "interlayer.main",
    "interlayer.app.composition",
    "interlayer.app.mcp_server.process",
    "interlayer.app.mcp_server.transports",
)
ASKS_MODELS = {"INTERLAYER_MODEL", "INTERLAYER_EMBEDDER", "reembed"}  # settings and a command that have models asked


def _wake(number: int, frame: FrameType | None) -> None:
    """Do nothing: where a signal has a handler, it wakes who selects."""


class Forking:
    """Forks for whoever asks, tells them the process's number and how it ended, and kills it when they are gone."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._asking: dict[int, socket.socket] = {}  # by the number of the process that was forked for it
        self._ended, self._wake = socket.socketpair()
        for end in (self._ended, self._wake):
            end.setblocking(False)

    def next_process(self) -> list[str]:
        """Return, in a process that was forked, what that one has to run; nothing when the input has ended."""
        signal.signal(signal.SIGCHLD, _wake)
        signal.set_wakeup_fd(self._wake.fileno())
        while True:
            sockets = [self._ended, self._listener, *self._asking.values()]
            input_, *_ = select.select([0, *sockets], [], [])
            if 0 in input_:
                return []
            for one in sockets:
                if one not in input_:
                    continue
                if one is self._ended:
                    self._tell_ends()
                elif one is not self._listener:
                    self._kill(one)
                elif arguments := self._fork():
                    return arguments

    def _fork(self) -> list[str]:
        asking, _ = self._listener.accept()
        head, streams, _, _ = socket.recv_fds(asking, HEAD, len(STREAMS))
        arguments, environment, folder = marshal.loads(read(asking, int.from_bytes(head, "big")))  # noqa: S302 - ours
        if ASKS_MODELS & {*environment, *arguments}:
            import_models()
        with warnings.catch_warnings(action="ignore"):  # LanceDB's, of forks: nothing of it runs yet
            pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            self._asking[pid] = asking
            with suppress(OSError):  # they are gone already: their end is read next
                asking.sendall(pid.to_bytes(HEAD, "big"))
            return []
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for mine in (self._listener, self._ended, self._wake, asking, *self._asking.values()):
            mine.close()
        for number, stream in zip(STREAMS, streams, strict=True):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        return list(arguments)

    def _tell_ends(self) -> None:
        with suppress(BlockingIOError):
            while self._ended.recv(1024):
                pass
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                with self._asking.pop(pid) as asking, suppress(OSError):
                    asking.sendall(os.waitstatus_to_exitcode(status).to_bytes(HEAD, "big", signed=True))

    def _kill(self, asking: socket.socket) -> None:
        """Kill the process of one who is gone: whoever has asked says nothing more."""
        for pid, one in self._asking.items():
            if one is asking:
                os.kill(pid, signal.SIGKILL)


def import_program() -> None:
    """Import all that a server stands on, but for what asks models: that takes seconds, and few tests need it."""
    for module in PROGRAM:
        importlib.import_module(module)
    import_lancedb()


def import_models() -> None:
    """Import what asks models, as `interlayer.models.vendor` does; what is left to its first call is left."""
    os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    importlib.import_module("litellm.main")


def run(arguments: list[str]) -> None:
    """Run a script by its path, or the program with these arguments, as `python` does."""
    if arguments[0].endswith(".py"):
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    else:
        sys.argv = ["interlayer", *arguments]
        runpy.run_module("interlayer", run_name="__main__", alter_sys=True)


def main(place: str) -> None:
    """Serve in this process; in each that is forked, run what it was forked for."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        import_program()
        gc.freeze()  # what is shared stays shared
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        arguments = Forking(listener).next_process()
    if arguments:
        run(arguments)
    else:
        shutil.rmtree(Path(place).parent)


if __name__ == "__main__":
    main(sys.argv[1])
