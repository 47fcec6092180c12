"""`forked.py SOCKET ARGUMENTS`: has a process forked that runs the program, or a script, and ends as that one does.

It gives its environment, folder and standard streams to that process and passes signals on; see `forking`.
"""

import array
import marshal
import os
import signal
import socket
import sys

STREAMS = (0, 1, 2)
SIGNALS = {signal.SIGTERM: signal.SIGTERM, signal.SIGINT: signal.SIGINT, signal.SIGUSR1: signal.SIGKILL}
HEAD = 8  # bytes of a number


def read(connection: socket.socket, size: int) -> bytes:
    """Return so many bytes. Raises `EOFError` where there are fewer."""
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def main(place: str, arguments: list[str]) -> int:
    """Return how the process ended: its code, or the signal below zero."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(place)
        request = marshal.dumps((arguments, dict(os.environ), os.getcwd()))  # noqa: PTH109 - pathlib takes 10 ms
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", STREAMS))
        asked.sendmsg([len(request).to_bytes(HEAD, "big")], [rights])
        asked.sendall(request)
        pid = int.from_bytes(read(asked, HEAD), "big")
        for told in SIGNALS:
            signal.signal(told, lambda number, _: os.kill(pid, SIGNALS[signal.Signals(number)]))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in STREAMS:  # whoever reads what the process writes sees its end with the process
            os.dup2(null, stream)
        return int.from_bytes(read(asked, HEAD), "big", signed=True)


if __name__ == "__main__":
    ended = main(sys.argv[1], sys.argv[2:])
    if ended < 0:
        if -ended != signal.SIGKILL:
            signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    os._exit(ended)
