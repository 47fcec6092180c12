"""An embeddings endpoint on loopback, as OpenAI has it and as Cohere. It answers, or fails in the way it is told.

`python embeddings_server.py` serves until its input ends and prints its address first.
"""

import json
import sys
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hashed_vectors import DIMS, hashed

COHERE = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 1}}


@dataclass
class Endpoint:
    """What was asked of it, and what it does next: one fault a request, then what it `always` does, or good answers."""

    address: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    faults: deque[str] = field(default_factory=deque[str])
    always: str = ""
    dims: int = DIMS
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        return [text for request in self.asked for text in inputs(request)]


def inputs(request: dict[str, Any]) -> list[str]:
    """Return the texts of a request: as OpenAI names them, or Cohere."""
    texts: list[str] = request["texts"] if "texts" in request else request["input"]
    return texts


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Endpoint

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.endpoint.asked.append(asked)
        fault = self.endpoint.faults.popleft() if self.endpoint.faults else self.endpoint.always
        if fault == "hang":
            self.endpoint.gone.wait(30)
            return
        if fault.isdecimal():
            self._answer(int(fault), {"error": {"message": f"told to fail with {fault}"}})
            return
        dims = self.endpoint.dims // 2 if fault == "narrow" else self.endpoint.dims
        vectors = hashed(inputs(asked), dims).tolist()
        if fault == "few":
            vectors = vectors[:-1]
        if "texts" in asked:
            self._answer(200, {"id": "x", "embeddings": {"float": vectors}, "texts": asked["texts"], "meta": COHERE})
            return
        data = [{"object": "embedding", "index": place, "embedding": one} for place, one in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        self._answer(200, {"object": "list", "model": asked["model"], "data": data[::-1], "usage": usage})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


@contextmanager
def serving(port: int = 0) -> Generator[Endpoint]:
    endpoint = Endpoint()
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint.address = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        endpoint.gone.set()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with serving() as served:
        sys.stdout.write(served.address + "\n")
        sys.stdout.flush()
        sys.stdin.read()
