"""An HTTP proxy between a client and a service, which fails as networks and services do, by a script.

It keeps what passed, so that requests can be counted at the wire, whoever sends them.
"""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})
_UPSTREAM_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Forward after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Reset the connection: before the service sees the request, or after it has acted and before it is heard."""

    forwarded: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """Reset the connection in the middle of the answer, after so many bytes of its body."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing until the proxy is healed or the client goes away; `forwarded` as for `Drop`."""

    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer in the service's place."""

    status: int
    body: bytes = b""
    content_type: str = "application/x-amz-json-1.0"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Fault = Delay | Drop | Cut | Hang | Answer


@dataclass(slots=True)
class Exchange:
    """One request as it passed. `name` is its AWS operation, or its method and path."""

    name: str
    body: bytes
    status: int = 0
    answer: bytes = b""


@dataclass(slots=True)
class _Rule:
    fault: Fault
    when: str
    left: float


@dataclass(slots=True)
class FaultyProxy:
    """The script: which faults meet which requests. `url` is what clients connect to."""

    upstream: str
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    healed: threading.Event = field(default_factory=threading.Event)
    _rules: list[_Rule] = field(default_factory=list[_Rule])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, fault: Fault, when: str = "", times: float = 1) -> None:
        """Let requests whose name contains `when` meet the fault, so many `times` (infinity: until `heal`)."""
        self.healed.clear()
        with self._lock:
            self._rules.append(_Rule(fault, when, times))

    def heal(self) -> None:
        """Let everything pass again, also what hangs."""
        with self._lock:
            self._rules.clear()
        self.healed.set()

    def names(self) -> list[str]:
        """Return the names of the requests that passed since `forget`."""
        with self._lock:
            return [one.name for one in self.exchanges]

    def forget(self) -> None:
        """Begin counting anew."""
        with self._lock:
            self.exchanges.clear()

    def met(self, exchange: Exchange) -> Fault | None:
        """Note a request and return what it meets."""
        with self._lock:
            self.exchanges.append(exchange)
            rule = next((one for one in self._rules if one.left > 0 and one.when in exchange.name), None)
            if rule is None:
                return None
            rule.left -= 1
            return rule.fault


@contextmanager
def faulty_proxy(upstream: str) -> Generator[FaultyProxy]:
    """Run a proxy on loopback in front of a service."""
    proxy = FaultyProxy(upstream)

    class Handler(_Handler):
        script = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.heal()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: FaultyProxy
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        body = self._body()
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        exchange = Exchange(target or f"{self.command} {urlsplit(self.path).path}", body)
        fault = self.script.met(exchange)
        match fault:
            case Answer(status, content, content_type, headers):
                self._reply(status, {"Content-Type": content_type, **headers}, content)
                return
            case Drop(forwarded=False):
                self._reset()
                return
            case Hang(forwarded=False):
                self.script.healed.wait(60)
                self._reset()
                return
            case Delay(seconds):
                time.sleep(seconds)
            case _:
                pass
        status, headers, content = self._forwarded(body)
        exchange.status, exchange.answer = status, content
        if isinstance(fault, Hang):
            self.script.healed.wait(60)
        if isinstance(fault, Drop | Hang):
            self._reset()
        else:
            self._reply(status, headers, content, fault.after_bytes if isinstance(fault, Cut) else None)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - the names that the base class calls

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP | {"expect"}}
        connection = http.client.HTTPConnection(urlsplit(self.script.upstream).netloc, timeout=_UPSTREAM_S)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if self.command == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _reply(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None = None) -> None:
        with suppress(OSError):  # the client has given up
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body if cut is None else body[:cut])
            self.wfile.flush()
        if cut is not None:
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""
